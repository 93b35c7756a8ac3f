//! What differs from the run before: "since last night".

use holdpoint_schemas::decision::{Bound, BoundKind, Decision};
use holdpoint_schemas::finding::{RepoFinding, Severity};
use holdpoint_schemas::{Level, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::history::History;
use crate::pipeline::report::{Outcome, ReportItem};
use crate::pipeline::time::{Course, Held};
use crate::pipeline::window::is_not_reached;

/// Nights in a row after which a finding that waits is told again.
const LONG_HELD_NIGHTS: u32 = 3;

/// What differs from the run before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// When the run before was.
    pub at: Option<Timestamp>,
    /// What differs, by kind, most severe first.
    pub changes: Vec<Change>,
    /// Findings that are as they were.
    pub unchanged: usize,
}

/// What became different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A merge of an earlier run was reverted.
    Reverted,
    /// It was gone and is there again.
    Returned,
    /// Seen for the first time.
    New,
    /// Its level fell.
    Down,
    /// Its level rose.
    Up,
    /// It was merged in this run.
    Merged,
    /// It is gone, and a merged fix of it is why.
    Fixed,
    /// It is gone, and no fix of ours is why.
    Vanished,
    /// It waits, as it has for some nights.
    Held,
}

impl ChangeKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Reverted,
        Self::Returned,
        Self::New,
        Self::Down,
        Self::Up,
        Self::Merged,
        Self::Fixed,
        Self::Vanished,
        Self::Held,
    ];

    /// What it is called in reports.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reverted => "reverted",
            Self::Returned => "back again",
            Self::New => "new",
            Self::Down => "level fell",
            Self::Up => "level rose",
            Self::Merged => "merged",
            Self::Fixed => "fixed",
            Self::Vanished => "gone",
            Self::Held => "still waiting",
        }
    }

    /// Whether a report reads otherwise for it: something that waits on is no change.
    #[must_use]
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::Held)
    }
}

/// One finding that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Kind.
    pub kind: ChangeKind,
    /// Short id.
    pub finding: String,
    /// Repo and branch, as `repo@branch`.
    pub place: String,
    /// One line about the finding.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// Its fingerprint, for what is gone and has no item.
    pub fingerprint: String,
    /// Scanner's rule.
    pub rule: String,
    /// Level before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Level>,
    /// Level now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Level>,
    /// Why, in one sentence: which bound came or went.
    pub why: String,
    /// Nights in a row that it has waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nights: Option<u32>,
}

/// What the ledger held before a run, as far as the comparison needs it.
#[derive(Debug, Clone, Default)]
pub struct Before {
    at: Option<Timestamp>,
    decisions: BTreeMap<String, Held>,
    present: BTreeSet<String>,
    known: BTreeSet<String>,
    merged: BTreeSet<String>,
}

impl Before {
    /// What a history holds.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let ids = |wanted: fn(&Course) -> bool| {
            let courses = history.times.all().filter(|(_, course)| wanted(course));
            courses.map(|(id, _)| id.clone()).collect()
        };
        Self {
            at: history
                .times
                .all()
                .filter_map(|(_, course)| Some(course.level.as_ref()?.last))
                .max(),
            decisions: history
                .times
                .all()
                .filter_map(|(id, course)| Some((id.clone(), course.level.clone()?)))
                .collect(),
            present: ids(|course| course.gone.is_none()),
            known: history.findings.keys().cloned().collect(),
            merged: ids(|course| course.merged.is_some()),
        }
    }

    /// What differs now. `after`: the history with what the run added.
    #[must_use]
    pub fn compare(&self, items: &[ReportItem], after: &History) -> Option<Since> {
        let at = self.at?;
        let mut since = Since {
            at: Some(at),
            ..Since::default()
        };
        for item in items {
            match self.change(item, after) {
                Some(change) => since.changes.push(change),
                None => since.unchanged += 1,
            }
        }
        let gone = self.present.iter().filter(|id| {
            let course = after.times.of(id);
            course.is_some_and(|course| course.gone.is_some())
        });
        for id in gone {
            // A merged finding keeps its item; that its report is up to date by now is told all the same.
            let Some(finding) = after.findings.get(id) else {
                continue;
            };
            let merged = after.times.of(id).is_some_and(|course| course.merged.is_some());
            let (kind, why) = if merged {
                (ChangeKind::Fixed, "its fix was merged, and no report has it any more")
            } else {
                (
                    ChangeKind::Vanished,
                    "no report has it any more, and Holdpoint merged no fix of it",
                )
            };
            since.changes.push(of(kind, finding, why.to_owned()));
        }
        since.changes.sort_by(|a, b| {
            let key = |change: &Change| (change.kind, std::cmp::Reverse(change.severity));
            key(a).cmp(&key(b)).then_with(|| a.finding.cmp(&b.finding))
        });
        Some(since)
    }

    fn change(&self, item: &ReportItem, after: &History) -> Option<Change> {
        let finding = &item.finding;
        let id = finding.id();
        let course = after.times.of(&id);
        let now = item.decision.level;
        if self.merged.contains(&id) && course.is_some_and(|course| course.merged.is_none()) {
            let why = "the merge of its fix was undone".to_owned();
            return Some(of(ChangeKind::Reverted, finding, why));
        }
        if let Outcome::Merged { branch, .. } = &item.outcome {
            let why = format!("the tested tree was merged to `{branch}`");
            return Some(of(ChangeKind::Merged, finding, why));
        }
        if !self.known.contains(&id) {
            let why = reason(&item.decision);
            return Some(Change {
                to: Some(now),
                ..of(ChangeKind::New, finding, why)
            });
        }
        let is_merged = matches!(item.outcome, Outcome::AlreadyMerged { .. });
        if !self.present.contains(&id) && !is_merged && course.is_some_and(|course| course.gone.is_none()) {
            let why = "it had gone, and a report has it again".to_owned();
            return Some(Change {
                to: Some(now),
                ..of(ChangeKind::Returned, finding, why)
            });
        }
        let held = self.decisions.get(&id)?;
        if is_merged || is_not_reached(&item.outcome) {
            return None;
        }
        if held.level != now {
            let kind = if now > held.level {
                ChangeKind::Up
            } else {
                ChangeKind::Down
            };
            return Some(Change {
                from: Some(held.level),
                to: Some(now),
                ..of(kind, finding, moved(&held.bounds, &item.decision, held.level < now))
            });
        }
        let nights = course
            .and_then(|course| Some(course.level.as_ref()?.nights))
            .unwrap_or(1);
        (nights >= LONG_HELD_NIGHTS && now < Level::AutoApply).then(|| Change {
            to: Some(now),
            nights: Some(nights),
            ..of(ChangeKind::Held, finding, reason(&item.decision))
        })
    }
}

fn of(kind: ChangeKind, finding: &RepoFinding, why: String) -> Change {
    Change {
        kind,
        finding: finding.id(),
        place: format!("{}@{}", finding.repo, finding.branch),
        title: finding.finding.title.clone(),
        severity: finding.finding.severity,
        fingerprint: finding.finding.fingerprint.to_string(),
        rule: finding.finding.rule.clone(),
        from: None,
        to: None,
        why,
        nights: None,
    }
}

fn reason(decision: &Decision) -> String {
    let bound = decision.bounds.first().map(|bound| bound.reason.clone());
    bound.unwrap_or_else(|| decision.permitted_by.join("; "))
}

/// Which bound went, for a level that rose, or came, for one that fell; all others are beside the point.
fn moved(before: &[Bound], now: &Decision, rose: bool) -> String {
    let keys = |bounds: &[Bound]| -> BTreeSet<(BoundKind, String)> {
        bounds.iter().map(|bound| (bound.kind, bound.id.clone())).collect()
    };
    let (then, today) = (keys(before), keys(&now.bounds));
    let pick = |bounds: &[Bound], others: &BTreeSet<(BoundKind, String)>, withheld: Level| {
        let missing = |bound: &&Bound| !others.contains(&(bound.kind, bound.id.clone()));
        let mut found: Vec<&Bound> = bounds.iter().filter(missing).collect();
        // What withholds the level that was won or lost comes first.
        found.sort_by_key(|bound| (bound.withholds != withheld, bound.withholds));
        found.first().map(|bound| bound.reason.clone())
    };
    if rose {
        let gone = pick(before, &today, now.level);
        gone.map_or_else(
            || format!("now {}", now.permitted_by.join("; ")),
            |reason| format!("no longer: {reason}"),
        )
    } else {
        let lost = now.level.next().unwrap_or(now.level);
        pick(&now.bounds, &then, lost).map_or_else(|| reason(now), |reason| format!("now: {reason}"))
    }
}

#[cfg(test)]
mod tests;
