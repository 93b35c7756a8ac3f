//! The record that the conformance suite passed on a cluster. Without one that fits, what a cluster's
//! sandbox says of itself is only what was asked of it: a network policy that no plugin enforces looks
//! the same as one that holds.

use serde::{Deserialize, Serialize};

/// Bytes of a record: a few hundred cases.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// What was shown, where, with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformanceRecord {
    /// Where.
    pub cluster: ClusterIdentity,
    /// Version of the suite that ran: see `suite` in [`ClusterIdentity::proves`].
    pub suite: String,
    /// When, RFC 3339.
    pub at: String,
    /// Every case of it.
    pub cases: Vec<ConformanceCase>,
}

/// A case of the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformanceCase {
    /// Its name.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
}

/// What must be the same for a record to mean anything: another version or another runtime of the
/// same cluster was never tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterIdentity {
    /// Uid of the namespace `kube-system`, which lives as long as its cluster.
    pub uid: String,
    /// Version of the API server, as it says itself: `v1.33.2`.
    pub version: String,
    /// Namespace of the pods: admission rules and network policies differ between them.
    pub namespace: String,
    /// `RuntimeClass` of the pods and its handler; without one, the nodes' default runtime.
    pub runtime: Option<String>,
    /// Whether pods have a user namespace of their own.
    pub user_namespaces: bool,
}

impl ClusterIdentity {
    /// Whether this text is a record of this cluster by this suite, with every one of its cases passed.
    /// Otherwise why not, for people.
    ///
    /// # Errors
    /// When it isn't; the text says why.
    pub fn proves(&self, record: &str, suite: &str) -> Result<(), String> {
        if record.len() > MAX_RECORD_BYTES {
            return Err(format!("the record has more than {MAX_RECORD_BYTES} bytes"));
        }
        let record: ConformanceRecord =
            serde_json::from_str(record).map_err(|error| format!("the record can't be read: {error}"))?;
        if record.cluster != *self {
            return Err("the record is of another cluster, version, namespace or runtime".to_owned());
        }
        if record.suite != suite {
            return Err("the record is of another version of the conformance suite".to_owned());
        }
        if record.cases.is_empty() {
            return Err("the record has no cases".to_owned());
        }
        match record.cases.iter().find(|case| !case.passed) {
            Some(case) => Err(format!("`{}` failed there", crate::text::one_line(&case.name))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> ClusterIdentity {
        ClusterIdentity {
            uid: "u".to_owned(),
            version: "v1.33.2".to_owned(),
            namespace: "holdpoint".to_owned(),
            runtime: None,
            user_namespaces: false,
        }
    }

    fn record(passed: &[bool]) -> ConformanceRecord {
        ConformanceRecord {
            cluster: identity(),
            suite: "s".to_owned(),
            at: "2026-01-01T00:00:00Z".to_owned(),
            cases: passed
                .iter()
                .map(|passed| ConformanceCase {
                    name: "c".to_owned(),
                    passed: *passed,
                })
                .collect(),
        }
    }

    fn proves(record: &ConformanceRecord) -> bool {
        identity().proves(&serde_json::to_string(record).unwrap(), "s").is_ok()
    }

    #[test]
    fn a_record_proves_only_what_was_tried_as_a_whole() {
        assert!(proves(&record(&[true, true])));
        assert!(!proves(&record(&[true, false])));
        assert!(!proves(&record(&[])));
        let other = ConformanceRecord {
            suite: "t".to_owned(),
            ..record(&[true])
        };
        assert!(!proves(&other));
        for change in [
            |identity: &mut ClusterIdentity| identity.uid.push('x'),
            |identity: &mut ClusterIdentity| identity.version.push('x'),
            |identity: &mut ClusterIdentity| identity.namespace.push('x'),
            |identity: &mut ClusterIdentity| identity.runtime = Some("gvisor".to_owned()),
            |identity: &mut ClusterIdentity| identity.user_namespaces = true,
        ] {
            let mut other = record(&[true]);
            change(&mut other.cluster);
            assert!(!proves(&other));
        }
        assert!(identity().proves("{}", "s").is_err());
        assert!(identity().proves(&" ".repeat(MAX_RECORD_BYTES + 1), "s").is_err());
    }
}
