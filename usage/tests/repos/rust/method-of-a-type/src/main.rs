use time::OffsetDateTime as Moment;

fn main() {
    let _ = Moment::now_local();
}
