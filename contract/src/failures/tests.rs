use super::*;

#[test]
fn a_log_that_says_nothing_is_unknown() {
    for log in ["", "all is well\n", "[INFO] BUILD SUCCESS\n"] {
        let found = classify(log.as_bytes());
        assert_eq!((found.category, found.lines.len()), (Category::Unknown, 0), "{log}");
    }
}
