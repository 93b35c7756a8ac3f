//! `holdpoint contract diff`

use anyhow::{Context, Result};
use clap::{Args, ValueEnum as _};
use holdpoint_contract::overrides::judge;
use holdpoint_contract::{Change, DiffVerdict, Kind, Level};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::language::{self, Language};
use super::rules;
use crate::cli::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::contract::{self, Compared};
use crate::output::json::to_text;
use crate::pipeline::contracts::{self, Network, Opened, Side};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Version that clients know: a file or a folder, or one in a revision of this git repository, `main:api.yaml`
    #[arg(required_unless_present = "explain")]
    base: Option<PathBuf>,
    /// Version to compare with it, named likewise
    #[arg(required_unless_present = "explain")]
    revision: Option<PathBuf>,
    /// Kind of contract: openapi, protobuf, graphql, json-schema, asyncapi, http or sql; or rust, python or
    /// typescript for two versions of a library, each a folder or an archive
    #[arg(long, value_name = "KIND")]
    kind: Option<Compares>,
    /// File like a repo's `.holdpoint.yaml`, whose `contract.rules` set levels
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Lowest level of a change that ends with 11 instead of 0
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,
    /// Host from which a description may fetch what it refers to, by `https`; can be given more than once
    #[arg(long, value_name = "HOST", value_parser = host)]
    allow_refs_from: Vec<String>,
    /// Say what a rule means, and compare nothing
    #[arg(long, value_name = "RULE", conflicts_with_all = ["base", "revision", "kind", "config", "fail_on", "allow_refs_from"])]
    explain: Option<String>,
}

fn host(given: &str) -> Result<String, String> {
    match given.is_empty() || given.contains(['/', '@', '?', '#']) {
        true => Err("name a host, for example `schemas.example.com`, and no address".to_owned()),
        false => Ok(given.to_owned()),
    }
}

/// What `--fail-on` names.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FailOn {
    /// What can break a client
    Error,
    /// What can break one that relies on more than was promised, too
    Warning,
    /// Every change
    Info,
}

impl From<FailOn> for Level {
    fn from(given: FailOn) -> Self {
        match given {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
            FailOn::Info => Self::Info,
        }
    }
}

/// What `--kind` names.
#[derive(Debug, Clone, Copy)]
enum Compares {
    Contract(Kind),
    Library(Language),
}

impl FromStr for Compares {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if let Ok(language) = Language::from_str(name, false) {
            return Ok(Self::Library(language));
        }
        match name.parse() {
            Ok(kind) => Ok(Self::Contract(kind)),
            Err(error) => Err(format!("{error}, or `rust`, `python`, `typescript` for libraries")),
        }
    }
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    if let Some(rule) = &arguments.explain {
        return rules::explain(global, rule);
    }
    let side = |path: &Option<PathBuf>| path.clone().context("clap asks for both sides");
    let (base, revision) = (side(&arguments.base)?, side(&arguments.revision)?);
    let kind = match arguments.kind {
        Some(Compares::Library(language)) => return language::run(global, language, &base, &revision),
        Some(Compares::Contract(kind)) => Some(kind),
        None => None,
    };
    let rules = match &arguments.config {
        Some(file) => contracts::read_rules(file)?,
        None => Vec::new(),
    };
    let (before, after) = (Opened::find(&base)?, Opened::find(&revision)?);
    let (base, revision) = (name(&base), name(&revision));
    let (before, after) = (before.sources(&base, kind)?, after.sources(&revision, kind)?);
    let hosts = arguments.allow_refs_from.as_slice();
    let network = |own| Network {
        own,
        hosts,
        waited: Cell::default(),
    };
    let (before, after) = (network(&*before), network(&*after));
    let side = |name, sources| Side { name, sources };
    let diff = contracts::compare(&side(&base, &before), &side(&revision, &after), kind, global.now())?;
    let judged = judge(diff, &rules, global.now());
    let compared = Compared {
        base: &base,
        revision: &revision,
        judged: &judged,
    };
    match global.format {
        Format::Human => print_line(&contract::human(&compared))?,
        Format::Json => {
            let mut document = serde_json::to_value(&judged)?;
            if let Some(document) = document.as_object_mut() {
                document.insert("verdict".to_owned(), serde_json::to_value(judged.verdict())?);
            }
            print_line(to_text(&document)?.trim_end())?;
        }
        Format::Sarif => print_line(to_text(&contract::sarif(&compared))?.trim_end())?,
        Format::Markdown => print_line(contract::markdown(&compared).trim_end())?,
        Format::Html => print_line(contract::html(&compared)?.trim_end())?,
    }
    let fails = |change: &Change| change.level >= Level::from(arguments.fail_on);
    let verdict = judged.verdict();
    if judged.diff.changes.iter().any(fails) {
        if verdict != DiffVerdict::Breaking && global.format == Format::Human {
            print_line("\nIt ends with 11, since `--fail-on` asks for it.")?;
        }
        return Ok(ExitCode::Failed);
    }
    Ok(match verdict {
        DiffVerdict::Compatible => ExitCode::Success,
        DiffVerdict::Breaking => ExitCode::Failed,
        DiffVerdict::Inconclusive => ExitCode::Inconclusive,
    })
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
