//! The facts that a pack's policies may read.

use anyhow::Result;
use holdpoint_engine::policy::PolicySource;
use holdpoint_intake::estate::read_org_facts;
use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::{FactRow, FactTable};
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
/// proved by itself. One that is declared already must be declared alike: what is proved of it rests on all
/// of the declaration but its words for people.
pub(super) fn with_own(place: &Place, facts: &FactTable) -> Result<FactTable, Vec<SourceError>> {
    let (files, errors) = place.files(FACTS_FOLDER, &["yaml", "yml"]);
    if !errors.is_empty() {
        return Err(errors);
    }
    let texts: Vec<(&str, &str)> = files
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let declared = read_org_facts(&texts, None).map_err(|error| vec![*error])?;
    let mut added = Vec::new();
    let mut errors = Vec::new();
    for row in declared.table.rows().filter(|row| row.id.starts_with("org.")) {
        match facts.row(row.id) {
            None => added.push(*row),
            Some(there) => errors.extend(difference(there, row).map(|difference| {
                let message = format!("`{}` is declared elsewhere too, {difference}", row.id);
                let error = in_files(&files, row.id, message)
                    .unwrap_or_else(|message| SourceError::new(place.label(FACTS_FOLDER), message));
                error.help("declare it alike, or rename one of the two")
            })),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    facts.with_org(added).map_err(|id| {
        let error = SourceError::new(place.label(FACTS_FOLDER), format!("`{id}` clashes with another fact"));
        vec![error.help("rename one of the two")]
    })
}

/// What the declaration that is there has otherwise, and matters to policies, proofs or decisions.
fn difference(there: &FactRow, row: &FactRow) -> Option<String> {
    if there.fact_type != row.fact_type {
        return Some(format!("as {}", there.fact_type.describe()));
    }
    if there.evidence_order != row.evidence_order {
        let with = if there.evidence_order.is_empty() {
            "without"
        } else {
            "with"
        };
        return Some(format!("{with} a `best` value"));
    }
    if there.ttl_seconds != row.ttl_seconds {
        return Some(match there.ttl_seconds {
            Some(seconds) => format!("with `ttl_days: {}`", seconds / 86_400),
            None => "without `ttl_days`".to_owned(),
        });
    }
    if there.resolver != row.resolver {
        return Some(format!("with the resolver `{}`", there.resolver));
    }
    (there.actions != row.actions).then(|| "for other actions".to_owned())
}

/// An error where the files declare the fact.
fn in_files(files: &[PolicySource], id: &str, message: String) -> Result<SourceError, String> {
    let is_id = |part: &str| part.trim_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '.') == id;
    let found = files.iter().find_map(|file| {
        file.text.lines().enumerate().find_map(|(index, line)| {
            // Not in a comment, and the whole word: `org.a` isn't `org.ab`.
            let line = line.split('#').next().unwrap_or_default();
            line.split_whitespace().find(|part| is_id(part))?;
            let column = line.get(..line.find(id)?)?.chars().count() + 1;
            Some((file, index + 1, column))
        })
    });
    match found {
        Some((file, line, column)) => Ok(SourceError::new(&file.path, message).at(&file.text, line, column)),
        None => Err(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = "facts:\n  - id: org.cover\n    type: [none, full]\n    doc: A fact.\n    resolver: QA\n    \
        best: full\n    ttl_days: 7\n    observed: 2026-11-01\n";

    fn with(text: &str) -> Result<FactTable, Vec<SourceError>> {
        let estate = read_org_facts(&[("facts.d/a.yaml", DECLARED)], None).unwrap().table;
        let folder = tempfile::tempdir().unwrap();
        let facts = folder.path().join(FACTS_FOLDER);
        std::fs::create_dir(&facts).unwrap();
        std::fs::write(facts.join("own.yaml"), text).unwrap();
        std::fs::write(folder.path().join("p.cedar"), "").unwrap();
        let place = Place::find(folder.path(), ".").unwrap();
        with_own(&place, &estate)
    }

    #[test]
    fn a_fact_declared_twice_must_be_declared_alike_in_all_that_matters() {
        let same = with(&DECLARED.replace("A fact.", "Told otherwise.")).unwrap();
        assert_eq!(same.row("org.cover").unwrap().doc, "A fact.");
        let cases = [
            ("[none, full]", "[none, part, full]", "as one of `none`, `full`"),
            ("    best: full\n", "", "with a `best` value"),
            ("ttl_days: 7", "ttl_days: 8", "with `ttl_days: 7`"),
            ("resolver: QA", "resolver: somebody", "with the resolver `QA`"),
        ];
        for (from, to, expected) in cases {
            let text = DECLARED.replace(from, to);
            let [error] = with(&text).unwrap_err().try_into().unwrap();
            let line = SourceError::one_line(&error);
            assert!(line.contains("own.yaml:2:9"), "{line}");
            assert!(line.contains(&format!("elsewhere too, {expected}")), "{line}");
            assert!(error.help.unwrap().contains("declare it alike"));
        }
    }
}
