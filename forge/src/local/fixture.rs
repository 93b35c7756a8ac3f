//! A bare remote with one commit on `main`, and a cache of it.

use git2::{Repository, Signature, Time};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::LocalForge;
use crate::commit::{Candidate, commit_candidate};
use crate::git::fetch_mirror;

pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    pub(crate) remote: PathBuf,
    pub(crate) cache: PathBuf,
    /// What `main` of the remote pointed at in the beginning.
    pub(crate) base: String,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (remote, cache) = (folder.path().join("remote.git"), folder.path().join("cache"));
        Repository::init_bare(&remote).unwrap();
        let mut fixture = Self {
            folder,
            remote,
            cache,
            base: String::new(),
        };
        fixture.base = fixture.write(&Repository::open_bare(&fixture.remote).unwrap(), &[], "base");
        fixture.set_remote("main", Some(&fixture.base));
        fetch_mirror(fixture.remote_str(), &fixture.cache).unwrap();
        fixture
    }

    pub(crate) fn remote_str(&self) -> &str {
        self.remote.to_str().unwrap()
    }

    pub(crate) fn forge(&self) -> LocalForge {
        LocalForge {
            remote: self.remote.clone(),
            cache: self.cache.clone(),
            pull_requests: self.folder.path().join("pull-requests"),
        }
    }

    /// Somebody else's commit, in the remote only.
    pub(crate) fn commit_on(&self, parent: &str, text: &str) -> String {
        self.write(&Repository::open_bare(&self.remote).unwrap(), &[parent], text)
    }

    /// Our commit on top of the base, in the cache only.
    pub(crate) fn candidate(&self, text: &str) -> String {
        self.candidate_on(&self.base, text)
    }

    /// Our commit on top of another one, in the cache only.
    pub(crate) fn candidate_on(&self, parent: &str, text: &str) -> String {
        let repo = Repository::open_bare(&self.cache).unwrap();
        let tree = self.tree(&repo, text);
        commit_candidate(
            &repo,
            &Candidate {
                base_commit: parent.to_owned(),
                tree: tree.to_string(),
                author_name: "Holdpoint".to_owned(),
                author_email: "holdpoint@example.com".to_owned(),
                at: "2026-03-17T02:30:00Z".parse().unwrap(),
                message: text.to_owned(),
                trailers: vec![("Holdpoint-Finding".to_owned(), "hp1-00".to_owned())],
            },
        )
        .unwrap()
    }

    /// The tree of a commit in the cache.
    pub(crate) fn tree_of(&self, commit: &str) -> String {
        let repo = Repository::open_bare(&self.cache).unwrap();
        let commit = repo.find_commit(commit.parse().unwrap()).unwrap();
        commit.tree_id().to_string()
    }

    pub(crate) fn set_remote(&self, branch: &str, commit: Option<&str>) {
        let repo = Repository::open_bare(&self.remote).unwrap();
        let name = format!("refs/heads/{branch}");
        match commit {
            Some(commit) => drop(repo.reference(&name, commit.parse().unwrap(), true, "test").unwrap()),
            None => repo.find_reference(&name).unwrap().delete().unwrap(),
        }
    }

    pub(crate) fn remote_branch(&self, branch: &str) -> Option<String> {
        let repo = Repository::open_bare(&self.remote).unwrap();
        let found = repo.find_reference(&format!("refs/heads/{branch}")).ok()?;
        Some(found.target().unwrap().to_string())
    }

    pub(crate) fn hook(&self, repo: &Path, name: &str, script: &str) {
        std::fs::create_dir_all(repo.join("hooks")).unwrap();
        let hook = repo.join("hooks").join(name);
        std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn tree(&self, repo: &Repository, text: &str) -> git2::Oid {
        let blob = repo.blob(text.as_bytes()).unwrap();
        let mut builder = repo.treebuilder(None).unwrap();
        builder.insert("file", blob, 0o100_644).unwrap();
        builder.write().unwrap()
    }

    fn write(&self, repo: &Repository, parents: &[&str], text: &str) -> String {
        let tree = repo.find_tree(self.tree(repo, text)).unwrap();
        let author = Signature::new("dev", "dev@example.com", &Time::new(0, 0)).unwrap();
        let parents: Vec<_> = parents
            .iter()
            .map(|parent| repo.find_commit(parent.parse().unwrap()).unwrap())
            .collect();
        repo.commit(None, &author, &author, text, &tree, &parents.iter().collect::<Vec<_>>())
            .unwrap()
            .to_string()
    }
}
