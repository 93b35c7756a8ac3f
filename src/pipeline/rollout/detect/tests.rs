use super::*;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A repo with one merge of ours, as people would work on it.
struct Repo {
    folder: TempDir,
    base: String,
    merge: String,
}

const MERGED: &str = "2026-03-17T02:30:00Z";
const SETTINGS: &str = "name: shop\ndebug: true\ntimeout: 30\nretries: 3\nregion: north\n";
const FIXED: &str = "name: shop\ndebug: false\ntimeout: 30\nretries: 3\nregion: north\n";

impl Repo {
    /// Two files; ours changes both.
    fn new() -> Self {
        Self::with(
            &[
                ("settings.yaml", SETTINGS),
                ("requirements.txt", "flask==2.0\nrequests==2.31\n"),
            ],
            &[
                ("settings.yaml", FIXED),
                ("requirements.txt", "flask==2.0\nrequests==2.32\n"),
            ],
        )
    }

    fn with(before: &[(&str, &str)], after: &[(&str, &str)]) -> Self {
        let mut repo = Self {
            folder: TempDir::with_prefix("holdpoint-test-").unwrap(),
            base: String::new(),
            merge: String::new(),
        };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo.git(&["config", "user.name", "Ana Lopez"]);
        repo.git(&["config", "user.email", "ana@x.example"]);
        repo.base = repo.commit("Begin", before);
        repo.merge = repo.commit("Turn debugging off\n\nHoldpoint-Fix: 00", after);
        repo
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs git at a moment an hour after the merge.
    fn git(&self, arguments: &[&str]) -> String {
        self.git_at("2026-03-17T03:30:00Z", arguments)
    }

    fn git_at(&self, at: &str, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_COMMITTER_DATE", at)
            .env("GIT_AUTHOR_DATE", at)
            .arg("-C")
            .arg(self.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self, message: &str, files: &[(&str, &str)]) -> String {
        self.commit_at("2026-03-17T03:30:00Z", message, files)
    }

    fn commit_at(&self, at: &str, message: &str, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            std::fs::write(self.path().join(path), text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git_at(at, &["commit", "--quiet", "--allow-empty", "--message", message]);
        self.head()
    }

    fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    fn look(&self) -> Signs {
        self.look_at(&[(&self.base, &self.merge)])
    }

    fn look_at(&self, merges: &[(&str, &str)]) -> Signs {
        let merges: Vec<Watched> = merges
            .iter()
            .map(|(base, commit)| Watched {
                fix: Digest::of_bytes(commit.as_bytes()),
                base: (*base).to_owned(),
                commit: (*commit).to_owned(),
                at: MERGED.parse().unwrap(),
            })
            .collect();
        let git = Repository::open(self.path()).unwrap();
        look(&git, &self.head(), &merges, &|commit| {
            merges.iter().any(|merge| merge.commit == commit)
        })
        .unwrap()
    }

    /// The one merge that was undone: how, by which commit, and how much of it.
    fn undone(&self) -> Undone {
        let signs = self.look();
        assert!(signs.gaps.is_empty(), "{:?}", signs.gaps);
        let [undone] = signs.undone.as_slice() else {
            panic!("{signs:?}")
        };
        undone.clone()
    }

    fn stands(&self) -> Vec<Changed> {
        let signs = self.look();
        assert!(signs.undone.is_empty() && signs.gaps.is_empty(), "{signs:?}");
        signs.changed
    }
}

fn by(undone: &Undone) -> &str {
    &undone.by.as_ref().unwrap().commit
}

#[test]
fn nothing_happened() {
    assert_eq!(Repo::new().stands(), []);
}

#[test]
fn a_revert_as_git_writes_it_is_found() {
    let repo = Repo::new();
    repo.commit("Something else", &[("README", "hello\n")]);
    repo.git(&["revert", "--no-edit", &repo.merge]);
    let undone = repo.undone();
    assert_eq!((undone.how, undone.undone, undone.of), (How::Message, 2, 2));
    assert_eq!((by(&undone), undone.stands), (repo.head().as_str(), false));
    assert_eq!(undone.by.unwrap().author, "Ana Lopez");
}

#[test]
fn a_revert_with_an_edited_message_is_found_by_its_content() {
    let repo = Repo::new();
    repo.git(&["revert", "--no-commit", &repo.merge]);
    repo.git(&["commit", "--quiet", "--message=Get the shop going again"]);
    let undone = repo.undone();
    assert_eq!((undone.how, undone.undone, undone.of), (How::Content, 2, 2));
}

#[test]
fn a_revert_that_others_edits_surround_is_found() {
    let repo = Repo::new();
    repo.commit(
        "Longer",
        &[(
            "settings.yaml",
            "name: shop\ndebug: false\ntimeout: 60\nretries: 3\nregion: north\n",
        )],
    );
    let revert = repo.commit(
        "Some work",
        &[
            (
                "settings.yaml",
                "name: shop\ndebug: true\ntimeout: 90\nretries: 3\nregion: south\n",
            ),
            ("README", "hello\n"),
        ],
    );
    repo.commit("More work", &[("README", "hello, you\n")]);
    let undone = repo.undone();
    assert_eq!((undone.how, undone.undone, undone.of), (How::Content, 1, 2));
    assert_eq!(by(&undone), revert);
}

#[test]
fn a_partial_revert_counts_and_says_how_much() {
    let repo = Repo::new();
    repo.git(&["revert", "--no-commit", &repo.merge]);
    repo.git(&["checkout", "--quiet", &repo.merge, "--", "settings.yaml"]);
    repo.git(&["commit", "--quiet", "--message=Back to the old requests"]);
    let undone = repo.undone();
    assert_eq!((undone.how, undone.undone, undone.of), (How::Content, 1, 2));
}

#[test]
fn the_rest_of_a_revert_may_follow_in_another_commit() {
    let repo = Repo::new();
    let first = repo.commit("One", &[("settings.yaml", SETTINGS)]);
    repo.commit("Two", &[("requirements.txt", "flask==2.0\nrequests==2.31\n")]);
    let undone = repo.undone();
    assert_eq!((by(&undone), undone.undone, undone.of), (first.as_str(), 2, 2));
}

#[test]
fn a_line_that_goes_back_in_two_steps_is_back() {
    let repo = Repo::new();
    repo.commit("Newer", &[("requirements.txt", "flask==2.0\nrequests==3.0\n")]);
    let second = repo.commit("Older", &[("requirements.txt", "flask==2.0\nrequests==2.31\n")]);
    let undone = repo.undone();
    assert_eq!((undone.how, undone.undone, undone.of), (How::Bit, 1, 2));
    assert_eq!(by(&undone), second);
}

#[test]
fn a_revert_of_a_revert_stays_an_outcome_and_says_that_it_stands_again() {
    let repo = Repo::new();
    repo.git(&["revert", "--no-edit", &repo.merge]);
    let revert = repo.head();
    repo.git(&["revert", "--no-edit", &revert]);
    let undone = repo.undone();
    assert_eq!((by(&undone), undone.stands), (revert.as_str(), true));
}

#[test]
fn taking_the_revert_back_is_no_second_revert() {
    let repo = Repo::new();
    repo.git(&["revert", "--no-edit", &repo.merge]);
    let revert = repo.head();
    repo.git(&["revert", "--no-commit", &revert]);
    let message = format!(
        "Reapply\n\nThis reverts commit {revert}, which reverted {}.",
        repo.merge
    );
    repo.git(&["commit", "--quiet", "--message", &message]);
    let undone = repo.undone();
    assert_eq!(by(&undone), revert);
    // And of the merge alone, as a commit on top of the revert shows it.
    let again = repo.head();
    let signs = repo.look_at(&[(&revert, &again)]);
    assert!(signs.undone.is_empty(), "{signs:?}");
}

#[test]
fn an_unrelated_commit_on_the_same_file_is_no_revert() {
    let repo = Repo::new();
    repo.commit(
        "Move south",
        &[(
            "settings.yaml",
            "name: shop\ndebug: false\ntimeout: 30\nretries: 5\nregion: south\nlog: info\n",
        )],
    );
    assert_eq!(repo.stands(), []);
}

#[test]
fn another_value_on_our_line_soon_after_is_told_and_not_counted() {
    let repo = Repo::new();
    let fix = repo.commit("Hot-fix", &[("requirements.txt", "flask==2.0\nrequests==2.32.1\n")]);
    let changed = repo.stands();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!((changed[0].by.commit.as_str(), changed[0].touched), (fix.as_str(), 1));
    let late = Repo::new();
    late.commit_at(
        "2026-03-27T09:00:00Z",
        "Next version",
        &[("requirements.txt", "flask==2.0\nrequests==2.33\n")],
    );
    assert_eq!(late.stands(), []);
}

#[test]
fn a_later_fix_of_our_own_on_the_same_line_is_neither() {
    let repo = Repo::new();
    let next = repo.commit("Ours", &[("requirements.txt", "flask==2.0\nrequests==2.33\n")]);
    let signs = repo.look_at(&[(&repo.base, &repo.merge), (&repo.merge, &next)]);
    assert!(signs.undone.is_empty() && signs.changed.is_empty(), "{signs:?}");
}

#[test]
fn of_two_merges_only_the_one_that_was_reverted_is_found() {
    let repo = Repo::new();
    let next = repo.commit("Ours too", &[("settings.yaml", &FIXED.replace("30", "20"))]);
    repo.git(&["revert", "--no-edit", &next]);
    let signs = repo.look_at(&[(&repo.base, &repo.merge), (&repo.merge, &next)]);
    let found: Vec<&str> = signs.undone.iter().map(|undone| undone.merge.as_str()).collect();
    assert_eq!(found, [next.as_str()]);
}

#[test]
fn what_stood_before_the_merge_is_no_revert_of_it() {
    // A person goes back a version, then ours brings the newer one.
    let repo = Repo::with(
        &[("requirements.txt", "requests==2.32\n")],
        &[("requirements.txt", "requests==2.31\n")],
    );
    let down = repo.merge.clone();
    let ours = repo.commit("Ours", &[("requirements.txt", "requests==2.32\n")]);
    // The first merge is watched only so that the walk begins before the person's commit.
    let signs = repo.look_at(&[(&down, &ours)]);
    assert!(signs.undone.is_empty(), "{signs:?}");
    let signs = repo.look_at(&[(&repo.base, &down), (&down, &ours)]);
    let found: Vec<&str> = signs.undone.iter().map(|undone| undone.merge.as_str()).collect();
    assert_eq!(found, [down.as_str()], "ours undid the one before it");
}

#[test]
fn a_message_that_names_our_commit_but_takes_nothing_back_is_no_revert() {
    let repo = Repo::new();
    let message = format!("Notes\n\nWe might revert {} some day", repo.merge);
    repo.commit(&message, &[("settings.yaml", &FIXED.replace("north", "south"))]);
    assert_eq!(repo.stands(), []);
}

#[test]
fn an_abbreviated_name_in_a_message_is_enough_where_a_line_goes() {
    let repo = Repo::with(
        &[("settings.yaml", SETTINGS)],
        &[(
            "settings.yaml",
            "name: shop\ndebug: false\ntimeout: 30\nretries: 3\nregion: north\nsafe: yes\n",
        )],
    );
    let message = format!("revert {} by hand", &repo.merge[..10]);
    // Neither line is as it was.
    repo.commit(
        &message,
        &[(
            "settings.yaml",
            "name: shop\ndebug: maybe\ntimeout: 30\nretries: 3\nregion: north\n",
        )],
    );
    assert_eq!(repo.undone().how, How::Message);
}

#[test]
fn a_revert_on_a_branch_that_is_merged_is_found_once() {
    let repo = Repo::new();
    repo.git(&["checkout", "--quiet", "-b", "undo"]);
    repo.git(&["revert", "--no-edit", &repo.merge]);
    let revert = repo.head();
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit("Meanwhile", &[("README", "hello\n")]);
    repo.git(&["merge", "--quiet", "--no-ff", "--no-edit", "undo"]);
    assert_eq!(by(&repo.undone()), revert);
}

#[test]
fn a_merge_that_drops_ours_on_the_way_is_found() {
    let repo = Repo::new();
    repo.git(&["checkout", "--quiet", "-b", "old", &repo.base]);
    repo.commit("Old work", &[("README", "hello\n")]);
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit("Meanwhile", &[("NOTES", "hello\n")]);
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "old"]);
    // "Theirs", for the whole of it.
    repo.git(&["checkout", "--quiet", "old", "--", "settings.yaml", "requirements.txt"]);
    repo.git(&["commit", "--quiet", "--message=Merge branch old"]);
    let undone = repo.undone();
    assert_eq!((by(&undone), undone.undone), (repo.head().as_str(), 2));
}

#[test]
fn an_amended_history_that_keeps_the_change_is_no_revert() {
    let repo = Repo::new();
    repo.git(&[
        "commit",
        "--quiet",
        "--amend",
        "--message=Turn debugging off, said better",
    ]);
    assert_ne!(repo.head(), repo.merge);
    repo.commit("More", &[("README", "hello\n")]);
    assert_eq!(repo.stands(), []);
}

#[test]
fn a_forced_push_that_drops_the_change_is_found() {
    let repo = Repo::new();
    repo.git(&["reset", "--quiet", "--hard", &repo.base]);
    repo.commit("Other work", &[("README", "hello\n")]);
    let undone = repo.undone();
    assert_eq!(
        (undone.how, undone.undone, undone.of, undone.by),
        (How::Rewritten, 2, 2, None)
    );
}

#[test]
fn a_forced_push_to_a_history_with_nothing_in_common_is_found() {
    let repo = Repo::new();
    repo.git(&["checkout", "--quiet", "--orphan", "anew"]);
    repo.commit(
        "Anew",
        &[("settings.yaml", SETTINGS), ("requirements.txt", "requests==2.31\n")],
    );
    assert_eq!(repo.undone().how, How::Rewritten);
}

#[test]
fn an_added_file_that_goes_is_undone_and_one_that_moves_is_not() {
    let new = || {
        Repo::with(
            &[("a.txt", "a\n")],
            &[("SECURITY.md", "Write to us.\nWe answer.\nIn a week.\n")],
        )
    };
    let gone = new();
    gone.git(&["rm", "--quiet", "SECURITY.md"]);
    gone.commit("Tidy", &[]);
    assert_eq!(gone.undone().how, How::Content);
    let moved = new();
    std::fs::create_dir(moved.path().join("docs")).unwrap();
    moved.git(&["mv", "SECURITY.md", "docs/SECURITY.md"]);
    moved.commit("Move", &[]);
    assert_eq!(moved.stands(), []);
}

#[test]
fn a_file_that_goes_as_a_whole_takes_more_than_our_line_with_it() {
    let repo = Repo::with(
        &[("settings.yaml", SETTINGS)],
        &[("settings.yaml", &format!("{SETTINGS}safe: yes\n"))],
    );
    repo.git(&["rm", "--quiet", "settings.yaml"]);
    repo.commit("We use the environment now", &[]);
    let changed = repo.stands();
    assert_eq!(changed.len(), 1, "{changed:?}");
}

#[test]
fn added_lines_that_go_are_undone_and_ones_that_become_others_are_not() {
    let new = || {
        Repo::with(
            &[("settings.yaml", SETTINGS)],
            &[("settings.yaml", &format!("{SETTINGS}safe: yes\n"))],
        )
    };
    let gone = new();
    gone.commit("Out", &[("settings.yaml", SETTINGS)]);
    assert_eq!(gone.undone().how, How::Content);
    let other = new();
    other.commit("Other", &[("settings.yaml", &format!("{SETTINGS}safety: strict\n"))]);
    assert_eq!(other.stands().len(), 1);
}

#[test]
fn removed_lines_that_come_back_are_undone() {
    let repo = Repo::with(
        &[("settings.yaml", SETTINGS)],
        &[("settings.yaml", "name: shop\ntimeout: 30\nretries: 3\nregion: north\n")],
    );
    repo.commit(
        "Back",
        &[(
            "settings.yaml",
            "debug: true\nname: shop\ntimeout: 30\nretries: 3\nregion: north\n",
        )],
    );
    assert_eq!(repo.undone().how, How::Content);
}

#[test]
fn of_equal_lines_one_that_goes_back_is_one() {
    let three = |a: &str, b: &str, c: &str| format!("one:\n  v: {a}\ntwo:\n  v: {b}\nthree:\n  v: {c}\n");
    let repo = Repo::with(
        &[("v.yaml", &three("1", "1", "1"))],
        &[("v.yaml", &three("2", "2", "2"))],
    );
    repo.commit("One", &[("v.yaml", &three("2", "1", "2"))]);
    let undone = repo.undone();
    assert_eq!((undone.undone, undone.of), (1, 3));
}

#[test]
fn a_binary_that_is_as_before_is_undone() {
    let repo = Repo::with(&[("logo", "a\0b")], &[("logo", "a\0c")]);
    repo.commit("Other", &[("logo", "a\0d")]);
    assert_eq!(repo.stands(), []);
    repo.commit("Back", &[("logo", "a\0b")]);
    assert_eq!(repo.undone().how, How::Bit);
}

#[test]
fn lone_brackets_and_blank_lines_say_nothing() {
    let repo = Repo::with(&[("a.js", "f(\n)\n")], &[("a.js", "f(\n  {\n  }\n)\n")]);
    repo.commit("Away", &[("a.js", "g(\n)\n")]);
    assert_eq!(repo.stands(), []);
}

#[test]
fn a_merge_that_the_repo_no_longer_has_is_said() {
    let repo = Repo::new();
    let signs = repo.look_at(&[(&repo.base, "00000000000000000000000000000000000000aa")]);
    assert!(signs.undone.is_empty());
    assert!(signs.gaps[0].contains("can't be looked at"), "{:?}", signs.gaps);
}
