fn main() {
    let v: serde_yaml::Value = serde_yaml::from_str("a").unwrap();
    v.get("a");
}
