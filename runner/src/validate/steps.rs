//! One side's steps, in the sandbox.

use holdpoint_schemas::event::EventSink;
use holdpoint_schemas::evidence::{Check, Side};
use std::io::Read as _;

use crate::contract_check::{self, Replay};
use crate::error::RunnerError;
use crate::plan::{ReportReader, SideRecord, ValidationPlan};
use crate::sandbox::{AGENT_PATH, PACKAGES_DIR, ReadOnlyMount, Sandbox, StepOutcome, StepSpec, WorkspaceId};
use crate::scan::{self, Tree};

/// Results of one replay, in bytes.
const MAX_REPLAY_BYTES: usize = 64 << 20;

/// Runs one side's steps and gathers its record.
pub(super) struct SideRun<'a> {
    sandbox: &'a dyn Sandbox,
    plan: &'a ValidationPlan,
    side: Side,
    events: &'a dyn EventSink,
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
            record,
        }
    }

    /// `prepare` and `build`, as far as they are configured. Whether what comes later can run.
    pub(super) async fn build(&mut self, workspace: &WorkspaceId) -> bool {
        for name in ["prepare", "build"] {
            if let Some(command) = self.plan.command(name) {
                let spec = self.repo_step(name, command);
                if !self.step(workspace, &spec).await.end.is_success() {
                    // What comes later needs it; its verdicts say so.
                    return false;
                }
            }
        }
        true
    }

    /// The tests and the contract check of what is built, as far as the plan asks for them.
    pub(super) async fn exercise(&mut self, workspace: &WorkspaceId, nonce: &str) {
        if let Some(command) = self
            .plan
            .command("test")
            .filter(|_| self.plan.checks.contains(&Check::Test))
        {
            let spec = self.repo_step("test", command);
            self.step(workspace, &spec).await;
        }
        if self.plan.checks.contains(&Check::Contract) && self.plan.contract.can_replay() {
            self.record.replay = Some(self.replay(workspace, nonce).await);
        }
    }

    fn repo_step(&self, name: &str, command: &str) -> StepSpec {
        let mut spec = self.spec(name, command);
        let preparing = name == "prepare";
        // Package managers that aren't told wait for a network, up to a minute.
        for (name, value) in [
            ("CARGO_NET_OFFLINE", "true"),
            ("PIP_NO_INDEX", "1"),
            ("npm_config_offline", "true"),
        ] {
            spec.env.insert(name.to_owned(), value.to_owned());
        }
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
        scan::spec(name, command, self.side, &self.plan.limits)
    }

    async fn step(&mut self, workspace: &WorkspaceId, spec: &StepSpec) -> StepOutcome {
        let (outcome, run) = scan::step(self.sandbox, workspace, &self.plan.subject, spec, self.events).await;
        self.record.steps.push(run);
        outcome
    }

    async fn replay(&mut self, workspace: &WorkspaceId, nonce: &str) -> Replay {
        let Some(serve) = &self.plan.contract.serve else {
            return Replay::Unknown {
                reason: "it is not configured how to start the service".to_owned(),
            };
        };
        let replay = self.plan.contract.spec(serve, nonce);
        let stdin = match serde_json::to_vec(&replay) {
            Ok(json) => json,
            Err(error) => {
                return Replay::Unknown {
                    reason: format!("the requests can't be written: {error}"),
                };
            }
        };
        let mut spec = self.spec("serve", &format!("exec {AGENT_PATH} replay-agent"));
        spec.mounts.push(ReadOnlyMount {
            host: self.plan.contract.agent.clone(),
            inside: AGENT_PATH.to_owned(),
        });
        // Through standard input, because the service could read the environment, arguments and files.
        spec.stdin = Some(stdin);
        spec.capture_bytes = MAX_REPLAY_BYTES;
        let outcome = self.step(workspace, &spec).await;
        if outcome.capture_cut {
            return Replay::Unknown {
                reason: format!("the answers have more than {MAX_REPLAY_BYTES} bytes"),
            };
        }
        contract_check::read_replay(&outcome.captured, nonce, replay.requests.len(), &outcome.end)
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
