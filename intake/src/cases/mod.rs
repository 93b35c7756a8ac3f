//! Case files of a policy pack: facts, and what the pack must say of them.

mod check;

use std::collections::BTreeMap;

use holdpoint_schemas::fact::{Fact, FactSet, FactTable, FactValue};
use holdpoint_schemas::pack::{Answer, Case, ResolvedCase};
use holdpoint_schemas::{Level, SourceError, Timestamp};
use serde::Deserialize;
use serde_yaml::Spanned;

use crate::estate::{at, read_yaml};

/// Most cases of a pack: each is asked of each mutant of each policy.
pub const MAX_CASES: usize = 10_000;
/// Longest chain of named sets, each starting `from` the next.
const MAX_CHAIN: usize = 32;

/// A case file as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseText {
    /// Its name, for messages.
    pub path: String,
    /// YAML.
    pub text: String,
}

type Given = BTreeMap<String, Spanned<FactValue>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    facts: BTreeMap<String, Spanned<Given>>,
    #[serde(default)]
    cases: Vec<RawCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: Spanned<String>,
    from: Option<Spanned<String>>,
    #[serde(default)]
    given: Given,
    #[serde(default)]
    unknown: Vec<Spanned<String>>,
    level: Option<Level>,
    at_most: Option<Level>,
    at_least: Option<Level>,
    bounds: Option<Vec<String>>,
    #[serde(default)]
    reasons: Vec<String>,
    promote: Option<Answer>,
    promote_bounds: Option<Vec<String>>,
}

/// A case file that could be read.
struct File<'a> {
    source: &'a CaseText,
    raw: RawFile,
}

impl File<'_> {
    fn error(&self, place: serde_yaml::Location, message: String, help: impl Into<String>) -> SourceError {
        at(SourceError::new(&self.source.path, message), &self.source.text, place).help(help)
    }

    /// An error about `key`, whose value is at `place`: at the key, where it is on the same line.
    fn error_at_key(
        &self,
        key: &str,
        place: serde_yaml::Location,
        message: String,
        help: impl Into<String>,
    ) -> SourceError {
        let error = self.error(place, message, help);
        let Some((line, column)) = error.position else {
            return error;
        };
        let text = self.source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let before: String = text.chars().take(column.saturating_sub(1)).collect();
        match before.rfind(key).and_then(|start| before.get(..start)) {
            Some(indent) => error.at(&self.source.text, line, indent.chars().count() + 1),
            None => error,
        }
    }
}

/// A named set of facts.
struct Named<'a> {
    file: &'a File<'a>,
    place: serde_yaml::Location,
    from: Option<(&'a str, serde_yaml::Location)>,
    given: &'a Given,
}

/// Reads the cases of `files`. They may start from named sets of each other's and of `beside`,
/// whose own cases are left alone.
///
/// # Errors
/// Everything that is wrong, with its place: a file that can't be read, a fact that isn't in `table`,
/// a value that it can't have, a named set that isn't there, is there twice or starts from itself,
/// a case that expects nothing or what can't be.
pub fn read_cases(
    files: &[CaseText],
    beside: &[CaseText],
    table: &FactTable,
) -> Result<Vec<ResolvedCase>, Vec<SourceError>> {
    let mut errors = Vec::new();
    let mut read = |texts| read_files(texts, &mut errors);
    let (files, beside) = (read(files), read(beside));
    if !errors.is_empty() {
        return Err(errors);
    }
    let sets = named_sets(files.iter().chain(&beside), table, &mut errors);
    let mut names = BTreeMap::new();
    let mut cases = Vec::new();
    for file in &files {
        for raw in &file.raw.cases {
            check::case(file, raw, table, &mut errors);
            if let Some((first, line)) = names.insert(&raw.name.value, (&file.source.path, raw.name.referenced.line()))
            {
                let message = format!(
                    "the case `{}` is there twice; the first is at {first}:{line}",
                    raw.name.value
                );
                errors.push(file.error(raw.name.referenced, message, "give each case a sentence of its own"));
            }
            match resolve(file, raw, &sets) {
                Ok(case) => cases.push(case),
                Err(error) => errors.push(*error),
            }
        }
    }
    if cases.len() > MAX_CASES {
        let message = format!("{} cases, but at most {MAX_CASES} are read", cases.len());
        let path = files.first().map_or("cases", |file| file.source.path.as_str());
        errors.push(SourceError::new(path, message).help("split the pack"));
    }
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

fn read_files<'a>(texts: &'a [CaseText], errors: &mut Vec<SourceError>) -> Vec<File<'a>> {
    let mut files = Vec::new();
    for source in texts {
        match read_yaml::<RawFile>(&source.path, &source.text) {
            Ok(raw) if raw.facts.is_empty() && raw.cases.is_empty() => {
                let error = SourceError::new(&source.path, "neither cases nor named sets of facts in this file");
                errors.push(error.help("write some under `cases:`, or remove the file"));
            }
            Ok(raw) => files.push(File { source, raw }),
            Err(error) => errors.push(*error),
        }
    }
    files
}

fn named_sets<'a>(
    files: impl Iterator<Item = &'a File<'a>>,
    table: &FactTable,
    errors: &mut Vec<SourceError>,
) -> BTreeMap<&'a str, Named<'a>> {
    let mut sets: BTreeMap<&str, Named<'_>> = BTreeMap::new();
    for file in files {
        for (name, given) in &file.raw.facts {
            let mut from = None;
            for (id, value) in &given.value {
                match (id.as_str(), &value.value) {
                    ("from", FactValue::String(name)) => from = Some((name.as_str(), value.referenced)),
                    _ => errors.extend(check::fact(file, id, value, table)),
                }
            }
            if let Some(first) = sets.get(name.as_str()) {
                let message = format!(
                    "the named set `{name}` is there twice; the first is at {}:{}",
                    first.file.source.path,
                    first.place.line()
                );
                errors.push(file.error_at_key(name, given.referenced, message, "rename one of the two"));
            }
            let set = Named {
                file,
                place: given.referenced,
                from,
                given: &given.value,
            };
            sets.entry(name).or_insert(set);
        }
    }
    errors.extend(
        sets.values()
            .filter_map(|set| chain(set, &sets).err())
            .map(|error| *error),
    );
    sets
}

/// A named set and those that it starts from, the farthest first.
fn chain<'a, 'b>(
    set: &'b Named<'a>,
    sets: &'b BTreeMap<&'a str, Named<'a>>,
) -> Result<Vec<&'b Named<'a>>, Box<SourceError>> {
    let mut chain = vec![set];
    let mut last = set;
    while let Some((name, place)) = last.from {
        let next = find(last.file, name, place, sets)?;
        let message = if chain.iter().any(|earlier| std::ptr::eq(*earlier, next)) {
            format!("the named set `{name}` starts from itself")
        } else if chain.len() == MAX_CHAIN {
            format!("more than {MAX_CHAIN} named sets, each starting from the next")
        } else {
            chain.push(next);
            last = next;
            continue;
        };
        let error = last.file.error(place, message, "let one of them start from nothing");
        return Err(Box::new(error));
    }
    chain.reverse();
    Ok(chain)
}

fn find<'a, 'b>(
    file: &File<'_>,
    name: &str,
    place: serde_yaml::Location,
    sets: &'b BTreeMap<&'a str, Named<'a>>,
) -> Result<&'b Named<'a>, Box<SourceError>> {
    sets.get(name).ok_or_else(|| {
        let help = check::nearest(name, sets.keys().copied()).map_or_else(
            || "name a set of facts under `facts:` in a case file of this pack".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Box::new(file.error(place, format!("there is no named set `{name}`"), help))
    })
}

fn resolve(file: &File<'_>, raw: &RawCase, sets: &BTreeMap<&str, Named<'_>>) -> Result<ResolvedCase, Box<SourceError>> {
    let mut facts = FactSet::new();
    if let Some(from) = &raw.from {
        let set = find(file, &from.value, from.referenced, sets)?;
        // What is wrong further up the chain is told once, at the set.
        for set in chain(set, sets).unwrap_or_default() {
            set.given
                .iter()
                .filter(|(id, _)| *id != "from")
                .for_each(|(id, value)| insert(&mut facts, id, value));
        }
    }
    raw.given.iter().for_each(|(id, value)| insert(&mut facts, id, value));
    for id in &raw.unknown {
        facts.insert_unknown(&id.value, "the case says so");
    }
    let given = raw.given.iter().map(|(id, value)| (id.clone(), value.value.clone()));
    Ok(ResolvedCase {
        case: Case {
            name: raw.name.value.clone(),
            from: raw.from.as_ref().map(|from| from.value.clone()),
            given: given.collect(),
            unknown: raw.unknown.iter().map(|id| id.value.clone()).collect(),
            level: raw.level,
            at_most: raw.at_most,
            at_least: raw.at_least,
            bounds: raw.bounds.clone(),
            reasons: raw.reasons.clone(),
            promote: raw.promote,
            promote_bounds: raw.promote_bounds.clone(),
        },
        facts,
        path: file.source.path.clone(),
        line: usize::try_from(raw.name.referenced.line()).unwrap_or_default(),
    })
}

fn insert(facts: &mut FactSet, id: &str, value: &Spanned<FactValue>) {
    let fact = Fact {
        value: value.value.clone(),
        source: "the case".to_owned(),
        observed_at: Timestamp::UNIX_EPOCH,
        note: None,
    };
    facts.insert(id, fact);
}

#[cfg(test)]
mod tests;
