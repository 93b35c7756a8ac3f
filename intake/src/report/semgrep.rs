//! Semgrep's JSON (`semgrep scan --json`), also Opengrep's.

use holdpoint_schemas::finding::Component;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use crate::collect::{Collector, Draft, Place, from_metadata, severity};
use crate::error::SourceResult;
use crate::json::{Outline, loose, or_default};
use crate::osv::Ecosystem;

const SCANNER: &str = "semgrep";
/// What semgrep writes instead of the code when it may not show it.
const NOT_SHOWN: &str = "requires login";

#[derive(Deserialize)]
struct Document {
    #[serde(deserialize_with = "loose::many")]
    results: Vec<Entry>,
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<ScanError>,
}

#[derive(Deserialize)]
struct ScanError {
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    path: String,
}

#[derive(Deserialize)]
struct Entry {
    check_id: String,
    #[serde(default, deserialize_with = "or_default")]
    path: String,
    #[serde(default, deserialize_with = "or_default")]
    start: Position,
    #[serde(default, deserialize_with = "or_default")]
    extra: Extra,
}

#[derive(Deserialize, Default)]
struct Position {
    #[serde(default, deserialize_with = "loose::number")]
    line: Option<u32>,
    #[serde(default, deserialize_with = "loose::number")]
    col: Option<u32>,
}

#[derive(Deserialize, Default)]
struct Extra {
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    lines: String,
    #[serde(default, deserialize_with = "loose::truth")]
    is_ignored: bool,
    /// Of Semgrep Supply Chain.
    sca_info: Option<SupplyChain>,
}

#[derive(Deserialize)]
struct SupplyChain {
    reachable: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    dependency_match: DependencyMatch,
}

#[derive(Deserialize, Default)]
struct DependencyMatch {
    #[serde(default, deserialize_with = "or_default")]
    lockfile: String,
    found_dependency: Option<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    package: String,
    version: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    ecosystem: String,
    #[serde(default, deserialize_with = "or_default")]
    transitivity: String,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default, deserialize_with = "loose::texts")]
    cwe: Vec<String>,
    #[serde(rename = "holdpoint-class")]
    class: Option<String>,
    #[serde(rename = "sca-vuln-database-identifier", default, deserialize_with = "loose::text")]
    advisory: String,
    /// Each from a package to the version in which it is fixed.
    #[serde(rename = "sca-fix-versions", default, deserialize_with = "or_default")]
    fixes: Vec<BTreeMap<String, String>>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has_inner("results", "check_id") || (outline.has(&["results", "errors"]) && !outline.has(&["metrics"]))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("semgrep's JSON")?;
    for error in document.errors {
        // Semgrep quotes code between backticks, which may hold a secret.
        let message = error.message.split('`').next().unwrap_or_default().trim();
        collector.skip(&format!("{}: {message}", error.path));
    }
    for entry in document.results {
        if entry.extra.is_ignored {
            collector.skip(&format!(
                "{}: {} is suppressed in the source",
                entry.path, entry.check_id
            ));
            continue;
        }
        collector.push(draft(entry))?;
    }
    Ok(SCANNER.to_owned())
}

fn draft(entry: Entry) -> Draft {
    let metadata = entry.extra.metadata;
    let mut draft = Draft::new(SCANNER, &entry.check_id, &entry.extra.message);
    draft.stable_rule = Some(own_rule(&entry.check_id).to_owned());
    draft.severity = severity(&entry.extra.severity);
    draft.class = metadata.class.as_deref().and_then(from_metadata);
    draft.cwes = metadata.cwe;
    let lines = Some(entry.extra.lines).filter(|lines| lines != NOT_SHOWN);
    draft.snippet = lines.and_then(|lines| lines.lines().next().map(str::to_owned));
    draft.place = Place::at(entry.path, entry.start.line, entry.start.col);
    if let Some(supply) = entry.extra.sca_info {
        draft.details.reached = supply.reachable;
        draft
            .aliases
            .extend(Some(metadata.advisory).filter(|id| !id.is_empty()));
        draft.fixed_versions = metadata.fixes.into_iter().flat_map(BTreeMap::into_values).collect();
        let lockfile = supply.dependency_match.lockfile;
        if let Some(found) = supply.dependency_match.found_dependency {
            draft.details.direct = match found.transitivity.as_str() {
                "direct" => Some(true),
                "transitive" => Some(false),
                _ => None,
            };
            draft.component = Some(Component {
                purl: Ecosystem::from_osv(osv_name(&found.ecosystem))
                    .map(|ecosystem| ecosystem.purl(&found.package, found.version.as_deref())),
                name: found.package,
                version: found.version,
            });
        }
        // A reachable one is reported at the call, but what is to be changed is the lockfile.
        draft.place = Place::at(lockfile, None, None).or(draft.place);
    }
    draft
}

/// OSV's name for an ecosystem of Semgrep's.
fn osv_name(ecosystem: &str) -> &str {
    match ecosystem {
        "pypi" => "PyPI",
        "cargo" => "crates.io",
        other => other,
    }
}

/// The rule's own id: semgrep puts the folders of the rule's file before it, which differ from
/// machine to machine.
fn own_rule(check_id: &str) -> &str {
    check_id.rsplit('.').next().unwrap_or(check_id)
}
