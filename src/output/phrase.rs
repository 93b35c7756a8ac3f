//! What was decided and done, in words that every report shares.

use holdpoint_engine::graph::{BlastRadius, Dependent};
use holdpoint_schemas::Level;
use holdpoint_schemas::decision::{Bound, BoundKind};
use holdpoint_schemas::evidence::Verdict;
use holdpoint_schemas::fact::{FactValue, Unknown};
use holdpoint_schemas::finding::Finding;
use holdpoint_schemas::service::NodeKind;
use std::collections::BTreeMap;

use super::text;
use crate::pipeline::report::{CiOnly, Outcome, ReportItem};

/// The bound that kept the item from the next level, if one did.
#[must_use]
pub fn deciding_bound(item: &ReportItem) -> Option<&Bound> {
    let bounds = &item.decision.bounds;
    let next = item.decision.level.next();
    bounds
        .iter()
        .find(|bound| Some(bound.withholds) == next)
        .or_else(|| bounds.first())
}

/// The reason in one line: the deciding bound, or what permits the level.
#[must_use]
pub fn reason(item: &ReportItem) -> String {
    let words = deciding_bound(item)
        .map(|bound| bound.reason.as_str())
        .or_else(|| item.decision.permitted_by.first().map(String::as_str))
        .unwrap_or("no reason was recorded");
    text::clause(words)
}

/// What was done, in two or three words.
#[must_use]
pub const fn outcome_short(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Merged { .. } => "merged",
        Outcome::AlreadyMerged { .. } => "merged before",
        Outcome::PullRequest { existed: false, .. } => "pull request",
        Outcome::PullRequest { existed: true, .. } => "pull request waits",
        Outcome::Alerted => "people told",
        Outcome::Superseded { .. } => "superseded",
        Outcome::NotDone { .. } => "not done",
    }
}

/// What was done, as a sentence.
#[must_use]
pub fn outcome_sentence(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Merged { branch, commit } => {
            format!("The tested tree was merged: `{branch}` is now at {}.", short(commit))
        }
        Outcome::AlreadyMerged { commit } => format!("It was merged earlier, as {}.", short(commit)),
        Outcome::PullRequest {
            branch,
            document,
            existed,
        } => {
            let state = if *existed { "is still open" } else { "was opened" };
            format!("A pull request {state} from `{branch}`; it waits for a person. It is described in `{document}`.")
        }
        Outcome::Alerted => "People were told; nothing was changed.".to_owned(),
        Outcome::Superseded { by } => {
            format!("Another fix of the same finding ({by}) was better, so this one was set aside.")
        }
        Outcome::NotDone { why } => {
            format!("It was permitted but couldn't be done: {}.", text::clause(why))
        }
    }
}

/// The first twelve digits of a commit.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// A level in words.
#[must_use]
pub const fn level_means(level: Level) -> &'static str {
    match level {
        Level::Alert => "tell people, change nothing",
        Level::Suggest => "open a pull request that waits for a person",
        Level::AutoApply => "merge the tree that was tested",
    }
}

/// What a CI-only tool would have done, in two words.
#[must_use]
pub const fn ci_only_short(ci_only: CiOnly) -> &'static str {
    match ci_only {
        CiOnly::Merge => "would merge",
        CiOnly::Hold => "would hold",
        CiOnly::NotRun => "tests not run",
    }
}

/// What a CI-only tool would have done, and what would have come of it.
#[must_use]
pub fn ci_only_sentence(item: &ReportItem) -> String {
    match (item.ci_only, harm(item)) {
        (CiOnly::Merge, Some(harm)) => format!(
            "The candidate's own tests are green, so it would have merged this, although {}.",
            text::clause(&harm)
        ),
        (CiOnly::Merge, None) if item.decision.level == Level::AutoApply => {
            "It would have merged this too: the tests are green.".to_owned()
        }
        (CiOnly::Merge, None) => {
            "The candidate's own tests are green, so it would have merged this without asking anyone.".to_owned()
        }
        (CiOnly::Hold, Some(_)) => "The candidate's own tests are red, so it would not have merged this.".to_owned(),
        (CiOnly::Hold, None) => "The candidate's own tests are red, so it would not have merged this. That isn't the \
             fix's fault: no check found that the fix broke anything."
            .to_owned(),
        (CiOnly::NotRun, _) => {
            "The candidate's own tests were not run here, so it can't be said what it would have done.".to_owned()
        }
    }
}

/// Facts that mean harm when a change merges, with the value that means it.
const HARMFUL: &[(&str, bool, &str)] = &[
    (
        "change.reverts_break_glass",
        true,
        "it reverts an emergency change that is still needed",
    ),
    (
        "change.touches_compensating_control",
        true,
        "it takes away a control that an accepted risk rests on",
    ),
    (
        "fix.variables_provisioned",
        false,
        "it reads a variable that doesn't exist where it would run",
    ),
];

/// What is known to break when the candidate merges as it is, as a clause: a check that failed, or
/// a harmful fact. `None` says only that no harm is known.
#[must_use]
pub fn harm(item: &ReportItem) -> Option<String> {
    let failed = item.evidence.iter().flat_map(|record| &record.evidence.checks);
    let failed = failed
        .filter(|(_, result)| result.verdict == Verdict::Failed)
        .map(|(check, result)| format!("the {check} check failed: {}", text::clause(&result.reason)))
        .next();
    failed.or_else(|| {
        HARMFUL.iter().find_map(|(id, harmful, words)| {
            let fact = item.decision.facts.get(id)?;
            (fact.value == FactValue::Bool(*harmful)).then(|| match &fact.note {
                Some(note) => format!("{words} ({})", text::clause(note)),
                None => (*words).to_owned(),
            })
        })
    })
}

/// Each unknown of the bounds once, by id, whichever bounds name it.
#[must_use]
pub fn unknowns(item: &ReportItem) -> Vec<&Unknown> {
    let all = item
        .decision
        .bounds
        .iter()
        .flat_map(|bound| &bound.unknowns)
        .chain(&item.unknowns);
    let once: BTreeMap<&str, &Unknown> = all.map(|unknown| (unknown.id.as_str(), unknown)).collect();
    once.into_values().collect()
}

/// The bounds with the levels that each withholds: a policy that withholds two levels for one
/// reason is one thing to read.
#[must_use]
pub fn merged_bounds(item: &ReportItem) -> Vec<(&Bound, Vec<Level>)> {
    let mut merged: Vec<(&Bound, Vec<Level>)> = Vec::new();
    for bound in &item.decision.bounds {
        let same = merged
            .iter_mut()
            .find(|(first, _)| first.reason == bound.reason && first.id == bound.id);
        match same {
            Some((_, levels)) if !levels.contains(&bound.withholds) => levels.push(bound.withholds),
            Some(_) => {}
            None => merged.push((bound, vec![bound.withholds])),
        }
    }
    merged
}

/// Findings that the candidate brings with it, one line each.
#[must_use]
pub fn new_findings(item: &ReportItem) -> Vec<String> {
    let all = item.evidence.iter().flat_map(|record| &record.evidence.new_findings);
    all.map(|finding| {
        let place = finding_place(finding).map_or_else(String::new, |place| format!(" at {place}"));
        format!(
            "{} ({}, {} severity){place}: {}",
            finding.rule,
            finding.scanner,
            finding.severity.as_str(),
            text::clause(&finding.title)
        )
    })
    .collect()
}

/// What kind of bound, for people.
#[must_use]
pub const fn bound_kind(kind: BoundKind) -> &'static str {
    match kind {
        BoundKind::Policy => "policy",
        BoundKind::UnknownFact => "unknown fact",
        BoundKind::Evidence => "evidence",
        BoundKind::NoPermit => "nothing permits it",
        BoundKind::RolloutStage => "rollout stage",
        BoundKind::Budget => "budget",
        BoundKind::CircuitBreaker => "circuit breaker",
        BoundKind::Canary => "canary",
        BoundKind::Soak => "soak",
        BoundKind::Shadow => "shadow mode",
        BoundKind::Window => "window",
        BoundKind::NoFix => "no candidate fix",
        BoundKind::EvaluationError => "policy error",
    }
}

/// Who can be affected, as one or two sentences.
#[must_use]
pub fn blast(item: &ReportItem) -> String {
    let Some(blast) = &item.blast else {
        return "No catalogue knows the service, so it isn't known who depends on it.".to_owned();
    };
    if blast.dependents.is_empty() {
        return format!("Nothing that the catalogues know depends on {}.", item.service);
    }
    let names: Vec<String> = blast.dependents.iter().map(dependent).collect();
    let mut words = format!(
        "If {} breaks, {} can be affected: {}.",
        item.service,
        text::count(names.len(), "other party", "other parties"),
        text::list(&names, 6)
    );
    words.push_str(match blast.reaches_customers {
        Some(true) => " That reaches customers or an outside party.",
        Some(false) => "",
        None => " It isn't known whether that reaches customers.",
    });
    words.push_str(&cycle(blast));
    words
}

fn cycle(blast: &BlastRadius) -> String {
    if blast.in_cycle {
        " It is part of a dependency cycle, so trouble can come back to it.".to_owned()
    } else {
        String::new()
    }
}

/// A dependent with what matters about it: `gateway (tier 1, customer-facing)`.
#[must_use]
pub fn dependent(dependent: &Dependent) -> String {
    let mut notes = Vec::new();
    match (dependent.kind, dependent.tier) {
        (NodeKind::External, _) => notes.push("outside party".to_owned()),
        (NodeKind::Resource, _) => notes.push("resource".to_owned()),
        (NodeKind::Service, Some(tier)) => notes.push(format!("tier {tier}")),
        (NodeKind::Service, None) => notes.push("tier unknown".to_owned()),
    }
    if dependent.customer_facing == Some(true) {
        notes.push("customer-facing".to_owned());
    }
    format!("{} ({})", dependent.name, notes.join(", "))
}

/// A dependent's path, consumer first: `gateway → payments → ledger`. The graph stores it from the
/// service up, and of a very long one only that beginning.
#[must_use]
pub fn path(dependent: &Dependent) -> String {
    let id = dependent.id.as_str();
    let mut names: Vec<&str> = dependent.path.iter().map(|id| id.as_str()).collect();
    if names.first() != Some(&id) {
        names.reverse();
    }
    if names.first() != Some(&id) {
        names.splice(0..0, [id, "…"]);
    }
    names.join(" → ")
}

/// Where the finding is: `requirements.txt, line 3`.
#[must_use]
pub fn place(item: &ReportItem) -> Option<String> {
    finding_place(&item.finding.finding)
}

fn finding_place(finding: &Finding) -> Option<String> {
    match (&finding.location, &finding.iac_address) {
        (Some(location), _) => Some(match location.line {
            Some(line) => format!("{}, line {line}", location.path),
            None => location.path.clone(),
        }),
        (None, Some(address)) => Some(address.clone()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn the_reason_is_the_bound_of_the_next_level() {
        let item = samples::frozen();
        assert!(reason(&item).contains("Quarter close"), "{}", reason(&item));
    }

    #[test]
    fn an_unbounded_item_gives_what_permits_it() {
        let item = samples::merged();
        assert_eq!(reason(&item), item.decision.permitted_by[0].trim_end_matches('.'));
    }

    #[test]
    fn one_reason_for_two_levels_is_told_once() {
        let mut item = samples::unknown_service();
        let mut bound = item.decision.bounds[0].clone();
        bound.withholds = Level::AutoApply;
        item.decision.bounds.push(bound);
        let merged = merged_bounds(&item);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].1, [Level::Suggest, Level::AutoApply]);
        assert_eq!(unknowns(&item).len(), 2);
    }

    #[test]
    fn a_failed_check_is_harm_and_a_freeze_is_not() {
        assert!(harm(&samples::broken_contract()).unwrap().contains("bank-partner"));
        assert_eq!(harm(&samples::frozen()), None);
    }

    #[test]
    fn a_red_baseline_is_not_blamed_on_the_fix() {
        let mut item = samples::frozen();
        item.ci_only = CiOnly::Hold;
        assert!(ci_only_sentence(&item).contains("isn't the fix's fault"));
        let mut broken = samples::broken_contract();
        broken.ci_only = CiOnly::Hold;
        assert!(!ci_only_sentence(&broken).contains("fault"));
    }

    #[test]
    fn what_the_candidate_brings_along_is_named_with_its_rule() {
        let mut item = samples::merged();
        let mut finding = samples::unknown_service().finding.finding;
        finding.rule = "B602".to_owned();
        item.evidence.as_mut().unwrap().evidence.new_findings = vec![finding];
        assert_eq!(
            new_findings(&item),
            ["B602 (bandit, medium severity) at reports/build.py, line 19: Temporary file with a predictable name"]
        );
    }

    #[test]
    fn a_variable_that_is_not_there_is_harm() {
        assert!(harm(&samples::unprovisioned()).unwrap().contains("SMTP_TOKEN"));
    }

    #[test]
    fn paths_start_at_the_consumer_whichever_way_they_are_stored() {
        let item = samples::broken_contract();
        let mut gateway = item.blast.unwrap().dependents[0].clone();
        let forward = path(&gateway);
        gateway.path.reverse();
        assert_eq!(path(&gateway), forward);
        assert!(forward.starts_with(gateway.id.as_str()));
        gateway.path = vec!["payments".into(), "checkout".into()];
        assert_eq!(path(&gateway), "gateway → … → checkout → payments");
    }

    #[test]
    fn an_unknown_service_is_not_called_harmless() {
        assert!(blast(&samples::unknown_service()).contains("isn't known"));
        assert!(blast(&samples::merged()).starts_with("Nothing that the catalogues know"));
    }
}
