//! What changes, and who did it: controls in code, plans, audit logs, patches.

use holdpoint_fixes::{FixError, classify, minimal, operations, patch};
use holdpoint_intake::controls::{self, plan_markers};
use holdpoint_intake::drift::{actors_for, changed_by_human, read_audit_log, read_state};
use holdpoint_intake::plan::{read_plan, undoes_hardening};
use holdpoint_schemas::fix::{ChangeKind, FileChange};
use jiff::Timestamp;
use std::collections::BTreeMap;

use crate::input::{files, texts};
use crate::oracle::{good, helpful, prints_alike, twice};

/// Comments and tags in code.
pub fn markers(data: &[u8]) {
    for (path, text) in texts(data, "main.tf") {
        let found = prints_alike(|| controls::markers("shop", path, text));
        assert!(found.iter().all(|marker| marker.line > 0), "lines begin at 1");
    }
}

/// Commit messages.
pub fn trailer(data: &[u8]) {
    let Ok(message) = std::str::from_utf8(data) else { return };
    if let Some(trailer) = twice(|| controls::trailer(message)) {
        for committed in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let until = trailer.until(committed);
            let days = until.duration_since(committed).as_hours() / 24;
            assert!(days <= controls::MAX_HOLD_DAYS, "held for {days} days");
        }
    }
}

/// Terraform plans.
pub fn plan(data: &[u8]) {
    prints_alike(|| good(plan_markers("shop", "plan.json", data)));
    let Some(plan) = prints_alike(|| good(read_plan("plan.json", data))) else {
        return;
    };
    let destroyed = plan.summary.destroys.len() + plan.summary.replaces.len();
    assert!(
        plan.summary.destroy > 0 || destroyed == 0,
        "something is destroyed, and it isn't counted"
    );
    assert!(
        plan.summary.destroy == 0 || plan.destroys_resources() == Some(true),
        "something is destroyed, and it isn't said"
    );
    plan.critical_changes().count();
    for drift in &plan.drift {
        prints_alike(|| undoes_hardening(drift));
    }
}

/// Clouds' audit logs.
pub fn audit_log(data: &[u8]) {
    let automation = ["deployer".to_owned()];
    let Some(log) = prints_alike(|| good(read_audit_log("audit.json", data, &automation))) else {
        return;
    };
    assert!(
        log.span().is_none_or(|(first, last)| first <= last),
        "a log that ends before it begins"
    );
    let resource = holdpoint_intake::drift::CloudResource {
        resource_type: "aws_security_group".to_owned(),
        ids: vec!["sg-0a1b2c3d".to_owned(), "web".to_owned()],
    };
    let actors = twice(|| actors_for(std::slice::from_ref(&log), &resource));
    twice(|| changed_by_human(&actors));
}

/// Terraform's state.
pub fn tfstate(data: &[u8]) {
    let Some(state) = twice(|| good(read_state("terraform.tfstate", data))) else {
        return;
    };
    for resource in state.resources.iter().take(20) {
        assert!(state.at(&resource.address).is_some(), "an address that leads nowhere");
        for id in &resource.cloud.ids {
            assert!(state.addresses_of(id).next().is_some(), "an id that leads nowhere");
        }
    }
}

/// Patches: what is read is written canonically, and reads back as the same.
pub fn patch(data: &[u8]) {
    match patch::read_patch("fix.patch", data) {
        Ok(read) => {
            let canonical = read.canonical();
            let again = patch::read_patch("fix.patch", canonical.as_bytes()).map(|again| again.canonical());
            assert!(
                again.as_ref().is_ok_and(|again| *again == canonical),
                "the canonical form isn't one: {again:?}"
            );
        }
        Err(FixError::Source(error)) => helpful(&error),
        Err(other) => assert!(!other.to_string().is_empty(), "an error without words"),
    }
}

/// Classification of texts before and after: each file is `=== before PATH` or `=== after PATH`.
pub fn classify(data: &[u8]) {
    let mut sides: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for (name, bytes) in files(data, "before app.py") {
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        match name.split_once(' ') {
            Some(("before", path)) => sides.entry(path).or_default().0 = Some(text),
            Some(("after", path)) => sides.entry(path).or_default().1 = Some(text),
            _ => {}
        }
    }
    let changes: Vec<FileChange> = sides
        .iter()
        .map(|(path, (before, after))| change(path, *before, *after))
        .collect();
    let before = |path: &str| sides.get(path)?.0.map(str::to_owned);
    let after = |path: &str| sides.get(path)?.1.map(str::to_owned);
    let found = twice(|| classify::classify(&changes, &before, &after));
    let turned: Vec<FileChange> = changes.iter().rev().cloned().collect();
    assert!(
        classify::classify(&turned, &before, &after).kind == found.kind,
        "the order of the files changes the class"
    );
    twice(|| operations::operations(&changes, &found, &before, &after));
    assert!(
        minimal::minimal(&changes, &found, &[]).is_none(),
        "minimal for no finding"
    );
}

/// The lines between those at the beginning and at the end that are the same.
fn change(path: &str, before: Option<&str>, after: Option<&str>) -> FileChange {
    let lines =
        |text: Option<&str>| -> Vec<String> { text.into_iter().flat_map(str::lines).map(str::to_owned).collect() };
    let (old, new) = (lines(before), lines(after));
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old.iter().skip(same).rev().zip(new.iter().skip(same).rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let middle = |lines: Vec<String>| -> Vec<(u32, String)> {
        let end = lines.len() - tail;
        let numbered = (1u32..).zip(lines).take(end);
        numbered.skip(same).collect()
    };
    FileChange {
        path: path.to_owned(),
        kind: match (before, after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        },
        removed: middle(old),
        added: middle(new),
    }
}
