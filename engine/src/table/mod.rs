//! Decision tables, such as SSVC's: each row maps a value of every input to an outcome. They are read
//! from CSV ([`read`]) and written as policies on an organisation's own facts ([`policies`]).

mod cases;
mod policies;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::Level;

pub use cases::{Strictness, cases};
pub use policies::{Role, policies};
pub use read::read;

/// A table with every row's inputs known and no two rows alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionTable {
    /// Its id: lower-case letters, digits and hyphens. Policy and fact ids begin with it.
    pub id: String,
    /// Its inputs, in the order of their columns. Never empty.
    pub inputs: Vec<Input>,
    /// Its rows, in the order of the file. Never empty.
    pub rows: Vec<Row>,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What its column is called in the file.
    pub header: String,
    /// Id of the fact that it became, for example `org.supplier.technical_impact`.
    pub fact: String,
    /// Its values, in the order in which the file first names them.
    pub words: Vec<String>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What the column `row` says, else the row's number, counted from 1.
    pub label: String,
    /// Line of the file, 1-based.
    pub line: usize,
    /// For each input, which of its words.
    pub choices: Vec<usize>,
    /// Outcome.
    pub outcome: String,
}

/// Combinations of inputs that no row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gaps {
    /// How many.
    pub count: u128,
    /// The first of them, as words in the order of the inputs.
    pub first: Vec<Vec<String>>,
}

/// How many gaps are shown.
const GAPS_SHOWN: usize = 3;

impl DecisionTable {
    /// Outcomes that its rows name.
    #[must_use]
    pub fn outcomes(&self) -> BTreeSet<&str> {
        self.rows.iter().map(|row| row.outcome.as_str()).collect()
    }

    /// The level of each outcome: the one that `given` says, else the one that it is the name of.
    ///
    /// # Errors
    /// Outcomes without a level.
    pub fn levels(&self, given: &BTreeMap<String, Level>) -> Result<BTreeMap<String, Level>, Vec<String>> {
        let mut levels = BTreeMap::new();
        let mut without = Vec::new();
        for outcome in self.outcomes() {
            let named = Level::ALL.into_iter().find(|level| level.as_str() == outcome);
            match given.get(outcome).copied().or(named) {
                Some(level) => drop(levels.insert(outcome.to_owned(), level)),
                None => without.push(outcome.to_owned()),
            }
        }
        if without.is_empty() { Ok(levels) } else { Err(without) }
    }

    /// What no row is about.
    #[must_use]
    pub fn gaps(&self) -> Gaps {
        let sizes: Vec<usize> = self.inputs.iter().map(|input| input.words.len()).collect();
        let all = sizes.iter().fold(1_u128, |all, size| all.saturating_mul(*size as u128));
        let count = all.saturating_sub(self.rows.len() as u128);
        let rows: BTreeSet<&[usize]> = self.rows.iter().map(|row| row.choices.as_slice()).collect();
        let mut first = Vec::new();
        let mut choices = vec![0; sizes.len()];
        // At most as many steps as there are rows, and those few that are shown.
        while (first.len() as u128) < count.min(GAPS_SHOWN as u128) {
            if !rows.contains(choices.as_slice()) {
                first.push(self.words(&choices));
            }
            if !advance(&mut choices, &sizes) {
                break;
            }
        }
        Gaps { count, first }
    }

    /// The name of its table for people: the id as words.
    #[must_use]
    pub fn title(&self) -> String {
        let words = self.id.replace('-', " ");
        let mut letters = words.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).chain(" table".chars()).collect()
        })
    }

    /// Id of the policy of a row.
    #[must_use]
    pub fn policy_id(&self, row: &Row) -> String {
        format!("{}-row-{}", self.id, row.label)
    }

    /// Reason that the policy of a row gives.
    #[must_use]
    pub fn reason(&self, row: &Row) -> String {
        format!("{}, row {}: {}", self.title(), row.label, row.outcome)
    }

    fn words(&self, choices: &[usize]) -> Vec<String> {
        let words = self.inputs.iter().zip(choices);
        words
            .filter_map(|(input, choice)| input.words.get(*choice).cloned())
            .collect()
    }
}

/// The next combination, the last input changing fastest; `false` after the last one.
fn advance(choices: &mut [usize], sizes: &[usize]) -> bool {
    for (choice, size) in choices.iter_mut().zip(sizes).rev() {
        *choice += 1;
        if *choice < *size {
            return true;
        }
        *choice = 0;
    }
    false
}

#[cfg(test)]
mod tests;
