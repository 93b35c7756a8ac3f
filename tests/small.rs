//! Small estates: services with a repo each, findings, and a fix for each finding that merges by itself where the
//! rollout lets it. Steps run in Linux namespaces, so that no container engine is asked.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

use crate::support::{git, holdpoint, repository, stderr, stdout};

/// The clock of the first run: a Monday night.
pub const AT: &str = "2026-03-17T02:30:00Z";
/// Who may approve and order.
pub const ROSA: &str = "rosa@x.example";

/// A service with a repo, and how many findings it has.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    pub name: &'static str,
    pub tier: u8,
    pub severity: &'static str,
    pub findings: usize,
}

impl Service {
    /// An internal one with one finding.
    pub const fn internal(name: &'static str) -> Self {
        Self {
            name,
            tier: 3,
            severity: "WARNING",
            findings: 1,
        }
    }
}

/// An estate in a temporary folder.
pub struct Small {
    root: TempDir,
}

const SETTINGS: &str = "steps:\n  build: 'true'\n  test: '! grep -q broken *.txt'\n";

impl Small {
    /// These services, under this rollout file.
    pub fn new(services: &[Service], rollout: &str) -> Self {
        let small = Self {
            root: TempDir::with_prefix("holdpoint-small-").unwrap(),
        };
        let mut repos = String::new();
        let mut catalogue = String::new();
        for service in services {
            small.service(service, &mut repos, &mut catalogue);
        }
        small.write("estate/catalogue/all.yaml", &catalogue);
        small.write(
            "estate/holdpoint.yaml",
            &format!(
                "name: small\npolicies: pack\ncatalogue: [catalogue]\nfixes: fixes\nrollout: rollout.yaml\n\
                 approvers: approvers\nsandbox: {{backend: local, reruns: 0, step_seconds: 60}}\nrepos:\n{repos}"
            ),
        );
        small.write("estate/rollout.yaml", rollout);
        small.pack();
        small.key("rosa");
        let public = std::fs::read_to_string(small.path("keys/rosa.pub")).unwrap();
        small.write(
            "estate/approvers",
            &format!("{ROSA} namespaces=\"holdpoint-approval,holdpoint-rollout\" {public}"),
        );
        small
    }

    fn service(&self, service: &Service, repos: &mut String, catalogue: &mut String) {
        let Service {
            name, tier, severity, ..
        } = service;
        let work = self.path(&format!("work/{name}"));
        self.write(&format!("work/{name}/.holdpoint.yaml"), SETTINGS);
        let mut results = Vec::new();
        for number in 0..service.findings {
            let file = format!("value-{number:04}.txt");
            std::fs::write(work.join(&file), format!("old {number}\n")).unwrap();
            results.push(json!({
                "check_id": "old-value", "path": file,
                "start": {"line": 1, "col": 1, "offset": 0}, "end": {"line": 1, "col": 4, "offset": 3},
                "extra": {"message": "The value is old.", "metadata": {}, "severity": severity},
            }));
            let fix = format!("estate/fixes/bot/{name}-{number:04}");
            self.write(
                &format!("{fix}/fix.yaml"),
                &format!(
                    "repo: {name}\nbase: main\npatch: change.patch\ntitle: Raise value {number}\n\
                     resolves: [{{scanner: semgrep, rule: old-value, path: {file}}}]\n"
                ),
            );
            self.write(
                &format!("{fix}/change.patch"),
                &format!("--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n-old {number}\n+new {number}\n"),
            );
        }
        repository(&work);
        let remote = self.path(&format!("remotes/{name}.git"));
        git(&work, &["clone", "--quiet", "--bare", ".", remote.to_str().unwrap()]);
        let report = json!({"version": "1.170.1", "errors": [], "results": results});
        self.write(&format!("estate/reports/{name}.json"), &report.to_string());
        let _ = writeln!(
            repos,
            "  - {{name: {name}, remote: ../remotes/{name}.git, reports: [{{path: reports/{name}.json}}]}}"
        );
        let _ = write!(
            catalogue,
            "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n  annotations:\n    \
             holdpoint.dev/tier: \"{tier}\"\n    holdpoint.dev/repo: {name}\n    \
             holdpoint.dev/deployments: production=main\nspec: {{type: service, lifecycle: production, owner: group:{name}}}\n"
        );
    }

    /// Everything that builds and passes its tests may merge; a fix that fails them is an alert.
    fn pack(&self) {
        self.write(
            "estate/pack/pack.yaml",
            "name: small\ndescription: What passes its tests may merge.\n",
        );
        for (id, action) in [("suggest", "suggest"), ("apply", "autoApply"), ("promote", "promote")] {
            let when = if action == "promote" {
                "context has approval.verified && context.approval.verified"
            } else {
                "context has fix.class"
            };
            self.write(
                &format!("estate/pack/{id}.cedar"),
                &format!(
                    "@id(\"{id}\")\n@reason(\"What passes its tests may go on\")\n\
                     permit (principal, action == Action::\"{action}\", resource) when {{ {when} }};\n"
                ),
            );
        }
        for check in ["build", "test"] {
            self.write(
                &format!("estate/pack/{check}.cedar"),
                &format!(
                    "@id(\"{check}\")\n@reason(\"It must be known to {check}\")\n@unlock(\"a fix that does\")\n\
                     forbid (principal, action, resource)\n\
                     unless {{ context has evidence.{check}.verdict && context.evidence.{check}.verdict == \"passed\" }};\n"
                ),
            );
        }
    }

    /// Makes a key.
    pub fn key(&self, name: &str) -> PathBuf {
        let path = self.path(&format!("keys/{name}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        path
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file of it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The same estate with a state folder of its own: as on another machine that has the same repos.
    pub fn with_state(&self, name: &str) -> Command {
        let config = std::fs::read_to_string(self.path("estate/holdpoint.yaml")).unwrap();
        let folder = self.path(&format!("estates/{name}"));
        std::fs::create_dir_all(self.path("estates")).unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(self.path("estate"))
            .arg(&folder)
            .status();
        assert!(copied.unwrap().success());
        let remotes = config.replace("../remotes", "../../remotes");
        std::fs::write(folder.join("holdpoint.yaml"), remotes).unwrap();
        let mut command = holdpoint();
        command.arg("--estate").arg(folder);
        command
    }

    /// Runs the binary on it at a moment.
    pub fn run_at(&self, at: &str, arguments: &[&str]) -> Output {
        holdpoint()
            .arg("--estate")
            .arg(self.path("estate"))
            .args(["--at", at, "--quiet"])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// A run at a moment, and its report.
    pub fn report_at(&self, at: &str) -> Value {
        let output = self.run_at(at, &["--format", "json", "run"]);
        assert!(
            matches!(output.status.code(), Some(0 | 10)),
            "{}{}",
            stdout(&output),
            stderr(&output)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a command prints as JSON.
    pub fn json_at(&self, at: &str, arguments: &[&str]) -> Value {
        let output = self.run_at(at, &[&["--format", "json"], arguments].concat());
        assert!(
            matches!(output.status.code(), Some(0 | 10)),
            "{}{}",
            stdout(&output),
            stderr(&output)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// An order of a person, signed.
    pub fn order_at(&self, at: &str, arguments: &[&str]) -> Output {
        let key = self.path("keys/rosa");
        let signed = ["--reason", "as agreed", "--key", key.to_str().unwrap(), "--by", ROSA];
        self.run_at(at, &[&["rollout"], arguments, &signed[..]].concat())
    }

    /// A person's commit on a branch of a service's remote: what git does in a clone of it.
    pub fn in_clone(&self, service: &str, work: impl FnOnce(&Path)) -> String {
        let folder = self.path(&format!("clones/{service}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(self.path("clones")).unwrap();
        let remote = self.path(&format!("remotes/{service}.git"));
        git(
            self.root.path(),
            &["clone", "--quiet", remote.to_str().unwrap(), folder.to_str().unwrap()],
        );
        git(&folder, &["config", "user.name", "Ana Lopez"]);
        git(&folder, &["config", "user.email", "ana@x.example"]);
        work(&folder);
        git(&folder, &["push", "--quiet", "--force", "origin", "main"]);
        git(&folder, &["rev-parse", "HEAD"])
    }

    /// Where a service's branch stands.
    pub fn head(&self, service: &str) -> String {
        git(&self.path(&format!("remotes/{service}.git")), &["rev-parse", "main"])
    }

    /// Entries of a kind in its ledger, as they are stored.
    pub fn entries(&self, kind: &str) -> Vec<Value> {
        bodies(&self.path("estate/state/ledger.sqlite"), kind)
            .iter()
            .map(|body| serde_json::from_str(body).unwrap())
            .collect()
    }
}

/// Bodies of a kind in a ledger, in order, byte for byte.
pub fn bodies(ledger: &Path, kind: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(ledger).unwrap();
    let mut statement = database
        .prepare("SELECT body FROM entry WHERE kind = ?1 ORDER BY seq")
        .unwrap();
    statement
        .query_map([kind], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The items of a report whose outcome is this.
pub fn with_outcome<'r>(report: &'r Value, outcome: &str) -> Vec<&'r Value> {
    let items = report["items"].as_array().unwrap().iter();
    items.filter(|item| item["outcome"]["outcome"] == outcome).collect()
}

/// The lane of a status.
pub fn lane<'s>(status: &'s Value, name: &str) -> &'s Value {
    let lanes = status["lanes"].as_array().unwrap();
    lanes.iter().find(|lane| lane["lane"] == name).unwrap()
}
