//! `node --test --test-reporter=spec`, the default of newer versions.

use super::{Reading, SingleTests, TestEnd, checked, counted, without_duration};

pub(super) fn read(text: &str) -> Reading {
    let mut tests = SingleTests::default();
    let mut groups: Vec<&str> = Vec::new();
    let (mut named, mut total) = (0, None);
    for line in text.lines() {
        // Failures are printed again after the results.
        if let Some(rest) = line.strip_prefix("ℹ ") {
            if let Some(count) = rest.strip_prefix("tests ") {
                total = counted(&format!("{} tests", count.trim()), "tests");
            }
            continue;
        }
        if total.is_some() {
            continue;
        }
        let body = line.trim_start();
        let depth = (line.len() - body.len()) / 2;
        let Some((mark, name)) = body.split_once(' ') else {
            continue;
        };
        let end = match mark {
            "▶" => {
                groups.truncate(depth);
                groups.push(without_duration(name));
                continue;
            }
            "✔" => TestEnd::Passed,
            "✖" => TestEnd::Failed,
            "﹣" => TestEnd::Skipped,
            _ => continue,
        };
        groups.truncate(depth);
        named += 1;
        let name = name
            .strip_suffix(" # SKIP")
            .or_else(|| name.strip_suffix(" # TODO"))
            .unwrap_or(name);
        let mut full = groups.clone();
        full.push(without_duration(name));
        tests.add(&full.join(" > "), end);
    }
    match total {
        None => Reading::Nothing,
        total => checked(tests, named, total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
✔ adds (1.412902ms)
﹣ skipped one (0.213187ms) # SKIP
▶ group
  ✔ inner (0.155211ms)
  ✖ bad inner (0.293516ms)
    Error: x

✖ group (0.965526ms)
ℹ tests 5
ℹ pass 2

✖ failing tests:

test at a.test.js:4:62
✖ bad inner (0.293516ms)
";

    #[test]
    fn groups_are_part_of_the_name_and_failures_are_read_once() {
        let Reading::Tests(tests) = read(OUTPUT) else {
            panic!("{:?}", read(OUTPUT));
        };
        assert_eq!(
            tests.iter().collect::<Vec<_>>(),
            [
                ("adds", TestEnd::Passed),
                ("group", TestEnd::Failed),
                ("group > bad inner", TestEnd::Failed),
                ("group > inner", TestEnd::Passed),
                ("skipped one", TestEnd::Skipped),
            ]
        );
    }
}
