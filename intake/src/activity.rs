//! Who changed what lately, from git history. The only part of this crate that does I/O: it reads
//! a repo's objects, never its hooks, filters or work tree.

use git2::{Commit, DiffOptions, Oid, Repository, Sort};
use holdpoint_schemas::Timestamp;

use crate::error::IntakeError;

/// Most commits that are looked at: enough for weeks of a busy monorepo.
const MAX_COMMITS: usize = 20_000;
/// Most commits whose diffs are made; each may touch many files.
const MAX_DIFFS: usize = 2_000;
/// So many commits in a row before `since` end the walk. Dates are set by committers' clocks, so
/// one old commit doesn't mean that all before it are older.
const OLD_RUN: usize = 500;
/// Longest summary, in characters.
const MAX_SUMMARY: usize = 200;

/// A commit that touched files of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Commit id, 40 hexadecimal digits.
    pub commit: String,
    /// Author's name.
    pub author: String,
    /// Author's email address.
    pub email: String,
    /// Committer's time: when it came to be in this form.
    pub at: Timestamp,
    /// First line of the message.
    pub summary: String,
    /// Which of the paths it touched.
    pub paths: Vec<String>,
}

/// Commits reachable from `branch_commit`, with a committer time from `since` up to and without
/// `until`, that touched one of `paths` (files, or folders for all below), latest first. A merge
/// counts with what it brought to its first parent. Commits for whose id (40 hex digits)
/// `is_own` says yes are left out: what Holdpoint merged is known from the ledger, not from a name or
/// trailer that anyone can write.
///
/// # Errors
/// When the commit or its history can't be read, or the history is too long to be sure that
/// nothing is missing.
pub fn recent_pushes(
    repo: &Repository,
    branch_commit: &str,
    paths: &[String],
    since: Timestamp,
    until: Timestamp,
    is_own: &dyn Fn(&str) -> bool,
) -> Result<Vec<Push>, IntakeError> {
    let failed = |error: &git2::Error| IntakeError::Git {
        commit: branch_commit.to_owned(),
        message: error.message().to_owned(),
    };
    let too_long = |limit| IntakeError::HistoryTooLong {
        commit: branch_commit.to_owned(),
        limit,
    };
    let commits = commits_within(repo, branch_commit, since, until).map_err(|error| failed(&error))?;
    let commits = commits.ok_or_else(|| too_long(MAX_COMMITS))?;
    if commits.len() > MAX_DIFFS {
        return Err(too_long(MAX_DIFFS));
    }
    let mut pushes = Vec::new();
    for (at, commit) in commits {
        if is_own(&commit.id().to_string()) {
            continue;
        }
        let touched = touched(repo, &commit, paths).map_err(|error| failed(&error))?;
        if !touched.is_empty() {
            pushes.push(Push {
                commit: commit.id().to_string(),
                author: plain(&String::from_utf8_lossy(commit.author().name_bytes())),
                email: plain(&String::from_utf8_lossy(commit.author().email_bytes())),
                at,
                summary: plain(&String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default())),
                paths: touched,
            });
        }
    }
    pushes.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.commit.cmp(&b.commit)));
    Ok(pushes)
}

/// The commits of the time span; `None` when the walk would be too long.
fn commits_within<'a>(
    repo: &'a Repository,
    branch_commit: &str,
    since: Timestamp,
    until: Timestamp,
) -> Result<Option<Vec<(Timestamp, Commit<'a>)>>, git2::Error> {
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TIME)?;
    walk.push(Oid::from_str(branch_commit)?)?;
    let (mut found, mut old_run) = (Vec::new(), 0usize);
    for (seen, id) in walk.enumerate() {
        if seen >= MAX_COMMITS {
            return Ok(None);
        }
        let commit = repo.find_commit(id?)?;
        // A time that no clock shows is taken as recent: it may not hide a push.
        let at = Timestamp::from_second(commit.time().seconds()).unwrap_or(since);
        if at < since {
            old_run += 1;
            if old_run >= OLD_RUN {
                break;
            }
            continue;
        }
        old_run = 0;
        if at < until {
            found.push((at, commit));
        }
    }
    Ok(Some(found))
}

/// Which of the paths a commit touched, compared with its first parent.
fn touched(repo: &Repository, commit: &Commit<'_>, paths: &[String]) -> Result<Vec<String>, git2::Error> {
    let parent = match commit.parent_count() {
        0 => None,
        _ => Some(commit.parent(0)?.tree()?),
    };
    let mut options = DiffOptions::new();
    options.skip_binary_check(true).ignore_submodules(true);
    let diff = repo.diff_tree_to_tree(parent.as_ref(), Some(&commit.tree()?), Some(&mut options))?;
    let mut changed: Vec<Vec<u8>> = Vec::new();
    for delta in diff.deltas() {
        changed.extend(
            [delta.old_file(), delta.new_file()]
                .iter()
                .filter_map(|file| file.path_bytes())
                .map(<[u8]>::to_vec),
        );
    }
    let is_touched = |path: &&String| {
        let wanted = path.trim_end_matches('/').as_bytes();
        changed.iter().any(|name| {
            name.strip_prefix(wanted)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        })
    };
    Ok(paths.iter().filter(is_touched).cloned().collect())
}

/// Text that someone else wrote, fit for a report: no control characters, bounded.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_SUMMARY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::{Signature, Time};
    use std::path::Path;

    const DAY: i64 = 86_400;
    const NOW: i64 = 1_773_714_600;

    struct Fixture {
        _folder: tempfile::TempDir,
        repo: Repository,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let repo = Repository::init_bare(folder.path()).unwrap();
            Self { _folder: folder, repo }
        }

        /// A commit that adds or changes one file.
        fn commit(&self, path: &str, text: &str, who: &str, at: i64, parents: &[Oid]) -> Oid {
            let signature = Signature::new(who, &format!("{who}@x.example"), &Time::new(at, 0)).unwrap();
            let parents: Vec<Commit<'_>> = parents.iter().map(|id| self.repo.find_commit(*id).unwrap()).collect();
            let base = parents.first().map(|parent| parent.tree().unwrap());
            let mut index = git2::Index::new().unwrap();
            if let Some(base) = &base {
                index.read_tree(base).unwrap();
            }
            for other in parents.iter().skip(1) {
                for entry in other.tree().unwrap().iter() {
                    let name = entry.name().unwrap().to_owned();
                    if index.get_path(Path::new(&name), 0).is_none() {
                        self.add(&mut index, &name, entry.id());
                    }
                }
            }
            self.add(&mut index, path, self.repo.blob(text.as_bytes()).unwrap());
            let tree = self.repo.find_tree(index.write_tree_to(&self.repo).unwrap()).unwrap();
            let parents: Vec<&Commit<'_>> = parents.iter().collect();
            self.repo
                .commit(
                    None,
                    &signature,
                    &signature,
                    &format!("change {path}\n\nbody"),
                    &tree,
                    &parents,
                )
                .unwrap()
        }

        fn add(&self, index: &mut git2::Index, path: &str, id: Oid) {
            let zero = git2::IndexTime::new(0, 0);
            let entry = git2::IndexEntry {
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

        fn pushes(&self, head: Oid, paths: &[&str], own: &str) -> Vec<Push> {
            let at = |seconds| Timestamp::from_second(seconds).unwrap();
            let paths: Vec<String> = paths.iter().map(|p| (*p).to_owned()).collect();
            let is_own = |commit: &str| commit == own;
            recent_pushes(&self.repo, &head.to_string(), &paths, at(NOW - DAY), at(NOW), &is_own).unwrap()
        }
    }

    #[test]
    fn a_push_of_yesterday_to_the_same_file_is_found() {
        let fixture = Fixture::new();
        let old = fixture.commit("config", "1", "ana", NOW - 9 * DAY, &[]);
        let recent = fixture.commit("config", "2", "ben", NOW - 3600, &[old]);
        let head = fixture.commit("other", "1", "cy", NOW - 60, &[recent]);
        let pushes = fixture.pushes(head, &["config"], "");
        let [push] = pushes.as_slice() else {
            panic!("{pushes:?}")
        };
        assert_eq!(
            (push.commit.as_str(), push.author.as_str()),
            (recent.to_string().as_str(), "ben")
        );
        assert_eq!(
            (push.email.as_str(), push.summary.as_str()),
            ("ben@x.example", "change config")
        );
        assert_eq!(push.paths, ["config"]);
        assert!(fixture.pushes(head, &["conf"], "").is_empty());
        assert!(fixture.pushes(head, &["config"], &recent.to_string()).is_empty());
        assert_eq!(
            fixture.pushes(head, &["config"], "ben@x.example").len(),
            1,
            "an address proves nothing"
        );
    }

    #[test]
    fn what_comes_after_the_moment_is_not_seen() {
        let fixture = Fixture::new();
        let head = fixture.commit("config", "1", "ana", NOW, &[]);
        assert!(fixture.pushes(head, &["config"], "").is_empty());
    }

    #[test]
    fn a_merge_counts_with_what_it_brings_though_its_commits_are_old() {
        let fixture = Fixture::new();
        let base = fixture.commit("a", "1", "ana", NOW - 30 * DAY, &[]);
        let side = fixture.commit("config", "1", "ben", NOW - 20 * DAY, &[base]);
        let main = fixture.commit("a", "2", "ana", NOW - 10 * DAY, &[base]);
        let merge = fixture.commit("a", "2", "cy", NOW - 60, &[main, side]);
        let pushes = fixture.pushes(merge, &["config"], "");
        assert_eq!(pushes.len(), 1);
        assert_eq!(pushes[0].author, "cy");
    }

    #[test]
    fn a_commit_with_a_wrong_clock_does_not_hide_those_before_it() {
        let fixture = Fixture::new();
        let recent = fixture.commit("config", "1", "ben", NOW - 3600, &[]);
        let skewed = fixture.commit("b", "1", "cy", 0, &[recent]);
        assert_eq!(fixture.pushes(skewed, &["config"], "").len(), 1);
    }

    #[test]
    fn a_commit_that_is_not_there_is_an_error() {
        let fixture = Fixture::new();
        let at = Timestamp::from_second(NOW).unwrap();
        for commit in ["main", "0123456789012345678901234567890123456789", ""] {
            let error = recent_pushes(&fixture.repo, commit, &[], at, at, &|_| false).unwrap_err();
            assert!(matches!(error, IntakeError::Git { .. }), "{commit}");
        }
    }
}
