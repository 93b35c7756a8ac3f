//! Trivy's JSON (`trivy … --format json`): of images, file systems, repos and clusters, and the array that versions
//! before 0.20 wrote. Licences are not findings.

use holdpoint_schemas::finding::{Component, FindingClass, FindingDetails, VexStatement, VexStatus};
use holdpoint_schemas::fix::DependencyScope;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::Input;
use super::field::{Cvss, tenths};
use crate::collect::{Collector, Draft, Place, severity};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::purl;

const SCANNER: &str = "trivy";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Scanned>,
    /// Of a cluster.
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<Resource>,
    /// Of a cluster, until version 0.36.
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Resource>,
    #[serde(default, deserialize_with = "or_default")]
    misconfigurations: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Scanned>,
    #[serde(default, deserialize_with = "or_default")]
    error: String,
    #[serde(default, deserialize_with = "or_default")]
    namespace: String,
    #[serde(default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scanned {
    /// The resource of a cluster that it is about.
    #[serde(skip)]
    resource: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    target: String,
    #[serde(default, deserialize_with = "or_default")]
    class: String,
    #[serde(default, deserialize_with = "or_default", rename = "Type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    packages: Vec<Package>,
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Vulnerability>,
    #[serde(default, deserialize_with = "or_default")]
    misconfigurations: Vec<Misconfiguration>,
    #[serde(default, deserialize_with = "or_default")]
    secrets: Vec<Secret>,
    #[serde(default, deserialize_with = "or_default")]
    experimental_modified_findings: Vec<Modified>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Package {
    #[serde(default, deserialize_with = "or_default", rename = "ID")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    relationship: String,
    dev: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(rename = "VulnerabilityID")]
    id: String,
    #[serde(default, deserialize_with = "or_default", rename = "PkgID")]
    package_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pkg_name: String,
    #[serde(default, deserialize_with = "or_default")]
    pkg_path: String,
    #[serde(default, deserialize_with = "or_default")]
    pkg_identifier: Identifier,
    #[serde(default, deserialize_with = "or_default")]
    installed_version: String,
    #[serde(default, deserialize_with = "or_default")]
    fixed_version: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default", rename = "CweIDs")]
    cwes: Vec<String>,
    #[serde(default, deserialize_with = "or_default", rename = "CVSS")]
    cvss: BTreeMap<String, Scores>,
}

#[derive(Deserialize, Default)]
struct Identifier {
    #[serde(rename = "PURL")]
    purl: Option<String>,
}

/// By one source, such as `nvd` or `redhat`.
#[derive(Deserialize)]
struct Scores {
    #[serde(rename = "V2Vector")]
    vector2: Option<String>,
    #[serde(rename = "V3Vector")]
    vector3: Option<String>,
    #[serde(rename = "V40Vector")]
    vector4: Option<String>,
    #[serde(rename = "V2Score", default, deserialize_with = "tenths")]
    score2: Option<u16>,
    #[serde(rename = "V3Score", default, deserialize_with = "tenths")]
    score3: Option<u16>,
    #[serde(rename = "V40Score", default, deserialize_with = "tenths")]
    score4: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Misconfiguration {
    #[serde(default, deserialize_with = "or_default", rename = "ID")]
    id: String,
    #[serde(default, deserialize_with = "or_default", rename = "AVDID")]
    avd_id: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    cause_metadata: Cause,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Cause {
    resource: Option<String>,
    start_line: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    #[serde(rename = "RuleID")]
    rule: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    start_line: Option<u32>,
}

/// What a VEX document or an ignore file took out of the report.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Modified {
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    source: String,
}

pub fn detect(outline: &Outline) -> bool {
    let report = outline.has(&["SchemaVersion"]) && outline.has(&["ArtifactName"]);
    let list = outline.has_inner("", "Target");
    report || list || outline.has_inner("Results", "Target") || outline.has(&["ClusterName"])
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let mut results = Vec::new();
    if input.begins_with('[') {
        results = input.json::<Vec<Scanned>>("trivy's JSON")?;
    } else {
        let document = input.json::<Document>("trivy's JSON")?;
        results.extend(document.results);
        let old = document.vulnerabilities.into_iter().chain(document.misconfigurations);
        for resource in document.resources.into_iter().chain(old) {
            if !resource.error.is_empty() {
                collector.skip(&format!("{}: {}", resource.name, resource.error));
            }
            let name = format!("{}/{}/{}", resource.namespace, resource.kind, resource.name);
            results.extend(resource.results.into_iter().map(|scanned| Scanned {
                resource: Some(name.clone()),
                ..scanned
            }));
        }
    }
    for scanned in &results {
        let packages: BTreeMap<&str, &Package> = scanned.packages.iter().map(|p| (p.id.as_str(), p)).collect();
        for vulnerability in &scanned.vulnerabilities {
            let package = packages.get(vulnerability.package_id.as_str()).copied();
            collector.push(vulnerability.draft(scanned, package))?;
        }
        for misconfiguration in &scanned.misconfigurations {
            // With `--include-non-failures`, what was checked and passed is listed too.
            if matches!(misconfiguration.status.as_str(), "" | "FAIL") {
                collector.push(misconfiguration.draft(scanned))?;
            }
        }
        for secret in &scanned.secrets {
            collector.push(secret.draft(scanned))?;
        }
        for modified in &scanned.experimental_modified_findings {
            let (status, source) = (&modified.status, &modified.source);
            collector.skip(&format!("{}: one finding is {status} by {source}", scanned.target));
        }
    }
    Ok(SCANNER.to_owned())
}

impl Scanned {
    /// The file or the artifact; Trivy writes a system's name and version behind the artifact.
    fn path(&self) -> &str {
        match self.target.rsplit_once(" (") {
            Some((artifact, _)) if self.class.is_empty() || self.class == "os-pkgs" => artifact,
            _ => &self.target,
        }
    }

    fn place(&self, path: &str, line: Option<u32>) -> Option<Place> {
        let path = if path.is_empty() { self.path() } else { path };
        (!path.is_empty()).then(|| Place {
            path: path.to_owned(),
            line,
            column: None,
        })
    }
}

impl Vulnerability {
    fn draft(&self, scanned: &Scanned, package: Option<&Package>) -> Draft {
        let version = Some(self.installed_version.as_str()).filter(|version| !version.is_empty());
        let known = purl::package(&scanned.kind, &self.pkg_name, version)
            .or_else(|| purl::of_system(&scanned.kind, &self.pkg_name, version));
        let component = Component {
            purl: self.pkg_identifier.purl.clone().or(known),
            name: self.pkg_name.clone(),
            version: version.map(str::to_owned),
        };
        let title = if self.title.is_empty() { &self.id } else { &self.title };
        let title = format!("{}: {title}", self.pkg_name);
        let mut draft = Draft::dependency(SCANNER, &self.id, &title, component);
        draft.details = self.details(package);
        draft.severity = draft.details.severity(&self.severity);
        draft.cwes.clone_from(&self.cwes);
        let fixed = self.fixed_version.split(',').map(str::trim);
        draft.fixed_versions = fixed.filter(|fixed| !fixed.is_empty()).map(str::to_owned).collect();
        draft.place = scanned.place(&self.pkg_path, None);
        draft.own_id.clone_from(&scanned.resource);
        draft
    }

    fn details(&self, package: Option<&Package>) -> FindingDetails {
        let mut details = FindingDetails::default();
        for scores in self.cvss.values() {
            for vector in [&scores.vector4, &scores.vector3, &scores.vector2] {
                details.vector(vector.as_deref());
            }
            for score in [scores.score4, scores.score3, scores.score2] {
                details.score(score);
            }
        }
        if let Some(package) = package {
            details.direct = match package.relationship.as_str() {
                "direct" => Some(true),
                "indirect" => Some(false),
                _ => None,
            };
            // Trivy leaves the field out for what isn't only for development, so only "yes" is said.
            details.scope = (package.dev == Some(true)).then_some(DependencyScope::Dev);
        }
        let status = match self.status.as_str() {
            "not_affected" => Some(VexStatus::NotAffected),
            "under_investigation" => Some(VexStatus::UnderInvestigation),
            _ => None,
        };
        details.vex = status.map(|status| VexStatement {
            status,
            justification: None,
            author: Some(SCANNER.to_owned()),
            at: None,
            until: None,
        });
        details
    }
}

impl Misconfiguration {
    fn draft(&self, scanned: &Scanned) -> Draft {
        let rule = if self.id.is_empty() { &self.avd_id } else { &self.id };
        let title = if self.message.is_empty() {
            &self.title
        } else {
            &self.message
        };
        let mut draft = Draft::new(SCANNER, rule, title);
        draft.rule_title = Some(self.title.clone());
        draft.class = Some(FindingClass::Iac);
        draft.severity = severity(&self.severity);
        let address = self
            .cause_metadata
            .resource
            .clone()
            .filter(|address| !address.is_empty());
        draft.iac_address = address.filter(|_| scanned.kind.starts_with("terraform"));
        // Two causes of one rule in one file differ by the message, or by the line where there is one.
        draft.place = scanned.place("", self.cause_metadata.start_line);
        draft.own_id.clone_from(&scanned.resource);
        draft
    }
}

impl Secret {
    fn draft(&self, scanned: &Scanned) -> Draft {
        let mut draft = Draft::new(SCANNER, &self.rule, &self.title);
        draft.rule_title = Some(self.title.clone());
        draft.class = Some(FindingClass::Secret);
        draft.severity = severity(&self.severity);
        draft.place = scanned.place("", self.start_line);
        draft.own_id.clone_from(&scanned.resource);
        draft
    }
}
