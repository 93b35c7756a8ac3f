//! The shipped rows of the table of facts: one each, grouped by family.

mod approval;
mod change;
mod evidence;
mod finding;
mod fix;
mod graph;
mod service;

use std::sync::LazyLock;

use super::Action;
use super::table::{FactRow, FactType};

const EVERY: &[Action] = &Action::ALL;
const PROMOTE: &[Action] = &[Action::Promote];
const VERDICTS: &[&str] = &["failed", "inconclusive", "passed"];
const DAY: i64 = 86_400;

const fn fact(id: &'static str, fact_type: FactType, doc: &'static str, resolver: &'static str) -> FactRow {
    FactRow {
        id,
        fact_type,
        doc,
        ttl_seconds: None,
        resolver,
        actions: EVERY,
        evidence_order: &[],
    }
}

const fn dated(days: i64, row: FactRow) -> FactRow {
    FactRow {
        ttl_seconds: Some(days * DAY),
        ..row
    }
}

const fn evidence(id: &'static str, doc: &'static str) -> FactRow {
    FactRow {
        evidence_order: VERDICTS,
        ..fact(
            id,
            FactType::Word(VERDICTS),
            doc,
            "a sandbox run (`holdpoint run` or `holdpoint validate`)",
        )
    }
}

const fn approval(id: &'static str, fact_type: FactType, doc: &'static str) -> FactRow {
    FactRow {
        actions: PROMOTE,
        ..fact(
            id,
            fact_type,
            doc,
            "a person with a key in the estate's approvers (`holdpoint approve`)",
        )
    }
}

const CATALOGUE: &str = "the service's owner, in the catalogue (`catalog-info.yaml`)";
const DIFF: &str = "a candidate fix";

/// The families. Adding a fact touches its row in its family's file, and its collector.
const FAMILIES: &[&[FactRow]] = &[
    finding::ROWS,
    service::ROWS,
    graph::ROWS,
    fix::ROWS,
    change::ROWS,
    evidence::ROWS,
    approval::ROWS,
];

/// Every shipped fact, grouped by family.
pub static FACTS: LazyLock<Vec<FactRow>> = LazyLock::new(|| FAMILIES.concat());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Check;
    use crate::fact::row;

    #[test]
    fn ids_are_unique_dotted_and_documented() {
        let mut seen = std::collections::BTreeSet::new();
        for row in FACTS.iter() {
            assert!(seen.insert(row.id), "{} twice", row.id);
            assert!(row.id.contains('.'), "{}", row.id);
            assert!(row.doc.ends_with('.') && !row.resolver.is_empty(), "{}", row.id);
        }
    }

    #[test]
    fn every_check_has_its_evidence_row() {
        for check in Check::ALL {
            assert_eq!(row(check.fact_id()).unwrap().evidence_order, VERDICTS);
        }
    }
}
