//! Wiring of the runner: what one fix needs in the sandbox, and the baselines that fixes share.

use anyhow::{Context, Result};
use holdpoint_contract::http::{HttpMessage, Interaction, match_message, read_interactions};
use holdpoint_contract::openapi;
use holdpoint_intake::report::{ReportContext, SourceLines, read_report};
use holdpoint_runner::agent::{AgentRequest, AgentResponse};
use holdpoint_runner::contract_check::{
    ConsumerContract, ContractJudge, ContractPlan, Mismatch, OpenApiResult, RecordedInteraction,
};
use holdpoint_runner::plan::{ScannerPlan, ScannerRun};
use holdpoint_runner::{
    DockerSandbox, ReportReader, Sandbox, SandboxSettings, SideRecord, ValidationPlan, compare, run_side,
};
use holdpoint_schemas::Digest;
use holdpoint_schemas::estate::ContractConfig;
use holdpoint_schemas::event::{Event, EventSink};
use holdpoint_schemas::evidence::{Check, CheckResult, Evidence, EvidenceRecord, Side, Verdict};
use holdpoint_schemas::finding::{Finding, RepoFinding};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::service::{NodeKind, Service, ServiceId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, Semaphore, mpsc};

use super::estate::{Estate, borrowed, read_text};
use super::findings::{OSV_LOCKFILE, is_osv};
use super::mirror::Mirror;
use super::owners::Owners;
use super::tree_files::TreeFiles;

/// Fixes validated at once: each step may use all the CPUs that the estate allows it.
const AT_ONCE: usize = 2;

/// One fix to validate: owned, so that it can wait for its turn.
#[derive(Clone)]
pub struct Job {
    /// Digest of everything that the evidence depends on.
    pub key: Digest,
    /// Key of the baseline that it can share with other fixes.
    baseline_key: Digest,
    plan: ValidationPlan,
    knowledge: Arc<Knowledge>,
}

/// What the application knows and the runner doesn't.
struct Knowledge {
    repo: String,
    expected: Vec<Vec<Interaction>>,
    advisories: Option<holdpoint_intake::advisory::Advisories>,
    baseline: TreeFiles,
    candidate: TreeFiles,
}

impl Job {
    /// The same job with only what a CI-only tool looks at: the build and the tests.
    pub fn tests_only(&self) -> Self {
        Self {
            plan: self.plan.tests_only(),
            baseline_key: Digest::of_parts([self.baseline_key.as_str().as_bytes(), b"tests only".as_slice()]),
            ..self.clone()
        }
    }

    /// The same job without some checks.
    pub fn without(&self, checks: &[Check]) -> Self {
        let mut job = self.clone();
        job.plan.checks.retain(|check| !checks.contains(check));
        if !checks.is_empty() {
            job.key = Digest::of_parts([
                self.key.as_str().as_bytes(),
                format!("{:?}", job.plan.checks).as_bytes(),
            ]);
        }
        job
    }
}

/// Gathers all that a fix's validation needs.
///
/// # Errors
/// When a tree can't be exported, or the repo's own settings can't be read.
pub fn prepare(
    estate: &Estate,
    mirror: &Mirror,
    fix: &Fix,
    resolved: &[&RepoFinding],
    owners: &Owners<'_>,
    checks: &BTreeSet<Check>,
    agent: &Path,
) -> Result<Job> {
    let settings = mirror.settings(&fix.base_tree)?;
    let limits = holdpoint_fixes::tree::ExportLimits::default();
    let baseline: Arc<[u8]> = holdpoint_fixes::tree::export_tar(&mirror.git, &fix.base_tree, limits)?.into();
    let candidate: Arc<[u8]> = holdpoint_fixes::tree::export_tar(&mirror.git, &fix.candidate_tree, limits)?.into();
    let (consumers, expected, unrecorded) = contracts(estate, owners)?;
    let contract = settings.contract.unwrap_or_default();
    let plan = ValidationPlan {
        subject: format!("{}: {}", fix.repo, fix.title),
        checks: checks.clone(),
        steps: settings.steps,
        limits: (&estate.config.sandbox).into(),
        prepare_network: estate.config.sandbox.prepare_network,
        packages: estate
            .config
            .sandbox
            .packages
            .as_ref()
            .map(|folder| absolute(&estate.root, folder)),
        contract: ContractPlan {
            openapi: compare_openapi(mirror, fix, &contract),
            serve: contract.serve,
            consumers,
            unrecorded,
            agent: agent.to_owned(),
        },
        scanners: scanners(estate, &fix.repo)?,
        resolves: resolved
            .iter()
            .map(|finding| finding.finding.clone())
            .collect::<Vec<Finding>>(),
        baseline: Arc::clone(&baseline),
        candidate: Arc::clone(&candidate),
    };
    let knowledge = Knowledge {
        repo: fix.repo.clone(),
        expected,
        advisories: estate.advisories.known().ok().cloned(),
        baseline: TreeFiles::new(baseline),
        candidate: TreeFiles::new(candidate),
    };
    let environment = format!(
        "{:?}",
        (
            &plan.steps,
            &plan.limits,
            &plan.prepare_network,
            &plan.scanners,
            &plan.contract.serve,
            &plan.contract.consumers,
            &knowledge.expected,
            &plan.contract.unrecorded,
            &estate.config.sandbox.image
        )
    );
    // The folder of the estate must not matter: the same inputs elsewhere give the same evidence.
    let environment = environment.replace(&*estate.root.to_string_lossy(), "");
    let baseline_key = Digest::of_parts([
        fix.repo.as_bytes(),
        fix.base_tree.as_bytes(),
        environment.as_bytes(),
        format!("{:?}", plan.checks).as_bytes(),
    ]);
    let resolves: Vec<&str> = plan
        .resolves
        .iter()
        .map(|finding| finding.fingerprint.as_str())
        .collect();
    let key = Digest::of_parts([
        baseline_key.as_str().as_bytes(),
        fix.candidate_tree.as_bytes(),
        resolves.join(",").as_bytes(),
    ]);
    Ok(Job {
        key,
        baseline_key,
        plan,
        knowledge: Arc::new(knowledge),
    })
}

fn absolute(root: &Path, folder: &str) -> std::path::PathBuf {
    let path = root.join(folder);
    path.canonicalize().unwrap_or(path)
}

fn scanners(estate: &Estate, repo: &str) -> Result<Vec<ScannerPlan>> {
    let mut plans = Vec::new();
    for name in &estate.repo(repo)?.scanners {
        if is_osv(estate, name) {
            plans.push(ScannerPlan {
                name: OSV_LOCKFILE.to_owned(),
                run: ScannerRun::Builtin,
            });
            continue;
        }
        let config = estate
            .config
            .scanners
            .get(name)
            .with_context(|| format!("`{repo}` names the scanner `{name}`, which the estate doesn't have"))?;
        let command = config
            .run
            .clone()
            .with_context(|| format!("the scanner `{name}` has no command"))?;
        let rules = config.rules.as_ref().map(|folder| absolute(&estate.root, folder));
        plans.push(ScannerPlan {
            name: name.clone(),
            run: ScannerRun::Command {
                command,
                ok_exit: config.ok_exit.clone(),
                rules,
            },
        });
    }
    Ok(plans)
}

type Contracts = (Vec<ConsumerContract>, Vec<Vec<Interaction>>, Vec<String>);

/// What consumers of the owners rely on, and the consumers of whom that isn't recorded.
fn contracts(estate: &Estate, owners: &Owners<'_>) -> Result<Contracts> {
    let mut consumers = Vec::new();
    let mut expected = Vec::new();
    let mut unrecorded = BTreeSet::new();
    let recorded = estate
        .contracts
        .known()
        .map(|file| file.contracts.as_slice())
        .unwrap_or_default();
    for service in &owners.code {
        for edge in estate.graph.consumers(&service.id) {
            // A database or a bucket makes no requests; it only needs to be there.
            if is_caller(estate, &edge.from)
                && edge.from != service.id
                && !recorded
                    .iter()
                    .any(|contract| contract.provider == service.id && contract.consumer == edge.from)
            {
                unrecorded.insert(edge.from.to_string());
            }
        }
        for contract in recorded.iter().filter(|contract| contract.provider == service.id) {
            let file = read_interactions(
                &contract.interactions,
                &read_text(&estate.root, &contract.interactions)?,
            )?;
            let interactions = file
                .interactions
                .iter()
                .map(|interaction| RecordedInteraction {
                    description: interaction.description.clone(),
                    request: request(&interaction.request),
                })
                .collect();
            consumers.push(ConsumerContract {
                consumer: contract.consumer.to_string(),
                interactions,
            });
            expected.push(file.interactions);
        }
    }
    Ok((consumers, expected, unrecorded.into_iter().collect()))
}

fn is_caller(estate: &Estate, id: &ServiceId) -> bool {
    let resource = |service: &Service| service.id == *id && service.kind == NodeKind::Resource;
    !estate
        .catalogue
        .known()
        .is_ok_and(|catalogue| catalogue.services.iter().any(resource))
}

fn request(message: &HttpMessage) -> AgentRequest {
    let query: Vec<String> = message
        .query
        .iter()
        .flat_map(|(name, values)| {
            values
                .iter()
                .map(move |value| format!("{}={}", encode(name), encode(value)))
        })
        .collect();
    let body = match &message.body {
        None | Some(serde_json::Value::Null) => Vec::new(),
        Some(serde_json::Value::String(text)) => text.clone().into_bytes(),
        Some(json) => json.to_string().into_bytes(),
    };
    AgentRequest {
        method: message
            .method
            .clone()
            .unwrap_or_else(|| "GET".to_owned())
            .to_uppercase(),
        path: message.path.clone().unwrap_or_else(|| "/".to_owned()),
        query: (!query.is_empty()).then(|| query.join("&")),
        headers: message
            .headers
            .iter()
            .map(|(name, values)| (name.to_lowercase(), values.clone()))
            .collect(),
        body,
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn compare_openapi(mirror: &Mirror, fix: &Fix, contract: &ContractConfig) -> Option<OpenApiResult> {
    let path = contract.openapi.as_ref()?;
    let read = |tree: &str, side: Side| -> Result<openapi::Document, String> {
        let text = mirror
            .text(tree, path)
            .ok_or_else(|| format!("the {} has no `{path}`", side.as_str()))?;
        openapi::Document::parse(path, &text).map_err(|error| format!("`{path}` of the {}: {error}", side.as_str()))
    };
    Some(
        match (
            read(&fix.base_tree, Side::Baseline),
            read(&fix.candidate_tree, Side::Candidate),
        ) {
            (Ok(base), Ok(candidate)) => {
                let diff = openapi::diff(&base, &candidate);
                let breaking = diff
                    .changes
                    .iter()
                    .filter(|change| change.level == holdpoint_contract::Level::Error);
                OpenApiResult::Compared {
                    breaking: breaking
                        .map(|change| format!("{} {}: {}", change.operation, change.path, change.text))
                        .collect(),
                }
            }
            (Err(reason), _) | (_, Err(reason)) => OpenApiResult::Unreadable { reason },
        },
    )
}

impl ReportReader for Knowledge {
    fn read(&self, scanner: &str, side: Side, report: &[u8]) -> Result<Vec<Finding>, String> {
        let source: &dyn SourceLines = self.files(side);
        let context = ReportContext {
            repo: &self.repo,
            file: scanner,
            source,
        };
        read_report(report, &context)
            .map(|report| report.findings)
            .map_err(|error| error.to_string())
    }

    fn scan_tree(&self, scanner: &str, side: Side, _tree: &[u8]) -> Result<Vec<Finding>, String> {
        if scanner != OSV_LOCKFILE {
            return Err(format!("`{scanner}` is no built-in scanner"));
        }
        let advisories = self.advisories.as_ref().ok_or("the advisories can't be read")?;
        let lockfiles: Vec<(String, String)> = self
            .files(side)
            .texts()?
            .into_iter()
            .filter(|(path, _)| holdpoint_intake::advisory::is_lockfile(path))
            .collect();
        let (findings, skipped) = advisories
            .match_lockfiles(&self.repo, &borrowed(&lockfiles))
            .map_err(|error| error.to_string())?;
        // What couldn't be read could hide anything: then "nothing found" would be a guess.
        if skipped.is_empty() {
            Ok(findings)
        } else {
            Err(format!("not all lockfiles could be read: {}", skipped.join("; ")))
        }
    }
}

impl Knowledge {
    const fn files(&self, side: Side) -> &TreeFiles {
        match side {
            Side::Baseline => &self.baseline,
            Side::Candidate => &self.candidate,
        }
    }
}

impl ContractJudge for Knowledge {
    fn judge(&self, consumer: usize, interaction: usize, answer: &AgentResponse) -> Vec<Mismatch> {
        let Some(expected) = self
            .expected
            .get(consumer)
            .and_then(|interactions| interactions.get(interaction))
        else {
            return Vec::new();
        };
        let body = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| serde_json::Value::String(String::from_utf8_lossy(&answer.body).into_owned()));
        let actual = HttpMessage {
            status: Some(answer.status),
            headers: answer.headers.clone(),
            body: (!answer.body.is_empty()).then_some(body),
            ..HttpMessage::default()
        };
        match_message(&expected.response, &actual)
            .mismatches
            .into_iter()
            .map(|mismatch| Mismatch {
                path: mismatch.path,
                text: mismatch.text,
            })
            .collect()
    }
}

/// Runs jobs in the sandbox, a few at once; fixes of one base share its baseline.
pub struct Runner {
    sandbox: Arc<dyn Sandbox>,
    events: Arc<dyn EventSink>,
    baselines: Arc<Mutex<BTreeMap<Digest, Arc<OnceCell<SideRecord>>>>>,
    seats: Arc<Semaphore>,
}

/// A fix, its job's key, and what was found out.
pub type Finished = (Digest, Digest, EvidenceRecord);

impl Runner {
    /// Connects to the sandbox and takes away what killed runs left.
    ///
    /// # Errors
    /// When there is no sandbox to be had; the message says what to do.
    pub async fn start(estate: &Estate, run: &str, events: Arc<dyn EventSink>) -> Result<Self> {
        let sandbox = DockerSandbox::connect(SandboxSettings::new(estate.config.sandbox.clone(), run)).await?;
        sandbox.sweep().await.context("taking away what a killed run left")?;
        Ok(Self {
            sandbox: Arc::new(sandbox),
            events,
            baselines: Arc::default(),
            seats: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// Which sandbox, and how isolated.
    pub fn describe(&self) -> String {
        self.sandbox.describe()
    }

    /// Starts every job; results come as they are ready.
    pub fn all(&self, jobs: BTreeMap<Digest, Job>) -> mpsc::Receiver<Finished> {
        let (sender, receiver) = mpsc::channel(AT_ONCE);
        for (fix, job) in jobs {
            let worker = self.worker();
            let sender = sender.clone();
            tokio::spawn(async move {
                let record = worker.validate(&job).await;
                let _ = sender.send((fix, job.key, record)).await;
            });
        }
        receiver
    }

    /// Validates one job.
    pub async fn one(&self, job: &Job) -> EvidenceRecord {
        self.worker().validate(job).await
    }

    fn worker(&self) -> Worker {
        Worker {
            sandbox: Arc::clone(&self.sandbox),
            events: Arc::clone(&self.events),
            baselines: Arc::clone(&self.baselines),
            seats: Arc::clone(&self.seats),
        }
    }
}

/// What one job's task holds.
struct Worker {
    sandbox: Arc<dyn Sandbox>,
    events: Arc<dyn EventSink>,
    baselines: Arc<Mutex<BTreeMap<Digest, Arc<OnceCell<SideRecord>>>>>,
    seats: Arc<Semaphore>,
}

impl Worker {
    async fn validate(&self, job: &Job) -> EvidenceRecord {
        let record = match self.sides(job).await {
            Ok((baseline, candidate)) => compare(&job.plan, &baseline, &candidate, job.knowledge.as_ref()),
            Err(reason) => inconclusive(&job.plan.checks, &self.sandbox.describe(), &reason),
        };
        for (check, result) in &record.evidence.checks {
            self.events.event(Event::CheckFinished {
                subject: job.plan.subject.clone(),
                check: *check,
                verdict: result.verdict,
                reason: result.reason.clone(),
            });
        }
        record
    }

    async fn sides(&self, job: &Job) -> Result<(SideRecord, SideRecord), String> {
        let cell = {
            let mut baselines = self.baselines.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(baselines.entry(job.baseline_key.clone()).or_default())
        };
        let baseline = cell.get_or_try_init(|| self.side(job, Side::Baseline)).await?.clone();
        let candidate = self.side(job, Side::Candidate).await?;
        Ok((baseline, candidate))
    }

    async fn side(&self, job: &Job, side: Side) -> Result<SideRecord, String> {
        let _seat = self.seats.acquire().await.map_err(|error| error.to_string())?;
        let run = run_side(
            self.sandbox.as_ref(),
            &job.plan,
            side,
            job.knowledge.as_ref(),
            self.events.as_ref(),
        )
        .await;
        run.map_err(|error| error.to_string())
    }
}

/// Evidence where the machine failed: nothing is known, and the fix is not to blame.
fn inconclusive(checks: &BTreeSet<Check>, sandbox: &str, reason: &str) -> EvidenceRecord {
    let result = CheckResult {
        verdict: Verdict::Inconclusive,
        reason: format!("it could not be run: {reason}"),
        details: Vec::new(),
    };
    let checks = checks.iter().map(|check| (*check, result.clone())).collect();
    EvidenceRecord {
        evidence: Evidence {
            checks,
            new_findings: Vec::new(),
            sandbox: sandbox.to_owned(),
            candidate_green: None,
        },
        steps: Vec::new(),
    }
}
