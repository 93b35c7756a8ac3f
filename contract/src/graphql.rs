//! GraphQL: what changed between two schemas in the schema definition language (spec.graphql.org), by the rules of
//! graphql-js. Lines aren't told: a type may be spread over files by extensions; its coordinate is.

mod compare;
mod read;
mod schema;
mod table;
#[cfg(test)]
mod tests;
mod values;

use crate::{ContractDiff, ContractError, Rule, Sources};

/// Compares two schemas, each all the `.graphql`, `.graphqls` and `.gql` files of a folder together.
///
/// # Errors
/// When a file can't be read or isn't GraphQL, or a side has no such file.
pub fn diff(base: &dyn Sources, revision: &dyn Sources) -> Result<ContractDiff, ContractError> {
    let base = read::schema(base)?;
    let revision = read::schema(revision)?;
    let mut comparison = compare::Comparison::new(&base, &revision);
    comparison.run();
    let changes = comparison.changes;
    let gaps = base.gaps.into_iter().chain(revision.gaps).collect();
    Ok(ContractDiff::with_gaps("graphql", changes, gaps))
}

/// All rules, with what they mean.
#[must_use]
pub fn rules() -> Vec<Rule> {
    table::rules()
}
