//! Facts in plain words: "a merge reaches production" instead of `service.production = true`.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fact::{Fact, FactReading, FactValue, row};

use super::text;

/// A yes-or-no fact: id, what "yes" means, what "no" means.
const YES_NO: &[(&str, &str, &str)] = &[
    (
        "service.known",
        "a catalogue describes the service",
        "no catalogue describes the service",
    ),
    (
        "service.production",
        "a merge reaches production",
        "a merge doesn't reach production",
    ),
    (
        "service.customer_facing",
        "customers use the service directly",
        "customers don't use the service directly",
    ),
    (
        "graph.reaches_customers",
        "a failure would reach customers or an outside party",
        "a failure wouldn't reach customers or an outside party",
    ),
    (
        "graph.reaches_revenue",
        "a failure would stop revenue",
        "a failure wouldn't stop revenue",
    ),
    (
        "fix.governance_files",
        "the fix touches files that govern changes",
        "the fix touches no file that governs changes",
    ),
    (
        "fix.critical_resource",
        "the fix changes a database, a core IAM role or a network boundary",
        "the fix changes no database, core IAM role or network boundary",
    ),
    (
        "fix.variables_provisioned",
        "every variable that the fix newly reads exists where it will run",
        "the fix reads a variable that doesn't exist where it will run",
    ),
    (
        "change.freeze_active",
        "a code freeze covers the service",
        "no code freeze covers the service",
    ),
    (
        "change.pushed_by_others",
        "someone pushed to a touched file in the last three days",
        "nobody pushed to the touched files in the last three days",
    ),
    (
        "change.reverts_break_glass",
        "the fix reverts an active break-glass change",
        "the fix reverts no break-glass change",
    ),
    (
        "change.touches_compensating_control",
        "the fix removes or changes an active compensating control",
        "the fix touches no compensating control",
    ),
    (
        "change.touches_hands_off",
        "the fix touches what a person asked automation to leave alone",
        "the fix touches nothing that a person asked automation to leave alone",
    ),
    (
        "change.drift_explained",
        "nothing live would be undone whose author isn't known",
        "nobody knows who made the live change that the fix would undo",
    ),
    (
        "service.internet_facing",
        "the service takes requests from the internet itself",
        "the service takes no requests from the internet itself",
    ),
    (
        "graph.exposed",
        "requests from the internet reach the service",
        "no request from the internet reaches the service",
    ),
    (
        "graph.single_point_of_failure",
        "the service is a single point of failure",
        "the service is no single point of failure",
    ),
    (
        "graph.in_cycle",
        "the service relies on itself through others",
        "the service doesn't rely on itself",
    ),
    (
        "finding.known_exploited",
        "the vulnerability is known to be exploited",
        "the vulnerability isn't in the catalogue of exploited ones",
    ),
    (
        "finding.severity_conflict",
        "sources disagree on the severity",
        "sources agree on the severity",
    ),
    (
        "finding.reachable",
        "the vulnerable part is reached",
        "the vulnerable part isn't reached",
    ),
    (
        "finding.sla_breached",
        "it is open for longer than its severity may be",
        "it isn't past its deadline",
    ),
    (
        "finding.reintroduced",
        "it was there before, was gone, and came back",
        "it wasn't there before",
    ),
    (
        "finding.direct_dependency",
        "the service itself declares the vulnerable component",
        "the service doesn't declare a vulnerable component itself",
    ),
    (
        "fix.minimal",
        "the fix touches only what its findings are about",
        "the fix touches more than its findings are about",
    ),
    (
        "change.window_open",
        "a change may land now",
        "no change window is open",
    ),
    (
        "change.business_window_active",
        "these are peak hours of the business",
        "these aren't peak hours of the business",
    ),
    (
        "change.callers_pushed_by_others",
        "someone pushed to code that uses what is touched in the last three days",
        "nobody pushed to code that uses what is touched in the last three days",
    ),
    (
        "change.destroys_resources",
        "applying it destroys or replaces infrastructure",
        "applying it destroys no infrastructure",
    ),
    (
        "change.restart_needed",
        "running services must be restarted",
        "no running service must be restarted",
    ),
    (
        "change.reboot_needed",
        "machines must be rebooted",
        "no machine must be rebooted",
    ),
    (
        "change.downtime_needed",
        "the service can't answer while it is applied",
        "the service keeps answering while it is applied",
    ),
    (
        "change.migration_needed",
        "stored data must be migrated",
        "no stored data must be migrated",
    ),
    (
        "change.drift_by_human",
        "a person made the live change that the fix would undo",
        "no person's live change would be undone",
    ),
    (
        "change.undoes_hardening",
        "the fix would take back a live change that made something safer",
        "the fix takes back nothing that made something safer",
    ),
    (
        "approval.verified",
        "a verified signature approves exactly this change",
        "no verified signature approves this change",
    ),
    (
        "approval.independent",
        "an approver is someone other than the author",
        "no approver is someone other than the author",
    ),
    (
        "approval.emergency",
        "an emergency override of exactly this change holds",
        "no emergency override of this change holds",
    ),
];

/// What is known, as a clause: "the service is tier 0".
#[must_use]
pub fn known(id: &str, value: &FactValue) -> String {
    let yes_no = YES_NO.iter().find(|(row, ..)| *row == id);
    match (id, value) {
        (_, FactValue::Bool(true)) if yes_no.is_some() => yes_no.map_or("", |(_, yes, _)| yes).to_owned(),
        (_, FactValue::Bool(false)) if yes_no.is_some() => yes_no.map_or("", |(.., no)| no).to_owned(),
        ("finding.severity", value) => format!("the finding's severity is {value}"),
        ("finding.class", value) => format!("the finding is of class {value}"),
        ("finding.age_days", FactValue::Long(days)) => {
            let days = text::count(usize::try_from(*days).unwrap_or_default(), "day", "days");
            format!("it has been open for {days}")
        }
        ("finding.cvss_tenths", FactValue::Long(tenths)) => {
            format!("the CVSS base score is {}.{}", tenths / 10, (tenths % 10).abs())
        }
        ("finding.epss_bp", FactValue::Long(points)) => format!(
            "the chance that it is exploited within 30 days is {}.{:02} %",
            points / 100,
            (points % 100).abs()
        ),
        ("finding.vex_status", FactValue::String(status)) if status == "none" => {
            "no VEX statement speaks of it".to_owned()
        }
        ("finding.vex_status", value) => format!("a VEX statement says {value}"),
        ("finding.dependency_scope", FactValue::String(scope)) if scope == "none" => {
            "the finding isn't about a component".to_owned()
        }
        ("finding.dependency_scope", value) => format!("the vulnerable component's scope is {value}"),
        ("service.replicas", FactValue::Long(1)) => "one instance of the service runs".to_owned(),
        ("service.replicas", value) => format!("{value} instances of the service run"),
        ("service.update_strategy", FactValue::String(word)) if word == "recreate" => {
            "all instances stop before new ones start".to_owned()
        }
        ("service.update_strategy", value) => format!("instances are replaced one after the other ({value})"),
        ("graph.compliance_scopes", FactValue::Set(words)) if words.is_empty() => {
            "the service isn't connected to any standard's scope".to_owned()
        }
        ("graph.compliance_scopes", value) => format!("the service is in or connected to the scope of {value}"),
        ("fix.versions_skipped", FactValue::Long(0)) => "the upgrade skips no version".to_owned(),
        ("fix.versions_skipped", FactValue::Long(1)) => "the upgrade skips one version".to_owned(),
        ("fix.versions_skipped", value) => format!("the upgrade skips {value} versions"),
        ("change.conflicting_branches", FactValue::Long(0)) => "no open branch conflicts with it".to_owned(),
        ("change.conflicting_branches", FactValue::Long(1)) => "one open branch conflicts with it".to_owned(),
        ("change.conflicting_branches", value) => format!("{value} open branches conflict with it"),
        ("change.code_owners", FactValue::Set(words)) if words.is_empty() => {
            "nobody owns the touched files by CODEOWNERS".to_owned()
        }
        ("change.code_owners", value) => format!("by CODEOWNERS the touched files belong to {value}"),
        ("service.systems", FactValue::Set(words)) if words.is_empty() => "the service is in no system".to_owned(),
        ("service.systems", value) => format!("the service belongs to {value}"),
        ("service.teams", FactValue::Set(words)) if words.is_empty() => "no team owns the service".to_owned(),
        ("service.teams", value) => format!("the service is owned by {value}"),
        ("fix.ecosystems", FactValue::Set(words)) if words.is_empty() => "the fix moves no dependency".to_owned(),
        ("fix.ecosystems", value) => format!("the fix moves dependencies of {value}"),
        ("service.tier", value) => format!("the service is tier {value}"),
        ("service.environment", value) => format!("the most protected environment reached is {value}"),
        ("service.data_classes", FactValue::Set(words)) if words.is_empty() => {
            "the service handles no classified data".to_owned()
        }
        ("service.data_classes", value) => format!("the service handles {value} data"),
        ("service.compliance_scopes", FactValue::Set(words)) if words.is_empty() => {
            "the service is in no standard's scope".to_owned()
        }
        ("service.compliance_scopes", value) => format!("the service is in the scope of {value}"),
        ("graph.dependents", FactValue::Long(0)) => "nothing depends on the service".to_owned(),
        ("graph.dependents", FactValue::Long(1)) => "one other party depends on the service".to_owned(),
        ("graph.dependents", value) => format!("{value} other parties depend on the service"),
        ("graph.most_critical_tier", value) => format!("the most critical tier that can be affected is {value}"),
        ("fix.class", value) => format!("the fix is {value}"),
        ("fix.kind", value) => format!("the fix is of kind {value}"),
        ("fix.files", FactValue::Long(1)) => "the fix changes one file".to_owned(),
        ("fix.files", value) => format!("the fix changes {value} files"),
        ("fix.upgrade_step", FactValue::String(step)) if step == "none" => "no dependency moves".to_owned(),
        ("fix.upgrade_step", value) => format!("the farthest upgrade is a {value} step"),
        ("fix.upgrade_scope", FactValue::String(scope)) if scope == "none" => "no dependency moves".to_owned(),
        ("fix.upgrade_scope", value) => format!("the moved dependency's scope is {value}"),
        ("approval.independent_approvers", value) => format!("approvers other than the author so far: {value}"),
        ("approval.approvers", value) => format!("approvers so far: {value}"),
        ("approval.roles", value) => format!("roles of the approvers so far: {value}"),
        ("approval.teams", value) => format!("teams of the approvers so far: {value}"),
        ("evidence.sandbox.isolation", value) => format!("the sandbox's isolation is {value}"),
        (id, value) => match id
            .strip_prefix("evidence.")
            .and_then(|rest| rest.strip_suffix(".verdict"))
        {
            Some(check) => format!("the {check} check's verdict is {value}"),
            None => format!("`{id}` is {value}"),
        },
    }
}

/// A value alone, in its unit: "9.8" for a score in tenths.
#[must_use]
pub fn value(id: &str, value: &FactValue) -> String {
    match (id, value) {
        ("finding.cvss_tenths", FactValue::Long(tenths)) => format!("{}.{}", tenths / 10, (tenths % 10).abs()),
        ("finding.epss_bp", FactValue::Long(points)) => format!("{}.{:02} %", points / 100, (points % 100).abs()),
        (_, value) => value.to_string(),
    }
}

/// What isn't known, as a noun clause: "whether a merge reaches production".
#[must_use]
pub fn unknown(id: &str) -> String {
    row(id).map_or_else(
        || format!("`{id}`"),
        |row| {
            let doc = text::clause(row.doc);
            let mut chars = doc.chars();
            chars.next().map_or_else(String::new, |first| {
                format!("{}{}", first.to_lowercase(), chars.as_str())
            })
        },
    )
}

/// A known fact with its note, its source, and its age at the time of the decision.
#[must_use]
pub fn reading(reading: &FactReading, at: Timestamp) -> String {
    match &reading.fact {
        None => format!("it isn't known {}", question(&reading.id)),
        Some(fact) => with_source(&reading.id, fact, at),
    }
}

fn question(id: &str) -> String {
    let doc = unknown(id);
    if doc.starts_with("whether ") {
        doc
    } else {
        format!("what `{id}` is ({doc})")
    }
}

fn with_source(id: &str, fact: &Fact, at: Timestamp) -> String {
    let note = fact
        .note
        .as_deref()
        .map(|note| format!(": {}", text::clause(note)))
        .unwrap_or_default();
    format!("{}{note} ({})", known(id, &fact.value), provenance(fact, at))
}

/// Source and age: "catalog-info.yaml, 2 days before".
#[must_use]
pub fn provenance(fact: &Fact, at: Timestamp) -> String {
    format!("{}, {}", text::clause(&fact.source), age(fact.observed_at, at))
}

/// How long before the decision something was observed.
#[must_use]
pub fn age(observed: Timestamp, at: Timestamp) -> String {
    age_of(at.duration_since(observed).as_secs())
}

/// An age in seconds, in words.
#[must_use]
pub fn age_of(seconds: i64) -> String {
    match seconds {
        i64::MIN..=-1 => "dated after the decision".to_owned(),
        0..=59 => "current".to_owned(),
        60..=5_399 => format!("{} min old", seconds / 60),
        5_400..=172_799 => format!("{} h old", (seconds + 1_800) / 3_600),
        _ => format!("{} days old", (seconds + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::fact::{FACTS, FactType};
    use std::collections::BTreeSet;

    fn any_value(kind: FactType) -> FactValue {
        match kind {
            FactType::Bool => FactValue::Bool(true),
            FactType::Long => FactValue::Long(3),
            FactType::Word(words) => FactValue::from(words[0]),
            FactType::Text => FactValue::from("staging"),
            FactType::Set => FactValue::Set(BTreeSet::from(["cardholder".to_owned()])),
        }
    }

    #[test]
    fn every_fact_of_the_table_has_plain_words() {
        for row in FACTS.iter() {
            let words = known(row.id, &any_value(row.fact_type));
            assert!(!words.contains(row.id), "{words}");
        }
    }

    #[test]
    fn every_worded_fact_is_in_the_table() {
        for (id, ..) in YES_NO {
            assert!(row(id).is_some_and(|row| row.fact_type == FactType::Bool), "{id}");
        }
    }

    #[test]
    fn an_unlisted_fact_is_still_shown() {
        assert_eq!(known("org.x", &FactValue::Long(4)), "`org.x` is 4");
        assert_eq!(unknown("org.x"), "`org.x`");
    }

    #[test]
    fn ages_are_relative_to_the_decision() {
        let at: Timestamp = "2026-03-17T02:30:00Z".parse().unwrap();
        let ages = [
            ("2026-03-17T02:30:00Z", "current"),
            ("2026-03-17T02:00:00Z", "30 min old"),
            ("2026-03-16T15:12:00Z", "11 h old"),
            ("2026-03-10T02:30:00Z", "7 days old"),
            ("2026-03-18T02:30:00Z", "dated after the decision"),
        ];
        for (observed, expected) in ages {
            assert_eq!(age(observed.parse().unwrap(), at), expected);
        }
    }
}
