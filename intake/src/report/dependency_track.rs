//! Dependency-Track's findings: the export (Finding Packaging Format 1.0 to 1.3) and the list of its API.

use holdpoint_schemas::finding::{Component, FindingDetails, VexStatement, VexStatus};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Input;
use super::field::{Cvss, tenths, text};
use crate::collect::{Collector, Draft, is_advisory_id};
use crate::error::SourceResult;
use crate::json::{Outline, or_default};
use crate::purl::Purl;

const SCANNER: &str = "dependency-track";

#[derive(Deserialize)]
struct Document {
    #[serde(default, deserialize_with = "or_default")]
    findings: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    component: Part,
    vulnerability: Vulnerability,
    #[serde(default, deserialize_with = "or_default")]
    analysis: Analysis,
    matrix: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    group: String,
    version: Option<String>,
    purl: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    vuln_id: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "text")]
    cwe_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    cwes: Vec<Cwe>,
    /// Each holds the ids of one thing in several databases.
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<Map<String, Value>>,
    cvss_v2_vector: Option<String>,
    cvss_v3_vector: Option<String>,
    cvss_v4_vector: Option<String>,
    #[serde(default, deserialize_with = "tenths")]
    cvss_v2_base_score: Option<u16>,
    #[serde(default, deserialize_with = "tenths")]
    cvss_v3_base_score: Option<u16>,
    #[serde(default, deserialize_with = "tenths", alias = "cvssV4BaseScore")]
    cvss_v4_score: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cwe {
    #[serde(default, deserialize_with = "text")]
    cwe_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Analysis {
    #[serde(default, deserialize_with = "or_default")]
    state: String,
    justification: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    is_suppressed: bool,
}

pub fn detect(outline: &Outline) -> bool {
    let named = outline.text("meta", "application") == Some("Dependency-Track");
    let export = named || outline.has_inner("findings", "matrix");
    export || outline.has_inner("", "matrix") && outline.has_inner("", "vulnerability")
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    let findings = if input.begins_with('[') {
        input.json::<Vec<Entry>>("Dependency-Track's findings")?
    } else {
        input.json::<Document>("Dependency-Track's findings")?.findings
    };
    findings.iter().try_for_each(|entry| collector.push(entry.draft()))?;
    Ok(SCANNER.to_owned())
}

impl Entry {
    fn draft(&self) -> Draft {
        let known = self.component.purl.as_deref().and_then(Purl::parse);
        let own = match self.component.group.as_str() {
            "" => self.component.name.clone(),
            group => format!("{group}:{}", self.component.name),
        };
        let component = Component {
            purl: self.component.purl.clone().filter(|_| known.is_some()),
            name: if self.component.name.is_empty() {
                known.map_or(own, |purl| purl.name())
            } else {
                self.component.name.clone()
            },
            version: self.component.version.clone().filter(|version| !version.is_empty()),
        };
        let vulnerability = &self.vulnerability;
        let about = if vulnerability.title.is_empty() {
            &vulnerability.vuln_id
        } else {
            &vulnerability.title
        };
        let title = format!("{}: {about}", component.name);
        let mut draft = Draft::dependency(SCANNER, &vulnerability.vuln_id, &title, component);
        let ids = vulnerability
            .aliases
            .iter()
            .flat_map(Map::values)
            .filter_map(Value::as_str);
        draft.aliases = ids.filter(|id| is_advisory_id(id)).map(str::to_owned).collect();
        draft.cwes = vulnerability.cwes.iter().filter_map(|cwe| cwe.cwe_id.clone()).collect();
        draft.cwes.extend(vulnerability.cwe_id.clone());
        draft.details = self.details();
        draft.severity = draft.details.severity(&vulnerability.severity);
        draft.own_id.clone_from(&self.matrix);
        draft
    }

    fn details(&self) -> FindingDetails {
        let vulnerability = &self.vulnerability;
        let mut details = FindingDetails::default();
        for vector in [
            &vulnerability.cvss_v4_vector,
            &vulnerability.cvss_v3_vector,
            &vulnerability.cvss_v2_vector,
        ] {
            details.vector(vector.as_deref());
        }
        for score in [
            vulnerability.cvss_v4_score,
            vulnerability.cvss_v3_base_score,
            vulnerability.cvss_v2_base_score,
        ] {
            details.score(score);
        }
        details.vex = self.analysis.statement();
        details
    }
}

impl Analysis {
    /// A suppression alone says nothing of whether the project is affected.
    fn statement(&self) -> Option<VexStatement> {
        let status = match self.state.as_str() {
            "NOT_AFFECTED" | "FALSE_POSITIVE" => VexStatus::NotAffected,
            "RESOLVED" => VexStatus::Fixed,
            "IN_TRIAGE" => VexStatus::UnderInvestigation,
            "EXPLOITABLE" => VexStatus::Affected,
            _ if self.is_suppressed => VexStatus::Affected,
            _ => return None,
        };
        let said = self.justification.as_ref().filter(|word| *word != "NOT_SET");
        let own = match self.state.as_str() {
            "FALSE_POSITIVE" => Some("false_positive"),
            _ if self.is_suppressed => Some("suppressed"),
            _ => None,
        };
        Some(VexStatement {
            status,
            justification: said
                .map(|word| word.to_ascii_lowercase())
                .or_else(|| own.map(str::to_owned)),
            author: Some(SCANNER.to_owned()),
            at: None,
            until: None,
        })
    }
}
