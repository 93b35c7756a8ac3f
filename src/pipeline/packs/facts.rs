//! The facts that a pack's policies may read.

use anyhow::Result;
use holdpoint_intake::estate::read_org_facts;
use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::FactTable;
use std::path::Path;

use super::Place;
use crate::pipeline::estate::{FACTS_FOLDER, org_facts};

/// The shipped facts and those that the estate in `root` declares.
///
/// # Errors
/// When its declarations can't be used.
pub fn of_estate(root: &Path) -> Result<FactTable> {
    Ok(org_facts(root, None)?.table)
}

/// The facts with those that a pack brings along, in a folder like the estate's: so it can be tested and
/// proved by itself. One that is declared already must be of the same type.
pub(super) fn with_own(place: &Place, facts: &FactTable) -> Result<FactTable, Vec<SourceError>> {
    let (files, errors) = place.files(FACTS_FOLDER, &["yaml", "yml"]);
    if !errors.is_empty() {
        return Err(errors);
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let declared = read_org_facts(&files, None).map_err(|error| vec![*error])?;
    let mut added = Vec::new();
    for row in declared.table.rows().filter(|row| row.id.starts_with("org.")) {
        match facts.row(row.id) {
            None => added.push(*row),
            Some(there) if there.fact_type == row.fact_type => {}
            Some(there) => {
                let message = format!(
                    "`{}` is declared elsewhere too, as {}",
                    row.id,
                    there.fact_type.describe()
                );
                let error = SourceError::new(place.label(FACTS_FOLDER), message);
                return Err(vec![error.help("declare it alike, or rename one of the two")]);
            }
        }
    }
    facts.with_org(added).map_err(|id| {
        let error = SourceError::new(place.label(FACTS_FOLDER), format!("`{id}` clashes with another fact"));
        vec![error.help("rename one of the two")]
    })
}
