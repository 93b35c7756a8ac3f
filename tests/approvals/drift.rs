//! What voids an approval, and what doesn't, through the whole pipeline.

use holdpoint_ledger::approval::sign;
use holdpoint_schemas::Digest;
use holdpoint_schemas::approval::{Binding, SignedApproval};

use super::{BY, ITEM, approve, entries, held, key_of, merged, one, policies, says, smuggle};
use crate::support::{AT, Estate, stdout};

/// Moves `main` of `payments` by a push that changes no file.
fn push(estate: &Estate, branch: &str) {
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=x", "-c", "user.email=x@x"];
        estate.remote_git("payments", &[&who, arguments].concat())
    };
    let (tree, parent) = (git(&["rev-parse", "main^{tree}"]), git(&["rev-parse", "main"]));
    let commit = git(&["commit-tree", &tree, "-p", &parent, "-m", "a push in between"]);
    git(&["update-ref", &format!("refs/heads/{branch}"), &commit]);
}

fn hands_off(text: String) -> String {
    let control = "{ id: hands-off-requirements, kind: hands-off, repo: payments, path: requirements.txt, \
                   owner: Mara Lind, reason: audit, since: 2026-03-01T00:00:00Z, until: 2026-05-01T00:00:00Z }";
    text.replacen("controls:\n", &format!("controls:\n  - {control}\n"), 1)
}

fn freeze(text: String) -> String {
    text.replace("services: [accounts]", "services: [accounts, payments]")
}

const READS_FREEZES: (&str, &str) = (
    "no-freeze",
    "context has change.freeze_active && !context.change.freeze_active",
);

/// A change of the estate, and what the approval says is no longer the same; nothing: it still counts.
type Row = (&'static str, fn(&Estate), Option<&'static str>);

#[test]
fn each_change_voids_an_approval_or_it_does_not() {
    let rows: [Row; 10] = [
        ("a push to the base", |e| push(e, "main"), Some("base commit was")),
        (
            "a policy",
            |e| e.take_out_policy("tier-0-production"),
            Some("policies was"),
        ),
        (
            "a fact more that could be known",
            |e| {
                let facts = "facts: [{id: org.on_call, type: bool, doc: A fact., resolver: us, default: true}]\n";
                std::fs::create_dir(e.file("facts.d")).unwrap();
                std::fs::write(e.file("facts.d/a.yaml"), facts).unwrap();
            },
            Some("schema was"),
        ),
        ("a control", |e| e.edit("controls.yaml", hands_off), Some("facts was")),
        (
            "a fact that becomes unknown",
            |e| std::fs::write(e.file("controls.yaml"), "controls: nonsense\n").unwrap(),
            Some("facts was"),
        ),
        (
            "a catalogue that knows the service no more",
            |e| std::fs::remove_file(e.file("catalogue/payments.yaml")).unwrap(),
            Some("facts was"),
        ),
        (
            "a freeze that no policy on promotion reads",
            |e| e.edit("calendar.yaml", freeze),
            None,
        ),
        ("a push to another branch", |e| push(e, "feature"), None),
        (
            "a comment among the approvers",
            |e| e.edit("approvers", |text| format!("# the night shift\n{text}")),
            None,
        ),
        (
            "a control that has ended",
            |e| {
                e.edit("controls.yaml", |text| {
                    hands_off(text).replace("2026-05-01", "2026-03-02")
                })
            },
            None,
        ),
    ];
    for (what, change, drift) in rows {
        let (estate, id) = one(ITEM);
        assert!(approve(&estate, "approve", &id).status.success());
        change(&estate);
        match drift {
            Some(drift) => held(&estate, AT, &id, &["is void", drift]),
            None => merged(&estate, &id),
        }
        eprintln!("{what}: {}", drift.unwrap_or("still counts"));
    }
}

#[test]
fn a_freeze_voids_where_promotion_reads_it() {
    let (estate, id) = one(ITEM);
    policies(&estate, &[READS_FREEZES]);
    assert!(approve(&estate, "approve", &id).status.success());
    estate.edit("calendar.yaml", freeze);
    held(&estate, AT, &id, &["is void", "facts was"]);
    // It is the value that counts: when the freeze is over, the fact is what it was.
    estate.edit("calendar.yaml", |text| {
        text.replace("services: [accounts, payments]", "services: [accounts]")
    });
    merged(&estate, &id);
}

#[test]
fn time_alone_and_what_is_merged_elsewhere_void_nothing() {
    let (estate, id) = one(ITEM);
    assert!(approve(&estate, "approve", &id).status.success());
    let other = super::suggested()
        .into_iter()
        .find(|(_, repo, _)| repo != "payments")
        .map(|(other, ..)| other);
    if let Some(other) = other {
        assert!(approve(&estate, "approve", &other).status.success());
        estate.run(&["promote", &other]);
    }
    let promoted = estate.run_at("2026-03-17T20:00:00Z", &["promote", &id]);
    assert!(promoted.status.success(), "{}", stdout(&promoted));
}

/// An evidence re-run on a new base: base, tree and evidence are others, and so is the decision.
#[test]
fn a_new_run_on_a_new_base_asks_again() {
    let (estate, id) = one(ITEM);
    assert!(approve(&estate, "approve", &id).status.success());
    push(&estate, "main");
    assert_eq!(estate.run(&["run", "--finding", &id]).status.code(), Some(10));
    held(&estate, AT, &id, &["is void", "base commit was"]);
    assert!(approve(&estate, "approve", &id).status.success());
    merged(&estate, &id);
}

/// Every part of the binding, one at a time, signed by the right person: as if the rest had been like this.
#[test]
fn an_approval_of_anything_else_is_void_whichever_part_differs() {
    type Change = fn(&mut Binding);
    let changes: [(&str, Change); 10] = [
        ("estate", |b| b.estate = "another".to_owned()),
        ("diff", |b| b.diff = Digest::of_bytes(b"x")),
        ("base commit", |b| b.base = "9".repeat(40)),
        ("tree", |b| b.tree = "9".repeat(40)),
        ("target branch", |b| b.target_branch = "release".to_owned()),
        ("repo", |b| b.repo = "ledger".to_owned()),
        ("policies", |b| b.policies = Digest::of_bytes(b"x")),
        ("schema", |b| b.schema = Digest::of_bytes(b"x")),
        ("facts", |b| b.facts = Digest::of_bytes(b"x")),
        ("evidence", |b| b.evidence = None),
    ];
    let (estate, id) = one(ITEM);
    assert!(approve(&estate, "approve", &id).status.success());
    let good: SignedApproval = serde_json::from_value(entries(&estate, "approval")[0].body.clone()).unwrap();
    assert!(approve(&estate, "decline", &id).status.success());
    let mut expected = Vec::new();
    for (part, change) in changes {
        let mut statement = good.statement.clone();
        change(&mut statement.binding);
        let signed = sign(statement, &key_of(&estate, BY)).unwrap();
        smuggle(&estate, "approval", AT, &signed);
        expected.push(format!("{part} was"));
    }
    let parts: Vec<&str> = expected.iter().map(String::as_str).collect();
    held(&estate, AT, &id, &parts);
    // The good one once more takes back no refusal that came after it; a new one does.
    smuggle(&estate, "approval", AT, &good);
    held(&estate, AT, &id, &["copy", "declined it"]);
    let again = says(&estate, "2026-03-17T02:40:00Z", BY, &["approve", &id]);
    assert!(again.status.success());
    let promoted = estate.run_at("2026-03-17T02:40:00Z", &["promote", &id]);
    assert!(promoted.status.success(), "{}", stdout(&promoted));
}
