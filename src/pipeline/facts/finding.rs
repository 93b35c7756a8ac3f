//! `finding.*`: what the scanners, advisories and VEX statements say.

use holdpoint_intake::priority::{cves, cvss_tenths, severity_conflict};
use holdpoint_intake::vex::apply;
use holdpoint_schemas::fact::keys::finding;
use holdpoint_schemas::fact::{Fact, FactSet, Key};
use holdpoint_schemas::finding::Finding;
use holdpoint_schemas::{Timestamp, fix::DependencyScope};

use jiff::SignedDuration;

use super::Moment;
use crate::pipeline::estate::Source;
use crate::pipeline::repo_knowledge::Answer;

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
    vex(moment, facts);
    reachable(moment, facts);
}

/// What the report itself and the estate's documents say; where both speak, the more cautious counts.
fn vex(moment: &Moment<'_>, facts: &mut FactSet) {
    let entries = match moment.estate.vex.known() {
        Ok(entries) => entries,
        Err(why) => return facts.set_unknown(finding::VEX_STATUS, why.clone()),
    };
    let scanned: Vec<&str> = moment
        .owners
        .services
        .iter()
        .flat_map(|service| service.runtime.packages.iter().chain(&service.runtime.images))
        .map(String::as_str)
        .collect();
    let mut found = moment.finding.finding.clone();
    // What a report said holds as long as it says.
    found.details.vex = found
        .details
        .vex
        .filter(|statement| statement.until.is_none_or(|until| moment.now < until));
    apply(std::slice::from_mut(&mut found), entries, &scanned, moment.now);
    let Some(statement) = found.details.vex else {
        let note = Some("no statement speaks of it".to_owned());
        return facts.set(finding::VEX_STATUS, moment.fact("none", "VEX documents", note));
    };
    let justification = statement.justification.as_deref().unwrap_or("without a justification");
    let until = statement
        .until
        .map(|until| format!(", until {until}"))
        .unwrap_or_default();
    facts.set(
        finding::VEX_STATUS,
        Fact {
            value: statement.status.as_str(),
            source: statement.author.clone().unwrap_or_else(|| found.scanner.clone()),
            observed_at: statement.at.unwrap_or(moment.now),
            note: Some(format!("{justification}{until}")),
        },
    );
}

/// From the scanner's own trace, what was observed at run time, and the source.
fn reachable(moment: &Moment<'_>, facts: &mut FactSet) {
    const KEY: Key<bool> = finding::REACHABLE;
    let found = &moment.finding.finding;
    if found.component.is_none() {
        return facts.set_unknown(KEY, "it isn't about a component, and data flow isn't followed");
    }
    if found.details.reached == Some(true) {
        let note = Some("the scanner shows a way to it".to_owned());
        return facts.set(KEY, moment.fact(true, &found.scanner, note));
    }
    match moment.reach() {
        Ok(Answer::Reached { note, source, at }) => facts.set(
            KEY,
            Fact {
                value: true,
                source,
                observed_at: at,
                note: Some(note),
            },
        ),
        Ok(Answer::NotReached(because)) => facts.set(KEY, moment.fact(false, "the repo's source", Some(because))),
        Ok(Answer::Unknown(_)) if found.details.reached == Some(false) => {
            let note = Some("the scanner followed the calls and found no way to it".to_owned());
            facts.set(KEY, moment.fact(false, &found.scanner, note));
        }
        Ok(Answer::Unknown(why)) | Err(why) => facts.set_unknown(KEY, why),
    }
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
            (Some(_), Some(at)) if is_ahead(moment, at) => facts.set_unknown(finding::EPSS_BP, AHEAD),
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
            (Some(_), Some(at)) if is_ahead(moment, at) => facts.set_unknown(finding::KNOWN_EXPLOITED, AHEAD),
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

const AHEAD: &str = "the file is dated later than this moment";

/// Whether something is dated later than clocks differ.
fn is_ahead(moment: &Moment<'_>, at: Timestamp) -> bool {
    at.duration_since(moment.now) > SignedDuration::from_hours(24)
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
