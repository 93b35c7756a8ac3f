//! CISA's catalogue of known exploited vulnerabilities (JSON).

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::finding::Finding;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::HashMap;

use super::Skipped;
use super::cve::{CveId, cves};
use crate::error::SourceResult;
use crate::json::{self, or_default};

/// Largest file in bytes: the catalogue has about 1.5 MB.
const MAX_BYTES: usize = 32 << 20;

/// One vulnerability that is known to be exploited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KevEntry {
    /// Since when it is listed.
    pub added: Option<Date>,
    /// Until when US agencies must have fixed it.
    pub due: Option<Date>,
    /// Whether ransomware is known to use it; `None` where nobody knows.
    pub ransomware: Option<bool>,
}

/// The catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kev {
    /// When it was released, where it says so.
    pub observed_at: Option<Timestamp>,
    /// What was not read, one line each, for people.
    pub skipped: Vec<String>,
    entries: HashMap<CveId, KevEntry>,
}

impl Kev {
    /// How many vulnerabilities it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What it says of one vulnerability.
    #[must_use]
    pub fn entry(&self, id: CveId) -> Option<&KevEntry> {
        self.entries.get(&id)
    }

    /// Whether one of a finding's CVE ids is listed. `None` when the finding has no CVE id, or when none is listed but
    /// the catalogue couldn't be read whole.
    #[must_use]
    pub fn known_exploited(&self, finding: &Finding) -> Option<bool> {
        let ids = cves(finding);
        if ids.iter().any(|id| self.entries.contains_key(id)) {
            return Some(true);
        }
        (!ids.is_empty() && self.skipped.is_empty()).then_some(false)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    #[serde(default, deserialize_with = "or_default")]
    date_released: String,
    #[serde(default)]
    count: Option<u64>,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability {
    #[serde(default, rename = "cveID", deserialize_with = "or_default")]
    cve_id: String,
    #[serde(default, deserialize_with = "or_default")]
    date_added: String,
    #[serde(default, deserialize_with = "or_default")]
    due_date: String,
    #[serde(default, deserialize_with = "or_default")]
    known_ransomware_campaign_use: String,
}

/// Reads the catalogue. An entry without a CVE id is skipped and named by its place in the list.
///
/// # Errors
/// When it is too large, not UTF-8, malformed, cut off, or another document.
pub fn read_kev(file: &str, bytes: &[u8]) -> SourceResult<Kev> {
    let text = json::text(file, bytes, MAX_BYTES)?;
    let catalogue: Catalogue = json::parse(file, text, "CISA's catalogue of known exploited vulnerabilities")?;
    let mut skipped = Skipped::default();
    let listed = catalogue.vulnerabilities.len() as u64;
    if let Some(count) = catalogue.count.filter(|count| *count != listed) {
        skipped.push(format!(
            "it says that it lists {count} vulnerabilities, but it lists {listed}"
        ));
    }
    let mut entries = HashMap::new();
    for (index, vulnerability) in catalogue.vulnerabilities.into_iter().enumerate() {
        let Some(id) = CveId::parse(&vulnerability.cve_id) else {
            skipped.push(format!("entry {}: no CVE id", index + 1));
            continue;
        };
        let entry = KevEntry {
            added: vulnerability.date_added.parse().ok(),
            due: vulnerability.due_date.parse().ok(),
            ransomware: (vulnerability.known_ransomware_campaign_use == "Known").then_some(true),
        };
        entries.entry(id).or_insert(entry);
    }
    Ok(Kev {
        observed_at: catalogue.date_released.parse().ok(),
        skipped: skipped.finish(),
        entries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::priority::tests::finding;

    const FILE: &str = r#"{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2025.06.02",
        "dateReleased":"2025-06-02T17:00:03.2137Z","count":2,"vulnerabilities":[
        {"cveID":"CVE-2021-44228","vendorProject":"Apache","dateAdded":"2021-12-10","dueDate":"2021-12-24",
         "knownRansomwareCampaignUse":"Known","cwes":["CWE-20"]},
        {"cveID":"CVE-2020-0001","dateAdded":"soon","dueDate":null,"knownRansomwareCampaignUse":"Unknown"}]}"#;

    #[test]
    fn entries_come_with_their_dates() {
        let kev = read_kev("kev.json", FILE.as_bytes()).unwrap();
        assert_eq!(kev.observed_at.unwrap().to_string(), "2025-06-02T17:00:03.2137Z");
        let entry = kev.entry(CveId::parse("CVE-2021-44228").unwrap()).unwrap();
        assert_eq!(entry.added.unwrap().to_string(), "2021-12-10");
        assert_eq!(entry.due.unwrap().to_string(), "2021-12-24");
        assert_eq!(entry.ransomware, Some(true));
        let entry = kev.entry(CveId::parse("CVE-2020-0001").unwrap()).unwrap();
        assert_eq!((entry.added, entry.due, entry.ransomware), (None, None, None));
    }

    #[test]
    fn a_finding_is_exploited_when_one_of_its_ids_is_listed() {
        let kev = read_kev("kev.json", FILE.as_bytes()).unwrap();
        assert_eq!(kev.known_exploited(&finding("GHSA-x", &["cve-2021-44228"])), Some(true));
        assert_eq!(kev.known_exploited(&finding("CVE-2022-0001", &[])), Some(false));
        assert_eq!(kev.known_exploited(&finding("GHSA-x", &[])), None);
    }

    #[test]
    fn a_catalogue_with_gaps_does_not_say_no() {
        for text in [
            FILE.replace("CVE-2020-0001", "CVE-20-1"),
            FILE.replace("\"count\":2", "\"count\":3"),
        ] {
            let kev = read_kev("kev.json", text.as_bytes()).unwrap();
            assert_eq!(kev.skipped.len(), 1, "{:?}", kev.skipped);
            assert_eq!(kev.known_exploited(&finding("CVE-2021-44228", &[])), Some(true));
            assert_eq!(kev.known_exploited(&finding("CVE-2022-0001", &[])), None);
        }
    }

    #[test]
    fn bad_files_are_refused_with_their_place() {
        let cut = FILE.get(..200).unwrap();
        let error = read_kev("kev.json", cut.as_bytes()).unwrap_err();
        assert!(
            error.position.is_some() && error.message.contains("known exploited"),
            "{}",
            error.message
        );
        let twice = FILE.replace("\"vendorProject\":\"Apache\"", "\"cveID\":\"CVE-2000-0001\"");
        let error = read_kev("kev.json", twice.as_bytes()).unwrap_err();
        assert!(error.message.contains("duplicate field"), "{}", error.message);
        let huge = FILE.replace("\"count\":2", "\"count\":1e400");
        assert!(read_kev("kev.json", huge.as_bytes()).is_err());
        let deep = format!("{{\"vulnerabilities\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
        assert!(
            read_kev("kev.json", deep.as_bytes())
                .unwrap_err()
                .message
                .contains("nested")
        );
        assert!(
            read_kev("kev.json", b"{}")
                .unwrap_err()
                .message
                .contains("vulnerabilities")
        );
    }
}
