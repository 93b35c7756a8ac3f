//! Characters that make a text look like something that it isn't (Unicode TR 36 and TR 39,
//! CVE-2021-42574): a change that brings any in wants to be read by a human.

use std::collections::BTreeMap;

use holdpoint_schemas::fix::FileChange;

/// Characters besides the line feed at which some reader starts a new line (Unicode UAX 14; Python's
/// `splitlines`; ECMA-262 for the last two): a comment for one is code for another.
const LINE_BREAKS: [char; 6] = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

/// Whether a text has a line break that isn't a line feed with or without a carriage return
/// before it. What of it is comment and what is code can't be told then.
pub(super) fn breaks_otherwise(text: &str) -> bool {
    text.split('\n')
        .any(|line| line.strip_suffix('\r').unwrap_or(line).contains(LINE_BREAKS))
}

/// A hidden line break on a line that the change adds, removes or moves.
pub(super) fn hidden_break(change: &FileChange) -> bool {
    let mut lines = change.added.iter().chain(&change.removed);
    lines.any(|(_, line)| breaks_otherwise(line))
}

/// A character outside ASCII that the change brings in, as `U+202E`.
///
/// An upgrade, a header, a flag or a reference needs none, so even a letter that only looks
/// foreign counts; one that is merely moved along doesn't.
pub(super) fn added(change: &FileChange) -> Option<String> {
    let count = |lines: &[(u32, String)]| {
        let mut found: BTreeMap<char, usize> = BTreeMap::new();
        let suspicious = |c: &char| !c.is_ascii() || (c.is_control() && !matches!(c, '\t' | '\r'));
        for c in lines.iter().flat_map(|(_, line)| line.chars()).filter(suspicious) {
            *found.entry(c).or_default() += 1;
        }
        found
    };
    let before = count(&change.removed);
    let more = |(c, now): (&char, &usize)| *now > before.get(c).copied().unwrap_or(0);
    let after = count(&change.added);
    let found = after.iter().find(|(c, now)| more((*c, *now)))?.0;
    Some(format!("U+{:04X}", u32::from(*found)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::fix::ChangeKind;

    fn change(removed: &str, added: &str) -> FileChange {
        let lines = |text: &str| vec![(1, text.to_owned())];
        FileChange {
            path: "a".into(),
            kind: ChangeKind::Modified,
            removed: lines(removed),
            added: lines(added),
        }
    }

    #[test]
    fn a_line_break_within_a_line_is_found_on_either_side() {
        for hidden in [
            "# a\rb",
            "\rb",
            "a\r\r",
            "a\u{b}b",
            "a\u{c}",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{2029}",
        ] {
            assert!(hidden_break(&change("a", hidden)), "{hidden:?}");
            assert!(hidden_break(&change(hidden, "a")), "{hidden:?}");
        }
        assert!(!hidden_break(&change("a", "a\r")) && !hidden_break(&change("a\r", "\tb")));
    }

    #[test]
    fn characters_that_come_in_are_named_and_those_that_stay_are_not() {
        assert_eq!(added(&change("a", "a\u{202e}")).as_deref(), Some("U+202E"));
        assert_eq!(added(&change("requests", "r\u{435}quests")).as_deref(), Some("U+0435"));
        assert_eq!(added(&change("x = 1 # Grüße", "x = 2 # Grüße")), None);
        assert_eq!(added(&change("\tx\r", "\t\ty\r")), None);
        assert_eq!(added(&change("ü", "üü")).as_deref(), Some("U+00FC"));
    }
}
