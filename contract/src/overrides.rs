//! What somebody sees otherwise: levels of rules, by path and operation, with a reason and a last day.

mod glob;

use holdpoint_schemas::contract_rule::{ContractLevel, ContractRule};
use holdpoint_schemas::{SourceError, Timestamp};
use serde::Serialize;

use crate::kind::all_rules;
use crate::{Change, ContractDiff, ContractError, DiffVerdict, Level};

/// Most rules of one configuration.
const MAX_RULES: usize = 1_000;

/// What became of one rule of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Override {
    /// The rule, as the configuration has it.
    #[serde(flatten)]
    pub rule: ContractRule,
    /// Changes whose level it set.
    pub changes: usize,
    /// Whether its last day is over, so that it no longer does anything.
    pub expired: bool,
}

/// A comparison with a configuration's levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The comparison.
    #[serde(flatten)]
    pub diff: ContractDiff,
    /// What the configuration did, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

impl Judged {
    /// What it says as a whole.
    #[must_use]
    pub fn verdict(&self) -> DiffVerdict {
        self.diff.verdict()
    }
}

impl From<ContractLevel> for Level {
    fn from(level: ContractLevel) -> Self {
        match level {
            ContractLevel::Error => Self::Error,
            ContractLevel::Warning => Self::Warning,
            ContractLevel::Info => Self::Info,
        }
    }
}

/// Checks that every rule of a configuration is one that some kind of contract has. `file` is its name for messages.
///
/// # Errors
/// When there are too many, or one isn't known; with the one that was probably meant.
pub fn check(file: &str, rules: &[ContractRule]) -> Result<(), ContractError> {
    if rules.len() > MAX_RULES {
        let message = format!("has {} contract rules; at most {MAX_RULES} are read", rules.len());
        return Err(SourceError::new(file, message).help("use paths with `**`").into());
    }
    let known = all_rules();
    for rule in rules {
        if known.iter().any(|known| known.id == rule.rule) {
            continue;
        }
        let near = known
            .iter()
            .map(|known| (strsim::damerau_levenshtein(&known.id, &rule.rule), &known.id))
            .min()
            .filter(|(distance, _)| *distance <= 2 + rule.rule.len() / 6);
        let help = match near {
            Some((_, id)) => format!("did you mean `{id}`?"),
            None => "`holdpoint contract rules` lists them".to_owned(),
        };
        let message = format!("no contract rule is called `{}`", rule.rule.escape_debug());
        return Err(SourceError::new(file, message).help(help).into());
    }
    Ok(())
}

/// Sets the levels that a configuration wants, as of a moment. Of several rules that fit a change the last one counts;
/// one whose last day is over counts no more. What could not be compared stays so, whatever the configuration says.
#[must_use]
pub fn judge(diff: ContractDiff, rules: &[ContractRule], at: Timestamp) -> Judged {
    let mut overrides: Vec<Override> = rules
        .iter()
        .map(|rule| Override {
            rule: rule.clone(),
            changes: 0,
            expired: rule.is_expired(at),
        })
        .collect();
    let ContractDiff {
        kind,
        mut changes,
        gaps,
        ..
    } = diff;
    for change in &mut changes {
        let fits = |known: &&mut Override| !known.expired && concerns(&known.rule, change);
        if let Some(found) = overrides.iter_mut().rev().find(fits) {
            change.level = found.rule.level.into();
            found.changes += 1;
        }
    }
    Judged {
        diff: ContractDiff::with_gaps(&kind, changes, gaps),
        overrides,
    }
}

/// Whether a rule is about a change.
fn concerns(rule: &ContractRule, change: &Change) -> bool {
    let operation = rule.operation.as_ref();
    rule.rule == change.rule
        && operation.is_none_or(|operation| operation.eq_ignore_ascii_case(&change.operation))
        && rule.path.as_ref().is_none_or(|path| glob::matches(path, &change.path))
}

#[cfg(test)]
mod tests;
