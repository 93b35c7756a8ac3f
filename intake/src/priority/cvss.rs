//! CVSS base scores from vectors: v2 (guide of 2007), v3.0, v3.1 and v4.0, by the `cvss` crate of RustSec.

use cvss::Cvss;
use holdpoint_schemas::finding::{Finding, Severity};
use std::str::FromStr;

/// Longest vector in bytes: v4.0 with all its metrics has about 200.
const MAX_VECTOR_BYTES: usize = 512;

/// What a vector says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CvssRating {
    /// Major version of CVSS: 2, 3 or 4.
    pub version: u8,
    /// Base score in tenths of a point, 0 to 100.
    pub tenths: u16,
    /// Its band: the specification's qualitative rating, and for v2 NVD's (which has no "critical").
    pub severity: Severity,
}

/// Names of the base metrics; others (threat, environment, supplement) don't change the base score.
const BASE_V2: &[&str] = &["AV", "AC", "AU", "C", "I", "A"];
const BASE_V3: &[&str] = &["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
const BASE_V4: &[&str] = &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"];

/// The base score of a vector and its band; `None` for anything else, also for a vector that lacks a base metric, names
/// one twice, or has one that its version doesn't know.
#[must_use]
pub fn rating(vector: &str) -> Option<CvssRating> {
    let text = vector.trim();
    if text.len() > MAX_VECTOR_BYTES {
        return None;
    }
    // NVD writes v2 vectors in parentheses, Nessus and OpenVAS with a prefix.
    let text = text
        .strip_prefix('(')
        .map_or(text, |inner| inner.strip_suffix(')').unwrap_or(inner));
    let text = text
        .strip_prefix("CVSS2#")
        .or_else(|| text.strip_prefix("CVSS:2.0/"))
        .unwrap_or(text);
    let whole = Cvss::from_str(text).ok()?;
    let (version, base_metrics) = match whole {
        Cvss::CvssV20(_) => (2, BASE_V2),
        Cvss::CvssV30(_) | Cvss::CvssV31(_) => (3, BASE_V3),
        Cvss::CvssV40(_) => (4, BASE_V4),
        _ => return None,
    };
    let name = |metric: &str| metric.split(':').next().unwrap_or_default().to_ascii_uppercase();
    let mut base: Vec<&str> = Vec::with_capacity(base_metrics.len() + 1);
    base.extend(text.split('/').next().filter(|_| version > 2));
    // The crate takes an absent metric of v3 for "none", which would be a guess.
    for wanted in base_metrics {
        let mut found = text.split('/').filter(|metric| name(metric) == *wanted);
        base.push(found.next()?);
        if found.next().is_some() {
            return None;
        }
    }
    let score = Cvss::from_str(&base.join("/")).ok()?.score();
    if !(0.0..=10.0).contains(&score) {
        return None;
    }
    // Whole tenths in 0..=100 by the check above.
    let tenths = (score * 10.0).round() as u16;
    Some(CvssRating {
        version,
        tenths,
        severity: band(version, tenths),
    })
}

/// The base score of a vector in tenths of a point; see [`rating`].
#[must_use]
pub fn score_tenths(vector: &str) -> Option<u16> {
    rating(vector).map(|rating| rating.tenths)
}

/// The highest base score of a finding, in tenths of a point: of its vectors and of what the report states. `None` when
/// there is none, or when one of its vectors can't be read, which might be the highest.
#[must_use]
pub fn cvss_tenths(finding: &Finding) -> Option<u16> {
    let details = &finding.details;
    let computed: Vec<u16> = details
        .cvss_vectors
        .iter()
        .map(|v| score_tenths(v))
        .collect::<Option<_>>()?;
    computed.into_iter().chain(details.cvss_tenths).max()
}

const fn band(version: u8, tenths: u16) -> Severity {
    match (version, tenths) {
        (2, 70..) => Severity::High,
        (2, 40..=69) => Severity::Medium,
        (2, _) => Severity::Low,
        (_, 90..) => Severity::Critical,
        (_, 70..=89) => Severity::High,
        (_, 40..=69) => Severity::Medium,
        (_, 1..=39) => Severity::Low,
        (_, 0) => Severity::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_published_examples() {
        for (vector, tenths) in [
            // CVSS v3.1 examples and NVD.
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", 53),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N", 59),
            ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0),
            ("CVSS:3.0/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H", 70),
            ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31),
            // The guide of CVSS v2, section 3.3: CVE-2002-0392, CVE-2003-0818, CVE-2003-0062.
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 78),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 100),
            ("(AV:L/AC:H/Au:N/C:C/I:C/A:C)", 62),
            ("CVSS2#AV:N/AC:L/Au:N/C:P/I:P/A:P", 75),
            // CVSS v4.0 examples of FIRST: CVE-2021-44228, CVE-2014-0160, CVE-2020-3947 and the ends of the scale.
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", 87),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0),
        ] {
            assert_eq!(score_tenths(vector), Some(tenths), "{vector}");
        }
    }

    #[test]
    fn what_is_not_a_base_metric_does_not_change_the_score() {
        for (base, more) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "/E:U/RL:O/RC:C/MAV:P"),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "/E:U/RL:OF/RC:C"),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                "/E:U/U:Red",
            ),
        ] {
            assert!(score_tenths(base).is_some());
            assert_eq!(score_tenths(base), score_tenths(&format!("{base}{more}")), "{base}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for vector in [
            "",
            "7.5",
            "CVSS:3.1",
            "CVSS:3.1/AV:N",
            "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
            "CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:5.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "AV:N/AC:L/Au:N/C:P/I:P",
            "é/é",
            &"AV:N/".repeat(10_000),
        ] {
            assert_eq!(score_tenths(vector), None, "{vector}");
        }
    }

    #[test]
    fn bands_are_those_of_the_specifications() {
        let severity = |vector| rating(vector).map(|r| r.severity);
        assert_eq!(severity("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Some(Severity::High));
        assert_eq!(
            severity("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            Some(Severity::Critical)
        );
        assert_eq!(
            severity("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"),
            Some(Severity::Info)
        );
    }
}
