//! `policy new --from-table`: decision tables become packs.

use std::path::Path;
use std::process::Output;

use holdpoint_engine::decide::assess;
use holdpoint_engine::policy::{Effect, Pack};
use holdpoint_engine::table::{DecisionTable, Role, policies, read};
use holdpoint_proof::{Solver, overlaps};
use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{Action, Fact, FactRow, FactSet, FactTable, FactType};

use crate::packs::{PackFolder, all, code};
use crate::support::{holdpoint, stderr, stdout};

const TABLE: &str = "row,Exploitation v1.1.0,Public Safety Impact v2.0.1,Priority\n\
    0,none,minimal,defer\n1,none,significant,scheduled\n2,active,minimal,scheduled\n3,active,significant,immediate\n";
const OUTCOMES: [&str; 6] = [
    "--outcome",
    "defer=alert",
    "--outcome",
    "scheduled=suggest",
    "--outcome",
    "immediate=auto-apply",
];

/// An estate without services, with a table beside it.
fn estate(table: &str) -> PackFolder {
    PackFolder::new()
        .with("holdpoint.yaml", "name: test\nrepos: []\n")
        .with("supplier_1_0_0.csv", table)
}

fn import(estate: &PackFolder, pack: &str, options: &[&str]) -> Output {
    let fixed = [
        "--estate",
        ".",
        "policy",
        "new",
        "--from-table",
        "supplier_1_0_0.csv",
        "--pack",
        pack,
    ];
    holdpoint()
        .args(fixed)
        .args(options)
        .current_dir(estate.path())
        .output()
        .unwrap()
}

fn in_estate(estate: &PackFolder, arguments: &[&str]) -> Output {
    holdpoint()
        .arg("policy")
        .args(arguments)
        .current_dir(estate.path())
        .output()
        .unwrap()
}

#[test]
fn a_table_becomes_a_pack_with_facts_and_cases_that_passes_at_once() {
    for (pack, base, policies) in [("alone", None, 4), ("layer", Some("baseline"), 3)] {
        let estate = estate(TABLE);
        let extends = base.map_or(Vec::new(), |base| vec!["--extends", base]);
        let output = import(&estate, pack, &[&OUTCOMES[..], &extends].concat());
        assert!(output.status.success(), "{}", all(&output));
        assert!(
            stdout(&output).contains(&format!("policies made of 4 rows: {policies};")),
            "{}",
            stdout(&output)
        );
        for command in [&["check"][..], &["test"], &["fmt", "--check"]] {
            let output = in_estate(&estate, &[command, &[pack]].concat());
            assert!(output.status.success(), "{command:?} {pack}: {}", all(&output));
        }
        let facts = std::fs::read_to_string(estate.path().join("facts.d/supplier.yaml")).unwrap();
        assert!(
            facts.contains("id: org.supplier.public_safety_impact\n    type: [minimal, significant]"),
            "{facts}"
        );
        let row = std::fs::read_to_string(estate.path().join(pack).join("supplier-row-0.cedar")).unwrap();
        assert!(row.contains("@reason(\"Supplier table, row 0: defer\")"), "{row}");
        let again = import(&estate, pack, &OUTCOMES);
        assert_eq!(code(&again), Some(3), "{}", all(&again));
    }
}

#[test]
fn a_table_that_does_not_hold_up_is_refused_and_nothing_is_written() {
    let unmapped = estate(TABLE);
    let output = import(&unmapped, "pack", &OUTCOMES[..2]);
    assert_eq!(code(&output), Some(2));
    assert!(
        stderr(&output).contains("no level: immediate, scheduled"),
        "{}",
        stderr(&output)
    );
    let stranger = import(
        &unmapped,
        "pack",
        &[&OUTCOMES[..], &["--outcome", "never=alert"]].concat(),
    );
    assert!(
        stderr(&stranger).contains("the table has no outcome `never`"),
        "{}",
        stderr(&stranger)
    );
    assert!(!unmapped.path().join("pack").exists() && !unmapped.path().join("facts.d").exists());

    let conflict = estate(&TABLE.replace("3,active,significant", "3,active,minimal"));
    let output = import(&conflict, "pack", &OUTCOMES);
    assert_eq!(code(&output), Some(3));
    assert!(
        stderr(&output).contains("supplier_1_0_0.csv:5:18: row `3` has the same inputs as row `2` in line 4, but `immediate` instead of `scheduled`"),
        "{}",
        stderr(&output)
    );
    let gap = estate(TABLE.split_once("3,").unwrap().0);
    let outcomes = &OUTCOMES[..4];
    let layered = import(&gap, "pack", &[outcomes, &["--extends", "baseline"]].concat());
    assert_eq!(code(&layered), Some(3));
    assert!(
        stderr(&layered).contains("such as (active, significant)"),
        "{}",
        stderr(&layered)
    );
    let alone = import(&gap, "pack", outcomes);
    assert!(
        alone.status.success() && stdout(&alone).contains("(active, significant): these stay alerts"),
        "{}",
        all(&alone)
    );
}

fn ssvc() -> Option<DecisionTable> {
    let Some(folder) = std::env::var_os("HOLDPOINT_CORPORA") else {
        eprintln!("skipped: HOLDPOINT_CORPORA names no folder of third-party cases");
        return None;
    };
    let file = Path::new(&folder).join("ssvc/supplier_patch_development_priority_1_0_0.csv");
    Some(read("supplier", "ssvc.csv", &std::fs::read(file).unwrap()).unwrap())
}

#[test]
fn words_that_differ_by_case_or_space_only_are_refused_with_their_line() {
    for (old, new, expected) in [
        (
            "3,active",
            "3,Active",
            "supplier_1_0_0.csv:5:1: `Active` under `Exploitation v1.1.0`, but `active` in another row",
        ),
        (
            "2,active,minimal,scheduled",
            "2,active,minimal,Scheduled",
            "supplier_1_0_0.csv:4:1: `Scheduled` under `outcome`",
        ),
    ] {
        let estate = estate(&TABLE.replace(old, new));
        let output = import(&estate, "pack", &OUTCOMES);
        assert_eq!(code(&output), Some(3), "{}", all(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!estate.path().join("pack").exists());
    }
}

fn known(table: &DecisionTable, choices: &[Option<usize>]) -> FactSet {
    let mut facts = FactSet::new();
    for (input, choice) in table.inputs.iter().zip(choices) {
        if let Some(choice) = choice {
            let fact = Fact {
                value: input.words[*choice].as_str().into(),
                source: "test".to_owned(),
                observed_at: holdpoint_schemas::Timestamp::UNIX_EPOCH,
                note: None,
            };
            facts.insert(&input.fact, fact);
        }
    }
    facts
}

fn facts_of(table: &DecisionTable) -> FactTable {
    let forever = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let rows = table.inputs.iter().map(|input| FactRow {
        id: forever(&input.fact),
        fact_type: FactType::Word(input.words.iter().map(|word| forever(word)).collect::<Vec<_>>().leak()),
        doc: "An input.",
        ttl_seconds: None,
        resolver: "its owner",
        actions: &Action::ALL,
        evidence_order: &[],
    });
    FactTable::shipped().with_org(rows).unwrap()
}

#[tokio::test]
async fn every_row_of_ssvcs_supplier_table_is_right_and_none_overlap() {
    let Some(table) = ssvc() else { return };
    assert_eq!((table.rows.len(), table.gaps().count), (36, 0));
    let given = [
        ("defer", Level::Alert),
        ("scheduled", Level::Suggest),
        ("out-of-cycle", Level::Suggest),
        ("immediate", Level::AutoApply),
    ];
    let levels = table
        .levels(&given.map(|(outcome, level)| (outcome.to_owned(), level)).into())
        .unwrap();
    let pack = Pack::compile(
        "ssvc",
        &policies(&table, Role::Decides, &levels).unwrap(),
        &facts_of(&table),
    )
    .unwrap();
    for row in &table.rows {
        let choices: Vec<Option<usize>> = row.choices.iter().copied().map(Some).collect();
        let answer = assess(&pack, &known(&table, &choices));
        assert_eq!(answer.level, levels[&row.outcome], "{row:?}");
        let forbids = answer
            .bounds
            .iter()
            .map(|bound| bound.id.clone())
            .filter(|id| id != "no-permit");
        let decided: std::collections::BTreeSet<String> = forbids.chain(answer.permitted_by).collect();
        assert_eq!(
            decided.into_iter().collect::<Vec<_>>(),
            [table.policy_id(row)],
            "one row decides"
        );
    }
    // Every combination with every subset of the inputs missing, against every one that says more.
    let combinations = table.inputs.iter().fold(vec![Vec::new()], |all, input| {
        let choices = (0..input.words.len()).map(Some).chain([None]);
        choices
            .flat_map(|choice| {
                all.iter()
                    .map(move |one: &Vec<Option<usize>>| [one.as_slice(), &[choice]].concat())
            })
            .collect()
    });
    assert_eq!(combinations.len(), 4 * 4 * 3 * 3);
    for choices in &combinations {
        let level = assess(&pack, &known(&table, choices)).level;
        assert!(!choices.contains(&None) || level == Level::Alert, "{choices:?}");
    }
    let solver = Solver::find().unwrap();
    let ids: Vec<&str> = pack.policies().iter().map(|policy| policy.id.as_str()).collect();
    assert_eq!(overlaps(&solver, &pack, &ids).await.unwrap(), []);
    let verified = holdpoint_proof::verify(&solver, &pack, None, |_| {}).await;
    let unsafe_: Vec<String> = verified
        .iter()
        .filter(|proof| proof.outcome != holdpoint_proof::Outcome::Proved)
        .map(|proof| proof.property.id())
        .filter(|id| !id.starts_with("not-dead/"))
        .collect();
    assert_eq!(unsafe_, [""; 0], "unknown-safe and all the rest is proved");
    let forbids = pack
        .policies()
        .iter()
        .filter(|policy| policy.effect == Effect::Forbid)
        .count();
    assert_eq!(forbids, 1, "one row is deferred");
}
