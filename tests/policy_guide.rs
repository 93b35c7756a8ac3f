//! The policy author's guide says what happens: its commands are run, its output compared.
//!
//! In a block marked `console`, a line that begins with `$ ` is a command, the lines after it what it
//! prints, and `[exit 11]` at their end how it ends where that isn't with 0. A line `…` stands for
//! any lines. In any other block whose marker has `file=PATH`, the text is a file that the reader makes.
//! Times are compared as `0.0 s`.

use std::path::Path;
use tempfile::TempDir;

use crate::support::{holdpoint, stderr, stdout};

const GUIDE: &str = "docs/policy-guide.md";

#[derive(Debug)]
enum Step {
    File {
        path: String,
        text: String,
    },
    Command {
        line: usize,
        command: String,
        expected: Vec<String>,
    },
}

fn steps(guide: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = guide.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(marker) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<(usize, &str)> = lines
            .by_ref()
            .take_while(|(_, line)| !line.starts_with("```"))
            .collect();
        if let Some((_, path)) = marker.split_once("file=") {
            let text: String = block.iter().map(|(_, line)| format!("{line}\n")).collect();
            steps.push(Step::File {
                path: path.to_owned(),
                text,
            });
        } else if marker == "console" {
            steps.extend(commands(&block));
        }
    }
    steps
}

fn commands(block: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (index, text) in block {
        if let Some(command) = text.strip_prefix("$ ") {
            steps.push(Step::Command {
                line: index + 1,
                command: command.to_owned(),
                expected: Vec::new(),
            });
        } else if let Some(Step::Command { command, expected, .. }) = steps.last_mut() {
            if goes_on {
                command.push('\n');
                command.push_str(text);
            } else {
                expected.push((*text).to_owned());
            }
        } else {
            panic!("{GUIDE}:{}: output without a command", index + 1);
        }
        goes_on = text.ends_with('\\');
    }
    steps
}

/// Runs of digits before ` s` or ` ms`, as one time.
fn without_times(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let is_time = words
            .last()
            .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.'));
        if is_time && ["s", "ms"].contains(&word) {
            words.pop();
            // Times are right-aligned: how wide one is must not matter either.
            while words.last().is_some_and(String::is_empty) {
                words.pop();
            }
            words.extend(["0.0".to_owned(), "s".to_owned()]);
        } else {
            words.push(word.to_owned());
        }
    }
    words.join(" ").trim_end().to_owned()
}

/// Whether the lines are as expected, where `…` stands for any.
fn is_as_expected(expected: &[String], got: &[String]) -> bool {
    match (expected.split_first(), got.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first.trim() == "…" => {
            (0..=got.len()).any(|skipped| is_as_expected(rest, &got[skipped..]))
        }
        (Some((first, rest)), Some((line, more))) => first == line && is_as_expected(rest, more),
        _ => false,
    }
}

fn run(folder: &Path, command: &str) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_holdpoint")).parent().unwrap().to_owned();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let template = holdpoint();
    let mut shell = std::process::Command::new("sh");
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = shell
        .args(["-c", command])
        .env("PATH", path)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = stdout(&output) + &stderr(&output);
    let mut lines: Vec<String> = text.trim_end().lines().map(without_times).collect();
    if let Some(code) = output.status.code().filter(|code| *code != 0) {
        lines.push(format!("[exit {code}]"));
    }
    lines
}

#[test]
fn the_guide_says_what_happens() {
    let root = TempDir::with_prefix("holdpoint-guide-").unwrap();
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(GUIDE)).unwrap();
    let mut commands = 0;
    let mut wrong = Vec::new();
    for step in steps(&guide) {
        match step {
            Step::File { path, text } => {
                let path = root.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Step::Command {
                line,
                command,
                expected,
            } => {
                commands += 1;
                let mut expected: Vec<String> = expected.iter().map(|line| without_times(line)).collect();
                while expected.last().is_some_and(String::is_empty) {
                    expected.pop();
                }
                let got = run(root.path(), &command);
                if !is_as_expected(&expected, &got) {
                    wrong.push(format!("{GUIDE}:{line}: $ {command}\n{}", got.join("\n")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(commands > 15, "only {commands} commands were run");
}

#[test]
fn a_wrong_line_in_a_guide_is_noticed() {
    let text = "```console\n$ echo a \\\n  b\na b\n$ false\n[exit 1]\n```\n```yaml file=x/y\nz: 1\n```\n";
    let steps = steps(text);
    assert_eq!(steps.len(), 3);
    let Step::Command {
        command,
        expected,
        line,
    } = &steps[0]
    else {
        panic!("{steps:?}")
    };
    let got = run(Path::new("/"), command);
    assert_eq!(*line, 2);
    assert!(is_as_expected(expected, &got));
    assert!(!is_as_expected(&["a c".to_owned()], &got));
    assert!(is_as_expected(&["…".to_owned(), "a b".to_owned()], &got));
    assert_eq!(
        without_times("proved     2.12 s  x in 60 ms"),
        "proved 0.0 s  x in 0.0 s"
    );
}
