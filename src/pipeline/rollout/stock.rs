//! Taking stock at the beginning of a run: what became of what was done before, and what follows from it for each lane.

use anyhow::Result;
use holdpoint_engine::rollout::AUTOMATION;
use holdpoint_schemas::approval::Verb;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::{EvidenceRecord, StepEnd, StepRun, Verdict};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Timestamp};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

use super::changes::{self, Changes, Way, about, decision_on};
use super::detect::{self, Changed, How, Seen, Undone, Watched, short};
use super::standing::Standing;
use crate::pipeline::act::{AUTO_APPLY, settle_intents};
use crate::pipeline::approvals;
use crate::pipeline::choose::Released;
use crate::pipeline::history::History;
use crate::pipeline::owners::Owners;
use crate::pipeline::plan::Plan;
use crate::pipeline::record::{MergeRecord, OUTCOME};
use crate::pipeline::session::Session;

/// How long a change of our lines by somebody else is told in reports: a week.
const TOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What taking stock came to.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    /// Outcomes that are new on record.
    pub outcomes: Vec<OutcomeRecord>,
    /// What followed for lanes.
    pub changes: Changes,
    /// What people should know besides.
    pub notes: Vec<String>,
}

impl Stock {
    /// What changed and what people should know, one line each.
    pub fn lines(&self) -> Vec<String> {
        let reverts = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.kind == OutcomeKind::Reverted);
        let reverts = reverts.map(|outcome| {
            format!(
                "{}@{}: fix {} counts as reverted: {}",
                outcome.repo,
                outcome.branch,
                outcome.fix.short(),
                outcome.reason
            )
        });
        reverts
            .chain(self.changes.lines())
            .chain(self.notes.iter().cloned())
            .collect()
    }
}

impl Session {
    /// Looks at what became of earlier merges, records it, and lowers or raises lanes by it: first all that lowers, so
    /// that a revert takes effect in this run.
    ///
    /// # Errors
    /// When the ledger can't be read or written.
    pub fn take_stock(&mut self) -> Result<Stock> {
        settle_intents(self)?;
        let history = self.history()?;
        let mut stock = Stock::default();
        let mut outcomes = self.merges_to_record(&history);
        outcomes.extend(self.reviews_to_record(&history));
        outcomes.extend(self.reverts_to_record(&history, &outcomes, &mut stock.notes));
        for outcome in outcomes {
            self.ledger.append(OUTCOME, self.at, &outcome)?;
            stock.outcomes.push(outcome);
        }
        for way in [Way::Down, Way::Up] {
            let history = self.history()?;
            self.stand(&history);
            let changes = changes::apply(&mut self.ledger, &self.estate.rollout, &self.standing, way, self.at)?;
            stock.changes = stock.changes.and(changes);
        }
        let history = self.history()?;
        self.stand(&history);
        Ok(stock)
    }

    /// The same, for work that moves to another thread and back.
    ///
    /// # Errors
    /// As [`Session::take_stock`].
    pub fn with_stock_taken(mut self) -> Result<(Self, Stock)> {
        let stock = self.take_stock()?;
        Ok((self, stock))
    }

    /// Records a merge that was just done.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn record_merge(&mut self, fix: &Fix, decision: &Decision, merge: &MergeRecord) -> Result<()> {
        let outcome = self.merge_outcome(fix, decision, merge, self.at);
        self.ledger.append(OUTCOME, self.at, &outcome)?;
        Ok(())
    }

    fn merge_outcome(&self, fix: &Fix, decision: &Decision, merge: &MergeRecord, at: Timestamp) -> OutcomeRecord {
        let services = self.services_of(fix, &decision.service);
        OutcomeRecord {
            commit: Some(merge.commit.clone()),
            at,
            by: if merge.by == AUTO_APPLY {
                AUTOMATION.to_owned()
            } else {
                merge.by.clone()
            },
            ..about(&self.standing.effective, fix, &decision.facts, services)
        }
    }

    /// Records which fixes failed their validation, and which couldn't be judged for a flaky test or the machine; each
    /// evidence once.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn record_validations(&mut self, plan: &Plan, released: &[Released]) -> Result<()> {
        let known: BTreeSet<(&Digest, &str)> = plan
            .history
            .rollout
            .outcomes()
            .filter_map(|outcome| Some((&outcome.fix, outcome.reference.as_deref()?)))
            .collect();
        let mut seen = BTreeSet::new();
        let mut failed = Vec::new();
        for (pair, (decision, evidence)) in plan.pairs.iter().zip(released) {
            let (Some(fix), Some(record)) = (&pair.fix, evidence) else {
                continue;
            };
            let Some((kind, reason)) = failure(record) else {
                continue;
            };
            let reference = format!("evidence {}", Digest::of_json(&record.evidence)?.short());
            if known.contains(&(&fix.id, reference.as_str())) || !seen.insert(&fix.id) {
                continue;
            }
            let services = self.services_of(fix, &decision.service);
            failed.push(OutcomeRecord {
                kind,
                at: self.at,
                reference: Some(reference),
                reason,
                ..about(&self.standing.effective, fix, &decision.facts, services)
            });
        }
        for outcome in failed {
            self.ledger.append(OUTCOME, self.at, &outcome)?;
        }
        Ok(())
    }

    /// Works out where each lane stands by what the ledger holds.
    pub fn stand(&mut self, history: &History) {
        let approvers = approvals::approvers(&self.estate.root, &self.estate.config);
        self.standing = Standing::of(&self.estate.rollout, &history.rollout, &approvers, self.at);
    }

    /// Services that a fix changes: those of today's catalogue, else the one that it was decided on.
    pub fn services_of(&self, fix: &Fix, decided: &ServiceId) -> BTreeSet<ServiceId> {
        let paths: Vec<&str> = fix.files.iter().map(|file| file.path.as_str()).collect();
        let class = &fix.classification;
        let addresses: Vec<&str> = class
            .iac_addresses
            .iter()
            .chain(&class.iac_removed)
            .map(String::as_str)
            .collect();
        let owners = Owners::of(&self.estate, &fix.repo, &paths, &addresses);
        let mut services: BTreeSet<ServiceId> = owners.services.iter().map(|service| service.id.clone()).collect();
        if services.is_empty() {
            services.insert(decided.clone());
        }
        services
    }

    /// The outcome of a merge that is on record: of a run that was killed before it could say so.
    fn merged(&self, history: &History, merge: &MergeRecord) -> Option<OutcomeRecord> {
        let fix = history.fixes.get(&merge.fix)?;
        let decision = decision_on(history, &merge.fix)?;
        let at = history.rollout.merged_at(&merge.fix).unwrap_or(self.at);
        Some(self.merge_outcome(fix, decision, merge, at))
    }

    fn merges_to_record(&self, history: &History) -> Vec<OutcomeRecord> {
        let known: BTreeSet<&Digest> = history
            .rollout
            .outcomes()
            .filter(|outcome| outcome.kind == OutcomeKind::Merged)
            .map(|outcome| &outcome.fix)
            .collect();
        let new = history.merges.values().filter(|merge| !known.contains(&merge.fix));
        let mut merged: Vec<OutcomeRecord> = new.filter_map(|merge| self.merged(history, merge)).collect();
        merged.sort_by_key(|outcome| (outcome.at, outcome.fix.clone()));
        merged
    }

    /// Fixes that reviewers turned down.
    fn reviews_to_record(&self, history: &History) -> Vec<OutcomeRecord> {
        let known: BTreeSet<(&Digest, Timestamp)> = history
            .rollout
            .outcomes()
            .filter(|outcome| outcome.kind == OutcomeKind::HeldByReview)
            .map(|outcome| (&outcome.fix, outcome.at))
            .collect();
        let said = history.approvals.values().flatten().map(|approval| &approval.statement);
        said.filter(|said| said.verb == Verb::Decline && !known.contains(&(&said.fix, said.at)))
            .filter_map(|said| {
                let fix = history.fixes.get(&said.fix)?;
                let decision = decision_on(history, &said.fix)?;
                let services = self.services_of(fix, &decision.service);
                Some(OutcomeRecord {
                    kind: OutcomeKind::HeldByReview,
                    at: said.at,
                    by: said.by.clone(),
                    reason: said
                        .comment
                        .clone()
                        .unwrap_or_else(|| "a reviewer turned it down".to_owned()),
                    ..about(&self.standing.effective, fix, &decision.facts, services)
                })
            })
            .collect()
    }

    /// Merges that the branches' history shows as undone, and that nobody has recorded yet.
    fn reverts_to_record(
        &self,
        history: &History,
        new: &[OutcomeRecord],
        notes: &mut Vec<String>,
    ) -> Vec<OutcomeRecord> {
        let known: BTreeSet<&Digest> = history
            .rollout
            .outcomes()
            .filter(|outcome| outcome.kind == OutcomeKind::Reverted)
            .map(|outcome| &outcome.fix)
            .collect();
        let oldest = self.at.checked_sub(detect::WATCH).unwrap_or(Timestamp::MIN);
        let mut watched: BTreeMap<(&str, &str), Vec<Watched>> = BTreeMap::new();
        let mut records: BTreeMap<&Digest, &OutcomeRecord> = BTreeMap::new();
        let merged = |outcome: &&OutcomeRecord| outcome.kind == OutcomeKind::Merged;
        for outcome in history.rollout.outcomes().chain(new).filter(merged) {
            let Some(merge) = history.merges.get(&outcome.fix) else {
                continue;
            };
            if known.contains(&outcome.fix) || outcome.at < oldest {
                continue;
            }
            records.insert(&outcome.fix, outcome);
            watched.entry((&merge.repo, &merge.branch)).or_default().push(Watched {
                fix: merge.fix.clone(),
                base: merge.base.clone(),
                commit: merge.commit.clone(),
                at: outcome.at,
            });
        }
        let mut found = Vec::new();
        for ((repo, branch), merges) in watched {
            let place = format!("{repo}@{branch}");
            let Some(mirror) = self.mirrors.get(repo) else {
                notes.push(format!(
                    "{place}: whether merges were reverted can't be told, the repo can't be read"
                ));
                continue;
            };
            let Some(head) = mirror.head(branch) else {
                notes.push(format!(
                    "{place}: whether merges were reverted can't be told, the branch is gone"
                ));
                continue;
            };
            let signs = match detect::look(&mirror.git, &head, &merges, &|commit| history.is_own_merge(commit)) {
                Ok(signs) => signs,
                Err(error) => {
                    notes.push(format!(
                        "{place}: whether merges were reverted can't be told: {error:#}"
                    ));
                    continue;
                }
            };
            notes.extend(signs.gaps.iter().map(|gap| format!("{place}: {gap}")));
            let is_told = |changed: &&Changed| self.at.duration_since(changed.by.at) <= TOLD;
            notes.extend(
                signs
                    .changed
                    .iter()
                    .filter(is_told)
                    .map(|changed| note(&place, changed)),
            );
            for undone in signs.undone {
                let Some(merged) = records.get(&undone.fix) else {
                    continue;
                };
                found.push(OutcomeRecord {
                    kind: OutcomeKind::Reverted,
                    at: self.at,
                    by: AUTOMATION.to_owned(),
                    reference: undone.by.as_ref().map(|by| by.commit.clone()),
                    reason: told(&undone),
                    ..(*merged).clone()
                });
            }
        }
        found
    }
}

/// What speaks of a fix that wasn't validated well: a check that failed, or one that nobody could judge.
fn failure(record: &EvidenceRecord) -> Option<(OutcomeKind, String)> {
    let of = |verdict: Verdict| {
        let mut checks = record
            .evidence
            .checks
            .iter()
            .filter(move |(_, result)| result.verdict == verdict);
        checks
            .next()
            .map(|(check, result)| format!("{check}: {}", result.reason))
    };
    let is_fault = |step: &StepRun| !matches!(step.end, StepEnd::Exited { .. } | StepEnd::MissingTool);
    let is_flaky = !record.evidence.flaky_tests.is_empty() || record.steps.iter().any(is_fault);
    of(Verdict::Failed)
        .map(|reason| (OutcomeKind::ValidationFailed, reason))
        .or_else(|| {
            let reason = of(Verdict::Inconclusive).filter(|_| is_flaky)?;
            Some((OutcomeKind::Flaky, reason))
        })
}

/// How a merge was undone, one sentence.
fn told(undone: &Undone) -> String {
    let part = if undone.undone < undone.of {
        format!("{} of its {} changes were", undone.undone, undone.of)
    } else {
        "it was".to_owned()
    };
    let by = undone.by.as_ref().map(commit);
    let again = if undone.stands {
        "; all of it stands again by now"
    } else {
        ""
    };
    match (undone.how, by) {
        (How::Message | How::Content, Some(by)) => format!("{part} taken back by {by}{again}"),
        (How::Rewritten, Some(by)) => format!("the branch was rewritten and {part} taken back, last by {by}"),
        (How::Rewritten, None) => format!("the branch was rewritten and {part} left out"),
        (_, Some(by)) => format!("{part} taken back bit by bit, last by {by}{again}"),
        (_, None) => format!("{part} taken back{again}"),
    }
}

fn commit(seen: &Seen) -> String {
    format!("{} of {} ({})", short(&seen.commit), seen.author, seen.summary)
}

fn note(place: &str, changed: &Changed) -> String {
    format!(
        "{place}: {} changed lines of the merge {} again soon after it; that isn't counted as a revert (if it was one, say so \
         with `holdpoint outcome record {}`)",
        commit(&changed.by),
        short(&changed.merge),
        short(&changed.merge),
    )
}
