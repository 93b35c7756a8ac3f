//! Files of an estate repo and of a governed repo, as people write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::contract_rule::ContractRule;
use crate::finding::Severity;
use crate::ledger_config::LedgerConfig;
use crate::length::Length;
use crate::nightly::{NotifyConfig, ScheduleConfig};
use crate::people::ApprovalsConfig;

/// `holdpoint.yaml`: the estate. Paths are relative to its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstateConfig {
    /// Name for people.
    pub name: String,
    /// Policy pack: the name of a shipped one (`baseline`), or a folder.
    #[serde(default = "baseline")]
    pub policies: String,
    /// Folder for ledger, reports and pull-request documents.
    #[serde(default = "state")]
    pub state: String,
    /// Files or folders that describe services: Backstage entities, `services.yaml`, Compose files, Kubernetes
    /// manifests, Terraform plans or states, observed graphs (Jaeger, Kiali).
    #[serde(default)]
    pub catalogue: Vec<String>,
    /// Files or folders that say which branch is deployed where: GitOps manifests, CI files, events as JSON.
    #[serde(default)]
    pub deployments: Vec<String>,
    /// EPSS scores, as FIRST's CSV.
    #[serde(default)]
    pub epss: Option<String>,
    /// CISA's catalogue of known exploited vulnerabilities, as JSON.
    #[serde(default)]
    pub kev: Option<String>,
    /// VEX documents, or folders of them: OpenVEX or CycloneDX, JSON.
    #[serde(default)]
    pub vex: Vec<String>,
    /// Audit logs of clouds, or folders of them: CloudTrail, Azure Activity, GCP Audit, JSON; and Terraform
    /// states, which say which cloud id a resource's address stands for.
    #[serde(default)]
    pub audit_logs: Vec<String>,
    /// Remediators whose Terraform plans are believed where they say that nothing is destroyed: those that make
    /// them from the candidate in a pipeline of yours. Others' plans are believed only where they destroy.
    #[serde(default)]
    pub plan_authors: Vec<String>,
    /// Names of what changes live infrastructure by itself, as audit logs call it: pipelines' roles, bots.
    #[serde(default)]
    pub automation: Vec<String>,
    /// What was observed of running services, or folders of it: loaded packages, called functions, JSON.
    #[serde(default)]
    pub observations: Vec<String>,
    /// Recorded contracts on graph edges.
    #[serde(default)]
    pub contracts: Option<String>,
    /// Controls file.
    #[serde(default)]
    pub controls: Option<String>,
    /// Calendar file (freezes).
    #[serde(default)]
    pub calendar: Option<String>,
    /// Rollout file; without it every lane's stage is `suggest`.
    #[serde(default)]
    pub rollout: Option<String>,
    /// Provisioned variables by service and environment.
    #[serde(default)]
    pub environments: Option<String>,
    /// People who may approve, in OpenSSH `allowed_signers` form.
    #[serde(default)]
    pub approvers: Option<String>,
    /// How approvals are counted and how long they are waited for.
    #[serde(default)]
    pub approvals: ApprovalsConfig,
    /// Folder of recorded OSV advisories.
    #[serde(default)]
    pub advisories: Option<String>,
    /// Folder of candidate fixes: `<remediator>/<name>/fix.yaml`.
    #[serde(default)]
    pub fixes: Option<String>,
    /// Names of the most protected environments.
    #[serde(default = "production")]
    pub production_environments: Vec<String>,
    /// When `holdpoint serve` runs.
    #[serde(default)]
    pub schedule: Option<ScheduleConfig>,
    /// How long a finding of a severity may stay open. A severity that isn't listed has no such time.
    #[serde(default)]
    pub slas: BTreeMap<Severity, Length>,
    /// Who is told of a run.
    #[serde(default)]
    pub notify: Vec<NotifyConfig>,
    /// How many runs' reports are kept under `reports/` in the state folder; 30 without.
    #[serde(default)]
    pub keep_reports: Option<usize>,
    /// Sandbox.
    #[serde(default)]
    pub sandbox: SandboxConfig,
    /// Where the ledger is kept, and what it lets go.
    #[serde(default)]
    pub ledger: LedgerConfig,
    /// Scanners that a re-scan runs, by name.
    #[serde(default)]
    pub scanners: BTreeMap<String, ScannerConfig>,
    /// Governed repos.
    pub repos: Vec<RepoConfig>,
}

fn baseline() -> String {
    "baseline".to_owned()
}

fn state() -> String {
    "state".to_owned()
}

fn production() -> Vec<String> {
    vec!["production".to_owned()]
}

/// One governed repo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepoConfig {
    /// Unique name.
    pub name: String,
    /// Path or URL of the remote.
    pub remote: String,
    /// Recorded scanner reports.
    #[serde(default)]
    pub reports: Vec<ReportConfig>,
    /// Names of the scanners that a re-scan runs here.
    #[serde(default)]
    pub scanners: Vec<String>,
}

/// One recorded report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportConfig {
    /// File, relative to the estate.
    pub path: String,
    /// Branch that was scanned.
    #[serde(default = "main_branch")]
    pub branch: String,
}

fn main_branch() -> String {
    "main".to_owned()
}

/// A scanner as a re-scan runs it, in the sandbox, without a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScannerConfig {
    /// Shell command; it runs in the workspace and writes its report to `$HOLDPOINT_REPORT`.
    /// `osv-lockfile` (built in) needs none.
    #[serde(default)]
    pub run: Option<String>,
    /// Built-in scanner instead of a command: `osv-lockfile`, matched against `advisories`.
    #[serde(default)]
    pub builtin: Option<String>,
    /// Exit statuses that mean "scanned", with or without findings.
    #[serde(default = "zero")]
    pub ok_exit: Vec<i64>,
    /// Folder of rules, relative to the estate, seen read-only as `$HOLDPOINT_RULES`.
    #[serde(default)]
    pub rules: Option<String>,
    /// Shell command that prints the scanner's version; without one, the first word of `run` with `--version`.
    #[serde(default)]
    pub version: Option<String>,
}

fn zero() -> Vec<i64> {
    vec![0]
}

/// When the engine may pull an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PullPolicy {
    /// Never.
    Never,
    /// When the engine hasn't it.
    #[default]
    IfMissing,
}

/// Sandbox settings. Every bound has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// Image. Without one, or when it can't be had, the host-view image.
    pub image: Option<String>,
    /// When it may be pulled.
    pub pull: PullPolicy,
    /// Folder of package archives, relative to the estate, seen read-only as
    /// `$HOLDPOINT_PACKAGES` in `prepare`.
    pub packages: Option<String>,
    /// Which sandbox runs the steps.
    pub backend: Backend,
    /// Runtime of the containers, as the engine knows it (`runc`, `crun`, `runsc`); its default without.
    pub runtime: Option<String>,
    /// What `prepare` may reach.
    pub prepare: PrepareConfig,
    /// Baselines that are kept.
    pub cache: CacheConfig,
    /// Fixes validated at once.
    pub at_once: usize,
    /// Disk of one workspace in MiB, of what a step adds to its baseline.
    pub disk_mib: u64,
    /// Further runs of a failing test on each side, which tell a broken one from a flaky one.
    pub reruns: u32,
    /// The cluster, where `backend` is `kubernetes`.
    pub kubernetes: KubernetesConfig,
    /// CPUs, in thousandths.
    pub cpu_millis: u32,
    /// Memory in MiB; swap is not added.
    pub memory_mib: u64,
    /// Processes and threads.
    pub pids: u32,
    /// Wall time of one step in seconds.
    pub step_seconds: u64,
    /// Bytes of output kept per step.
    pub log_bytes: usize,
    /// Size of `/tmp` in MiB.
    pub tmp_mib: u64,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            image: None,
            pull: PullPolicy::IfMissing,
            packages: None,
            backend: Backend::Auto,
            runtime: None,
            prepare: PrepareConfig::default(),
            cache: CacheConfig::default(),
            at_once: 2,
            disk_mib: 8192,
            reruns: 4,
            kubernetes: KubernetesConfig::default(),
            cpu_millis: 2000,
            memory_mib: 2048,
            pids: 512,
            step_seconds: 600,
            log_bytes: 1 << 20,
            tmp_mib: 512,
        }
    }
}

/// Which sandbox runs the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Docker where it answers, else Linux namespaces.
    #[default]
    Auto,
    /// A Docker engine.
    Docker,
    /// Linux namespaces of this machine, without an engine.
    Local,
    /// Jobs of a cluster.
    Kubernetes,
}

/// What the `prepare` step may reach. Nothing, unless hosts are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrepareConfig {
    /// Hosts that the proxy lets through: `host` (ports 443 and 80), `host:port`, or `*.domain`.
    pub hosts: Vec<String>,
    /// Credentials that the proxy adds, by host. They never enter the sandbox.
    pub credentials: BTreeMap<String, CredentialConfig>,
    /// Whether package managers may run the packages' own install scripts.
    pub scripts: bool,
}

/// Where a credential comes from; never the credential itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialConfig {
    /// Header that carries it.
    #[serde(default = "authorization")]
    pub header: String,
    /// Environment variable of Holdpoint's own process that holds the header's value.
    pub env: String,
}

fn authorization() -> String {
    "Authorization".to_owned()
}

/// Baselines that are kept between fixes and runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Disk of all of them, in MiB. 0: none is kept.
    pub max_mib: u64,
    /// Number of them.
    pub max_entries: usize,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            max_mib: 20_480,
            max_entries: 32,
        }
    }
}

/// The cluster that steps run on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KubernetesConfig {
    /// Context of the kubeconfig; its current one without.
    pub context: Option<String>,
    /// Namespace; `holdpoint` without.
    pub namespace: Option<String>,
    /// `RuntimeClass` of the pods (`gvisor`, `kata`).
    pub runtime_class: Option<String>,
    /// Record that `ci/kubernetes` wrote when the conformance suite passed on this cluster.
    pub conformance: Option<String>,
}

/// `.holdpoint.yaml` of a governed repo: read from the base commit, never from the candidate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepoSettings {
    /// Steps.
    #[serde(default)]
    pub steps: StepsConfig,
    /// Contract check.
    #[serde(default)]
    pub contract: Option<ContractConfig>,
    /// How single tests are told apart, and what they cover.
    #[serde(default)]
    pub tests: TestsConfig,
}

/// How single tests are told apart, and what they cover. What is left out is found by the toolchain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestsConfig {
    /// JUnit XML files that the tests write, relative to the repo; `*` and `**` as in a shell.
    pub reports: Vec<String>,
    /// Shell command that runs the tests with coverage.
    pub coverage: Option<String>,
    /// The file that it writes, relative to the repo: LCOV, Cobertura XML, coverage.py JSON or c8 JSON.
    pub coverage_report: Option<String>,
}

/// Shell commands of the steps; an absent one isn't run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsConfig {
    /// Fetch dependencies, driven by the lockfile.
    #[serde(default)]
    pub prepare: Option<String>,
    /// Build.
    #[serde(default)]
    pub build: Option<String>,
    /// Test.
    #[serde(default)]
    pub test: Option<String>,
}

/// How a service's contract is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractConfig {
    /// OpenAPI file in the repo, compared between base and candidate.
    #[serde(default)]
    pub openapi: Option<String>,
    /// Folder of Protocol Buffers in the repo, or one `.proto` file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protobuf: Option<String>,
    /// GraphQL schema in the repo: a file, or a folder of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graphql: Option<String>,
    /// JSON Schema in the repo: a file, or a folder of them.
    #[serde(default, rename = "json-schema", skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<String>,
    /// AsyncAPI file in the repo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asyncapi: Option<String>,
    /// SQL schema in the repo: a file, or a folder of migrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// Rules that this repo sees otherwise for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ContractRule>,
    /// How to start the service, so that consumers' recorded interactions can be replayed.
    #[serde(default)]
    pub serve: Option<ServeConfig>,
    /// Requests that the service must answer as before the fix, whoever makes them.
    #[serde(default)]
    pub wire: Option<WireConfig>,
}

/// The wire oracle: the same requests to the service before and after the fix, and the answers compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WireConfig {
    /// HTTP archives (HAR 1.2) in the repo, each one session.
    pub recordings: Vec<String>,
    /// Make requests from the OpenAPI file, too.
    pub generate: bool,
    /// Seed of the made requests: the same seed, the same requests.
    pub seed: u64,
    /// Headers of the made requests, for example a test user's `authorization`.
    pub headers: BTreeMap<String, String>,
    /// What becomes of a fix that changes what no consumer pins.
    pub unpinned: UnpinnedChange,
    /// Levels of rules where they aren't the usual ones: rule → `error`, `warning` or `info`.
    pub levels: BTreeMap<String, String>,
}

/// What becomes of a fix that changes an answer in a place that no consumer pins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnpinnedChange {
    /// The contract check fails.
    Fail,
    /// It is inconclusive: somebody has to look.
    #[default]
    Hold,
    /// It is told.
    Note,
}

impl ContractConfig {
    /// The contracts that are declared: kind, as its key and `--kind` have it, and path in the repo.
    #[must_use]
    pub fn declared(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("openapi", &self.openapi),
            ("protobuf", &self.protobuf),
            ("graphql", &self.graphql),
            ("json-schema", &self.json_schema),
            ("asyncapi", &self.asyncapi),
            ("sql", &self.sql),
        ];
        all.into_iter()
            .filter_map(|(kind, path)| Some((kind, path.as_deref()?)))
            .collect()
    }
}

/// How to start a service inside the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServeConfig {
    /// Shell command that keeps running.
    pub command: String,
    /// Port on loopback.
    pub port: u16,
    /// Path that answers when it is ready.
    #[serde(default = "root_path")]
    pub ready: String,
    /// Seconds to wait for that.
    #[serde(default = "ready_seconds")]
    pub ready_seconds: u64,
}

fn root_path() -> String {
    "/".to_owned()
}

const fn ready_seconds() -> u64 {
    20
}

/// `environments.yaml`: names of provisioned variables, by environment and service. Names only,
/// never values. An environment or service that isn't listed is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionedVariables {
    /// environment → service → variable names.
    pub environments: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// `controls.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlsFile {
    /// Controls.
    pub controls: Vec<crate::control::Control>,
    /// Who made which live change, where someone has said so: address → actor.
    #[serde(default)]
    pub drift_actors: BTreeMap<String, String>,
}

/// `contracts.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractsFile {
    /// Recorded contracts.
    pub contracts: Vec<crate::service::RecordedContract>,
}
