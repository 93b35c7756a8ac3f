fn main() {
    chrono::Utc::now();
}
