use super::fixture::Fixture;
use super::*;
use crate::PullRequest;

fn proposal(commit: &str) -> Proposal {
    Proposal {
        branch: "holdpoint/fix-1".to_owned(),
        commit: commit.to_owned(),
        document: PullRequest {
            title: "Upgrade wheel".to_owned(),
            ..PullRequest::default()
        },
    }
}

fn merge_of(fixture: &Fixture, commit: &str) -> Merge {
    Merge {
        branch: "main".to_owned(),
        expected_base: fixture.base.clone(),
        commits: 1,
        commit: commit.to_owned(),
        tree: fixture.tree_of(commit),
    }
}

#[test]
fn a_merge_puts_exactly_the_tested_commit_on_the_branch() {
    let fixture = Fixture::new();
    let commit = fixture.candidate("fix");
    let merge = merge_of(&fixture, &commit);
    assert_eq!(fixture.forge().merge(&merge).unwrap(), MergeOutcome::Merged);
    assert_eq!(fixture.remote_branch("main"), Some(commit.clone()));
    assert_eq!(fixture.forge().head("main").unwrap(), Some(commit));
    assert_eq!(fixture.forge().merge(&merge).unwrap(), MergeOutcome::Merged, "again");
}

#[test]
fn several_commits_are_merged_at_once_where_they_are_as_many_as_were_made() {
    let fixture = Fixture::new();
    let first = fixture.candidate("fix");
    let second = fixture.candidate_on(&first, "another fix");
    let of_two = |commits| Merge {
        commits,
        ..merge_of(&fixture, &second)
    };
    for wrong in [0, 1, 3] {
        let error = fixture.forge().merge(&of_two(wrong)).unwrap_err();
        assert!(matches!(error, ForgeError::NotTested { .. }), "{wrong}: {error}");
    }
    assert_eq!(fixture.remote_branch("main"), Some(fixture.base.clone()));
    assert_eq!(fixture.forge().merge(&of_two(2)).unwrap(), MergeOutcome::Merged);
    assert_eq!(fixture.remote_branch("main"), Some(second));
}

#[test]
fn a_merge_on_a_moved_base_moves_nothing_and_names_the_new_head() {
    let fixture = Fixture::new();
    let commit = fixture.candidate("fix");
    let theirs = fixture.commit_on(&fixture.base, "theirs");
    fixture.set_remote("main", Some(&theirs));
    let outcome = fixture.forge().merge(&merge_of(&fixture, &commit)).unwrap();
    assert_eq!(
        outcome,
        MergeOutcome::BaseMoved {
            head: Some(theirs.clone())
        }
    );
    assert_eq!(fixture.remote_branch("main"), Some(theirs));
    fixture.set_remote("main", None);
    let outcome = fixture.forge().merge(&merge_of(&fixture, &commit)).unwrap();
    assert_eq!(outcome, MergeOutcome::BaseMoved { head: None });
}

/// The base moves while the remote is receiving: after we looked, before the ref is locked.
#[test]
fn a_base_that_moves_during_the_push_is_not_overwritten() {
    let fixture = Fixture::new();
    let commit = fixture.candidate("fix");
    let theirs = fixture.commit_on(&fixture.base, "theirs");
    fixture.hook(
        &fixture.remote,
        "pre-receive",
        &format!("echo {theirs} > '{}/refs/heads/main'", fixture.remote_str()),
    );
    let outcome = fixture.forge().merge(&merge_of(&fixture, &commit)).unwrap();
    assert_eq!(
        outcome,
        MergeOutcome::BaseMoved {
            head: Some(theirs.clone())
        }
    );
    assert_eq!(fixture.remote_branch("main"), Some(theirs));
}

#[test]
fn of_many_merges_at_once_one_wins_and_the_others_see_it() {
    let fixture = Fixture::new();
    let commits: Vec<String> = (0..4).map(|n| fixture.candidate(&format!("fix {n}"))).collect();
    let outcomes: Vec<MergeOutcome> = std::thread::scope(|scope| {
        let running: Vec<_> = commits
            .iter()
            .map(|commit| scope.spawn(|| fixture.forge().merge(&merge_of(&fixture, commit)).unwrap()))
            .collect();
        running.into_iter().map(|merge| merge.join().unwrap()).collect()
    });
    let winner = fixture.remote_branch("main").unwrap();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if *commit == winner {
            assert_eq!(outcome, MergeOutcome::Merged);
        } else {
            assert_eq!(
                outcome,
                MergeOutcome::BaseMoved {
                    head: Some(winner.clone())
                }
            );
        }
    }
}

#[test]
fn what_was_not_tested_is_not_merged() {
    let fixture = Fixture::new();
    let commit = fixture.candidate("fix");
    let other = fixture.candidate("other");
    let mut wrong_tree = merge_of(&fixture, &commit);
    wrong_tree.tree = fixture.tree_of(&other);
    let mut wrong_base = merge_of(&fixture, &commit);
    wrong_base.expected_base = other;
    let mut unknown = merge_of(&fixture, &commit);
    unknown.commit = "1".repeat(40);
    for merge in [wrong_tree, wrong_base, unknown] {
        let error = fixture.forge().merge(&merge).unwrap_err();
        assert!(matches!(error, ForgeError::NotTested { .. }), "{error}");
    }
    assert_eq!(fixture.remote_branch("main"), Some(fixture.base.clone()));
}

#[test]
fn a_branch_that_reads_back_as_something_else_is_an_error() {
    let fixture = Fixture::new();
    let commit = fixture.candidate("fix");
    let theirs = fixture.commit_on(&fixture.base, "theirs");
    fixture.hook(
        &fixture.remote,
        "post-receive",
        &format!("echo {theirs} > '{}/refs/heads/main'", fixture.remote_str()),
    );
    let error = fixture.forge().merge(&merge_of(&fixture, &commit)).unwrap_err();
    assert!(matches!(error, ForgeError::NotThere { .. }), "{error}");
    assert!(error.to_string().contains(&theirs));
}

#[test]
fn publishing_twice_changes_nothing_and_a_new_commit_replaces_the_old() {
    let fixture = Fixture::new();
    let forge = fixture.forge();
    let (one, two) = (fixture.candidate("one"), fixture.candidate("two"));
    let first = forge.publish(&proposal(&one)).unwrap();
    assert!(!first.existed);
    let text = std::fs::read_to_string(&first.document).unwrap();
    assert!(text.starts_with("# Upgrade wheel\n"), "{text}");
    assert_eq!(fixture.remote_branch("holdpoint/fix-1"), Some(one.clone()));
    let again = forge.publish(&proposal(&one)).unwrap();
    assert!(again.existed);
    assert_eq!(std::fs::read_to_string(&again.document).unwrap(), text);
    assert!(!forge.publish(&proposal(&two)).unwrap().existed);
    assert_eq!(fixture.remote_branch("holdpoint/fix-1"), Some(two));
    assert_eq!(fixture.remote_branch("main"), Some(fixture.base.clone()));
}

#[test]
fn closing_withdraws_the_branch_and_says_why_once() {
    let fixture = Fixture::new();
    let forge = fixture.forge();
    let published = forge.publish(&proposal(&fixture.candidate("fix"))).unwrap();
    for _ in 0..2 {
        forge.close("holdpoint/fix-1", "superseded by <b>another</b>").unwrap();
    }
    assert_eq!(fixture.remote_branch("holdpoint/fix-1"), None);
    let text = std::fs::read_to_string(published.document).unwrap();
    assert_eq!(text.matches("## Closed").count(), 1);
    assert!(text.contains("superseded by &lt;b&gt;another"), "{text}");
    forge.close("holdpoint/never-was", "nothing to do").unwrap();
}

#[test]
fn nobody_elses_branch_is_published_to_or_closed() {
    let fixture = Fixture::new();
    let mut bad = proposal(&fixture.candidate("fix"));
    for name in ["main", "holdpoint/../main", "holdpoint/a\nb", "-holdpoint/x"] {
        bad.branch = name.to_owned();
        assert!(matches!(fixture.forge().publish(&bad), Err(ForgeError::Branch { .. })));
        assert!(matches!(
            fixture.forge().close(name, "why"),
            Err(ForgeError::Branch { .. })
        ));
    }
    assert_eq!(fixture.remote_branch("main"), Some(fixture.base.clone()));
}

#[test]
fn a_remote_that_is_gone_is_an_error_and_writes_no_document() {
    let fixture = Fixture::new();
    let commit = fixture.candidate("fix");
    std::fs::remove_dir_all(&fixture.remote).unwrap();
    let forge = fixture.forge();
    assert!(matches!(
        forge.publish(&proposal(&commit)),
        Err(ForgeError::NoRemote { .. })
    ));
    assert!(matches!(
        forge.merge(&merge_of(&fixture, &commit)),
        Err(ForgeError::NoRemote { .. })
    ));
    assert!(!forge.pull_requests.exists());
}

#[test]
fn a_document_that_is_a_link_is_not_followed() {
    let fixture = Fixture::new();
    let forge = fixture.forge();
    let target = fixture.cache.join("target.md");
    std::fs::write(&target, "precious").unwrap();
    std::fs::create_dir_all(forge.pull_requests.join("holdpoint")).unwrap();
    std::os::unix::fs::symlink(&target, forge.pull_requests.join("holdpoint/fix-1.md")).unwrap();
    assert!(matches!(
        forge.close("holdpoint/fix-1", "why"),
        Err(ForgeError::Document { .. })
    ));
    forge.publish(&proposal(&fixture.candidate("fix"))).unwrap();
    assert_eq!(std::fs::read_to_string(target).unwrap(), "precious");
}
