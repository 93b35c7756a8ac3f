//! Ways to get a fix further than it may go; each was one.

use crate::support::{Estate, finding_id, stderr, stdout};
use serde_json::Value;

const STAGING: &str = "fixes/patch-model/secret-staging/fix.yaml";
const SMS: &str = "  - {scanner: semgrep, rule: secret-literal, path: src/sms.js}\n";

fn item<'a>(document: &'a Value, path: &str) -> &'a Value {
    document["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| {
            let finding = &item["finding"];
            finding["repo"] == "notifications" && finding["branch"] == "main" && finding["location"]["path"] == path
        })
        .unwrap()
}

fn decide(estate: &Estate, arguments: &[&str]) -> Value {
    let output = estate.run(&[&["--format", "json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)))
}

/// The fix claims two findings, one of which wants a human: so does the fix, whatever is asked for.
#[test]
fn asking_for_one_finding_does_not_hide_the_others_that_its_fix_resolves() {
    let estate = Estate::prepared();
    let all = decide(&estate, &["decide"]);
    let email = item(&all, "src/email.js");
    assert_eq!(email["decision"]["level"], "auto-apply");
    let id = email["id"].as_str().unwrap().to_owned();
    estate.edit(STAGING, |text| format!("{text}{SMS}"));
    let before = estate.remote_git("notifications", &["rev-parse", "main"]);
    let run = estate.run(&["run", "--finding", &id]);
    assert_eq!(run.status.code(), Some(10), "{}", stdout(&run));
    assert_eq!(estate.remote_git("notifications", &["rev-parse", "main"]), before);
    let told = stdout(&run);
    assert!(told.contains("still there"), "the re-scan looks for both: {told}");
}

/// The same change in a second folder is another fix: its claims are tested, not the first one's.
#[test]
fn the_same_change_with_other_claims_is_another_fix() {
    let estate = Estate::prepared();
    let from = estate.file("fixes/patch-model/secret-staging");
    let to = estate.file("fixes/upgrade-bot/again");
    std::fs::create_dir_all(&to).unwrap();
    for name in ["fix.yaml", "change.patch"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
    std::fs::remove_dir_all(estate.file("fixes/patch-model/secret-unprovisioned")).unwrap();
    estate.edit("fixes/upgrade-bot/again/fix.yaml", |text| {
        text.replace("src/email.js", "src/sms.js")
    });
    let all = decide(&estate, &["decide"]);
    let ids = ["src/email.js", "src/sms.js"].map(|path| item(&all, path)["fix"]["id"].clone());
    assert_ne!(ids[0], ids[1]);
}

/// Evidence says that nothing known was added. What is known changes.
#[test]
fn a_new_advisory_or_rule_voids_the_evidence_of_a_scan() {
    for change in ["advisories", "rules"] {
        let estate = Estate::after_demo();
        let id = finding_id(estate.report().scenario("payments-upgrade"));
        let entries = |estate: &Estate| {
            let log = stdout(&estate.run(&["ledger", "log"]));
            log.lines().filter(|line| line.contains("evidence")).count()
        };
        let before = entries(&estate);
        estate.run(&["run", "--finding", &id]);
        assert_eq!(entries(&estate), before, "nothing changed: the evidence counts");
        let file = match change {
            "advisories" => "advisories/GHSA-g4mx-q9vg-27p4.json",
            _ => "rules/code.yaml",
        };
        estate.edit(file, |text| format!("{text}\n"));
        estate.run(&["run", "--finding", &id]);
        assert_eq!(entries(&estate), before + 1, "{change}: tested again");
    }
}

/// What held the fix back ends by itself; the human's no doesn't.
#[test]
fn a_declined_fix_is_not_applied_when_a_freeze_ends() {
    const LATER: &str = "2026-04-03T02:30:00Z";
    // The one fix of the demo that passes every check without a service that anybody depends on.
    let id = finding_id(Estate::after_demo().report().scenario("dev-tool-upgrade"));
    let estate = Estate::prepared();
    estate.edit("calendar.yaml", |text| {
        text.replace("services: [accounts]", "services: [accounts, admin]")
    });
    let frozen = estate.run(&["run", "--finding", &id]);
    assert!(stdout(&frozen).contains("freeze"), "{}", stdout(&frozen));
    let key = estate.root().join("keys/rosa");
    let no = [
        "decline",
        &id,
        "--by",
        "rosa@fintech.example",
        "--key",
        key.to_str().unwrap(),
    ];
    let declined = estate.run(&no);
    assert!(declined.status.success(), "{}", stderr(&declined));
    let before = estate.remote_git("admin", &["rev-parse", "main"]);
    let run = estate.run_at(LATER, &["run", "--finding", &id]);
    assert_eq!(run.status.code(), Some(10), "{}", stdout(&run));
    assert_eq!(estate.remote_git("admin", &["rev-parse", "main"]), before);
    assert!(stdout(&run).contains("declined"), "{}", stdout(&run));
}

/// A committer's clock is the committer's. What is on the branch was pushed before now.
#[test]
fn a_push_with_a_date_to_come_is_a_push() {
    let estate = Estate::prepared();
    let git = |arguments: &[&str]| estate.remote_git("notifications", arguments);
    let blob = git(&["rev-parse", "main:src/email.js"]);
    let text = git(&["cat-file", "-p", "main:src/email.js"]);
    assert!(!blob.is_empty() && text.starts_with("const SMTP_TOKEN"));
    let work = estate.root().join("work");
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=Mallory", "-c", "user.email=m@fintech.example"])
            .args(arguments)
            .env("GIT_COMMITTER_DATE", "2026-03-18T00:00:00Z")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let folder = work.to_str().unwrap();
    let remote = estate.root().join("remotes/notifications.git");
    run(&["clone", "-q", "-b", "main", remote.to_str().unwrap(), folder]);
    std::fs::write(work.join("src/email.js"), format!("{text}\n// mine\n")).unwrap();
    run(&["-C", folder, "commit", "-qam", "Work on mails"]);
    run(&["-C", folder, "push", "-q", "origin", "main"]);
    let all = decide(&estate, &["decide"]);
    let email = item(&all, "src/email.js");
    assert_eq!(email["decision"]["level"], "suggest", "{}", email["reason"]);
}
