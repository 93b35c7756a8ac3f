fn main() {
    let moment = time::now();
    let convert = <time::Tm>::to_local;
    convert(&moment);
}
