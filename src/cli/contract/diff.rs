//! `holdpoint contract diff`

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_contract::overrides::judge;
use holdpoint_contract::{DiffVerdict, Kind};
use std::path::{Path, PathBuf};

use super::rules;
use crate::cli::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::contract::{self, Compared};
use crate::output::json::to_text;
use crate::pipeline::contracts::{self, Folder, Side};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Version that clients know: a file or a folder
    #[arg(required_unless_present = "explain")]
    base: Option<PathBuf>,
    /// Version to compare with it
    #[arg(required_unless_present = "explain")]
    revision: Option<PathBuf>,
    /// Kind of contract: openapi, protobuf, graphql, json-schema, asyncapi, http or sql
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// File like a repo's `.holdpoint.yaml`, whose `contract.rules` set levels
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say what a rule means, and compare nothing
    #[arg(long, value_name = "RULE", exclusive = true)]
    explain: Option<String>,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    if let Some(rule) = &arguments.explain {
        return rules::explain(global, rule);
    }
    let side = |path: &Option<PathBuf>| path.clone().context("clap asks for both sides");
    let (base, revision) = (side(&arguments.base)?, side(&arguments.revision)?);
    let rules = match &arguments.config {
        Some(file) => contracts::read_rules(file)?,
        None => Vec::new(),
    };
    let (before, after) = (Folder::open(&base)?, Folder::open(&revision)?);
    let (base, revision) = (name(&base), name(&revision));
    let side = |name, sources| Side { name, sources };
    let diff = contracts::compare(&side(&base, &before), &side(&revision, &after), arguments.kind)?;
    let judged = judge(diff, &rules, global.now());
    let compared = Compared {
        base: &base,
        revision: &revision,
        judged: &judged,
    };
    match global.format {
        Format::Human => print_line(&contract::human(&compared))?,
        Format::Json => print_line(to_text(&judged)?.trim_end())?,
        Format::Sarif => print_line(to_text(&contract::sarif(&compared))?.trim_end())?,
        Format::Markdown => print_line(contract::markdown(&compared).trim_end())?,
        Format::Html => print_line(contract::html(&compared)?.trim_end())?,
    }
    Ok(match judged.verdict() {
        DiffVerdict::Compatible => ExitCode::Success,
        DiffVerdict::Breaking => ExitCode::Failed,
        DiffVerdict::Inconclusive => ExitCode::Inconclusive,
    })
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
