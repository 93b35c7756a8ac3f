//! Bare repos for tests.

use git2::{Commit, Index, IndexEntry, IndexTime, Oid, Repository, Signature, Time};
use holdpoint_schemas::Timestamp;
use std::path::Path;

pub const DAY: i64 = 86_400;
pub const NOW: i64 = 1_773_714_600;

pub fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

pub struct Fixture {
    _folder: tempfile::TempDir,
    pub repo: Repository,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(folder.path()).unwrap();
        Self { _folder: folder, repo }
    }

    /// A commit that adds or changes one file.
    pub fn commit(&self, path: &str, text: &str, who: &str, at: i64, parents: &[Oid]) -> Oid {
        let message = format!("change {path}\n\nbody");
        self.commit_all(&[(path, Some(text))], &message, who, at, parents)
    }

    /// A commit that adds, changes or (`None`) removes files. What the other parents have besides the
    /// first is added.
    pub fn commit_all(
        &self,
        files: &[(&str, Option<&str>)],
        message: &str,
        who: &str,
        at: i64,
        parents: &[Oid],
    ) -> Oid {
        let signature = Signature::new(who, &format!("{who}@x.example"), &Time::new(at, 0)).unwrap();
        let parents: Vec<Commit<'_>> = parents.iter().map(|id| self.repo.find_commit(*id).unwrap()).collect();
        let mut index = Index::new().unwrap();
        if let Some(first) = parents.first() {
            index.read_tree(&first.tree().unwrap()).unwrap();
        }
        for other in parents.iter().skip(1) {
            for entry in other.tree().unwrap().iter() {
                let name = entry.name().unwrap().to_owned();
                if index.get_path(Path::new(&name), 0).is_none() {
                    add(&mut index, &name, entry.id());
                }
            }
        }
        for (path, text) in files {
            match text {
                Some(text) => add(&mut index, path, self.repo.blob(text.as_bytes()).unwrap()),
                None => index.remove_path(Path::new(path)).unwrap(),
            }
        }
        let tree = self.repo.find_tree(index.write_tree_to(&self.repo).unwrap()).unwrap();
        let parents: Vec<&Commit<'_>> = parents.iter().collect();
        self.repo
            .commit(None, &signature, &signature, message, &tree, &parents)
            .unwrap()
    }

    pub fn branch(&self, name: &str, commit: Oid) {
        self.repo
            .branch(name, &self.repo.find_commit(commit).unwrap(), true)
            .unwrap();
    }

    pub fn tree(&self, commit: Oid) -> String {
        self.repo.find_commit(commit).unwrap().tree_id().to_string()
    }
}

fn add(index: &mut Index, path: &str, id: Oid) {
    let zero = IndexTime::new(0, 0);
    let entry = IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    };
    index.add(&entry).unwrap();
}
