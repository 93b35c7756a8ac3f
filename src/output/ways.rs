//! What would take an item further, in people's words: "auto-apply if the freeze ends".

use holdpoint_engine::counterfactual::{Effort, FactChange, Ways};
use holdpoint_schemas::decision::{BoundKind, Decision};
use holdpoint_schemas::evidence::{Check, Isolation};
use holdpoint_schemas::fact::{Action, FactTable, FactValue};
use holdpoint_schemas::{Level, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

use super::text::{clause, list};
use super::wording;
use crate::pipeline::further::Further;

/// One way, ready to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// What it leads to.
    pub target: Action,
    /// "Auto-apply if …", as a sentence.
    pub words: String,
    /// Who or what can bring it about.
    pub who: Vec<String>,
    /// The changes of facts.
    pub changes: Vec<FactChange>,
}

/// Every way, easiest first for each target.
#[must_use]
pub fn all(further: &Further, decision: &Decision) -> Vec<Way> {
    let told = |ways: &Ways| {
        let way = |changes: &Vec<FactChange>| Way {
            target: ways.target,
            words: words(ways.target, changes, decision),
            who: who(ways.target, changes, &further.table, decision),
            changes: changes.clone(),
        };
        ways.sets.iter().map(way).collect::<Vec<_>>()
    };
    further.ways.iter().flat_map(told).collect()
}

/// One way as a sentence: "Auto-apply if the freeze ends (2027-01-02) and …."
#[must_use]
pub fn words(target: Action, changes: &[FactChange], decision: &Decision) -> String {
    let verb = match target {
        Action::Suggest => "Suggest",
        Action::AutoApply => "Auto-apply",
        Action::Promote => "Merge",
    };
    let clauses = clauses(changes, decision);
    let outside = outside(target, changes, decision);
    let rollout = (!outside.is_empty()).then(|| joined(&outside));
    match (clauses.is_empty(), rollout) {
        (true, None) => format!("{verb}: the policies permit it."),
        (true, Some(rollout)) => format!("{verb} if {rollout}."),
        (false, None) => format!("{verb} if {}.", joined(&clauses)),
        (false, Some(rollout)) => format!("{verb} if {}; and if {rollout}.", joined(&clauses)),
    }
}

/// `a and b`, or `a, and b` where clauses have commas or an "and" of their own.
fn joined(clauses: &[String]) -> String {
    let is_plain = |clause: &String| !clause.contains(", ") && !clause.contains(" and ");
    match clauses {
        [one, two] if is_plain(one) && is_plain(two) => format!("{one} and {two}"),
        _ => clauses.join(", and "),
    }
}

const fn level_of(target: Action) -> Option<Level> {
    match target {
        Action::Suggest => Some(Level::Suggest),
        Action::AutoApply => Some(Level::AutoApply),
        Action::Promote => None,
    }
}

/// What caps a level whatever the policies permit: the lane's stage, and tonight's halts, shares, soaks and budgets.
fn outside(target: Action, changes: &[FactChange], decision: &Decision) -> Vec<String> {
    let mut clauses: Vec<String> = rollout(target, changes, decision).into_iter().collect();
    let Some(level) = level_of(target) else {
        return clauses;
    };
    for bound in decision.bounds.iter().filter(|bound| bound.withholds <= level) {
        let id = &bound.id;
        let clause = match bound.kind {
            BoundKind::Budget => "a night's budget has room for it".to_owned(),
            BoundKind::CircuitBreaker => format!("`{id}` is resumed after its halt"),
            BoundKind::Canary => format!("the canary of rollout lane `{id}` takes it"),
            BoundKind::Soak => "the same change has soaked in the ring before".to_owned(),
            BoundKind::Shadow => format!("rollout lane `{id}` leaves shadow mode"),
            BoundKind::Window => format!("the window of rollout lane `{id}` is open"),
            _ => continue,
        };
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    clauses
}

/// The lane's stage caps what policies permit, so it has to be raised too.
fn rollout(target: Action, changes: &[FactChange], decision: &Decision) -> Option<String> {
    let level = level_of(target)?;
    let is_cap =
        |bound: &&holdpoint_schemas::decision::Bound| bound.kind == BoundKind::RolloutStage && bound.withholds <= level;
    decision
        .bounds
        .iter()
        .find(is_cap)
        .map(|bound| match bound.id.as_str() {
            // Lanes go by what a fix is, so another one may be in another lane.
            _ if changes.iter().any(|change| change.id.starts_with("fix.")) => {
                format!("its rollout lane goes as far as {level}")
            }
            "default" => format!("the rollout file gets a lane that takes such fixes to {level}"),
            lane => format!("rollout lane `{lane}` is raised to {level}"),
        })
}

/// Each change as a clause that can follow "if"; what goes together is told together.
fn clauses(changes: &[FactChange], decision: &Decision) -> Vec<String> {
    let mut clauses: Vec<String> = Vec::new();
    let is_evidence = |change: &&FactChange| change.id.starts_with("evidence.");
    let plain = changes.iter().filter(|change| {
        change.from.is_some()
            && !change.id.starts_with("evidence.")
            && !matches!(change.effort, Effort::Approval | Effort::AnotherFix)
    });
    clauses.extend(plain.map(|change| changed(change, decision)));
    clauses.extend(learned(changes));
    let is_open = |check: &Check| {
        let mut changes = changes.iter();
        changes.any(|change| change.id == check.fact_id() && change.from.is_none())
    };
    let not_run: Vec<String> = Check::ALL
        .iter()
        .filter(|check| is_open(check))
        .map(ToString::to_string)
        .collect();
    match not_run.as_slice() {
        [] => {}
        [one] => clauses.push(format!("the {one} check passes")),
        several => clauses.push(format!("the {} checks pass", list(several, several.len()))),
    }
    // Where checks are still to run, they run in the sandbox that is there.
    if changes
        .iter()
        .any(|change| change.id == Isolation::FACT_ID && (change.from.is_some() || not_run.is_empty()))
    {
        clauses.push("its evidence comes from a well isolated sandbox, such as a container engine's".to_owned());
    }
    let could_not_tell = changes
        .iter()
        .filter(is_evidence)
        .filter(|change| change.id != Isolation::FACT_ID)
        .filter(|change| change.from.is_some() && change.effort == Effort::Evidence);
    clauses.extend(could_not_tell.map(|change| conclusive(change, decision)));
    clauses.extend(approved(changes));
    clauses.extend(another_fix(changes));
    clauses
}

/// A known fact that is another.
fn changed(change: &FactChange, decision: &Decision) -> String {
    let note = decision.facts.get(&change.id).and_then(|fact| fact.note.as_deref());
    let note = note.map(clause).filter(|note| !note.is_empty());
    match (change.id.as_str(), &change.from, &change.to) {
        ("change.freeze_active", _, FactValue::Bool(false)) => {
            match note.as_deref().and_then(|note| note.rsplit_once(" ends ")) {
                Some((freeze, end)) => format!("{freeze} ends ({})", moment(end)),
                None => "the code freeze ends".to_owned(),
            }
        }
        ("change.pushed_by_others", _, FactValue::Bool(false)) => {
            "three days pass without a push by someone else to the files that it touches".to_owned()
        }
        (
            "change.reverts_break_glass" | "change.touches_compensating_control" | "change.touches_hands_off",
            _,
            FactValue::Bool(false),
        ) => match note.as_deref() {
            // The collector tells each control as "… control `id` on …, held by … until …: why".
            Some(note) if note.matches(" control `").count() == 1 => {
                let head = note.split_once(": ").map_or(note, |(head, _)| head);
                format!("the {head}, ends")
            }
            _ => "the controls that it touches end".to_owned(),
        },
        ("fix.variables_provisioned", _, FactValue::Bool(true)) => match note {
            Some(note) if note.contains(" isn't provisioned") => note.replace(" isn't provisioned", " is provisioned"),
            _ => "every variable that it newly reads is provisioned where it will run".to_owned(),
        },
        ("service.tier", Some(from), to) => format!("the service is tier {to} instead of {from}"),
        ("service.data_classes", Some(FactValue::Set(from)), FactValue::Set(to)) => {
            let words = |words: BTreeSet<&String>| words.into_iter().cloned().collect::<Vec<_>>();
            let (fewer, more) = (
                words(from.difference(to).collect()),
                words(to.difference(from).collect()),
            );
            if more.is_empty() {
                format!("the service handles no {} data", list(&fewer, fewer.len()))
            } else {
                wording::known(&change.id, &change.to)
            }
        }
        (id, Some(from), to) if *to == FactValue::from("another") => {
            format!("{} than {from}", wording::known(id, to))
        }
        (id, _, to) => wording::known(id, to),
    }
}

/// A time as people read it: "2027-01-02 06:00 UTC".
fn moment(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// What would have to become known, as one clause.
fn learned(changes: &[FactChange]) -> Option<String> {
    let unknown = changes.iter().filter(|change| {
        change.from.is_none()
            && change.effort != Effort::Evidence
            && change.effort != Effort::Approval
            && change.effort != Effort::AnotherFix
    });
    let words: Vec<String> = unknown
        .map(|change| match (change.id.as_str(), &change.to) {
            ("change.drift_explained", FactValue::Bool(true)) => "who made the live change, and why".to_owned(),
            (id, to) => format!("that {}", wording::known(id, to)),
        })
        .collect();
    let (all, len) = (&words, words.len());
    (len > 0).then(|| format!("it is on record {}", list(all, len)))
}

fn check(id: &str) -> &str {
    id.strip_prefix("evidence.")
        .and_then(|rest| rest.strip_suffix(".verdict"))
        .unwrap_or(id)
}

/// What the contract check says of a consumer without a recorded contract.
const NO_CONTRACT: &str = "no contract is recorded for the consumer ";

/// What a check says where the repo was red before.
const RED_BASELINE: &str = "the baseline is already red";

/// A check that couldn't tell would have to: what it lacked.
fn conclusive(change: &FactChange, decision: &Decision) -> String {
    let check = check(&change.id);
    let note = decision.facts.get(&change.id).and_then(|fact| fact.note.as_deref());
    match note.map(clause) {
        Some(note) if note.starts_with(NO_CONTRACT) => {
            let consumer = note.trim_start_matches(NO_CONTRACT).trim_matches('`');
            format!("a contract is recorded for {consumer} → {} and holds", decision.service)
        }
        Some(note) if !note.is_empty() => format!("the {check} check passes, which can't tell so far ({note})"),
        _ => format!("the {check} check passes, which can't tell so far"),
    }
}

/// The approval as people give it, not as its facts.
fn approved(changes: &[FactChange]) -> Option<String> {
    let to = |id: &str| changes.iter().find(|change| change.id == id).map(|change| &change.to);
    let independent = to("approval.independent").is_some_and(|to| *to == FactValue::Bool(true));
    if let Some(FactValue::Long(others @ 2..)) = to("approval.independent_approvers") {
        return Some(format!(
            "{others} people other than the fix's author approve exactly this change"
        ));
    }
    let independent = independent || to("approval.independent_approvers").is_some_and(|to| *to == FactValue::Long(1));
    let people = match to("approval.approvers") {
        Some(FactValue::Long(2..)) => to("approval.approvers").map(|number| format!("{number} people")),
        _ => None,
    };
    if !changes.iter().any(|change| change.effort == Effort::Approval) {
        return None;
    }
    Some(match (people, independent) {
        (Some(people), true) => {
            format!("{people}, one of them not the fix's author, approve exactly this change")
        }
        (Some(people), false) => format!("{people} approve exactly this change"),
        (None, true) => "a person other than the fix's author approves exactly this change".to_owned(),
        (None, false) => "a person approves exactly this change".to_owned(),
    })
}

/// What another fix would have to be, as one clause.
fn another_fix(changes: &[FactChange]) -> Option<String> {
    let mechanical = changes
        .iter()
        .any(|change| change.id == "fix.class" && change.to == FactValue::from("mechanical"));
    let words: Vec<String> = changes
        .iter()
        .filter(|change| change.effort == Effort::AnotherFix)
        // Of which mechanical kind it is makes no difference then.
        .filter(|change| !(mechanical && change.id == "fix.kind"))
        .map(|change| match (change.id.as_str(), &change.to) {
            ("fix.class", FactValue::String(class)) if class == "mechanical" => "changes no program logic".to_owned(),
            ("fix.kind", kind) => format!("is of the kind \"{}\"", kind.to_string().replace('-', " ")),
            ("fix.upgrade_step", FactValue::String(step)) if step != "none" => {
                format!("moves dependencies by {step} releases only")
            }
            (id, _) if id.starts_with("evidence.") => format!("passes the {} check", check(id)),
            (id, to) => {
                let words = wording::known(id, to);
                match words.strip_prefix("the fix ") {
                    Some(rest) => rest.to_owned(),
                    None => format!("makes sure that {words}"),
                }
            }
        })
        .collect();
    (!words.is_empty()).then(|| format!("another fix comes that {}", list(&words, words.len())))
}

/// Who or what can bring the changes about, each once.
fn who(target: Action, changes: &[FactChange], table: &FactTable, decision: &Decision) -> Vec<String> {
    let mut who: Vec<String> = Vec::new();
    // People first: what is left to the next run goes without saying.
    let (run, people): (Vec<_>, Vec<_>) = changes
        .iter()
        .partition(|change| change.effort == Effort::Evidence && change.from.is_none());
    for change in people.into_iter().chain(run) {
        let resolver = table
            .row(&change.id)
            .map_or("nobody that is on record", |row| row.resolver);
        let words = match change.effort {
            Effort::Time if change.id == "change.freeze_active" => format!("time, or {resolver}"),
            Effort::Time => "time".to_owned(),
            Effort::Evidence if change.from.is_none() => "the next run, once nothing else stands in the way".to_owned(),
            Effort::Evidence => could_help(change, decision),
            Effort::AnotherService => {
                "nobody, while the catalogue is right about the service: it would take another service".to_owned()
            }
            Effort::AnotherFix => format!("{} or a person, with another fix", decision.remediator),
            Effort::AnotherFinding => "nobody: it would take another finding".to_owned(),
            Effort::Supply | Effort::Owner | Effort::Approval => resolver.to_owned(),
        };
        if !who.contains(&words) {
            who.push(words);
        }
    }
    if rollout(target, changes, decision).is_some() {
        who.push("whoever keeps the estate's rollout file".to_owned());
    }
    who
}

/// Who could help a check that couldn't tell.
fn could_help(change: &FactChange, decision: &Decision) -> String {
    let note = decision.facts.get(&change.id).and_then(|fact| fact.note.as_deref());
    match note.unwrap_or_default() {
        note if note.starts_with(NO_CONTRACT) => {
            let consumer = note.trim_start_matches(NO_CONTRACT).trim_matches('`');
            format!("the owner of {consumer}, by recording what it relies on")
        }
        note if note.starts_with(RED_BASELINE) => {
            format!(
                "the owner of {}, by mending what is red without the fix",
                decision.service
            )
        }
        _ => "whoever can supply what the check lacks".to_owned(),
    }
}

/// What the ways to a level have in common: that only another fix, or only another service, would do.
#[must_use]
pub fn in_common(ways: &Ways) -> Option<String> {
    let hardest = |set: &Vec<FactChange>| set.iter().map(|change| change.effort).max();
    let target = match ways.target {
        Action::Suggest => "suggest",
        Action::AutoApply => "auto-apply",
        Action::Promote => "a merge",
    };
    match ways.sets.iter().filter_map(hardest).min()? {
        Effort::AnotherService => Some(format!(
            "No change to this fix leads to {target}: it would take another service."
        )),
        Effort::AnotherFix => Some(format!("Only another fix leads to {target}.")),
        Effort::AnotherFinding => Some(format!("Only another finding leads to {target}.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
