//! `policy new` and `policy fmt`, as their users call them.

use std::path::Path;
use std::process::Output;

use crate::packs::{PackFolder, all, code, files, holds_up};
use crate::support::{run, stderr, stdout};

fn new(pack: &Path, arguments: &[&str]) -> Output {
    run(&[&["policy", "new", "--pack", pack.to_str().unwrap()], arguments].concat())
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
        stderr(&unknown).contains("its forbids are: ") && stderr(&unknown).contains("build-failed"),
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
                "no-permit",
                "--template",
                "freeze-like",
                "--fact",
                "change.freeze_active",
                "--reason",
                "x",
            ],
            "id `no-permit` is what holdpoint itself calls",
        ),
        (
            &[
                "no-fix",
                "--template",
                "freeze-like",
                "--fact",
                "change.freeze_active",
                "--reason",
                "x",
            ],
            "id `no-fix` is what holdpoint itself calls",
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
