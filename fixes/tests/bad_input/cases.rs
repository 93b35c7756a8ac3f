//! One test per kind of bad input.

use git2::{Oid, Repository, Signature};
use holdpoint_fixes::FixError;
use holdpoint_fixes::apply::{Applied, apply_patch};
use holdpoint_fixes::classify::classify;
use holdpoint_fixes::patch::read_patch;
use holdpoint_fixes::tree::read_blob;
use holdpoint_schemas::fix::{Classification, FixKind};

struct Repo {
    git: Repository,
    base: String,
    _folder: tempfile::TempDir,
}

/// A repo with one commit of these files at its root.
fn repo(files: &[(&str, &str)]) -> Repo {
    let folder = tempfile::tempdir().unwrap();
    let git = Repository::init_bare(folder.path()).unwrap();
    let commit = {
        let mut index = git2::Index::new().unwrap();
        for (path, text) in files {
            let entry = git2::IndexEntry {
                ctime: git2::IndexTime::new(0, 0),
                mtime: git2::IndexTime::new(0, 0),
                dev: 0,
                ino: 0,
                mode: 0o100_644,
                uid: 0,
                gid: 0,
                file_size: 0,
                id: git.blob(text.as_bytes()).unwrap(),
                flags: 0,
                flags_extended: 0,
                path: path.as_bytes().to_vec(),
            };
            index.add(&entry).unwrap();
        }
        let tree = git.find_tree(index.write_tree_to(&git).unwrap()).unwrap();
        let author = Signature::now("a", "a@example.org").unwrap();
        let id: Oid = git.commit(None, &author, &author, "base", &tree, &[]).unwrap();
        id.to_string()
    };
    Repo {
        git,
        base: commit,
        _folder: folder,
    }
}

fn apply(repo: &Repo, patch: &str) -> Result<Applied, FixError> {
    apply_patch(&repo.git, &repo.base, &read_patch("fix.patch", patch.as_bytes())?)
}

fn what_it_does(repo: &Repo, patch: &str) -> Classification {
    let applied = apply(repo, patch).unwrap();
    let text = |tree: &str, path: &str| {
        let bytes = read_blob(&repo.git, tree, path)?;
        String::from_utf8(bytes).ok()
    };
    classify(&applied.files, &|path| text(&applied.base_tree, path), &|path| {
        text(&applied.candidate_tree, path)
    })
}

const CHANGE: &str = "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n";

/// The message and the advice, which is never missing.
fn told(error: &FixError) -> String {
    let help = error.help_line().unwrap_or_else(|| panic!("no help: {error}"));
    format!("{} | {help}", error.one_line())
}

#[test]
fn each_bad_patch_has_a_message_and_an_advice_of_its_own() {
    let repo = repo(&[
        ("a.txt", "one\n2\nthree\n"),
        ("b.txt", "other\ntwo\nthree\n"),
        ("c.txt", "0\none\ntwo\nthree\n"),
    ]);
    let git = |path: &str, header: &str| format!("diff --git a/{path} b/{path}\n{header}\n");
    let cases = [
        (
            "does not apply",
            CHANGE.to_owned(),
            "are not there | make the fix anew on this base",
        ),
        (
            "has moved",
            CHANGE.replace("a.txt", "c.txt"),
            "are at line 2 now | make the fix anew on this base",
        ),
        (
            "needs fuzz",
            CHANGE.replace("a.txt", "b.txt"),
            "only with fuzz 1 would it | make the fix anew",
        ),
        (
            "binary",
            git("x.png", "Binary files a/x.png and b/x.png differ"),
            "a binary change | a fix may only change text",
        ),
        ("git binary", git("x.png", "GIT binary patch"), "a binary change | "),
        (
            "NUL",
            "a\0b".to_owned(),
            "holds a NUL byte: the patch is binary | make a text patch",
        ),
        (
            "symlink",
            git("l", "new file mode 120000"),
            "a symbolic link (mode 120000) | ",
        ),
        (
            "submodule",
            git("s", "new file mode 160000"),
            "a submodule (mode 160000) | ",
        ),
        (
            "submodule file",
            "--- /dev/null\n+++ b/.gitmodules\n@@ -0,0 +1 @@\n+x\n".to_owned(),
            "belongs to git itself | ",
        ),
        (
            "empty",
            String::new(),
            "the patch changes no file | expected the output of `git diff`",
        ),
    ];
    let mut messages = std::collections::BTreeSet::new();
    for (name, patch, wanted) in cases {
        let message = told(&apply(&repo, &patch).unwrap_err());
        assert!(message.contains(wanted), "{name}: {message}");
        messages.insert(message);
    }
    assert_eq!(messages.len(), 9, "only the two binary ones are alike: {messages:#?}");
}

#[test]
fn a_patch_of_100_mb_is_refused_by_its_size() {
    let patch = vec![b'+'; 100 << 20];
    let error = read_patch("huge.patch", &patch).unwrap_err();
    assert_eq!(
        told(&error),
        "huge.patch: the patch has 104857600 bytes; at most 4194304 are read | split the change into several fixes"
    );
}

#[test]
fn a_fix_of_ci_files_only_is_named_as_that() {
    let repo = repo(&[(".github/workflows/ci.yml", "one\ntwo\nthree\n")]);
    let found = what_it_does(&repo, &CHANGE.replace("a.txt", ".github/workflows/ci.yml"));
    assert_eq!(found.governance_files, [".github/workflows/ci.yml"]);
    assert_eq!(found.kind, FixKind::Logic);
    assert_eq!(found.because, "nothing but governance files changes");
}

#[test]
fn a_fix_of_a_lockfile_only_is_an_upgrade_or_is_read_by_people() {
    let lock = |version: &str, digit: &str| {
        let hash = digit.repeat(64);
        format!(
            "[[package]]\nname = \"certifi\"\nversion = \"{version}\"\noptional = false\npython-versions = \">=3.6\"\n\
             files = [\n    {{file = \"certifi-{version}.tar.gz\", hash = \"sha256:{hash}\"}},\n]\n"
        )
    };
    let (before, after) = (lock("2023.5.7", "a"), lock("2024.7.4", "b"));
    let repo = repo(&[("poetry.lock", &before)]);
    let upgrade = what_it_does(&repo, &whole_file("poetry.lock", &before, &after));
    assert_eq!(upgrade.kind, FixKind::DependencyUpgrade, "{}", upgrade.because);
    assert_eq!(upgrade.upgrades.len(), 1);
    // Other bytes under the same version are no upgrade.
    let swapped = whole_file("poetry.lock", &before, &lock("2023.5.7", "b"));
    assert_eq!(what_it_does(&repo, &swapped).kind, FixKind::Logic);
}

/// A patch that replaces all lines of a file.
fn whole_file(path: &str, before: &str, after: &str) -> String {
    let lines = |sign: char, text: &str| -> String { text.lines().map(|line| format!("{sign}{line}\n")).collect() };
    let (old, new) = (before.lines().count(), after.lines().count());
    format!(
        "--- a/{path}\n+++ b/{path}\n@@ -1,{old} +1,{new} @@\n{}{}",
        lines('-', before),
        lines('+', after)
    )
}
