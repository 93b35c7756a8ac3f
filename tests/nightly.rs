//! Nights as users run them. No sandbox is needed: the time limit is over before anything would be validated.

use crate::support::{Estate, holdpoint, refused, stderr, stdout};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;

/// A run whose time is over at once: findings are gathered and triaged, nothing is validated, nothing is done.
const NIGHT: &[&str] = &["run", "--limit", "0s"];

fn night_of(estate: &Estate) -> Value {
    let text = std::fs::read_to_string(estate.file("state/report.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["night"].clone()
}

fn kinds(night: &Value) -> Vec<String> {
    let changes = night["since"]["changes"].as_array().unwrap();
    changes
        .iter()
        .map(|change| change["kind"].as_str().unwrap().to_owned())
        .collect()
}

fn entries(estate: &Estate, kind: &str) -> Vec<Value> {
    let log = estate.run(&["ledger", "log", "--kind", kind, "--format", "json"]);
    let entries: Vec<Value> = serde_json::from_slice(&log.stdout).unwrap();
    entries.into_iter().map(|entry| entry["body"].clone()).collect()
}

/// Takes all findings out of a report, and gives back what was in it.
fn empty(report: &Path) -> String {
    let before = std::fs::read_to_string(report).unwrap();
    let mut document: Value = serde_json::from_str(&before).unwrap();
    document["results"] = Value::Array(Vec::new());
    std::fs::write(report, document.to_string()).unwrap();
    before
}

#[test]
fn what_the_time_is_not_enough_for_is_told_and_is_in_the_ledger() {
    let estate = Estate::prepared();
    let ended = estate.run(NIGHT);
    assert_eq!(ended.status.code(), Some(10), "{}", stderr(&ended));
    let night = night_of(&estate);
    let missed = night["not_reached"].as_array().unwrap();
    assert!(!missed.is_empty() && night["limit_seconds"] == 0, "{night}");
    assert!(stdout(&ended).contains("not reached tonight"), "{}", stdout(&ended));

    let runs = entries(&estate, "run");
    assert_eq!(runs.last().unwrap()["state"], "cut");
    assert_eq!(&runs.last().unwrap()["not_reached"], &night["not_reached"]);
    assert!(entries(&estate, "merge").is_empty() && entries(&estate, "proposal").is_empty());
    for finding in missed {
        let page = std::fs::read_to_string(estate.file("state/report.md")).unwrap();
        assert!(page.contains(finding.as_str().unwrap()));
    }
    let junit = std::fs::read_to_string(estate.file("state/report.junit.xml")).unwrap();
    let junit = roxmltree::Document::parse(&junit).unwrap();
    let skipped = junit.descendants().filter(|node| node.has_tag_name("skipped")).count();
    assert_eq!(skipped, missed.len());
}

#[test]
fn what_went_and_came_back_is_told_and_is_a_fact() {
    let estate = Estate::prepared();
    let report = estate.file("reports/reports/main.bandit.json");
    estate.run_at("2026-03-14T02:30:00Z", NIGHT);
    let first = night_of(&estate);
    assert!(first["since"].is_null(), "a first run has nothing to compare with");

    let before = empty(&report);
    estate.run_at("2026-03-15T02:30:00Z", NIGHT);
    let gone = night_of(&estate);
    let vanished: Vec<&Value> = gone["since"]["changes"].as_array().unwrap().iter().collect();
    assert!(kinds(&gone).contains(&"vanished".to_owned()), "{gone}");
    let id = vanished.iter().find(|change| change["kind"] == "vanished").unwrap()["finding"]
        .as_str()
        .unwrap()
        .to_owned();
    let sarif = std::fs::read_to_string(estate.file("state/report.sarif")).unwrap();
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let absent = |result: &&Value| result["baselineState"] == "absent" && result["properties"]["id"] == id.as_str();
    assert_eq!(
        sarif["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter(absent)
            .count(),
        1
    );

    std::fs::write(&report, before).unwrap();
    estate.run_at("2026-03-17T02:30:00Z", NIGHT);
    let back = night_of(&estate);
    assert!(kinds(&back).contains(&"returned".to_owned()), "{back}");
    assert_eq!(back["times"]["reintroduced"], serde_json::json!([id]));

    let facts = estate.run_at("2026-03-19T02:30:00Z", &["facts", &id, "--format", "json"]);
    let facts = stdout(&facts);
    assert!(
        facts.contains("finding.reintroduced") && facts.contains("finding.age_days"),
        "{facts}"
    );
    let kept: Vec<_> = std::fs::read_dir(estate.file("state/reports"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
}

#[test]
fn a_report_that_cannot_be_read_makes_nothing_vanish() {
    let estate = Estate::prepared();
    let report = estate.file("reports/reports/main.bandit.json");
    estate.run_at("2026-03-14T02:30:00Z", NIGHT);
    std::fs::write(&report, "{ truncated").unwrap();
    let ended = estate.run_at("2026-03-15T02:30:00Z", NIGHT);
    assert_eq!(ended.status.code(), Some(3), "{}", stderr(&ended));
    let gone = kinds(&night_of(&estate))
        .into_iter()
        .filter(|kind| kind == "vanished")
        .count();
    assert_eq!(gone, 0);
    assert!(entries(&estate, "presence").is_empty());
}

#[test]
fn a_deadline_that_passed_is_told_and_is_a_fact() {
    let estate = Estate::prepared();
    estate.edit("holdpoint.yaml", |text| {
        format!("{text}\nslas: {{critical: 1d, high: 2d, medium: 3d, low: 4d}}\n")
    });
    estate.run_at("2026-03-10T02:30:00Z", NIGHT);
    assert_eq!(night_of(&estate)["times"]["breaches"], serde_json::json!([]));
    estate.run_at("2026-03-17T02:30:00Z", NIGHT);
    let times = night_of(&estate)["times"].clone();
    let breaches = times["breaches"].as_array().unwrap();
    assert!(
        breaches.iter().all(|breach| breach["age_days"] == 7) && !breaches.is_empty(),
        "{times}"
    );
    let id = breaches[0]["finding"].as_str().unwrap();
    let facts = stdout(&estate.run(&["facts", id]));
    assert!(facts.contains("may be open for"), "{facts}");
}

#[test]
fn a_second_run_is_told_who_holds_the_estate() {
    let estate = Estate::prepared();
    std::fs::create_dir_all(estate.file("state")).unwrap();
    let mut lock = std::fs::File::create(estate.file("state/lock")).unwrap();
    lock.write_all(b"process 4711, since 2026-03-17T02:30:00Z").unwrap();
    lock.lock().unwrap();
    refused(
        &estate.run(NIGHT),
        &["another run of this estate is under way", "process 4711"],
    );
}

#[test]
fn whom_it_cannot_tell_is_a_warning_and_no_secret_is_shown() {
    let estate = Estate::prepared();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    estate.edit("holdpoint.yaml", |text| {
        format!(
            "{text}\nnotify:\n  - when: always\n    webhook: {{url_env: HOOK_URL, secret_env: HOOK_SECRET}}\n  \
             - when: always\n    webhook: {{url: 'http://{closed}/', secret_env: HOOK_MISSING}}\n"
        )
    });
    let url = format!("http://{closed}/secret-path");
    let ended = holdpoint()
        .args(["--quiet", "--at", crate::support::AT, "--estate"])
        .arg(estate.estate())
        .args(NIGHT)
        .envs([("HOOK_URL", url.as_str()), ("HOOK_SECRET", "hunter2")])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(10), "{}", stderr(&ended));
    let told = stderr(&ended);
    assert!(
        told.contains("a webhook wasn't told of this run") && told.contains("`HOOK_MISSING` isn't set"),
        "{told}"
    );
    let report = std::fs::read_to_string(estate.file("state/last-run.json")).unwrap();
    let ledger = std::fs::read(estate.file("state/ledger.sqlite")).unwrap();
    let ledger = String::from_utf8_lossy(&ledger);
    for secret in ["hunter2", "secret-path"] {
        assert!(
            !told.contains(secret) && !report.contains(secret) && !ledger.contains(secret),
            "{secret}"
        );
    }
    assert!(report.contains("HOOK_MISSING"), "it is in the report");
}
