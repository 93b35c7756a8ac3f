//! The shipped packs: proved, tested, and each of their rules is needed.

use serde_json::Value;

use crate::packs::{PackFolder, shipped};
use crate::support::{run, stderr, stdout};

const PACKS: [&str; 3] = ["baseline", "fintech", "platform"];

#[test]
fn everything_is_proved_of_every_shipped_pack() {
    for pack in PACKS {
        let output = run(&["policy", "verify", shipped(pack).to_str().unwrap(), "--format", "json"]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let proofs = document["proofs"].as_array().unwrap();
        let wrong: Vec<&Value> = proofs
            .iter()
            .filter(|proof| !["proved", "shown", "shadowed"].contains(&proof["verdict"].as_str().unwrap()))
            .collect();
        assert!(wrong.is_empty(), "{pack}: {wrong:#?}");
        assert_eq!(output.status.code(), Some(0), "{pack}");
        let seconds: f64 = proofs.iter().map(|proof| proof["seconds"].as_f64().unwrap()).sum();
        println!("{pack}: {} proofs, {seconds:.1} s of solving", proofs.len());
        for property in [
            "never-errors",
            "invariant",
            "unknown-safe",
            "monotone-in-evidence",
            "not-dead",
        ] {
            let is_of = |proof: &&Value| proof["id"].as_str().unwrap().starts_with(&format!("{property}/"));
            assert!(
                proofs.iter().any(|proof| is_of(&proof)),
                "{pack}: no proof of {property}"
            );
        }
    }
}

#[test]
fn deleting_any_forbid_of_a_shipped_pack_makes_its_cases_fail() {
    let mut deleted = 0;
    for name in PACKS {
        let whole = run(&["policy", "test", shipped(name).to_str().unwrap()]);
        assert_eq!(whole.status.code(), Some(0), "{}{}", stdout(&whole), stderr(&whole));
        for entry in std::fs::read_dir(shipped(name)).unwrap() {
            let path = entry.unwrap().path();
            let is_policy = path.extension().is_some_and(|ending| ending == "cedar");
            if !is_policy || !std::fs::read_to_string(&path).unwrap().contains("\nforbid (") {
                continue;
            }
            let pack = PackFolder::of_shipped(name);
            std::fs::remove_file(pack.path().join(path.file_name().unwrap())).unwrap();
            // A layer that replaces an inherited rule says so in its manifest; without its own it just drops it.
            let output = run(&["policy", "test", pack.arg()]);
            assert_eq!(
                output.status.code(),
                Some(11),
                "{}: {}{}",
                path.display(),
                stdout(&output),
                stderr(&output)
            );
            deleted += 1;
        }
    }
    assert!(deleted > 30, "only {deleted} forbids were looked at");
}

#[test]
fn deleting_a_safety_rule_also_breaks_an_invariant_with_an_example_that_replays() {
    let pack = PackFolder::of_shipped("baseline");
    std::fs::remove_file(pack.path().join("cardholder-production.cedar")).unwrap();
    let cases = pack.path().join("counterexamples.yaml");
    let cases = cases.to_str().unwrap();
    let output = run(&["policy", "verify", pack.arg(), "--counterexamples", cases]);
    assert_eq!(output.status.code(), Some(11));
    let text = stdout(&output);
    assert!(
        text.contains("refuted") && text.contains("never-auto-cardholder-production"),
        "{text}"
    );
    assert!(text.contains("is let through by `auto-apply-mechanical`"), "{text}");
    // The example fails in the broken pack, and holds in the shipped one.
    let broken = run(&["policy", "test", pack.arg(), "--cases", cases]);
    assert_eq!(broken.status.code(), Some(11), "{}{}", stdout(&broken), stderr(&broken));
    assert!(stdout(&broken).contains("auto-apply-mechanical"), "{}", stdout(&broken));
    let whole = run(&["policy", "test", "baseline", "--cases", cases]);
    assert_eq!(whole.status.code(), Some(0), "{}{}", stdout(&whole), stderr(&whole));
    let written = std::fs::read(cases).unwrap();
    let again = run(&["policy", "verify", pack.arg(), "--counterexamples", cases]);
    assert_eq!(again.status.code(), Some(3), "{}{}", stdout(&again), stderr(&again));
    assert!(stderr(&again).contains("is there already"), "{}", stderr(&again));
    assert_eq!(std::fs::read(cases).unwrap(), written);
}

#[test]
fn without_a_counterexample_no_file_is_written() {
    let pack = PackFolder::new().policy("open", "permit (principal, action == Action::\"suggest\", resource);");
    let file = pack.path().join("counterexamples.yaml");
    let output = run(&[
        "policy",
        "verify",
        pack.arg(),
        "--counterexamples",
        file.to_str().unwrap(),
    ]);
    assert_ne!(output.status.code(), Some(11), "{}{}", stdout(&output), stderr(&output));
    assert!(
        stderr(&output).contains("there is no counterexample"),
        "{}",
        stderr(&output)
    );
    assert!(!file.exists());
}

#[test]
fn a_solver_that_is_missing_slow_or_killed_proves_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = PackFolder::new();
    let fake = |name: &str, script: &str| {
        folder.write(name, format!("#!/bin/sh\n{script}\n"));
        let path = folder.path().join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    for solver in [
        folder.path().join("missing"),
        fake("slow", "exec sleep 600"),
        fake("killed", "kill -9 $$"),
        fake("nonsense", "while read line; do echo maybe; done"),
    ] {
        let mut command = crate::support::holdpoint();
        command.args(["policy", "verify", "baseline", "--limit", "1"]);
        let output = command.env("HOLDPOINT_CVC5", &solver).output().unwrap();
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(12), "{}: {text}", solver.display());
        assert!(
            text.contains("inconclusive") && !text.contains("✓"),
            "{}: {text}",
            solver.display()
        );
    }
}
