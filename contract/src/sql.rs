//! SQL: what migrations do to those who read and write the tables. Each side is a folder of `.sql` files; they are
//! run, in the order of their numbers, on an empty schema, and the two schemas that come out are compared. What a
//! statement does that isn't understood is a gap. What isn't compared, such as functions, triggers and rights, is noted
//! by its text, and is a gap where the two sides differ in it.

mod apply;
mod columns;
mod compare;
mod conditional;
mod constraints;
mod domains;
mod drops;
mod meaning;
mod notes;
mod read;
mod schema;
mod sections;
mod split;
mod table;
#[cfg(test)]
mod tests;
mod types;

use crate::{ContractDiff, ContractError, Rule, Sources};

/// Compares two schemas. Names are compared without regard to case unless they are quoted with `"`.
///
/// # Errors
/// When a file can't be read or split into words, or a side has no `.sql` file.
pub fn diff(base: &dyn Sources, revision: &dyn Sources) -> Result<ContractDiff, ContractError> {
    let base = read::schema(base)?;
    let revision = read::schema(revision)?;
    let mut comparison = compare::Comparison::new(&base, &revision);
    comparison.run();
    let changes = comparison.changes;
    let differing = notes::gaps(&base, &revision);
    let gaps = base.gaps.into_iter().chain(revision.gaps).chain(differing).collect();
    Ok(ContractDiff::with_gaps("sql", changes, gaps))
}

/// All rules, with what they mean.
#[must_use]
pub fn rules() -> Vec<Rule> {
    table::rules()
}
