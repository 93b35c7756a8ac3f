//! SARIF 2.1.0 (OASIS), which most scanners can write.

mod package;

use holdpoint_schemas::finding::Severity;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use crate::collect::{Collector, Draft, Place, cvss_band, cwe, from_metadata, is_advisory_id, severity};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};

#[derive(Deserialize)]
struct Log {
    #[serde(default, deserialize_with = "or_default")]
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Entry>,
    #[serde(default, deserialize_with = "or_default")]
    artifacts: Vec<Artifact>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
    #[serde(default, deserialize_with = "or_default")]
    extensions: Vec<Driver>,
}

#[derive(Deserialize)]
struct Driver {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    short_description: Text,
    #[serde(default, deserialize_with = "or_default")]
    default_configuration: Configuration,
    #[serde(default, deserialize_with = "or_default")]
    properties: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize, Default)]
struct Configuration {
    level: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    target: Reference,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Reference {
    id: Option<String>,
    index: Option<i64>,
    tool_component: Option<ComponentReference>,
}

#[derive(Deserialize)]
struct ComponentReference {
    index: Option<i64>,
    name: Option<String>,
}

#[derive(Deserialize, Default)]
struct Text {
    #[serde(default, deserialize_with = "or_default")]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    rule: Reference,
    level: Option<String>,
    kind: Option<String>,
    baseline_state: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    message: Text,
    #[serde(default, deserialize_with = "or_default")]
    locations: Vec<At>,
    #[serde(default, deserialize_with = "or_default")]
    partial_fingerprints: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    fingerprints: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    properties: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    taxa: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct At {
    physical_location: Option<Physical>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Option<File>,
    #[serde(default, deserialize_with = "or_default")]
    region: Region,
}

#[derive(Deserialize)]
struct Artifact {
    location: Option<File>,
}

#[derive(Deserialize)]
struct File {
    uri: Option<String>,
    index: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u32>,
    start_column: Option<u32>,
    snippet: Option<Text>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["runs"]) && (outline.has(&["version"]) || outline.has(&["$schema"]))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let log: Log = input.json("SARIF 2.1.0")?;
    let mut scanners: BTreeSet<String> = BTreeSet::new();
    for run in &log.runs {
        // Names of tools become ids in policies and in `fix.yaml`: lower case.
        let scanner = run.tool.driver.name.to_ascii_lowercase();
        let rules = Rules::of(&run.tool);
        for entry in &run.results {
            if entry.is_present() {
                collector.push(draft(&scanner, run, rules.get(entry), entry))?;
            }
        }
        scanners.insert(scanner);
    }
    Ok(scanners.into_iter().collect::<Vec<_>>().join(", "))
}

impl Entry {
    /// Whether it reports something: results may also say that a rule passed or no longer fires.
    fn is_present(&self) -> bool {
        !matches!(self.kind.as_deref(), Some("pass" | "notApplicable"))
            && self.baseline_state.as_deref() != Some("absent")
    }
}

/// The rules of one run: looked up by index where a result gives one, else by id.
struct Rules<'a> {
    tool: &'a Tool,
    by_id: BTreeMap<&'a str, &'a Rule>,
}

impl<'a> Rules<'a> {
    fn of(tool: &'a Tool) -> Self {
        let all = std::iter::once(&tool.driver)
            .chain(&tool.extensions)
            .flat_map(|d| &d.rules);
        Self {
            tool,
            by_id: all.map(|rule| (rule.id.as_str(), rule)).collect(),
        }
    }

    fn get(&self, entry: &Entry) -> Option<&'a Rule> {
        let id = entry.rule_id.as_deref().or(entry.rule.id.as_deref());
        if let Some(rule) = id.and_then(|id| self.by_id.get(id)) {
            return Some(rule);
        }
        let extension = entry
            .rule
            .tool_component
            .as_ref()
            .and_then(|c| c.index)
            .and_then(at(&self.tool.extensions));
        let rules = extension.map_or(&self.tool.driver.rules, |extension| &extension.rules);
        let indexed = entry.rule_index.or(entry.rule.index).and_then(at(rules));
        // SARIF §3.52.4: a result's id may be the rule's id with more parts after a slash.
        indexed.or_else(|| id.and_then(|id| self.by_id.get(id.rsplit_once('/')?.0)).copied())
    }
}

/// SARIF writes -1 for "no index".
fn at<'a, T>(items: &'a [T]) -> impl Fn(i64) -> Option<&'a T> {
    move |index| usize::try_from(index).ok().and_then(|index| items.get(index))
}

fn draft(scanner: &str, run: &Run, rule: Option<&Rule>, entry: &Entry) -> Draft {
    let id = entry
        .rule_id
        .as_deref()
        .or(entry.rule.id.as_deref())
        .or(rule.map(|rule| rule.id.as_str()));
    let id = id.unwrap_or("unnamed");
    let own_words = rule
        .map(|rule| rule.short_description.text.as_str())
        .filter(|text| !text.trim().is_empty());
    let message = Some(entry.message.text.as_str()).filter(|text| !text.trim().is_empty());
    let mut draft = Draft::new(scanner, id, message.or(own_words).unwrap_or(id));
    draft.rule_title = own_words.map(str::to_owned);
    draft.severity = severity_of(rule, entry);
    draft.cwes = cwes(rule, entry);
    draft.class = text_property(rule, entry, "holdpoint-class").and_then(from_metadata);
    if is_advisory_id(id) {
        draft.aliases.push(id.to_owned());
    }
    if let Some(physical) = entry.locations.first().and_then(|at| at.physical_location.as_ref()) {
        let region = &physical.region;
        draft.snippet = region
            .snippet
            .as_ref()
            .and_then(|s| s.text.lines().next())
            .map(str::to_owned);
        draft.place = physical.artifact_location.as_ref().and_then(|file| {
            let indexed = || at(&run.artifacts)(file.index?)?.location.as_ref();
            let path = file.uri.as_ref().or_else(|| indexed()?.uri.as_ref())?.clone();
            Some(Place {
                path,
                line: region.start_line,
                column: region.start_column,
            })
        });
    }
    if let Some(package) = package::of_message(&entry.message.text) {
        draft.title = own_words.map_or_else(|| format!("{}: {id}", package.component.name), str::to_owned);
        draft.component = Some(package.component);
        draft.fixed_versions = package.fixed_versions;
    }
    let own_ids = entry.fingerprints.iter().chain(&entry.partial_fingerprints);
    draft.own_id = Some(own_ids.map(|(name, value)| format!("{name}={value};")).collect());
    draft
}

/// Looks in the result first, then in its rule.
fn property<'a>(rule: Option<&'a Rule>, entry: &'a Entry, name: &str) -> Option<&'a Value> {
    entry.properties.get(name).or_else(|| rule?.properties.get(name))
}

fn text_property<'a>(rule: Option<&'a Rule>, entry: &'a Entry, name: &str) -> Option<&'a str> {
    property(rule, entry, name).and_then(Value::as_str)
}

/// GitHub's `security-severity` score where there is one, else the level (SARIF §3.27.10).
fn severity_of(rule: Option<&Rule>, entry: &Entry) -> Severity {
    let score = property(rule, entry, "security-severity").and_then(|score| match score {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    });
    if let Some(score) = score {
        return cvss_band(score);
    }
    let default = rule.and_then(|rule| rule.default_configuration.level.as_deref());
    severity(entry.level.as_deref().or(default).unwrap_or("warning"))
}

fn cwes(rule: Option<&Rule>, entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    for properties in rule.map(|rule| &rule.properties).into_iter().chain([&entry.properties]) {
        for name in ["cwe", "cwes", "tags"] {
            let texts: Vec<&str> = match properties.get(name) {
                Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
                Some(Value::String(text)) => vec![text],
                _ => Vec::new(),
            };
            // A bare number is a CWE only where the field says so.
            let named = |text: &&str| name != "tags" || text.to_ascii_lowercase().contains("cwe");
            found.extend(texts.into_iter().filter(named).filter_map(cwe));
        }
    }
    let relationships = rule.into_iter().flat_map(|rule| &rule.relationships).map(|r| &r.target);
    for target in relationships.chain(&entry.taxa) {
        let of_cwe = target.tool_component.as_ref().and_then(|c| c.name.as_deref());
        if let Some(id) = &target.id
            && (id.to_ascii_uppercase().starts_with("CWE-") || of_cwe == Some("CWE"))
        {
            found.extend(cwe(id));
        }
    }
    found
}
