//! `policy check` on bad packs: every error at once, with place and help; exit 3.

use std::process::Output;

use crate::packs::{PackFolder, policy};
use crate::support::{run, stderr, stdout};

const PERMIT: &str = "permit (principal, action == Action::\"suggest\", resource)\nwhen { context has fix.kind };";

fn check(pack: &PackFolder) -> Output {
    run(&["policy", "check", pack.arg()])
}

/// The first lines of each diagnostic, without the folder's name.
fn told(pack: &PackFolder) -> Vec<String> {
    let output = check(pack);
    assert_eq!(output.status.code(), Some(3), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("help: "), "{text}");
    text.lines()
        .filter_map(|line| line.strip_prefix("error: "))
        .map(|line| line.replace(&format!("{}/", pack.arg()), ""))
        .collect()
}

#[test]
fn an_unknown_fact_a_wrong_type_and_an_entity_are_located() {
    let pack = PackFolder::new()
        .policy(
            "unknown",
            "forbid (principal, action, resource)\nunless { context has service.tir && context.service.tir > 0 };",
        )
        .policy(
            "typed",
            "forbid (principal, action, resource)\nunless { context has service.tier && context.service.tier };",
        )
        .policy("entity", "forbid (principal, action, resource in Service::\"a\");")
        .policy(
            "attribute",
            "forbid (principal, action, resource)\nwhen { resource.tier == 0 };",
        );
    assert_eq!(
        told(&pack),
        [
            "attribute.cedar:4:6: policy `attribute`: a condition on `resource`, expected facts only",
            "entity.cedar:3:28: policy `entity`: the policy's head constrains `resource`, expected facts only",
            "unknown.cedar:4:22: policy `unknown`: `context.service.tir`, but there is no such fact",
            "typed.cedar:4:38: for policy `typed`, unexpected type: expected Bool but saw Long",
        ]
    );
}

#[test]
fn a_missing_reason_a_duplicate_id_and_a_misspelt_annotation_are_located() {
    let text = policy("twice", PERMIT);
    let pack = PackFolder::new()
        .with("a.cedar", &text)
        .with("b.cedar", &text)
        .with("c.cedar", &format!("@id(\"mute\")\n{PERMIT}\n"))
        .with(
            "d.cedar",
            &format!("@id(\"odd\")\n@reason(\"r\")\n@owner(\"me\")\n{PERMIT}\n"),
        );
    let told = told(&pack);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("b.cedar:1:1: policy id `twice` is taken"),
        "{told:?}"
    );
    assert_eq!(told[1], "c.cedar:1:1: policy `mute` has no `@reason`, expected one");
    assert!(
        told[2].starts_with("d.cedar:1:1: policy `odd` has the annotation `@owner`"),
        "{told:?}"
    );
}

#[test]
fn a_pack_that_extends_itself_is_refused_however_it_names_itself() {
    let pack = PackFolder::new().policy("go", PERMIT);
    let own = pack.path().file_name().unwrap().to_str().unwrap().to_owned();
    for name in [".", &format!("../{own}"), pack.arg()] {
        pack.write("pack.yaml", format!("name: x\ndescription: d\nextends: {name}\n"));
        assert_eq!(told(&pack), ["pack.yaml:3:10: the pack extends itself"], "{name}");
    }
    let other = PackFolder::new().with(
        "pack.yaml",
        &format!("name: y\ndescription: d\nextends: {}\n", pack.arg()),
    );
    pack.write(
        "pack.yaml",
        format!("name: x\ndescription: d\nextends: {}\n", other.arg()),
    );
    let told = told(&pack);
    assert!(told[0].contains("leads back to this pack"), "{told:?}");
}

#[test]
fn a_manifest_that_says_what_isnt_so_is_located() {
    let pack = PackFolder::new().policy("go", PERMIT).with(
        "pack.yaml",
        "name: x\ndescription: d\nrelaxes:\n  - policy: go\n    reason: why\nminimum_facts: [change.frozen]\n",
    );
    assert_eq!(
        told(&pack),
        [
            "pack.yaml:6:17: `minimum_facts` lists `change.frozen`, but there is no such fact",
            "pack.yaml:4:13: `relaxes` lists `go`, but the pack extends nothing",
        ]
    );
    pack.write("pack.yaml", "name: x\ndescription: d\ninvariants: [gone]\n");
    assert_eq!(
        told(&pack),
        ["pack.yaml:3:14: the invariant `gone` is listed, but it isn't in `invariants/`"]
    );
    pack.write(
        "invariants/never.cedar",
        policy("never", "forbid (principal, action, resource);"),
    );
    pack.write("pack.yaml", "name: x\ndescription: d\nextnds: baseline\n");
    assert!(told(&pack)[0].starts_with("pack.yaml:3:1: "), "{:?}", told(&pack));
    pack.write("pack.yaml", "name: x\ndescription: d\n");
    assert!(told(&pack)[0].contains("the invariant `never` isn't listed"));
}

#[test]
fn a_layer_that_loosens_silently_is_refused() {
    let layer = "name: x\ndescription: d\nextends: baseline\n";
    let pack = PackFolder::new().with("pack.yaml", layer).policy("go", PERMIT);
    assert_eq!(
        told(&pack),
        ["go.cedar:1:5: policy `go` permits, and a layer on pack `baseline` may only forbid"]
    );
    let pack = PackFolder::new().with("pack.yaml", layer).policy(
        "code-freeze",
        "forbid (principal, action == Action::\"autoApply\", resource)\nwhen { context has change.freeze_active && context.change.freeze_active };",
    );
    assert_eq!(
        told(&pack),
        ["code-freeze.cedar:1:5: policy `code-freeze` replaces a forbid of pack `baseline`"]
    );
}

#[test]
fn a_relaxation_of_nothing_is_located() {
    let manifest = "name: x\ndescription: d\nextends: baseline\nrelaxes:\n  - policy: no-such\n    reason: why\n";
    let pack = PackFolder::new().with("pack.yaml", manifest);
    assert_eq!(
        told(&pack),
        ["pack.yaml:5:13: `relaxes` lists `no-such`, which is neither an inherited forbid nor a permit of this pack"]
    );
}

#[test]
fn what_isnt_text_or_isnt_there_is_told() {
    let pack = PackFolder::new().policy("go", PERMIT);
    pack.write("bad.cedar", [0xff, 0xfe, 0x00]);
    assert_eq!(told(&pack), ["bad.cedar: isn't UTF-8 text (line 1)"]);
    for missing in ["no-such-pack", "Cargo.toml"] {
        let output = run(&["policy", "check", missing]);
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).contains("shipped pack: "), "{}", stderr(&output));
    }
    let empty = PackFolder::new();
    assert!(told(&empty)[0].contains("no policies, expected at least one"));
}

#[test]
fn other_forms_say_the_same() {
    let pack = PackFolder::new().with("a.cedar", &format!("@id(\"mute\")\n{PERMIT}\n"));
    let json = run(&["policy", "check", pack.arg(), "--format", "json"]);
    assert_eq!(json.status.code(), Some(3));
    let document: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let found = &document["diagnostics"][0];
    assert_eq!((&found["severity"], &found["line"]), (&"error".into(), &1.into()));
    let sarif = run(&["policy", "check", pack.arg(), "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&sarif.stdout).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["level"], "error");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
    let elsewhere = run(&["decide", "--format", "sarif"]);
    assert_eq!(elsewhere.status.code(), Some(2));
}

/// A pack that is sound but for `id`, which is checked with the solver.
fn proved(id: &str, rule: &str) -> (Option<i32>, String) {
    let pack = PackFolder::new()
        .policy("go", PERMIT)
        .policy("merge", "permit (principal, action == Action::\"autoApply\", resource)\nwhen { context has fix.kind && context has fix.class && context.fix.class == \"mechanical\" };")
        .policy(id, rule);
    let output = check(&pack);
    let text = stdout(&output).replace(&format!("{}/", pack.arg()), "");
    (output.status.code(), text)
}

#[test]
fn what_is_unsound_is_told_at_the_policy_that_is_why() {
    let auto = "forbid (principal, action == Action::\"autoApply\", resource)\n";
    let known = "context has change.freeze_active && context.change.freeze_active";
    for (id, rule, told) in [
        (
            "fragile",
            format!("{auto}when {{ {known} }};"),
            "fragile.cedar:1:1: policy `fragile` isn't unknown-safe: without `change.freeze_active`, `autoApply` is permitted",
        ),
        (
            "overflows",
            format!("{auto}unless {{ context has fix.files && context.fix.files + 1 < 9 }};"),
            "overflows.cedar:1:1: policy `overflows` can't be evaluated for some facts, and then decides nothing",
        ),
        (
            "contradicts",
            format!("{auto}when {{ {known} && !context.change.freeze_active }};"),
            "contradicts.cedar:1:1: policy `contradicts` never applies",
        ),
        (
            "backwards",
            format!("{auto}unless {{ context has evidence.test.verdict && context.evidence.test.verdict == \"failed\" }};"),
            "backwards.cedar:1:1: policy `backwards` with a better result of `evidence.test.verdict`, `autoApply` is no longer permitted",
        ),
        (
            "again",
            "permit (principal, action == Action::\"suggest\", resource)\nwhen { context has fix.kind && context.fix.kind == \"logic\" };".to_owned(),
            "again.cedar:1:1: policy `again` makes no difference: wherever it applies, `go` decides the same",
        ),
        (
            "alone",
            "permit (principal, action == Action::\"autoApply\", resource)\nwhen { context has fix.files && context.fix.files < 3 };".to_owned(),
            "alone.cedar:1:1: policy `alone` permits `autoApply` where `suggest` isn't permitted",
        ),
    ] {
        let (code, text) = proved(id, &rule);
        assert!(text.contains(told), "{id}: {text}");
        assert!(text.contains("help: "), "{id}: {text}");
        assert_eq!(code, Some(3), "{id}: {text}");
    }
    let (code, text) = proved(
        "sound",
        &format!("{auto}unless {{ context has change.freeze_active && !context.change.freeze_active }};"),
    );
    assert_eq!((code, text.trim()), (Some(0), text.trim()), "{text}");
    assert!(text.contains("nothing to report"), "{text}");
}

#[test]
fn without_a_solver_it_is_inconclusive_and_says_so() {
    let pack = PackFolder::new().policy("go", PERMIT);
    let check = |arguments: &[&str]| {
        let mut command = crate::support::holdpoint();
        command.args(["policy", "check", pack.arg()]).args(arguments);
        command.env("HOLDPOINT_CVC5", "/nowhere/cvc5").output().unwrap()
    };
    let output = check(&[]);
    assert_eq!(output.status.code(), Some(12));
    assert!(
        stdout(&output).contains("inconclusive: there is no solver"),
        "{}",
        stdout(&output)
    );
    assert_eq!(check(&["--no-proofs"]).status.code(), Some(0));
}

#[test]
fn a_layer_keeps_what_must_never_be_and_may_withhold_what_was_promised() {
    let nothing = "forbid (principal, action == Action::\"autoApply\", resource);";
    let pack = PackFolder::new()
        .with("pack.yaml", "name: x\ndescription: d\nextends: baseline\n")
        .policy("a-person-always", nothing);
    let output = run(&["policy", "verify", pack.arg(), "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let proofs = document["proofs"].as_array().unwrap();
    let ids: Vec<&str> = proofs.iter().map(|proof| proof["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"invariant/never-auto-logic"), "{ids:?}");
    assert!(!ids.contains(&"invariant/safe-fix-is-applied"), "{ids:?}");
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(
        proofs.iter().all(|proof| proof["verdict"] != "refuted"),
        "{}",
        stdout(&output)
    );
}
