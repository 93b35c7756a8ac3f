//! Loading an estate: its config and the files that it names.

use anyhow::{Context, Result};
use holdpoint_engine::graph::ServiceGraph;
use holdpoint_engine::policy::Pack;
use holdpoint_intake::advisory::Advisories;
use holdpoint_intake::estate::{OrgFacts, SuppliedFact, read_org_facts};
use holdpoint_schemas::estate::{
    CalendarFile, ContractsFile, ControlsFile, EstateConfig, ProvisionedVariables, RepoConfig,
};
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::service::Catalogue;
use holdpoint_schemas::{Digest, Level, SourceError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::packs;
use crate::failure::BadInput;

/// Name of the estate's config file.
pub const CONFIG_FILE: &str = "holdpoint.yaml";
/// Folder of the organisation's own facts, where there is one.
pub const FACTS_FOLDER: &str = "facts.d";
/// Files larger than this are not read: no catalogue or report that people keep is larger.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Files of one catalogue or advisory folder.
const MAX_FOLDER_FILES: usize = 20_000;

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
    pub calendar: Source<CalendarFile>,
    /// Recorded contracts.
    pub contracts: Source<ContractsFile>,
    /// Provisioned variables.
    pub environments: Source<ProvisionedVariables>,
    /// Advisories.
    pub advisories: Source<Advisories>,
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
        let mut problems = Vec::new();
        let catalogue = if config.catalogue.is_empty() {
            Source::Unknown(format!("`{CONFIG_FILE}` names no catalogue"))
        } else {
            load(&mut problems, "the catalogue", || {
                let mut files: Vec<(String, String)> = Vec::new();
                for entry in &config.catalogue {
                    files.extend(read_folder(&root, entry, &["yaml", "yml"])?);
                }
                Ok(holdpoint_intake::catalogue::read_catalogue(&borrowed(&files))?)
            })
        };
        let org = org_facts(&root, catalogue.known().ok())?;
        problems.extend(org.problems);
        let loaded = packs::open(&root, &config.policies, &org.table)?;
        let minimum_facts = loaded.minimum_facts();
        let pack = loaded.pack;
        // A pack may bring facts of its own along.
        let facts = Arc::new(pack.fact_table().clone());
        let rollout = match &config.rollout {
            Some(file) => holdpoint_intake::estate::read_rollout(file, &read_text(&root, file)?)?,
            None => Rollout {
                default_stage: Level::Suggest,
                lanes: Vec::new(),
            },
        };
        let graph = ServiceGraph::new(catalogue.known().unwrap_or(&Catalogue::default()));
        let controls = optional(
            &mut problems,
            &root,
            "controls",
            config.controls.as_deref(),
            holdpoint_intake::estate::read_controls,
        );
        let calendar = optional(
            &mut problems,
            &root,
            "calendar",
            config.calendar.as_deref(),
            holdpoint_intake::estate::read_calendar,
        );
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
        let advisories = match &config.advisories {
            None => Source::Unknown(format!("`{CONFIG_FILE}` names no advisories")),
            Some(folder) => load(&mut problems, "the advisories", || {
                let files: Vec<(String, Vec<u8>)> = read_folder(&root, folder, &["json"])?;
                Ok(Advisories::parse(
                    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
                )?)
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
        self.config.repos.iter().find(|repo| repo.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.config.repos.iter().map(|repo| repo.name.as_str()).collect();
            BadInput::new(
                format!("the estate has no repo `{name}`"),
                format!("its repos are: {}", names.join(", ")),
            )
            .into()
        })
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

/// Names and texts of files, borrowed.
pub fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

/// Reads a file as bytes, bounded. `file` is relative to `root`, or absolute.
///
/// # Errors
/// A [`SourceError`] that names the file.
pub fn read_bytes(root: &Path, file: &str) -> Result<Vec<u8>> {
    let path = root.join(file);
    let size = std::fs::metadata(&path).map_err(|error| SourceError::new(file, format!("can't be read: {error}")))?;
    if size.is_dir() {
        return Err(SourceError::new(file, "is a folder; a file was expected").into());
    }
    // A pipe would be waited for, a device read without end.
    if !size.is_file() {
        return Err(SourceError::new(file, "is no plain file").into());
    }
    if size.len() > MAX_FILE_BYTES {
        return Err(SourceError::new(
            file,
            format!("is {} bytes long; at most {MAX_FILE_BYTES} are read", size.len()),
        )
        .into());
    }
    std::fs::read(&path).map_err(|error| SourceError::new(file, format!("can't be read: {error}")).into())
}

/// Reads a file as UTF-8 text, bounded.
///
/// # Errors
/// A [`SourceError`] that names the file, and the line where it stops being UTF-8.
pub fn read_text(root: &Path, file: &str) -> Result<String> {
    let bytes = read_bytes(root, file)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        SourceError::new(file, format!("isn't UTF-8 text (line {line})"))
            .help("save it as UTF-8")
            .into()
    })
}

/// Reads a file, or the files with one of these endings in a folder (one level), by name.
fn read_folder<T: FromBytes>(root: &Path, entry: &str, endings: &[&str]) -> Result<Vec<(String, T)>> {
    let path = root.join(entry);
    if path.is_file() {
        return Ok(vec![(entry.to_owned(), T::read(root, entry)?)]);
    }
    let listing =
        std::fs::read_dir(&path).map_err(|error| SourceError::new(entry, format!("can't be read: {error}")))?;
    let mut names = Vec::new();
    for item in listing {
        let name = item
            .with_context(|| format!("listing `{entry}`"))?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if endings.iter().any(|ending| name.ends_with(&format!(".{ending}"))) {
            names.push(format!("{}/{name}", entry.trim_end_matches('/')));
        }
        if names.len() > MAX_FOLDER_FILES {
            return Err(SourceError::new(entry, format!("holds more than {MAX_FOLDER_FILES} files")).into());
        }
    }
    names.sort();
    names
        .into_iter()
        .map(|name| Ok((name.clone(), T::read(root, &name)?)))
        .collect()
}

/// Deepest folder of rules that is looked into.
const MAX_DEPTH: usize = 16;

/// Names and digests of all files below an entry; of what can't be read, why.
fn contents(root: &Path, entry: &str, depth: usize, parts: &mut Vec<Vec<u8>>) {
    parts.push(entry.as_bytes().to_vec());
    match std::fs::read_dir(root.join(entry)) {
        Ok(listing) if depth < MAX_DEPTH => {
            let mut names: Vec<String> = listing
                .flatten()
                .map(|item| item.file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            for name in names {
                contents(root, &format!("{entry}/{name}"), depth + 1, parts);
            }
        }
        Ok(_) => parts.push(b"too deep".to_vec()),
        Err(_) => parts.push(match read_bytes(root, entry) {
            Ok(bytes) => Digest::of_bytes(&bytes).to_string().into_bytes(),
            Err(error) => error.to_string().into_bytes(),
        }),
    }
}

/// Either text or bytes of a file.
trait FromBytes: Sized {
    /// Reads the file.
    fn read(root: &Path, file: &str) -> Result<Self>;
}

impl FromBytes for String {
    fn read(root: &Path, file: &str) -> Result<Self> {
        read_text(root, file)
    }
}

impl FromBytes for Vec<u8> {
    fn read(root: &Path, file: &str) -> Result<Self> {
        read_bytes(root, file)
    }
}
