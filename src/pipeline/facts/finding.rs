//! `finding.*`: what the scanners, advisories and VEX statements say.

use holdpoint_intake::priority::{cves, cvss_tenths, severity_conflict};
use holdpoint_schemas::fact::keys::finding;
use holdpoint_schemas::fact::{Fact, FactSet};
use holdpoint_schemas::finding::Finding;
use holdpoint_schemas::{Timestamp, fix::DependencyScope};

use super::Moment;
use crate::pipeline::estate::Source;

/// Why a fact about a vulnerability can't be known of a finding that names none.
const NO_CVE: &str = "the finding has no CVE id";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let found = &moment.finding.finding;
    facts.set(
        finding::SEVERITY,
        moment.fact(found.severity.as_str(), &found.scanner, None),
    );
    facts.set(finding::CLASS, moment.fact(found.class.as_str(), &found.scanner, None));
    let conflict = severity_conflict(found);
    facts.set(
        finding::SEVERITY_CONFLICT,
        moment.fact(
            conflict.is_some(),
            sources(found),
            conflict.map(|conflict| conflict.to_string()),
        ),
    );
    match cvss_tenths(found) {
        Some(tenths) => facts.set(
            finding::CVSS_TENTHS,
            moment.fact(i64::from(tenths), &found.scanner, vectors(found)),
        ),
        None => facts.set_unknown(
            finding::CVSS_TENTHS,
            format!("`{}` gives no CVSS vector or score", found.scanner),
        ),
    }
    exploitation(moment, facts);
    dependency(moment, facts);
}

fn sources(found: &Finding) -> String {
    let mut names: Vec<&str> = std::iter::once(found.scanner.as_str())
        .chain(found.details.also.iter().map(|source| source.scanner.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn vectors(found: &Finding) -> Option<String> {
    (!found.details.cvss_vectors.is_empty()).then(|| found.details.cvss_vectors.join(", "))
}

/// Both catalogues speak of CVE ids only: of a finding without one they say nothing.
fn exploitation(moment: &Moment<'_>, facts: &mut FactSet) {
    let found = &moment.finding.finding;
    let ids: Vec<String> = cves(found).iter().map(ToString::to_string).collect();
    if ids.is_empty() {
        facts.set_unknown(finding::EPSS_BP, NO_CVE);
        facts.set_unknown(finding::KNOWN_EXPLOITED, NO_CVE);
        return;
    }
    let config = &moment.estate.config;
    match &moment.estate.epss {
        Source::Unknown(why) => facts.set_unknown(finding::EPSS_BP, why.clone()),
        Source::Known(epss) => match (epss.of_finding(found), epss.observed_at) {
            (Some(points), Some(at)) => facts.set(
                finding::EPSS_BP,
                dated(i64::from(points), config.epss.as_deref(), at, None),
            ),
            (Some(_), None) => facts.set_unknown(finding::EPSS_BP, "the EPSS file doesn't say of which day it is"),
            (None, _) => facts.set_unknown(
                finding::EPSS_BP,
                format!("the EPSS file has no score of {}", ids.join(", ")),
            ),
        },
    }
    match &moment.estate.kev {
        Source::Unknown(why) => facts.set_unknown(finding::KNOWN_EXPLOITED, why.clone()),
        Source::Known(kev) => match (kev.known_exploited(found), kev.observed_at) {
            (Some(listed), Some(at)) => {
                let due = cves(found)
                    .into_iter()
                    .find_map(|id| kev.entry(id))
                    .and_then(|entry| entry.due)
                    .map(|due| format!("to be fixed by {due} at US agencies"));
                facts.set(finding::KNOWN_EXPLOITED, dated(listed, config.kev.as_deref(), at, due));
            }
            (Some(_), None) => facts.set_unknown(
                finding::KNOWN_EXPLOITED,
                "the KEV file doesn't say when it was released",
            ),
            (None, _) => facts.set_unknown(finding::KNOWN_EXPLOITED, "the KEV file couldn't be read whole"),
        },
    }
}

fn dated<T>(value: T, file: Option<&str>, observed_at: Timestamp, note: Option<String>) -> Fact<T> {
    Fact {
        value,
        source: file.unwrap_or_default().to_owned(),
        observed_at,
        note,
    }
}

fn dependency(moment: &Moment<'_>, facts: &mut FactSet) {
    let found = &moment.finding.finding;
    if found.component.is_none() {
        let why = Some("it isn't about a component".to_owned());
        facts.set(
            finding::DEPENDENCY_SCOPE,
            moment.fact("none", &found.scanner, why.clone()),
        );
        facts.set(finding::DIRECT_DEPENDENCY, moment.fact(false, &found.scanner, why));
        return;
    }
    match found.details.scope {
        Some(scope) => facts.set(
            finding::DEPENDENCY_SCOPE,
            moment.fact(DependencyScope::as_str(scope), &found.scanner, None),
        ),
        None => facts.set_unknown(
            finding::DEPENDENCY_SCOPE,
            "neither the scanner nor a lockfile says whether it ships",
        ),
    }
    match found.details.direct {
        Some(direct) => facts.set(finding::DIRECT_DEPENDENCY, moment.fact(direct, &found.scanner, None)),
        None => facts.set_unknown(
            finding::DIRECT_DEPENDENCY,
            "neither the scanner nor a manifest says who declares it",
        ),
    }
}
