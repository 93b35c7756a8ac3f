//! `policy new`, `policy fmt` and `policy simulate`, as their users call them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use holdpoint_engine::decide::assess;
use holdpoint_engine::policy::{Effect, Pack};
use holdpoint_engine::table::{DecisionTable, Role, policies, read};
use holdpoint_proof::{Solver, overlaps};
use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{Action, Fact, FactRow, FactSet, FactTable, FactType};
use serde_json::Value;

use crate::packs::{PackFolder, shipped};
use crate::support::{Estate, holdpoint, run, stderr, stdout};

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn all(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

fn new(pack: &Path, arguments: &[&str]) -> Output {
    run(&[&["policy", "new", "--pack", pack.to_str().unwrap()], arguments].concat())
}

/// What was written is a sound, tested and formatted pack at once.
fn holds_up(pack: &Path) {
    let pack = pack.to_str().unwrap();
    for command in [&["check"][..], &["test"], &["fmt", "--check"]] {
        let output = run(&[&["policy"], command, &[pack]].concat());
        assert!(output.status.success(), "{command:?} {pack}: {}", all(&output));
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(listing) = std::fs::read_dir(folder) else {
            continue;
        };
        for path in listing.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

const RULES: [(&str, &[&str]); 7] = [
    (
        "frozen",
        &["--template", "freeze-like", "--fact", "change.freeze_active"],
    ),
    (
        "big",
        &[
            "--template",
            "unknown-safe-forbid",
            "--fact",
            "fix.files",
            "--safe",
            "<9",
            "--action",
            "all",
        ],
    ),
    (
        "paid",
        &[
            "--template",
            "unknown-safe-forbid",
            "--fact",
            "service.data_classes",
            "--without",
            "payment",
            "health",
            "--action",
            "suggest",
        ],
    ),
    (
        "staging",
        &[
            "--template",
            "unknown-safe-forbid",
            "--fact",
            "service.environment",
            "--safe",
            "staging",
            "--safe",
            "test",
            "--action",
            "autoApply",
        ],
    ),
    (
        "two-eyes",
        &[
            "--template",
            "unknown-safe-forbid",
            "--fact",
            "approval.approvers",
            "--safe",
            ">=2",
            "--action",
            "promote",
        ],
    ),
    (
        "tiny",
        &[
            "--template",
            "permit",
            "--fact",
            "fix.files",
            "--safe",
            "1",
            "2",
            "--action",
            "suggest",
        ],
    ),
    (
        "flags",
        &[
            "--template",
            "permit",
            "--fact",
            "fix.kind",
            "--safe",
            "config-flag",
            "--action",
            "autoApply",
            "--unlock",
            "nothing",
        ],
    ),
];

#[test]
fn what_every_template_writes_passes_at_once_in_packs_of_every_kind() {
    // `check` proves things, which takes a while for a large pack: a forbid and permits are enough there.
    let packs = [
        (
            None,
            &["frozen", "big", "paid", "staging", "two-eyes", "tiny", "flags"][..],
        ),
        (Some("baseline"), &["big", "flags"]),
        (Some("fintech"), &["tiny"]),
    ];
    for (base, rules) in packs {
        for (id, options) in RULES.into_iter().filter(|(id, _)| rules.contains(id)) {
            let root = PackFolder::new();
            let pack = root.path().join("ours");
            if base.is_none() {
                // A pack that permits something already, so that a forbid makes a difference.
                let open = "permit (principal, action, resource)\nwhen { context has service.known };";
                root.write("ours/open.cedar", crate::packs::policy("open", open));
                assert!(run(&["policy", "fmt", pack.to_str().unwrap()]).status.success());
            }
            let extends = base.map_or(Vec::new(), |base| vec!["--extends", base]);
            let reason = ["--reason", "Because it isn't \"safe\""];
            let output = new(&pack, &[&[id], options, &reason, &extends].concat());
            assert!(output.status.success(), "{base:?} {id}: {}", all(&output));
            holds_up(&pack);
            let text = std::fs::read_to_string(pack.join(format!("cases/{id}.yaml"))).unwrap();
            assert_eq!(text.matches("  - name: ").count(), 3, "{text}");
            assert!(text.contains("unknown: ["), "{text}");
        }
    }
}

#[test]
fn a_layer_relaxes_what_it_names_and_says_so() {
    let root = PackFolder::new();
    let pack = root.path().join("ours");
    let why = ["--template", "relax", "--reason", "We push all day"];
    let drop = new(&pack, &[&["recent-push", "--extends", "baseline"], &why[..]].concat());
    assert!(drop.status.success(), "{}", all(&drop));
    holds_up(&pack);
    let narrow = ["upgrade-not-patch", "--fact", "service.production", "--safe", "no"];
    let narrowed = new(&pack, &[&narrow[..], &why].concat());
    assert!(narrowed.status.success(), "{}", all(&narrowed));
    holds_up(&pack);
    let cases = std::fs::read_to_string(pack.join("cases/upgrade-not-patch.yaml")).unwrap();
    assert!(
        cases.contains("level: auto-apply") && cases.contains("bounds: [upgrade-not-patch]"),
        "{cases}"
    );
    let manifest = std::fs::read_to_string(pack.join("pack.yaml")).unwrap();
    assert_eq!(manifest.matches("reason: \"We push all day\"").count(), 2, "{manifest}");
    let unknown = new(&pack, &[&["no-such-rule"], &why[..]].concat());
    assert_eq!(code(&unknown), Some(3));
    assert!(
        stderr(&unknown).contains("its forbids are: build-failed"),
        "{}",
        stderr(&unknown)
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_of_what_is_refused() {
    let root = PackFolder::new();
    let pack = root.path().join("ours");
    let frozen = [
        "frozen",
        "--template",
        "freeze-like",
        "--fact",
        "change.freeze_active",
        "--reason",
        "Frozen",
    ];
    assert!(new(&pack, &frozen).status.success());
    let before = files(root.path());
    for (arguments, message) in [
        (&frozen[..], "policy id `frozen` is taken, by `"),
        (
            &[
                "Frozen",
                "--template",
                "freeze-like",
                "--fact",
                "change.freeze_active",
                "--reason",
                "x",
            ],
            "expected lower-case letters, digits and hyphens",
        ),
        (
            &[
                "../up",
                "--template",
                "freeze-like",
                "--fact",
                "change.freeze_active",
                "--reason",
                "x",
            ],
            "expected lower-case letters, digits and hyphens",
        ),
        (
            &[
                "a",
                "--template",
                "freeze-like",
                "--fact",
                "change.frozen",
                "--reason",
                "x",
            ],
            "there is no fact `change.frozen`",
        ),
        (
            &[
                "a",
                "--template",
                "freeze-like",
                "--fact",
                "service.tier",
                "--reason",
                "x",
            ],
            "`service.tier` is a whole number",
        ),
        (
            &[
                "a",
                "--template",
                "freeze-like",
                "--fact",
                "approval.verified",
                "--reason",
                "x",
            ],
            "is never known under action `autoApply`",
        ),
        (
            &[
                "a",
                "--template",
                "freeze-like",
                "--fact",
                "change.freeze_active",
                "--reason",
                "x\ny",
            ],
            "`--reason` isn't one sentence",
        ),
        (
            &["a", "--template", "relax", "--reason", "x"],
            "this pack extends no other",
        ),
        (
            &["a", "--extends", "baseline", "--template", "relax", "--reason", "x"],
            "doesn't extend `baseline`",
        ),
    ] {
        let output = new(&pack, arguments);
        assert_eq!(code(&output), Some(3), "{arguments:?}: {}", all(&output));
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
        assert!(files(root.path()) == before, "{arguments:?} changed something");
    }
    // A file that lies there without being part of the pack.
    std::fs::write(pack.join("cases/late.yaml"), "cases: []\n").unwrap();
    let output = new(
        &pack,
        &[
            "late",
            "--template",
            "freeze-like",
            "--fact",
            "change.freeze_active",
            "--reason",
            "x",
        ],
    );
    assert!(
        stderr(&output).contains("cases/late.yaml` is there already"),
        "{}",
        stderr(&output)
    );
    assert!(!pack.join("late.cedar").exists());
}

#[test]
fn without_a_terminal_every_missing_option_is_named() {
    let output = run(&["policy", "new", "a"]);
    assert_eq!(code(&output), Some(2));
    for option in [
        "--pack <DIR>",
        "--template <TEMPLATE>",
        "--fact <FACT>",
        "--safe <VALUE>",
        "--reason <REASON>",
    ] {
        assert!(stderr(&output).contains(option), "{option}: {}", stderr(&output));
    }
    assert!(!stderr(&output).contains("<ID>"));
}

#[test]
fn a_badly_laid_out_pack_is_told_then_formatted_and_its_comments_stay() {
    let text = "// why\n@id(\"a\")@reason(\"r\") permit(principal,action==Action::\"suggest\",resource)// here\nwhen{context has fix.kind};";
    let pack = PackFolder::new().with("a.cedar", text);
    pack.write(
        "invariants/b.cedar",
        "@id(\"b\") @reason(\"r\") forbid(principal,action,resource)when{false};",
    );
    let told = run(&["policy", "fmt", "--check", pack.arg()]);
    assert_eq!(code(&told), Some(11), "{}", all(&told));
    assert!(stdout(&told).contains("a.cedar\n") && stdout(&told).ends_with("2 files aren't formatted, 0 already\n"));
    assert_eq!(std::fs::read_to_string(pack.path().join("a.cedar")).unwrap(), text);
    assert_eq!(code(&run(&["policy", "fmt", pack.arg()])), Some(0));
    let formatted = std::fs::read_to_string(pack.path().join("a.cedar")).unwrap();
    assert!(
        formatted.contains("// why\n") && formatted.contains("// here\n"),
        "{formatted}"
    );
    assert_eq!(code(&run(&["policy", "fmt", "--check", pack.arg()])), Some(0));
    let broken = PackFolder::new().with("a.cedar", text).with("b.cedar", "permit (");
    let refused = run(&["policy", "fmt", broken.arg()]);
    assert_eq!(code(&refused), Some(3));
    assert!(
        stderr(&refused).contains("b.cedar:1:9: unexpected end of input"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(
        std::fs::read_to_string(broken.path().join("a.cedar")).unwrap(),
        text,
        "all or nothing"
    );
    assert_eq!(code(&run(&["policy", "fmt", "platform"])), Some(3));
}

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
            stdout(&output).contains(&format!("4 rows became {policies} policies")),
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

fn simulate(estate: &Estate, with: &Path, options: &[&str]) -> Output {
    estate.run(&[&["policy", "simulate", "--with", with.to_str().unwrap()], options].concat())
}

#[test]
fn a_simulation_names_who_goes_further_by_which_policy_and_changes_nothing() {
    let estate = Estate::after_demo();
    let before = files(&estate.file("state"));
    let same = simulate(&estate, &shipped("baseline"), &["--fail-if-looser"]);
    assert_eq!(code(&same), Some(0), "{}", all(&same));
    assert!(stdout(&same).contains("No decision changes."), "{}", stdout(&same));

    let looser = PackFolder::of_shipped("baseline");
    std::fs::remove_file(looser.path().join("code-freeze.cedar")).unwrap();
    let told = simulate(&estate, looser.path(), &["--fail-if-looser", "--format", "json"]);
    assert_eq!(code(&told), Some(11), "{}", all(&told));
    let document: Value = serde_json::from_str(&stdout(&told)).unwrap();
    let changed = document["changed"].as_array().unwrap();
    assert!(!changed.is_empty() && document["stricter"] == 0);
    for change in changed {
        assert_eq!(
            (change["from"].as_str(), change["to"].as_str()),
            (Some("suggest"), Some("auto-apply"))
        );
        assert_eq!(change["lifted"], serde_json::json!(["code-freeze"]));
    }
    let total: u64 = document["moves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["count"].as_u64().unwrap())
        .sum();
    assert_eq!(Some(total), document["decisions"].as_u64());
    let human = simulate(&estate, looser.path(), &[]);
    assert_eq!(code(&human), Some(0), "without the option it only tells");
    assert!(
        stdout(&human).contains("no longer withheld by code-freeze"),
        "{}",
        stdout(&human)
    );

    let strict = PackFolder::of_shipped("baseline");
    strict.write(
        "no-one.cedar",
        "@id(\"no-one\") @reason(\"no\") forbid (principal, action, resource);\n",
    );
    let told = simulate(&estate, strict.path(), &["--fail-if-looser"]);
    assert_eq!(code(&told), Some(0), "{}", all(&told));
    assert!(stdout(&told).contains("withheld by no-one"), "{}", stdout(&told));
    let id = changed[0]["finding"].as_str().unwrap();
    let one = simulate(&estate, looser.path(), &["--findings", id, "--format", "json"]);
    let document: Value = serde_json::from_str(&stdout(&one)).unwrap();
    assert_eq!(document["looser"], 1);
    let none = simulate(&estate, looser.path(), &["--findings", "zzz"]);
    assert_eq!(code(&none), Some(3));
    assert!(
        files(&estate.file("state")) == before,
        "a simulation must not change the state"
    );
}

#[test]
fn without_a_ledger_a_simulation_says_so() {
    let estate = Estate::prepared();
    let output = simulate(&estate, &shipped("baseline"), &[]);
    assert_eq!(code(&output), Some(3), "{}", all(&output));
    assert!(stderr(&output).contains("there is no ledger in"), "{}", stderr(&output));
}
