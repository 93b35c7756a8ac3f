//! Fixes of one branch that are validated as one, and merged as one.
//!
//! Each merge moves the branch, and what was tested on the old one must be tested again. So fixes that may all be
//! merged without asking are stacked, and the stack is tested: most nights one validation settles all of them.
//! Where it doesn't, `runner::together` finds out which of them is why. What merges is the stack that was tested,
//! one commit for each fix.

use anyhow::{Context, Result};
use holdpoint_runner::together::{Answer, Outcome, validate_together};
use holdpoint_schemas::evidence::{Check, EvidenceRecord, Verdict};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::act::{self, Member};
use super::choose::{Chosen, Released};
use super::evidence::{Validated, is_final};
use super::plan::{Pair, Plan, Wanted};
use super::record::EvidenceEntry;
use super::report::Outcome as MergeOutcome;
use super::rollout::tonight::Tonight;
use super::run::RunOptions;
use super::session::Session;
use super::validation::{Job, Runner};
use super::window::NOT_REACHED;

/// Fixes that are stacked at most: a stack that fails costs about two validations for each halving.
const MAX_STACK: usize = 16;

/// A stack of fixes that passed as a whole.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The fixes in their order, each with the tree after it. The last tree is the one that was tested.
    pub members: Vec<(Digest, String)>,
    /// What was found out about the stack.
    pub record: EvidenceRecord,
}

/// What came of validating some fixes together.
#[derive(Debug, Default)]
pub struct Tried {
    /// The stack that passed, of two fixes or more.
    pub batch: Option<Batch>,
    /// Evidence of fixes that were validated by themselves.
    pub alone: BTreeMap<Digest, EvidenceRecord>,
    /// What was run now, for the ledger.
    pub entries: Vec<EvidenceEntry>,
}

/// What comes of the fixes of batches when the run's time is over.
pub fn not_reached(validated: &Validated) -> BTreeMap<Digest, MergeOutcome> {
    let members = validated.batches.iter().flat_map(|batch| &batch.members);
    let outcome = MergeOutcome::NotDone {
        why: NOT_REACHED.to_owned(),
    };
    members.map(|(fix, _)| (fix.clone(), outcome.clone())).collect()
}

/// What is known about one set of fixes.
struct Known {
    key: Digest,
    record: EvidenceRecord,
    is_new: bool,
}

impl Session {
    /// Fixes of one branch that may all be merged without asking, as far as anyone can tell before they are tested;
    /// `alone` are those that must be tested by themselves.
    pub fn stacks(&self, plan: &Plan, alone: &BTreeSet<Digest>) -> Result<Vec<Vec<Fix>>> {
        let mut stacks: BTreeMap<(&str, &str), Vec<Fix>> = BTreeMap::new();
        for (id, job) in plan.jobs_in_order() {
            if alone.contains(id) || !reaches_merge(plan, id) || has_rivals(plan, id) {
                continue;
            }
            // What is known to end lower would only make the stack fail.
            if let Some(known) = plan.history.evidence.get(&job.key).filter(|known| is_final(known))
                && !self.all_merge(plan, std::slice::from_ref(id), known)?
            {
                continue;
            }
            let Some(fix) = plan.pairs.iter().find_map(|pair| of_fix(pair, id)) else {
                continue;
            };
            stacks
                .entry((&fix.repo, &fix.target_branch))
                .or_default()
                .push(fix.clone());
        }
        let several = stacks.into_values().filter(|stack| stack.len() > 1);
        Ok(several
            .map(|mut stack| {
                stack.truncate(MAX_STACK);
                stack
            })
            .collect())
    }

    /// Validates a stack, and takes it apart when it fails.
    ///
    /// # Errors
    /// When a tree can't be made or a decision can't be evaluated.
    pub async fn try_together(
        &self,
        plan: &Plan,
        stack: &[Fix],
        options: &RunOptions,
        runner: &Runner,
    ) -> Result<Tried> {
        let known: RefCell<BTreeMap<Vec<usize>, Known>> = RefCell::default();
        let together = validate_together(stack.len(), |set: Vec<usize>| {
            let known = &known;
            async move {
                let fixes: Vec<&Fix> = set.iter().filter_map(|index| stack.get(*index)).collect();
                let Some(job) = self.stacked_job(plan, &fixes, options)? else {
                    return Ok(Answer::Conflict);
                };
                let record = match plan.history.evidence.get(&job.key).filter(|known| is_final(known)) {
                    Some(record) => (record.clone(), false),
                    None => (runner.one(&job).await, true),
                };
                let (record, is_new) = record;
                let ids: Vec<Digest> = fixes.iter().map(|fix| fix.id.clone()).collect();
                let answer = if self.all_merge(plan, &ids, &record)? {
                    Verdict::Passed
                } else if record
                    .evidence
                    .checks
                    .values()
                    .any(|check| check.verdict == Verdict::Failed)
                {
                    Verdict::Failed
                } else {
                    Verdict::Inconclusive
                };
                let key = job.key;
                known.borrow_mut().insert(set, Known { key, record, is_new });
                anyhow::Ok(Answer::Verdict(answer))
            }
        })
        .await?;
        let mut tried = Tried::default();
        let passing = together.passing();
        let mut known = known.into_inner();
        for (set, found) in &known {
            for fix in set
                .iter()
                .filter_map(|index| stack.get(*index))
                .filter(|_| found.is_new)
            {
                tried.entries.push(EvidenceEntry {
                    key: found.key.clone(),
                    fix: fix.id.clone(),
                    record: found.record.clone(),
                });
            }
        }
        for (index, (fix, outcome)) in stack.iter().zip(&together.outcomes).enumerate() {
            let alone = passing.len() == 1 || *outcome != Outcome::Passes;
            if alone && let Some(found) = known.remove(&vec![index]) {
                tried.alone.insert(fix.id.clone(), found.record);
            }
        }
        if passing.len() > 1
            && let Some(found) = known.remove(&passing)
        {
            let fixes: Vec<&Fix> = passing.iter().filter_map(|index| stack.get(*index)).collect();
            let trees = self
                .stacked_trees(&fixes)?
                .context("the stack that passed no longer applies")?;
            tried.batch = Some(Batch {
                members: fixes.iter().map(|fix| fix.id.clone()).zip(trees).collect(),
                record: found.record,
            });
        }
        Ok(tried)
    }

    /// Merges the batches whose fixes all may still be merged. Says what came of each fix that is part of one.
    ///
    /// # Errors
    /// When the remote or the ledger can't be written.
    pub fn merge_batches(
        &mut self,
        plan: &Plan,
        validated: &Validated,
        released: &[Released],
        chosen: &[(String, Chosen)],
        tonight: &Tonight,
    ) -> Result<BTreeMap<Digest, MergeOutcome>> {
        let mut outcomes = BTreeMap::new();
        for batch in &validated.batches {
            let merges = |id: &Digest| {
                chosen.iter().find_map(|(_, chosen)| {
                    let (pair, (decision, _)) = (plan.pairs.get(chosen.best)?, released.get(chosen.best)?);
                    let fix = of_fix(pair, id)?;
                    (decision.level == Level::AutoApply).then_some((&pair.finding, fix, decision))
                })
            };
            let members: Option<Vec<_>> = (batch.members.iter())
                .map(|(id, tree)| {
                    merges(id).map(|(finding, fix, decision)| Member {
                        finding,
                        fix,
                        decision,
                        tree,
                    })
                })
                .collect();
            match members {
                Some(members) => outcomes.extend(act::auto_apply_together(self, &members, &batch.record, tonight)?),
                None => outcomes.extend(batch.members.iter().map(|(id, _)| (id.clone(), act::tested_together()))),
            }
        }
        Ok(outcomes)
    }

    /// Whether each of these fixes may be merged with this evidence.
    fn all_merge(&self, plan: &Plan, fixes: &[Digest], record: &EvidenceRecord) -> Result<bool> {
        let validated = Validated {
            ran: true,
            evidence: fixes.iter().map(|fix| (fix.clone(), record.clone())).collect(),
            ..Validated::default()
        };
        for pair in &plan.pairs {
            let is_asked = pair.fix.as_ref().is_some_and(|fix| fixes.contains(&fix.id));
            if is_asked
                && self
                    .release(&plan.history, pair, &validated, &Tonight::default())?
                    .0
                    .level
                    != Level::AutoApply
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The tree after each fix, on top of those before it. `None`: they change the same place.
    fn stacked_trees(&self, fixes: &[&Fix]) -> Result<Option<Vec<String>>> {
        let mut trees: Vec<String> = Vec::new();
        for fix in fixes {
            let Some(mirror) = self.mirrors.get(&fix.repo) else {
                return Ok(None);
            };
            let below = trees.last().unwrap_or(&fix.base_tree);
            let merged = holdpoint_fixes::apply::merge_trees(&mirror.git, &fix.base_tree, below, &fix.candidate_tree)?;
            match merged {
                Some(tree) => trees.push(tree),
                None => return Ok(None),
            }
        }
        Ok(Some(trees))
    }

    /// What a stack needs in the sandbox; of one fix, its own job. `None`: they change the same place.
    fn stacked_job(&self, plan: &Plan, fixes: &[&Fix], options: &RunOptions) -> Result<Option<Job>> {
        if let [fix] = fixes {
            let job = plan.jobs.get(&fix.id).context("a fix has no job")?;
            return Ok(Some(job.without(&options.skip_checks)));
        }
        let Some(tree) = self.stacked_trees(fixes)?.and_then(|mut trees| trees.pop()) else {
            return Ok(None);
        };
        let first = fixes.first().context("an empty stack")?;
        let mirror = self.mirrors.get(&first.repo).context("the repo has no mirror")?;
        let applied = holdpoint_fixes::apply::between(&mirror.git, &first.base_tree, &tree)?;
        let classification = holdpoint_fixes::classify::classify(
            &applied.files,
            &|path| mirror.text(&applied.base_tree, path),
            &|path| mirror.text(&applied.candidate_tree, path),
        );
        let ids = fixes.iter().map(|fix| fix.id.as_str().as_bytes());
        let names: Vec<String> = fixes.iter().map(|fix| fix.id.short().to_string()).collect();
        let whole = Fix {
            id: Digest::of_parts(ids),
            candidate_tree: applied.candidate_tree,
            diff: applied.diff,
            diff_text: applied.diff_text,
            files: applied.files,
            classification,
            title: format!("{} fixes together ({})", fixes.len(), names.join(", ")),
            resolves: fixes.iter().flat_map(|fix| fix.resolves.iter().cloned()).collect(),
            minimal: None,
            plan: None,
            ..(*first).clone()
        };
        let pairs: Vec<&Pair> = plan
            .pairs
            .iter()
            .filter(|pair| fixes.iter().any(|fix| of_fix(pair, &fix.id).is_some()))
            .collect();
        let mut checks: BTreeSet<Check> = pairs
            .iter()
            .flat_map(|pair| pair.triage.checks.iter().copied())
            .collect();
        checks.extend([Check::Build, Check::Test]);
        let findings: Vec<&RepoFinding> = pairs.iter().map(|pair| &pair.finding).collect();
        let wanted = Wanted {
            fix: &whole,
            resolved: &findings,
            checks: &checks,
            reach: Level::AutoApply,
        };
        let job = self.job(&plan.history, &wanted, &options.agent)?;
        Ok(Some(job.without(&options.skip_checks)))
    }
}

fn of_fix<'p>(pair: &'p Pair, id: &Digest) -> Option<&'p Fix> {
    pair.fix.as_ref().filter(|fix| fix.id == *id)
}

/// Whether every finding of a fix may still end as a merge.
fn reaches_merge(plan: &Plan, id: &Digest) -> bool {
    let mut pairs = plan.pairs.iter().filter(|pair| of_fix(pair, id).is_some()).peekable();
    pairs.peek().is_some() && pairs.all(|pair| pair.triage.decision.level == Level::AutoApply)
}

/// Whether another fix resolves one of its findings: which of them is better shows only when each was tested.
fn has_rivals(plan: &Plan, id: &Digest) -> bool {
    let own: BTreeSet<String> = plan
        .pairs
        .iter()
        .filter(|pair| of_fix(pair, id).is_some())
        .map(|pair| pair.finding.id())
        .collect();
    let is_rival = |pair: &Pair| pair.fix.as_ref().is_some_and(|fix| fix.id != *id) && own.contains(&pair.finding.id());
    plan.pairs.iter().any(is_rival)
}
