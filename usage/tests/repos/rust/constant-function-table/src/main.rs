const TABLE: &[fn(i64) -> time::Tm] = &[time::at];

fn main() {
    TABLE[0](1);
}
