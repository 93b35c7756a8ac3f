//! Grype's JSON (`grype … -o json`).

use holdpoint_schemas::finding::{Component, FindingDetails};
use serde::Deserialize;
use std::collections::HashSet;

use super::Input;
use super::field::{Cvss, tenths};
use crate::collect::{Collector, Draft, Place};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::purl;

const SCANNER: &str = "grype";

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    matches: Vec<Match>,
    #[serde(default, deserialize_with = "or_default", rename = "ignoredMatches")]
    ignored: Vec<Match>,
    #[serde(default, deserialize_with = "or_default")]
    source: Source,
}

#[derive(Deserialize, Default)]
struct Source {
    #[serde(default, deserialize_with = "or_default", rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Match {
    vulnerability: Vulnerability,
    #[serde(default, deserialize_with = "or_default", rename = "relatedVulnerabilities")]
    related: Vec<Vulnerability>,
    artifact: Artifact,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    cvss: Vec<Score>,
    #[serde(default, deserialize_with = "or_default")]
    cwes: Vec<Cwe>,
    #[serde(default, deserialize_with = "or_default")]
    fix: Fix,
}

#[derive(Deserialize)]
struct Score {
    vector: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    metrics: Metrics,
}

#[derive(Deserialize, Default)]
struct Metrics {
    #[serde(rename = "baseScore", default, deserialize_with = "tenths")]
    base: Option<u16>,
}

#[derive(Deserialize)]
struct Cwe {
    #[serde(default, deserialize_with = "or_default")]
    cwe: String,
}

#[derive(Deserialize, Default)]
struct Fix {
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    #[serde(default, deserialize_with = "or_default", rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    purl: String,
    #[serde(default, deserialize_with = "or_default")]
    locations: Vec<Location>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Location {
    At { path: String },
    Path(String),
}

pub fn detect(outline: &Outline) -> bool {
    let empty = outline.has(&["matches", "descriptor"]) || outline.has(&["matches", "source"]);
    empty || outline.has_inner("matches", "vulnerability")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let document: Document = input.json("grype's JSON")?;
    // In an image, one package at several paths is one row of grype's own table: the paths are layers of the same
    // artifact. In a folder they are different files of the repo, and each may be another service's.
    let image = document.source.kind == "image";
    let mut seen: HashSet<(String, String, String, String)> = HashSet::new();
    for found in &document.matches {
        let artifact = &found.artifact;
        let row = (
            found.vulnerability.id.clone(),
            artifact.name.clone(),
            artifact.version.clone(),
            artifact.kind.clone(),
        );
        if !image || seen.insert(row) {
            collector.push(found.draft())?;
        }
    }
    for found in &document.ignored {
        let (id, name) = (&found.vulnerability.id, &found.artifact.name);
        collector.skip(&format!("{id} in {name}: left out by grype's ignore rules"));
    }
    Ok(SCANNER.to_owned())
}

impl Match {
    fn draft(&self) -> Draft {
        let artifact = &self.artifact;
        let version = Some(artifact.version.as_str()).filter(|version| !version.is_empty());
        let reported = Some(&artifact.purl).filter(|purl| !purl.is_empty()).cloned();
        let component = Component {
            purl: reported.or_else(|| purl::package(&artifact.kind, &artifact.name, version)),
            name: artifact.name.clone(),
            version: version.map(str::to_owned),
        };
        let about = match self.vulnerability.description.trim() {
            "" => self.related.first().map_or("", |related| related.description.trim()),
            own => own,
        };
        let about = if about.is_empty() {
            &self.vulnerability.id
        } else {
            about
        };
        let title = format!("{}: {about}", artifact.name);
        let mut draft = Draft::dependency(SCANNER, &self.vulnerability.id, &title, component);
        draft.aliases = self.related.iter().map(|related| related.id.clone()).collect();
        draft.details = self.details();
        draft.severity = draft.details.severity(&self.vulnerability.severity);
        let records = std::iter::once(&self.vulnerability).chain(&self.related);
        draft.cwes = records.flat_map(|record| &record.cwes).map(|c| c.cwe.clone()).collect();
        draft.fixed_versions.clone_from(&self.vulnerability.fix.versions);
        draft.place = artifact.locations.first().map(|location| Place {
            path: match location {
                Location::At { path } | Location::Path(path) => path.clone(),
            },
            line: None,
            column: None,
        });
        draft
    }

    /// The vulnerability's own scores, else those of the records that it is derived from.
    fn details(&self) -> FindingDetails {
        let mut details = FindingDetails::default();
        let own = std::iter::once(&self.vulnerability).filter(|own| !own.cvss.is_empty());
        let related = self.related.iter().filter(|_| self.vulnerability.cvss.is_empty());
        for score in own.chain(related).flat_map(|record| &record.cvss) {
            details.vector(score.vector.as_deref());
            details.score(score.metrics.base);
        }
        details
    }
}
