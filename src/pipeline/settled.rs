//! Asks the policies, while a fix is tested, whether anything is left to find out.

use holdpoint_engine::decide::{self, Question};
use holdpoint_engine::policy::Pack;
use holdpoint_runner::validate::Settled;
use holdpoint_schemas::decision::Cap;
use holdpoint_schemas::evidence::{Check, Evidence, EvidenceRecord};
use holdpoint_schemas::fact::{Action, FactSet};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Level, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::plan::Plan;
use super::session::Session;
use super::validation::Job;

/// What the decisions of a round rest on, besides evidence.
struct Round {
    pack: Pack,
    rollout: Rollout,
    now: Timestamp,
    /// Checks whose results the policies read once people have approved.
    promotion: BTreeSet<Check>,
}

/// What is decided about one fix, for each finding that it resolves.
struct OfFix {
    round: Arc<Round>,
    asked: Vec<Asked>,
}

struct Asked {
    finding: RepoFinding,
    service: ServiceId,
    fix: Fix,
    facts: FactSet,
    caps: Vec<Cap>,
}

impl Settled for OfFix {
    fn is_settled(&self, so_far: &Evidence) -> bool {
        let round = &self.round;
        !self.asked.is_empty()
            && self.asked.iter().all(|asked| {
                let question = Question {
                    finding: &asked.finding,
                    service: &asked.service,
                    fix: Some(&asked.fix),
                    facts: &asked.facts,
                    evidence: Some(so_far),
                    rollout: &round.rollout,
                    caps: &asked.caps,
                    now: round.now,
                };
                let Ok(triage) = decide::triage(&round.pack, &question) else {
                    return false;
                };
                // Whoever approves it later needs what the policies ask for then.
                let is_promotable = triage.decision.level > Level::Alert;
                let has = |check: &Check| so_far.checks.contains_key(check);
                triage.checks.is_empty() && (!is_promotable || round.promotion.iter().all(has))
            })
    }
}

impl Session {
    /// Lets each job end as soon as what it found out settles what is decided.
    pub fn until_settled(&self, plan: &Plan, jobs: &mut [(Digest, Job)]) {
        let reads = self.estate.pack.facts_read(Action::Promote);
        let round = Arc::new(Round {
            pack: self.estate.pack.clone(),
            rollout: self.standing.effective.clone(),
            now: self.at,
            promotion: Check::ALL
                .into_iter()
                .filter(|check| reads.contains(check.fact_id()))
                .collect(),
        });
        let mut by_fix: BTreeMap<&Digest, Vec<Asked>> = BTreeMap::new();
        for pair in &plan.pairs {
            let Some(fix) = &pair.fix else { continue };
            let decided = &pair.triage.decision;
            let facts = super::facts::without_evidence(&decided.facts);
            let mut caps = self.caps(&pair.finding, Some(fix), &facts);
            caps.extend_from_slice(plan.tonight.caps_of(&fix.id));
            by_fix.entry(&fix.id).or_default().push(Asked {
                finding: pair.finding.clone(),
                service: decided.service.clone(),
                fix: fix.clone(),
                facts,
                caps,
            });
        }
        for (fix, job) in jobs {
            if let Some(asked) = by_fix.remove(fix) {
                job.settled = Some(Arc::new(OfFix {
                    round: Arc::clone(&round),
                    asked,
                }));
            }
        }
    }
}

/// Whether evidence on record has all that a job asks for, or so much that the rest changes nothing.
pub fn is_enough(job: &Job, record: &EvidenceRecord) -> bool {
    let has_all = (job.checks().iter()).all(|check| record.evidence.checks.contains_key(check));
    has_all || (job.settled.as_ref()).is_some_and(|settled| settled.is_settled(&record.evidence))
}
