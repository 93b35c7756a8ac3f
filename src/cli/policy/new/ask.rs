//! Asking on a terminal for what the command line leaves out.

use anyhow::{Context, Result};
use clap::ValueEnum;
use dialoguer::{Input, MultiSelect, Select};
use holdpoint_schemas::fact::{FactRow, FactTable, FactType};
use std::io::IsTerminal as _;

use super::ActionChoice;
use crate::pipeline::authoring::Template;
use crate::pipeline::packs::shipped;

/// Entries of a list that are shown at once.
const SHOWN: usize = 12;

/// Whoever can be asked; by default nobody.
#[derive(Debug, Default)]
pub(super) struct Asking {
    terminal: bool,
}

impl Asking {
    /// Someone at a terminal, if there is one on both ends.
    pub(super) fn on_terminal() -> Option<Self> {
        let there = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        there.then_some(Self { terminal: true })
    }

    pub(super) const fn is_silent(&self) -> bool {
        !self.terminal
    }

    /// The text that was given, else what is answered.
    pub(super) fn text(&self, given: Option<&str>, prompt: &str) -> Result<String> {
        match given {
            Some(text) => Ok(text.to_owned()),
            None => Ok(Input::<String>::new()
                .with_prompt(prompt)
                .interact_text()
                .context("asking")?),
        }
    }

    /// The pack that a new pack is a layer on.
    pub(super) fn base(&self) -> Result<Option<String>> {
        if self.is_silent() {
            return Ok(None);
        }
        let packs = shipped();
        let choices = std::iter::once("nothing: a pack of its own".to_owned()).chain(packs.iter().cloned());
        let chosen = choose("The pack is new. It extends", &choices.collect::<Vec<_>>())?;
        Ok(chosen.checked_sub(1).and_then(|index| packs.get(index).cloned()))
    }

    pub(super) fn template(&self) -> Result<Template> {
        one_of("What kind of rule", Template::value_variants())
    }

    pub(super) fn action(&self) -> Result<ActionChoice> {
        one_of("What it is about", ActionChoice::value_variants())
    }

    /// A fact, by its doc line.
    pub(super) fn fact(&self, facts: &FactTable) -> Result<String> {
        let rows: Vec<&FactRow> = facts.rows().collect();
        let choices: Vec<String> = rows.iter().map(|row| format!("{:<34} {}", row.id, row.doc)).collect();
        let chosen = choose("The fact that it is about", &choices)?;
        Ok(rows.get(chosen).map_or_else(String::new, |row| row.id.to_owned()))
    }

    /// The values of a fact that are safe.
    pub(super) fn values(&self, row: &FactRow) -> Result<Vec<String>> {
        let words: Vec<&str> = match row.fact_type {
            FactType::Bool => vec!["yes", "no"],
            FactType::Word(words) => words.to_vec(),
            kind => {
                let prompt = format!(
                    "Values of {} that are safe ({}; separate them by commas)",
                    row.id,
                    kind.describe()
                );
                let text = self.text(None, &prompt)?;
                return Ok(text.split(',').map(|value| value.trim().to_owned()).collect());
            }
        };
        let chosen = MultiSelect::new()
            .with_prompt(format!("Values of {} that are safe (space selects)", row.id))
            .items(&words)
            .interact()
            .context("asking")?;
        Ok(chosen
            .into_iter()
            .filter_map(|index| words.get(index))
            .map(|word| (*word).to_owned())
            .collect())
    }
}

fn choose(prompt: &str, choices: &[String]) -> Result<usize> {
    Select::new()
        .with_prompt(prompt)
        .items(choices)
        .default(0)
        .max_length(SHOWN)
        .interact()
        .context("asking")
}

fn one_of<T: ValueEnum + Copy>(prompt: &str, variants: &[T]) -> Result<T> {
    let describe = |variant: &T| {
        let value = variant.to_possible_value();
        value.map_or_else(String::new, |value| {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            format!("{:<20} {help}", value.get_name())
        })
    };
    let chosen = choose(prompt, &variants.iter().map(describe).collect::<Vec<_>>())?;
    variants.get(chosen).copied().context("asking")
}
