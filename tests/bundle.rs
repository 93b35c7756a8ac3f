//! An auditor's bundle, verified on a machine with nothing but the binary.

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

use crate::support::{Estate, finding_id, json, refused, stderr, stdout};

/// A folder with the binary, some files and nothing else.
struct Auditor {
    folder: TempDir,
}

impl Auditor {
    fn new() -> Self {
        let folder = TempDir::with_prefix("holdpoint-auditor-").unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_holdpoint"), folder.path().join("holdpoint")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the binary without environment and home, and without a network where the machine lets us.
    fn run(&self, arguments: &[&str]) -> Output {
        const UNSHARE: &str = "/usr/bin/unshare";
        static CUT: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
            let tried = Command::new(UNSHARE).args(["-n", "true"]).output();
            tried.is_ok_and(|output| output.status.success())
        });
        let program = self.path().join("holdpoint");
        let mut command = if *CUT {
            let mut command = Command::new(UNSHARE);
            command.arg("-n").arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .current_dir(self.path())
            .env_clear()
            .args(["ledger", "verify"])
            .args(arguments)
            .output()
            .unwrap()
    }

    fn verify(&self, bundle: &Value, key: &str) -> Output {
        std::fs::write(self.path().join("case.json"), bundle.to_string()).unwrap();
        self.run(&["case.json", "--key", key])
    }

    /// Names of its files.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn key(estate: &Estate) -> String {
    stdout(&estate.run(&["ledger", "key"])).trim().to_owned()
}

fn export(estate: &Estate, finding: &str, file: &Path) -> Value {
    let made = estate.run(&["ledger", "export", finding, "--out", file.to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// An estate after its run with one fix merged without asking, and one that a person approved and that was promoted;
/// with the ids of the two findings.
fn audited() -> (Estate, String, String) {
    let estate = Estate::after_demo();
    let report = estate.report();
    let merged = report
        .items()
        .iter()
        .find(|item| item["outcome"]["outcome"] == "merged")
        .unwrap();
    let merged = finding_id(merged);
    let approved = finding_id(report.scenario("payments-upgrade"));
    let base = report.finding(&approved)["fix"]["base_commit"].as_str().unwrap();
    if base != estate.remote_git("payments", &["rev-parse", "main"]) {
        // Another fix of the run was merged into the branch: the next run tests this one again.
        assert_eq!(estate.run(&["run", "--finding", &approved]).status.code(), Some(10));
    }
    let rosa = estate.root().join("keys/rosa");
    let by = [
        "--key",
        rosa.to_str().unwrap(),
        "--by",
        "rosa@fintech.example",
        "-m",
        "read the diff",
    ];
    let said = estate.run(&[&["approve", &approved][..], &by].concat());
    assert!(said.status.success(), "{}", stderr(&said));
    let promoted = estate.run(&["promote", &approved]);
    assert!(promoted.status.success(), "{}{}", stdout(&promoted), stderr(&promoted));
    (estate, merged, approved)
}

#[test]
fn an_auditor_verifies_a_bundle_with_nothing_but_the_binary_and_finds_each_change() {
    let (estate, merged, approved) = audited();
    let auditor = Auditor::new();
    let key = key(&estate);

    // Both ways to a merge, replayed.
    for (id, told) in [(&merged, "auto-apply (merge)"), (&approved, "promotion permitted")] {
        let file = auditor.path().join("bundle.json");
        export(&estate, id, &file);
        let verified = auditor.run(&["bundle.json", "--key", &key]);
        let text = stdout(&verified);
        assert_eq!(verified.status.code(), Some(0), "{text}{}", stderr(&verified));
        for part in [told, "byte for byte", "The bundle is intact", id] {
            assert!(text.contains(part), "`{part}` isn't in:\n{text}");
        }
        let again = auditor.run(&["bundle.json", "--key", &key]);
        assert_eq!(verified.stdout, again.stdout);
        let first = std::fs::read(&file).unwrap();
        export(&estate, id, &file);
        assert!(
            first == std::fs::read(&file).unwrap(),
            "the same ledger makes the same bytes"
        );
    }
    let own_word = auditor.run(&["bundle.json"]);
    assert_eq!(own_word.status.code(), Some(0));
    assert!(stdout(&own_word).contains("only its own word"), "{}", stdout(&own_word));
    assert_eq!(
        auditor.files(),
        ["bundle.json", "holdpoint"],
        "verifying writes nothing"
    );

    // What the statement says, in the words of its specifications.
    let bundle: Value = serde_json::from_slice(&std::fs::read(auditor.path().join("bundle.json")).unwrap()).unwrap();
    let document = json(&auditor.run(&["bundle.json", "--key", &key, "--format", "json"]));
    assert_eq!(document["verdict"], "passed");
    assert_eq!(document["statement"]["predicate"]["verificationResult"], "PASSED");
    assert_eq!(
        document["statement"]["predicate"]["verifiedLevels"],
        json!(["HOLDPOINT_APPROVED"])
    );
    let tip = estate.remote_git("payments", &["rev-parse", "main"]);
    assert_eq!(document["statement"]["subject"][0]["digest"]["gitCommit"], tip.as_str());

    each_change_is_found(&auditor, &bundle, &key);

    // A forged checkpoint: of the right form, by another key.
    let other = Estate::after_demo();
    std::fs::remove_file(other.file("state/ledger.key")).unwrap();
    let checkpoint = stdout(&estate.run(&["ledger", "checkpoint"]));
    std::fs::write(auditor.path().join("checkpoint"), &checkpoint).unwrap();
    let good = auditor.run(&["checkpoint", "--key", &key]);
    assert_eq!(good.status.code(), Some(0), "{}{}", stdout(&good), stderr(&good));
    let strange = self::key(&other);
    assert_ne!(strange, key);
    let forged = auditor.run(&["checkpoint", "--key", &strange]);
    assert_eq!(forged.status.code(), Some(11), "{}", stdout(&forged));
    let mut changed = bundle.clone();
    changed["checkpoint"] = json!(checkpoint.replacen('\n', "\n1", 1));
    assert_eq!(auditor.verify(&changed, &key).status.code(), Some(11));
}

/// Every part of a bundle, changed by itself.
fn each_change_is_found(auditor: &Auditor, bundle: &Value, key: &str) {
    let place = |kind: &str| {
        let entries = bundle["entries"].as_array().unwrap();
        let at = entries.iter().position(|entry| entry["kind"] == kind);
        at.unwrap_or_else(|| panic!("no `{kind}` entry"))
    };
    let body = |kind: &str, pointer: &str| format!("/entries/{}/body{pointer}", place(kind));
    let entry = |kind: &str, field: &str| format!("/entries/{}/{field}", place(kind));
    let cases: Vec<(&str, String, Value)> = vec![
        ("diff", body("fix", "/diff_text"), json!("--- a\n")),
        (
            "fact",
            body("decision", "/facts/known/fix.kind/value"),
            json!("config-flag"),
        ),
        ("level", body("decision", "/level"), json!("auto-apply")),
        (
            "policy text",
            body("policies", "/policies/0/text"),
            json!("permit (principal, action, resource);"),
        ),
        ("schema text", body("schema", "/cedar"), json!("")),
        (
            "lanes",
            body("effective-rollout", "/rollout/default_stage"),
            json!("auto-apply"),
        ),
        (
            "evidence",
            body("evidence", "/record/evidence/checks/test/verdict"),
            json!("inconclusive"),
        ),
        ("finding", body("finding", "/severity"), json!("low")),
        ("approval", body("approval", "/statement/comment"), json!("looks fine")),
        (
            "approver",
            body("approvers", "/text"),
            json!("mallory@x ssh-ed25519 AAAA\n"),
        ),
        ("permission", body("permission", "/at"), json!("2026-03-17T02:30:01Z")),
        ("merge", body("merge", "/commit"), json!("0".repeat(40))),
        ("merge intent", body("merge-intent", "/by"), json!("auto-apply")),
        ("time of an entry", entry("merge", "at"), json!("2026-03-17T02:30:01Z")),
        ("place of an entry", entry("merge", "seq"), json!(1_000_000)),
        ("digest of an entry", entry("merge", "digest"), json!("0".repeat(64))),
        (
            "proof",
            format!("{}/0", entry("decision", "path")),
            json!("0".repeat(64)),
        ),
        ("signature", "/envelope/signatures/0/sig".to_owned(), json!("AAAA")),
        (
            "payload type",
            "/envelope/payloadType".to_owned(),
            json!("application/json"),
        ),
        ("key", "/key".to_owned(), json!("x+00000000+AAAA")),
    ];
    for (what, pointer, value) in cases {
        let mut changed = bundle.clone();
        let target = changed
            .pointer_mut(&pointer)
            .unwrap_or_else(|| panic!("{what}: no {pointer}"));
        assert_ne!(*target, value, "{what}");
        *target = value;
        let found = auditor.verify(&changed, key);
        assert_eq!(
            found.status.code(),
            Some(11),
            "{what}: {}{}",
            stdout(&found),
            stderr(&found)
        );
        assert!(stdout(&found).contains("DON'T TRUST THIS BUNDLE"), "{what}");
    }
    // A record that was taken out may have been let go by the rules: nothing is wrong, and nothing is shown.
    let mut changed = bundle.clone();
    *changed.pointer_mut(&entry("evidence", "body")).unwrap() = Value::Null;
    let found = auditor.verify(&changed, key);
    assert_eq!(found.status.code(), Some(12), "{}", stdout(&found));
    // Inside the signed statement: its subject, its predicate.
    for (what, from, to) in [
        ("subject", "gitCommit\":\"", "gitCommit\":\"0"),
        ("predicate", "PASSED", "FAILED"),
        ("predicate type", "verification_summary/v1", "verification_summary/v9"),
    ] {
        let mut changed = bundle.clone();
        let payload = changed["envelope"]["payload"].as_str().unwrap();
        let text = String::from_utf8(base64(payload, "-d")).unwrap();
        assert!(text.contains(from), "{what}");
        let other = base64(&text.replacen(from, to, 1), "-w0");
        changed["envelope"]["payload"] = json!(String::from_utf8(other).unwrap().trim());
        let found = auditor.verify(&changed, key);
        assert_eq!(found.status.code(), Some(11), "{what}: {}", stdout(&found));
        assert!(stdout(&found).contains("✘ statement"), "{what}: {}", stdout(&found));
    }
    let mut less = bundle.clone();
    less["entries"].as_array_mut().unwrap().pop();
    assert_eq!(auditor.verify(&less, key).status.code(), Some(11));
}

/// What `base64` makes of a text.
fn base64(text: &str, option: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut child = Command::new("base64")
        .arg(option)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// The estate's decisions, as machines read them.
fn report_of(estate: &Estate) -> Value {
    let output = estate.run(&["decide", "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Needs no sandbox: `decide` runs nothing.
fn decided() -> Estate {
    let estate = Estate::prepared();
    let decided = estate.run(&["decide"]);
    assert_eq!(decided.status.code(), Some(10), "{}", stderr(&decided));
    estate
}

#[test]
fn proofs_hold_with_the_ledgers_key_and_a_forged_checkpoint_in_the_ledger_stops_everything() {
    let estate = decided();
    let key = key(&estate);
    let auditor = Auditor::new();
    let keep = |name: &str, output: &Output| {
        assert!(output.status.success(), "{name}: {}", stderr(output));
        std::fs::write(auditor.path().join(name), &output.stdout).unwrap();
    };
    let head = stdout(&estate.run(&["ledger", "verify", "--format", "json"]));
    let head: Value = serde_json::from_str(&head).unwrap();
    let head = head["head"].as_str().unwrap();
    keep("entry", &estate.run(&["ledger", "prove", "2"]));
    keep("older", &estate.run(&["ledger", "consistency", "3", "5"]));
    keep("newer", &estate.run(&["ledger", "consistency", head]));
    for name in ["entry", "older", "newer"] {
        let shown = auditor.run(&[name, "--key", &key]);
        assert_eq!(
            shown.status.code(),
            Some(0),
            "{name}: {}{}",
            stdout(&shown),
            stderr(&shown)
        );
        refused(&auditor.run(&[name]), &["none was given"]);
        let text = std::fs::read_to_string(auditor.path().join(name)).unwrap();
        let mut proof: Value = serde_json::from_str(&text).unwrap();
        if proof["path"] == json!([]) {
            proof["checkpoint"] = json!("a\n1\n");
        } else {
            proof["path"][0] = json!("0".repeat(64));
        }
        std::fs::write(auditor.path().join(name), proof.to_string()).unwrap();
        assert_eq!(auditor.run(&[name, "--key", &key]).status.code(), Some(11), "{name}");
    }
    let rewritten = format!("3:{}", "0".repeat(64));
    refused(&estate.run(&["ledger", "consistency", &rewritten]), &["have the root"]);
    refused(&estate.run(&["ledger", "prove", "100000"]), &["no entry 100000"]);

    // The estate's own ledger holds the checkpoint of its run.
    let log = json(&estate.run(&["ledger", "log", "--kind", "checkpoint", "--format", "json"]));
    assert_eq!(log.as_array().unwrap().len(), 1);
    let report = report_of(&estate);
    let log = json(&estate.run(&["ledger", "log", "--kind", "checkpoint", "--format", "json"]));
    assert_eq!(
        log[1]["body"]["note"], report["ledger_checkpoint"],
        "what a report carries is in the ledger"
    );
    // Another key: nothing that was signed with the first is believed, until it is listed.
    std::fs::remove_file(estate.file("state/ledger.key")).unwrap();
    let other = self::key(&estate);
    assert_ne!(other, key);
    let found = estate.run(&["ledger", "verify"]);
    assert_eq!(found.status.code(), Some(11), "{}", stdout(&found));
    assert!(stdout(&found).contains("has not signed it"), "{}", stdout(&found));
    refused(&estate.run(&["decide"]), &["ledger doesn't verify", "trusted_keys"]);
    refused(&estate.run(&["ledger", "checkpoint"]), &["ledger doesn't verify"]);
    estate.edit("holdpoint.yaml", |text| {
        format!("{text}\nledger: {{ trusted_keys: [\"{key}\"] }}\n")
    });
    assert!(estate.run(&["ledger", "verify"]).status.success());
    assert_eq!(estate.run(&["decide"]).status.code(), Some(10));
}

#[test]
fn a_finding_that_was_only_decided_has_a_bundle_too() {
    let estate = decided();
    let auditor = Auditor::new();
    let key = key(&estate);
    let report = report_of(&estate);
    let id = report["items"][0]["id"].as_str().unwrap();
    let bundle = export(&estate, id, &auditor.path().join("bundle.json"));
    let verified = auditor.run(&["bundle.json", "--key", &key]);
    let text = stdout(&verified);
    assert_eq!(verified.status.code(), Some(0), "{text}{}", stderr(&verified));
    assert!(text.contains("nothing was merged"), "{text}");
    for (name, text, told) in [
        ("cut", &bundle.to_string()[..1000], "is not a bundle"),
        ("text", "hello\n", "no bundle, proof or checkpoint"),
        ("deep", &format!("{{\"a\":{}", "[".repeat(100_000)), "is not a bundle"),
        (
            "twice",
            &bundle.to_string().replacen('{', "{\"format\":\"x\",", 1),
            "twice",
        ),
    ] {
        std::fs::write(auditor.path().join(name), text).unwrap();
        refused(&auditor.run(&[name, "--key", &key]), &[told]);
    }
    refused(&auditor.run(&["nothing"]), &["can't be read"]);
    refused(&estate.run(&["ledger", "export", "hp-nothing"]), &["on record"]);
}
