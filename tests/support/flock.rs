//! A small estate of many fixes whose worth is known: repos of a few text files, a finding and a fix for each file,
//! and a pack that merges whatever builds and passes its tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

use super::{AT, Report, holdpoint, stderr, stdout};

const PACK: [(&str, &str); 2] = [
    (
        "pack.yaml",
        "name: flock\ndescription: Merges what builds and passes its tests.\n",
    ),
    (
        "permit.cedar",
        "@id(\"permit\")\n@reason(\"It builds and passes its tests\")\n\
         permit (principal, action, resource) when { context has fix.class };\n",
    ),
];

/// An estate of `repos` repos named `repo0`, `repo1` …, each with files `0.txt`, `1.txt` … that hold `ok 1`.
pub struct Flock {
    root: TempDir,
    /// Fixes of each repo.
    pub files: usize,
}

impl Flock {
    /// Makes it. `tests`: further lines of each repo's `test.sh`, after the check that every file begins with `ok`.
    pub fn new(repos: usize, files: usize, tests: &str) -> Self {
        Self::make(repos, files, Some(tests))
    }

    /// The same without tests, which take most of a run: what may merge by itself is tested twenty times. The pack asks
    /// only whether it builds.
    pub fn untested(repos: usize, files: usize) -> Self {
        Self::make(repos, files, None)
    }

    fn make(repos: usize, files: usize, tests: Option<&str>) -> Self {
        let flock = Self {
            root: TempDir::with_prefix("holdpoint-flock-").unwrap(),
            files,
        };
        for (name, text) in PACK {
            flock.write(&format!("pack/{name}"), text);
        }
        for check in ["build", "test"].into_iter().take(if tests.is_some() { 2 } else { 1 }) {
            flock.also_asks_for(check);
        }
        flock.write("rollout.yaml", "default_stage: auto-apply\n");
        flock.write("reports/semgrep.json", &report(files));
        let mut config = "name: flock\npolicies: pack\nfixes: fixes\nrollout: rollout.yaml\n\
                          sandbox: {backend: local, reruns: 0, step_seconds: 60}\nrepos:\n"
            .to_owned();
        for repo in (0..repos).map(|repo| format!("repo{repo}")) {
            config.push_str(&format!(
                "  - {{name: {repo}, remote: remotes/{repo}, reports: [{{path: reports/semgrep.json}}]}}\n"
            ));
            flock.make_repo(&repo, tests);
            for file in 0..files {
                flock.fix(&repo, file, "ok 2");
            }
        }
        flock.write("holdpoint.yaml", &config);
        flock
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// From now on the pack asks for a check to pass.
    pub fn also_asks_for(&self, check: &str) {
        let policy = format!(
            "@id(\"{check}-passed\")\n@reason(\"It must be known to {check}\")\n@unlock(\"a fix that does\")\n\
             forbid (principal, action, resource)\n\
             unless {{ context has evidence.{check}.verdict && context.evidence.{check}.verdict == \"passed\" }};\n"
        );
        self.write(&format!("pack/{check}.cedar"), &policy);
    }

    /// From now on it doesn't.
    pub fn no_longer_asks_for(&self, check: &str) {
        fs::remove_file(self.root().join(format!("pack/{check}.cedar"))).unwrap();
    }

    /// Replaces its rollout file.
    pub fn rollout(&self, text: &str) {
        self.write("rollout.yaml", text);
    }

    /// Gives each repo to a service of its name, and that to a team: `repo0` to the first.
    pub fn owned_by(&self, teams: &[&str]) {
        let mut catalogue = String::new();
        for (number, team) in teams.iter().enumerate() {
            catalogue.push_str(&format!(
                "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: repo{number}\n  \
                 annotations:\n    holdpoint.dev/tier: \"3\"\n    holdpoint.dev/repo: repo{number}\n    \
                 holdpoint.dev/deployments: production=main\n\
                 spec: {{type: service, lifecycle: production, owner: group:{team}}}\n"
            ));
        }
        self.write("catalogue/all.yaml", &catalogue);
        self.configure("catalogue: [catalogue]\n");
    }

    /// Keeps its ledger in a schema of a database; a run that falls silent there holds up others for a second.
    pub fn in_postgres(&self, url: &str, schema: &str) {
        self.write("ledger.url", url);
        let key = self.root().join("ledger.key");
        let made = holdpoint()
            .args(["ledger", "key", "--new", key.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", stderr(&made));
        self.configure(&format!(
            "ledger:\n  key: ledger.key\n  postgres: {{url_file: ledger.url, schema: {schema}, lease_seconds: 1}}\n"
        ));
    }

    fn configure(&self, lines: &str) {
        let config = fs::read_to_string(self.root().join("holdpoint.yaml")).unwrap();
        self.write("holdpoint.yaml", &format!("{config}{lines}"));
    }

    /// The same estate on another host: the same remotes, and a state folder of its own.
    pub fn other_host(&self) -> PathBuf {
        let host = self.root().join("other-host");
        fs::create_dir(&host).unwrap();
        for entry in fs::read_dir(self.root()).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if !["other-host", "remotes", "state", "work"].contains(&name.as_str()) {
                let copied = Command::new("cp").arg("-a").arg(entry.path()).arg(&host).status();
                assert!(copied.unwrap().success());
            }
        }
        let config = fs::read_to_string(host.join("holdpoint.yaml")).unwrap();
        let config = config.replace("remote: remotes/", "remote: ../remotes/");
        fs::write(host.join("holdpoint.yaml"), config).unwrap();
        host
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn make_repo(&self, repo: &str, tests: Option<&str>) {
        let folder = format!("work/{repo}");
        let mut steps = "steps:\n  build: sh build.sh\n".to_owned();
        if let Some(tests) = tests {
            steps.push_str("  test: sh test.sh\n");
            self.write(
                &format!("{folder}/test.sh"),
                &format!("set -eu\nfor f in *.txt; do grep -q '^ok' $f; done\n{tests}\n"),
            );
        }
        self.write(&format!("{folder}/.holdpoint.yaml"), &steps);
        self.write(&format!("{folder}/build.sh"), "cat *.txt >built\n");
        for file in 0..self.files {
            self.write(&format!("{folder}/{file}.txt"), "ok 1\n");
        }
        let folder = self.root().join(folder);
        git(&folder, &["init", "--quiet", "--initial-branch=main"]);
        git(&folder, &["add", "."]);
        let who = ["-c", "user.name=Ana", "-c", "user.email=ana@x.example"];
        git(&folder, &[&who[..], &["commit", "--quiet", "-m", "Start"]].concat());
        let remote = self.root().join("remotes").join(repo);
        git(&folder, &["clone", "--quiet", "--bare", ".", remote.to_str().unwrap()]);
    }

    /// Writes the fix of one file: its line becomes `line`.
    pub fn fix(&self, repo: &str, file: usize, line: &str) {
        let folder = format!("fixes/bot/{repo}-{file:03}");
        self.write(
            &format!("{folder}/fix.yaml"),
            &format!(
                "repo: {repo}\nbase: main\npatch: change.patch\ntitle: Raise {file}\n\
                 resolves:\n  - {{scanner: semgrep, rule: old-value, path: {file}.txt}}\n"
            ),
        );
        self.write(
            &format!("{folder}/change.patch"),
            &format!(
                "diff --git a/{file}.txt b/{file}.txt\n--- a/{file}.txt\n+++ b/{file}.txt\n@@ -1 +1 @@\n-ok 1\n+{line}\n"
            ),
        );
    }

    /// The binary on this estate.
    pub fn command(&self) -> Command {
        command_in(self.root(), AT)
    }

    /// Runs it.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command().args(arguments).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 10)), "{}", stderr(&output));
        output
    }

    /// The last report.
    pub fn report(&self) -> Report {
        let text = fs::read_to_string(self.root().join("state/last-run.json")).unwrap();
        Report(serde_json::from_str(&text).unwrap())
    }

    /// A repo's remote.
    pub fn remote(&self, repo: &str) -> PathBuf {
        self.root().join("remotes").join(repo)
    }

    /// What git says of a repo's remote.
    pub fn git(&self, repo: &str, arguments: &[&str]) -> String {
        git(&self.remote(repo), arguments)
    }

    /// What a file of the remote's main branch holds.
    pub fn line(&self, repo: &str, file: usize) -> String {
        self.git(repo, &["show", &format!("main:{file}.txt")]).trim().to_owned()
    }
}

/// The binary on the estate in a folder, at a moment.
pub fn command_in(folder: &Path, at: &str) -> Command {
    let mut command = holdpoint();
    command.arg("--estate").arg(folder).args(["--at", at, "--quiet"]);
    command
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// A report with one finding for each file.
fn report(files: usize) -> String {
    let result = |file: usize| {
        serde_json::json!({
            "check_id": "old-value",
            "path": format!("{file}.txt"),
            "start": {"line": 1, "col": 1, "offset": 0},
            "end": {"line": 1, "col": 5, "offset": 4},
            "extra": {"message": "The value is old.", "metadata": {}, "severity": "WARNING"},
        })
    };
    let results: Vec<_> = (0..files).map(result).collect();
    serde_json::json!({"version": "1.170.1", "errors": [], "results": results}).to_string()
}
