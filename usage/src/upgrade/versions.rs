//! Versions as far as an upgrade needs them: which step is one, and whether a floor is met.

use crate::language::Language;

/// The numbers that a version starts with: `2.3.0rc1` is `[2, 3, 0]`.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let plain = version.trim().trim_start_matches(['v', '=', ' ']);
    let plain: String = plain.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let found: Vec<u64> = plain.split('.').map_while(|part| part.parse().ok()).collect();
    (!found.is_empty()).then_some(found)
}

/// Whether the author of a package says that the newer of two versions may break clients (SemVer 2.0.0 §4 and §8; for
/// Cargo and npm, a step of the first number that isn't zero). Unknown versions may.
pub(super) fn is_major(old: Option<&str>, new: Option<&str>, language: Language) -> bool {
    let (Some(old), Some(new)) = (old.and_then(numbers), new.and_then(numbers)) else {
        return true;
    };
    let at = |of: &[u64], index: usize| of.get(index).copied().unwrap_or(0);
    if at(&old, 0) != at(&new, 0) {
        return true;
    }
    let zero = at(&old, 0) == 0 && (language != Language::Python || at(&old, 1) != at(&new, 1));
    zero && (at(&old, 1) != at(&new, 1) || (at(&old, 1) == 0 && at(&old, 2) != at(&new, 2)))
}

/// The lowest version that a range takes, where it is one `>=` or a plain version; `None` for what says more. An upper
/// bound beside it is left to the package manager.
pub(super) fn at_least(range: &str) -> Option<Vec<u64>> {
    let mut floors = range.split(',').filter_map(|part| {
        let part = part.trim();
        let plain = part
            .strip_prefix(">=")
            .or_else(|| part.strip_prefix('^'))
            .unwrap_or(part);
        if part.starts_with(['!', '<', '~']) || part.starts_with('>') && !part.starts_with(">=") {
            return None;
        }
        numbers(plain)
    });
    if range.contains("||") {
        return range.split("||").filter_map(at_least).min();
    }
    let mut floor = floors.next()?;
    while floor.last() == Some(&0) && floor.len() > 1 {
        floor.pop();
    }
    Some(floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_that_is_not_zero_makes_a_major_step() {
        for (old, new, major) in [
            ("1.2.3", "1.9.0", false),
            ("1.9", "2.0", true),
            ("0.7.3", "0.8.0", true),
            ("0.8.1", "0.8.2", false),
            ("0.0.1", "0.0.2", true),
            ("4.0.0-rc.1", "4.0.0", false),
        ] {
            assert_eq!(is_major(Some(old), Some(new), Language::Rust), major, "{old} {new}");
        }
        assert!(is_major(None, Some("1"), Language::Python));
    }

    #[test]
    fn the_floor_of_a_range_is_read() {
        assert!(at_least(">=3.8") <= at_least("3.11"));
        assert!(at_least(">= 14") > at_least("12.22"));
        assert_eq!(at_least(">=3.7,!=3.9.0"), Some(vec![3, 7]));
        assert_eq!(at_least("<3"), None);
        assert_eq!(at_least("^14 || >=16.0.0"), Some(vec![14]));
    }
}
