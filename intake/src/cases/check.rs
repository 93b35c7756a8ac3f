//! What must hold of a case, beyond the shape of its file.

use holdpoint_schemas::fact::{FactTable, FactType, FactValue};
use holdpoint_schemas::pack::Answer;
use holdpoint_schemas::{Level, SourceError};
use serde_yaml::Spanned;

use super::{File, RawCase};

/// Most edits between a misspelt name and the one that is proposed.
const MAX_EDITS: usize = 4;

/// What is wrong with a case by itself.
pub(super) fn case(file: &File<'_>, case: &RawCase, table: &FactTable, errors: &mut Vec<SourceError>) {
    for (id, value) in &case.given {
        errors.extend(fact(file, id, value, table));
    }
    for id in &case.unknown {
        if table.row(&id.value).is_none() {
            let message = format!("there is no fact `{}`", id.value);
            errors.push(file.error(id.referenced, message, known_facts(&id.value, table)));
        } else if case.given.contains_key(&id.value) {
            let message = format!("`{}` is both given and unknown", id.value);
            errors.push(file.error(id.referenced, message, "drop one of the two"));
        }
    }
    if let Some((message, help)) = expectation(case) {
        let message = format!("the case `{}` {message}", case.name.value);
        errors.push(file.error(case.name.referenced, message, help));
    }
}

/// What is wrong with one fact and its value.
pub(super) fn fact(file: &File<'_>, id: &str, value: &Spanned<FactValue>, table: &FactTable) -> Option<SourceError> {
    let Some(row) = table.row(id) else {
        let message = format!("there is no fact `{id}`");
        return Some(file.error_at_key(id, value.referenced, message, known_facts(id, table)));
    };
    if row.fact_type.accepts(&value.value) {
        return None;
    }
    let written = match &value.value {
        FactValue::Bool(yes) => yes.to_string(),
        other => other.to_string(),
    };
    let message = format!("`{id}` is `{written}`, expected {}", row.fact_type.describe());
    let help = match (row.fact_type, &value.value) {
        (FactType::Bool, _) => "write `true` or `false`, without quotes".to_owned(),
        (FactType::Long, _) => "write digits only, without quotes".to_owned(),
        (FactType::Text, _) => "put it in quotes".to_owned(),
        (FactType::Set, _) => "write a list: `[word, word]`, or `[]` for none".to_owned(),
        (FactType::Word(words), FactValue::String(word)) => nearest(word, words.iter().copied()).map_or_else(
            || "write one of these words, or leave the fact out while nobody knows".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ),
        (FactType::Word(_), _) => "write one of these words".to_owned(),
    };
    Some(file.error(value.referenced, message, help))
}

/// What no pack can satisfy, or what any would.
fn expectation(case: &RawCase) -> Option<(&'static str, &'static str)> {
    let nothing_but_limits = case.level.is_none()
        && case.bounds.is_none()
        && case.reasons.is_empty()
        && case.promote.is_none()
        && case.promote_bounds.is_none();
    let nothing = nothing_but_limits && case.at_most.is_none() && case.at_least.is_none();
    // The lowest level is at least an alert, and the highest at most an auto-apply.
    let limits = case.at_most.is_some_and(|level| level < Level::AutoApply)
        || case.at_least.is_some_and(|level| level > Level::Alert);
    let listed = |bounds: &Option<Vec<String>>| bounds.as_ref().map(|ids| !ids.is_empty());
    if case.name.value.trim().is_empty() {
        Some(("has no name", "name it with a sentence that says what must hold"))
    } else if nothing {
        Some((
            "expects nothing",
            "write `level:`, or another of `at_most`, `at_least`, `bounds`, `reasons`, `promote`, `promote_bounds`",
        ))
    } else if nothing_but_limits && !limits {
        Some((
            "can't fail: every level is at least `alert` and at most `auto-apply`",
            "write the `level:` that must come, or a limit that some level breaks",
        ))
    } else if case.reasons.iter().any(|part| part.trim().is_empty()) {
        Some((
            "has an empty text under `reasons`, which is part of every reason",
            "write some words of the reason, or drop it",
        ))
    } else if case.level.is_some() && (case.at_most.is_some() || case.at_least.is_some()) {
        Some((
            "has `level` beside `at_most` or `at_least`",
            "write `level` alone, or the two limits",
        ))
    } else if matches!((case.at_least, case.at_most), (Some(low), Some(high)) if low > high) {
        Some(("has `at_least` above `at_most`", "swap the two, or correct one"))
    } else if case.level.or(case.at_least) == Some(Level::AutoApply) && listed(&case.bounds) == Some(true) {
        Some((
            "expects `auto-apply` and bounds, but nothing is above it to withhold",
            "drop `bounds`",
        ))
    } else if case
        .level
        .or(case.at_most)
        .is_some_and(|level| level < Level::AutoApply)
        && listed(&case.bounds) == Some(false)
    {
        Some((
            "expects less than `auto-apply` without a bound, but something must withhold it",
            "list what does under `bounds`, or drop `bounds`",
        ))
    } else if case.promote == Some(Answer::Permitted) && listed(&case.promote_bounds) == Some(true) {
        Some((
            "expects promotion and what withholds it",
            "drop `promote` or `promote_bounds`",
        ))
    } else if case.promote == Some(Answer::Denied) && listed(&case.promote_bounds) == Some(false) {
        Some((
            "expects no promotion, and nothing that withholds it",
            "list what does under `promote_bounds`, or drop it",
        ))
    } else {
        None
    }
}

fn known_facts(id: &str, table: &FactTable) -> String {
    nearest(id, table.rows().map(|row| row.id)).map_or_else(
        || "the facts are in `schemas/holdpoint.cedarschema`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    )
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(edits, other)| *edits <= MAX_EDITS.min(other.len() / 2))
        .min()
        .map(|(_, other)| other)
}
