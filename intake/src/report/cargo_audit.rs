//! cargo-audit's JSON (`cargo audit --json`).

use holdpoint_schemas::finding::Component;
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Input;
use super::field::{Cvss, lower_bounds};
use crate::collect::{Collector, Draft, severity};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::osv::{Ecosystem, band_of_vector, compare, sorted_versions};
use crate::purl;
use holdpoint_schemas::finding::Severity;

const SCANNER: &str = "cargo-audit";

#[derive(Deserialize)]
struct Document {
    vulnerabilities: Vulnerabilities,
    /// Unmaintained, unsound and yanked crates, by kind; a list in old versions.
    #[serde(default)]
    warnings: Value,
}

#[derive(Deserialize)]
struct Vulnerabilities {
    #[serde(default, deserialize_with = "or_default")]
    list: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    advisory: Advisory,
    #[serde(default, deserialize_with = "or_default")]
    versions: Versions,
    #[serde(default, deserialize_with = "or_default")]
    affected: Affected,
    package: Package,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<String>,
    cvss: Option<String>,
    severity: Option<String>,
}

#[derive(Deserialize, Default)]
struct Versions {
    #[serde(default, deserialize_with = "or_default")]
    patched: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Affected {
    /// Paths of functions and the versions in which they are vulnerable.
    #[serde(default, deserialize_with = "or_default")]
    functions: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["vulnerabilities"])
        && (outline.has(&["database", "lockfile"]) || outline.has_inner("vulnerabilities", "list"))
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("cargo-audit's JSON")?;
    for entry in &document.vulnerabilities.list {
        collector.push(entry.draft())?;
    }
    let by_kind = document
        .warnings
        .as_object()
        .into_iter()
        .flat_map(|kinds| kinds.values());
    let listed = by_kind
        .chain([&document.warnings])
        .filter_map(Value::as_array)
        .flatten();
    for warning in listed {
        let text = |pointer: &str| warning.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (kind, name, version) = (text("/kind"), text("/package/name"), text("/package/version"));
        collector.skip(&format!(
            "a warning, not a vulnerability: {name} {version} is {kind} {}",
            text("/advisory/id")
        ));
    }
    Ok(SCANNER.to_owned())
}

impl Entry {
    fn draft(&self) -> Draft {
        let Package { name, version } = &self.package;
        let component = Component {
            purl: purl::package("cargo", name, Some(version)),
            name: name.clone(),
            version: Some(version.clone()),
        };
        let title = format!("{name} {version}: {}", self.advisory.title);
        let mut draft = Draft::dependency(SCANNER, &self.advisory.id, &title, component);
        draft.aliases.clone_from(&self.advisory.aliases);
        draft.details.vector(self.advisory.cvss.as_deref());
        draft.severity = match severity(self.advisory.severity.as_deref().unwrap_or_default()) {
            Severity::Unknown => band_of_vector(self.advisory.cvss.as_deref().unwrap_or_default()),
            known => known,
        };
        draft.details.symbols = self.affected.functions.keys().cloned().collect();
        let bounds = self.versions.patched.iter().flat_map(|patched| lower_bounds(patched));
        let above = bounds.filter(|v| compare(Ecosystem::CratesIo, v, version) == Some(Ordering::Greater));
        draft.fixed_versions = sorted_versions(Ecosystem::CratesIo, above.collect());
        draft
    }
}
