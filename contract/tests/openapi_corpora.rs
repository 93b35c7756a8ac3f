//! Third-party pairs of OpenAPI descriptions, where `HOLDPOINT_CORPORA` names a folder of them: rates are printed,
//! and may not fall. `openapi_waivers.json` says row by row where the label is wrong, and why.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "only the library is pure; this test reads the cases and prints the rates"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use holdpoint_contract::openapi::{Day, Document, Policy, diff_under};
use holdpoint_contract::{ContractDiff, Level};
use serde::Deserialize;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("HOLDPOINT_CORPORA").map(|folder| PathBuf::from(folder).join("openapi"));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: corpora absent");
    }
    found
}

#[derive(Deserialize)]
struct Pair<T> {
    id: String,
    #[serde(default)]
    policy_dependent: bool,
    expected: Expected,
    base: T,
    revision: T,
}

#[derive(Deserialize)]
struct Expected {
    breaking: bool,
    changes: Vec<ExpectedChange>,
}

#[derive(Deserialize)]
struct ExpectedChange {
    id: String,
    level: String,
    operation: String,
    path: String,
}

#[derive(Deserialize)]
struct Waiver {
    id: String,
    reason: String,
}

/// What was found over many rows.
#[derive(Default)]
struct Tally {
    rows: usize,
    right: usize,
    waived: usize,
    unread: usize,
    breaking: [usize; 2],
    compatible: [usize; 2],
    wanted: usize,
    found: usize,
    ids: [usize; 2],
}

impl Tally {
    fn add(&mut self, id: &str, expected: &Expected, found: &ContractDiff, waivers: &BTreeMap<String, String>) {
        self.rows += 1;
        let class = if expected.breaking {
            &mut self.breaking
        } else {
            &mut self.compatible
        };
        class[1] += 1;
        let right = found.breaking == expected.breaking;
        if right {
            class[0] += 1;
        }
        let waived = !right && waivers.contains_key(id);
        self.waived += usize::from(waived);
        self.right += usize::from(right || waived);
        let errors = |level: &str| level == "error";
        let wanted: BTreeSet<(&str, &str)> = expected
            .changes
            .iter()
            .filter(|change| errors(&change.level) && !change.path.is_empty())
            .map(|change| (change.operation.as_str(), change.path.as_str()))
            .collect();
        let ours = found.changes.iter().filter(|change| change.level == Level::Error);
        let ours: BTreeSet<(&str, &str)> = ours
            .map(|change| (change.operation.as_str(), change.path.as_str()))
            .collect();
        if !waived {
            self.wanted += wanted.len();
            self.found += wanted.intersection(&ours).count();
        }
        let rules: BTreeSet<&str> = found.changes.iter().map(|change| change.rule.as_str()).collect();
        let named: BTreeSet<&str> = expected.changes.iter().map(|change| change.id.as_str()).collect();
        self.ids[0] += named.intersection(&rules).count();
        self.ids[1] += named.len();
        if !right || !wanted.is_subset(&ours) {
            let listed = found
                .changes
                .iter()
                .map(|c| format!("{} {} {} [{}]", c.level.as_str(), c.rule, c.location, c.text));
            println!(
                "{id}{}: expected {} {named:?}\n    found {:#?} gaps {:?}",
                if waived { " (waived)" } else { "" },
                expected.breaking,
                listed.collect::<Vec<_>>(),
                found.gaps
            );
        } else if std::env::var_os("SHOW_IDS").is_some() && !named.is_subset(&rules) {
            println!(
                "ids {id}: missing {:?} has {rules:?}",
                named.difference(&rules).collect::<Vec<_>>()
            );
        }
    }

    fn percent(part: usize, all: usize) -> f64 {
        let small = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        if all == 0 {
            100.0
        } else {
            100.0 * small(part) / small(all)
        }
    }

    fn balanced(&self) -> f64 {
        f64::midpoint(
            Self::percent(self.breaking[0], self.breaking[1]),
            Self::percent(self.compatible[0], self.compatible[1]),
        )
    }

    fn show(&self, name: &str) {
        println!(
            "{name}: verdict right in {} of {} ({:.1} %, {} waived), balanced {:.1} %, errors at (operation, path) {} of {} \
             ({:.1} %), rule ids {} of {}, {} unread",
            self.right,
            self.rows,
            Self::percent(self.right, self.rows),
            self.waived,
            self.balanced(),
            self.found,
            self.wanted,
            Self::percent(self.found, self.wanted),
            self.ids[0],
            self.ids[1],
            self.unread
        );
    }
}

/// The cases were judged on a day; those that hang on it only ask whether dates are long past or far off.
fn policy() -> Policy {
    Policy {
        today: Day::parse("2026-01-01"),
        ..Policy::default()
    }
}

fn waivers() -> Result<BTreeMap<String, String>, serde_json::Error> {
    let waivers: Vec<Waiver> = serde_json::from_str(include_str!("openapi_waivers.json"))?;
    Ok(waivers.into_iter().map(|waiver| (waiver.id, waiver.reason)).collect())
}

#[test]
fn every_waiver_gives_a_reason() {
    assert!(waivers().unwrap().values().all(|reason| !reason.is_empty()));
}

#[test]
fn openapi_pairs_break_where_oasdiff_says_so() {
    let Some(folder) = folder() else { return };
    let waivers = waivers().unwrap();
    let text = std::fs::read_to_string(folder.join("oasdiff-pairs.jsonl")).unwrap();
    let (mut plain, mut dependent) = (Tally::default(), Tally::default());
    for line in text.lines() {
        let pair: Pair<serde_json::Value> = serde_json::from_str(line).unwrap();
        let tally = if pair.policy_dependent {
            &mut dependent
        } else {
            &mut plain
        };
        let base = Document::parse("base.json", &pair.base.to_string());
        let revision = Document::parse("revision.json", &pair.revision.to_string());
        let (Ok(base), Ok(revision)) = (&base, &revision) else {
            tally.unread += 1;
            println!(
                "{}: {:?} {:?}",
                pair.id,
                base.err().map(|e| e.one_line()),
                revision.err().map(|e| e.one_line())
            );
            continue;
        };
        tally.add(
            &pair.id,
            &pair.expected,
            &diff_under(base, revision, &policy()),
            &waivers,
        );
    }
    plain.show("oasdiff pairs");
    dependent.show("oasdiff pairs that hang on a policy");
    assert!(plain.right * 100 >= plain.rows * 97);
    assert!(plain.waived * 100 <= plain.rows * 3);
    assert!(plain.found * 100 >= plain.wanted * 95);
}

#[test]
fn azure_devops_versions_break_where_oasdiff_says_so() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("azure-devops-evolution.jsonl")).unwrap();
    let waivers = waivers().unwrap();
    let mut tally = Tally::default();
    for line in text.lines() {
        let pair: Pair<String> = serde_json::from_str(line).unwrap();
        let read = |name: &str| Document::parse(name, &std::fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        let found = diff_under(&read(&pair.base), &read(&pair.revision), &policy());
        tally.add(&pair.id, &pair.expected, &found, &waivers);
    }
    tally.show("azure devops");
    assert!(tally.balanced() >= 95.0);
    assert!(tally.waived * 100 <= tally.rows * 3);
    assert!(tally.found * 100 >= tally.wanted * 95);
}
