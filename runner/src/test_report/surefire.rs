//! Maven's surefire plugin: test classes. Its XML reports have single tests, and are read where they are.

use super::{Reading, SingleTests, TestEnd, counted};

pub(super) fn read(text: &str) -> Reading {
    let mut tests = SingleTests::default();
    let mut summary = false;
    for line in text.lines() {
        let body = ["[INFO] ", "[ERROR] ", "[WARNING] "]
            .iter()
            .find_map(|level| line.strip_prefix(level))
            .unwrap_or(line);
        let Some(counts) = body.strip_prefix("Tests run: ") else {
            continue;
        };
        let class = counts.rsplit_once(" in ").map(|(_, class)| class.trim());
        let Some(class) = class.filter(|class| !class.contains(' ')) else {
            summary = true;
            continue;
        };
        // `3, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.1 s -- in org.example.ATest`
        let number = |label: &str| {
            let rest = counts.split_once(label)?.1;
            counted(&format!("{} n", rest.split(',').next()?.trim()), "n")
        };
        let (failures, errors) = (number("Failures:"), number("Errors:"));
        let ran = counted(&format!("{} n", counts.split(',').next().unwrap_or_default()), "n");
        let end = match (failures, errors) {
            (Some(0), Some(0)) if ran.is_some() && ran == number("Skipped:") => TestEnd::Skipped,
            (Some(0), Some(0)) => TestEnd::Passed,
            _ => TestEnd::Failed,
        };
        tests.add(class.trim_start_matches("- in "), end);
    }
    match (tests.is_empty(), summary) {
        (true, false) => Reading::Nothing,
        (true, true) => Reading::Unnamed,
        (false, _) => Reading::Tests(tests),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_apart() {
        let text = "[INFO] Running org.example.ATest\n\
            [INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.1 s -- in org.example.ATest\n\
            [ERROR] Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.1 s <<< FAILURE! - in org.example.BTest\n\
            [WARNING] Tests run: 1, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0 s - in org.example.CTest\n\
            [ERROR] Tests run: 6, Failures: 1, Errors: 0, Skipped: 2\n";
        let Reading::Tests(tests) = read(text) else {
            panic!("{:?}", read(text));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("org.example.ATest", TestEnd::Passed),
                ("org.example.BTest", TestEnd::Failed),
                ("org.example.CTest", TestEnd::Skipped),
            ]
        );
    }
}
