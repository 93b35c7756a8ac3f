//! SARIF 2.1.0 (OASIS), which most scanners can write.

mod own_id;
mod package;
mod place;

use holdpoint_schemas::finding::{Component, Severity};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

use self::own_id::OwnId;
use super::Input;
use crate::collect::{Collector, Draft, Place, cvss_band, cwe, from_metadata, is_advisory_id, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};

#[derive(Deserialize)]
struct Log {
    #[serde(default, deserialize_with = "or_default")]
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    #[serde(default, deserialize_with = "loose::many")]
    results: Vec<Entry>,
    #[serde(default, deserialize_with = "or_default")]
    artifacts: Vec<Artifact>,
    #[serde(default, deserialize_with = "or_default")]
    original_uri_base_ids: BTreeMap<String, File>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
    #[serde(default, deserialize_with = "or_default")]
    extensions: Vec<Driver>,
}

#[derive(Deserialize)]
struct Driver {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default, deserialize_with = "loose::text")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    short_description: Text,
    #[serde(default, deserialize_with = "or_default")]
    message_strings: BTreeMap<String, Text>,
    #[serde(default, deserialize_with = "or_default")]
    default_configuration: Configuration,
    #[serde(default, deserialize_with = "or_default")]
    properties: Properties,
    #[serde(default, deserialize_with = "or_default")]
    relationships: Vec<Relationship>,
}

/// What we know in a bag of properties; everything else stays unread.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Properties {
    #[serde(rename = "security-severity", deserialize_with = "loose::text")]
    security_severity: String,
    #[serde(rename = "holdpoint-class")]
    class: Option<String>,
    #[serde(deserialize_with = "loose::texts")]
    cwe: Vec<String>,
    #[serde(deserialize_with = "loose::texts")]
    cwes: Vec<String>,
    #[serde(deserialize_with = "loose::texts")]
    tags: Vec<String>,
    /// Black Duck's.
    #[serde(deserialize_with = "loose::text")]
    component: String,
    #[serde(rename = "componentVersion", deserialize_with = "loose::text")]
    component_version: String,
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
    /// Of one of the rule's own messages, in place of a text.
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, deserialize_with = "loose::text")]
    rule_id: String,
    rule_index: Option<i64>,
    #[serde(default, deserialize_with = "or_default")]
    rule: Reference,
    level: Option<String>,
    kind: Option<String>,
    baseline_state: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    message: Text,
    #[serde(default, deserialize_with = "loose::many")]
    locations: Vec<At>,
    #[serde(default, deserialize_with = "or_default")]
    partial_fingerprints: OwnId,
    #[serde(default, deserialize_with = "or_default")]
    fingerprints: OwnId,
    #[serde(default, deserialize_with = "or_default")]
    properties: Properties,
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
#[serde(rename_all = "camelCase")]
struct File {
    uri: Option<String>,
    uri_base_id: Option<String>,
    index: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Region {
    #[serde(default, deserialize_with = "loose::number")]
    start_line: Option<u32>,
    #[serde(default, deserialize_with = "loose::number")]
    start_column: Option<u32>,
    snippet: Option<Text>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["runs"]) && (outline.has(&["version"]) || outline.has(&["$schema"]))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let log: Log = input.json("SARIF 2.1.0")?;
    let mut scanners: BTreeSet<String> = BTreeSet::new();
    for mut run in log.runs {
        // Names of tools become ids in policies and in `fix.yaml`: lower case.
        let scanner = match run.tool.driver.name.to_ascii_lowercase() {
            name if name.trim().is_empty() => "unnamed".to_owned(),
            name => name,
        };
        let results = std::mem::take(&mut run.results);
        let rules = Rules::of(&run.tool);
        // Each entry is freed when it has been taken: a large report isn't held twice.
        for entry in results {
            if entry.is_present() {
                collector.push(draft(&scanner, &run, rules.get(&entry), &entry))?;
            }
        }
        scanners.insert(scanner);
    }
    Ok(scanners.into_iter().collect::<Vec<_>>().join(", "))
}

impl Entry {
    fn rule_id(&self) -> Option<&str> {
        let own = Some(self.rule_id.as_str()).filter(|id| !id.is_empty());
        own.or(self.rule.id.as_deref())
    }

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
        let id = entry.rule_id();
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
    let id = entry.rule_id().or(rule.map(|rule| rule.id.as_str()));
    let id = id.filter(|id| !id.is_empty()).unwrap_or("unnamed");
    let own_words = rule
        .map(|rule| rule.short_description.text.as_str())
        .filter(|text| !text.trim().is_empty());
    let message = message(rule, entry).filter(|text| !text.trim().is_empty());
    let mut draft = Draft::new(scanner, id, message.or(own_words).unwrap_or(id));
    draft.rule_title = own_words.map(str::to_owned);
    draft.severity = severity_of(rule, entry);
    draft.cwes = cwes(rule, entry);
    draft.class = property(rule, entry, |known| known.class.as_deref()).and_then(from_metadata);
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
        let file = physical.artifact_location.as_ref();
        let path = file.and_then(|file| place::path(run, file));
        draft.place = path.and_then(|path| Place::at(path, region.start_line, region.start_column));
    }
    if !entry.properties.component.is_empty() {
        let version = Some(entry.properties.component_version.clone());
        draft.component = Some(Component {
            purl: None,
            name: entry.properties.component.clone(),
            version: version.filter(|version| !version.is_empty()),
        });
    }
    if let Some(package) = package::of_message(&entry.message.text) {
        draft.title = own_words.map_or_else(|| format!("{}: {id}", package.component.name), str::to_owned);
        draft.component = Some(package.component);
        draft.fixed_versions = package.fixed_versions;
    }
    draft.own_id = Some(format!("{}{}", entry.fingerprints, entry.partial_fingerprints));
    draft
}

/// The result's own message, or the one of its rule that it names (SARIF §3.11.7).
fn message<'a>(rule: Option<&'a Rule>, entry: &'a Entry) -> Option<&'a str> {
    let named = || rule?.message_strings.get(entry.message.id.as_deref()?);
    match entry.message.text.as_str() {
        "" => named().map(|message| message.text.as_str()),
        text => Some(text),
    }
}

/// Looks in the result first, then in its rule.
fn property<'a>(
    rule: Option<&'a Rule>,
    entry: &'a Entry,
    get: impl Fn(&'a Properties) -> Option<&'a str>,
) -> Option<&'a str> {
    get(&entry.properties).or_else(|| get(&rule?.properties))
}

/// GitHub's `security-severity` score where there is one, else the level (SARIF §3.27.10).
fn severity_of(rule: Option<&Rule>, entry: &Entry) -> Severity {
    let score = property(rule, entry, |known| {
        Some(known.security_severity.as_str()).filter(|score| !score.is_empty())
    });
    if let Some(score) = score.and_then(|score| score.parse().ok()) {
        return cvss_band(score);
    }
    let default = rule.and_then(|rule| rule.default_configuration.level.as_deref());
    severity(entry.level.as_deref().or(default).unwrap_or("warning"))
}

fn cwes(rule: Option<&Rule>, entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    for properties in rule.map(|rule| &rule.properties).into_iter().chain([&entry.properties]) {
        found.extend(
            properties
                .cwe
                .iter()
                .chain(&properties.cwes)
                .filter_map(|text| cwe(text)),
        );
        // A bare number is a CWE only where the field says so.
        let named = properties
            .tags
            .iter()
            .filter(|tag| tag.to_ascii_lowercase().contains("cwe"));
        found.extend(named.filter_map(|tag| cwe(tag)));
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
