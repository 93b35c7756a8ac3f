//! The human go: approve, decline, promote, and what voids them.

mod attacks;
mod drift;
mod emergency;
mod people;
mod time;

use holdpoint_ledger::{Entry, Ledger};
use serde::Serialize;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::{AT, Estate, demo, finding_id, stderr, stdout};

const BY: &str = "rosa@fintech.example";

fn approve(estate: &Estate, verb: &str, id: &str) -> Output {
    let key = estate.root().join("keys/rosa");
    estate.run(&[verb, id, "--key", key.to_str().unwrap(), "--by", BY])
}

/// The finding that most of these are about: a suggested upgrade of `payments`, tier 0.
const ITEM: &str = "payments-upgrade";

/// Makes a key for somebody and lists it among the approvers.
fn enlist(estate: &Estate, by: &str, options: &str) {
    let key = make_key(estate, by);
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    estate.edit("approvers", |text| format!("{text}{by} {options} {}\n", public.trim()));
}

/// Makes a key that nobody lists.
fn make_key(estate: &Estate, by: &str) -> PathBuf {
    let key = key_of(estate, by);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", by, "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    key
}

fn key_of(estate: &Estate, by: &str) -> PathBuf {
    let name = if by == BY { "rosa" } else { by };
    // `with_extension` would take a dot of the name for one.
    estate.root().join("keys").join(name.replace(['.', '@'], "-"))
}

/// What somebody says, with their own key.
fn says(estate: &Estate, at: &str, by: &str, words: &[&str]) -> Output {
    let key = key_of(estate, by);
    let mut arguments = words.to_vec();
    arguments.extend(["--key", key.to_str().unwrap(), "--by", by]);
    estate.run_at(at, &arguments)
}

/// What somebody says, and it is taken.
fn said(estate: &Estate, by: &str, words: &[&str]) {
    let output = says(estate, AT, by, words);
    assert!(output.status.success(), "{by} {words:?}: {}", stderr(&output));
}

/// Puts a pack on top of `baseline`, with these policies more.
fn policies(estate: &Estate, own: &[(&str, &str)]) {
    let pack = estate.file("pack");
    std::fs::create_dir_all(&pack).unwrap();
    let manifest = "name: pack\ndescription: A layer of a test.\nextends: baseline\n";
    std::fs::write(pack.join("pack.yaml"), manifest).unwrap();
    for (id, unless) in own {
        let text = format!(
            "@id(\"{id}\")\n@reason(\"the rule {id}\")\n\
             forbid (principal, action == Action::\"promote\", resource) unless {{ {unless} }};\n"
        );
        std::fs::write(pack.join(format!("{id}.cedar")), text).unwrap();
    }
    estate.edit("holdpoint.yaml", |text| {
        text.replace("policies: baseline", "policies: pack")
    });
}

/// Two people, whoever they are; an emergency will do.
const TWO: (&str, &str) = (
    "two-people",
    "(context has approval.independent_approvers && context.approval.independent_approvers >= 2) || \
     (context has approval.emergency && context.approval.emergency)",
);

/// Says who is who.
fn people(estate: &Estate, text: &str) {
    std::fs::write(estate.file("people.yaml"), text).unwrap();
    approvals(estate, "  people: people.yaml\n");
}

/// Adds to `approvals:` in `holdpoint.yaml`.
fn approvals(estate: &Estate, lines: &str) {
    estate.edit("holdpoint.yaml", |text| match text.contains("\napprovals:\n") {
        true => text.replace("\napprovals:\n", &format!("\napprovals:\n{lines}")),
        false => format!("{text}\napprovals:\n{lines}"),
    });
}

/// Whether it is held, and why.
fn held(estate: &Estate, at: &str, id: &str, told: &[&str]) {
    let output = estate.run_at(at, &["promote", id]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(10), "{text}{}", stderr(&output));
    assert!(text.starts_with("Held:"), "{text}");
    for part in told {
        assert!(text.contains(part), "`{part}` isn't in: {text}");
    }
}

/// That it is merged now.
fn merged(estate: &Estate, id: &str) {
    let output = estate.run(&["promote", id]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}

fn ledger(estate: &Estate) -> Ledger {
    Ledger::open_existing(&estate.file("state/ledger.sqlite")).unwrap()
}

/// Entries of a kind.
fn entries(estate: &Estate, kind: &str) -> Vec<Entry> {
    ledger(estate).entries(Some(kind)).unwrap()
}

/// Writes to the ledger what no command would have.
fn smuggle<T: Serialize>(estate: &Estate, kind: &str, at: &str, body: &T) {
    ledger(estate).append(kind, at.parse().unwrap(), body).unwrap();
}

fn suggested() -> Vec<(String, String, String)> {
    let report = demo().report();
    let items = report
        .items()
        .iter()
        .filter(|item| item["decision"]["level"] == "suggest");
    items
        .map(|item| {
            (
                finding_id(item),
                item["finding"]["repo"].as_str().unwrap().to_owned(),
                item["fix"]["candidate_tree"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn every_suggested_fix_is_promoted_once_approved_as_exactly_the_tested_tree() {
    let suggested = suggested();
    assert!(suggested.len() >= 11, "{suggested:?}");
    for (id, repo, tree) in suggested {
        let estate = Estate::after_demo();
        let branch = estate.report().finding(&id)["finding"]["branch"]
            .as_str()
            .unwrap()
            .to_owned();
        let held = estate.run(&["promote", &id]);
        assert_eq!(held.status.code(), Some(10), "without a go: {}", stdout(&held));
        let base_moved = estate.report().finding(&id)["fix"]["base_commit"]
            != estate.remote_git(&repo, &["rev-parse", &branch]).as_str();
        if base_moved {
            // Another fix of this run was merged into the branch: the next run tests this one again.
            assert!(estate.run(&["run", "--finding", &id]).status.code() == Some(10));
        }
        let tree = if base_moved {
            estate.report().finding(&id)["fix"]["candidate_tree"]
                .as_str()
                .unwrap()
                .to_owned()
        } else {
            tree
        };
        let approved = approve(&estate, "approve", &id);
        assert!(approved.status.success(), "{id}: {}", stderr(&approved));
        let promoted = estate.run(&["promote", &id]);
        assert!(
            promoted.status.success(),
            "{id}: {}{}",
            stdout(&promoted),
            stderr(&promoted)
        );
        assert_eq!(
            estate.remote_git(&repo, &["rev-parse", &format!("{branch}^{{tree}}")]),
            tree,
            "{id}"
        );
        assert!(estate.run(&["ledger", "verify"]).status.success());
        let again = estate.run(&["promote", &id]);
        assert_eq!(again.status.code(), Some(3), "a second promotion: {}", stdout(&again));
    }
}

fn one(scenario: &str) -> (Estate, String) {
    let estate = Estate::after_demo();
    let id = finding_id(estate.report().scenario(scenario));
    (estate, id)
}

#[test]
fn a_declined_fix_is_not_promoted() {
    let (estate, id) = one("payments-upgrade");
    assert!(approve(&estate, "approve", &id).status.success());
    assert!(approve(&estate, "decline", &id).status.success());
    let held = estate.run(&["promote", &id]);
    assert_eq!(held.status.code(), Some(10));
    assert!(stdout(&held).contains("declined"), "{}", stdout(&held));
}

#[test]
fn an_approval_is_void_once_the_branch_moves() {
    let (estate, id) = one("payments-upgrade");
    assert!(approve(&estate, "approve", &id).status.success());
    let tree = estate.remote_git("payments", &["rev-parse", "main^{tree}"]);
    let parent = estate.remote_git("payments", &["rev-parse", "main"]);
    let commit = estate.remote_git(
        "payments",
        &[
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@x",
            "commit-tree",
            &tree,
            "-p",
            &parent,
            "-m",
            "a push in between",
        ],
    );
    estate.remote_git("payments", &["update-ref", "refs/heads/main", &commit]);
    let held = estate.run(&["promote", &id]);
    assert_eq!(held.status.code(), Some(10), "{}", stderr(&held));
    assert!(
        stdout(&held).contains("void") && stdout(&held).contains("base"),
        "{}",
        stdout(&held)
    );
    assert_eq!(
        estate.remote_git("payments", &["rev-parse", "main"]),
        commit,
        "nothing was merged"
    );
}

#[test]
fn an_approval_is_void_once_a_policy_changes() {
    let (estate, id) = one("payments-upgrade");
    assert!(approve(&estate, "approve", &id).status.success());
    estate.take_out_policy("tier-0-production");
    let held = estate.run(&["promote", &id]);
    assert_eq!(held.status.code(), Some(10), "{}", stderr(&held));
    assert!(stdout(&held).contains("polic"), "{}", stdout(&held));
}

#[test]
fn an_approval_is_void_once_a_fact_that_it_rests_on_changes() {
    let (estate, id) = one("payments-upgrade");
    assert!(approve(&estate, "approve", &id).status.success());
    estate.edit("controls.yaml", |text| {
        text.replacen(
            "controls:\n",
            "controls:\n  - { id: hands-off-requirements, kind: hands-off, repo: payments, path: requirements.txt, owner: Mara Lind, reason: audit in progress, since: 2026-03-01T00:00:00Z, until: 2026-05-01T00:00:00Z }\n",
            1,
        )
    });
    let held = estate.run(&["promote", &id]);
    assert_eq!(held.status.code(), Some(10), "{}", stderr(&held));
    assert!(stdout(&held).contains("fact"), "{}", stdout(&held));
}

#[test]
fn an_approval_ends_by_itself_and_time_out_means_no() {
    let (estate, id) = one("payments-upgrade");
    assert!(approve(&estate, "approve", &id).status.success());
    let held = estate.run_at("2026-03-25T02:30:00Z", &["promote", &id]);
    assert_eq!(held.status.code(), Some(10), "{}", stderr(&held));
    assert!(stdout(&held).contains("expired"), "{}", stdout(&held));
}

#[test]
fn a_stranger_cannot_approve() {
    let (estate, id) = one("payments-upgrade");
    let key = estate.root().join("keys/stranger");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    let refused = estate.run(&["approve", &id, "--key", key.to_str().unwrap(), "--by", BY]);
    assert_eq!(refused.status.code(), Some(3), "{}", stdout(&refused));
    assert_eq!(estate.run(&["promote", &id]).status.code(), Some(10));
}

#[test]
fn an_alert_cannot_be_approved() {
    let (estate, id) = one("break-glass");
    let refused = approve(&estate, "approve", &id);
    assert_eq!(refused.status.code(), Some(3));
    assert!(stderr(&refused).contains("alert"), "{}", stderr(&refused));
}
