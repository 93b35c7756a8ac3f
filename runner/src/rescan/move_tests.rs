use super::tests::finding;
use super::*;
use holdpoint_schemas::finding::Severity;
use std::collections::BTreeMap;

type Tree = BTreeMap<String, String>;

pub(super) fn tree(files: &[(&str, &str)]) -> Tree {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

/// A scanner that reports each line which holds one of these words; its fingerprints are those of the intake.
pub(super) fn scan(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree {
        for (number, line) in (1..).zip(text.lines()) {
            for (rule, word) in [
                ("eval", "eval("),
                ("md5", "md5("),
                ("shell", "subprocess.call("),
                ("acl", "acl"),
            ] {
                if line.contains(word) {
                    let mut finding = finding(rule, "x", number);
                    finding.fingerprint = Fingerprint::of([path.as_str(), rule, line.trim()]);
                    finding.location.as_mut().unwrap().path.clone_from(path);
                    found.push(finding);
                }
            }
        }
    }
    found
}

pub(super) fn added(before: &Tree, after: &Tree) -> Vec<Finding> {
    let (old, new) = (scan(before), scan(after));
    let side = |findings, files| Side { findings, files };
    compare(side(&old, before), side(&new, after), &[]).1
}

const APP: &str = "import hashlib, subprocess\n\n\ndef digest(data):\n    \"\"\"Digest.\"\"\"\n    return hashlib.md5(data).hexdigest()\n\n\ndef run(name):\n    subprocess.call(\"ls \" + name, shell=True)\n    return eval(name)\n";

#[test]
fn moved_renamed_and_reformatted_code_is_not_new() {
    let base = tree(&[("app.py", APP), ("other.py", "x = 1\n")]);
    let digest = "def digest(data):\n    \"\"\"Digest.\"\"\"\n    return hashlib.md5(data).hexdigest()\n";
    for after in [
        // The file renamed.
        tree(&[("lib/main.py", APP), ("other.py", "x = 1\n")]),
        // A function moved to another file, and within its own.
        tree(&[
            ("app.py", &APP.replace(digest, "")),
            ("other.py", &format!("import hashlib\nx = 1\n\n{digest}")),
        ]),
        tree(&[("app.py", &format!("{}\n\n{digest}", APP.replace(digest, "")))]),
        // The function around renamed.
        tree(&[("app.py", &APP.replace("def run(name)", "def execute(name)"))]),
        // Wrapped, requoted, commented, indented otherwise.
        tree(&[(
            "app.py",
            &APP.replace(
                "subprocess.call(\"ls \" + name, shell=True)",
                "subprocess.call(\n        'ls ' + name,  # list\n        shell=True,\n    )",
            ),
        )]),
        tree(&[(
            "app.py",
            &APP.replace("    ", "  ")
                .replace("return eval(name)", "return (\n    eval(name)\n  )"),
        )]),
    ] {
        assert_eq!(added(&base, &after), [], "{after:?}");
    }
}

#[test]
fn a_worse_finding_of_the_same_rule_swapped_in_is_new() {
    let base = tree(&[("app.py", APP)]);
    for (from, to) in [
        ("hashlib.md5(data)", "hashlib.md5(password)"),
        ("\"ls \" + name", "name"),
        ("return eval(name)", "return eval(request.args[\"q\"])"),
    ] {
        let found = added(&base, &tree(&[("app.py", &APP.replace(from, to))]));
        assert_eq!(found.len(), 1, "{from} to {to}: {found:?}");
    }
    // Only the part that the flagged line doesn't show differs.
    let wrapped = APP.replace("subprocess.call(\"ls \" + name,", "subprocess.call(\n        \"ls\",");
    let base = tree(&[("app.py", &wrapped)]);
    let swapped = tree(&[("app.py", &wrapped.replace("\"ls\"", "request.args[\"q\"]"))]);
    assert_eq!(added(&base, &swapped).len(), 1);
}

#[test]
fn a_second_copy_of_known_code_is_new() {
    let base = tree(&[("app.py", APP)]);
    let twice = tree(&[("app.py", APP), ("copy.py", APP)]);
    assert_eq!(added(&base, &twice).len(), 3);
}

#[test]
fn a_short_statement_in_another_file_is_not_taken_for_one_that_moved() {
    let base = tree(&[
        ("a.py", "def f(x):\n    return eval(x)\n"),
        ("b.py", "def g(x, y):\n    z = 1\n    eval(x)\n"),
    ]);
    let after = tree(&[
        ("a.py", "def f(x):\n    return x\n"),
        ("b.py", "def g(x, y):\n    eval(y)\n    eval(x)\n"),
    ]);
    assert_eq!(added(&base, &after).len(), 1);
}

#[test]
fn the_same_words_with_a_higher_severity_are_new() {
    let base = tree(&[("app.py", APP)]);
    let old = scan(&base);
    let mut new = old.clone();
    for finding in &mut new {
        finding.severity = Severity::Critical;
    }
    let side = |findings| Side { findings, files: &base };
    assert_eq!(compare(side(&old), side(&new), &[]).1.len(), 3);
}

#[test]
fn what_moved_or_was_hidden_is_still_there() {
    let base = tree(&[("app.py", APP)]);
    let all = scan(&base);
    let wanted: Vec<_> = all.iter().filter(|finding| finding.rule == "md5").cloned().collect();
    let renamed = tree(&[("lib.py", APP)]);
    let side = |findings, files| Side { findings, files };
    let new = scan(&renamed);
    let (result, added) = compare(side(&all, &base), side(&new, &renamed), &wanted);
    assert!(added.is_empty());
    assert!(
        result.reason.starts_with("the finding is still there") && result.reason.contains("lib.py"),
        "{}",
        result.reason
    );
    // The scanner doesn't look at what it was moved to.
    let unseen: Vec<_> = new.iter().filter(|finding| finding.rule != "md5").cloned().collect();
    let (result, _) = compare(side(&all, &base), side(&unseen, &renamed), &wanted);
    assert_eq!(result.verdict, Verdict::Failed);
    assert!(
        result.reason.contains("moved to where the scanner doesn't report it"),
        "{}",
        result.reason
    );
}

#[test]
fn a_renamed_function_is_the_same_only_if_its_whole_body_is() {
    let js = "function old(req) {\n  eval(req.a);\n  return 1;\n}\n";
    let line_finding = |tree: &Tree| {
        let mut finding = finding("route", "x", 1);
        finding.location.as_mut().unwrap().path = "a.js".to_owned();
        finding.fingerprint = Fingerprint::of([tree["a.js"].lines().next().unwrap()]);
        vec![finding]
    };
    let new_of = |after: &str| {
        let (before, after) = (tree(&[("a.js", js)]), tree(&[("a.js", after)]));
        let (old, new) = (line_finding(&before), line_finding(&after));
        compare(
            Side {
                findings: &old,
                files: &before,
            },
            Side {
                findings: &new,
                files: &after,
            },
            &[],
        )
        .1
        .len()
    };
    assert_eq!(new_of(&js.replace("old", "better")), 0);
    assert_eq!(new_of(&js.replace("old", "better").replace("req.a", "req.b")), 1);
}

#[test]
fn text_that_is_made_to_be_slow_is_not() {
    let deep = format!("x = {}{}\n", "(".repeat(200_000), "]".repeat(200_000));
    let calls = "os.system(".repeat(20_000);
    let line = format!("eval({})\n", "a,".repeat(900));
    for text in [deep, calls, line.repeat(200)] {
        let (before, after) = (tree(&[("a.py", &text)]), tree(&[("a.py", &format!("y = 1\n{text}"))]));
        let started = std::time::Instant::now();
        let _ = added(&before, &after);
        let _ = crate::surface::compare(&before, &after);
        assert!(
            started.elapsed().as_secs() < 30,
            "{:?} for {:.20}",
            started.elapsed(),
            text
        );
    }
}
