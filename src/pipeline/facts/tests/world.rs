//! A small estate with one repo, of which every file can be changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use git2::{Commit, Oid, Repository, Signature, Time};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fact::{FactSet, FactTable, FactValue};
use holdpoint_schemas::finding::{Finding, FindingClass, FindingDetails, Fingerprint, Location, RepoFinding, Severity};

use crate::pipeline::candidates;
use crate::pipeline::history::History;
use crate::pipeline::session::Session;

/// The moment at which everything is asked.
pub const NOW: &str = "2026-03-17T02:30:00Z";
/// Long before it.
pub const LONG_AGO: &str = "2025-11-18T09:40:00Z";
/// The afternoon before.
pub const YESTERDAY: &str = "2026-03-16T15:12:00Z";

const CATALOGUE: &str = "apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: shop
  annotations:
    holdpoint.dev/tier: \"2\"
    holdpoint.dev/customer-facing: \"true\"
    holdpoint.dev/data-classes: none
    holdpoint.dev/repo: shop
    holdpoint.dev/deployments: production=main
spec: {type: service, lifecycle: production, owner: group:shop}
";

/// A later commit by a teammate.
struct Later {
    at: String,
    branch: Option<String>,
    message: String,
    path: String,
    text: String,
}

/// The estate, its repo, and what is asked about.
pub struct World {
    config: BTreeMap<&'static str, String>,
    files: BTreeMap<String, String>,
    repo: BTreeMap<String, String>,
    later: Vec<Later>,
    patch: Option<String>,
    plan: Option<String>,
    pub finding: RepoFinding,
}

impl World {
    /// A shop in Python; the finding is about a flag in its settings, and there is no fix.
    pub fn new() -> Self {
        let mut world = Self {
            config: BTreeMap::new(),
            files: BTreeMap::new(),
            repo: BTreeMap::new(),
            later: Vec::new(),
            patch: None,
            plan: None,
            finding: RepoFinding {
                repo: "shop".to_owned(),
                branch: "main".to_owned(),
                finding: Finding {
                    fingerprint: Fingerprint::of(["debug"]),
                    scanner: "semgrep".to_owned(),
                    rule: "debug-on".to_owned(),
                    title: "Debug mode is on".to_owned(),
                    severity: Severity::Medium,
                    class: FindingClass::Config,
                    cwes: Vec::new(),
                    aliases: Vec::new(),
                    component: None,
                    location: Some(Location {
                        path: "config/app.yaml".to_owned(),
                        line: Some(1),
                    }),
                    iac_address: None,
                    fixed_versions: Vec::new(),
                    details: FindingDetails::default(),
                },
            },
        };
        for (path, text) in [
            ("config/app.yaml", "debug: true\nname: shop\n"),
            ("shop/__init__.py", ""),
            ("shop/prices.py", "def price(item):\n    return item * 2\n"),
            (
                "shop/basket.py",
                "from shop.prices import price\n\n\ndef total(items):\n    return sum(price(i) for i in items)\n",
            ),
        ] {
            world.repo.insert(path.to_owned(), text.to_owned());
        }
        world
            .estate("catalogue/shop.yaml", CATALOGUE)
            .estate("calendar.yaml", "freezes: []\n")
            .estate("controls.yaml", "controls: []\n")
            .config("catalogue", "[catalogue]")
            .config("calendar", "calendar.yaml")
            .config("controls", "controls.yaml")
    }

    /// A key of `holdpoint.yaml`; an empty value takes it out.
    pub fn config(mut self, key: &'static str, value: &str) -> Self {
        self.config.insert(key, value.to_owned());
        self
    }

    /// A file of the estate.
    pub fn estate(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// A file of the repo's first commit.
    pub fn repo(mut self, path: &str, text: &str) -> Self {
        self.repo.insert(path.to_owned(), text.to_owned());
        self
    }

    /// An annotation of the service.
    pub fn annotated(mut self, line: &str) -> Self {
        let text = self.files.get_mut("catalogue/shop.yaml").unwrap();
        *text = text.replace("  annotations:\n", &format!("  annotations:\n    {line}\n"));
        self
    }

    /// A commit by a teammate on `main`, or on a branch off the first commit.
    pub fn commit(mut self, at: &str, branch: Option<&str>, message: &str, path: &str, text: &str) -> Self {
        self.later.push(Later {
            at: at.to_owned(),
            branch: branch.map(str::to_owned),
            message: message.to_owned(),
            path: path.to_owned(),
            text: text.to_owned(),
        });
        self
    }

    /// A candidate fix: one line of a file becomes another.
    pub fn fix(mut self, path: &str, line: usize, before: &str, after: &str) -> Self {
        self.patch = Some(format!(
            "--- a/{path}\n+++ b/{path}\n@@ -{line} +{line} @@\n-{before}\n+{after}\n"
        ));
        self
    }

    /// A candidate fix that adds a file.
    pub fn adding(mut self, path: &str, line: &str) -> Self {
        self.patch = Some(format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{line}\n"));
        self
    }

    /// A whole patch.
    pub fn patch(mut self, text: &str) -> Self {
        self.patch = Some(text.to_owned());
        self
    }

    /// A plan that comes with the fix.
    pub fn plan(mut self, text: &str) -> Self {
        self.plan = Some(text.to_owned());
        self
    }

    /// The facts, by the real collectors.
    pub fn facts(&self) -> FactSet {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        self.make_repo(&root.join("shop"));
        let estate = root.join("estate");
        for (path, text) in &self.files {
            write(&estate.join(path), text);
        }
        let mut config = "name: test\nfixes: fixes\nrepos: [{name: shop, remote: ../shop}]\n".to_owned();
        for (key, value) in self.config.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(config, "{key}: {value}").unwrap();
        }
        config = config.replace("repos: [{name: shop, remote: ../shop}]", &self.repos());
        write(&estate.join("holdpoint.yaml"), &config);
        std::fs::create_dir_all(estate.join("fixes")).unwrap();
        if let Some(patch) = &self.patch {
            let plan = if self.plan.is_some() { "plan: plan.json\n" } else { "" };
            write(
                &estate.join("fixes/bot/one/fix.yaml"),
                &format!(
                    "repo: shop\nbase: main\npatch: change.patch\n{plan}resolves: [{{scanner: {}, rule: {}}}]\n",
                    self.finding.finding.scanner, self.finding.finding.rule
                ),
            );
            write(&estate.join("fixes/bot/one/change.patch"), patch);
            if let Some(plan) = &self.plan {
                write(&estate.join("fixes/bot/one/plan.json"), plan);
            }
        }
        let at: Timestamp = NOW.parse().unwrap();
        let session = Session::open(&estate, at).unwrap();
        let history = History::read(&session.ledger).unwrap();
        let findings = BTreeMap::from([(self.finding.id(), self.finding.clone())]);
        let fixes = candidates::read(&session.estate, &session.mirrors, &findings, &history).unwrap();
        assert!(fixes.problems.is_empty(), "{:?}", fixes.problems);
        assert_eq!(fixes.fixes.len(), usize::from(self.patch.is_some()));
        let (mut facts, _) = session.facts(&history, &self.finding, fixes.fixes.first());
        facts.expire(&session.estate.facts, at);
        facts
    }

    fn repos(&self) -> String {
        let reports = if self.files.contains_key("reports/plan.json") {
            ", reports: [{path: reports/plan.json}]"
        } else {
            ""
        };
        format!("repos: [{{name: shop, remote: ../shop{reports}}}]")
    }

    fn make_repo(&self, root: &Path) {
        let git = Repository::init(root).unwrap();
        git.set_head("refs/heads/main").unwrap();
        let first = commit(&git, "refs/heads/main", &self.repo, LONG_AGO, "Ines", "Begin", &[]);
        let mut tree = self.repo.clone();
        let mut head = first;
        for later in &self.later {
            let file = (later.path.clone(), later.text.clone());
            let (branch, files, parent) = match &later.branch {
                Some(branch) => {
                    let mut files = self.repo.clone();
                    files.extend([file]);
                    (branch.as_str(), files, first)
                }
                None => {
                    tree.extend([file]);
                    ("main", tree.clone(), head)
                }
            };
            let reference = format!("refs/heads/{branch}");
            let made = commit(&git, &reference, &files, &later.at, "Tomas", &later.message, &[parent]);
            if later.branch.is_none() {
                head = made;
            }
        }
    }

    /// A yes-or-no fact, or why it isn't known.
    pub fn asks(&self, id: &str) -> Result<FactValue, String> {
        let facts = self.facts();
        match facts.get(id) {
            Some(fact) => Ok(fact.value.clone()),
            None => Err(facts.unknown(FactTable::shipped(), id).unwrap().why),
        }
    }

    /// What people read beside a fact.
    pub fn note(&self, id: &str) -> String {
        self.facts().get(id).unwrap().note.clone().unwrap_or_default()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn commit(
    git: &Repository,
    branch: &str,
    files: &BTreeMap<String, String>,
    at: &str,
    author: &str,
    message: &str,
    parents: &[Oid],
) -> Oid {
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
    let tree = git.find_tree(index.write_tree_to(git).unwrap()).unwrap();
    let at: Timestamp = at.parse().unwrap();
    let email = format!("{}@example.org", author.to_lowercase());
    let signature = Signature::new(author, &email, &Time::new(at.as_second(), 0)).unwrap();
    let parents: Vec<Commit<'_>> = parents.iter().map(|id| git.find_commit(*id).unwrap()).collect();
    let parents: Vec<&Commit<'_>> = parents.iter().collect();
    git.commit(Some(branch), &signature, &signature, message, &tree, &parents)
        .unwrap()
}
