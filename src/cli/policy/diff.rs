//! `holdpoint policy diff`

use anyhow::Result;
use clap::Args;
use holdpoint_engine::policy::Pack;
use holdpoint_proof::{Outcome, Relation, compare};
use holdpoint_schemas::fact::{Action, FactRow};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

use super::named;
use super::verify::SolverArguments;
use crate::cli::{Format, Global, print_line};
use crate::exit_code::ExitCode;
use crate::output::json::to_text;
use crate::output::proofs::{Example, cases_yaml};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder of the pack as it was, or the name of a shipped one
    old: String,
    /// Folder of the pack as it is to be, or the name of a shipped one
    new: String,
    #[command(flatten)]
    solver: SolverArguments,
    /// Exit with 11 if anything more is permitted
    #[arg(long)]
    fail_if_looser: bool,
}

/// How one action's answers differ.
#[derive(Debug, Serialize)]
struct ActionDocument {
    action: &'static str,
    relation: &'static str,
    /// Permitted by the new pack, not by the old one.
    newly_permitted: Option<Example>,
    /// Permitted by the old pack, not by the new one.
    newly_withheld: Option<Example>,
    /// What couldn't be proved.
    inconclusive: Vec<String>,
    #[serde(skip)]
    is: Relation,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let old = named(global, &arguments.old)?.pack;
    let new = named(global, &arguments.new)?.pack;
    let solver = match arguments.solver.find() {
        Ok(solver) => solver,
        Err(missing) => {
            let why = format!("{missing}; {}", missing.help);
            global.print(&json!({ "relation": "inconclusive", "why": why }), || {
                format!("inconclusive: {why}")
            })?;
            return Ok(ExitCode::Inconclusive);
        }
    };
    let comparison = compare(&solver, &old, &new).await;
    let actions: Vec<ActionDocument> = comparison
        .actions
        .iter()
        .map(|difference| {
            let newly_permitted = example(
                &difference.no_looser,
                "what only the new pack permits",
                difference.action,
                &new,
            );
            let newly_withheld = example(
                &difference.no_stricter,
                "what only the old pack permits",
                difference.action,
                &new,
            );
            let both = [&difference.no_looser, &difference.no_stricter];
            ActionDocument {
                action: difference.action.as_str(),
                relation: word(difference.relation()),
                newly_permitted,
                newly_withheld,
                inconclusive: both.into_iter().filter_map(open).collect(),
                is: difference.relation(),
            }
        })
        .collect();
    let whole = overall(&actions);
    match global.format {
        Format::Human => print_line(&human(whole, &actions, &old, &new)?)?,
        _ => {
            let document = json!({
                "relation": word(whole),
                "policies": Changes::of_policies(&old, &new),
                "facts": Changes::of_facts(&old, &new),
                "actions": actions,
            });
            print_line(to_text(&document)?.trim_end())?;
        }
    }
    let looser = actions.iter().any(|action| action.newly_permitted.is_some());
    Ok(match whole {
        _ if looser && arguments.fail_if_looser => ExitCode::Failed,
        Relation::Inconclusive => ExitCode::Inconclusive,
        _ => ExitCode::Success,
    })
}

fn example(outcome: &Outcome, what: &str, action: Action, new: &Pack) -> Option<Example> {
    match outcome {
        Outcome::Refuted(found) => Some(Example::of(found, &format!("{what} under `{}`", action.as_str()), new)),
        _ => None,
    }
}

fn open(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Inconclusive(why) => Some(why.clone()),
        _ => None,
    }
}

const fn word(relation: Relation) -> &'static str {
    match relation {
        Relation::Equivalent => "equivalent",
        Relation::Stricter => "stricter",
        Relation::Looser => "looser",
        Relation::Different => "different",
        Relation::Inconclusive => "inconclusive",
    }
}

/// Over all actions: what is looser under one and stricter under another is different.
fn overall(actions: &[ActionDocument]) -> Relation {
    let looser = actions.iter().any(|action| action.newly_permitted.is_some());
    let stricter = actions.iter().any(|action| action.newly_withheld.is_some());
    let open = actions.iter().any(|action| action.is == Relation::Inconclusive);
    match (looser, stricter) {
        (true, true) => Relation::Different,
        _ if open => Relation::Inconclusive,
        (true, false) => Relation::Looser,
        (false, true) => Relation::Stricter,
        (false, false) => Relation::Equivalent,
    }
}

/// Which policies, or declarations of facts, were added, removed and changed, by id.
#[derive(Debug, Serialize)]
struct Changes<'a> {
    added: BTreeSet<&'a str>,
    removed: BTreeSet<&'a str>,
    changed: BTreeSet<&'a str>,
}

impl<'a> Changes<'a> {
    fn of_policies(old: &'a Pack, new: &'a Pack) -> Self {
        let texts = |pack: &'a Pack| -> BTreeMap<&'a str, String> {
            pack.cedar()
                .map(|(info, policy)| (info.id.as_str(), policy.to_string()))
                .collect()
        };
        Self::between(&texts(old), &texts(new))
    }

    fn of_facts(old: &'a Pack, new: &'a Pack) -> Self {
        let rows = |pack: &'a Pack| -> BTreeMap<&'a str, FactRow> {
            pack.fact_table().rows().map(|row| (row.id, *row)).collect()
        };
        Self::between(&rows(old), &rows(new))
    }

    fn between<T: PartialEq>(old: &BTreeMap<&'a str, T>, new: &BTreeMap<&'a str, T>) -> Self {
        let only_in = |one: &BTreeMap<&'a str, T>, other: &BTreeMap<&'a str, T>| {
            one.keys().copied().filter(|id| !other.contains_key(id)).collect()
        };
        let both = old.iter().filter_map(|(id, before)| Some((*id, before, new.get(id)?)));
        Self {
            added: only_in(new, old),
            removed: only_in(old, new),
            changed: both
                .filter(|(_, before, after)| before != after)
                .map(|(id, ..)| id)
                .collect(),
        }
    }

    /// In words; `None` if nothing differs.
    fn human(&self) -> Option<String> {
        let kinds = [
            ("added", &self.added),
            ("removed", &self.removed),
            ("changed", &self.changed),
        ];
        let parts = kinds.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(what, ids)| {
            let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
            format!("{what} {}", ids.join(", "))
        });
        let parts: Vec<String> = parts.collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

fn human(whole: Relation, actions: &[ActionDocument], old: &Pack, new: &Pack) -> Result<String> {
    let sentence = match whole {
        Relation::Equivalent => "equivalent: the two packs give the same answers to everything, proved",
        Relation::Stricter => "stricter: the new pack permits less, and nothing more, proved",
        Relation::Looser => "looser: the new pack permits more, and nothing less, proved",
        Relation::Different => "different: the new pack permits more here and less there",
        Relation::Inconclusive => "inconclusive: not all of it could be proved",
    };
    let policies = Changes::of_policies(old, new).human();
    let policies = policies.unwrap_or_else(|| "no policy's text differs".to_owned());
    let facts = Changes::of_facts(old, new).human();
    let facts = facts.map_or_else(String::new, |facts| format!("\nfacts: {facts}"));
    let mut blocks = vec![format!("{sentence}\npolicies: {policies}{facts}")];
    for action in actions {
        let mut lines = vec![format!("{}: {}", action.action, action.relation)];
        let examples = [
            ("newly permitted, for example", &action.newly_permitted),
            ("no longer permitted, for example", &action.newly_withheld),
        ];
        for (title, example) in examples {
            if let Some(example) = example {
                lines.push(format!("  {title}"));
                lines.extend(example.human().lines().map(|line| format!("    {line}")));
            }
        }
        lines.extend(action.inconclusive.iter().map(|why| format!("  inconclusive: {why}")));
        blocks.push(lines.join("\n"));
    }
    let looser: Vec<&Example> = actions
        .iter()
        .filter_map(|action| action.newly_permitted.as_ref())
        .collect();
    if !looser.is_empty() {
        blocks.push(format!(
            "As cases that hold for the old pack and fail for the new one:\n\n{}",
            cases_yaml(looser.into_iter())?
        ));
    }
    Ok(blocks.join("\n\n"))
}
