//! What is to be found out about one fix, and what one side's run found.

use holdpoint_schemas::Digest;
use holdpoint_schemas::estate::{PrepareConfig, StepsConfig, TestsConfig};
use holdpoint_schemas::evidence::{Check, CheckResult, FlakyTest, Isolation, Side, StepEnd, StepRun};
use holdpoint_schemas::finding::Finding;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::contract_check::{ContractPlan, Replay, Seen, TestsRun};
use crate::sandbox::Limits;
use crate::scrutiny::Scrutiny;
use crate::test_report::TestRuns;

/// What is to be found out about one fix.
#[derive(Debug, Clone)]
pub struct ValidationPlan {
    /// For people: repo and fix title.
    pub subject: String,
    /// The checks that can still change the decision.
    pub checks: BTreeSet<Check>,
    /// The repo's steps, as the base commit has them.
    pub steps: StepsConfig,
    /// What the detection of steps saw and didn't use, for people: why a step may be missing.
    pub unused: Vec<String>,
    /// Bounds of each step.
    pub limits: Limits,
    /// How single tests are told apart, and what they cover.
    pub tests: TestsConfig,
    /// Further runs of a failing test on each side.
    pub reruns: u32,
    /// How much a green is doubted.
    pub scrutiny: Scrutiny,
    /// What `prepare` may reach; no other step has any network.
    pub prepare: PrepareConfig,
    /// Folder of package archives for `prepare`, absolute.
    pub packages: Option<PathBuf>,
    /// The contract check.
    pub contract: ContractPlan,
    /// Scanners of the re-scan.
    pub scanners: Vec<ScannerPlan>,
    /// Findings that the fix says it resolves.
    pub resolves: Vec<Finding>,
    /// The base commit's tree, as an uncompressed tar archive.
    pub baseline: Arc<[u8]>,
    /// The candidate's tree.
    pub candidate: Arc<[u8]>,
}

impl ValidationPlan {
    /// The same plan with only what a CI-only tool looks at: the build and the tests.
    #[must_use]
    pub fn tests_only(&self) -> Self {
        Self {
            checks: BTreeSet::from([Check::Build, Check::Test]),
            ..self.clone()
        }
    }

    /// One side's tree.
    #[must_use]
    pub fn tree(&self, side: Side) -> &[u8] {
        match side {
            Side::Baseline => &self.baseline,
            Side::Candidate => &self.candidate,
        }
    }
}

/// One scanner of the re-scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannerPlan {
    /// Its name.
    pub name: String,
    /// How it runs.
    pub run: ScannerRun,
}

/// How a scanner runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerRun {
    /// A command in the sandbox, which writes its report to `$HOLDPOINT_REPORT`.
    Command {
        /// Shell command.
        command: String,
        /// Exit statuses that mean "scanned".
        ok_exit: Vec<i64>,
        /// Folder of rules, absolute, seen read-only as `$HOLDPOINT_RULES`.
        rules: Option<PathBuf>,
        /// Shell command that prints its version; without one, its first word with `--version`.
        version: Option<String>,
    },
    /// Built in: [`ReportReader::scan_tree`] does it, without a sandbox, because it runs nothing of the repo.
    Builtin,
}

/// Turns reports into findings.
pub trait ReportReader: Send + Sync {
    /// Reads a report that `scanner` wrote.
    ///
    /// # Errors
    /// When it can't be read, one line for people.
    fn read(&self, scanner: &str, side: Side, report: &[u8]) -> Result<Vec<Finding>, String>;

    /// Runs a built-in scanner on a tree, given as an uncompressed tar archive.
    ///
    /// # Errors
    /// When there is no such scanner or the tree can't be scanned, one line for people.
    fn scan_tree(&self, scanner: &str, _side: Side, _tree: &[u8]) -> Result<Vec<Finding>, String> {
        Err(format!("`{scanner}` is no built-in scanner"))
    }
}

/// What one scanner found on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "scan")]
pub enum Scan {
    /// It scanned.
    Found {
        /// What it found.
        findings: Vec<Finding>,
        /// Its version as it says it; empty where it doesn't.
        #[serde(default)]
        version: String,
        /// Digest of its command and its rules; `None` where it is built in.
        #[serde(default)]
        rules: Option<Digest>,
    },
    /// It didn't.
    Failed {
        /// Why, for people.
        reason: String,
    },
}

/// The base's tests on the candidate's source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Files of the base's tests that the fix changes, removes or adds, and that were put back, sorted.
    pub files: Vec<String>,
    /// Files in which the fix changes how tests are run, and that can't be put back without undoing more.
    pub mixed: Vec<String>,
    /// How the first run ended; `None`: the build didn't get so far.
    pub end: Option<StepEnd>,
    /// Runs that ended by themselves.
    pub runs: TestRuns,
}

/// What one side's run found. A baseline's record can be kept per repo and base commit, as long as
/// the plan's steps, scanners and contracts are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideRecord {
    /// Side.
    pub side: Side,
    /// Which sandbox ran it.
    pub sandbox: String,
    /// How isolated its steps were.
    #[serde(default)]
    pub isolation: Isolation,
    /// Hosts that `prepare` reached, sorted.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What there is to say about how `prepare` went.
    #[serde(default)]
    pub prepared: Prepared,
    /// Tests that passed and failed on this side's tree.
    #[serde(default)]
    pub flaky_tests: Vec<FlakyTest>,
    /// Runs of the tests that ended by themselves.
    #[serde(default)]
    pub tests: TestRuns,
    /// On the candidate: further runs of the base's tests on the base, made because the candidate's failed.
    #[serde(default)]
    pub base_reruns: TestRuns,
    /// On the candidate: the base's tests, where the fix changes test files.
    #[serde(default)]
    pub restored: Option<Restored>,
    /// Steps as they ran.
    pub steps: Vec<StepRun>,
    /// Scans by scanner.
    pub scans: BTreeMap<String, Scan>,
    /// Replayed contracts.
    pub replay: Option<Replay>,
    /// Answers to the wire oracle's requests.
    #[serde(default)]
    pub wire: Option<Replay>,
    /// Runs of consumers' own tests against this side, by consumer.
    #[serde(default)]
    pub consumer_tests: BTreeMap<String, TestsRun>,
    /// Results of the checks that are judged while they run, on the candidate: adequacy, surface, revert.
    #[serde(default)]
    pub checked: BTreeMap<Check, CheckResult>,
    /// Checks of the plan that didn't run, since what is known without them settled the decision.
    #[serde(default)]
    pub left_out: BTreeSet<Check>,
}

/// What there is to say about how `prepare` went, besides how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// Lockfiles of the tree that it changed or removed, sorted.
    pub changed_lockfiles: Vec<String>,
    /// Hosts that the proxy refused, with the reason, sorted. Names are the sandbox's words.
    pub refused: Vec<String>,
    /// Tries that ended in a fault of the network and were repeated.
    pub retries: u32,
}

/// Ends the names of steps whose attempt came to nothing and was made again.
pub(crate) const SET_ASIDE: &str = " (lost)";

impl SideRecord {
    /// A record of nothing yet.
    #[must_use]
    pub fn new(side: Side, sandbox: String, isolation: Isolation) -> Self {
        Self {
            side,
            sandbox,
            isolation,
            hosts: Vec::new(),
            prepared: Prepared::default(),
            flaky_tests: Vec::new(),
            tests: TestRuns::default(),
            base_reruns: TestRuns::default(),
            restored: None,
            steps: Vec::new(),
            scans: BTreeMap::new(),
            replay: None,
            wire: None,
            consumer_tests: BTreeMap::new(),
            checked: BTreeMap::new(),
            left_out: BTreeSet::new(),
        }
    }

    /// How a step ended, if it ran.
    #[must_use]
    pub fn end(&self, step: &str) -> Option<&StepEnd> {
        self.step(step).map(|run| &run.end)
    }

    pub(crate) fn step(&self, step: &str) -> Option<&StepRun> {
        self.steps.iter().find(|run| run.step == step)
    }

    /// Whether every step that counts ended by itself. What the machine, or a bound, cut short may go another way next
    /// time, when the machine has more to give.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let by_itself = |end: &StepEnd| matches!(end, StepEnd::Exited { .. } | StepEnd::MissingTool);
        let counts = |run: &&StepRun| !run.step.ends_with(SET_ASIDE);
        self.steps.iter().filter(counts).all(|run| by_itself(&run.end))
    }

    /// What the service was seen to do.
    pub(crate) const fn seen(&self) -> Seen<'_> {
        Seen {
            replay: self.replay.as_ref(),
            wire: self.wire.as_ref(),
            tests: Some(&self.consumer_tests),
        }
    }

    fn covers_contract(&self, plan: &ContractPlan) -> bool {
        (!plan.can_replay() || self.replay.is_some())
            && (self.wire.is_some() || plan.wire.as_ref().is_none_or(|wire| wire.requests.is_empty()))
            && plan
                .tests
                .iter()
                .all(|tests| self.consumer_tests.contains_key(&tests.consumer))
    }

    /// Whether this record has what the plan asks for, so that it needn't be made again.
    #[must_use]
    pub fn covers(&self, plan: &ValidationPlan) -> bool {
        if !self.is_settled() {
            return false;
        }
        let blocked = ["prepare", "build"]
            .iter()
            .any(|step| self.end(step).is_some_and(|end| !end.is_success()));
        plan.checks.iter().all(|check| match check {
            Check::Build => {
                blocked
                    || [("prepare", &plan.steps.prepare), ("build", &plan.steps.build)]
                        .iter()
                        .all(|(name, command)| command.is_none() || self.end(name).is_some())
            }
            Check::Test => blocked || plan.steps.test.is_none() || self.end("test").is_some(),
            // Judged on the candidate alone.
            Check::Adequacy | Check::Surface | Check::Revert => true,
            Check::Contract => blocked || !plan.contract.needs_service() || self.covers_contract(&plan.contract),
            Check::Rescan => plan
                .scanners
                .iter()
                .all(|scanner| self.scans.contains_key(&scanner.name)),
        })
    }
}
