//! What one fix needs in the sandbox, gathered so that it can wait for its turn.

use anyhow::{Context, Result};
use holdpoint_contract::http::{HttpMessage, Interaction, read_interactions};
use holdpoint_fixes::tree::{ExportLimits, export_tar};
use holdpoint_runner::ValidationPlan;
use holdpoint_runner::agent::AgentRequest;
use holdpoint_runner::contract_check::{ConsumerContract, ContractPlan, RecordedInteraction, WirePlan};
use holdpoint_runner::plan::{ScannerPlan, ScannerRun};
use holdpoint_runner::sandbox::Sandbox;
use holdpoint_runner::sandbox::snapshot::SnapshotKey;
use holdpoint_runner::scrutiny::Scrutiny;
use holdpoint_runner::toolchain;
use holdpoint_runner::validate::Settled;
use holdpoint_schemas::estate::{StepsConfig, TestsConfig};
use holdpoint_schemas::evidence::Check;
use holdpoint_schemas::finding::{Finding, RepoFinding};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::service::{NodeKind, Service, ServiceId};
use holdpoint_schemas::{Digest, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::contracts;
use super::knowledge::Knowledge;
use super::wire;
use crate::pipeline::estate::{Estate, read_text};
use crate::pipeline::findings::{OSV_LOCKFILE, is_osv};
use crate::pipeline::mirror::Mirror;
use crate::pipeline::owners::Owners;
use crate::pipeline::tree_files::TreeFiles;
use crate::pipeline::upgrades;

/// One fix to validate: owned, so that it can wait for its turn.
#[derive(Clone)]
pub struct Job {
    /// Digest of everything that the evidence depends on.
    pub key: Digest,
    /// Key of the baseline that it can share with other fixes.
    pub(super) baseline_key: Digest,
    pub(super) plan: ValidationPlan,
    pub(super) knowledge: Arc<Knowledge>,
    /// When nothing more has to be found out; `None`: everything is to be.
    pub settled: Option<Arc<dyn Settled>>,
    trees: Trees,
}

/// Where a job's trees are. They are read when its turn comes: a night has more of them than fit in memory.
#[derive(Clone)]
struct Trees {
    /// Folder of the mirror.
    git: PathBuf,
    baseline: String,
    candidate: String,
}

impl Trees {
    fn check(&self, git: &git2::Repository) -> Result<()> {
        for tree in [&self.baseline, &self.candidate] {
            holdpoint_fixes::tree::check_exportable(git, tree, ExportLimits::default())?;
        }
        Ok(())
    }
}

/// Baselines' trees that some job has loaded, by repo and tree.
#[derive(Default)]
pub struct LoadedTrees(Mutex<BTreeMap<TreePlace, Weak<[u8]>>>);

/// Folder of a mirror, and a tree in it.
type TreePlace = (PathBuf, String);

impl LoadedTrees {
    fn baseline(&self, git: &git2::Repository, trees: &Trees) -> Result<Arc<[u8]>> {
        let place = (trees.git.clone(), trees.baseline.clone());
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = loaded.get(&place).and_then(Weak::upgrade) {
            return Ok(known);
        }
        loaded.retain(|_, tree| tree.strong_count() > 0);
        let tree: Arc<[u8]> = export_tar(git, &trees.baseline, ExportLimits::default())?.into();
        loaded.insert(place, Arc::downgrade(&tree));
        Ok(tree)
    }
}

impl Job {
    /// The job with its trees in memory.
    ///
    /// # Errors
    /// When they can't be read any more.
    pub(super) fn loaded(&self, loaded: &LoadedTrees) -> Result<Self> {
        let git = git2::Repository::open(&self.trees.git)?;
        let baseline = loaded.baseline(&git, &self.trees)?;
        let candidate: Arc<[u8]> = export_tar(&git, &self.trees.candidate, ExportLimits::default())?.into();
        Ok(Self {
            knowledge: Arc::new(self.knowledge.with_trees(Arc::clone(&baseline), Arc::clone(&candidate))),
            plan: ValidationPlan {
                baseline,
                candidate,
                ..self.plan.clone()
            },
            ..self.clone()
        })
    }

    /// The repo's steps: configured, or detected.
    pub fn steps(&self) -> &StepsConfig {
        &self.plan.steps
    }

    /// What is to be found out.
    pub fn checks(&self) -> &BTreeSet<Check> {
        &self.plan.checks
    }

    /// Names the snapshot of the job's baseline: its key, the sandbox and the programs that make it,
    /// and the packages that are there.
    pub(super) fn snapshot_key(&self, sandbox: &dyn Sandbox) -> Option<SnapshotKey> {
        let packages = self.plan.packages.as_deref().map(listing).unwrap_or_default();
        let digest = Digest::of_parts([
            self.baseline_key.as_str().as_bytes(),
            sandbox.describe().as_bytes(),
            sandbox.programs().as_bytes(),
            packages.as_bytes(),
        ]);
        let hex = digest.as_str().rsplit(':').next().unwrap_or_default();
        SnapshotKey::new(hex).ok()
    }

    /// The same job with only what a CI-only tool looks at: the build and the tests.
    pub fn tests_only(&self) -> Self {
        Self {
            plan: self.plan.tests_only(),
            settled: None,
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

/// What is to be found out, and how much a green is doubted.
pub struct Asked<'a> {
    /// The checks that can still change the decision.
    pub checks: &'a BTreeSet<Check>,
    /// How much a green is doubted.
    pub scrutiny: Scrutiny,
    /// The moment, for what holds only until some day.
    pub at: Timestamp,
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
    asked: Asked<'_>,
    agent: &Path,
) -> Result<Job> {
    let Asked { checks, scrutiny, at } = asked;
    let (steps, tests, unused) = steps(estate, mirror, &fix.base_tree)?;
    let settings = mirror.settings(&fix.base_tree)?;
    let trees = Trees {
        git: mirror.git.path().to_owned(),
        baseline: fix.base_tree.clone(),
        candidate: fix.candidate_tree.clone(),
    };
    trees.check(&mirror.git)?;
    let (consumers, expected, unrecorded) = contracts(estate, owners)?;
    let contract = settings.contract.unwrap_or_default();
    let valid: String = contract
        .rules
        .iter()
        .map(|rule| format!("{} ", rule.is_expired(at)))
        .collect();
    let packages = estate
        .config
        .sandbox
        .packages
        .as_ref()
        .map(|folder| absolute(&estate.root, folder));
    let wire = match &contract.wire {
        Some(config) => Some(wire::plan(estate, mirror, fix, owners, &contract, config, &consumers)?),
        // What is pinned must be looked at: a plan without requests says that it wasn't.
        None => wire::has_pins(estate, owners).then(WirePlan::default),
    };
    let (consumer_tests, tested) = wire::consumer_tests(estate, owners)?;
    let plan = ValidationPlan {
        subject: format!("{}: {}", fix.repo, fix.title),
        checks: checks.clone(),
        steps,
        unused,
        limits: (&estate.config.sandbox).into(),
        tests,
        scrutiny,
        reruns: estate.config.sandbox.reruns,
        prepare: estate.config.sandbox.prepare.clone(),
        contract: ContractPlan {
            openapi: contracts::compare(mirror, (&fix.base_tree, &fix.candidate_tree), &contract, at),
            upgrades: upgrades::judged(mirror, fix, packages.as_deref()),
            serve: contract.serve,
            consumers,
            unrecorded,
            wire,
            tests: consumer_tests,
            agent: agent.to_owned(),
        },
        packages,
        scanners: scanners(estate, &fix.repo)?,
        resolves: resolved
            .iter()
            .flat_map(|finding| each_report(&finding.finding))
            .collect::<Vec<Finding>>(),
        baseline: Arc::default(),
        candidate: Arc::default(),
    };
    let knowledge = Knowledge {
        repo: fix.repo.clone(),
        secret_key: estate.secret_key.clone(),
        expected,
        advisories: estate.advisories.known().ok().cloned(),
        baseline: TreeFiles::new(Arc::default()),
        candidate: TreeFiles::new(Arc::default()),
    };
    let environment = format!(
        "{:?}",
        (
            &plan.steps,
            &plan.limits,
            (&plan.prepare, &plan.tests, plan.reruns, &plan.scrutiny),
            &estate.config.sandbox.runtime,
            &plan.scanners,
            &plan.contract.serve,
            &plan.contract.consumers,
            (&knowledge.expected, &plan.contract.unrecorded),
            (wire::digest(plan.contract.wire.as_ref()), tested),
            &estate.config.sandbox.image,
            // Not the names of rules and advisories but what they say: a new advisory must be looked for.
            estate.scan_inputs(),
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
        // What the archives of its upgrades say: they may be others than last time.
        format!("{:?}", plan.contract.upgrades).as_bytes(),
    ]);
    // On another day other rules of the repo's own may hold.
    let key = match valid.is_empty() {
        true => key,
        false => Digest::of_parts([key.as_str().as_bytes(), valid.as_bytes()]),
    };
    Ok(Job {
        key,
        baseline_key,
        plan,
        knowledge: Arc::new(knowledge),
        settled: None,
        trees,
    })
}

/// The steps of a repo: what its manifests say, and over that what its `.holdpoint.yaml` says, both as the base
/// commit has them; and what was seen there and not used.
fn steps(estate: &Estate, mirror: &Mirror, tree: &str) -> Result<(StepsConfig, TestsConfig, Vec<String>)> {
    let settings = mirror.settings(tree)?;
    let detected = toolchain::detect(&BaseTree { mirror, tree }, &estate.config.sandbox.prepare);
    let (steps, tests) = toolchain::merge(&detected, &settings.steps, &settings.tests);
    Ok((steps, tests, detected.notes))
}

/// A base commit's files, as the detection of steps reads them.
struct BaseTree<'a> {
    mirror: &'a Mirror,
    tree: &'a str,
}

impl toolchain::Files for BaseTree<'_> {
    fn paths(&self) -> Vec<String> {
        holdpoint_fixes::tree::list_files(&self.mirror.git, self.tree)
    }

    fn text(&self, path: &str) -> Option<String> {
        self.mirror.text(self.tree, path)
    }
}

/// The folder of package archives as it is now: its files may be others than when a baseline was kept.
fn listing(folder: &Path) -> String {
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let known = entry.metadata().ok()?;
            let modified = known.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(format!(
                "{} {} {}",
                entry.file_name().to_string_lossy(),
                known.len(),
                modified.as_nanos()
            ))
        })
        .collect();
    files.sort();
    files.join("\n")
}

fn absolute(root: &Path, folder: &str) -> PathBuf {
    let path = root.join(folder);
    path.canonicalize().unwrap_or(path)
}

/// A finding as each of its scanners reports it: it is gone when none of them does any more. Scanners that a
/// re-scan doesn't run can't say so.
fn each_report(finding: &Finding) -> Vec<Finding> {
    if finding.details.also.is_empty() {
        return vec![finding.clone()];
    }
    let sources = finding.details.also.iter();
    sources
        .map(|source| {
            let mut own = finding.clone();
            own.scanner.clone_from(&source.scanner);
            own.rule.clone_from(&source.rule);
            own.severity = source.severity;
            own.fingerprint.clone_from(&source.fingerprint);
            own.details.also.clear();
            own
        })
        .collect()
}

pub(super) fn scanners(estate: &Estate, repo: &str) -> Result<Vec<ScannerPlan>> {
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
                version: config.version.clone(),
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
    let recorded = match estate.contracts.known() {
        Ok(file) => file.contracts.as_slice(),
        Err(_) => &[],
    };
    if let (Some(file), Err(_)) = (&estate.config.contracts, estate.contracts.known()) {
        // It may name consumers that no catalogue knows.
        unrecorded.insert(format!("{file} (can't be read)"));
    }
    for service in &owners.code {
        for edge in estate.graph.consumers(&service.id) {
            // A database or a bucket makes no requests; it only needs to be there.
            if is_caller(estate, &edge.from)
                && edge.from != service.id
                && !recorded.iter().any(|contract| {
                    contract.provider == service.id
                        && contract.consumer == edge.from
                        && (contract.interactions.is_some() || contract.consumer_tests.is_some())
                })
            {
                unrecorded.insert(edge.from.to_string());
            }
        }
        for contract in recorded.iter().filter(|contract| contract.provider == service.id) {
            let Some(path) = &contract.interactions else { continue };
            let file = read_interactions(path, &read_text(&estate.root, path)?)?;
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
        ..AgentRequest::default()
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
