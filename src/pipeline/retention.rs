//! What of the ledger may be let go: bodies that are old and that no later decision, replay or person needs.
//!
//! Only kinds listed in [`PRUNABLE`] are ever looked at, so that a kind that is added elsewhere is kept until somebody
//! has thought about it. Approvals, intents, merges, outcomes, changes of stage and findings always stay.

use anyhow::Result;
use holdpoint_ledger::Entry;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::ledger_config::RetentionConfig;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::record::{APPROVAL, DECISION, EVIDENCE, FIX, MERGE, MERGE_INTENT, POLICIES, PROPOSAL, SCHEMA};
use crate::failure::BadInput;

/// Kinds whose bodies may go at all.
pub const PRUNABLE: [&str; 5] = [DECISION, EVIDENCE, FIX, POLICIES, SCHEMA];

/// Where entries that always stay name a decision: what people saw, and what was acted on.
const DECISIONS_NAMED: [(&str, &str); 4] = [
    (APPROVAL, "/statement/decision"),
    (PROPOSAL, "/decision"),
    (MERGE_INTENT, "/decision"),
    (MERGE, "/decision"),
];

/// Where they name a fix.
const FIXES_NAMED: [(&str, &str); 4] = [
    (APPROVAL, "/statement/fix"),
    (PROPOSAL, "/fix"),
    (MERGE_INTENT, "/fix"),
    (MERGE, "/fix"),
];

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Places of the entries whose bodies may go at `now`.
///
/// # Errors
/// When the settings name a kind that is never let go.
pub fn prunable(entries: &[Entry], config: &RetentionConfig, now: Timestamp) -> Result<BTreeSet<u64>> {
    if let Some(kind) = config.kinds.keys().find(|kind| !PRUNABLE.contains(&kind.as_str())) {
        return Err(BadInput::new(
            format!("`ledger.retention.kinds` names `{kind}`, which is never let go"),
            format!("those that can be are {}", PRUNABLE.join(", ")),
        )
        .into());
    }
    // What is from the future, by a clock that jumped, is not old.
    let old = |entry: &Entry| {
        let days = config.kinds.get(&entry.kind).copied().or(config.days);
        days.is_some_and(|days| entry.at.as_second().saturating_add(i64::from(days) * DAY) <= now.as_second())
    };
    let needed = Needed::of(entries, &old);
    let goes = |entry: &&Entry| {
        let id = text(&entry.body, "/id");
        PRUNABLE.contains(&entry.kind.as_str())
            && old(entry)
            && match entry.kind.as_str() {
                DECISION => !needed.decisions.contains(&entry.seq),
                FIX => id.is_none_or(|id| !needed.fixes.contains(id) || needed.newest_fix.get(id) != Some(&entry.seq)),
                EVIDENCE => text(&entry.body, "/fix").is_some_and(|fix| !needed.fixes.contains(fix)),
                _ => !needed.texts.contains(&entry.seq),
            }
    };
    Ok(entries.iter().filter(goes).map(|entry| entry.seq).collect())
}

/// What stays although it is old.
#[derive(Default)]
struct Needed<'a> {
    /// Places of decisions.
    decisions: BTreeSet<u64>,
    /// Fixes by id.
    fixes: BTreeSet<&'a str>,
    /// Place of the newest entry of each fix.
    newest_fix: BTreeMap<&'a str, u64>,
    /// Places of texts of policies and schemas.
    texts: BTreeSet<u64>,
}

impl<'a> Needed<'a> {
    fn of(entries: &'a [Entry], old: &dyn Fn(&Entry) -> bool) -> Self {
        let mut needed = Self::default();
        let mut named = BTreeSet::new();
        let mut newest_decision = BTreeMap::new();
        let mut newest_text = BTreeMap::new();
        for entry in entries {
            let at = |table: &[(&str, &str)]| {
                let path = table.iter().find(|(kind, _)| *kind == entry.kind)?;
                text(&entry.body, path.1)
            };
            named.extend(at(&DECISIONS_NAMED));
            needed.fixes.extend(at(&FIXES_NAMED));
            match entry.kind.as_str() {
                DECISION => {
                    let about = ["/repo", "/branch", "/finding"].map(|field| text(&entry.body, field));
                    newest_decision.insert(about, entry.seq);
                }
                FIX => {
                    let id = text(&entry.body, "/id").unwrap_or_default();
                    needed.newest_fix.insert(id, entry.seq);
                }
                POLICIES | SCHEMA => {
                    newest_text.insert(entry.kind.as_str(), entry.seq);
                }
                _ => {}
            }
        }
        let newest: BTreeSet<u64> = newest_decision.into_values().collect();
        let mut inputs = BTreeSet::new();
        for entry in entries.iter().filter(|entry| entry.kind == DECISION) {
            let is_named = text(&entry.body, "/id").is_some_and(|id| named.contains(id));
            if is_named || newest.contains(&entry.seq) || !old(entry) {
                needed.decisions.insert(entry.seq);
                needed.fixes.extend(text(&entry.body, "/fix"));
                inputs.extend(["/inputs/policies", "/inputs/schema"].map(|path| text(&entry.body, path)));
            }
        }
        needed.texts.extend(newest_text.into_values());
        let is_input = |entry: &&Entry| {
            [POLICIES, SCHEMA].contains(&entry.kind.as_str()) && inputs.contains(&text(&entry.body, "/digest"))
        };
        needed
            .texts
            .extend(entries.iter().filter(is_input).map(|entry| entry.seq));
        needed
    }
}

fn text<'a>(body: &'a Value, path: &str) -> Option<&'a str> {
    body.pointer(path)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::record::{FINDING, RUN};
    use holdpoint_ledger::Ledger;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: i64 = 1_000 * DAY;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(day * DAY).unwrap()
    }

    fn decision(id: &str, finding: &str, fix: &str, policies: &str) -> Value {
        json!({"id": id, "repo": "r", "branch": "main", "finding": finding, "fix": fix,
               "inputs": {"policies": policies, "schema": "s1"}})
    }

    /// Kinds and places of what stays, of entries given as (kind, day, body).
    fn kept(items: &[(&str, i64, Value)], days: u32) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
        let entries = ledger
            .append_all(items.iter().map(|(kind, at, body)| (*kind, day(*at), body)))
            .unwrap();
        let config = RetentionConfig {
            days: Some(days),
            ..RetentionConfig::default()
        };
        let gone = prunable(&entries, &config, Timestamp::from_second(NOW).unwrap()).unwrap();
        (1..=entries.len() as u64).filter(|seq| !gone.contains(seq)).collect()
    }

    #[test]
    fn what_was_decided_since_or_acted_on_stays_with_all_that_replays_it() {
        let items = [
            (SCHEMA, 1, json!({"digest": "s1"})),
            (POLICIES, 1, json!({"digest": "p1"})),
            (POLICIES, 2, json!({"digest": "p2"})),
            (FIX, 2, json!({"id": "f1"})),
            (FIX, 2, json!({"id": "f2"})),
            (EVIDENCE, 2, json!({"fix": "f1"})),
            (EVIDENCE, 2, json!({"fix": "f2"})),
            // Nobody asks after this one again: there is a newer one of its finding.
            (DECISION, 3, decision("d1", "a", "f1", "p1")),
            (DECISION, 4, decision("d2", "a", "f2", "p2")),
            (RUN, 4, json!({"state": "finished"})),
            (FINDING, 4, json!({})),
        ];
        assert_eq!(kept(&items, 30), [1, 3, 5, 7, 9, 10, 11]);
        // Unless somebody acted on it.
        for (kind, body) in [
            (MERGE, json!({"decision": "d1", "fix": "f1"})),
            (MERGE_INTENT, json!({"decision": "d1", "fix": "f1"})),
            (PROPOSAL, json!({"decision": "d1", "fix": "f1"})),
            (APPROVAL, json!({"statement": {"decision": "d1", "fix": "f1"}})),
        ] {
            let mut items = items.to_vec();
            items.push((kind, 5, body));
            assert_eq!(kept(&items, 30).len(), items.len(), "{kind}");
        }
        assert_eq!(kept(&items, 999).len(), items.len(), "all of it is young enough");
    }

    #[test]
    fn without_settings_nothing_goes_and_a_kind_that_must_stay_is_refused() {
        let entries = [];
        let mut config = RetentionConfig::default();
        config.kinds.insert(APPROVAL.to_owned(), 1);
        let error = prunable(&entries, &config, day(1)).unwrap_err().to_string();
        assert!(error.contains("`approval`, which is never let go"), "{error}");
        let items = [
            (DECISION, 1, decision("d", "a", "f", "p")),
            (DECISION, 2, decision("e", "a", "f", "p")),
        ];
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
        let entries = ledger
            .append_all(items.iter().map(|(kind, at, body)| (*kind, day(*at), body)))
            .unwrap();
        assert!(
            prunable(&entries, &RetentionConfig::default(), day(999))
                .unwrap()
                .is_empty()
        );
    }

    proptest! {
        /// Whatever the history, no kind that always stays goes, and what a kept decision rests on stays.
        #[test]
        fn a_kept_decision_keeps_its_fix_and_texts(
            picks in prop::collection::vec((0..7_usize, 0..4_u8, 0..3_u8, 900..1_000_i64), 1..25),
            days in 0..120_u32,
        ) {
            let items: Vec<(&str, i64, Value)> = picks.iter().enumerate().map(|(n, (kind, a, b, at))| {
                let (fix, text) = (format!("f{a}"), format!("p{b}"));
                let (kind, body) = match kind {
                    0 => (FIX, json!({"id": fix})),
                    1 => (EVIDENCE, json!({"fix": fix})),
                    2 => (POLICIES, json!({"digest": text})),
                    3 => (MERGE, json!({"fix": fix, "decision": format!("d{}", n / 2)})),
                    4 => (APPROVAL, json!({"statement": {"fix": fix, "decision": "d1"}})),
                    _ => (DECISION, decision(&format!("d{n}"), &format!("x{b}"), &fix, &text)),
                };
                (kind, *at, body)
            }).collect();
            let kept = kept(&items, days);
            for (kind, _, body) in kept.iter().map(|seq| &items[*seq as usize - 1]) {
                if *kind != DECISION {
                    continue;
                }
                let there = |kind: &str, path: &str, what: &Value, of: &[u64]| {
                    of.iter().any(|seq| items[*seq as usize - 1].0 == kind && items[*seq as usize - 1].2.pointer(path) == Some(what))
                };
                let all: Vec<u64> = (1..=items.len() as u64).collect();
                for (kind, path, named) in [(FIX, "/id", &body["fix"]), (EVIDENCE, "/fix", &body["fix"]), (POLICIES, "/digest", &body["inputs"]["policies"])] {
                    prop_assert!(!there(kind, path, named, &all) || there(kind, path, named, &kept));
                }
            }
            let stay = items.iter().filter(|(kind, ..)| [MERGE, APPROVAL].contains(kind)).count();
            let stayed = kept.iter().filter(|seq| [MERGE, APPROVAL].contains(&items[**seq as usize - 1].0)).count();
            prop_assert_eq!(stay, stayed);
        }
    }
}
