//! How pressing a finding is: CVSS scores from vectors, EPSS, CISA's catalogue of known exploited vulnerabilities, and
//! where those who rate it disagree.

mod conflict;
mod cve;
mod cvss;
mod epss;
mod kev;

pub use conflict::{SeverityClaim, SeverityConflict, severity_conflict};
pub use cve::{CveId, cves};
pub use cvss::{CvssRating, cvss_tenths, rating, score_tenths};
pub use epss::{Epss, read_epss};
pub use kev::{Kev, KevEntry, read_kev};

/// Most notes about what was not read; one more says how many there were.
const MAX_SKIPPED: usize = 100;

/// Notes about what was not read, bounded.
#[derive(Debug, Default)]
struct Skipped {
    notes: Vec<String>,
    more: usize,
}

impl Skipped {
    fn push(&mut self, note: String) {
        if self.notes.len() < MAX_SKIPPED {
            self.notes.push(note);
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.notes.push(format!("and {} more", self.more));
        }
        self.notes
    }
}

#[cfg(test)]
mod tests {
    use holdpoint_schemas::finding::{Finding, FindingClass, FindingDetails, Fingerprint, Severity};

    /// A finding of which only the ids matter.
    pub fn finding(rule: &str, aliases: &[&str]) -> Finding {
        Finding {
            fingerprint: Fingerprint::of([rule]),
            scanner: "trivy".to_owned(),
            rule: rule.to_owned(),
            title: String::new(),
            severity: Severity::Unknown,
            class: FindingClass::Dependency,
            cwes: Vec::new(),
            aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
            component: None,
            location: None,
            iac_address: None,
            fixed_versions: Vec::new(),
            details: FindingDetails::default(),
        }
    }

    #[test]
    fn the_highest_score_of_vectors_and_report_counts_and_an_unreadable_vector_makes_it_unknown() {
        let mut finding = finding("CVE-2021-44228", &[]);
        assert_eq!(super::cvss_tenths(&finding), None);
        finding.details.cvss_tenths = Some(55);
        assert_eq!(super::cvss_tenths(&finding), Some(55));
        finding.details.cvss_vectors = vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()];
        assert_eq!(super::cvss_tenths(&finding), Some(98));
        finding.details.cvss_vectors.push("CVSS:9.0/AV:N".to_owned());
        assert_eq!(super::cvss_tenths(&finding), None);
    }
}
