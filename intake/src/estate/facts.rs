//! `facts.d/*.yaml`: an organisation's own facts, and their values by service.

use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::org::{OrgFact, OrgType};
use holdpoint_schemas::fact::{FactRow, FactTable, FactValue};
use holdpoint_schemas::service::Catalogue;
use serde::Deserialize;
use serde_yaml::Spanned;
use std::collections::BTreeSet;

use super::{at, read_yaml};
use crate::error::SourceResult;

/// Most files: one per team is plenty.
const MAX_FILES: usize = 100;
/// Most facts of an estate. Their declarations stay in memory for the life of the process.
const MAX_FACTS: usize = 200;
/// Longest id in bytes, and longest word.
const MAX_NAME_BYTES: usize = 80;
/// Longest sentence or text value in bytes.
const MAX_TEXT_BYTES: usize = 400;
/// Most words of a type or of a set.
const MAX_WORDS: usize = 50;
/// Longest time to live: ten years.
const MAX_TTL_DAYS: u32 = 3650;
/// Cedar's own words: an attribute of such a name can't be asked for with `has`.
const RESERVED: [&str; 10] = [
    "true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar",
];

/// An organisation's own facts.
#[derive(Debug, Clone)]
pub struct OrgFacts {
    /// The shipped facts and these.
    pub table: FactTable,
    /// These, in the order of the files.
    pub facts: Vec<SuppliedFact>,
    /// What makes single facts unknown, each with its place.
    pub problems: Vec<SourceError>,
}

impl Default for OrgFacts {
    fn default() -> Self {
        Self {
            table: FactTable::shipped().clone(),
            facts: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// One of an organisation's facts.
#[derive(Debug, Clone)]
pub struct SuppliedFact {
    /// Its declaration and its values.
    pub fact: OrgFact,
    /// The file that it is in.
    pub file: String,
    /// Why its values can't be used, for people: it is unknown for the whole estate.
    pub unusable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    facts: Vec<Spanned<OrgFact>>,
}

/// Reads the files of `facts.d`, given as (name, text). With a catalogue, a value for a service that it
/// doesn't have makes that fact unknown: the value was meant for another one.
///
/// # Errors
/// As [`read_yaml`], and when a declaration doesn't hold up, a value isn't of its type, or two facts clash:
/// the policies' schema rests on it.
pub fn read_org_facts(files: &[(&str, &str)], catalogue: Option<&Catalogue>) -> SourceResult<OrgFacts> {
    if let Some((name, _)) = files.get(MAX_FILES) {
        let message = format!("{} files, expected at most {MAX_FILES}", files.len());
        return Err(Box::new(
            SourceError::new(name, message).help("put more facts into one file"),
        ));
    }
    let known: Option<BTreeSet<&str>> =
        catalogue.map(|catalogue| catalogue.services.iter().map(|service| service.id.as_str()).collect());
    let mut org = OrgFacts::default();
    for (name, text) in files {
        let shape: Shape = read_yaml(name, text)?;
        for (index, spanned) in shape.facts.iter().enumerate() {
            let entry = Entry {
                name,
                text,
                start: spanned.referenced,
                end: shape.facts.get(index + 1).map(|next| next.referenced),
            };
            let fact = &spanned.value;
            entry.check(fact)?;
            if org.facts.len() == MAX_FACTS {
                return entry.wrong(
                    &[&fact.id],
                    format!("more than {MAX_FACTS} facts of an organisation's own"),
                    "declare only facts that policies read",
                );
            }
            org.table = entry.added(&org, fact.row())?;
            let stranger = known
                .as_ref()
                .and_then(|known| fact.values.keys().find(|service| !known.contains(service.as_str())));
            let problem = stranger.map(|service| {
                entry.error(
                    &[service],
                    format!(
                        "`{}` has a value for `{service}`, which isn't in the catalogue",
                        fact.id
                    ),
                    "write the service's id as `holdpoint graph show` has it; until then the fact is unknown",
                )
            });
            org.facts.push(SuppliedFact {
                fact: fact.clone(),
                file: (*name).to_owned(),
                unusable: problem.as_ref().map(SourceError::one_line),
            });
            org.problems.extend(problem);
        }
    }
    Ok(org)
}

/// One fact's part of a file.
struct Entry<'a> {
    name: &'a str,
    text: &'a str,
    start: serde_yaml::Location,
    /// Where the next one begins.
    end: Option<serde_yaml::Location>,
}

impl Entry<'_> {
    /// An error at the last of `marks`, in the first line of this fact that holds them all, one after the other;
    /// else where the fact begins.
    fn error(&self, marks: &[&str], message: String, help: &str) -> SourceError {
        let line_of = |place: serde_yaml::Location| usize::try_from(place.line()).unwrap_or(usize::MAX);
        let error = SourceError::new(self.name, message).help(help);
        let place = self.text.lines().enumerate().find_map(|(index, line)| {
            let number = index + 1;
            if number < line_of(self.start) || self.end.is_some_and(|end| number >= line_of(end)) {
                return None;
            }
            let (mut last, mut after) = (0, 0);
            for mark in marks {
                last = after + line.get(after..)?.find(mark)?;
                after = last + mark.len();
            }
            Some((number, line.get(..last)?.chars().count() + 1))
        });
        match place {
            Some((line, column)) => error.at(self.text, line, column),
            None => at(error, self.text, self.start),
        }
    }

    fn wrong<T>(&self, marks: &[&str], message: String, help: &str) -> SourceResult<T> {
        Err(Box::new(self.error(marks, message, help)))
    }

    /// The table with this row.
    fn added(&self, org: &OrgFacts, row: FactRow) -> SourceResult<FactTable> {
        if let Some(first) = org.facts.iter().find(|other| other.fact.id == row.id) {
            return self.wrong(
                &[row.id],
                format!("`{}` is declared twice, first in `{}`", row.id, first.file),
                "drop one of the two",
            );
        }
        org.table.with_org([row]).or_else(|id| {
            self.wrong(
                &[id],
                format!("`{id}` can't be both a fact and a group of facts"),
                "name one of the two otherwise",
            )
        })
    }

    fn check(&self, fact: &OrgFact) -> SourceResult<()> {
        self.check_id(&fact.id)?;
        for (key, text) in [("doc", &fact.doc), ("resolver", &fact.resolver)] {
            // The schema has it as a comment: it must not end the line.
            if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
                return self.wrong(
                    &[key],
                    format!("`{key}` of `{}` isn't one line of 1 to {MAX_TEXT_BYTES} bytes", fact.id),
                    "write one short sentence on one line",
                );
            }
        }
        if let OrgType::Words(words) = &fact.fact_type {
            let different: BTreeSet<&String> = words.iter().collect();
            let fit = (2..=MAX_WORDS).contains(&words.len()) && words.iter().all(|word| is_word(word));
            if !fit || different.len() != words.len() {
                return self.wrong(
                    &["type"],
                    format!(
                        "the words of `{}` aren't 2 to {MAX_WORDS} different ones of at most {MAX_NAME_BYTES} bytes",
                        fact.id
                    ),
                    "list each word once, or write `bool`, `long`, `text` or `set`",
                );
            }
        }
        self.check_best(fact)?;
        self.check_time(fact)?;
        if let Some(value) = &fact.default {
            self.check_value(fact, &["default", ":", &text_of(value)], value)?;
        }
        fact.values
            .iter()
            .try_for_each(|(service, value)| self.check_value(fact, &[service, ":", &text_of(value)], value))
    }

    fn check_id(&self, id: &str) -> SourceResult<()> {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && !RESERVED.contains(&name)
        };
        if id.len() <= MAX_NAME_BYTES && id.strip_prefix("org.").is_some_and(|rest| rest.split('.').all(is_name)) {
            return Ok(());
        }
        self.wrong(
            &["id", id],
            format!("`{id}` isn't the id of an organisation's own fact"),
            "write `org.` and names of lower-case letters, digits and `_` that aren't words of Cedar, such as `org.on_call_covered`",
        )
    }

    fn check_best(&self, fact: &OrgFact) -> SourceResult<()> {
        let Some(best) = &fact.best else { return Ok(()) };
        let (expected, help) = match (&fact.fact_type, best) {
            (OrgType::Words(words), FactValue::String(word)) if words.last() == Some(word) => return Ok(()),
            (OrgType::Words(words), _) => {
                let last = words.last().map(String::as_str).unwrap_or_default();
                (
                    format!("the last of its words, `{last}`, was expected"),
                    "list the words from worst to best, or drop `best`",
                )
            }
            // Packs are proved monotone in words alone, and the worst of several values is safe only where they are.
            (OrgType::Bool, _) => (
                "only a list of words has a best value".to_owned(),
                "declare it as words, worst first: `type: [\"no\", \"yes\"]`, or drop `best`",
            ),
            (OrgType::Long | OrgType::Text | OrgType::Set, _) => (
                "only a list of words has a best value".to_owned(),
                "declare it as words, worst first, or drop `best`",
            ),
        };
        self.wrong(
            &["best", ":", &text_of(best)],
            format!("`best` of `{}` is `{best}`: {expected}", fact.id),
            help,
        )
    }

    fn check_time(&self, fact: &OrgFact) -> SourceResult<()> {
        match (fact.ttl_days, fact.observed) {
            (Some(days), _) if days == 0 || days > MAX_TTL_DAYS => self.wrong(
                &["ttl_days"],
                format!("`{}` lives {days} days; 1 to {MAX_TTL_DAYS} were expected", fact.id),
                "write after how many days somebody must look again",
            ),
            (Some(_), None) => self.wrong(
                &["ttl_days"],
                format!(
                    "`{}` has `ttl_days`, but nothing says when its values were true",
                    fact.id
                ),
                "add `observed: YYYY-MM-DD`, or drop `ttl_days`",
            ),
            _ => Ok(()),
        }
    }

    fn check_value(&self, fact: &OrgFact, marks: &[&str], value: &FactValue) -> SourceResult<()> {
        let fits = match (&fact.fact_type, value) {
            (OrgType::Bool, FactValue::Bool(_)) | (OrgType::Long, FactValue::Long(_)) => true,
            (OrgType::Text, FactValue::String(text)) => text.len() <= MAX_TEXT_BYTES,
            (OrgType::Set, FactValue::Set(words)) => words.len() <= MAX_WORDS && words.iter().all(|word| is_word(word)),
            (OrgType::Words(words), FactValue::String(word)) => words.contains(word),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let expected = match &fact.fact_type {
            OrgType::Bool => "`true` or `false`".to_owned(),
            OrgType::Long => "a whole number".to_owned(),
            OrgType::Text => format!("text of at most {MAX_TEXT_BYTES} bytes"),
            OrgType::Set => format!("a list of at most {MAX_WORDS} words"),
            OrgType::Words(words) => format!("one of `{}`", words.join("`, `")),
        };
        self.wrong(
            marks,
            format!("a value of `{}` isn't {expected}", fact.id),
            "correct the value, or the fact's `type`",
        )
    }
}

fn is_word(word: &str) -> bool {
    !word.trim().is_empty() && word.len() <= MAX_NAME_BYTES && !word.chars().any(char::is_control)
}

/// A value as the file has it, where that is one line.
fn text_of(value: &FactValue) -> String {
    match value {
        FactValue::Bool(yes) => yes.to_string(),
        FactValue::Long(number) => number.to_string(),
        FactValue::String(text) => text.clone(),
        FactValue::Set(_) => String::new(),
    }
}

#[cfg(test)]
mod tests;
