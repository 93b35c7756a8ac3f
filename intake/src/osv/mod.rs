//! OSV records (OSV schema 1.6), which advisories are published in.

use holdpoint_schemas::finding::Severity;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::cmp::Ordering;

use crate::collect::severity;
use crate::json::or_default;
use crate::priority::rating;
pub use crate::version::{Ecosystem, compare, sorted_versions};

/// One advisory.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    /// Id in its database.
    pub id: String,
    /// Ids in other databases.
    #[serde(default, deserialize_with = "or_default")]
    pub aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    summary: String,
    /// When it was taken back, if it was.
    pub withdrawn: Option<String>,
    #[serde(default, rename = "severity", deserialize_with = "or_default")]
    scores: Vec<Score>,
    /// What it affects.
    #[serde(default, deserialize_with = "or_default")]
    pub affected: Vec<Affected>,
    #[serde(default, deserialize_with = "or_default")]
    database_specific: Map<String, Value>,
}

#[derive(Debug, Clone, Deserialize)]
struct Score {
    #[serde(rename = "type")]
    kind: String,
    score: String,
}

/// One package that an advisory affects.
#[derive(Debug, Clone, Deserialize)]
pub struct Affected {
    /// The package; absent where only commits are named.
    pub package: Option<Package>,
    #[serde(default, deserialize_with = "or_default")]
    ranges: Vec<Range>,
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    ecosystem_specific: Map<String, Value>,
}

/// A package in its ecosystem.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Ecosystem, in OSV's spelling.
    pub ecosystem: String,
    /// Name.
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    events: Vec<Event>,
}

#[derive(Debug, Clone, Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

impl Record {
    /// One line for people.
    pub fn title(&self, package: &str) -> String {
        let summary = self.summary.trim();
        if summary.is_empty() {
            format!("{package}: {}", self.id)
        } else {
            format!("{package}: {summary}")
        }
    }

    /// The database's word, else the band of the latest CVSS version's base score, else unknown.
    pub fn severity(&self) -> Severity {
        let word = self.database_specific.get("severity").and_then(Value::as_str);
        match word.map_or(Severity::Unknown, severity) {
            Severity::Unknown => {
                let scores = self.scores.iter().filter(|score| score.kind.starts_with("CVSS_V"));
                let ratings = scores.filter_map(|score| rating(&score.score));
                let latest = ratings.max_by_key(|rating| (rating.version, rating.tenths));
                latest.map_or(Severity::Unknown, |rating| rating.severity)
            }
            known => known,
        }
    }

    /// CWE ids, where the database gives them.
    pub fn cwes(&self) -> Vec<String> {
        let ids = self.database_specific.get("cwe_ids").and_then(Value::as_array);
        ids.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// CVSS vectors of any version.
    pub fn cvss_vectors(&self) -> impl Iterator<Item = &str> {
        let cvss = self.scores.iter().filter(|score| score.kind.starts_with("CVSS"));
        cvss.map(|score| score.score.as_str())
    }

    /// Functions that are vulnerable, where the database names them: RustSec's `affects.functions`, and the symbols of
    /// Go's `imports`.
    pub fn symbols(&self) -> Vec<String> {
        let mut symbols = Vec::new();
        for affected in &self.affected {
            let specific = &affected.ecosystem_specific;
            let functions = specific.get("affects").and_then(|affects| affects.get("functions"));
            let names = functions
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            symbols.extend(names.map(str::to_owned));
            for import in specific.get("imports").and_then(Value::as_array).into_iter().flatten() {
                let path = import.get("path").and_then(Value::as_str).unwrap_or_default();
                let names = import.get("symbols").and_then(Value::as_array).into_iter().flatten();
                symbols.extend(names.filter_map(Value::as_str).map(|name| format!("{path}.{name}")));
            }
        }
        symbols
    }

    fn affected<'a>(&'a self, ecosystem: Ecosystem, name: &'a str) -> impl Iterator<Item = &'a Affected> {
        let wanted = ecosystem.normal_name(name);
        self.affected.iter().filter(move |affected| {
            affected.package.as_ref().is_some_and(|package| {
                Ecosystem::from_osv(&package.ecosystem) == Some(ecosystem)
                    && ecosystem.normal_name(&package.name) == wanted
            })
        })
    }

    /// Whether it speaks of several releases of a distribution, so that its ranges don't hold for each.
    fn differs_by_release(&self, ecosystem: Ecosystem, name: &str) -> bool {
        let mut releases = self
            .affected(ecosystem, name)
            .filter_map(|a| Some(&a.package.as_ref()?.ecosystem));
        let first = releases.next();
        ecosystem.is_distribution() && releases.any(|release| Some(release) != first)
    }

    /// Whether a version is affected; `None` when its versions can't be compared.
    pub fn affects(&self, ecosystem: Ecosystem, name: &str, version: &str) -> Option<bool> {
        if self.differs_by_release(ecosystem, name) {
            return None;
        }
        let mut unknown = false;
        for affected in self.affected(ecosystem, name) {
            if affected.versions.iter().any(|listed| same(ecosystem, listed, version)) {
                return Some(true);
            }
            for range in affected.ranges.iter().filter(|range| range.kind != "GIT") {
                match range.contains(ecosystem, version) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => unknown = true,
                }
            }
        }
        (!unknown).then_some(false)
    }

    /// Versions above this one in which it is fixed, lowest first.
    pub fn fixed_after(&self, ecosystem: Ecosystem, name: &str, version: &str) -> Vec<String> {
        if self.differs_by_release(ecosystem, name) {
            return Vec::new();
        }
        let events = self
            .affected(ecosystem, name)
            .flat_map(|a| &a.ranges)
            .filter(|range| range.kind != "GIT");
        let fixed = events
            .flat_map(|range| &range.events)
            .filter_map(|event| event.fixed.clone());
        let above = fixed.filter(|fixed| compare(ecosystem, fixed, version) == Some(Ordering::Greater));
        sorted_versions(ecosystem, above.collect())
    }
}

/// The severity of a CVSS vector's base score, of any version; unknown for anything else.
pub fn band_of_vector(vector: &str) -> Severity {
    rating(vector).map_or(Severity::Unknown, |rating| rating.severity)
}

fn same(ecosystem: Ecosystem, a: &str, b: &str) -> bool {
    a == b || compare(ecosystem, a, b) == Some(Ordering::Equal)
}

/// Order within a range, where `0` comes before every version.
fn order(ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
    match (a == "0", b == "0") {
        (true, true) => Some(Ordering::Equal),
        (true, false) => compare(ecosystem, b, b).map(|_| Ordering::Less),
        (false, true) => compare(ecosystem, a, a).map(|_| Ordering::Greater),
        (false, false) => compare(ecosystem, a, b),
    }
}

impl Range {
    /// The evaluation that the OSV schema describes ("evaluation" section): events in version
    /// order, each turning the answer. `None` when a version can't be compared.
    fn contains(&self, ecosystem: Ecosystem, version: &str) -> Option<bool> {
        let limits: Vec<&str> = self.events.iter().filter_map(|event| event.limit.as_deref()).collect();
        let mut below_limit = limits.is_empty();
        for limit in limits {
            below_limit |= limit == "*" || compare(ecosystem, version, limit)?.is_lt();
        }
        // The latest event that applies decides; at the same version, an introduction wins.
        let mut latest: Option<(&str, bool)> = None;
        for event in &self.events {
            let (at, turns_on) = match (&event.introduced, &event.fixed, &event.last_affected) {
                (Some(at), _, _) if order(ecosystem, at, version)?.is_le() => (at, true),
                (_, Some(at), _) if order(ecosystem, at, version)?.is_le() => (at, false),
                (_, _, Some(at)) if order(ecosystem, at, version)?.is_lt() => (at, false),
                _ => continue,
            };
            let later = match latest {
                None => true,
                Some((before, _)) => match order(ecosystem, at, before)? {
                    Ordering::Less => false,
                    Ordering::Equal => turns_on,
                    Ordering::Greater => true,
                },
            };
            if later {
                latest = Some((at, turns_on));
            }
        }
        Some(below_limit && latest.is_some_and(|(_, on)| on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(affected: &str) -> Record {
        serde_json::from_str(&format!(r#"{{"id":"X-1","affected":{affected}}}"#)).unwrap()
    }

    fn range(events: &str) -> Record {
        record(&format!(
            r#"[{{"package":{{"ecosystem":"PyPI","name":"Urllib_3"}},"ranges":[{{"type":"ECOSYSTEM","events":{events}}}]}}]"#
        ))
    }

    fn affects(record: &Record, version: &str) -> Option<bool> {
        record.affects(Ecosystem::PyPi, "urllib-3", version)
    }

    #[test]
    fn a_range_holds_what_is_introduced_and_not_yet_fixed() {
        let record = range(r#"[{"introduced":"0"},{"fixed":"1.26.18"},{"introduced":"2.0.0a1"},{"fixed":"2.0.7"}]"#);
        for (version, wanted) in [
            ("1.26.17", true),
            ("1.26.18", false),
            ("1.27", false),
            ("2.0.0a1", true),
            ("2.0.6", true),
            ("2.0.7", false),
        ] {
            assert_eq!(affects(&record, version), Some(wanted), "{version}");
        }
        assert_eq!(
            record.fixed_after(Ecosystem::PyPi, "urllib-3", "1.26.17"),
            ["1.26.18", "2.0.7"]
        );
    }

    #[test]
    fn events_may_come_in_any_order() {
        let record = range(r#"[{"fixed":"2"},{"introduced":"1"}]"#);
        assert_eq!(affects(&record, "1.5"), Some(true));
        assert_eq!(affects(&record, "2"), Some(false));
        assert_eq!(affects(&record, "0.9"), Some(false));
    }

    #[test]
    fn the_last_affected_version_is_affected_and_a_limit_ends_the_range() {
        let record = range(r#"[{"introduced":"0"},{"last_affected":"1.2"}]"#);
        assert_eq!(affects(&record, "1.2.0"), Some(true));
        assert_eq!(affects(&record, "1.2.1"), Some(false));
        let limited = range(r#"[{"introduced":"1"},{"limit":"2"}]"#);
        assert_eq!(affects(&limited, "1.9"), Some(true));
        assert_eq!(affects(&limited, "2.0"), Some(false));
    }

    #[test]
    fn listed_versions_are_affected_in_any_spelling() {
        let record = record(r#"[{"package":{"ecosystem":"PyPI","name":"urllib-3"},"versions":["1.0"]}]"#);
        assert_eq!(affects(&record, "1.0.0"), Some(true));
        assert_eq!(affects(&record, "1.0.1"), Some(false));
    }

    #[test]
    fn releases_of_a_distribution_are_not_mixed() {
        let of = |releases: [&str; 2]| {
            record(&format!(
                r#"[{{"package":{{"ecosystem":"{}","name":"bash"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"5.1-2"}}]}}]}},
                    {{"package":{{"ecosystem":"{}","name":"bash"}},"versions":["9"]}}]"#,
                releases[0], releases[1]
            ))
        };
        let debian = Ecosystem::Deb("debian");
        let same = of(["Debian:12", "Debian:12"]);
        assert_eq!(same.affects(debian, "bash", "5.1-1"), Some(true));
        assert_eq!(same.fixed_after(debian, "bash", "5.1-1"), ["5.1-2"]);
        let other = of(["Debian:12", "Debian:11"]);
        assert_eq!(other.affects(debian, "bash", "5.1-1"), None);
        assert!(other.fixed_after(debian, "bash", "5.1-1").is_empty());
    }

    #[test]
    fn a_version_that_cannot_be_compared_is_unknown_not_safe() {
        let record = range(r#"[{"introduced":"1"},{"fixed":"2"}]"#);
        assert_eq!(affects(&record, "not a version"), None);
    }

    #[test]
    fn severity_comes_from_the_database_then_from_cvss() {
        let record: Record = serde_json::from_str(
            r#"{"id":"X","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}"#,
        )
        .unwrap();
        assert_eq!(record.severity(), Severity::Critical);
        let record: Record = serde_json::from_str(r#"{"id":"X","database_specific":{"severity":"MODERATE"}}"#).unwrap();
        assert_eq!(record.severity(), Severity::Medium);
    }
}
