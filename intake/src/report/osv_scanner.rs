//! OSV-Scanner's JSON (`osv-scanner --format json`).

use holdpoint_schemas::finding::{Component, Severity};
use holdpoint_schemas::fix::DependencyScope;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use super::field::{Cvss, tenths_of};
use crate::collect::{Collector, Draft, Place, cvss_band};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::osv::{Ecosystem, Record};
use crate::purl;

const SCANNER: &str = "osv-scanner";

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Scanned>,
}

#[derive(Deserialize)]
struct Scanned {
    #[serde(default, deserialize_with = "or_default")]
    source: Source,
    #[serde(default, deserialize_with = "or_default")]
    packages: Vec<Package>,
}

#[derive(Deserialize, Default)]
struct Source {
    #[serde(default, deserialize_with = "or_default")]
    path: String,
}

#[derive(Deserialize)]
struct Package {
    package: Name,
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Record>,
    #[serde(default, deserialize_with = "or_default")]
    groups: Vec<Group>,
    /// Such as `dev`; none are named for what ships.
    #[serde(default, deserialize_with = "or_default")]
    dependency_groups: Vec<String>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    #[serde(default, deserialize_with = "or_default")]
    ecosystem: String,
    /// Of a source without a package: a git submodule or a vendored library.
    #[serde(default, deserialize_with = "or_default")]
    commit: String,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default, deserialize_with = "or_default")]
    ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    max_severity: String,
    /// What call analysis says of each id, where it ran.
    #[serde(
        default,
        deserialize_with = "or_default",
        rename = "experimentalAnalysis",
        alias = "experimental_analysis"
    )]
    analysis: BTreeMap<String, Analysis>,
}

#[derive(Deserialize)]
struct Analysis {
    called: Option<bool>,
}

pub fn detect(outline: &Outline) -> bool {
    let known = ["results", "experimental_config", "image_metadata"];
    let empty =
        outline.has(&["results", "experimental_config"]) && outline.keys.keys().all(|key| known.contains(&&**key));
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
    let group = package.groups.iter().find(|group| group.ids.contains(&record.id));
    let mut draft = Draft::new(SCANNER, &record.id, &record.title(&name.name));
    draft.severity = match record.severity() {
        Severity::Unknown => group.map_or(Severity::Unknown, Group::severity),
        known => known,
    };
    draft.cwes = record.cwes();
    draft.aliases.clone_from(&record.aliases);
    draft.component = Some(Component {
        purl: purl::package(&name.ecosystem, &name.name, version)
            .or_else(|| purl::of_system(&name.ecosystem, &name.name, version)),
        name: if name.name.is_empty() {
            name.commit.clone()
        } else {
            name.name.clone()
        },
        version: version.map(str::to_owned),
    });
    draft.fixed_versions = match (ecosystem, version) {
        (Some(ecosystem), Some(version)) => record.fixed_after(ecosystem, &name.name, version),
        _ => Vec::new(),
    };
    draft.place = Some(path).filter(|path| !path.is_empty()).map(|path| Place {
        path: path.to_owned(),
        line: None,
        column: None,
    });
    for vector in record.cvss_vectors() {
        draft.details.vector(Some(vector));
    }
    draft
        .details
        .score(group.and_then(|group| tenths_of(&group.max_severity)));
    draft.details.symbols = record.symbols();
    draft.details.reached = group.and_then(|group| group.analysis.get(&record.id)?.called);
    let dev = |group: &String| matches!(group.as_str(), "dev" | "test" | "development");
    let only_dev = !package.dependency_groups.is_empty() && package.dependency_groups.iter().all(dev);
    draft.details.scope = only_dev.then_some(DependencyScope::Dev);
    draft
}

impl Group {
    /// The band of the score that osv-scanner computed for the aliases of this group.
    fn severity(&self) -> Severity {
        self.max_severity.parse().map_or(Severity::Unknown, cvss_band)
    }
}
