//! What a table says, as cases that its pack is tested with.

use std::collections::BTreeMap;

use holdpoint_schemas::Level;
use holdpoint_schemas::fact::FactValue;
use holdpoint_schemas::pack::{Case, CaseFile};

use super::{DecisionTable, Role, Row};

/// How much a case may say about the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// The pack holds nothing else: the level is that of the row.
    Exact,
    /// Other policies may lower it.
    AtMost,
}

/// One case for each row, and for each input one in which it is missing from the most permissive row.
#[must_use]
pub fn cases(table: &DecisionTable, role: Role, strictness: Strictness, levels: &BTreeMap<String, Level>) -> CaseFile {
    let level = |row: &Row| levels.get(&row.outcome).copied().unwrap_or(Level::Alert);
    let rows = table.rows.iter().map(|row| {
        let says_why = level(row) < Level::AutoApply && (role == Role::Caps || level(row) == Level::Alert);
        Case {
            name: table.reason(row),
            given: given(table, row),
            reasons: says_why.then(|| table.reason(row)).into_iter().collect(),
            ..expect(strictness, level(row))
        }
    });
    let lowest = table.rows.iter().map(level).min().unwrap_or(Level::Alert);
    // What permits needs all inputs; what only withholds falls to the lowest row.
    let blind = match role {
        Role::Decides => Level::Alert,
        Role::Caps => lowest,
    };
    let highest = table.rows.iter().max_by_key(|row| level(row));
    let missing = highest.into_iter().flat_map(|row| {
        table.inputs.iter().map(move |input| {
            let mut given = given(table, row);
            given.remove(&input.fact);
            Case {
                name: format!("{}, row {} without {}", table.title(), row.label, input.fact),
                given,
                ..expect(strictness, blind)
            }
        })
    });
    CaseFile {
        facts: BTreeMap::new(),
        cases: rows.chain(missing).collect(),
    }
}

fn expect(strictness: Strictness, level: Level) -> Case {
    match strictness {
        Strictness::Exact => Case {
            level: Some(level),
            ..Case::default()
        },
        Strictness::AtMost => Case {
            at_most: Some(level),
            ..Case::default()
        },
    }
}

fn given(table: &DecisionTable, row: &Row) -> BTreeMap<String, FactValue> {
    let chosen = table.inputs.iter().zip(&row.choices);
    chosen
        .filter_map(|(input, choice)| Some((input.fact.clone(), input.words.get(*choice)?.as_str().into())))
        .collect()
}
