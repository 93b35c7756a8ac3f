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

/// All numbers of a version: a downgrade can be in any of them.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let version = version.split_once('+').map_or(version, |(version, _)| version);
    version.split('.').map(|part| part.parse::<u64>().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
