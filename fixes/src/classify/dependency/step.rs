//! How far a version moves.

use holdpoint_schemas::fix::UpgradeStep;

/// The step between two versions; a downgrade, a pre-release or anything that isn't a row of
/// numbers is major. With a leading zero the next number takes its place, as Cargo reads SemVer.
pub(super) fn between(from: &str, to: &str) -> UpgradeStep {
    let (Some(from), Some(to)) = (numbers(from), numbers(to)) else {
        return UpgradeStep::Major;
    };
    if to < from {
        return UpgradeStep::Major;
    }
    let part = |numbers: &[u64], at: usize| numbers.get(at).copied().unwrap_or(0);
    let [major, minor, patch] = [0, 1, 2].map(|at| part(&from, at));
    let [new_major, new_minor, new_patch] = [0, 1, 2].map(|at| part(&to, at));
    if major != new_major {
        UpgradeStep::Major
    } else if minor != new_minor {
        if major == 0 {
            UpgradeStep::Major
        } else {
            UpgradeStep::Minor
        }
    } else if patch != new_patch && major == 0 && minor == 0 {
        UpgradeStep::Major
    } else {
        UpgradeStep::Patch
    }
}

/// How many steps of the highest changed number are jumped over: 1.2 to 1.5 jumps over two. At
/// most, since not every number was a release.
pub(super) fn skipped(from: &str, to: &str) -> Option<u32> {
    let (from, to) = (numbers(from)?, numbers(to)?);
    for at in 0..from.len().max(to.len()) {
        let part = |numbers: &[u64]| numbers.get(at).copied().unwrap_or(0);
        if part(&from) != part(&to) {
            return u32::try_from(part(&to).checked_sub(part(&from))? - 1).ok();
        }
    }
    None
}

/// Whether a version moves back, or from a release to what comes before one.
pub(super) fn is_backward(from: &str, to: &str) -> bool {
    let early = |version: &str| {
        let lower = version.to_ascii_lowercase();
        let plain = lower.split('+').next().unwrap_or_default();
        let words: Vec<&str> = plain
            .split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| !word.is_empty())
            .collect();
        let marks = [
            "a", "b", "c", "alpha", "beta", "rc", "cr", "dev", "pre", "preview", "snapshot", "m", "next", "canary",
            "nightly",
        ];
        // SemVer: whatever a hyphen follows comes before the release, unless it is known to be a
        // variant of it (`32.0-jre`).
        let suffix = plain.split_once('-').map(|(_, suffix)| suffix);
        let variants = ["jre", "android", "ga", "final", "release", "post", "sp"];
        let variant = |suffix: &str| {
            let word = suffix.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            word.is_empty() || variants.contains(&word)
        };
        words.iter().any(|word| marks.contains(word)) || suffix.is_some_and(|suffix| !variant(suffix))
    };
    let release = |version: &str| -> Vec<u64> {
        let version = version.trim_start_matches('v');
        let (_, version) = version.split_once('!').unwrap_or(("", version));
        let end = version
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(version.len());
        let plain = version.get(..end).unwrap_or_default().split('.');
        let mut found: Vec<u64> = plain.map_while(|part| part.parse().ok()).collect();
        while found.last() == Some(&0) {
            found.pop();
        }
        found
    };
    release(to) < release(from) || (early(to) && !early(from))
}

/// All numbers of a version: a downgrade can be in any of them.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let version = version.split_once('+').map_or(version, |(version, _)| version);
    version.split('.').map(|part| part.parse::<u64>().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumped_steps_are_counted_on_the_highest_changed_number() {
        for (from, to, steps) in [
            ("1.2", "1.5", Some(2)),
            ("1.26.17", "1.26.18", Some(0)),
            ("2.9.4", "5.0.0", Some(2)),
            ("1.5", "1.2", None),
            ("1.0", "1.0", None),
            ("1.0rc1", "1.0", None),
            ("1", "18446744073709551615", None),
        ] {
            assert_eq!(skipped(from, to), steps, "{from} -> {to}");
        }
    }

    #[test]
    fn a_downgrade_and_a_step_to_a_pre_release_are_backward() {
        for (from, to) in [
            ("1.2.3", "1.2.2"),
            ("2.0", "1.9.9"),
            ("1.0", "1.1rc1"),
            ("1.0.0", "1.1.0-beta.1"),
            ("5.3.1.Final", "5.3.0.Final"),
            ("1.2.0", "1.2.1-evil.0"),
        ] {
            assert!(is_backward(from, to), "{from} -> {to}");
        }
        for (from, to) in [
            ("1.2.3", "1.10.0"),
            ("1.0rc1", "1.0"),
            ("5.3.0.Final", "5.3.1.Final"),
            ("1.0", "1.0.post1"),
            ("31.0-jre", "32.0-jre"),
        ] {
            assert!(!is_backward(from, to), "{from} -> {to}");
        }
    }

    #[test]
    fn steps_follow_semver_as_cargo_reads_it() {
        use UpgradeStep::{Major, Minor, Patch};
        for (from, to, step) in [
            ("0.38.0", "0.38.1", Patch),
            ("1.26.17", "1.26.18", Patch),
            ("1.2.3", "1.3.0", Minor),
            ("1.2", "1.2.1", Patch),
            ("1.2.3", "2.0.0", Major),
            ("0.3.1", "0.4.0", Major),
            ("0.0.1", "0.0.2", Major),
            ("1.2.3", "1.2.2", Major),
            ("1.2.3", "1.3.0-beta.1", Major),
            ("1!2.3", "1!2.4", Major),
            ("abc", "abd", Major),
            ("1.2.3.4", "1.2.3.5", Patch),
            ("1.2.3.5", "1.2.3.1", Major),
            ("99999999999999999999.1", "99999999999999999999.2", Major),
        ] {
            assert_eq!(between(from, to), step, "{from} -> {to}");
        }
    }
}
