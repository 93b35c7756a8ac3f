//! OSV-Scanner's JSON (`osv-scanner --format json`).

use holdpoint_schemas::finding::{Component, Severity};
use serde::Deserialize;

use super::Input;
use crate::collect::{Collector, Draft, Place, cvss_band};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::osv::{Ecosystem, Record};

const SCANNER: &str = "osv-scanner";

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Scanned>,
}

#[derive(Deserialize)]
struct Scanned {
    source: Source,
    #[serde(default, deserialize_with = "or_default")]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Source {
    path: String,
}

#[derive(Deserialize)]
struct Package {
    package: Name,
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Record>,
    #[serde(default, deserialize_with = "or_default")]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    ecosystem: String,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default, deserialize_with = "or_default")]
    ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    max_severity: String,
}

pub fn detect(outline: &Outline) -> bool {
    let empty = outline.keys.len() <= 2 && outline.has(&["results", "experimental_config"]);
    empty || outline.has_inner("results", "packages")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("osv-scanner's JSON")?;
    for scanned in document.results {
        for package in &scanned.packages {
            for record in &package.vulnerabilities {
                collector.push(draft(&scanned.source.path, package, record))?;
            }
        }
    }
    Ok(SCANNER.to_owned())
}

fn draft(path: &str, package: &Package, record: &Record) -> Draft {
    let name = &package.package;
    let version = Some(name.version.as_str()).filter(|v| !v.is_empty());
    let ecosystem = Ecosystem::from_osv(&name.ecosystem);
    let mut draft = Draft::new(SCANNER, &record.id, &record.title(&name.name));
    draft.severity = match record.severity() {
        Severity::Unknown => group_severity(package, &record.id),
        known => known,
    };
    draft.cwes = record.cwes();
    draft.aliases.clone_from(&record.aliases);
    draft.component = Some(Component {
        purl: ecosystem.map(|e| e.purl(&name.name, version)),
        name: name.name.clone(),
        version: version.map(str::to_owned),
    });
    draft.fixed_versions = match (ecosystem, version) {
        (Some(ecosystem), Some(version)) => record.fixed_after(ecosystem, &name.name, version),
        _ => Vec::new(),
    };
    draft.place = Some(Place {
        path: path.to_owned(),
        line: None,
        column: None,
    });
    draft
}

/// The score that osv-scanner computed for the group of aliases that the record is in.
fn group_severity(package: &Package, id: &str) -> Severity {
    let group = package
        .groups
        .iter()
        .find(|group| group.ids.iter().any(|member| member == id));
    group
        .and_then(|group| group.max_severity.parse().ok())
        .map_or(Severity::Unknown, cvss_band)
}
