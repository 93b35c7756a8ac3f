//! One side's steps, in the sandbox.

use holdpoint_schemas::estate::ServeConfig;
use holdpoint_schemas::event::EventSink;
use holdpoint_schemas::evidence::{Check, Side};
use std::io::Read as _;

use super::prepare;
use crate::agent::ReplaySpec;
use crate::contract_check::{self, ConsumerTests, Replay, TestsRun};
use crate::error::RunnerError;
use crate::plan::{ReportReader, SideRecord, ValidationPlan};
use crate::sandbox::snapshot::TreeChange;
use crate::sandbox::{
    AGENT_PATH, CONSUMER_ARCHIVE, OnLine, PACKAGES_DIR, ReadOnlyMount, Sandbox, StepOutcome, StepSpec, WorkspaceId,
};
use crate::scan::{self, Tree};
use crate::step::{self, Telling};

/// Results of one replay, in bytes.
const MAX_REPLAY_BYTES: usize = 64 << 20;

/// Runs one side's steps and gathers its record.
pub(super) struct SideRun<'a> {
    pub(super) sandbox: &'a dyn Sandbox,
    pub(super) plan: &'a ValidationPlan,
    /// Side that steps are told and recorded with.
    pub(super) side: Side,
    pub(super) events: &'a dyn EventSink,
    /// Side whose tree the workspace holds: the base's, once a fix is taken back.
    pub(super) holds: Side,
    /// Told and recorded after a step's name: ` (run 2)`.
    pub(super) suffix: String,
    pub(super) record: SideRecord,
}

impl<'a> SideRun<'a> {
    pub(super) fn new(
        sandbox: &'a dyn Sandbox,
        plan: &'a ValidationPlan,
        side: Side,
        events: &'a dyn EventSink,
    ) -> Self {
        let record = SideRecord::new(side, sandbox.describe(), sandbox.isolation().strength());
        Self {
            sandbox,
            plan,
            side,
            events,
            holds: side,
            suffix: String::new(),
            record,
        }
    }

    /// `prepare` and `build`, as far as they are configured and needed. `change`: what the workspace
    /// has that its baseline's hasn't. Whether what comes later can run; if not, its verdicts say so.
    pub(super) async fn build(&mut self, workspace: &WorkspaceId, change: Option<&TreeChange>) -> bool {
        self.expect_after(workspace, "prepare");
        if !self.prepare(workspace, change).await {
            return false;
        }
        match self.plan.command("build") {
            Some(command) => {
                let spec = self.repo_step("build", command);
                self.expect_after(workspace, "build");
                self.step(workspace, &spec).await.end.is_success()
            }
            None => true,
        }
    }

    /// The next step's container is made while this one runs. A baseline's tests run in a copy, which
    /// isn't there yet.
    fn expect_after(&self, workspace: &WorkspaceId, name: &str) {
        let next = if name == "prepare" { "build" } else { "test" };
        let here = next == "build" || self.side == Side::Candidate && self.plan.checks.contains(&Check::Test);
        if let Some(command) = self.plan.command(next).filter(|_| here) {
            self.sandbox.expect(workspace, &self.repo_step(next, command));
        }
    }

    /// The contract check of what is built, as far as the plan asks for it.
    pub(super) async fn contract(&mut self, workspace: &WorkspaceId, nonce: &str) {
        let contract = &self.plan.contract;
        let Some(serve) = contract
            .serve
            .as_ref()
            .filter(|_| self.plan.checks.contains(&Check::Contract))
        else {
            return;
        };
        if contract.can_replay() {
            let spec = contract.spec(serve, nonce);
            self.record.replay = Some(self.replay(workspace, "serve", &spec).await);
        }
        if let Some(wire) = contract.wire.as_ref().filter(|wire| !wire.requests.is_empty()) {
            let spec = wire.spec(serve, nonce, self.side);
            self.record.wire = Some(self.replay(workspace, "wire", &spec).await);
        }
        for tests in &contract.tests {
            let run = self.consumer_tests(workspace, tests, serve, nonce).await;
            self.record.consumer_tests.insert(tests.consumer.clone(), run);
        }
    }

    pub(super) fn repo_step(&self, name: &str, command: &str) -> StepSpec {
        let mut spec = self.spec(name, command);
        let preparing = name == "prepare";
        spec.env.extend(prepare::environment(name, &self.plan.prepare));
        if let Some(folder) = self.plan.packages.as_ref().filter(|_| preparing) {
            spec.env
                .insert("HOLDPOINT_PACKAGES".to_owned(), PACKAGES_DIR.to_owned());
            spec.mounts.push(ReadOnlyMount {
                host: folder.clone(),
                inside: PACKAGES_DIR.to_owned(),
            });
        }
        spec
    }

    fn spec(&self, name: &str, command: &str) -> StepSpec {
        step::spec(name, command, self.side, &self.plan.limits)
    }

    pub(super) async fn step(&mut self, workspace: &WorkspaceId, spec: &StepSpec) -> StepOutcome {
        self.step_then(workspace, spec, |_, _| {}).await
    }

    /// Runs a step. `then` may look at its outcome, change its tail and tell more lines before it is recorded.
    pub(super) async fn step_then(
        &mut self,
        workspace: &WorkspaceId,
        spec: &StepSpec,
        then: impl Fn(&mut StepOutcome, OnLine<'_>) + Send + Sync,
    ) -> StepOutcome {
        let telling = Telling {
            subject: &self.plan.subject,
            name: &format!("{}{}", spec.name, self.suffix),
            sandbox: &self.record.sandbox,
            events: self.events,
        };
        let spec = StepSpec {
            side: self.side,
            ..spec.clone()
        };
        let (outcome, run) = step::run(self.sandbox, workspace, &spec, &telling, then).await;
        self.record.steps.push(run);
        outcome
    }

    /// Starts the service and makes the requests of a spec.
    async fn replay(&mut self, workspace: &WorkspaceId, name: &str, replay: &ReplaySpec) -> Replay {
        let outcome = match self.agent_step(name, replay) {
            Ok(spec) => self.step(workspace, &spec).await,
            Err(reason) => return Replay::Unknown { reason },
        };
        if outcome.capture_cut {
            return Replay::Unknown {
                reason: format!("the answers have more than {MAX_REPLAY_BYTES} bytes"),
            };
        }
        let runs = usize::try_from(replay.runs).unwrap_or(usize::MAX);
        let expected = replay.requests.len().saturating_mul(runs);
        contract_check::read_replay(&outcome.captured, &replay.nonce, expected, &outcome.end)
    }

    /// A consumer's own tests, beside the service and with nothing else on their network.
    async fn consumer_tests(
        &mut self,
        workspace: &WorkspaceId,
        tests: &ConsumerTests,
        serve: &ServeConfig,
        nonce: &str,
    ) -> TestsRun {
        // Room for each attempt, and for the service to start: the step's own limit ends what hangs.
        let seconds = self.plan.limits.wall.as_secs() / 3;
        let replay = tests.spec(serve, nonce, seconds);
        let mut spec = match self.agent_step(&format!("consumer:{}", tests.consumer), &replay) {
            Ok(spec) => spec,
            Err(reason) => return TestsRun::Unknown { reason },
        };
        spec.mounts.push(ReadOnlyMount {
            host: tests.archive.clone(),
            inside: CONSUMER_ARCHIVE.to_owned(),
        });
        let outcome = self.step(workspace, &spec).await;
        contract_check::read_tests(&outcome.captured, nonce, &outcome.end, &outcome.tail)
    }

    /// A step in which the agent does what the spec says.
    fn agent_step(&self, name: &str, replay: &ReplaySpec) -> Result<StepSpec, String> {
        let stdin = serde_json::to_vec(replay).map_err(|error| format!("the requests can't be written: {error}"))?;
        let mut spec = self.spec(name, &format!("exec {AGENT_PATH} replay-agent"));
        spec.mounts.push(ReadOnlyMount {
            host: self.plan.contract.agent.clone(),
            inside: AGENT_PATH.to_owned(),
        });
        // Through standard input, because the service could read the environment, arguments and files.
        spec.stdin = Some(stdin);
        spec.capture_bytes = MAX_REPLAY_BYTES;
        Ok(spec)
    }

    /// Every scanner of the plan.
    pub(super) async fn rescan(&mut self, workspace: &WorkspaceId, reader: &dyn ReportReader) {
        let scanners = &self.plan.scanners;
        let tree = Tree {
            subject: &self.plan.subject,
            side: self.side,
            archive: self.plan.tree(self.side),
            limits: &self.plan.limits,
        };
        let scanned = scan::in_workspace(self.sandbox, workspace, &tree, scanners, reader, self.events).await;
        self.record.scans = scanned.scans;
        self.record.steps.extend(scanned.steps);
    }
}

/// A text that nobody in the sandbox can guess.
pub(super) fn nonce() -> Result<String, RunnerError> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(RunnerError::NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
