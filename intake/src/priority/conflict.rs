//! Where those who rate a finding disagree.

use holdpoint_schemas::finding::{Finding, Severity};
use std::fmt;

use super::cvss::{CvssRating, rating};

/// What one source says of a finding's severity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeverityClaim {
    /// Scanner, or `CVSS v3` and the score.
    pub by: String,
    /// Severity in its eyes; never unknown.
    pub severity: Severity,
}

/// A disagreement; shown to people as `trivy says critical, CVSS v3 5.3 says medium`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityConflict {
    /// All that is said, scanners first.
    pub claims: Vec<SeverityClaim>,
}

impl fmt::Display for SeverityConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, claim) in self.claims.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{} says {}", claim.by, claim.severity.as_str())?;
        }
        Ok(())
    }
}

/// The disagreement over a finding's severity, if there is one: between scanners, or between a scanner and the CVSS
/// vectors. Who doesn't know a severity disagrees with no one. Vectors of several versions of CVSS don't conflict among
/// each other, and a scanner agrees with them when it agrees with one.
#[must_use]
pub fn severity_conflict(finding: &Finding) -> Option<SeverityConflict> {
    let own = (&finding.scanner, finding.severity);
    let others = finding
        .details
        .also
        .iter()
        .map(|source| (&source.scanner, source.severity));
    let mut claims: Vec<SeverityClaim> = Vec::new();
    for (scanner, severity) in std::iter::once(own).chain(others) {
        let claim = SeverityClaim {
            by: scanner.clone(),
            severity,
        };
        if severity != Severity::Unknown && !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    let ratings = counting_ratings(finding);
    let first = claims.first()?.severity;
    let scanners_differ = claims.iter().any(|claim| claim.severity != first);
    let vectors_differ = !ratings.is_empty()
        && claims
            .iter()
            .any(|claim| !ratings.iter().any(|rating| agrees(rating, claim.severity)));
    if !scanners_differ && !vectors_differ {
        return None;
    }
    claims.extend(ratings.iter().map(|rating| SeverityClaim {
        by: format!("CVSS v{} {}.{}", rating.version, rating.tenths / 10, rating.tenths % 10),
        severity: rating.severity,
    }));
    Some(SeverityConflict { claims })
}

/// Ratings by version of CVSS, without those of v2 where a later version rates too: v2 knows no "critical".
fn counting_ratings(finding: &Finding) -> Vec<CvssRating> {
    let mut ratings: Vec<CvssRating> = Vec::new();
    for found in finding.details.cvss_vectors.iter().filter_map(|vector| rating(vector)) {
        if !ratings.contains(&found) {
            ratings.push(found);
        }
    }
    if ratings.iter().any(|rating| rating.version > 2) {
        ratings.retain(|rating| rating.version > 2);
    }
    ratings.sort_by_key(|rating| std::cmp::Reverse((rating.version, rating.tenths)));
    ratings
}

fn agrees(rating: &CvssRating, severity: Severity) -> bool {
    let critical_by_v2 = rating.version == 2 && rating.severity == Severity::High && severity == Severity::Critical;
    rating.severity == severity || critical_by_v2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::priority::tests::finding;
    use holdpoint_schemas::finding::{FindingSource, Fingerprint};

    const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const MEDIUM: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L";

    fn rated(severity: Severity, also: &[(&str, Severity)], vectors: &[&str]) -> Finding {
        let mut finding = finding("CVE-2021-44228", &[]);
        finding.severity = severity;
        finding.details.cvss_vectors = vectors.iter().map(|v| (*v).to_owned()).collect();
        finding.details.also = also
            .iter()
            .map(|(scanner, severity)| FindingSource {
                scanner: (*scanner).to_owned(),
                rule: "CVE-2021-44228".to_owned(),
                severity: *severity,
                fingerprint: Fingerprint::of(["x"]),
            })
            .collect();
        finding
    }

    #[test]
    fn scanners_that_disagree_are_named_with_what_they_say() {
        let conflict = severity_conflict(&rated(Severity::High, &[("grype", Severity::Low)], &[])).unwrap();
        assert_eq!(conflict.to_string(), "trivy says high, grype says low");
    }

    #[test]
    fn a_scanner_may_disagree_with_the_vectors() {
        let conflict = severity_conflict(&rated(Severity::Critical, &[], &[MEDIUM])).unwrap();
        assert_eq!(conflict.to_string(), "trivy says critical, CVSS v3 5.3 says medium");
    }

    #[test]
    fn agreement_and_silence_are_no_conflict() {
        assert_eq!(
            severity_conflict(&rated(
                Severity::Critical,
                &[("grype", Severity::Critical)],
                &[CRITICAL]
            )),
            None
        );
        assert_eq!(
            severity_conflict(&rated(Severity::High, &[("grype", Severity::Unknown)], &["junk"])),
            None
        );
        assert_eq!(severity_conflict(&rated(Severity::Unknown, &[], &[CRITICAL])), None);
    }

    #[test]
    fn one_agreeing_vector_is_enough_and_v2_knows_no_critical() {
        assert_eq!(
            severity_conflict(&rated(Severity::Medium, &[], &[CRITICAL, MEDIUM])),
            None
        );
        assert_eq!(
            severity_conflict(&rated(Severity::Critical, &[], &["AV:N/AC:L/Au:N/C:C/I:C/A:C"])),
            None
        );
        assert!(severity_conflict(&rated(Severity::High, &[], &[CRITICAL, "AV:N/AC:L/Au:N/C:C/I:C/A:C"])).is_some());
    }
}
