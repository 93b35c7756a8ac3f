//! TAP, the Test Anything Protocol (version 13 and 14), as `node --test` writes it: subtests are indented
//! by four, and come before their parent's line.

use super::{Reading, SingleTests, TestEnd};

/// Subtests deeper than this are named without their parents.
const MAX_DEPTH: usize = 32;

pub(super) fn read(text: &str) -> Reading {
    let mut tests = SingleTests::default();
    // `# Subtest:` opens a name at a depth; the results below it carry it in theirs.
    let mut names: Vec<&str> = Vec::new();
    let mut planned = false;
    for line in text.lines() {
        let body = line.trim_start();
        let depth = ((line.len() - body.len()) / 4).min(MAX_DEPTH);
        if let Some(name) = body.strip_prefix("# Subtest: ") {
            names.truncate(depth);
            names.resize(depth, "");
            names.push(name);
            continue;
        }
        planned |= body.starts_with("1..");
        let Some((name, end)) = result(body) else { continue };
        names.truncate(depth);
        let parents = names.iter().filter(|parent| !parent.is_empty());
        let mut full: Vec<_> = parents.copied().collect();
        full.push(name);
        tests.add(&full.join(" > "), end);
    }
    if tests.is_empty() || !planned {
        return Reading::Nothing;
    }
    Reading::Tests(tests)
}

/// `ok 1 - adds # SKIP why`
fn result(line: &str) -> Option<(&str, TestEnd)> {
    let (rest, end) = match line.strip_prefix("not ok ") {
        Some(rest) => (rest, TestEnd::Failed),
        None => (line.strip_prefix("ok ")?, TestEnd::Passed),
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if digits == 0 {
        return None;
    }
    let rest = rest.get(digits..)?.trim_start();
    let rest = rest.strip_prefix("- ").unwrap_or(rest);
    let (name, directive) = rest.rsplit_once(" # ").unwrap_or((rest, ""));
    let directive = directive.to_ascii_uppercase();
    // A to-do that fails does not count as a failure, and proves nothing either.
    if directive.starts_with("SKIP") || directive.starts_with("TODO") {
        return Some((name, TestEnd::Skipped));
    }
    Some((rest, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
TAP version 13
# Subtest: adds
ok 1 - adds
  ---
  duration_ms: 1.553821
  ...
# Subtest: skipped one
ok 2 - skipped one # SKIP
# Subtest: group
    # Subtest: inner
    ok 1 - inner
    # Subtest: bad inner
    not ok 2 - bad inner
      ---
      error: 'x'
      ...
    1..2
not ok 3 - group
1..3
# tests 5
";

    #[test]
    fn subtests_are_named_with_their_parents() {
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

    #[test]
    fn prose_that_begins_with_ok_is_no_test() {
        assert_eq!(read("ok then\nok 1 thing\n"), Reading::Nothing);
    }
}
