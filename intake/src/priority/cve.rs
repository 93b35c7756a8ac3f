//! CVE ids.

use holdpoint_schemas::finding::Finding;
use std::collections::BTreeSet;
use std::fmt;

/// A CVE id, for example `CVE-2021-44228`. Small: a file of scores holds hundreds of thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CveId {
    year: u16,
    number: u32,
}

impl CveId {
    /// From its text in any case (CVE Record Format: four digits, then four or more).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (prefix, rest) = text.split_at_checked(4)?;
        let (year, number) = rest.split_once('-')?;
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let good = prefix.eq_ignore_ascii_case("CVE-") && year.len() == 4 && number.len() >= 4;
        if !good || !digits(year) || !digits(number) {
            return None;
        }
        Some(Self {
            year: year.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

impl fmt::Display for CveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CVE-{:04}-{:04}", self.year, self.number)
    }
}

/// The CVE ids of a finding: its rule and its aliases.
#[must_use]
pub fn cves(finding: &Finding) -> BTreeSet<CveId> {
    std::iter::once(&finding.rule)
        .chain(&finding.aliases)
        .filter_map(|id| CveId::parse(id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_in_any_case_and_written_in_one() {
        assert_eq!(CveId::parse("cve-2021-44228").unwrap().to_string(), "CVE-2021-44228");
        assert_eq!(CveId::parse("CVE-1999-0001").unwrap().to_string(), "CVE-1999-0001");
        for text in [
            "",
            "CVE-",
            "CVE-21-44228",
            "CVE-2021-1",
            "CVE-2021-99999999999999999999",
            "CVE-2021-+123",
            "GHSA-jfh8-c2jp-5v3q",
            "CVÉ-2021-44228",
        ] {
            assert_eq!(CveId::parse(text), None, "{text}");
        }
    }
}
