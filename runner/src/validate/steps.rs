//! One side's steps, in the sandbox.

use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, Side, StepEnd, StepRun};
use std::io::Read as _;

use crate::contract_check::{self, Replay};
use crate::error::RunnerError;
use crate::plan::{ReportReader, Scan, ScannerPlan, ScannerRun, SideRecord, ValidationPlan};
use crate::sandbox::{
    AGENT_PATH, PACKAGES_DIR, REPORT_DIR, RULES_DIR, ReadOnlyMount, Sandbox, StepOutcome, StepSpec, WORKSPACE_DIR,
    WorkspaceId,
};
use crate::text::clean_line;
use crate::verdict::describe_end;

/// Largest report read: those of whole monorepos have tens of megabytes.
const MAX_REPORT_BYTES: usize = 64 << 20;
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
                self.expect_after(workspace, name);
                if !self.step(workspace, &spec).await.end.is_success() {
                    // What comes later needs it; its verdicts say so.
                    return false;
                }
            }
        }
        true
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
        // Each step has a fresh /tmp; what `prepare` fetched has to outlive it.
        let caches = [
            ("CARGO_HOME", "cargo"),
            ("npm_config_cache", "npm"),
            ("XDG_CACHE_HOME", "xdg"),
        ];
        let cache = |(name, folder): (&str, &str)| (name.to_owned(), format!("{WORKSPACE_DIR}/cache/{folder}"));
        StepSpec {
            name: name.to_owned(),
            side: self.side,
            command: command.to_owned(),
            env: caches.into_iter().map(cache).collect(),
            proxy: None,
            mounts: Vec::new(),
            stdin: None,
            capture_bytes: 0,
            limits: self.plan.limits.clone(),
        }
    }

    async fn step(&mut self, workspace: &WorkspaceId, spec: &StepSpec) -> StepOutcome {
        let subject = &self.plan.subject;
        let (step, side) = (&spec.name, self.side);
        self.events.event(Event::StepStarted {
            subject: subject.clone(),
            step: step.clone(),
            side,
        });
        let on_line = |line: &str| {
            self.events.event(Event::StepOutput {
                step: step.clone(),
                side,
                line: line.to_owned(),
            });
        };
        let outcome = self.sandbox.run(workspace, spec, &on_line).await;
        self.events.event(Event::StepFinished {
            subject: subject.clone(),
            step: step.clone(),
            side,
            end: outcome.end.clone(),
            millis: outcome.millis,
        });
        self.record.steps.push(StepRun {
            step: step.clone(),
            side,
            end: outcome.end.clone(),
            millis: outcome.millis,
            tail: outcome.tail.clone(),
        });
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
        for (index, scanner) in self.plan.scanners.iter().enumerate() {
            let findings = match &scanner.run {
                ScannerRun::Builtin => reader.scan_tree(&scanner.name, self.side, self.plan.tree(self.side)),
                ScannerRun::Command { .. } => match self.scan(workspace, index, scanner).await {
                    Ok(report) => reader.read(&scanner.name, self.side, &report),
                    Err(reason) => Err(reason),
                },
            };
            let scan = match findings {
                Ok(findings) => Scan::Found { findings },
                Err(reason) => Scan::Failed {
                    reason: clean_line(reason.as_bytes()),
                },
            };
            self.record.scans.insert(scanner.name.clone(), scan);
        }
    }

    async fn scan(&mut self, workspace: &WorkspaceId, index: usize, scanner: &ScannerPlan) -> Result<Vec<u8>, String> {
        let ScannerRun::Command {
            command,
            ok_exit,
            rules,
        } = &scanner.run
        else {
            return Err("it has no command".to_owned());
        };
        let report = format!("{index}.report");
        let mut spec = self.spec(&format!("rescan:{}", scanner.name), command);
        spec.env
            .insert("HOLDPOINT_REPORT".to_owned(), format!("{REPORT_DIR}/{report}"));
        if let Some(folder) = rules {
            spec.env.insert("HOLDPOINT_RULES".to_owned(), RULES_DIR.to_owned());
            spec.mounts.push(ReadOnlyMount {
                host: folder.clone(),
                inside: RULES_DIR.to_owned(),
            });
        }
        let outcome = self.step(workspace, &spec).await;
        match &outcome.end {
            StepEnd::Exited { code } if ok_exit.contains(code) => {}
            end => return Err(describe_end(end)),
        }
        let folder = REPORT_DIR.trim_start_matches(WORKSPACE_DIR).trim_start_matches('/');
        match self
            .sandbox
            .read_file(workspace, &format!("{folder}/{report}"), MAX_REPORT_BYTES)
            .await
        {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err("it wrote no report to `$HOLDPOINT_REPORT`".to_owned()),
            Err(error) => Err(error.to_string()),
        }
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
