//! How hard it is to change a fact.

use holdpoint_schemas::fact::FactValue;
use serde::{Deserialize, Serialize};

/// What it takes to change a fact, easiest first. A way to go further is as hard as its hardest change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// Time passes.
    Time,
    /// A check is run, or run so that it can tell.
    Evidence,
    /// Someone says what isn't known.
    Supply,
    /// Someone ends or provides what they are answerable for: a control, a variable.
    Owner,
    /// A person approves exactly this change.
    Approval,
    /// It would have to be another service, or the catalogue wrong about this one.
    AnotherService,
    /// It would have to be another fix.
    AnotherFix,
    /// It would have to be another finding.
    AnotherFinding,
}

/// The effort to change a *known* fact, by its id or the beginning of one; the first match counts.
const KNOWN: &[(&str, Effort)] = &[
    ("change.freeze_active", Effort::Time),
    ("change.pushed_by_others", Effort::Time),
    ("change.callers_pushed_by_others", Effort::Time),
    ("change.window_open", Effort::Time),
    ("change.business_window_active", Effort::Time),
    ("change.destroys_resources", Effort::AnotherFix),
    ("change.reboot_needed", Effort::AnotherFix),
    ("change.restart_needed", Effort::AnotherFix),
    ("change.migration_needed", Effort::AnotherFix),
    ("change.undoes_hardening", Effort::AnotherFix),
    ("change.", Effort::Owner),
    ("fix.variables_provisioned", Effort::Owner),
    ("fix.", Effort::AnotherFix),
    ("approval.", Effort::Approval),
    // A catalogue that doesn't know the service can be told of it; what it says of one that it knows is so.
    ("service.known", Effort::Owner),
    ("service.", Effort::AnotherService),
    ("graph.", Effort::AnotherService),
    ("finding.", Effort::AnotherFinding),
    // An organisation's own facts: whoever supplies one can change it.
    ("org.", Effort::Owner),
];

/// The effort to change an *unknown* fact, where it is more than to say it.
const UNKNOWN: &[(&str, Effort)] = &[
    ("evidence.", Effort::Evidence),
    ("approval.", Effort::Approval),
    ("fix.variables_provisioned", Effort::Supply),
    // Computed from the diff: what can't be told of this one could be told of another.
    ("fix.", Effort::AnotherFix),
];

/// What it takes to change the fact `id` from a value, or from being unknown.
#[must_use]
pub fn effort(id: &str, from: Option<&FactValue>) -> Effort {
    let listed = |table: &[(&str, Effort)]| {
        table
            .iter()
            .find(|(prefix, _)| id.starts_with(prefix))
            .map(|(_, effort)| *effort)
    };
    match from {
        None => listed(UNKNOWN).unwrap_or(Effort::Supply),
        // A check that failed fails again on the same fix; one that couldn't tell may be helped.
        Some(FactValue::String(verdict)) if id.starts_with("evidence.") => match verdict.as_str() {
            "failed" => Effort::AnotherFix,
            _ => Effort::Evidence,
        },
        Some(_) => listed(KNOWN).unwrap_or(Effort::AnotherService),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::fact::FACTS;

    #[test]
    fn each_family_of_facts_is_ranked() {
        for row in FACTS.iter().filter(|row| row.evidence_order.is_empty()) {
            assert!(KNOWN.iter().any(|(prefix, _)| row.id.starts_with(prefix)), "{}", row.id);
        }
        for (prefix, _) in KNOWN.iter().chain(UNKNOWN).filter(|(prefix, _)| *prefix != "org.") {
            assert!(FACTS.iter().any(|row| row.id.starts_with(prefix)), "{prefix}");
        }
    }

    #[test]
    fn a_failed_check_takes_another_fix_and_an_inconclusive_one_evidence() {
        let id = "evidence.contract.verdict";
        assert_eq!(effort(id, Some(&"failed".into())), Effort::AnotherFix);
        assert_eq!(effort(id, Some(&"inconclusive".into())), Effort::Evidence);
        assert_eq!(effort(id, None), Effort::Evidence);
    }

    #[test]
    fn waiting_is_easier_than_asking_and_asking_than_another_fix() {
        let yes = FactValue::Bool(true);
        let rising = [
            effort("change.freeze_active", Some(&yes)),
            effort("service.tier", None),
            effort("change.touches_hands_off", Some(&yes)),
            effort("approval.verified", Some(&yes)),
            effort("service.production", Some(&yes)),
            effort("fix.class", Some(&"logic".into())),
        ];
        assert!(rising.is_sorted_by(|a, b| a < b), "{rising:?}");
    }
}
