//! OWASP Dependency-Check's reports, in XML (schemas 1.3 to 4) and JSON.

mod json;
mod xml;

use holdpoint_schemas::finding::{Component, FindingDetails, VexStatement, VexStatus};

use super::Input;
use super::field::Cvss;
use crate::collect::{Collector, Draft, Place};
use crate::error::SourceResult;
use crate::json::Outline;
use crate::purl::Purl;
use crate::xml::Element;

const SCANNER: &str = "dependency-check";

/// A file or package that was looked at.
#[derive(Default)]
struct Dependency {
    file_name: String,
    file_path: String,
    /// Package URLs, and what else identifies it.
    identifiers: Vec<String>,
    /// What its files show: product and version.
    product: Option<String>,
    version: Option<String>,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Default)]
struct Vulnerability {
    name: String,
    severity: String,
    cwes: Vec<String>,
    description: String,
    scores: Vec<Score>,
    /// Somebody wrote a rule against it: "suppressing false positives", in the tool's words. Their notes.
    suppressed: Option<String>,
}

/// A base score and the metrics that it is made of, each as a word or its first letter.
struct Score {
    tenths: Option<u16>,
    vector: Option<String>,
}

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["dependencies", "reportSchema"])
        || outline.has_inner("scanInfo", "engineVersion") && outline.has(&["dependencies"])
}

pub fn detect_xml(root: &Element) -> bool {
    root.name == "analysis" && root.child("dependencies").is_some()
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    collect(&json::dependencies(input)?, collector)
}

pub fn read_xml(root: &Element, collector: &mut Collector<'_>) -> SourceResult<String> {
    collect(&xml::dependencies(root), collector)
}

/// Files that hold the same thing ("related dependencies") are counted once, as the report does.
fn collect(dependencies: &[Dependency], collector: &mut Collector<'_>) -> SourceResult<String> {
    for dependency in dependencies {
        for vulnerability in &dependency.vulnerabilities {
            collector.push(vulnerability.draft(dependency))?;
        }
    }
    Ok(SCANNER.to_owned())
}

impl Dependency {
    /// By its purl, else by its Maven coordinates or CPE, else by what its files show, else by its file.
    fn component(&self) -> Component {
        let purl = self.identifiers.iter().find_map(|id| Some((id, Purl::parse(id)?)));
        if let Some((text, purl)) = purl {
            return Component {
                purl: Some(text.clone()),
                name: purl.name(),
                version: purl.version,
            };
        }
        let known = self.identifiers.iter().find_map(|id| {
            let parts: Vec<&str> = id
                .trim_start_matches("cpe:2.3:")
                .trim_start_matches("cpe:/")
                .split(':')
                .collect();
            match parts.as_slice() {
                [group, name, version] if !id.starts_with("cpe:") => Some((format!("{group}:{name}"), *version)),
                [_, vendor, name, version, ..] if id.starts_with("cpe:") => {
                    Some((format!("{vendor}:{name}"), *version))
                }
                _ => None,
            }
        });
        let (name, version) = match (known, &self.product) {
            (Some((name, version)), _) => (name, Some(version)),
            (None, Some(product)) => (product.clone(), self.version.as_deref()),
            (None, None) => (self.file_name.clone(), None),
        };
        Component {
            purl: None,
            name,
            version: version
                .filter(|version| !matches!(*version, "" | "*" | "-"))
                .map(str::to_owned),
        }
    }

    fn place(&self) -> Option<Place> {
        // A package of a lockfile is named behind a `?`.
        let path = self.file_path.split('?').next().unwrap_or_default().trim();
        (!path.is_empty()).then(|| Place {
            path: path.to_owned(),
            line: None,
            column: None,
        })
    }
}

impl Vulnerability {
    fn draft(&self, dependency: &Dependency) -> Draft {
        let component = dependency.component();
        let about = self.description.split_whitespace().collect::<Vec<_>>().join(" ");
        let about = if about.is_empty() { &self.name } else { &about };
        let title = format!("{}: {about}", component.name);
        let mut draft = Draft::dependency(SCANNER, &self.name, &title, component);
        draft.cwes.clone_from(&self.cwes);
        draft.details = self.details();
        draft.severity = draft.details.severity(&self.severity);
        draft.place = dependency.place();
        // One file may be listed twice under names of its own, such as `a.ear: b.jar`.
        draft.own_id = Some(dependency.file_name.clone());
        draft
    }

    fn details(&self) -> FindingDetails {
        let mut details = FindingDetails::default();
        for score in &self.scores {
            details.score(score.tenths);
            details.vector(score.vector.as_deref());
        }
        details.vex = self.suppressed.as_deref().map(|notes| VexStatement {
            status: VexStatus::NotAffected,
            justification: Some(
                format!("suppressed: {}", notes.trim())
                    .trim_end_matches(": ")
                    .to_owned(),
            ),
            author: None,
            at: None,
            until: None,
        });
        details
    }
}

/// The evidence of the highest confidence.
fn best<'a>(evidence: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    const ORDER: [&str; 4] = ["LOW", "MEDIUM", "HIGH", "HIGHEST"];
    let rank = |confidence: &str| ORDER.iter().position(|known| known.eq_ignore_ascii_case(confidence));
    // Of equals the last counts, as the tool lists what is most specific last.
    evidence
        .max_by_key(|(confidence, _)| rank(confidence))
        .map(|(_, value)| value.to_owned())
}

/// A CVSS v3 vector from its metrics by name. The report seldom says which 3.x; their base scores are the same.
fn vector3<'a>(version: Option<&str>, metric: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    const NAMES: [(&str, &str); 8] = [
        ("AV", "attackVector"),
        ("AC", "attackComplexity"),
        ("PR", "privilegesRequired"),
        ("UI", "userInteraction"),
        ("S", "scope"),
        ("C", "confidentialityImpact"),
        ("I", "integrityImpact"),
        ("A", "availabilityImpact"),
    ];
    let version = version.filter(|version| version.starts_with("3.")).unwrap_or("3.1");
    Some(format!("CVSS:{version}/{}", joined(&NAMES, metric)?))
}

/// A CVSS v2 vector; it has no prefix.
fn vector2<'a>(metric: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    const NAMES: [(&str, &str); 6] = [
        ("AV", "accessVector"),
        ("AC", "accessComplexity"),
        ("Au", "authentication"),
        ("C", "confidentialityImpact"),
        ("I", "integrityImpact"),
        ("A", "availabilityImpact"),
    ];
    joined(&NAMES, metric)
}

fn joined<'a>(names: &[(&str, &str)], metric: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let parts = names.iter().map(|(short, long)| {
        let letter = metric(long)?.trim().chars().next()?.to_ascii_uppercase();
        Some(format!("{short}:{letter}"))
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}
