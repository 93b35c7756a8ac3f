//! Running the binary as users do, on demo estates in temporary folders.

// Whatever of it only the ledger's own tests need.
#[allow(dead_code)]
#[path = "../ledger/tests/stores/cluster.rs"]
pub mod cluster;
pub mod flock;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The demo's clock.
pub const AT: &str = "2026-03-17T02:30:00Z";

/// The binary under test, with a clean environment for git and SSH.
pub fn holdpoint() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdpoint"));
    command
        .env_remove("HOLDPOINT_LOG")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

/// Runs the binary.
pub fn run(arguments: &[&str]) -> Output {
    holdpoint().args(arguments).output().unwrap()
}

/// What a run printed on stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a run printed on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A demo estate in a folder of its own.
pub struct Estate {
    root: TempDir,
}

impl Estate {
    /// Makes the demo's repos and estate without running it.
    pub fn prepared() -> Self {
        let root = TempDir::with_prefix("holdpoint-test-").unwrap();
        let estate = Self { root };
        let made = run(&["demo", "--prepare-only", "--dir", estate.root().to_str().unwrap()]);
        assert!(made.status.success(), "{}", stderr(&made));
        estate
    }

    /// A copy of the shared demo after its run: ledger, evidence and remotes included.
    pub fn after_demo() -> Self {
        let root = TempDir::with_prefix("holdpoint-test-").unwrap();
        let from = format!("{}/.", demo().root.display());
        let copied = Command::new("cp")
            .arg("-a")
            .arg(from)
            .arg(root.path())
            .status()
            .unwrap();
        assert!(copied.success());
        Self { root }
    }

    /// Folder of the whole demo.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The estate's folder.
    pub fn estate(&self) -> PathBuf {
        self.root.path().join("estate")
    }

    /// A file of the estate.
    pub fn file(&self, name: &str) -> PathBuf {
        self.estate().join(name)
    }

    /// Changes a file of the estate.
    pub fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let text = std::fs::read_to_string(self.file(name)).unwrap();
        std::fs::write(self.file(name), change(text)).unwrap();
    }

    /// Replaces the shipped pack by a copy without one policy.
    pub fn take_out_policy(&self, id: &str) {
        let pack = self.file("pack");
        std::fs::create_dir_all(&pack).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/baseline");
        let mut found = false;
        for entry in std::fs::read_dir(shipped).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name == format!("{id}.cedar") {
                found = true;
            } else if name.ends_with(".cedar") {
                std::fs::copy(&path, pack.join(name)).unwrap();
            }
        }
        assert!(found, "the pack has no policy `{id}`");
        self.edit("holdpoint.yaml", |text| {
            assert!(text.contains("policies: baseline"), "the estate names the shipped pack");
            text.replace("policies: baseline", "policies: pack")
        });
    }

    /// Runs the binary on this estate at the demo's clock.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_at(AT, arguments)
    }

    /// Runs the binary on this estate at another time.
    pub fn run_at(&self, at: &str, arguments: &[&str]) -> Output {
        holdpoint()
            .arg("--estate")
            .arg(self.estate())
            .args(["--at", at, "--quiet"])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Output of a git command in one of the remotes.
    pub fn remote_git(&self, repo: &str, arguments: &[&str]) -> String {
        let remote = self.root().join("remotes").join(format!("{repo}.git"));
        let output = Command::new("git")
            .arg("-C")
            .arg(remote)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
        stdout(&output).trim().to_owned()
    }

    /// The last report, with everything in it.
    pub fn report(&self) -> Report {
        let text = std::fs::read_to_string(self.file("state/last-run.json")).unwrap();
        Report(serde_json::from_str(&text).unwrap())
    }
}

/// The last run's report.
pub struct Report(pub Value);

impl Report {
    /// Its items.
    pub fn items(&self) -> &Vec<Value> {
        self.0["items"].as_array().unwrap()
    }

    /// The item of a scenario.
    pub fn scenario(&self, id: &str) -> &Value {
        self.items()
            .iter()
            .find(|item| item["scenario"]["id"] == id)
            .unwrap_or_else(|| panic!("no scenario `{id}`"))
    }

    /// The item of a finding.
    pub fn finding(&self, id: &str) -> &Value {
        self.items()
            .iter()
            .find(|item| finding_id(item) == id)
            .unwrap_or_else(|| panic!("no finding `{id}`"))
    }
}

/// An item's short id, computed as the binary does.
pub fn finding_id(item: &Value) -> String {
    let finding: holdpoint_schemas::finding::RepoFinding = serde_json::from_value(item["finding"].clone()).unwrap();
    finding.id()
}

/// All that an item gives as reasons.
pub fn reasons(item: &Value) -> String {
    let bounds = item["decision"]["bounds"].as_array().unwrap();
    let mut text: Vec<String> = bounds
        .iter()
        .map(|bound| bound["reason"].as_str().unwrap().to_owned())
        .collect();
    for bound in bounds {
        text.extend(
            bound["unknowns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|unknown| format!("{} {}", unknown["id"], unknown["why"])),
        );
    }
    text.join("\n")
}

/// The shared demo, run once per test process.
pub struct SharedDemo {
    root: PathBuf,
    /// How the run ended.
    pub output: Output,
}

impl SharedDemo {
    /// Its report.
    pub fn report(&self) -> Report {
        let text = std::fs::read_to_string(self.root.join("estate/state/last-run.json")).unwrap();
        Report(serde_json::from_str(&text).unwrap())
    }
}

/// The shared demo: `holdpoint demo`, once.
pub fn demo() -> &'static SharedDemo {
    static DEMO: OnceLock<SharedDemo> = OnceLock::new();
    DEMO.get_or_init(|| {
        // Nothing drops a static: a later test process takes away what this one leaves.
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in std::fs::read_dir(shared).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let owner = name.strip_prefix("demo-").map(|pid| Path::new("/proc").join(pid));
            if owner.is_some_and(|process| !process.exists()) {
                std::fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        let root = shared.join(format!("demo-{}", std::process::id()));
        let output = run(&["demo", "--quiet", "--dir", root.to_str().unwrap()]);
        SharedDemo { root, output }
    })
}

fn git_any(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// What a git command in a folder printed, with nobody's configuration.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = git_any(folder, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
    stdout(&output).trim().to_owned()
}

/// Makes a git repo of a folder, with all that is in it in one commit.
pub fn repository(folder: &Path) {
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    git(folder, &["config", "user.name", "Ana Lopez"]);
    git(folder, &["config", "user.email", "ana@x.example"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "--message=Start"]);
}

/// What a command that succeeded printed as JSON.
pub fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Checks that a command was refused as bad input, and that all of this was told, with help.
pub fn refused(output: &Output, told: &[&str]) {
    assert_eq!(output.status.code(), Some(3), "{} {}", stdout(output), stderr(output));
    let text = stderr(output);
    for part in told {
        assert!(text.contains(part), "`{part}` isn't in: {text}");
    }
    assert!(text.contains("help"), "{text}");
}
