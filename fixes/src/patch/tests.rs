use super::*;

const GOOD: &str = "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n";

fn refusal(patch: &str) -> (String, Option<usize>) {
    match read_patch("fix.patch", patch.as_bytes()).unwrap_err() {
        FixError::Source(error) => {
            assert!(error.help.is_some(), "no help: {error}");
            assert_eq!(error.file(), "fix.patch");
            (error.message.clone(), error.position.map(|(line, _)| line))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_git_patch_a_plain_patch_and_a_mail_are_read() {
    let plain = "--- x\t2026-03-17\n+++ x\t2026-03-17\n@@ -1 +1 @@\n-a\n+b\n";
    let mail = format!("From abc\nSubject: [PATCH] y\n\n---\n x | 2 +-\n\n{GOOD}-- \n2.39.2\n\n");
    let modes = |patch: &Patch| (patch.files[0].old_mode, patch.files[0].new_mode);
    let git = read_patch("p", GOOD.as_bytes()).unwrap();
    assert_eq!(modes(&git), (Some(MODE_FILE), Some(MODE_FILE)));
    assert_eq!(read_patch("p", mail.as_bytes()).unwrap(), git);
    let plain = read_patch("p", plain.as_bytes()).unwrap();
    assert_eq!(
        (plain.files[0].path.as_str(), plain.files[0].kind),
        ("x", ChangeKind::Modified)
    );
    assert_eq!(plain.files[0].hunks, git.files[0].hunks);
}

#[test]
fn what_we_write_reads_back_as_the_same_patch() {
    let patch = read_patch("p", GOOD.as_bytes()).unwrap();
    let again = read_patch("p", patch.canonical().as_bytes()).unwrap();
    assert_eq!(again.files[0].hunks, patch.files[0].hunks);
}

#[test]
fn a_removed_line_that_looks_like_a_header_stays_a_line() {
    let text = "--- a/x\n+++ b/x\n@@ -1,2 +1,1 @@\n--- a/y\n-+++ b/y\n+z\n";
    let patch = read_patch("p", text.as_bytes()).unwrap();
    assert_eq!(patch.files.len(), 1);
    assert_eq!(patch.files[0].hunks[0].lines[0].text, "-- a/y");
}

#[test]
fn unsafe_paths_are_refused_with_their_line() {
    for path in [
        "/etc/passwd",
        "../x",
        "a/../../x",
        ".git/config",
        "a/.GIT/x",
        ".git./x",
        "git~1/x",
        ".gitmodules",
    ] {
        let (message, line) = refusal(&format!("--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n"));
        assert!(message.starts_with('`'), "{path}: {message}");
        assert_eq!(line, Some(1));
    }
    let (message, _) = refusal("--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n");
    assert!(message.contains("absolute"), "{message}");
    let (message, _) = refusal("--- \"a/x\\ny\"\n+++ \"b/x\\ny\"\n@@ -1 +1 @@\n-a\n+b\n");
    assert!(message.contains("control"), "{message}");
}

#[test]
fn links_submodules_and_odd_modes_are_refused() {
    for (mode, word) in [
        ("120000", "symbolic link"),
        ("160000", "submodule"),
        ("104755", "file mode"),
        ("040000", "file mode"),
    ] {
        for header in [
            format!("new file mode {mode}"),
            format!("old mode 100644\nnew mode {mode}"),
            format!("index 1..2 {mode}"),
        ] {
            let (message, line) = refusal(&format!("diff --git a/x b/x\n{header}\n"));
            assert!(message.contains(word), "{header}: {message}");
            assert!(line.is_some_and(|line| line >= 2));
        }
    }
}

#[test]
fn broken_patches_are_refused_with_their_line() {
    let cases: [(&str, &str, Option<usize>); 14] = [
        ("", "changes no file", None),
        ("hello\n", "changes no file", None),
        (
            "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n",
            "the hunk ends after",
            Some(3),
        ),
        (
            "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n+c\n",
            "expected a file header",
            Some(6),
        ),
        ("--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n-a\n", "more lines", Some(5)),
        ("--- a/x\n+++ b/x\n@@ nonsense @@\n", "broken hunk header", Some(3)),
        (
            "--- a/x\n+++ b/x\n@@ -99999999999,1 +1,1 @@\n",
            "broken hunk header",
            Some(3),
        ),
        ("--- a/x\n+++ b/x\n", "changes nothing", Some(1)),
        ("@@ -1 +1 @@\n-a\n+b\n", "without a file", Some(1)),
        ("--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "a rename", Some(1)),
        (
            "diff --git a/x b/y\nrename from x\nrename to y\n",
            "rename or copy",
            Some(2),
        ),
        (
            "diff --git a/x b/x\nBinary files a/x and b/x differ\n",
            "binary",
            Some(2),
        ),
        (
            "diff --git a/y b/y\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
            "contradict",
            Some(1),
        ),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n*a\n", "not a line of a hunk", Some(4)),
    ];
    for (patch, expected, at) in cases {
        let (message, line) = refusal(patch);
        assert!(message.contains(expected), "{patch:?}: {message}");
        assert_eq!(line, at, "{patch:?}");
    }
}

#[test]
fn a_file_may_not_occur_twice() {
    let (message, line) = refusal(&format!("{GOOD}{GOOD}"));
    assert!(message.contains("twice"));
    assert_eq!(line, Some(8));
}

#[test]
fn other_encodings_and_binary_data_are_refused() {
    for (bytes, word) in [(&b"--- a/x\n\xff\xfe"[..], "not UTF-8"), (b"--- a/x\n\0", "NUL")] {
        let error = read_patch("p", bytes).unwrap_err();
        assert!(
            error.to_string().contains(word) && error.to_string().contains("line 2"),
            "{error}"
        );
    }
}

#[test]
fn huge_patches_are_refused_before_they_are_read() {
    let (message, _) = refusal(&" ".repeat(MAX_PATCH_BYTES + 1));
    assert!(message.contains("at most"));
    let (message, _) = refusal(&"\n".repeat(MAX_LINES + 1));
    assert!(message.contains("lines"));
    let many: String = (0..=MAX_FILES).map(|i| GOOD.replace("/x", &format!("/x{i}"))).collect();
    assert!(refusal(&many).0.contains("more than 500 files"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s)(diff --git |--- a/|\\+\\+\\+ b/|@@ -1,2 \\+1 @@|\\\\|[-+ ]x|\"|\n|.){0,40}") {
        if let Ok(patch) = read_patch("p", text.as_bytes()) {
            proptest::prop_assert!(read_patch("p", patch.canonical().as_bytes()).is_ok());
        }
    }
}
