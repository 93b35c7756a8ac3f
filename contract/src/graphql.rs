//! GraphQL: what changed between two schemas in the schema definition language (spec.graphql.org), by the rules of
//! graphql-js.

mod compare;
mod read;
mod schema;
mod table;
#[cfg(test)]
mod tests;
mod values;

use crate::{Change, ContractDiff, ContractError, Rule, Sources};

/// Compares two schemas, each all the `.graphql`, `.graphqls` and `.gql` files of a folder together.
///
/// # Errors
/// When a file can't be read or isn't GraphQL, or a side has no such file.
pub fn diff(base: &dyn Sources, revision: &dyn Sources) -> Result<ContractDiff, ContractError> {
    let base = read::schema(base)?;
    let revision = read::schema(revision)?;
    let mut comparison = compare::Comparison::new(&base, &revision);
    comparison.run();
    let mut changes = comparison.changes;
    for change in &mut changes {
        place(change, &base, &revision);
    }
    let gaps = base.gaps.into_iter().chain(revision.gaps).collect();
    Ok(ContractDiff::with_gaps("graphql", changes, gaps))
}

/// Adds where a change stands: of an argument that is where its field does.
fn place(change: &mut Change, base: &schema::Schema, revision: &schema::Schema) {
    let member = change.location.split('(').next().unwrap_or_default();
    let of = |schema: &schema::Schema, name: &str| schema.places.get(name).cloned();
    let found = [member, change.path.as_str()].into_iter().find_map(|name| {
        let after = of(revision, name).map(|place| (place, false));
        after.or_else(|| of(base, name).map(|place| (place, true)))
    });
    if let Some(((file, line), in_base)) = found {
        change.file = Some(file);
        change.line = Some(line);
        change.in_base = in_base;
    }
}

/// All rules, with what they mean.
#[must_use]
pub fn rules() -> Vec<Rule> {
    table::rules()
}
