//! What a patch does, as a short card.

use holdpoint_schemas::fix::{Classification, OperationNeed, Upgrade};
use std::fmt::Write as _;

use super::text::{clean, count, sentence};

/// Most names that a line of the card shows; `--format json` has all.
const MAX_LISTED: usize = 12;

/// The card: kind and why, then what else the patch touches, then what it takes to take effect.
#[must_use]
pub fn card(found: &Classification) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} ({})", found.kind.as_str(), found.kind.class().as_str());
    let _ = writeln!(text, "  {}", sentence(&clean(&found.because)));
    if !found.upgrades.is_empty() {
        let _ = writeln!(text, "\nupgrades");
        for upgrade in found.upgrades.iter().take(MAX_LISTED) {
            let _ = writeln!(text, "  {}", self::upgrade(upgrade));
        }
        more(&mut text, found.upgrades.len());
    }
    for (heading, names) in [
        ("variables that the code newly reads", &found.new_variables),
        ("governance files", &found.governance_files),
        ("infrastructure that it changes", &found.iac_addresses),
        ("infrastructure that it removes", &found.iac_removed),
        ("critical infrastructure", &found.critical_resources),
        ("data flow that it touches", &found.data_flow),
    ] {
        if names.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{heading}");
        for name in names.iter().take(MAX_LISTED) {
            let _ = writeln!(text, "  {}", clean(name));
        }
        more(&mut text, names.len());
    }
    let _ = writeln!(text, "\nto take effect");
    for (what, need) in [
        ("restart", &found.operations.restart),
        ("reboot", &found.operations.reboot),
        ("migration", &found.operations.migration),
    ] {
        let _ = writeln!(text, "  {what:<10} {}", operation(need));
    }
    text
}

fn more(text: &mut String, length: usize) {
    if length > MAX_LISTED {
        let _ = writeln!(text, "  and {} more", length - MAX_LISTED);
    }
}

fn upgrade(upgrade: &Upgrade) -> String {
    let version = |version: &Option<String>| version.as_deref().map_or_else(|| "none".to_owned(), clean);
    let skipped = match upgrade.skipped {
        Some(0) => String::new(),
        Some(skipped) => {
            let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
            format!(", jumps over {}", count(skipped, "version", "versions"))
        }
        None => ", how many versions it jumps over is unknown".to_owned(),
    };
    format!(
        "{} ({}): {} → {}, {}{skipped}, {} dependency",
        clean(&upgrade.package),
        clean(&upgrade.ecosystem),
        version(&upgrade.from),
        version(&upgrade.to),
        upgrade.step.as_str(),
        upgrade.scope.as_str(),
    )
}

fn operation(need: &OperationNeed) -> String {
    let answer = match need.needed {
        Some(true) => "needed",
        Some(false) => "not needed",
        None => "unknown",
    };
    match clean(&need.because) {
        because if because.is_empty() => answer.to_owned(),
        because => format!("{answer}: {because}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::fix::{DependencyScope, UpgradeStep};

    #[test]
    fn an_upgrade_reads_in_one_line_without_control_characters() {
        let shown = upgrade(&Upgrade {
            package: "open\u{1b}[31mssl".to_owned(),
            ecosystem: "cargo".to_owned(),
            from: Some("0.10.1".to_owned()),
            to: None,
            step: UpgradeStep::Major,
            scope: DependencyScope::Runtime,
            skipped: Some(2),
        });
        assert_eq!(
            shown,
            "open[31mssl (cargo): 0.10.1 → none, major, jumps over 2 versions, runtime dependency"
        );
    }

    #[test]
    fn what_the_diff_does_not_tell_is_unknown() {
        assert_eq!(operation(&OperationNeed::default()), "unknown");
        let need = OperationNeed {
            needed: Some(false),
            because: "only comments change".to_owned(),
        };
        assert_eq!(operation(&need), "not needed: only comments change");
    }
}
