//! VEX: statements that somebody makes about vulnerabilities in products, and which findings they are about.
//!
//! OpenVEX (specification 0.2.0, and the 0.0.x before it) and CycloneDX (`analysis`, 1.4 to 1.6; JSON and XML) are
//! read. Neither has an expiry; a CycloneDX vulnerability may carry the property `holdpoint:until`.

mod openvex;

use holdpoint_schemas::finding::{Finding, VexStatement};
use holdpoint_schemas::{SourceError, Timestamp};

use crate::error::SourceResult;
use crate::json::{self, Outline};
use crate::purl::Purl;
use crate::report::{MAX_REPORT_BYTES, bom_statements};
use crate::xml;

/// A statement, the vulnerability it is about, and the products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexEntry {
    /// Ids of the vulnerability: its name and its aliases.
    pub ids: Vec<String>,
    /// Products, by package URL or by the document's own identifier.
    pub products: Vec<String>,
    /// The components of those products that the statement is about; empty when it is about the products themselves.
    pub components: Vec<String>,
    /// What is said.
    pub statement: VexStatement,
}

/// Reads a VEX document.
///
/// # Errors
/// When it is too large, malformed, cut off, in another format, or says "not affected" without the reason that its
/// format demands.
pub fn read_vex(file: &str, bytes: &[u8]) -> SourceResult<Vec<VexEntry>> {
    let text = json::text(file, bytes, MAX_REPORT_BYTES)?;
    if text.trim_start().starts_with('<') {
        let root = xml::parse(file, text, "a VEX document in XML")?;
        if root.name != "bom" {
            return Err(unknown(file));
        }
        return Ok(entries(bom_statements::of_xml(&root)));
    }
    let outline: Outline = json::parse(file, text, "a VEX document in JSON")?;
    if outline.has(&["statements"]) {
        openvex::read(file, text)
    } else if outline.has(&["bomFormat"]) {
        Ok(entries(bom_statements::of_json(file, text)?))
    } else {
        Err(unknown(file))
    }
}

fn entries(statements: Vec<(Vec<String>, Vec<String>, VexStatement)>) -> Vec<VexEntry> {
    let entry = |(ids, products, statement)| VexEntry {
        ids,
        products,
        components: Vec::new(),
        statement,
    };
    statements.into_iter().map(entry).collect()
}

fn unknown(file: &str) -> Box<SourceError> {
    Box::new(SourceError::new(file, "not a VEX document").help("OpenVEX and CycloneDX are read"))
}

/// The statement that holds for a finding now, if any.
///
/// A statement is about a finding when they share an id of the vulnerability and the finding's component is what the
/// statement names: as the product itself, or as a component of a product in `scanned`, the package URLs or names of
/// what was scanned. A statement about a component of *another* product says nothing here. Of several, the latest
/// counts; at the same time, or where one has no time, the most cautious.
#[must_use]
pub fn statement_for<'a>(
    finding: &Finding,
    entries: &'a [VexEntry],
    scanned: &[&str],
    now: Timestamp,
) -> Option<&'a VexStatement> {
    let holds = |entry: &&VexEntry| {
        entry.statement.until.is_none_or(|until| now < until)
            && entry.statement.at.is_none_or(|at| at <= now)
            && entry.names(finding)
            && entry.is_about(finding, scanned)
    };
    let mut best: Option<&VexStatement> = None;
    for entry in entries.iter().filter(holds) {
        let statement = &entry.statement;
        let better = best.is_none_or(|known| match (statement.at, known.at) {
            (Some(at), Some(before)) if at != before => at > before,
            _ => statement.status < known.status,
        });
        if better {
            best = Some(statement);
        }
    }
    best
}

/// Notes in each finding the statement that holds for it, unless its report made a more cautious one. Returns how many
/// findings have one from `entries`.
pub fn apply(findings: &mut [Finding], entries: &[VexEntry], scanned: &[&str], now: Timestamp) -> usize {
    let mut noted = 0;
    for finding in findings {
        let Some(statement) = statement_for(finding, entries, scanned, now) else {
            continue;
        };
        let cautious = finding
            .details
            .vex
            .as_ref()
            .is_some_and(|own| own.status < statement.status);
        if !cautious {
            finding.details.vex = Some(statement.clone());
            noted += 1;
        }
    }
    noted
}

impl VexEntry {
    fn names(&self, finding: &Finding) -> bool {
        let mut known = finding.aliases.iter().chain([&finding.rule]);
        known.any(|id| self.ids.iter().any(|named| named.eq_ignore_ascii_case(id)))
    }

    fn is_about(&self, finding: &Finding, scanned: &[&str]) -> bool {
        let component = finding
            .component
            .as_ref()
            .and_then(|component| component.purl.as_deref());
        let is_component = |named: &String| component.is_some_and(|purl| same(named, purl));
        if self.components.is_empty() {
            return self.products.iter().any(is_component);
        }
        let product = self
            .products
            .iter()
            .any(|product| is_component(product) || scanned.iter().any(|name| product == name || same(product, name)));
        product && self.components.iter().any(is_component)
    }
}

/// Whether a statement's identifier names this package.
fn same(named: &str, purl: &str) -> bool {
    match (Purl::parse(named), Purl::parse(purl)) {
        (Some(named), Some(purl)) => named.covers(&purl),
        _ => named == purl,
    }
}

#[cfg(test)]
mod tests;
