//! Characters that make a text look like something that it isn't (Unicode TR 36 and TR 39,
//! CVE-2021-42574): a change that brings any in wants to be read by a human.

use std::collections::BTreeMap;

use holdpoint_schemas::fix::FileChange;

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
    fn characters_that_come_in_are_named_and_those_that_stay_are_not() {
        assert_eq!(added(&change("a", "a\u{202e}")).as_deref(), Some("U+202E"));
        assert_eq!(added(&change("requests", "r\u{435}quests")).as_deref(), Some("U+0435"));
        assert_eq!(added(&change("x = 1 # Grüße", "x = 2 # Grüße")), None);
        assert_eq!(added(&change("\tx\r", "\t\ty\r")), None);
        assert_eq!(added(&change("ü", "üü")).as_deref(), Some("U+00FC"));
    }
}
