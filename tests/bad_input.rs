//! Bad input: an error with its place, what was expected and what to do; exit 3; nothing written;
//! the rest of the run unharmed.

use std::process::Output;

use crate::support::{Estate, holdpoint, run, stderr, stdout};

const REPORT: &str = "reports/gateway/main.semgrep.json";

/// Decides everything without the sandbox: enough to see what a bad input harms.
fn decide(estate: &Estate) -> Output {
    estate.run(&["--format", "json", "decide"])
}

fn assert_told(output: &Output, file: &str) {
    assert_eq!(output.status.code(), Some(3), "{}", stdout(output));
    let told = stderr(output);
    assert!(told.contains(file), "{told}");
    assert!(told.contains("help"), "{told}");
}

fn repos(output: &Output) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let decided: Vec<&str> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["finding"]["repo"].as_str().unwrap())
        .collect();
    ["gateway", "payments", "infra", "admin"]
        .iter()
        .filter(|repo| decided.contains(repo))
        .map(|repo| (*repo).to_owned())
        .collect()
}

#[test]
fn a_bad_report_harms_only_itself() {
    let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let bad: [(&str, Vec<u8>); 5] = [
        ("malformed", b"{\"results\": [}".to_vec()),
        (
            "truncated",
            b"{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\": {\"name\": \"x\"".to_vec(),
        ),
        ("wrongly encoded", vec![0xff, 0xfe, b'{', 0x80, b'}']),
        ("deeply nested", nested.into_bytes()),
        ("empty", Vec::new()),
    ];
    let estate = Estate::prepared();
    for (what, bytes) in bad {
        std::fs::write(estate.file(REPORT), bytes).unwrap();
        let output = decide(&estate);
        assert_told(&output, REPORT);
        let left = repos(&output);
        assert_eq!(
            left,
            ["payments", "infra", "admin"],
            "{what}: the others are decided, this one isn't"
        );
    }
}

#[test]
fn a_huge_report_is_refused_before_it_is_read() {
    let estate = Estate::prepared();
    let file = std::fs::File::create(estate.file(REPORT)).unwrap();
    file.set_len(200 << 20).unwrap();
    let output = decide(&estate);
    assert_told(&output, REPORT);
    assert_eq!(repos(&output), ["payments", "infra", "admin"]);
}

#[test]
fn an_unreadable_controls_file_makes_its_facts_unknown_for_the_whole_estate() {
    let estate = Estate::prepared();
    estate.edit("controls.yaml", |text| format!("{text}\n  - nonsense: [\n"));
    let told = estate.run(&["decide"]);
    assert!(
        stderr(&told).contains("controls.yaml:34:"),
        "with its line: {}",
        stderr(&told)
    );
    let output = decide(&estate);
    assert_eq!(output.status.code(), Some(3));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for item in document["items"].as_array().unwrap() {
        assert_eq!(item["decision"]["level"], "alert", "{}", item["finding"]["title"]);
    }
}

#[test]
fn a_bad_estate_file_stops_the_run_with_its_place() {
    let cases = [
        ("holdpoint.yaml", "name: [unclosed\n"),
        ("holdpoint.yaml", "name: x\nrepso: []\n"),
        ("rollout.yaml", "default_stage: everything\n"),
        (
            "holdpoint.yaml",
            "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
        ),
    ];
    for (file, text) in cases {
        let estate = Estate::prepared();
        std::fs::write(estate.file(file), text).unwrap();
        let output = estate.run(&["run"]);
        assert_eq!(output.status.code(), Some(3), "{file}: {}", stderr(&output));
        assert!(stderr(&output).contains(file), "{}", stderr(&output));
        assert!(!estate.file("state/ledger.sqlite").exists(), "nothing is written");
    }
}

#[test]
fn a_bad_policy_stops_the_run_with_its_place() {
    let cases = [
        ("forbid (principal, action, resource) unless {", "malformed"),
        (
            "@id(\"x\")\n@reason(\"y\")\nforbid (principal, action, resource) unless { context has service.teir && context.service.teir == 1 };",
            "an unknown fact",
        ),
        (
            "@id(\"x\")\n@reason(\"y\")\nforbid (principal, action, resource) unless { context has service.tier && context.service.tier == \"one\" };",
            "a wrong type",
        ),
        ("@id(\"x\")\nforbid (principal, action, resource);", "no reason"),
        (
            "@id(\"code-freeze\")\n@reason(\"again\")\nforbid (principal, action, resource);",
            "an id twice",
        ),
    ];
    for (text, what) in cases {
        let estate = Estate::prepared();
        estate.take_out_policy("recent-push");
        std::fs::write(estate.file("pack/mine.cedar"), text).unwrap();
        let output = estate.run(&["run"]);
        assert_eq!(output.status.code(), Some(3), "{what}: {}", stderr(&output));
        assert!(stderr(&output).contains("mine.cedar:"), "{what}: {}", stderr(&output));
        assert!(
            !estate.file("state/ledger.sqlite").exists(),
            "{what}: nothing is written"
        );
    }
}

fn validate(estate: &Estate, patch: &str) -> Output {
    let file = estate.root().join("candidate.patch");
    std::fs::write(&file, patch).unwrap();
    estate.run(&["validate", "--repo", "admin", "--patch", file.to_str().unwrap()])
}

fn new_file(path: &str, mode: &str, content: &str) -> String {
    format!(
        "diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{content}\n"
    )
}

#[test]
fn a_patch_that_escapes_or_does_not_apply_is_refused() {
    let estate = Estate::prepared();
    let cases = [
        ("leaves the repo", new_file("../outside", "100644", "x")),
        (
            "is absolute",
            "--- /dev/null\n+++ /etc/cron.d/x\n@@ -0,0 +1 @@\n+x\n".to_owned(),
        ),
        ("touches .git", new_file(".git/hooks/post-checkout", "100755", "x")),
        ("touches .GIT", new_file("sub/.GIT/config", "100644", "x")),
        ("adds a symlink", new_file("link", "120000", "/etc")),
        (
            "adds a submodule",
            new_file(
                "sub",
                "160000",
                "Subproject commit 0123456789012345678901234567890123456789",
            ),
        ),
        (
            "does not apply",
            "--- a/requirements-dev.txt\n+++ b/requirements-dev.txt\n@@ -1 +1 @@\n-not what is there\n+x\n".to_owned(),
        ),
        (
            "is truncated",
            "--- a/requirements-dev.txt\n+++ b/requirements-dev.txt\n@@ -1,9 +1,9 @@\n-a\n".to_owned(),
        ),
        ("is no patch", "hello\n".to_owned()),
        ("is empty", String::new()),
    ];
    for (what, patch) in cases {
        let output = validate(&estate, &patch);
        assert_eq!(
            output.status.code(),
            Some(3),
            "a patch that {what}: {}{}",
            stdout(&output),
            stderr(&output)
        );
        assert!(!stderr(&output).is_empty(), "{what}");
    }
}

#[test]
fn a_refused_candidate_harms_only_its_finding() {
    let estate = Estate::prepared();
    let patch = walk(&estate.file("fixes"))
        .into_iter()
        .find(|path| path.to_string_lossy().contains("dev-tool-upgrade") && path.ends_with("change.patch"))
        .unwrap();
    std::fs::write(patch, new_file("../outside", "100644", "x")).unwrap();
    let output = decide(&estate);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("dev-tool-upgrade/change.patch"),
        "{}",
        stderr(&output)
    );
    assert!(repos(&output).len() >= 4, "the others are decided");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path))
        } else {
            found.push(path)
        }
    }
    found
}

#[test]
fn an_import_of_a_bad_report_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.sarif");
    std::fs::write(&file, "{\n  \"version\": \"2.1.0\",\n  \"runs\": [oops]\n}\n").unwrap();
    let output = run(&["findings", "import", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("bad.sarif:3:"), "{}", stderr(&output));
    let machine = holdpoint()
        .args(["--format", "json", "findings", "import"])
        .arg(&file)
        .output()
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&machine.stderr).unwrap();
    assert_eq!(document["error"]["line"], 3);
}

#[test]
fn a_folder_without_an_estate_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["--estate", folder.path().to_str().unwrap(), "run"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("holdpoint.yaml"), "{}", stderr(&output));
}

#[test]
fn a_device_or_a_pipe_is_not_read() {
    let estate = Estate::prepared();
    let report = estate.file(REPORT);
    let pipe = estate.root().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for target in [std::path::Path::new("/dev/zero"), &pipe] {
        std::fs::remove_file(&report).unwrap();
        std::os::unix::fs::symlink(target, &report).unwrap();
        let output = decide(&estate);
        assert_told(&output, REPORT);
        assert_eq!(repos(&output), ["payments", "infra", "admin"]);
    }
}

#[test]
fn a_remediator_is_not_called_like_none_or_like_a_policy() {
    for name in ["none", "x\"} permit\n(y)", "\u{1b}[31m"] {
        let estate = Estate::prepared();
        std::fs::rename(estate.file("fixes/upgrade-bot"), estate.file("fixes").join(name)).unwrap();
        let output = decide(&estate);
        assert_told(&output, "fixes/");
        assert!(!stderr(&output).contains('\u{1b}'), "{}", stderr(&output));
        assert!(repos(&output).len() >= 3, "the others are decided");
    }
}
