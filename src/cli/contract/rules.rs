//! `holdpoint contract rules`

use anyhow::Result;
use clap::{Args, ValueEnum as _};
use holdpoint_contract::kind::all_rules;
use holdpoint_contract::{Kind, Rule, wire};

use super::language::Language;
use crate::cli::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::contract::{explained, listed};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only those of one kind of contract
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Say what one rule means
    #[arg(long, value_name = "RULE", conflicts_with = "kind")]
    explain: Option<String>,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    if let Some(rule) = &arguments.explain {
        return explain(global, rule);
    }
    let rules = arguments.kind.map_or_else(every, Kind::rules);
    global.print(&serde_json::json!({ "rules": rules }), || listed(&rules))?;
    Ok(ExitCode::Success)
}

fn kind(name: &str) -> Result<Kind, String> {
    if let Ok(language) = Language::from_str(name, false) {
        return Err(format!(
            "libraries are judged by {}, whose rules they are",
            language.tool()
        ));
    }
    name.parse()
}

/// The rules of all kinds, and those of the wire oracle.
fn every() -> Vec<Rule> {
    all_rules().into_iter().chain(wire::rules()).collect()
}

/// Says what a rule means; several kinds may have one of that name.
pub fn explain(global: &Global, id: &str) -> Result<ExitCode> {
    let rules: Vec<Rule> = every().into_iter().filter(|rule| rule.id == id).collect();
    if rules.is_empty() {
        let message = format!("no contract rule is called `{}`", id.escape_debug());
        return Err(BadInput::new(message, "`holdpoint contract rules` lists them").into());
    }
    global.print(&serde_json::json!({ "rules": rules }), || explained(&rules))?;
    Ok(ExitCode::Success)
}
