//! Loading an estate: its config and the files that it names.

mod files;
pub mod topology;

use anyhow::Result;
use holdpoint_engine::graph::ServiceGraph;
use holdpoint_engine::policy::Pack;
use holdpoint_intake::advisory::Advisories;
use holdpoint_intake::calendar::Calendar;
use holdpoint_intake::drift::{AuditLog, State, read_audit_log, read_state};
use holdpoint_intake::estate::{KnownNames, OrgFacts, SuppliedFact, check_rollout_names, read_org_facts};
use holdpoint_intake::plan::{Plan, read_plan};
use holdpoint_intake::priority::{Epss, Kev, read_epss, read_kev};
use holdpoint_intake::vex::{VexEntry, read_vex};
use holdpoint_schemas::estate::{ContractsFile, ControlsFile, EstateConfig, ProvisionedVariables, RepoConfig};
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::service::{Catalogue, SourceConflict};
use holdpoint_schemas::{Digest, SourceError};
use holdpoint_usage::Observation;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::packs;
use crate::failure::BadInput;
pub use files::{borrowed, read_bytes, read_text};
use files::{contents, read_folder};

/// Name of the estate's config file.
pub const CONFIG_FILE: &str = "holdpoint.yaml";
/// Folder of the organisation's own facts, where there is one.
pub const FACTS_FOLDER: &str = "facts.d";

/// Something the estate names: what is in it, or why that isn't known. Facts that rest on it are
/// unknown unless it is [`Source::Known`].
#[derive(Debug, Clone)]
pub enum Source<T> {
    /// Read.
    Known(T),
    /// Not known, and why, for people.
    Unknown(String),
}

impl<T> Source<T> {
    /// What is in it, or why it isn't known.
    pub const fn known(&self) -> Result<&T, &String> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(why) => Err(why),
        }
    }
}

/// An estate, loaded.
#[derive(Debug)]
pub struct Estate {
    /// Its folder.
    pub root: PathBuf,
    /// Its config.
    pub config: EstateConfig,
    /// The facts that can be known here: the shipped ones and the organisation's own.
    pub facts: Arc<FactTable>,
    /// The organisation's own facts, with their values.
    pub org_facts: Vec<SuppliedFact>,
    /// Policies.
    pub pack: Pack,
    /// Facts without which the estate gets little from them, by id.
    pub minimum_facts: Vec<String>,
    /// Rollout.
    pub rollout: Rollout,
    /// Catalogue.
    pub catalogue: Source<Catalogue>,
    /// The service graph; empty while the catalogue isn't known.
    pub graph: ServiceGraph,
    /// Controls.
    pub controls: Source<ControlsFile>,
    /// Calendar.
    pub calendar: Source<Calendar>,
    /// Recorded contracts.
    pub contracts: Source<ContractsFile>,
    /// Provisioned variables.
    pub environments: Source<ProvisionedVariables>,
    /// Advisories.
    pub advisories: Source<Arc<Advisories>>,
    /// Exploit probabilities.
    pub epss: Source<Epss>,
    /// Vulnerabilities that are known to be exploited.
    pub kev: Source<Kev>,
    /// Terraform plans among the repos' reports, those that can be read.
    pub plans: Vec<RepoPlan>,
    /// VEX statements; none where the estate names no documents.
    pub vex: Source<Vec<VexEntry>>,
    /// Audit logs of clouds; none where the estate names none.
    pub audit_logs: Source<Vec<AuditLog>>,
    /// Terraform states beside the audit logs.
    pub terraform_states: Vec<State>,
    /// What was observed of running services.
    pub observations: Source<Vec<(String, Observation)>>,
    /// Key for hashes of secrets, from the state folder; `None` until that is held.
    pub secret_key: Option<Vec<u8>>,
    /// What readers left out, and where sources disagree: for people.
    pub notes: Vec<String>,
    /// What couldn't be read: the run goes on without it and says so.
    pub problems: Vec<SourceError>,
    scan_inputs: OnceLock<Digest>,
}

impl Estate {
    /// Loads the estate in `root`.
    ///
    /// # Errors
    /// When its config, own facts, policies or rollout can't be used. Everything else becomes unknown.
    pub fn load(root: &Path) -> Result<Self> {
        let (root, config) = config(root)?;
        let mut problems = Vec::new();
        let mut notes = Vec::new();
        let catalogue = catalogue(&mut problems, &mut notes, &root, &config);
        let org = org_facts(&root, catalogue.known().ok())?;
        problems.extend(org.problems);
        let loaded = packs::open(&root, &config.policies, &org.table)?;
        let minimum_facts = loaded.minimum_facts();
        let pack = loaded.pack;
        // A pack may bring facts of its own along.
        let facts = Arc::new(pack.fact_table().clone());
        let rollout = match &config.rollout {
            Some(file) => {
                let text = read_text(&root, file)?;
                let rollout = holdpoint_intake::estate::read_rollout(file, &text)?;
                // Not an error: a repo's own CI files may still say of another environment.
                if let Ok(catalogue) = catalogue.known() {
                    let known = known_names(catalogue, &config);
                    let stray = check_rollout_names(file, &text, &rollout, &known);
                    notes.extend(stray.err().map(|error| error.one_line()));
                }
                rollout
            }
            None => Rollout::default(),
        };
        let graph = ServiceGraph::new(catalogue.known().unwrap_or(&Catalogue::default()));
        let controls = optional(
            &mut problems,
            &root,
            "controls",
            config.controls.as_deref(),
            holdpoint_intake::estate::read_controls,
        );
        let calendar = match &config.calendar {
            None => Source::Unknown(format!("`{CONFIG_FILE}` names no calendar")),
            Some(file) => load(&mut problems, &format!("`{file}`"), || {
                calendar(&root, file, &read_text(&root, file)?)
            }),
        };
        if let (Ok(calendar), Ok(catalogue)) = (calendar.known(), catalogue.known()) {
            notes.extend(stray_names(calendar, catalogue, &config));
        }
        let contracts = optional(
            &mut problems,
            &root,
            "contracts",
            config.contracts.as_deref(),
            holdpoint_intake::estate::read_contracts,
        );
        let environments = optional(
            &mut problems,
            &root,
            "environments",
            config.environments.as_deref(),
            holdpoint_intake::estate::read_variables,
        );
        let epss = optional_bytes(&mut problems, &root, "EPSS file", config.epss.as_deref(), read_epss);
        let kev = optional_bytes(&mut problems, &root, "KEV file", config.kev.as_deref(), read_kev);
        let plans = plans(&root, &config);
        let vex = load(&mut problems, "the VEX documents", || {
            let mut entries = Vec::new();
            for (name, bytes) in named(&root, &config.vex)? {
                entries.extend(read_vex(&name, &bytes)?);
            }
            Ok(entries)
        });
        let mut terraform_states = Vec::new();
        let audit_logs = load(&mut problems, "the audit logs", || {
            let mut logs = Vec::new();
            for (name, bytes) in named(&root, &config.audit_logs)? {
                if name.ends_with(".tfstate") {
                    terraform_states.push(read_state(&name, &bytes)?);
                } else {
                    logs.push(read_audit_log(&name, &bytes, &config.automation)?);
                }
            }
            Ok(logs)
        });
        let observations = load(&mut problems, "the observations", || {
            let mut found = Vec::new();
            for (name, bytes) in named(&root, &config.observations)? {
                let text = String::from_utf8(bytes).map_err(|_| SourceError::new(&name, "isn't UTF-8 text"))?;
                found.push((name.clone(), Observation::read(&name, &text)?));
            }
            Ok(found)
        });
        let advisories = match &config.advisories {
            None => Source::Unknown(format!("`{CONFIG_FILE}` names no advisories")),
            Some(folder) => load(&mut problems, "the advisories", || {
                let files: Vec<(String, Vec<u8>)> = read_folder(&root, folder, &["json"])?;
                Ok(Arc::new(Advisories::parse(
                    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
                )?))
            }),
        };
        Ok(Self {
            root,
            config,
            facts,
            org_facts: org.facts,
            pack,
            minimum_facts: minimum_facts.into_iter().collect(),
            rollout,
            catalogue,
            graph,
            controls,
            calendar,
            contracts,
            environments,
            advisories,
            epss,
            kev,
            plans,
            vex,
            audit_logs,
            terraform_states,
            observations,
            secret_key: None,
            notes,
            problems,
            scan_inputs: OnceLock::new(),
        })
    }

    /// Digest of what scanners look for: the advisories and every scanner's rules. Evidence rests on it.
    pub fn scan_inputs(&self) -> &Digest {
        self.scan_inputs.get_or_init(|| {
            let rules = self
                .config
                .scanners
                .values()
                .filter_map(|scanner| scanner.rules.as_ref());
            let mut parts = Vec::new();
            for folder in self.config.advisories.iter().chain(rules) {
                contents(&self.root, folder, 0, &mut parts);
            }
            Digest::of_parts(parts.iter().map(Vec::as_slice))
        })
    }

    /// A governed repo, by name.
    ///
    /// # Errors
    /// When the estate has no such repo.
    pub fn repo(&self, name: &str) -> Result<&RepoConfig> {
        repo(&self.config, name)
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.root.join(&self.config.state)
    }

    /// A repo's remote: a path is relative to the estate, a URL is kept.
    pub fn remote(&self, repo: &RepoConfig) -> String {
        if repo.remote.contains("://") || repo.remote.contains('@') {
            return repo.remote.clone();
        }
        self.root.join(&repo.remote).to_string_lossy().into_owned()
    }
}

/// What the calendar names and nobody knows.
fn stray_names(calendar: &Calendar, catalogue: &Catalogue, config: &EstateConfig) -> Vec<String> {
    let services = catalogue.services.iter().map(|service| service.id.as_str()).collect();
    let deployed = catalogue
        .services
        .iter()
        .flat_map(|service| service.deployments.iter().flatten());
    let environments = deployed
        .map(|deployment| deployment.environment.as_str())
        .chain(config.production_environments.iter().map(String::as_str))
        .collect();
    calendar.stray_names(&services, &environments)
}

/// The files that entries name, those of folders included.
fn named(root: &Path, entries: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in entries {
        files.extend(read_folder(
            root,
            entry,
            &["json", "jsonl", "ndjson", "xml", "tfstate"],
        )?);
    }
    Ok(files)
}

/// Sources that say different things of one service, in one line.
pub fn disagreement(conflict: &SourceConflict) -> String {
    let said: Vec<String> = conflict
        .values
        .iter()
        .map(|(source, value)| format!("`{value}` by {source}"))
        .collect();
    format!(
        "sources disagree on the {} of `{}`: {}; taken: {}",
        conflict.field,
        conflict.service,
        said.join(", "),
        conflict.taken
    )
}

/// Finds an estate's folder and reads its config, and nothing that it names.
///
/// # Errors
/// When there is no such folder, or its config can't be read.
pub fn config(root: &Path) -> Result<(PathBuf, EstateConfig)> {
    let root = root.canonicalize().map_err(|error| {
        BadInput::new(
            format!("there is no estate in `{}`: {error}", root.display()),
            "name the folder that holds `holdpoint.yaml` with `--estate`",
        )
    })?;
    if !root.join(CONFIG_FILE).exists() {
        return Err(BadInput::new(
            format!("there is no `{CONFIG_FILE}` in `{}`", root.display()),
            "name the estate's folder with `--estate`",
        )
        .into());
    }
    let text = read_text(&root, CONFIG_FILE)?;
    let config = holdpoint_intake::estate::read_estate(CONFIG_FILE, &text)?;
    Ok((root, config))
}

/// A governed repo of an estate, by name.
///
/// # Errors
/// When the estate has no such repo.
pub fn repo<'a>(config: &'a EstateConfig, name: &str) -> Result<&'a RepoConfig> {
    config.repos.iter().find(|repo| repo.name == name).ok_or_else(|| {
        let names: Vec<&str> = config.repos.iter().map(|repo| repo.name.as_str()).collect();
        BadInput::new(
            format!("the estate has no repo `{name}`"),
            format!("its repos are: {}", names.join(", ")),
        )
        .into()
    })
}

/// The catalogue of the files that the config names, with what they say of deployments. What was left out and where
/// sources disagree goes to `notes`.
pub fn catalogue(
    problems: &mut Vec<SourceError>,
    notes: &mut Vec<String>,
    root: &Path,
    config: &EstateConfig,
) -> Source<Catalogue> {
    if config.catalogue.is_empty() {
        return Source::Unknown(format!("`{CONFIG_FILE}` names no catalogue"));
    }
    load(problems, "the catalogue", || {
        let described = topology::describe(root, &config.catalogue)?;
        let mut catalogue = described.catalogue;
        notes.extend(described.notes);
        notes.extend(topology::deployments(root, &config.deployments, &mut catalogue)?);
        notes.extend(catalogue.conflicts.iter().map(disagreement));
        Ok(catalogue)
    })
}

/// The calendar of a text, with the iCalendar files that it names beside itself.
///
/// # Errors
/// When it or one of those can't be read.
pub fn calendar(root: &Path, file: &str, text: &str) -> Result<Calendar> {
    let folder = Path::new(file).parent().unwrap_or_else(|| Path::new(""));
    let ics = |name: &str| read_text(root, &folder.join(name).to_string_lossy()).map_err(|error| format!("{error:#}"));
    Ok(Calendar::read(file, text, &ics)?)
}

/// A Terraform plan of a repo's branch.
#[derive(Debug, Clone)]
pub struct RepoPlan {
    /// Repo in the estate.
    pub repo: String,
    /// Branch that was planned.
    pub branch: String,
    /// File, for people.
    pub file: String,
    /// The plan.
    pub plan: Plan,
}

/// The plans among the repos' reports. One that can't be read is told where findings are gathered.
fn plans(root: &Path, config: &EstateConfig) -> Vec<RepoPlan> {
    let mut found = Vec::new();
    for repo in &config.repos {
        for report in &repo.reports {
            let plan = read_bytes(root, &report.path)
                .ok()
                .filter(|bytes| is_plan(bytes))
                .and_then(|bytes| read_plan(&report.path, &bytes).ok());
            found.extend(plan.map(|plan| RepoPlan {
                repo: repo.name.clone(),
                branch: report.branch.clone(),
                file: report.path.clone(),
                plan,
            }));
        }
    }
    found
}

/// Whether it says at its beginning that Terraform or OpenTofu wrote it: other reports aren't parsed twice.
fn is_plan(bytes: &[u8]) -> bool {
    const BEGINNING: usize = 4096;
    let beginning = String::from_utf8_lossy(bytes.get(..bytes.len().min(BEGINNING)).unwrap_or_default());
    beginning.contains("\"terraform_version\"") || beginning.contains("\"resource_drift\"")
}

/// The organisation's own facts: of every file in their folder. The policies' schema rests on them, so a bad
/// one stops the run.
pub fn org_facts(root: &Path, catalogue: Option<&Catalogue>) -> Result<OrgFacts> {
    if !root.join(FACTS_FOLDER).exists() {
        return Ok(OrgFacts::default());
    }
    let files: Vec<(String, String)> = read_folder(root, FACTS_FOLDER, &["yaml", "yml"])?;
    Ok(read_org_facts(&borrowed(&files), catalogue)?)
}

fn load<T>(problems: &mut Vec<SourceError>, what: &str, read: impl FnOnce() -> Result<T>) -> Source<T> {
    match read() {
        Ok(value) => Source::Known(value),
        Err(error) => {
            let problem = crate::failure::source_error(&error)
                .cloned()
                .unwrap_or_else(|| SourceError::new(CONFIG_FILE, format!("{what}: {error:#}")));
            let why = format!("{what} can't be read: {}", problem.one_line());
            problems.push(problem);
            Source::Unknown(why)
        }
    }
}

fn optional_bytes<T, E>(
    problems: &mut Vec<SourceError>,
    root: &Path,
    what: &str,
    file: Option<&str>,
    read: fn(&str, &[u8]) -> Result<T, E>,
) -> Source<T>
where
    anyhow::Error: From<E>,
{
    match file {
        None => Source::Unknown(format!("`{CONFIG_FILE}` names no {what}")),
        Some(file) => load(problems, &format!("`{file}`"), || {
            Ok(read(file, &read_bytes(root, file)?)?)
        }),
    }
}

fn optional<T, E>(
    problems: &mut Vec<SourceError>,
    root: &Path,
    what: &str,
    file: Option<&str>,
    read: fn(&str, &str) -> Result<T, E>,
) -> Source<T>
where
    anyhow::Error: From<E>,
{
    match file {
        None => Source::Unknown(format!("`{CONFIG_FILE}` names no {what}")),
        Some(file) => load(problems, &format!("`{file}`"), || {
            Ok(read(file, &read_text(root, file)?)?)
        }),
    }
}
/// Names that lanes may go by.
fn known_names(catalogue: &Catalogue, config: &EstateConfig) -> KnownNames {
    let services = || catalogue.services.iter();
    let deployed = services().flat_map(|service| service.deployments.iter().flatten());
    KnownNames {
        environments: deployed
            .map(|deployment| deployment.environment.clone())
            .chain(config.production_environments.iter().cloned())
            .collect(),
        systems: services().filter_map(|service| service.system.clone()).collect(),
        teams: services().filter_map(|service| service.owner.clone()).collect(),
    }
}
