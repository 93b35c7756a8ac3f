fn show(moment: &time::Tm) {
    moment.to_local();
}

fn main() {
    show(&time::now());
}
