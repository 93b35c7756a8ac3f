//! A small estate, patches whose worth is known, and what Holdpoint says of them.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::governed;
use crate::plan::{Asked, Backend, Candidate};
use crate::world::World;

/// What was built is checked by the tests, and both write through to the disk: what a full one loses is noticed. They
/// take most of the memory that they may, and say nothing when they don't get it: the runner has to find out by itself.
const FILES: [(&str, &str); 5] = [
    (".holdpoint.yaml", "steps:\n  build: sh build.sh\n  test: sh test.sh\n"),
    ("value.txt", "ok 1\n"),
    ("hook.sh", ":\n"),
    (
        "build.sh",
        "set -eu\ncp value.txt built.txt\n\
         dd if=/dev/urandom of=blob bs=256k count=8 conv=fsync 2>/dev/null\ncksum <blob >blob.sum\n",
    ),
    (
        "test.sh",
        "set -eu\n. ./hook.sh\ndd if=/dev/zero of=/dev/null bs=32M count=1 2>/dev/null || exit 1\n[ \"$(cat built.txt)\" = \"$(cat value.txt)\" ]\ncksum <blob | cmp -s - blob.sum\n\
         dd if=/dev/zero of=scratch bs=256k count=16 conv=fsync 2>/dev/null\nrm scratch\ngrep -q '^ok' value.txt\n",
    ),
];
/// Changes of one line each: file, before, after.
const GOOD: [&str; 3] = ["value.txt", "ok 1", "ok 2"];
const BREAKING: [&str; 3] = ["value.txt", "ok 1", "broken"];
const HUNGRY: [&str; 3] = [
    "hook.sh",
    ":",
    "dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null",
];
const FILLING: [&str; 3] = ["hook.sh", ":", "dd if=/dev/zero of=fill bs=1M count=64 2>/dev/null"];

impl Candidate {
    const fn change(self) -> [&'static str; 3] {
        match self {
            Self::Good | Self::RedBase => GOOD,
            Self::Breaking => BREAKING,
            Self::Hungry => HUNGRY,
            Self::Filling => FILLING,
        }
    }

    const fn repo(self) -> &'static str {
        match self {
            Self::RedBase => "red",
            _ => "service",
        }
    }

    /// What the tests say of it when nothing is wrong with the machine.
    const fn truth(self) -> &'static str {
        match self {
            Self::Good => "passed",
            Self::Breaking => "failed",
            Self::RedBase | Self::Hungry | Self::Filling => "inconclusive",
        }
    }
}

/// The repos, which all runs share.
pub struct Bench {
    root: PathBuf,
    joins: PathBuf,
    temporary: PathBuf,
}

impl Bench {
    pub fn make(world: &World) -> Self {
        let root = world.disk().join("bench");
        for name in ["service", "red"] {
            let repo = root.join(name);
            fs::create_dir_all(&repo).unwrap();
            for (path, text) in FILES {
                let ending = if (name, path) == ("red", "test.sh") {
                    "exit 1\n"
                } else {
                    ""
                };
                fs::write(repo.join(path), format!("{text}{ending}")).unwrap();
            }
            git(&repo, &["init", "--quiet", "--initial-branch=main"]);
            git(&repo, &["add", "."]);
            git(
                &repo,
                &[
                    "-c",
                    "user.name=Ana",
                    "-c",
                    "user.email=ana@x.example",
                    "commit",
                    "-qm",
                    "Start",
                ],
            );
        }
        Self {
            root,
            joins: world.joins(),
            temporary: world.temporary(),
        }
    }

    /// An estate with a state folder of its own.
    pub fn estate(&self, backend: Backend, name: &str) -> Estate {
        let root = self.root.join(format!("estate-{name}"));
        fs::create_dir_all(&root).unwrap();
        // Clones, because a run makes branches in them.
        let repos = ["service", "red"].map(|repo| {
            git(
                &self.root,
                &["clone", "--quiet", "--bare", repo, root.join(repo).to_str().unwrap()],
            );
            format!("  - {{name: {repo}, remote: {repo}, reports: [{{path: reports/semgrep.json}}]}}\n")
        });
        let config = format!(
            "name: chaos\npolicies: pack\nfixes: fixes\nrepos:\n{}sandbox:\n  backend: {}\n  memory_mib: 48\n  \
             disk_mib: 24\n  tmp_mib: 16\n  reruns: 0\n  step_seconds: 60\n",
            repos.concat(),
            backend.name()
        );
        fs::write(root.join("holdpoint.yaml"), config).unwrap();
        Estate {
            root,
            joins: self.joins.clone(),
            temporary: self.temporary.clone(),
        }
    }
}

fn git(repo: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .arg("-C")
        .arg(repo)
        .args(arguments)
        .status();
    assert!(status.unwrap().success(), "git {arguments:?}");
}

/// One estate.
pub struct Estate {
    root: PathBuf,
    joins: PathBuf,
    temporary: PathBuf,
}

impl Estate {
    /// The binary, as a member of the world's control group or not.
    fn holdpoint(&self, joins: bool) -> Command {
        let mut command = Command::new("sh");
        let group = if joins {
            self.joins.as_path()
        } else {
            Path::new("/dev/null")
        };
        command
            .args(["-c", "echo $$ >\"$0\" && exec \"$@\""])
            .arg(group)
            .arg(env!("CARGO_BIN_EXE_holdpoint"))
            .arg("--estate")
            .arg(&self.root)
            .env("TMPDIR", &self.temporary)
            .env("HOLDPOINT_LOG", "holdpoint=warn,holdpoint_runner=debug")
            .env("NO_COLOR", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// What is asked about a candidate; what it prints goes into a file.
    pub fn command(&self, asked: Asked, candidate: Candidate, joins: bool) -> Command {
        let [file, before, after] = candidate.change();
        let text =
            format!("diff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n-{before}\n+{after}\n");
        governed::write(&self.root, candidate.repo(), &text);
        let mut command = self.holdpoint(joins);
        match asked {
            Asked::Validate => command
                .args([
                    "--format",
                    "json",
                    "validate",
                    "--clean-runs",
                    "1",
                    "--repo",
                    candidate.repo(),
                    "--patch",
                ])
                .arg(self.root.join("fixes/bot/fix/change.patch")),
            Asked::Run => command.arg("run"),
        };
        command.stdout(File::create(self.answer()).unwrap());
        let _ = fs::remove_file(self.report());
        command
    }

    fn report(&self) -> PathBuf {
        self.root.join("state/last-run.json")
    }

    fn answer(&self) -> PathBuf {
        self.root.join("answer.json")
    }

    fn said(&self) -> PathBuf {
        self.root.join("said.txt")
    }

    /// Keeps what a run said, for whoever has to find out why it was wrong.
    pub fn keep(&self, lines: &[String]) {
        let mut text = fs::read_to_string(self.said()).unwrap_or_default();
        text.push_str(&lines.join("\n"));
        text.push_str("\n--\n");
        // The disk may be full.
        let _ = fs::write(self.said(), text);
    }

    /// Shows it.
    pub fn show(&self) {
        eprintln!("{}", fs::read_to_string(self.said()).unwrap_or_default());
    }

    /// What a run that ended so says, if it says anything.
    pub fn judged(&self, asked: Asked, status: ExitStatus) -> Option<Judged> {
        let (codes, answer) = match asked {
            // Passed, failed, inconclusive.
            Asked::Validate => ([0, 11, 12], self.answer()),
            // Nothing to do, something for a person.
            Asked::Run => ([0, 10, 10], self.report()),
        };
        status.code().filter(|code| codes.contains(code))?;
        let text = fs::read_to_string(answer).unwrap();
        let mut record: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in: {text}"));
        if asked == Asked::Run {
            assert_eq!(record["ledger_verified"], true, "{text}");
            // The finding of the repo that the fix is for.
            let items = record["items"].as_array_mut().unwrap();
            let item = items.iter_mut().find(|item| !item["fix"].is_null());
            record = item.map(|item| item["evidence"].take()).unwrap_or_default();
        }
        let checks = record["evidence"]["checks"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Some(Judged(
            checks
                .map(|(check, result)| (check.clone(), (text(&result["verdict"]), text(&result["reason"]))))
                .collect(),
        ))
    }

    /// `holdpoint gc`
    pub fn collect_garbage(&self) {
        governed::write(&self.root, "service", "");
        let output = self.holdpoint(true).arg("gc").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Removes it, its state folder included.
    pub fn remove(self) {
        fs::remove_dir_all(self.root).unwrap();
    }
}

/// Verdict and reason of each check.
pub struct Judged(BTreeMap<String, (String, String)>);

impl Judged {
    /// Nothing may be told that isn't true, but anything may be inconclusive.
    pub fn is_not_wrong(&self, candidate: Candidate) -> Result<(), String> {
        self.each(candidate, |verdict, truth| {
            verdict == truth || verdict == "inconclusive"
        })
    }

    /// With nothing wrong with the machine, all of it is told.
    pub fn is_right(&self, candidate: Candidate) -> Result<(), String> {
        if let Some(check) = ["build", "test"].into_iter().find(|check| !self.0.contains_key(*check)) {
            return Err(format!("nothing is known of {check}"));
        }
        self.each(candidate, |verdict, truth| verdict == truth)
    }

    fn each(&self, candidate: Candidate, holds: impl Fn(&str, &str) -> bool) -> Result<(), String> {
        for (check, (verdict, reason)) in &self.0 {
            let good = match check.as_str() {
                "build" => holds(verdict, "passed"),
                "test" => holds(verdict, candidate.truth()),
                // Nobody asked for what the others need.
                _ => verdict != "failed",
            };
            if !good {
                return Err(format!("{check} is {verdict}: {reason}"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get("test") {
            Some((verdict, reason)) => write!(f, "test {verdict}: {reason}"),
            None => f.write_str("the tests did not run"),
        }
    }
}
