//! What `cargo-semver-checks` says of two versions of a crate.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::{ApiChange, Bump, Difference};

/// Most bytes of its output that are read.
const MAX_OUTPUT_BYTES: usize = 16 << 20;
/// Most items that are listed.
const MAX_ITEMS: usize = 5_000;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemverReport {
    /// The least step of the version, and the items that ask for it.
    pub difference: Difference,
    /// How many lints it ran.
    pub checks: usize,
}

/// Reads the output of `cargo semver-checks --release-type patch` and of `cargo semver-checks --list`, which says
/// what step each lint asks for. Both as the versions from 0.40 on print them, without colours.
///
/// # Errors
/// When the run didn't come to its summary, in words for people: what it says last.
pub fn read_semver_checks(output: &str, list: &str) -> Result<SemverReport, String> {
    if output.len() > MAX_OUTPUT_BYTES {
        return Err(format!("it printed more than {MAX_OUTPUT_BYTES} bytes"));
    }
    let steps = steps(list);
    let mut changes = BTreeSet::new();
    let mut gaps = Vec::new();
    let (mut lint, mut listing, mut checks, mut summary) = (String::new(), false, 0, None);
    for line in output.lines() {
        let trimmed = line.trim();
        if let Some(rest) = trimmed
            .strip_prefix("--- failure ")
            .or_else(|| trimmed.strip_prefix("--- warning "))
        {
            lint = rest.split(':').next().unwrap_or_default().to_owned();
            listing = false;
        } else if trimmed == "Failed in:" {
            listing = true;
        } else if trimmed.starts_with("Checked [") {
            let count = trimmed.split("] ").nth(1).and_then(|rest| rest.split(' ').next());
            checks = count.and_then(|count| count.parse().ok()).unwrap_or_default();
        } else if let Some(said) = trimmed.strip_prefix("Summary ") {
            summary = Some(said.to_owned());
            listing = false;
        } else if listing && line.starts_with("  ") && !trimmed.is_empty() {
            if changes.len() >= MAX_ITEMS {
                gaps.push(format!("it lists more than {MAX_ITEMS} items"));
                break;
            }
            let bump = steps.get(lint.as_str()).copied().unwrap_or(Bump::Major);
            changes.insert(item(&lint, bump, trimmed));
        }
    }
    let Some(summary) = summary else {
        let last = output
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| line.contains("error") || line.contains("Error"));
        return Err(last.unwrap_or("it ended without a summary").chars().take(300).collect());
    };
    let bump = if summary.contains("requires new major version") {
        Bump::Major
    } else if summary.contains("requires new minor version") {
        Bump::Minor
    } else if summary.starts_with("no semver update required") {
        Bump::None
    } else {
        return Err(format!("its summary isn't understood: {summary}")
            .chars()
            .take(300)
            .collect());
    };
    Ok(SemverReport {
        difference: Difference {
            bump,
            changes: changes.into_iter().collect(),
            gaps,
        },
        checks,
    })
}

fn steps(list: &str) -> BTreeMap<&str, Bump> {
    list.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (id, step) = (words.next()?, words.next()?);
            match step {
                "major" => Some((id, Bump::Major)),
                "minor" => Some((id, Bump::Minor)),
                _ => None,
            }
        })
        .collect()
}

/// `field ExhaustivePlainStruct.new_field in /a/b/src/lib.rs:10`, with `previously in file …` where it is gone.
fn item(lint: &str, bump: Bump, text: &str) -> ApiChange {
    let (what, place) = text
        .split_once(", previously in file ")
        .or_else(|| text.rsplit_once(" in file "))
        .or_else(|| text.rsplit_once(" in "))
        .unwrap_or((text, ""));
    let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
    let file = file.find("/src/").map_or(file, |at| file.get(at + 1..).unwrap_or(file));
    let symbol = what
        .split(',')
        .next()
        .unwrap_or(what)
        .split_whitespace()
        .last()
        .unwrap_or(what);
    ApiChange {
        rule: lint.to_owned(),
        bump,
        unclear: false,
        symbol: symbol.trim_matches(['`', '"']).to_owned(),
        file: file.to_owned(),
        line: line.parse().unwrap_or(0),
        text: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "id type description\n== == ==\nfunction_missing major gone\nfunction_now_const minor more\n";

    #[test]
    fn items_have_the_step_of_their_lint_and_their_place() {
        let output = "     Checked [   0.046s] 229 checks: 228 pass, 1 fail, 0 warn, 31 skip\n\
            \n--- failure function_missing: pub fn removed or renamed ---\n\nDescription:\nSomething.\n\nFailed in:\n\
            \x20 function demo::gone, previously in file /workspace/repo/old/src/lib.rs:3\n\n\
            \x20    Summary semver requires new major version: 1 major and 0 minor checks failed\n";
        let report = read_semver_checks(output, LIST).unwrap();
        assert_eq!((report.difference.bump, report.checks), (Bump::Major, 229));
        let change = &report.difference.changes[0];
        assert_eq!(
            (change.symbol.as_str(), change.file.as_str(), change.line),
            ("demo::gone", "src/lib.rs", 3)
        );
    }

    #[test]
    fn a_run_without_a_summary_says_nothing() {
        assert!(
            read_semver_checks("error: failed to build rustdoc\n", LIST)
                .unwrap_err()
                .contains("rustdoc")
        );
        assert!(read_semver_checks("     Summary something new\n", LIST).is_err());
        let none = "     Summary no semver update required\n";
        assert_eq!(read_semver_checks(none, LIST).unwrap().difference.bump, Bump::None);
    }
}
