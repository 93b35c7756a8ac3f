//! Silence is a no, and who should know hears of it.

use serde_json::Value;

use super::{BY, ITEM, TWO, approvals, approve, entries, held, one, policies, said, says};
use crate::support::{AT, Estate, json, refused, stderr, stdout};

/// Two weeks after the demo: nobody has said a word.
const LATE: &str = "2026-03-31T02:30:00Z";
/// A day later.
const NEXT: &str = "2026-04-01T02:30:00Z";
/// A week later: the pause is over.
const RESTED: &str = "2026-04-07T02:30:00Z";

fn run(estate: &Estate, at: &str, id: &str) -> Value {
    let output = estate.run_at(at, &["run", "--finding", id]);
    assert_eq!(output.status.code(), Some(10), "{}{}", stdout(&output), stderr(&output));
    let text = std::fs::read_to_string(estate.file("state/report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn branch(estate: &Estate, id: &str) -> String {
    let fix = estate.report().finding(id)["fix"]["id"].as_str().unwrap().to_owned();
    let short = fix.trim_start_matches("sha256:").chars().take(12).collect::<String>();
    let all = estate.remote_git(
        "payments",
        &["for-each-ref", "--format=%(refname)", "refs/heads/holdpoint"],
    );
    all.lines()
        .find(|name| name.contains(&short[..8]))
        .unwrap_or_default()
        .to_owned()
}

fn outcome(report: &Value) -> &str {
    report["items"][0]["outcome"]["outcome"].as_str().unwrap()
}

#[test]
fn an_item_times_out_on_record_and_is_proposed_again_after_the_pause() {
    let (estate, id) = one(ITEM);
    assert!(!branch(&estate, &id).is_empty());
    assert!(entries(&estate, "timed-out").is_empty());
    let report = run(&estate, LATE, &id);
    let timed_out = entries(&estate, "timed-out");
    assert!(timed_out.iter().any(|entry| entry.body["findings"][0] == id.as_str()));
    assert_eq!(outcome(&report), "not-done", "{report}");
    assert!(
        report["items"][0]["outcome"]["why"]
            .as_str()
            .unwrap()
            .contains("silence is a no")
    );
    assert!(branch(&estate, &id).is_empty(), "its branch is gone");
    let closed = |estate: &Estate| {
        let folder = estate.file("state/pull-requests/payments/holdpoint");
        let texts = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        texts
            .filter(|path| std::fs::read_to_string(path).unwrap().contains("timed out"))
            .count()
    };
    assert!(closed(&estate) > 0, "its document says why");

    // Nobody may speak for it now, a second run changes nothing, and an old word is of no use.
    refused(
        &says(&estate, LATE, BY, &["approve", &id]),
        &["no longer waits", "timed out"],
    );
    held(&estate, LATE, &id, &["timed out at 2026-03-31T02:30:00Z"]);
    assert_eq!(outcome(&run(&estate, NEXT, &id)), "not-done");
    assert_eq!(entries(&estate, "timed-out").len(), timed_out.len(), "each once");

    let again = run(&estate, RESTED, &id);
    assert_eq!(outcome(&again), "pull-request", "{again}");
    assert!(!branch(&estate, &id).is_empty());
    assert!(says(&estate, RESTED, BY, &["approve", &id]).status.success());
    let promoted = estate.run_at(RESTED, &["promote", &id]);
    assert!(promoted.status.success(), "{}", stdout(&promoted));
    assert!(estate.run(&["ledger", "verify"]).status.success());
}

#[test]
fn it_is_proposed_again_as_soon_as_people_would_be_asked_something_else() {
    let (estate, id) = one(ITEM);
    run(&estate, LATE, &id);
    policies(&estate, &[TWO]);
    assert_eq!(outcome(&run(&estate, NEXT, &id)), "pull-request");
}

#[test]
fn no_run_has_to_notice_that_it_is_too_late() {
    let (estate, id) = one(ITEM);
    approvals(&estate, "  deadline: 2h\n");
    assert!(approve(&estate, "approve", &id).status.success());
    held(
        &estate,
        "2026-03-17T04:30:00Z",
        &id,
        &["timed out at 2026-03-17T04:30:00Z"],
    );
    refused(
        &says(&estate, "2026-03-17T04:30:00Z", BY, &["approve", &id]),
        &["no longer waits"],
    );
    let promoted = estate.run_at("2026-03-17T04:29:59Z", &["promote", &id]);
    assert!(promoted.status.success(), "{}", stdout(&promoted));
}

#[test]
fn an_approval_of_before_the_time_out_is_of_another_wait() {
    let (estate, id) = one(ITEM);
    approvals(&estate, "  lifetime: 30d\n");
    assert!(approve(&estate, "approve", &id).status.success());
    run(&estate, LATE, &id);
    run(&estate, RESTED, &id);
    held(&estate, RESTED, &id, &["of before it timed out"]);
}

#[test]
fn an_approval_counts_as_long_as_the_estate_says() {
    let (estate, id) = one(ITEM);
    approvals(&estate, "  lifetime: 1h\n");
    assert!(approve(&estate, "approve", &id).status.success());
    held(
        &estate,
        "2026-03-17T03:30:00Z",
        &id,
        &["it expired at 2026-03-17T03:30:00Z"],
    );
    // A shorter time holds for what was signed before, too.
    let (estate, id) = one(ITEM);
    assert!(approve(&estate, "approve", &id).status.success());
    approvals(&estate, "  lifetime: 1h\n");
    held(&estate, AT, &id, &["no longer than 1h"]);
}

#[test]
fn each_step_of_escalation_is_recorded_once_and_shown() {
    let (estate, id) = one(ITEM);
    approvals(
        &estate,
        "  escalate: [{after: 1d, to: payments}, {after: 3d, to: cto}]\n",
    );
    let steps = |estate: &Estate| -> Vec<String> {
        let of_item = |entry: &holdpoint_ledger::Entry| entry.body["findings"][0] == id.as_str();
        let found = entries(estate, "escalated").into_iter().filter(of_item);
        found
            .map(|entry| entry.body["step"]["to"].as_str().unwrap().to_owned())
            .collect()
    };
    run(&estate, "2026-03-18T02:29:00Z", &id);
    assert!(steps(&estate).is_empty());
    run(&estate, "2026-03-18T02:30:00Z", &id);
    let report = run(&estate, "2026-03-19T02:30:00Z", &id);
    assert_eq!(steps(&estate), ["payments"]);
    let waiting = report["queue"]["waiting"].as_array().unwrap();
    let item = waiting.iter().find(|item| item["findings"][0] == id.as_str()).unwrap();
    assert_eq!(item["since"], AT);
    assert_eq!(item["until"], LATE);
    assert_eq!(item["escalated"][0]["step"]["to"], "payments");
    for form in ["report.md", "report.html"] {
        let text = std::fs::read_to_string(estate.file("state").join(form)).unwrap();
        assert!(text.contains("escalated to payments"), "{form}");
    }
    run(&estate, "2026-03-21T02:30:00Z", &id);
    assert_eq!(steps(&estate), ["payments", "cto"]);
    // What somebody declined is asked of nobody.
    let (estate, id) = one(ITEM);
    approvals(&estate, "  escalate: [{after: 1d, to: payments}]\n");
    said(&estate, BY, &["decline", &id]);
    run(&estate, "2026-03-19T02:30:00Z", &id);
    let declined = entries(&estate, "escalated");
    assert!(!declined.iter().any(|entry| entry.body["findings"][0] == id.as_str()));
}

#[test]
fn waiting_says_what_waits_for_whom_and_what_to_type() {
    let (estate, id) = one(ITEM);
    policies(&estate, &[TWO]);
    let listed = estate.run(&["waiting"]);
    assert_eq!(listed.status.code(), Some(10), "{}", stderr(&listed));
    let text = stdout(&listed);
    for part in [
        id.as_str(),
        "waits since 2026-03-17T02:30:00Z, until 2026-03-31T02:30:00Z",
        "missing: the rule two-people",
        &format!("approve {id} --key"),
    ] {
        assert!(text.contains(part), "`{part}` isn't in: {text}");
    }
    said(&estate, BY, &["approve", &id]);
    let of_item = |text: &str| {
        let rest = text.split_once(&id).unwrap().1.to_owned();
        rest.split("\n\n").next().unwrap().to_owned()
    };
    let one_of_two = stdout(&estate.run(&["waiting"]));
    assert!(
        of_item(&one_of_two).contains("approved by rosa@fintech.example"),
        "{one_of_two}"
    );
    assert!(
        of_item(&one_of_two).contains("missing: the rule two-people"),
        "{one_of_two}"
    );
    // With `baseline` alone one is enough, but she approved under other policies.
    estate.edit("holdpoint.yaml", |text| {
        text.replace("policies: pack", "policies: baseline")
    });
    let void = stdout(&estate.run(&["waiting"]));
    assert!(of_item(&void).contains("is void"), "{void}");
    let later = "2026-03-17T03:00:00Z";
    assert!(says(&estate, later, BY, &["approve", &id]).status.success());
    let ready = stdout(&estate.run_at(later, &["waiting"]));
    assert!(of_item(&ready).contains(&format!("promote {id}")), "{ready}");

    let output = estate.run_at(later, &["waiting", "--format", "json"]);
    let queue: Value = serde_json::from_slice(&output.stdout).unwrap();
    let items = queue["waiting"].as_array().unwrap();
    let item = items.iter().find(|item| item["findings"][0] == id.as_str()).unwrap();
    assert_eq!(item["approved_by"][0], BY);
    assert_eq!(item["missing"].as_array().unwrap().len(), 0);
}

#[test]
fn with_nothing_proposed_nothing_waits() {
    let estate = Estate::prepared();
    let queue = json(&estate.run(&["waiting", "--format", "json"]));
    assert_eq!(queue["waiting"].as_array().unwrap().len(), 0);
}

#[test]
fn a_dry_run_declines_nobody() {
    let (estate, id) = one(ITEM);
    estate.run_at(LATE, &["run", "--dry-run", "--finding", &id]);
    assert!(entries(&estate, "timed-out").is_empty());
    assert!(!branch(&estate, &id).is_empty());
}
