//! A table as policies: one for each row.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use holdpoint_schemas::fact::Action;
use holdpoint_schemas::{Level, SourceError};

use super::{DecisionTable, Row};
use crate::policy::{PolicySource, format};

/// What the table is for in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It permits: rows above alert permit the actions up to their level, rows on alert forbid.
    /// For a pack without permits of its own.
    Decides,
    /// It only withholds: each row forbids the actions above its level. For a pack that permits
    /// already, which the table then can't loosen. It must have no gaps.
    Caps,
}

/// The policies of a table, with the names of their files; formatted. `levels` says what each outcome
/// means; a row of an outcome that it lacks counts as alert.
///
/// Forbids are unknown-safe: while an input is unknown, every one of them holds.
///
/// # Errors
/// When a policy can't be laid out.
pub fn policies(
    table: &DecisionTable,
    role: Role,
    levels: &BTreeMap<String, Level>,
) -> Result<Vec<PolicySource>, Box<SourceError>> {
    table
        .rows
        .iter()
        .filter_map(|row| {
            let level = levels.get(&row.outcome).copied().unwrap_or(Level::Alert);
            policy(table, row, role, level)
        })
        .map(|source| {
            let text = format(&source)?;
            Ok(PolicySource { text, ..source })
        })
        .collect()
}

/// The policy of a row; `None` for one that withholds nothing in a table that only withholds.
fn policy(table: &DecisionTable, row: &Row, role: Role, level: Level) -> Option<PolicySource> {
    let up_to = |limit: Level| LADDER.into_iter().filter(move |(level, _)| *level <= limit);
    let above = |limit: Level| LADDER.into_iter().filter(move |(level, _)| *level > limit);
    let permits = role == Role::Decides && level > Level::Alert;
    let actions: Vec<&str> = if permits {
        up_to(level).map(|(_, action)| action.as_str()).collect()
    } else {
        above(level).map(|(_, action)| action.as_str()).collect()
    };
    let actions = match actions.as_slice() {
        [] => return None,
        [one] => format!("== Action::\"{one}\""),
        several => format!("in [Action::\"{}\"]", several.join("\", Action::\"")),
    };
    let chosen = || table.inputs.iter().zip(&row.choices);
    let known: Vec<String> = chosen()
        .map(|(input, _)| format!("context has {}", input.fact))
        .collect();
    let equal: Vec<String> = chosen()
        .filter_map(|(input, choice)| {
            let word = input.words.get(*choice)?;
            Some(format!("context.{} == \"{}\"", input.fact, escaped(word)))
        })
        .collect();
    let (known, equal) = (known.join(" && "), equal.join(" && "));
    let id = table.policy_id(row);
    let mut text = format!("@id(\"{id}\")\n@reason(\"{}\")\n", escaped(&table.reason(row)));
    // Writing to a string can't fail.
    let _ = if permits {
        write!(
            text,
            "permit (principal, action {actions}, resource)\nwhen {{ {known} && {equal} }};"
        )
    } else {
        write!(
            text,
            "@unknown(\"{}: not every input is known\")\nforbid (principal, action {actions}, resource)\n\
             unless {{ {known} && !({equal}) }};",
            escaped(&table.title())
        )
    };
    Some(PolicySource {
        path: format!("{id}.cedar"),
        text,
    })
}

/// Levels that take a permission, lowest first.
const LADDER: [(Level, Action); 2] = [(Level::Suggest, Action::Suggest), (Level::AutoApply, Action::AutoApply)];

/// Text for between quotes; [`super::read`] lets no control character through.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
