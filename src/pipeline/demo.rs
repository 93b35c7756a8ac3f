//! The demo: turns `examples/fintech` into an estate with real git repos and bare remotes.

use anyhow::{Context, Result};
use git2::{Index, IndexEntry, IndexTime, Oid, Repository, Signature, Time};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::FindingRef;
use holdpoint_schemas::{Level, Timestamp};
use include_dir::{Dir, DirEntry, include_dir};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::candidates::matches;
use super::report::{ReportItem, RunReport, Scenario};
use crate::failure::BadInput;

static FINTECH: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/fintech");

/// The moment at which the demo takes place: a night in a quarter close.
pub const CLOCK: &str = "2026-03-17T02:30:00Z";
/// Who may approve in the demo.
pub const APPROVER: &str = "rosa@fintech.example";

/// `history.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryFile {
    repos: BTreeMap<String, RepoHistory>,
}

/// Commits of one repo's `main`, oldest first; further branches by the index of their commit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepoHistory {
    commits: Vec<CommitEntry>,
    #[serde(default)]
    branches: BTreeMap<String, usize>,
}

/// One commit: the first holds the whole of `repos/<name>`, later ones apply a patch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitEntry {
    author: String,
    email: String,
    at: Timestamp,
    message: String,
    #[serde(default)]
    patch: Option<String>,
}

/// `scenarios.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenariosFile {
    scenarios: Vec<ScenarioEntry>,
}

/// What one finding must end as.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioEntry {
    id: String,
    title: String,
    finding: ScenarioFinding,
    must_be: Level,
    must_name: String,
}

/// Points at one finding.
#[derive(Debug, Deserialize)]
struct ScenarioFinding {
    repo: String,
    branch: String,
    #[serde(flatten)]
    reference: ScenarioReference,
}

/// The finding's own fields.
#[derive(Debug, Deserialize)]
struct ScenarioReference {
    scanner: String,
    rule: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    purl: Option<String>,
    #[serde(default)]
    address: Option<String>,
}

/// A demo estate on disk.
#[derive(Debug)]
pub struct Demo {
    /// The estate's folder.
    pub estate: PathBuf,
    /// Private key of the demo's approver.
    pub key: PathBuf,
}

impl Demo {
    /// Paths of the demo in `root`.
    fn at(root: &Path) -> Self {
        Self {
            estate: root.join("estate"),
            key: root.join("keys").join("rosa"),
        }
    }
}

/// Makes the demo in `root`, which must be empty or not there.
///
/// # Errors
/// When `root` holds something, or can't be written.
pub fn make(root: &Path) -> Result<Demo> {
    if std::fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BadInput::new(
            format!("`{}` isn't empty", root.display()),
            "name a new folder with `--dir`",
        )
        .into());
    }
    std::fs::create_dir_all(root).with_context(|| format!("making `{}`", root.display()))?;
    let root = root.canonicalize()?;
    let demo = Demo::at(&root);
    for folder in ["estate", "packages"] {
        write_folder(subfolder(folder)?, Path::new(folder), &root.join(folder))?;
    }
    let history: HistoryFile = serde_yaml::from_str(text("history.yaml")?).context("reading the example's history")?;
    for (name, repo) in &history.repos {
        make_remote(&root.join("remotes").join(format!("{name}.git")), name, repo)?;
    }
    make_key(&demo)?;
    Ok(demo)
}

fn subfolder(name: &str) -> Result<&'static Dir<'static>> {
    FINTECH
        .get_dir(name)
        .with_context(|| format!("the example has no folder `{name}`"))
}

fn text(name: &str) -> Result<&'static str> {
    FINTECH
        .get_file(name)
        .and_then(|file| file.contents_utf8())
        .with_context(|| format!("the example has no file `{name}`"))
}

fn write_folder(folder: &Dir<'_>, prefix: &Path, target: &Path) -> Result<()> {
    for (path, contents) in files(folder) {
        let path = target.join(path.strip_prefix(prefix)?);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, contents).with_context(|| format!("writing `{}`", path.display()))?;
    }
    Ok(())
}

fn files<'a>(folder: &'a Dir<'a>) -> Vec<(&'a Path, &'a [u8])> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(inner) => folders.push(inner),
                DirEntry::File(file) => found.push((file.path(), file.contents())),
            }
        }
    }
    found
}

fn make_remote(path: &Path, name: &str, history: &RepoHistory) -> Result<()> {
    let repo = Repository::init_bare(path).with_context(|| format!("making the remote of `{name}`"))?;
    let mut commits: Vec<Oid> = Vec::new();
    for entry in &history.commits {
        let parent = commits.last().map(|commit| repo.find_commit(*commit)).transpose()?;
        let tree = match (&entry.patch, &parent) {
            (None, None) => whole_tree(&repo, name)?,
            (Some(patch), Some(parent)) => patched_tree(&repo, &parent.id().to_string(), patch)?,
            _ => anyhow::bail!("the first commit of `{name}` has no patch, and every later one has"),
        };
        let signature = Signature::new(&entry.author, &entry.email, &Time::new(entry.at.as_second(), 0))?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        commits.push(repo.commit(
            None,
            &signature,
            &signature,
            &entry.message,
            &repo.find_tree(tree)?,
            &parents,
        )?);
    }
    let head = commits.last().with_context(|| format!("`{name}` has no commit"))?;
    repo.reference("refs/heads/main", *head, true, "demo")?;
    repo.set_head("refs/heads/main")?;
    for (branch, index) in &history.branches {
        let commit = commits
            .get(*index)
            .with_context(|| format!("`{name}` has no commit {index}"))?;
        repo.reference(&format!("refs/heads/{branch}"), *commit, true, "demo")?;
    }
    Ok(())
}

fn whole_tree(repo: &Repository, name: &str) -> Result<Oid> {
    let prefix = Path::new("repos").join(name);
    let folder = FINTECH
        .get_dir(&prefix)
        .with_context(|| format!("the example has no repo `{name}`"))?;
    let mut index = Index::new()?;
    for (path, contents) in files(folder) {
        let path = path.strip_prefix(&prefix)?.to_string_lossy().into_owned();
        index.add(&IndexEntry {
            ctime: IndexTime::new(0, 0),
            mtime: IndexTime::new(0, 0),
            dev: 0,
            ino: 0,
            mode: 0o100_644,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: repo.blob(contents)?,
            flags: 0,
            flags_extended: 0,
            path: path.into_bytes(),
        })?;
    }
    Ok(index.write_tree_to(repo)?)
}

fn patched_tree(repo: &Repository, parent: &str, patch: &str) -> Result<Oid> {
    let file = format!("history/{patch}");
    let file = if FINTECH.get_file(patch).is_some() {
        patch
    } else {
        &file
    };
    let patch = holdpoint_fixes::patch::read_patch(file, text(file)?.as_bytes())?;
    let applied = holdpoint_fixes::apply::apply_patch(repo, parent, &patch)?;
    Ok(Oid::from_str(&applied.candidate_tree)?)
}

/// A key of the demo's own, made anew each time: an example must not hold a private key.
fn make_key(demo: &Demo) -> Result<()> {
    let folder = demo.key.parent().context("a key lies in a folder")?;
    std::fs::create_dir_all(folder)?;
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", APPROVER, "-f"])
        .arg(&demo.key)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| {
            BadInput::new(
                format!("`ssh-keygen` can't be run: {error}"),
                "install OpenSSH's client programs",
            )
        })?;
    anyhow::ensure!(made.success(), "`ssh-keygen` couldn't make the demo's key");
    let public = std::fs::read_to_string(demo.key.with_extension("pub"))?;
    let line = format!(
        "{APPROVER} namespaces=\"{},{}\" {}\n",
        holdpoint_schemas::approval::APPROVAL_NAMESPACE,
        holdpoint_schemas::order::ORDER_NAMESPACE,
        public.trim()
    );
    std::fs::write(demo.estate.join("approvers"), line).context("writing the demo's approvers")
}

/// Puts each scenario beside the item that it is about, in the order of the scenarios.
///
/// # Errors
/// When a scenario's finding isn't among the items: the example doesn't show what it says.
pub fn annotate(report: &mut RunReport) -> Result<()> {
    let file: ScenariosFile =
        serde_yaml::from_str(text("estate/scenarios.yaml")?).context("reading the example's scenarios")?;
    let mut ordered = Vec::new();
    for entry in file.scenarios {
        let is_about = |item: &ReportItem| is_about(&entry, &item.finding);
        let index = report
            .items
            .iter()
            .position(is_about)
            .with_context(|| format!("no finding is the one of the scenario `{}`", entry.id))?;
        let mut item = report.items.remove(index);
        let met = item.decision.level == entry.must_be
            && reasons(&item).to_lowercase().contains(&entry.must_name.to_lowercase());
        item.scenario = Some(Scenario {
            id: entry.id,
            title: entry.title,
            must_be: entry.must_be,
            must_name: entry.must_name,
            met,
        });
        ordered.push(item);
    }
    ordered.append(&mut report.items);
    report.items = ordered;
    Ok(())
}

fn is_about(entry: &ScenarioEntry, finding: &RepoFinding) -> bool {
    let ScenarioReference {
        scanner,
        rule,
        path,
        purl,
        address,
    } = &entry.finding.reference;
    let reference = FindingRef {
        scanner: scanner.clone(),
        rule: rule.clone(),
        path: path.clone(),
        purl: purl.clone(),
        alias: None,
        address: address.clone(),
    };
    finding.repo == entry.finding.repo && finding.branch == entry.finding.branch && matches(&reference, finding)
}

/// All that an item gives as reasons: its bounds, unknowns, permits and advice.
fn reasons(item: &ReportItem) -> String {
    let mut text: Vec<&str> = item.decision.permitted_by.iter().map(String::as_str).collect();
    for bound in &item.decision.bounds {
        text.push(&bound.reason);
        text.extend(
            bound
                .unknowns
                .iter()
                .flat_map(|unknown| [unknown.id.as_str(), unknown.why.as_str()]),
        );
    }
    text.extend(
        item.unknowns
            .iter()
            .flat_map(|unknown| [unknown.id.as_str(), unknown.why.as_str(), unknown.resolver.as_str()]),
    );
    text.extend(item.advice.iter().map(String::as_str));
    text.join("\n")
}
