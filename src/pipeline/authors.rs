//! Who wrote a candidate fix, as its commits or its patch say.

use git2::{Oid, Repository};
use std::collections::BTreeSet;

/// Most commits of a candidate's branch that are looked at: far more than a fix has.
const MAX_COMMITS: usize = 1_000;
/// Longest head of a patch that is looked at, in bytes: what stands before the first file.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Most people of one fix.
const MAX_AUTHORS: usize = 100;
/// Longest name and address, in characters.
const MAX_LENGTH: usize = 320;

/// Lines that name somebody who had a part in a change (git-format-patch(1), git-interpret-trailers(1)).
const NAMED: [&str; 5] = ["from:", "author:", "co-authored-by:", "signed-off-by:", "committer:"];

/// Authors, committers and co-authors of the commits that `head` has and `base` doesn't.
pub fn of_commits(repo: &Repository, base: &str, head: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut walk = || -> Result<(), git2::Error> {
        let mut walk = repo.revwalk()?;
        walk.push(Oid::from_str(head)?)?;
        walk.hide(Oid::from_str(base)?)?;
        for id in walk.take(MAX_COMMITS) {
            let commit = repo.find_commit(id?)?;
            for who in [commit.author(), commit.committer()] {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                found.insert(format!("{} <{}>", text(who.name_bytes()), text(who.email_bytes())));
            }
            found.extend(named(&String::from_utf8_lossy(commit.message_bytes())));
        }
        Ok(())
    };
    // What can't be read wasn't applied either.
    let _ = walk();
    kept(found)
}

/// Everyone whom the head of a patch names: what `git format-patch` writes before the first file.
pub fn of_patch(bytes: &[u8]) -> Vec<String> {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(MAX_HEAD_BYTES)).unwrap_or_default());
    let before_files = head
        .lines()
        .take_while(|line| !line.starts_with("diff --git ") && !line.starts_with("--- a/") && !line.starts_with("@@ "));
    kept(before_files.flat_map(named).collect())
}

fn named(text: &str) -> Vec<String> {
    let person = |line: &str| {
        let line = line.trim();
        let prefix = NAMED.iter().find(|prefix| {
            line.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })?;
        let who = line.get(prefix.len()..)?.trim();
        who.contains('@').then(|| who.to_owned())
    };
    text.lines().filter_map(person).collect()
}

fn kept(found: BTreeSet<String>) -> Vec<String> {
    found
        .into_iter()
        .map(|who| who.chars().filter(|c| !c.is_control()).take(MAX_LENGTH).collect())
        .take(MAX_AUTHORS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_names_its_authors_in_its_head_alone() {
        let patch = "From abc Mon Sep 17 00:00:00 2001\nFrom: Ana Lopez <ana@x.example>\nSubject: [PATCH] y\n\n\
                     Co-Authored-By: Bo <bo@x.example>\nSigned-off-by: nobody\n---\n a | 2 +-\n\
                     diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+From: Eve <eve@x.example>\n";
        assert_eq!(
            of_patch(patch.as_bytes()),
            ["Ana Lopez <ana@x.example>", "Bo <bo@x.example>"]
        );
        assert!(of_patch(b"--- a/x\n+++ b/x\n").is_empty());
        assert!(of_patch(&[0xff, 0xfe]).is_empty());
    }

    #[test]
    fn a_branch_names_everyone_who_had_a_part_in_its_commits() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repository::init(folder.path()).unwrap();
        let tree = repo
            .find_tree(repo.treebuilder(None).unwrap().write().unwrap())
            .unwrap();
        let who =
            |name: &str| git2::Signature::new(name, &format!("{name}@x.example"), &git2::Time::new(0, 0)).unwrap();
        let commit = |author: &str, committer: &str, message: &str, parents: &[Oid]| {
            let parents: Vec<_> = parents.iter().map(|id| repo.find_commit(*id).unwrap()).collect();
            let parents: Vec<_> = parents.iter().collect();
            repo.commit(None, &who(author), &who(committer), message, &tree, &parents)
                .unwrap()
        };
        let base = commit("old", "old", "base", &[]);
        let first = commit("ana", "ana", "first\n\nCo-authored-by: Cy <cy@x.example>\n", &[base]);
        let head = commit("bot", "bo", "second", &[first]);
        assert_eq!(
            of_commits(&repo, &base.to_string(), &head.to_string()),
            [
                "Cy <cy@x.example>",
                "ana <ana@x.example>",
                "bo <bo@x.example>",
                "bot <bot@x.example>"
            ]
        );
    }
}
