//! Local mirrors of the governed repos: bare, fetched by the git command line with hooks off.

use anyhow::{Context, Result};
use holdpoint_intake::report::SourceLines;
use holdpoint_schemas::Digest;
use holdpoint_schemas::estate::RepoSettings;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::estate::Estate;

/// File of a repo's own settings.
pub const SETTINGS_FILE: &str = ".holdpoint.yaml";

/// A bare mirror of one governed repo.
pub struct Mirror {
    /// Repo name in the estate.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Its object database and refs.
    pub git: git2::Repository,
}

impl Mirror {
    /// Fetches the repo's remote into its mirror and opens it.
    ///
    /// # Errors
    /// When the remote can't be reached or isn't a git repo.
    pub fn fetch(estate: &Estate, name: &str) -> Result<Self> {
        let repo = estate.repo(name)?;
        let path = estate.state().join("mirrors").join(format!("{name}.git"));
        holdpoint_forge::git::fetch_mirror(&estate.remote(repo), &path)
            .with_context(|| format!("fetching the repo `{name}`"))?;
        let git = git2::Repository::open_bare(&path).with_context(|| format!("opening the mirror of `{name}`"))?;
        Ok(Self {
            name: name.to_owned(),
            path,
            git,
        })
    }

    /// Commit that a branch points at, if there is such a branch.
    pub fn head(&self, branch: &str) -> Option<String> {
        Some(
            self.git
                .find_branch(branch, git2::BranchType::Local)
                .ok()?
                .get()
                .target()?
                .to_string(),
        )
    }

    /// Tree of a commit.
    ///
    /// # Errors
    /// When there is no such commit.
    pub fn tree(&self, commit: &str) -> Result<String> {
        let commit = self.git.find_commit(git2::Oid::from_str(commit)?)?;
        Ok(commit.tree_id().to_string())
    }

    /// A file of a tree, as text.
    pub fn text(&self, tree: &str, path: &str) -> Option<String> {
        holdpoint_fixes::tree::read_blob(&self.git, tree, path).and_then(|bytes| String::from_utf8(bytes).ok())
    }

    /// The repo's own settings, from the base commit's tree. Without the file: none.
    ///
    /// # Errors
    /// When the file is there but can't be used; with its place.
    pub fn settings(&self, tree: &str) -> Result<RepoSettings> {
        match self.text(tree, SETTINGS_FILE) {
            Some(text) => Ok(holdpoint_intake::estate::read_repo_settings(
                &format!("{}/{SETTINGS_FILE}", self.name),
                &text,
            )?),
            None => Ok(RepoSettings::default()),
        }
    }

    /// The CI files of the default branch, which may say what is deployed where: path and text.
    pub fn ci_files(&self) -> Vec<(String, String)> {
        let Some(tree) = self.head("main").and_then(|head| self.tree(&head).ok()) else {
            return Vec::new();
        };
        holdpoint_fixes::tree::list_files(&self.git, &tree)
            .into_iter()
            .filter(|path| path.starts_with(".github/workflows/") || path == ".gitlab-ci.yml")
            .filter_map(|path| Some((path.clone(), self.text(&tree, &path)?)))
            .collect()
    }

    /// Lockfiles of a tree: path and text.
    pub fn lockfiles(&self, tree: &str) -> Vec<(String, String)> {
        holdpoint_fixes::tree::list_files(&self.git, tree)
            .into_iter()
            .filter(|path| holdpoint_intake::advisory::is_lockfile(path))
            .filter_map(|path| Some((path.clone(), self.text(tree, &path)?)))
            .collect()
    }
}

/// Source lines of one tree, read once per file.
pub struct TreeLines<'a> {
    mirror: &'a Mirror,
    tree: String,
    files: RefCell<BTreeMap<String, Option<Vec<String>>>>,
}

impl<'a> TreeLines<'a> {
    /// Lines of `tree`.
    pub const fn new(mirror: &'a Mirror, tree: String) -> Self {
        Self {
            mirror,
            tree,
            files: RefCell::new(BTreeMap::new()),
        }
    }
}

impl SourceLines for TreeLines<'_> {
    fn line(&self, path: &str, line: u32) -> Option<String> {
        let mut files = self.files.borrow_mut();
        let lines = files.entry(path.to_owned()).or_insert_with(|| {
            self.mirror
                .text(&self.tree, path)
                .map(|text| text.lines().map(str::to_owned).collect())
        });
        lines
            .as_ref()?
            .get(usize::try_from(line).ok()?.checked_sub(1)?)
            .cloned()
    }
}

/// Digest of a report's bytes, by which the ledger remembers the commit that it was read against.
pub fn report_digest(bytes: &[u8]) -> Digest {
    Digest::of_bytes(bytes)
}
