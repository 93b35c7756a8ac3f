//! The local forge: a bare repository as the remote, Markdown files as pull requests.

#[cfg(test)]
pub(crate) mod fixture;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::ForgeError;
use crate::git::{self, Pushed};
use crate::names::{id, our_branch_ref};
use crate::pull_request;
use crate::{Forge, Merge, MergeOutcome, Proposal, Published};

/// Longest document that is read back: far above what [`pull_request::render`] writes.
const MAX_DOCUMENT_BYTES: u64 = 4 << 20;

/// A forge without a server.
#[derive(Debug, Clone)]
pub struct LocalForge {
    /// Bare repository.
    pub remote: PathBuf,
    /// Bare cache that holds the candidate commits; see [`git::fetch_mirror`].
    pub cache: PathBuf,
    /// Folder of the pull-request documents, one per branch.
    pub pull_requests: PathBuf,
}

impl LocalForge {
    fn remote(&self) -> Result<&str, ForgeError> {
        self.remote.to_str().ok_or_else(|| ForgeError::Remote {
            remote: self.remote.to_string_lossy().into_owned(),
            why: "its path is not UTF-8",
        })
    }

    /// Where the document of a branch is: the branch's name as a path, which a valid name can't
    /// lead out of the folder.
    fn document(&self, branch: &str) -> Result<PathBuf, ForgeError> {
        our_branch_ref(branch)?;
        Ok(self.pull_requests.join(format!("{branch}.md")))
    }

    /// The commit must be in the cache, with the tested tree, as many commits on top of the expected base as were
    /// made: whatever else it is, it is not what the evidence is about.
    fn check_tested(&self, merge: &Merge) -> Result<(), ForgeError> {
        let wrong = |why: String| ForgeError::NotTested {
            commit: merge.commit.clone(),
            why,
        };
        let repo = open(&self.cache)?;
        let commit = repo
            .find_commit(id(&merge.commit)?)
            .map_err(|_| wrong("it is not in the cache".to_owned()))?;
        if commit.tree_id() != id(&merge.tree)? {
            return Err(wrong(format!(
                "its tree is `{}`, not `{}`",
                commit.tree_id(),
                merge.tree
            )));
        }
        let base = id(&merge.expected_base)?;
        let mut below = commit;
        for step in 1..=merge.commits.max(1) {
            let parents: Vec<git2::Oid> = below.parent_ids().collect();
            match parents.as_slice() {
                [parent] if step == merge.commits.max(1) && *parent == base => return Ok(()),
                [parent] if step < merge.commits => {
                    below = repo
                        .find_commit(*parent)
                        .map_err(|_| wrong("a commit below it is not in the cache".to_owned()))?;
                }
                _ => break,
            }
        }
        Err(wrong(format!(
            "it is not {} on top of `{base}`",
            commits(merge.commits)
        )))
    }

    /// Reads commit and tree from the remote itself, not from what we believe to have sent.
    fn check_there(&self, merge: &Merge) -> Result<(), ForgeError> {
        let found = self.head(&merge.branch)?;
        let tree = found.as_deref().map(|commit| {
            open(&self.remote)?
                .find_commit(id(commit)?)
                .map(|commit| commit.tree_id().to_string())
                .map_err(ForgeError::objects("reading the merged commit back"))
        });
        let tree = tree.transpose()?;
        if found.as_deref() == Some(&merge.commit) && tree.as_deref() == Some(&merge.tree) {
            return Ok(());
        }
        Err(ForgeError::NotThere {
            branch: merge.branch.clone(),
            commit: merge.commit.clone(),
            found: found.map_or_else(|| "nothing".to_owned(), |commit| format!("`{commit}`")),
        })
    }
}

impl Forge for LocalForge {
    fn head(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        git::remote_head(self.remote()?, branch)
    }

    fn publish(&self, proposal: &Proposal) -> Result<Published, ForgeError> {
        let document = self.document(&proposal.branch)?;
        let head = self.head(&proposal.branch)?;
        let existed = head.as_deref() == Some(&proposal.commit);
        if !existed {
            let pushed = git::push(
                &self.cache,
                self.remote()?,
                &proposal.branch,
                &proposal.commit,
                head.as_deref(),
            )?;
            if pushed == Pushed::Stale {
                return Err(ForgeError::BranchMoved {
                    branch: proposal.branch.clone(),
                });
            }
        }
        write_document(
            &self.pull_requests,
            &document,
            &pull_request::render(&proposal.document),
        )?;
        Ok(Published { existed, document })
    }

    fn merge(&self, merge: &Merge) -> Result<MergeOutcome, ForgeError> {
        self.check_tested(merge)?;
        let head = self.head(&merge.branch)?;
        if head.as_deref() != Some(&merge.commit) {
            if head.as_deref() != Some(&merge.expected_base) {
                return Ok(MergeOutcome::BaseMoved { head });
            }
            let (branch, commit) = (&merge.branch, &merge.commit);
            let pushed = git::push(&self.cache, self.remote()?, branch, commit, head.as_deref())?;
            if pushed == Pushed::Stale {
                let head = self.head(branch)?;
                if head.as_deref() != Some(commit) {
                    return Ok(MergeOutcome::BaseMoved { head });
                }
            }
        }
        self.check_there(merge)?;
        Ok(MergeOutcome::Merged)
    }

    fn close(&self, branch: &str, why: &str) -> Result<(), ForgeError> {
        let document = self.document(branch)?;
        if let Some(head) = self.head(branch)?
            && git::delete(&self.cache, self.remote()?, branch, &head)? == Pushed::Stale
        {
            return Err(ForgeError::BranchMoved {
                branch: branch.to_owned(),
            });
        }
        if let Some(text) = read_document(&document)? {
            write_document(&self.pull_requests, &document, &pull_request::closed(&text, why))?;
        }
        Ok(())
    }
}

fn commits(number: usize) -> String {
    match number {
        0 | 1 => "one commit".to_owned(),
        more => format!("{more} commits"),
    }
}

fn open(repo: &Path) -> Result<git2::Repository, ForgeError> {
    git2::Repository::open_bare(repo).map_err(ForgeError::objects("opening the repository"))
}

fn read_document(path: &Path) -> Result<Option<String>, ForgeError> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() && found.len() <= MAX_DOCUMENT_BYTES => std::fs::read_to_string(path)
            .map(Some)
            .map_err(ForgeError::io("reading the pull request")),
        Ok(_) => Err(ForgeError::Document { path: path.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ForgeError::io("reading the pull request")(error)),
    }
}

/// Writes beside the place and renames, so that a reader never sees half a document.
fn write_document(folder: &Path, path: &Path, text: &str) -> Result<(), ForgeError> {
    let doing = || "writing the pull request";
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(ForgeError::io(doing()))?;
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(ForgeError::io(doing()))?;
    file.write_all(text.as_bytes()).map_err(ForgeError::io(doing()))?;
    file.persist(path)
        .map_err(|error| ForgeError::io(doing())(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
