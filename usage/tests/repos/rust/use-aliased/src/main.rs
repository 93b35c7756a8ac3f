use time::at as moment;

fn main() {
    moment(1);
}
