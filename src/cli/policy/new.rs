//! `holdpoint policy new`

mod ask;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, ValueEnum};
use holdpoint_schemas::Level;
use holdpoint_schemas::fact::Action;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::{Cli, Global};
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::text::count;
use crate::pipeline::authoring::{Draft, Import, Rule, Template, Workspace, Written, create, import, table_id};
use crate::pipeline::estate::{CONFIG_FILE, read_bytes};
use ask::Asking;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Id of the policy, as in `code-freeze`; of the table with `--from-table`
    id: Option<String>,
    /// Folder of the pack; a new one is made where there is none
    #[arg(long, value_name = "DIR")]
    pack: Option<String>,
    /// The pack that a new pack is a layer on: a shipped one, or a folder relative to the new one
    #[arg(long, value_name = "PACK")]
    extends: Option<String>,
    /// What kind of rule
    #[arg(long, value_enum)]
    template: Option<Template>,
    /// The fact that the rule is about, as in `service.tier`
    #[arg(long, value_name = "FACT")]
    fact: Option<String>,
    /// A value of the fact that is safe; for a number also a bound, as in `>=2`
    #[arg(long, value_name = "VALUE", num_args = 1.., allow_negative_numbers = true)]
    safe: Vec<String>,
    /// For a set: a word that makes it unsafe
    #[arg(long, value_name = "WORD", num_args = 1..)]
    without: Vec<String>,
    /// What the rule permits or forbids
    #[arg(long, value_enum)]
    action: Option<ActionChoice>,
    /// One sentence that people are shown; when loosening, why
    #[arg(long)]
    reason: Option<String>,
    /// One sentence for when the fact is unknown
    #[arg(long)]
    unknown: Option<String>,
    /// What would lift it
    #[arg(long)]
    unlock: Option<String>,
    /// Import a decision table instead: CSV with one row for each combination, the outcome last
    #[arg(long, value_name = "FILE", conflicts_with_all = ["template", "fact", "safe", "without", "action", "reason", "unknown", "unlock"])]
    from_table: Option<PathBuf>,
    /// Level of an outcome of the table, as in `immediate=auto-apply`
    #[arg(long, value_name = "OUTCOME=LEVEL", requires = "from_table", value_parser = outcome)]
    outcome: Vec<(String, Level)>,
}

/// What a rule is about, as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ActionChoice {
    /// Opening a pull request
    Suggest,
    /// Merging without asking
    #[value(alias = "auto-apply")]
    #[value(name = "autoApply")]
    AutoApply,
    /// Merging once a person approved
    Promote,
    /// All three
    All,
}

impl ActionChoice {
    fn actions(self) -> Vec<Action> {
        match self {
            Self::Suggest => vec![Action::Suggest],
            Self::AutoApply => vec![Action::AutoApply],
            Self::Promote => vec![Action::Promote],
            Self::All => Action::ALL.to_vec(),
        }
    }
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let written = match &arguments.from_table {
        Some(file) => table(global, arguments, file)?,
        None => rule(global, arguments)?,
    };
    global.print(&written, || human(&written))?;
    Ok(ExitCode::Success)
}

fn human(written: &Written) -> String {
    /// More files than these are told as a number.
    const MAX_LISTED: usize = 6;
    let mut lines: Vec<String> = written
        .created
        .iter()
        .take(MAX_LISTED)
        .map(|file| format!("wrote {file}"))
        .collect();
    if let Some(more) = written.created.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        lines.push(format!("wrote {}", count(more, "more file", "more files")));
    }
    lines.extend(written.extended.iter().map(|file| format!("extended {file}")));
    lines.extend(written.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

fn rule(global: &Global, arguments: &Arguments) -> Result<Written> {
    let asking = Asking::on_terminal();
    require(arguments, asking.is_some());
    let asking = asking.unwrap_or_default();
    let pack = asking.text(arguments.pack.as_deref(), "Folder of the pack")?;
    let extends = match (&arguments.extends, Path::new(&pack).exists()) {
        (None, false) => asking.base()?,
        (given, _) => given.clone(),
    };
    let workspace = Workspace::open(&pack, extends.as_deref(), super::facts(global)?)?;
    let template = match arguments.template {
        Some(template) => template,
        None => asking.template()?,
    };
    let id = asking.text(arguments.id.as_deref(), "Id of the policy, as in `code-freeze`")?;
    let fact = match (&arguments.fact, template) {
        (None, Template::Relax) => None,
        (Some(fact), _) => Some(fact.clone()),
        (None, _) => Some(asking.fact(workspace.facts())?),
    };
    let rule = match &fact {
        None => None,
        Some(fact) => Some(condition(&asking, arguments, template, &workspace, fact)?),
    };
    let action = match (arguments.action, template) {
        (_, Template::Relax) => ActionChoice::All,
        (Some(action), _) => action,
        (None, _) if asking.is_silent() => ActionChoice::AutoApply,
        (None, _) => asking.action()?,
    };
    let reason = asking.text(
        arguments.reason.as_deref(),
        match template {
            Template::Relax => "Why may it be loosened",
            _ => "Reason that people are shown",
        },
    )?;
    let draft = Draft {
        id,
        template,
        rule,
        actions: action.actions(),
        reason,
        unknown: arguments.unknown.clone(),
        unlock: arguments.unlock.clone(),
    };
    create(&workspace, draft)
}

fn condition(
    asking: &Asking,
    arguments: &Arguments,
    template: Template,
    workspace: &Workspace,
    fact: &str,
) -> Result<Rule> {
    let Some(row) = workspace.facts().row(fact) else {
        let family = fact.split('.').next().unwrap_or_default();
        let alike = workspace
            .facts()
            .rows()
            .map(|row| row.id)
            .filter(|id| id.split('.').next() == Some(family));
        let alike: Vec<&str> = alike.collect();
        let help = if alike.is_empty() {
            "facts and their types are in `schemas/holdpoint.cedarschema`".to_owned()
        } else {
            format!("the facts of that family are {}", alike.join(", "))
        };
        return Err(BadInput::new(format!("there is no fact `{fact}`"), help).into());
    };
    let mut safe = arguments.safe.clone();
    if safe.is_empty() && arguments.without.is_empty() {
        safe = match template {
            // What is frozen, contested or broken is a yes.
            Template::FreezeLike => vec!["no".to_owned()],
            _ => asking.values(row)?,
        };
    }
    Rule::parse(*row, &safe, &arguments.without)
        .map_err(|why| BadInput::new(why, "say with `--safe` which values are safe").into())
}

/// Ends with a usage error that names every option that is missing and can't be asked for.
fn require(arguments: &Arguments, can_ask: bool) {
    if can_ask {
        return;
    }
    let needs_fact = arguments.template != Some(Template::Relax);
    let needs_values =
        needs_fact && arguments.template != Some(Template::FreezeLike) || arguments.fact.is_some() && !needs_fact;
    let has_values = !arguments.safe.is_empty() || !arguments.without.is_empty();
    let missing: Vec<&str> = [
        ("<ID>", arguments.id.is_none()),
        ("--pack <DIR>", arguments.pack.is_none()),
        ("--template <TEMPLATE>", arguments.template.is_none()),
        ("--fact <FACT>", needs_fact && arguments.fact.is_none()),
        ("--safe <VALUE>", needs_values && !has_values),
        (
            "--action <ACTION>",
            arguments.template == Some(Template::Permit) && arguments.action.is_none(),
        ),
        ("--reason <REASON>", arguments.reason.is_none()),
    ]
    .into_iter()
    .filter_map(|(option, is_missing)| is_missing.then_some(option))
    .collect();
    if !missing.is_empty() {
        usage(&format!(
            "missing, and there is no terminal to ask on: {}",
            missing.join(", ")
        ));
    }
}

/// Ends the process as clap does when the command line isn't right.
fn usage(message: &str) -> ! {
    Cli::command().error(ErrorKind::MissingRequiredArgument, message).exit()
}

fn table(global: &Global, arguments: &Arguments, file: &Path) -> Result<Written> {
    let Some(pack) = &arguments.pack else {
        usage("missing: --pack <DIR>");
    };
    if !global.estate.join(CONFIG_FILE).exists() {
        usage(&format!(
            "the table's inputs become facts of an estate, but there is no `{CONFIG_FILE}` in `{}`: name the estate with `--estate`",
            global.estate.display()
        ));
    }
    let path = file.display().to_string();
    let bytes = read_bytes(Path::new("."), &path)?;
    let mut outcomes = BTreeMap::new();
    for (outcome, level) in &arguments.outcome {
        if outcomes
            .insert(outcome.clone(), *level)
            .is_some_and(|other| other != *level)
        {
            usage(&format!("`--outcome` says two levels for `{outcome}`"));
        }
    }
    let table = Import {
        id: arguments.id.clone().unwrap_or_else(|| table_id(file)),
        path: &path,
        bytes: &bytes,
        outcomes,
        estate: &global.estate,
    };
    let without = table.without_level()?;
    if !without.is_empty() {
        usage(&format!(
            "these outcomes of the table have no level: {}\n  say one for each, as in --outcome \"{}=suggest\"",
            without.join(", "),
            without.first().map_or("", String::as_str)
        ));
    }
    let workspace = Workspace::open(pack, arguments.extends.as_deref(), super::facts(global)?)?;
    import(workspace, &table)
}

fn outcome(text: &str) -> Result<(String, Level), String> {
    let (outcome, level) = text.rsplit_once('=').ok_or("expected OUTCOME=LEVEL")?;
    let known = Level::ALL.into_iter().find(|known| known.as_str() == level.trim());
    let level = known.ok_or_else(|| format!("`{level}` is no level: expected alert, suggest or auto-apply"))?;
    Ok((outcome.trim().to_owned(), level))
}
