use std::collections::BTreeMap;

use super::*;
use crate::patch::read_patch;

/// Path, mode, content.
pub(crate) type Entry<'a> = (&'a str, i32, &'a [u8]);

/// A bare repo in a temporary folder.
pub(crate) struct Fixture {
    pub repo: Repository,
    _folder: tempfile::TempDir,
}

pub(crate) fn entry<'a>(path: &'a str, mode: i32, content: &'a str) -> Entry<'a> {
    (path, mode, content.as_bytes())
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(folder.path()).unwrap();
        Self { repo, _folder: folder }
    }

    pub(crate) fn tree(&self, entries: &[Entry<'_>]) -> String {
        self.write(entries).to_string()
    }

    fn write(&self, entries: &[Entry<'_>]) -> Oid {
        let mut builder = self.repo.treebuilder(None).unwrap();
        let mut folders: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
        for (path, mode, content) in entries {
            match path.split_once('/') {
                Some((folder, rest)) => folders.entry(folder).or_default().push((rest, *mode, content)),
                None => {
                    let id = if *mode == 0o160_000 {
                        Oid::from_str("1111111111111111111111111111111111111111").unwrap()
                    } else {
                        self.repo.blob(content).unwrap()
                    };
                    builder.insert(path, id, *mode).unwrap();
                }
            }
        }
        for (folder, inner) in folders {
            builder.insert(folder, self.write(&inner), 0o040_000).unwrap();
        }
        builder.write().unwrap()
    }

    pub(crate) fn commit(&self, entries: &[Entry<'_>]) -> String {
        let tree = self.repo.find_tree(self.write(entries)).unwrap();
        let at = git2::Time::new(0, 0);
        let who = git2::Signature::new("t", "t@example.org", &at).unwrap();
        self.repo.commit(None, &who, &who, "x", &tree, &[]).unwrap().to_string()
    }
}

const OLD: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
const CHANGE: &str = "\
--- a/src/n.txt
+++ b/src/n.txt
@@ -1,4 +1,4 @@
 one
-two
+TWO
 three
 four
";

fn apply(fixture: &Fixture, base: &str, patch: &str) -> Result<Applied, FixError> {
    apply_patch(&fixture.repo, base, &read_patch("fix.patch", patch.as_bytes())?)
}

#[test]
fn a_patch_is_applied_without_a_checkout() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("src/n.txt", 0o100_644, OLD), entry("other", 0o100_644, "x")]);
    let applied = apply(&fixture, &base, CHANGE).unwrap();
    assert_eq!(
        crate::tree::read_blob(&fixture.repo, &applied.candidate_tree, "src/n.txt").unwrap(),
        OLD.replace("two", "TWO").as_bytes()
    );
    assert_eq!(applied.files.len(), 1);
    assert_eq!(applied.files[0].removed, [(2, "two".to_owned())]);
    assert_eq!(applied.files[0].added, [(2, "TWO".to_owned())]);
    assert!(applied.diff_text.starts_with(
        "diff --git a/src/n.txt b/src/n.txt\n--- a/src/n.txt\n+++ b/src/n.txt\n@@ -1,5 +1,5 @@\n one\n-two\n+TWO\n"
    ));
    assert_eq!(applied.diff, Digest::of_bytes(applied.diff_text.as_bytes()));
}

#[test]
fn our_own_diff_applies_again_to_the_same_tree() {
    let fixture = Fixture::new();
    let before = [
        entry("a b.txt", 0o100_644, "x\ny"),
        entry("gone", 0o100_644, "g\n"),
        entry("m", 0o100_644, "m\n"),
    ];
    let after = [
        entry("a b.txt", 0o100_644, "x\nz\n"),
        entry("m", 0o100_755, "m\n"),
        entry("new", 0o100_755, "n\n"),
        entry("empty", 0o100_644, ""),
    ];
    let (base, fix) = (fixture.commit(&before), fixture.commit(&after));
    let wanted = from_commit(&fixture.repo, &base, &fix).unwrap();
    let again = apply(&fixture, &base, &wanted.diff_text).unwrap();
    assert_eq!(again, wanted);
    let mode = wanted.files.iter().find(|file| file.path == "m").unwrap();
    assert_eq!(mode.added, [(0, "mode 100755".to_owned())]);
}

#[test]
fn a_patch_that_would_need_fuzz_is_refused_and_says_where() {
    let fixture = Fixture::new();
    for (old, new, wanted) in [("four", "4", 1), ("three", "3", 2), ("one", "1", 1)] {
        let base = fixture.commit(&[entry("src/n.txt", 0o100_644, &OLD.replace(old, new))]);
        let error = apply(&fixture, &base, CHANGE).unwrap_err();
        let FixError::NeedsFuzz { path, line, fuzz, .. } = &error else {
            panic!("{old}: {error}");
        };
        assert_eq!((path.as_str(), *line, *fuzz), ("src/n.txt", 1, wanted), "{old}");
        assert!(error.help_line().unwrap().contains("anew"));
    }
}

#[test]
fn lines_that_are_not_there_are_told_with_file_and_line() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("src/n.txt", 0o100_644, &OLD.replace("two", "2"))]);
    let error = apply(&fixture, &base, CHANGE).unwrap_err();
    assert!(matches!(error, FixError::DoesNotApply { .. }), "{error}");
    assert!(
        error
            .to_string()
            .ends_with(": the lines that it changes at line 1 of `src/n.txt` are not there"),
        "{error}"
    );
}

#[test]
fn other_line_endings_are_told_as_what_they_are() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("src/n.txt", 0o100_644, &OLD.replace('\n', "\r\n"))]);
    let error = apply(&fixture, &base, CHANGE).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("at line 1 of `src/n.txt` have other line endings there"),
        "{error}"
    );
}

#[test]
fn a_hunk_that_has_moved_is_refused_and_says_where_to() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("src/n.txt", 0o100_644, &format!("zero\nzero\n{OLD}"))]);
    let error = apply(&fixture, &base, CHANGE).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(": the lines that it changes at line 1 of `src/n.txt` are at line 3 now"),
        "{error}"
    );
}

#[test]
fn a_path_through_a_link_or_a_submodule_is_refused() {
    let fixture = Fixture::new();
    let through = CHANGE.replace("src/n.txt", "src/l/n.txt");
    let new_below =
        "diff --git a/src/l/x b/src/l/x\nnew file mode 100644\n--- /dev/null\n+++ b/src/l/x\n@@ -0,0 +1,1 @@\n+x\n";
    let itself = CHANGE.replace("src/n.txt", "src/l");
    for mode in [0o120_000, 0o160_000] {
        let base = fixture.commit(&[entry("src/l", mode, "../../etc")]);
        for patch in [through.as_str(), new_below, &itself] {
            let error = apply(&fixture, &base, patch).unwrap_err();
            assert!(matches!(error, FixError::Refused { .. }), "{error}");
        }
    }
}

#[test]
fn a_patch_that_contradicts_the_base_does_not_apply() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("src/n.txt", 0o100_644, OLD)]);
    let new = |path: &str| format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,1 @@\n+x\n");
    for patch in [
        CHANGE.replace("src/n.txt", "absent.txt"),
        CHANGE.replace("src/n.txt", "src"),
        CHANGE.replace("src/n.txt", "src/n.txt/below"),
        new("src/n.txt"),
        new("src/n.txt/below"),
        new("src"),
    ] {
        let error = apply(&fixture, &base, &patch).unwrap_err();
        assert!(matches!(error, FixError::DoesNotApply { .. }), "{error}");
    }
}

#[test]
fn a_commit_is_held_to_the_same_refusals_as_a_patch() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("a", 0o100_644, "a")]);
    let binary = "\u{0}x";
    for (path, mode, content) in [
        ("l", 0o120_000, "a"),
        ("a", 0o120_000, "x"),
        ("s", 0o160_000, ""),
        (".gitmodules", 0o100_644, "x"),
        ("b", 0o100_644, binary),
        ("c\\d", 0o100_644, "x"),
    ] {
        let fix = fixture.commit(&[entry(path, mode, content)]);
        let error = from_commit(&fixture.repo, &base, &fix).unwrap_err();
        assert!(matches!(error, FixError::Refused { .. }), "{path}: {error}");
    }
}

#[test]
fn a_fix_that_changes_nothing_and_an_unknown_commit_are_errors() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("a", 0o100_644, "a")]);
    assert!(from_commit(&fixture.repo, &base, &base).is_err());
    for id in ["", "main", &base[..10], "0000000000000000000000000000000000000000"] {
        let error = from_commit(&fixture.repo, id, &base).unwrap_err();
        assert!(error.to_string().starts_with("no commit"), "{error}");
    }
}

#[test]
fn attributes_and_config_of_the_repo_do_not_hide_a_diff() {
    let fixture = Fixture::new();
    let hiding = entry(".gitattributes", 0o100_644, "* -diff\n*.txt binary\n");
    let base = fixture.commit(&[hiding, entry("a.txt", 0o100_644, "a\n")]);
    let fix = fixture.commit(&[hiding, entry("a.txt", 0o100_644, "b\n")]);
    let plain = from_commit(&fixture.repo, &base, &fix).unwrap();
    assert!(plain.diff_text.contains("-a\n+b\n"));
    let mut config = fixture.repo.config().unwrap();
    config.set_bool("diff.noprefix", true).unwrap();
    config.set_i32("diff.context", 0).unwrap();
    assert_eq!(from_commit(&fixture.repo, &base, &fix).unwrap(), plain);
}

#[test]
fn changes_of_different_places_lie_on_top_of_each_other() {
    let fixture = Fixture::new();
    let base = fixture.tree(&[entry("a", 0o100_644, OLD), entry("b", 0o100_644, "b\n")]);
    let first = fixture.tree(&[
        entry("a", 0o100_644, &OLD.replace("two", "2")),
        entry("b", 0o100_644, "b\n"),
    ]);
    let second = fixture.tree(&[
        entry("a", 0o100_644, &OLD.replace("six", "6")),
        entry("b", 0o100_644, "c\n"),
    ]);
    let both = fixture.tree(&[
        entry("a", 0o100_644, &OLD.replace("two", "2").replace("six", "6")),
        entry("b", 0o100_644, "c\n"),
    ]);
    assert_eq!(
        merge_trees(&fixture.repo, &base, &first, &second).unwrap(),
        Some(both.clone())
    );
    assert_eq!(
        merge_trees(&fixture.repo, &base, &second, &first).unwrap(),
        Some(both.clone())
    );
    let applied = between(&fixture.repo, &base, &both).unwrap();
    assert_eq!(applied.files.len(), 2);
}

#[test]
fn changes_of_one_place_do_not() {
    let fixture = Fixture::new();
    let tree = |text: &str| fixture.tree(&[entry("a", 0o100_644, text)]);
    let (base, first, second) = (
        tree(OLD),
        tree(&OLD.replace("two", "2")),
        tree(&OLD.replace("two", "II")),
    );
    assert_eq!(merge_trees(&fixture.repo, &base, &first, &second).unwrap(), None);
    assert!(merge_trees(&fixture.repo, &base, &first, &"1".repeat(40)).is_err());
}

#[test]
fn an_executable_file_stays_one() {
    let fixture = Fixture::new();
    let base = fixture.commit(&[entry("src/n.txt", 0o100_755, OLD)]);
    let indexed = |mode: &str| format!("diff --git a/src/n.txt b/src/n.txt\nindex 1..2{mode}\n{CHANGE}");
    for patch in [CHANGE.to_owned(), indexed(""), indexed(" 100755"), indexed(" 100644")] {
        let applied = apply(&fixture, &base, &patch).unwrap();
        assert!(!applied.diff_text.contains("mode"), "{patch}: {}", applied.diff_text);
        assert!(
            applied
                .files
                .iter()
                .all(|file| file.added.iter().all(|(line, _)| *line > 0))
        );
    }
    // Only a patch that says so changes it.
    let plain = format!("diff --git a/src/n.txt b/src/n.txt\nold mode 100755\nnew mode 100644\n{CHANGE}");
    let applied = apply(&fixture, &base, &plain).unwrap();
    assert!(applied.diff_text.contains("new mode 100644"), "{}", applied.diff_text);
}
