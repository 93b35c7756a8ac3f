use std::time::{Duration, Instant};

use super::*;
use crate::local::fixture::Fixture;

#[test]
fn a_mirror_follows_the_remote_and_forgets_what_it_dropped() {
    let fixture = Fixture::new();
    fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap();
    assert_eq!(resolve(&fixture.cache, "main").unwrap(), fixture.base);
    let next = fixture.commit_on(&fixture.base, "next");
    fixture.set_remote("main", Some(&next));
    fixture.set_remote("extra", Some(&next));
    fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap();
    assert_eq!(resolve(&fixture.cache, "main").unwrap(), next);
    assert_eq!(resolve(&fixture.cache, "extra").unwrap(), next);
    fixture.set_remote("extra", None);
    fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap();
    assert!(matches!(
        resolve(&fixture.cache, "extra"),
        Err(ForgeError::NoBranch { .. })
    ));
}

#[test]
fn a_lock_that_a_killed_git_left_is_waited_for_and_then_removed() {
    let fixture = Fixture::new();
    let next = fixture.commit_on(&fixture.base, "next");
    fixture.set_remote("main", Some(&next));
    fixture.set_remote("a/b", Some(&next));
    fixture.set_remote("gone", Some(&next));
    fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap();
    let last = fixture.commit_on(&next, "last");
    for branch in ["main", "a/b"] {
        fixture.set_remote(branch, Some(&last));
    }
    fixture.set_remote("gone", None);
    let left = ["refs/heads/main.lock", "refs/heads/a/b.lock", "packed-refs.lock"];
    for lock in left {
        std::fs::write(fixture.cache.join(lock), "").unwrap();
    }
    let held = Duration::from_millis(200);
    let begun = Instant::now();
    cache::fetch_past_locks(fixture.remote_str(), &fixture.cache, held).unwrap();
    assert!(begun.elapsed() >= held, "somebody may have held it");
    assert_eq!(resolve(&fixture.cache, "main").unwrap(), last);
    assert_eq!(resolve(&fixture.cache, "a/b").unwrap(), last);
    assert!(resolve(&fixture.cache, "gone").is_err());
    assert!(left.iter().all(|lock| !fixture.cache.join(lock).exists()));
}

#[test]
fn a_lock_that_somebody_holds_is_left_to_them() {
    let fixture = Fixture::new();
    let next = fixture.commit_on(&fixture.base, "next");
    fixture.set_remote("main", Some(&next));
    let lock = fixture.cache.join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    std::thread::scope(|scope| {
        let fetched = scope
            .spawn(|| cache::fetch_past_locks(fixture.remote_str(), &fixture.cache, Duration::from_secs(60)).unwrap());
        std::thread::sleep(Duration::from_millis(300));
        assert!(!fetched.is_finished() && lock.exists());
        std::fs::remove_file(&lock).unwrap();
        fetched.join().unwrap();
    });
    assert_eq!(resolve(&fixture.cache, "main").unwrap(), next);
}

#[test]
fn a_cache_that_was_being_made_is_made_anew() {
    let fixture = Fixture::new();
    let cache = fixture.cache.with_file_name("another.git");
    let half = cache.with_extension("making");
    std::fs::create_dir_all(half.join("refs")).unwrap();
    std::fs::write(half.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    fetch_mirror(fixture.remote_str(), &cache).unwrap();
    assert_eq!(resolve(&cache, "main").unwrap(), fixture.base);
    assert!(!half.exists());
}

#[test]
fn a_push_moves_only_what_stands_where_it_was_expected() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.candidate("one"), fixture.candidate("two"));
    let push = |commit: &str, old: Option<&str>| push(&fixture.cache, fixture.remote_str(), "b", commit, old).unwrap();
    assert_eq!(push(&one, Some(&fixture.base)), Pushed::Stale, "it doesn't exist yet");
    assert_eq!(push(&one, None), Pushed::Moved);
    assert_eq!(push(&two, None), Pushed::Stale, "it exists by now");
    assert_eq!(push(&two, Some(&fixture.base)), Pushed::Stale);
    assert_eq!(fixture.remote_branch("b").unwrap(), one);
    assert_eq!(push(&two, Some(&one)), Pushed::Moved);
    assert_eq!(remote_head(fixture.remote_str(), "b").unwrap().unwrap(), two);
    let remote = fixture.remote_str();
    assert_eq!(delete(&fixture.cache, remote, "b", &one).unwrap(), Pushed::Stale);
    assert_eq!(delete(&fixture.cache, remote, "b", &two).unwrap(), Pushed::Moved);
    assert_eq!(remote_head(remote, "b").unwrap(), None);
}

#[test]
fn a_branch_whose_name_only_ends_alike_is_another_one() {
    let fixture = Fixture::new();
    fixture.set_remote("x/refs/heads/wanted", Some(&fixture.base));
    assert_eq!(remote_head(fixture.remote_str(), "wanted").unwrap(), None);
}

#[test]
fn a_remote_that_is_gone_is_named() {
    let fixture = Fixture::new();
    std::fs::remove_dir_all(&fixture.remote).unwrap();
    let error = fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap_err();
    assert!(matches!(error, ForgeError::NoRemote { .. }), "{error}");
    assert!(error.to_string().contains(fixture.remote_str()));
    std::fs::create_dir_all(&fixture.remote).unwrap();
    std::fs::write(fixture.remote.join("HEAD"), "not a repository").unwrap();
    let error = fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap_err();
    assert!(matches!(error, ForgeError::Git { doing: "fetching", .. }), "{error}");
}

#[test]
fn bad_names_reach_no_command_line() {
    let fixture = Fixture::new();
    let remote = fixture.remote_str();
    for name in ["-f", "a..b", "a b", "a\nb", "a:b"] {
        let commit = &fixture.base;
        assert!(matches!(remote_head(remote, name), Err(ForgeError::Branch { .. })));
        assert!(matches!(resolve(&fixture.cache, name), Err(ForgeError::Branch { .. })));
        assert!(matches!(
            push(&fixture.cache, remote, name, commit, None),
            Err(ForgeError::Branch { .. })
        ));
    }
    for commit in ["HEAD", "--all", ""] {
        assert!(matches!(
            push(&fixture.cache, remote, "b", commit, None),
            Err(ForgeError::Id { .. })
        ));
    }
}

#[test]
fn hooks_of_the_cache_never_run() {
    let fixture = Fixture::new();
    let touched = fixture.cache.join("touched");
    for hook in ["pre-push", "reference-transaction", "post-update", "pre-auto-gc"] {
        fixture.hook(&fixture.cache, hook, &format!("touch '{}'", touched.display()));
    }
    let next = fixture.commit_on(&fixture.base, "next");
    fixture.set_remote("main", Some(&next));
    fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap();
    let candidate = fixture.candidate("fix");
    push(&fixture.cache, fixture.remote_str(), "b", &candidate, None).unwrap();
    assert!(!touched.exists());
}

#[test]
fn a_hook_of_the_remote_can_refuse_and_its_reason_is_told() {
    let fixture = Fixture::new();
    fixture.hook(&fixture.remote, "pre-receive", "echo no entry >&2; exit 1");
    let candidate = fixture.candidate("fix");
    let error = push(&fixture.cache, fixture.remote_str(), "b", &candidate, None).unwrap_err();
    assert!(error.to_string().contains("pre-receive hook declined"), "{error}");
    assert_eq!(fixture.remote_branch("b"), None);
}

#[test]
fn a_branch_holds_its_tip_and_its_history_and_nothing_else() {
    let fixture = Fixture::new();
    let next = fixture.commit_on(&fixture.base, "next");
    fixture.set_remote("main", Some(&next));
    fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap();
    let held = |commit: &str| contains(&fixture.cache, "main", commit).unwrap();
    assert!(held(&next) && held(&fixture.base));
    assert!(!held(&fixture.candidate("other")) && !held(&"1".repeat(40)));
    assert!(matches!(
        contains(&fixture.cache, "none", &next),
        Err(ForgeError::NoBranch { .. })
    ));
}
