//! Files of an estate repo and of a governed repo: YAML with places, bounds and checks of meaning.

mod check;
mod facts;
mod people;
mod rollout;

use holdpoint_schemas::SourceError;
use holdpoint_schemas::estate::{ContractsFile, ControlsFile, EstateConfig, ProvisionedVariables, RepoSettings};
use holdpoint_schemas::fix::FixRequest;
use holdpoint_schemas::people::PeopleFile;
use holdpoint_schemas::rollout::Rollout;
use serde::de::DeserializeOwned;

use crate::error::SourceResult;

pub(crate) use check::plain_control;
pub use facts::{OrgFacts, SuppliedFact, read_org_facts};
pub use rollout::{KnownNames, check_rollout_names};

/// Largest YAML file in bytes: a person writes it.
pub const MAX_YAML_BYTES: usize = 4 << 20;
/// Deepest nesting: the vocabulary needs about six levels.
const MAX_DEPTH: usize = 32;
/// Most aliases and anchors: for repetition by hand, not for bombs.
const MAX_ALIASES: usize = 100;
/// Most nodes, after aliases are expanded.
const MAX_NODES: usize = 200_000;
/// Largest exported YAML file in bytes: 10,000 services with 50,000 edges are about 5 MB.
const MAX_EXPORT_BYTES: usize = 16 << 20;
/// Most nodes of an exported file, after aliases are expanded: three times what 10,000 services with 50,000 edges
/// take. Parsed, they are some 150 MB at most.
const MAX_EXPORT_NODES: usize = 1_500_000;
/// Most documents, aliases and anchors of an exported file: each service may be a document with an anchor.
const MAX_EXPORT_PARTS: usize = 50_000;

/// Reads one YAML document.
///
/// # Errors
/// When it is too large, too deep, malformed, or not of the wanted shape: with line, column, what
/// was expected and a help line.
pub fn read_yaml<T: DeserializeOwned>(file: &str, text: &str) -> SourceResult<T> {
    check_size(file, text, MAX_YAML_BYTES)?;
    serde_yaml::from_str_with_options(text, options()).map_err(|error| yaml_error(file, text, &error))
}

/// Reads a file of several YAML documents, which a tool may have written for a whole estate.
pub(crate) fn read_yaml_documents<T: DeserializeOwned>(file: &str, text: &str) -> SourceResult<Vec<T>> {
    check_size(file, text, MAX_EXPORT_BYTES)?;
    serde_yaml::from_multiple_with_options(text, export_options()).map_err(|error| yaml_error(file, text, &error))
}

/// Reads one YAML document, which a tool may have written for a whole estate.
pub(crate) fn read_export<T: DeserializeOwned>(file: &str, text: &str) -> SourceResult<T> {
    check_size(file, text, MAX_EXPORT_BYTES)?;
    serde_yaml::from_str_with_options(text, export_options()).map_err(|error| yaml_error(file, text, &error))
}

fn check_size(file: &str, text: &str, limit: usize) -> SourceResult<()> {
    if text.len() <= limit {
        return Ok(());
    }
    let message = format!("{} bytes, but at most {limit} bytes are read", text.len());
    Err(Box::new(
        SourceError::new(file, message).help("split the file, or check that it is the right one"),
    ))
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_nodes: MAX_NODES,
        },
        // `yes` and `on` stay text: they are names of things in other people's files.
        strict_booleans: true,
        with_snippet: false,
    }
}

fn export_options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH * 2,
            flow_nesting_limit: MAX_DEPTH * 2,
            max_aliases: MAX_EXPORT_PARTS,
            max_anchors: MAX_EXPORT_PARTS,
            max_documents: MAX_EXPORT_PARTS,
            max_nodes: MAX_EXPORT_NODES,
            // A node is one event, and a list, a map or a document ends with another.
            max_events: MAX_EXPORT_NODES * 3,
            // Compose files repeat a few anchors (logging, limits) in every service.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: MAX_NODES,
        },
        strict_booleans: true,
        with_snippet: false,
    }
}

/// What the YAML reader says to programmers, as people need it: part of its message, what is said
/// instead (empty: its own words), and what to do.
const MESSAGES: [(&str, &str, &str); 17] = [
    (
        "multiple YAML documents",
        "several documents stand here, but one document was expected",
        "drop the `---` lines, or split the file",
    ),
    (
        "invalid u",
        "a whole number was expected, not negative and not too large",
        "write a number without sign, point and unit",
    ),
    (
        "invalid i",
        "a whole number was expected, not too large",
        "write a number without point and unit",
    ),
    ("unknown field", "", "check the spelling"),
    ("unknown variant", "", "write one of the names that are expected"),
    ("missing field", "", "add the field"),
    (
        "is no length of time",
        "",
        "write a length such as `90m`, `4h`, `3d` or `1w`",
    ),
    ("never opens", "", "name the days, or drop `days`: then it is every day"),
    (
        "duplicate mapping key",
        "a key that is already there",
        "drop one of the two",
    ),
    (
        "null into string",
        "nothing stands here, but text was expected",
        "write a value, or drop the key",
    ),
    (
        "expected string scalar",
        "text was expected",
        "check the type of this value and the brackets",
    ),
    ("is no share", "", "write a percentage in quotes or without: `97%`"),
    (
        "untagged enum FactValue",
        "`true`, `false`, a whole number, text or a list of words was expected",
        "write a value of the fact's type",
    ),
    (
        "expected sequence start",
        "a list was expected",
        "write each entry after `- `",
    ),
    (
        "expected mapping start",
        "`key: value` pairs were expected",
        "check the indentation",
    ),
    (
        "unexpected end of input",
        "the file ends too early",
        "the file is empty or cut off: take it from git again",
    ),
    (
        "budget",
        "deeper or larger than is read",
        "write the file without deep nesting and aliases",
    ),
];

fn yaml_error(file: &str, text: &str, error: &serde_yaml::Error) -> Box<SourceError> {
    let place = error.location().filter(|place| place.line() > 0);
    let full = error.to_string();
    let theirs = first_part(&full);
    let known = MESSAGES.iter().find(|(part, ..)| theirs.contains(part));
    let (message, help) = match known {
        Some((_, "", help)) => (theirs, *help),
        Some((_, ours, help)) => ((*ours).to_owned(), *help),
        None => (theirs, "check the indentation and the type of this value"),
    };
    let source = SourceError::new(file, message).help(help);
    Box::new(match place {
        Some(place) => at(source, text, place),
        None => source,
    })
}

/// Adds a place that the YAML reader gives.
pub(crate) fn at(error: SourceError, text: &str, place: serde_yaml::Location) -> SourceError {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    error.at(text, number(place.line()), number(place.column()))
}

/// The message without the position that the YAML reader puts before or after it: it is shown by
/// itself.
fn first_part(full: &str) -> String {
    let line = full.lines().next().unwrap_or(full).trim();
    let line = line.split(" at line ").next().unwrap_or(line);
    match line.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((_, message)) => message.to_owned(),
        None => line.to_owned(),
    }
}

/// Reads `holdpoint.yaml`. Repo names are unique; scanners that repos name are there.
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_estate(file: &str, text: &str) -> SourceResult<EstateConfig> {
    let estate: EstateConfig = read_yaml(file, text)?;
    check::estate(file, text, &estate)?;
    Ok(estate)
}

/// Reads `controls.yaml`. Ids are unique; each control begins before it ends and is about
/// something. Paths come in git's spelling (`./a//b/` is `a/b`), empty for the whole repo (`.`, `*`, `**`).
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_controls(file: &str, text: &str) -> SourceResult<ControlsFile> {
    let mut controls: ControlsFile = read_yaml(file, text)?;
    check::controls(file, text, &mut controls)?;
    Ok(controls)
}

/// Reads `contracts.yaml`. The files it names lie in the estate.
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_contracts(file: &str, text: &str) -> SourceResult<ContractsFile> {
    let contracts: ContractsFile = read_yaml(file, text)?;
    check::contracts(file, text, &contracts)?;
    Ok(contracts)
}

/// Reads `rollout.yaml`: lane names are unique, each lane can take something, none starts above its ceiling, and what is
/// asked of it can be fulfilled. [`check_rollout_names`] holds its names against an estate.
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_rollout(file: &str, text: &str) -> SourceResult<Rollout> {
    let rollout: Rollout = read_yaml(file, text)?;
    rollout::check(file, text, &rollout)?;
    Ok(rollout)
}

/// Reads `people.yaml`. No address is two people's, and every role is one that there is.
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_people(file: &str, text: &str) -> SourceResult<PeopleFile> {
    let read: PeopleFile = read_yaml(file, text)?;
    people::people(file, text, &read)?;
    Ok(read)
}

/// Reads `environments.yaml`. It holds names of variables, never `NAME=value`.
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_variables(file: &str, text: &str) -> SourceResult<ProvisionedVariables> {
    let variables: ProvisionedVariables = read_yaml(file, text)?;
    check::variables(file, text, &variables)?;
    Ok(variables)
}

/// Reads a governed repo's `.holdpoint.yaml`, which must come from the base commit.
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_repo_settings(file: &str, text: &str) -> SourceResult<RepoSettings> {
    let settings: RepoSettings = read_yaml(file, text)?;
    check::repo_settings(file, text, &settings)?;
    Ok(settings)
}

/// Reads a candidate's `fix.yaml`: exactly one of `patch` and `branch`; `patch` names a file
/// beside it.
///
/// # Errors
/// As [`read_yaml`], and when the meaning is wrong.
pub fn read_fix_request(file: &str, text: &str) -> SourceResult<FixRequest> {
    let request: FixRequest = read_yaml(file, text)?;
    check::fix_request(file, text, &request)?;
    Ok(request)
}

#[cfg(test)]
mod tests;
