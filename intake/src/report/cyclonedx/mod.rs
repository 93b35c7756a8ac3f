//! CycloneDX with vulnerabilities: JSON and XML, 1.4 and later, and the vulnerability extension that 1.1 to 1.3 used.
//! One finding per vulnerability and affected component.

mod json;
mod xml;

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::finding::{Component, FindingClass, FindingDetails, Severity, VexStatement, VexStatus};
use holdpoint_schemas::fix::DependencyScope;
use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use super::field::Cvss;
use crate::collect::{Collector, Draft, is_advisory_id, severity};
use crate::error::SourceResult;
use crate::json::Outline;
use crate::purl::Purl;
use crate::xml::Element;

/// Used where the document names no tool.
const SCANNER: &str = "cyclonedx";

/// What is read of a document.
#[derive(Default)]
pub struct Bom {
    /// Names of the tools that wrote it.
    tools: Vec<String>,
    /// Who made it.
    author: Option<String>,
    /// Components by their reference.
    parts: BTreeMap<String, Part>,
    /// References of what the described thing itself depends on.
    direct: BTreeSet<String>,
    /// Its vulnerabilities; `None` when it has no section for them.
    vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Default, Clone)]
struct Part {
    name: String,
    version: Option<String>,
    purl: Option<String>,
    scope: Option<DependencyScope>,
}

#[derive(Default)]
struct Vulnerability {
    id: String,
    source: String,
    references: Vec<String>,
    ratings: Vec<Rating>,
    cwes: Vec<String>,
    description: String,
    /// References of the components.
    affects: Vec<String>,
    analysis: Option<Analysis>,
}

#[derive(Default)]
struct Rating {
    source: String,
    tenths: Option<u16>,
    severity: String,
    method: String,
    vector: Option<String>,
}

#[derive(Default, Clone)]
struct Analysis {
    state: String,
    justification: Option<String>,
    /// `lastUpdated`, else `firstIssued`.
    at: Option<Timestamp>,
    /// The property `holdpoint:until` of the vulnerability: the format itself has no expiry.
    until: Option<Timestamp>,
}

/// The property by which a statement in a CycloneDX document says until when it holds.
const UNTIL: &str = "holdpoint:until";

pub fn detect(outline: &Outline) -> bool {
    outline.has(&["bomFormat"]) || outline.has(&["specVersion", "components"])
}

pub fn detect_xml(root: &Element) -> bool {
    root.name == "bom"
}

pub fn read(input: &Input<'_>, collector: &mut Collector<'_>) -> SourceResult<String> {
    collect(&json::bom(input)?, collector)
}

pub fn read_xml(root: &Element, collector: &mut Collector<'_>) -> SourceResult<String> {
    collect(&xml::bom(root), collector)
}

fn collect(bom: &Bom, collector: &mut Collector<'_>) -> SourceResult<String> {
    let scanner = if bom.tools.is_empty() {
        SCANNER.to_owned()
    } else {
        bom.tools.join(", ")
    };
    let Some(vulnerabilities) = &bom.vulnerabilities else {
        collector.skip("no vulnerabilities section: a list of components, which may not have been scanned");
        return Ok(scanner);
    };
    for vulnerability in vulnerabilities {
        if vulnerability.affects.is_empty() {
            collector.push(bom.draft(&scanner, vulnerability, None))?;
        }
        for reference in &vulnerability.affects {
            collector.push(bom.draft(&scanner, vulnerability, Some(reference)))?;
        }
    }
    Ok(scanner)
}

impl Bom {
    fn draft(&self, scanner: &str, vulnerability: &Vulnerability, reference: Option<&str>) -> Draft {
        let part = reference.map(|reference| self.part(reference));
        let name = part
            .as_ref()
            .map_or_else(String::new, |part| format!("{}: ", part.name));
        let about = vulnerability
            .description
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let about = if about.is_empty() { &vulnerability.id } else { &about };
        let mut draft = Draft::new(scanner, &vulnerability.id, &format!("{name}{about}"));
        draft.class = Some(FindingClass::Dependency);
        let published = vulnerability.references.iter().filter(|id| is_advisory_id(id));
        draft.aliases = published.cloned().collect();
        draft.cwes.clone_from(&vulnerability.cwes);
        draft.details = vulnerability.details();
        draft.severity = vulnerability.severity(&draft.details);
        draft.details.scope = part.as_ref().and_then(|part| part.scope);
        let direct = reference.is_some_and(|reference| self.direct.contains(local(reference)));
        // Not every writer lists all of what is declared, so a part that isn't listed is unknown.
        draft.details.direct = direct.then_some(true);
        draft.details.vex = vulnerability
            .analysis
            .as_ref()
            .and_then(|a| a.statement(self.author.as_deref()));
        draft.component = part.map(|part| Component {
            purl: part.purl,
            name: part.name,
            version: part.version,
        });
        // Parts of one name and version at several places are several components.
        draft.own_id = reference.map(str::to_owned);
        draft
    }

    /// The part that a reference names. What isn't listed is known by its purl, or by the reference alone.
    fn part(&self, reference: &str) -> Part {
        let reference = local(reference);
        let mut part = self.parts.get(reference).cloned().unwrap_or_default();
        let purl = part.purl.as_deref().or(Some(reference)).and_then(Purl::parse);
        if part.name.is_empty() {
            part.purl = purl.is_some().then(|| reference.to_owned());
            part.version = purl.as_ref().and_then(|purl| purl.version.clone());
            part.name = purl.map_or_else(|| reference.to_owned(), |purl| purl.name());
        }
        part
    }

    fn add(&mut self, reference: Option<&str>, part: Part) {
        // A reference may be left out; then the purl is what others refer to.
        let key = reference.map(str::to_owned).or_else(|| part.purl.clone());
        if let Some(key) = key {
            self.parts.entry(key).or_insert(part);
        }
    }

    /// The statements of the document: the ids of the vulnerability, the products, and what is said.
    pub fn statements(&self) -> Vec<(Vec<String>, Vec<String>, VexStatement)> {
        let all = self.vulnerabilities.iter().flatten();
        let said = all.filter_map(|vulnerability| {
            let statement = vulnerability.analysis.as_ref()?.statement(self.author.as_deref())?;
            let ids = std::iter::once(&vulnerability.id).chain(&vulnerability.references);
            let products = vulnerability.affects.iter().map(|reference| {
                let part = self.part(reference);
                part.purl.unwrap_or_else(|| local(reference).to_owned())
            });
            Some((ids.cloned().collect(), products.collect(), statement))
        });
        said.collect()
    }
}

/// What a reference names in this document. A BOM-Link (`urn:cdx:serial/version#reference`) names it behind the `#`.
fn local(reference: &str) -> &str {
    match reference.split_once('#') {
        Some((link, inner)) if link.starts_with("urn:cdx:") => inner,
        _ => reference,
    }
}

impl Vulnerability {
    /// The word of the source that the vulnerability is taken from, else the worst word of any, else the worst score.
    fn severity(&self, details: &FindingDetails) -> Severity {
        let rated = |rating: &&Rating| severity(&rating.severity) != Severity::Unknown;
        let known = || self.ratings.iter().filter(rated);
        let own = known().find(|rating| !self.source.is_empty() && rating.source == self.source);
        let worst = known().max_by_key(|rating| severity(&rating.severity));
        match own.or(worst) {
            Some(rating) => severity(&rating.severity),
            None => details.severity(""),
        }
    }

    fn details(&self) -> FindingDetails {
        let mut details = FindingDetails::default();
        for rating in &self.ratings {
            let method = rating.method.to_ascii_lowercase();
            if method.is_empty() || method.starts_with("cvss") {
                details.score(rating.tenths);
            }
            let vector = rating.vector.as_deref().map(|vector| with_prefix(&method, vector));
            details.vector(vector.as_deref());
        }
        details
    }
}

/// A vector with the prefix that its version demands; writers leave it out, as the method says it.
fn with_prefix(method: &str, vector: &str) -> String {
    let vector = vector.trim();
    let prefix = match method {
        "cvssv3" => "CVSS:3.0/",
        "cvssv31" => "CVSS:3.1/",
        "cvssv4" => "CVSS:4.0/",
        _ => "",
    };
    // The extension of 1.2 wrote `(AV:N/…)` now and then.
    let bare = vector.trim_start_matches('(').trim_end_matches(')');
    if bare.starts_with("CVSS:") {
        bare.to_owned()
    } else {
        format!("{prefix}{bare}")
    }
}

impl Analysis {
    /// The states of CycloneDX 1.4 to 1.6 (`impactAnalysisState`) in the words of OpenVEX.
    fn statement(&self, author: Option<&str>) -> Option<VexStatement> {
        let status = match self.state.as_str() {
            "not_affected" | "false_positive" => VexStatus::NotAffected,
            "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
            "in_triage" => VexStatus::UnderInvestigation,
            "exploitable" => VexStatus::Affected,
            _ => return None,
        };
        let false_positive = (self.state == "false_positive").then(|| self.state.clone());
        Some(VexStatement {
            status,
            justification: self.justification.clone().or(false_positive),
            author: author.map(str::to_owned),
            at: self.at,
            until: self.until,
        })
    }
}

/// The document of a JSON text.
///
/// # Errors
/// When it isn't CycloneDX.
pub fn bom_of_json(input: &Input<'_>) -> SourceResult<Bom> {
    json::bom(input)
}

/// The document of an XML tree.
pub fn bom_of_xml(root: &Element) -> Bom {
    xml::bom(root)
}
