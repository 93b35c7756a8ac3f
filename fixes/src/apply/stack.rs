//! One change on top of another that began at the same base.

use git2::{Repository, Tree};

use super::{Applied, compare, full_id};
use crate::FixError;

/// The tree of `ours` with what `theirs` changes of `base` as well: a three-way merge in the object database.
/// `None`: both change the same place. No driver, filter or attribute of the repo runs a program.
///
/// # Errors
/// When a tree isn't there, or the object database can't be written.
pub fn merge_trees(repo: &Repository, base: &str, ours: &str, theirs: &str) -> Result<Option<String>, FixError> {
    let mut merged = repo.merge_trees(&tree(repo, base)?, &tree(repo, ours)?, &tree(repo, theirs)?, None)?;
    if merged.has_conflicts() {
        return Ok(None);
    }
    Ok(Some(merged.write_tree_to(repo)?.to_string()))
}

/// What lies between two trees, as a candidate.
///
/// # Errors
/// When a tree isn't there, nothing differs, or the difference touches what no fix may touch.
pub fn between(repo: &Repository, base: &str, candidate: &str) -> Result<Applied, FixError> {
    compare(repo, &tree(repo, base)?, &tree(repo, candidate)?)
}

fn tree<'r>(repo: &'r Repository, id: &str) -> Result<Tree<'r>, FixError> {
    repo.find_tree(full_id("tree", id)?).map_err(|_| FixError::Missing {
        what: "tree",
        id: id.to_owned(),
    })
}
