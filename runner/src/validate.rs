//! Runs what a plan needs on one side, and makes evidence out of two sides.

mod adequacy;
mod base_tests;
mod origin;
pub mod prepare;
mod repeat;
mod revert;
mod settled;
mod steps;
mod testing;

use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, CheckResult, Evidence, EvidenceRecord, Side, StepEnd, StepRun, Verdict};
use holdpoint_schemas::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};

use crate::contract_check::{self, ContractJudge};
use crate::error::{RunnerError, SandboxError};
use crate::files::ArchiveFiles;
use crate::plan::{ReportReader, Scan, SideRecord, ValidationPlan};
use crate::rescan;
use crate::sandbox::snapshot::SnapshotKey;
use crate::sandbox::{Sandbox, WorkspaceId};
use crate::test_report::TestRuns;
use crate::text::one_line;
use crate::verdict::{TestRecord, all_flaky, judge_step, judge_tests, not_configured, result};
use crate::{scan, surface};

pub use settled::{Settled, Until};

use origin::Origin;
use settled::Through;

/// Lines of a failing step's output that go into the result.
const SHOWN_LINES: usize = 15;

/// Validates one fix: both sides, then the comparison.
///
/// # Errors
/// When the sandbox fails before any step ran. What fails later makes the checks inconclusive.
#[tracing::instrument(name = "validate", skip_all, fields(subject = plan.subject), err)]
pub async fn validate(
    sandbox: &dyn Sandbox,
    plan: &ValidationPlan,
    reader: &dyn ReportReader,
    judge: &dyn ContractJudge,
    events: &dyn EventSink,
) -> Result<EvidenceRecord, RunnerError> {
    let baseline = run_baseline(sandbox, plan, None, reader, events).await?;
    let candidate = run_candidate(sandbox, plan, &baseline, reader, events).await?;
    let record = compare(plan, &baseline.record, &candidate, judge);
    for (check, result) in &record.evidence.checks {
        events.event(Event::CheckFinished {
            subject: plan.subject.clone(),
            check: *check,
            verdict: result.verdict,
            reason: result.reason.clone(),
        });
    }
    Ok(record)
}

/// A baseline that has run: what was found out, and where candidates start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// What was found out.
    pub record: SideRecord,
    /// Its snapshot after the build; without one, candidates start from their own tree.
    pub snapshot: Option<SnapshotKey>,
}

/// Runs what the plan's checks need on the base commit, and keeps it as a snapshot after its build
/// where a key is given and the sandbox can.
///
/// # Errors
/// When a workspace can't be made.
#[tracing::instrument(name = "baseline", skip_all, fields(subject = plan.subject), err)]
pub async fn run_baseline(
    sandbox: &dyn Sandbox,
    plan: &ValidationPlan,
    key: Option<&SnapshotKey>,
    reader: &dyn ReportReader,
    events: &dyn EventSink,
) -> Result<Baseline, RunnerError> {
    let mut run = steps::SideRun::new(sandbox, plan, Side::Baseline, events);
    let mut snapshot = None;
    if needs_program(plan) {
        let nonce = steps::nonce()?;
        let mut origin = Origin::Tree(plan.tree(Side::Baseline));
        let mut built = run.built(&origin).await?;
        if let (Some(workspace), Some(key)) = (built.take_if(|_| key.is_some()), key) {
            // The tests run in a copy: what they leave behind must not reach a candidate.
            match sandbox.seal(workspace, key).await {
                Ok(_) => {
                    snapshot = Some(key.clone());
                    origin = Origin::Built(key);
                    built = run.built(&origin).await?;
                }
                Err(SandboxError::NoSnapshots) => {
                    return Box::pin(run_baseline(sandbox, plan, None, reader, events)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(workspace) = built {
            let workspace = run.exercise(workspace, &origin, &nonce).await?;
            let workspace = run.settle_baseline(workspace, &origin).await?;
            run.remove(workspace).await;
        }
    }
    rescan_side(sandbox, plan, &mut run, reader).await?;
    Ok(Baseline {
        record: run.record,
        snapshot,
    })
}

/// Runs what the plan's checks need on the candidate, from the baseline's snapshot where there is one.
///
/// # Errors
/// When a workspace can't be made.
pub async fn run_candidate(
    sandbox: &dyn Sandbox,
    plan: &ValidationPlan,
    baseline: &Baseline,
    reader: &dyn ReportReader,
    events: &dyn EventSink,
) -> Result<SideRecord, RunnerError> {
    run_candidate_until(sandbox, plan, baseline, reader, None, events).await
}

/// The same, cheapest first, until what is known settles the decision: what hasn't run by then isn't in the evidence.
///
/// # Errors
/// When a workspace can't be made.
#[tracing::instrument(name = "candidate", skip_all, fields(subject = plan.subject), err)]
pub async fn run_candidate_until(
    sandbox: &dyn Sandbox,
    plan: &ValidationPlan,
    baseline: &Baseline,
    reader: &dyn ReportReader,
    until: Option<Until<'_>>,
    events: &dyn EventSink,
) -> Result<SideRecord, RunnerError> {
    let mut run = steps::SideRun::new(sandbox, plan, Side::Candidate, events);
    if plan.checks.contains(&Check::Surface) {
        let opened = surface::compare_archives(plan.tree(Side::Baseline), plan.tree(Side::Candidate));
        run.record.checked.insert(Check::Surface, opened);
    }
    let is_settled = |record: &mut SideRecord, through: Through| {
        until.is_some_and(|until| until.is_over(plan, &baseline.record, record, through))
    };
    let mut is_over = is_settled(&mut run.record, Through::Surface);
    if needs_program(plan) && !is_over {
        let nonce = steps::nonce()?;
        let origin = Origin::candidate(plan, baseline.snapshot.as_ref(), plan.tree(Side::Candidate))?;
        if let Some(workspace) = run.built(&origin).await? {
            let workspace = run.exercise(workspace, &origin, &nonce).await?;
            let workspace = run.settle_candidate(workspace, &origin, baseline).await?;
            if !is_settled(&mut run.record, Through::OwnTests) {
                run.base_tests(baseline.snapshot.as_ref()).await?;
            }
            if !is_settled(&mut run.record, Through::BaseTests) {
                run.adequacy(&origin, baseline.snapshot.as_ref()).await?;
            }
            if !is_settled(&mut run.record, Through::Adequacy) {
                run.revert(&workspace, baseline).await?;
            }
            run.remove(workspace).await;
        }
        is_over = is_settled(&mut run.record, Through::Revert);
    }
    if !is_over {
        rescan_side(sandbox, plan, &mut run, reader).await?;
    }
    Ok(run.record)
}

fn needs_program(plan: &ValidationPlan) -> bool {
    plan.checks
        .iter()
        .any(|check| !matches!(check, Check::Rescan | Check::Surface))
}

/// In a workspace of its own: the repo's build and tests have run in the other one, and could have
/// hidden from the scanners what they are to find.
async fn rescan_side(
    sandbox: &dyn Sandbox,
    plan: &ValidationPlan,
    run: &mut steps::SideRun<'_>,
    reader: &dyn ReportReader,
) -> Result<(), RunnerError> {
    if plan.checks.contains(&Check::Rescan) {
        let workspace = sandbox.workspace(plan.tree(run.record.side)).await?;
        run.rescan(&workspace, reader).await;
        remove(sandbox, workspace).await;
    }
    Ok(())
}

async fn remove(sandbox: &dyn Sandbox, workspace: WorkspaceId) {
    if let Err(error) = sandbox.remove(workspace).await {
        tracing::warn!("a workspace was left behind for the next sweep: {error}");
    }
}

/// Makes evidence out of two sides' records. Pure.
#[must_use]
pub fn compare(
    plan: &ValidationPlan,
    baseline: &SideRecord,
    candidate: &SideRecord,
    judge: &dyn ContractJudge,
) -> EvidenceRecord {
    let sides = Sides {
        plan,
        baseline,
        candidate,
    };
    let mut checks = BTreeMap::new();
    let mut new_findings = Vec::new();
    for check in plan.checks.difference(&candidate.left_out) {
        let result = match check {
            Check::Build => sides.build(),
            Check::Test => sides.test(),
            Check::Contract => sides.contract(judge),
            Check::Rescan => {
                let (result, added) = sides.rescan();
                new_findings = added;
                result
            }
            Check::Adequacy | Check::Surface | Check::Revert => candidate
                .checked
                .get(check)
                .cloned()
                .unwrap_or_else(|| result(Verdict::Inconclusive, "it did not run")),
        };
        checks.insert(*check, result);
    }
    EvidenceRecord {
        evidence: Evidence {
            checks,
            new_findings,
            sandbox: candidate.sandbox.clone(),
            isolation: baseline.isolation.min(candidate.isolation),
            hosts: merged(&baseline.hosts, &candidate.hosts),
            flaky_tests: all_flaky(&sides.base_runs(), &candidate.tests, &plan.scrutiny.known_flaky),
            candidate_green: candidate_green(plan, candidate),
        },
        steps: baseline.steps.iter().chain(&candidate.steps).cloned().collect(),
    }
}

fn merged<T: Ord + Clone>(one: &[T], other: &[T]) -> Vec<T> {
    one.iter()
        .chain(other)
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Findings of two scans by the same version with the same rules.
fn found_by_same<'a>(before: &'a Scan, after: &'a Scan) -> Option<[&'a [Finding]; 2]> {
    let (
        Scan::Found {
            findings: one,
            version: old,
            rules: old_rules,
        },
        Scan::Found {
            findings: two,
            version: new,
            rules: new_rules,
        },
    ) = (before, after)
    else {
        return None;
    };
    (old == new && old_rules == new_rules).then_some([one, two])
}

struct Sides<'a> {
    plan: &'a ValidationPlan,
    baseline: &'a SideRecord,
    candidate: &'a SideRecord,
}

impl Sides<'_> {
    fn build(&self) -> CheckResult {
        self.chain(&["prepare", "build"])
            .unwrap_or_else(|| self.missing("build or prepare step is"))
    }

    /// No such step, and what the detection says of that.
    fn missing(&self, what: &str) -> CheckResult {
        CheckResult {
            details: self.plan.unused.clone(),
            ..not_configured(what)
        }
    }

    fn test(&self) -> CheckResult {
        if self.plan.steps.test.is_none() {
            return self.missing("tests are");
        }
        if let Some(built) = self
            .chain(&["prepare", "build"])
            .filter(|built| built.verdict != Verdict::Passed)
        {
            return built;
        }
        let step = self.chain(&["test"]).unwrap_or_else(|| self.missing("tests are"));
        let (before, first) = (self.base_runs(), self.candidate.end("test"));
        let (Some(first), false, false) = (first, before.runs() == 0, self.candidate.tests.runs() == 0) else {
            return step;
        };
        let mut judged = judge_tests(&TestRecord {
            before: &before,
            after: &self.candidate.tests,
            first,
            restored: self.candidate.restored.as_ref(),
            blaming_runs: self.plan.reruns.saturating_add(1),
            scrutiny: &self.plan.scrutiny,
        });
        if judged.verdict != Verdict::Passed {
            judged.details.extend(step.details);
        }
        judged
    }

    /// All runs of the base's tests on the base.
    fn base_runs(&self) -> TestRuns {
        let mut runs = self.baseline.tests.clone();
        runs.merge(&self.candidate.base_reruns);
        runs
    }

    fn contract(&self, judge: &dyn ContractJudge) -> CheckResult {
        let plan = &self.plan.contract;
        let compared = contract_check::compare(plan, self.baseline.seen(), self.candidate.seen(), judge);
        // Without a green build nothing was replayed; that, then, is the reason to give.
        match self.chain(&["prepare", "build"]) {
            Some(built)
                if plan.needs_service() && built.verdict != Verdict::Passed && compared.verdict != Verdict::Failed =>
            {
                built
            }
            _ => compared,
        }
    }

    fn rescan(&self) -> (CheckResult, Vec<Finding>) {
        if self.plan.scanners.is_empty() {
            return (not_configured("scanner is"), Vec::new());
        }
        let mut found = [Vec::new(), Vec::new()];
        let mut failed = Vec::new();
        let mut pins = Vec::new();
        for scanner in &self.plan.scanners {
            let scans = [self.baseline, self.candidate].map(|side| (side.side, side.scans.get(&scanner.name)));
            // One that scanned only one side would make all its findings new, or all gone.
            if let [(_, Some(before)), (_, Some(after))] = scans
                && let Some([before_findings, after_findings]) = found_by_same(before, after)
            {
                let [all_before, all_after] = &mut found;
                all_before.extend(before_findings.iter().cloned());
                all_after.extend(after_findings.iter().cloned());
                pins.extend(scan::pin(&scanner.name, after));
                continue;
            }
            if let [
                (_, Some(before @ Scan::Found { .. })),
                (_, Some(after @ Scan::Found { .. })),
            ] = scans
            {
                let [before, after] = [before, after].map(|found| scan::pin(&scanner.name, found).unwrap_or_default());
                failed.push(format!(
                    "not the same scanner on both sides: {before} on the baseline, {after} on the candidate"
                ));
                continue;
            }
            for (side, scan) in scans {
                let why = match scan {
                    Some(Scan::Found { .. }) => continue,
                    Some(Scan::Failed { reason }) => one_line(reason),
                    None => "it did not run".to_owned(),
                };
                failed.push(format!(
                    "`{}` gives no answer on the {}: {why}",
                    one_line(&scanner.name),
                    side.as_str()
                ));
            }
        }
        let [before, after] = found;
        let trees = [self.plan.tree(Side::Baseline), self.plan.tree(Side::Candidate)].map(ArchiveFiles::read);
        let [Ok(old_files), Ok(new_files)] = &trees else {
            return (result(Verdict::Inconclusive, "the trees can't be read"), Vec::new());
        };
        let old = rescan::Side {
            findings: &before,
            files: old_files,
        };
        let new = rescan::Side {
            findings: &after,
            files: new_files,
        };
        let (mut compared, added) = rescan::compare(old, new, &self.plan.resolves);
        if let Some(first) = failed.first() {
            if compared.verdict != Verdict::Failed {
                compared = result(Verdict::Inconclusive, first.clone());
            }
            compared.details.extend(failed);
        }
        compared
            .details
            .extend(pins.into_iter().map(|pin| format!("scanned by {pin}")));
        (compared, added)
    }

    /// The first of these steps that isn't green on both sides decides; the later ones need it.
    /// `None`: none of them is configured.
    fn chain(&self, names: &[&str]) -> Option<CheckResult> {
        let mut last = None;
        for name in names.iter().filter(|name| self.plan.command(name).is_some()) {
            let judged = match (self.baseline.step(name), self.candidate.step(name)) {
                (Some(before), Some(after)) => self.judge(name, before, after),
                (None, _) => result(Verdict::Inconclusive, format!("`{name}` was not run on the baseline")),
                (_, None) => result(Verdict::Inconclusive, format!("`{name}` was not run on the candidate")),
            };
            if judged.verdict != Verdict::Passed {
                return Some(judged);
            }
            last = Some(judged);
        }
        last
    }

    fn judge(&self, name: &str, before: &StepRun, after: &StepRun) -> CheckResult {
        if let Some(changed) = prepare::changed_lockfiles(name, self.baseline, self.candidate) {
            return changed;
        }
        let mut judged = judge_step(name, &before.end, &after.end);
        let networked = name == "prepare" && !self.plan.prepare.hosts.is_empty();
        if judged.verdict == Verdict::Failed && networked {
            judged.verdict = Verdict::Inconclusive;
            judged
                .reason
                .push_str("; it uses the network, so the fix may not be to blame");
        }
        if judged.verdict != Verdict::Passed {
            let (record, shown) = if before.end.is_success() {
                (self.candidate, after)
            } else {
                (self.baseline, before)
            };
            let lines: Vec<_> = shown.tail.lines().collect();
            let from = lines.len().saturating_sub(SHOWN_LINES);
            judged.details = lines.iter().skip(from).map(|line| (*line).to_owned()).collect();
            prepare::explain(&mut judged, &self.plan.prepare, record, shown);
        }
        judged
    }
}

impl ValidationPlan {
    /// The command of a step, if it is configured.
    pub(crate) fn command(&self, step: &str) -> Option<&str> {
        match step {
            "prepare" => self.steps.prepare.as_deref(),
            "build" => self.steps.build.as_deref(),
            "test" => self.steps.test.as_deref(),
            _ => None,
        }
    }
}

/// What a CI-only tool would see. `None`: something it looks at wasn't run, or the machine failed.
fn candidate_green(plan: &ValidationPlan, candidate: &SideRecord) -> Option<bool> {
    let mut any = false;
    for name in ["prepare", "build", "test"]
        .iter()
        .filter(|name| plan.command(name).is_some())
    {
        match candidate.end(name)? {
            StepEnd::Exited { code: 0 } => any = true,
            StepEnd::Exited { .. } | StepEnd::OutOfMemory | StepEnd::TimedOut { .. } => return Some(false),
            StepEnd::Killed
            | StepEnd::OutOfDisk
            | StepEnd::MissingTool
            | StepEnd::EngineLost { .. }
            | StepEnd::Infrastructure { .. } => return None,
        }
    }
    any.then_some(true)
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
