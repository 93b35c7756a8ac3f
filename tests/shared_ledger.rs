//! A ledger in PostgreSQL as its users have it, and what is let go of one.

use serde_json::Value;
use std::process::Output;
use std::time::Duration;

use holdpoint_ledger::{Ledger, PostgresOptions, Secret};
use holdpoint_schemas::Timestamp;

use crate::support::{Estate, holdpoint, json, refused, stderr, stdout};

// Whatever of it only the ledger's own tests need.
#[allow(dead_code)]
#[path = "../ledger/tests/stores/cluster.rs"]
mod cluster;

/// An estate with its ledger in a cluster, by a file with the connection string.
fn estate(cluster: &cluster::Cluster) -> Estate {
    let estate = Estate::prepared();
    std::fs::write(estate.file("ledger.url"), cluster.url()).unwrap();
    estate.edit("holdpoint.yaml", |text| {
        format!("{text}\nledger:\n  postgres:\n    url_file: ledger.url\n    schema: fintech\n")
    });
    estate
}

/// Levels of the findings, in the order of a report.
fn levels(output: &Output) -> Vec<Value> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)));
    let items = document["items"].as_array().unwrap();
    assert!(!items.is_empty());
    items.iter().map(|item| item["decision"]["level"].clone()).collect()
}

fn options(cluster: &cluster::Cluster) -> PostgresOptions {
    PostgresOptions {
        schema: "fintech".to_owned(),
        ..PostgresOptions::new(Secret::new(cluster.url()))
    }
}

#[test]
fn an_estate_with_its_ledger_in_postgresql_decides_alike_and_one_run_at_a_time() {
    let Some(cluster) = cluster::Cluster::start(false) else {
        return;
    };
    let estate = estate(&cluster);
    let none = estate.run(&["ledger", "verify"]);
    assert_eq!(none.status.code(), Some(3), "{}", stdout(&none));
    assert!(
        stderr(&none).contains("there is no ledger at `postgresql://"),
        "{}",
        stderr(&none)
    );

    let decided = estate.run(&["--format", "json", "decide"]);
    let in_a_file = Estate::prepared().run(&["--format", "json", "decide"]);
    assert_eq!(levels(&decided), levels(&in_a_file));
    assert!(!estate.file("state/ledger.sqlite").exists(), "there are two ledgers");
    let verified = json(&estate.run(&["--format", "json", "ledger", "verify"]));
    assert_eq!(verified["verified"], true);
    // Another host's run.
    let other = Ledger::open_existing_postgres(&options(&cluster)).unwrap();
    let lease = other.lease("run", "elsewhere/1", Duration::from_secs(600), Timestamp::now());
    let lease = lease.unwrap().unwrap();
    let decisions = || {
        other
            .entries(None)
            .unwrap()
            .iter()
            .filter(|entry| !["run", "checkpoint"].contains(&entry.kind.as_str()))
            .count()
    };
    let before = decisions();
    refused(
        &estate.run(&["decide"]),
        &["another run of this estate is under way on `elsewhere/1`"],
    );
    other.release(&lease).unwrap();

    // What this state folder's own run held when it was killed holds it up no more.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let holder = format!(
        "{}/{}",
        host.trim(),
        std::fs::read_to_string(estate.file("state/holder.id")).unwrap()
    );
    other
        .lease("run", &holder, Duration::from_secs(600), Timestamp::now())
        .unwrap()
        .unwrap();
    let again = estate.run(&["decide"]);
    assert!(again.status.code() != Some(3), "{}", stderr(&again));
    assert_eq!(
        other.leased_to("run", Timestamp::now()).unwrap(),
        None,
        "it is given back"
    );
    assert_eq!(
        before,
        decisions(),
        "a second run at the same moment decides nothing anew"
    );
}

#[test]
fn how_the_database_is_reached_is_said_nowhere() {
    let estate = Estate::prepared();
    let secret = "hunter2";
    let with = |url: &str| {
        let mut command = holdpoint();
        command.arg("--estate").arg(estate.estate()).args(["ledger", "verify"]);
        command.env("TEST_LEDGER_URL", url).output().unwrap()
    };
    estate.edit("holdpoint.yaml", |text| {
        format!("{text}\nledger: {{postgres: {{url_env: TEST_LEDGER_URL}}}}\n")
    });
    for url in [
        format!("host=/nowhere user=u password={secret}"),
        format!("postgresql://u:{secret}@db.example/x?sslmode=disable"),
        format!("postgresql://u:{secret}@[/x"),
    ] {
        let output = with(&url);
        assert!(!output.status.success());
        assert!(
            !stderr(&output).contains(secret) && !stdout(&output).contains(secret),
            "{}",
            stderr(&output)
        );
    }
    let unset = estate.run(&["ledger", "verify"]);
    refused(&unset, &["the environment has no `TEST_LEDGER_URL`"]);
    estate.edit("holdpoint.yaml", |text| {
        text.replace("url_env: TEST_LEDGER_URL", "url_env: A, url_file: b")
    });
    refused(
        &estate.run(&["ledger", "verify"]),
        &["must have one of `url_env` and `url_file`"],
    );
}

#[test]
fn old_bodies_are_let_go_and_the_next_run_decides_as_before() {
    let estate = Estate::prepared();
    let verify = || json(&estate.run(&["--format", "json", "ledger", "verify"]));
    for at in ["2026-03-17T02:30:00Z", "2026-03-24T02:30:00Z"] {
        let decided = estate.run_at(at, &["decide"]);
        assert!(decided.status.code() != Some(3), "{}", stderr(&decided));
    }
    let later = "2026-06-01T00:00:00Z";
    let prune = |more: &[&str]| {
        let arguments = [&["--format", "json", "ledger", "prune"], more].concat();
        json(&estate.run_at(later, &arguments))
    };
    assert_eq!(prune(&[])["bodies"], 0, "without settings nothing goes");
    estate.edit("holdpoint.yaml", |text| {
        format!("{text}\nledger: {{retention: {{days: 30}}}}\n")
    });
    let would = prune(&["--dry-run"])["bodies"].as_u64().unwrap();
    assert_eq!(verify()["pruned"], 0);
    let pruned = prune(&[]);
    assert!(would > 0 && pruned["bodies"] == would, "{pruned}");
    let export = std::fs::read_to_string(pruned["export"].as_str().unwrap()).unwrap();
    assert_eq!(export.lines().count() as u64, would);
    assert_eq!(
        (verify()["verified"].clone(), verify()["pruned"].clone()),
        (true.into(), would.into())
    );
    // What went is still named and proved.
    let gone = export.lines().next().unwrap();
    let gone: Value = serde_json::from_str(gone).unwrap();
    let proof = json(&estate.run(&["ledger", "prove", &gone["seq"].to_string()]));
    for field in ["seq", "kind", "at"] {
        assert_eq!(proof[field], gone[field], "{proof:#}");
    }
    let fresh = Estate::prepared();
    let at = "2026-06-02T02:30:00Z";
    let decided = levels(&estate.run_at(at, &["--format", "json", "decide"]));
    assert_eq!(decided, levels(&fresh.run_at(at, &["--format", "json", "decide"])));
    estate.edit("holdpoint.yaml", |text| {
        text.replace("days: 30", "kinds: {approval: 1}")
    });
    refused(
        &estate.run(&["ledger", "prune"]),
        &["`approval`, which is never let go"],
    );
}
