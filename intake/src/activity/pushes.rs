//! What others pushed to files of interest.

use git2::{Commit, Repository};
use holdpoint_schemas::Timestamp;

use super::history::{People, changed, commits_within, failed, is_within, lossy};
use crate::error::IntakeError;

/// Most commits that are looked at: enough for weeks of a busy monorepo.
const MAX_COMMITS: usize = 20_000;
/// Most commits whose diffs are made; each may touch many files.
const MAX_DIFFS: usize = 2_000;

/// A commit that touched files of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Commit id, 40 hexadecimal digits.
    pub commit: String,
    /// Author's name, by the repo's `.mailmap`.
    pub author: String,
    /// Author's email address, by the repo's `.mailmap`.
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
/// trailer that anyone can write. A commit whose date contradicts the commits before it counts as recent, at `since`;
/// one with an older date that agrees with them can't be told from one that is old.
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
    let failed = failed(branch_commit);
    let too_long = |limit| IntakeError::HistoryTooLong {
        commit: branch_commit.to_owned(),
        limit,
    };
    let commits = commits_within(repo, branch_commit, since, until, since, MAX_COMMITS).map_err(&failed)?;
    let commits = commits.ok_or_else(|| too_long(MAX_COMMITS))?;
    if commits.len() > MAX_DIFFS {
        return Err(too_long(MAX_DIFFS));
    }
    let people = People::at(repo, branch_commit);
    let mut pushes = Vec::new();
    for (at, commit) in commits {
        if is_own(&commit.id().to_string()) {
            continue;
        }
        let touched = touched(repo, &commit, paths).map_err(&failed)?;
        if !touched.is_empty() {
            let (author, email) = people.author(&commit);
            pushes.push(Push {
                commit: commit.id().to_string(),
                author,
                email,
                at,
                summary: lossy(commit.summary_bytes().unwrap_or_default()),
                paths: touched,
            });
        }
    }
    pushes.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.commit.cmp(&b.commit)));
    Ok(pushes)
}

/// Which of the paths a commit touched.
fn touched(repo: &Repository, commit: &Commit<'_>, paths: &[String]) -> Result<Vec<String>, git2::Error> {
    let changed = changed(repo, commit)?;
    let is_touched = |path: &&String| {
        let wanted = path.trim_end_matches('/').as_bytes();
        changed.iter().any(|name| is_within(name, wanted))
    };
    Ok(paths.iter().filter(is_touched).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{DAY, Fixture, NOW, moment};
    use super::*;
    use git2::Oid;

    impl Fixture {
        fn pushes(&self, head: Oid, paths: &[&str], own: &str) -> Vec<Push> {
            let paths: Vec<String> = paths.iter().map(|p| (*p).to_owned()).collect();
            let is_own = |commit: &str| commit == own;
            recent_pushes(
                &self.repo,
                &head.to_string(),
                &paths,
                moment(NOW - DAY),
                moment(NOW),
                &is_own,
            )
            .unwrap()
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
        assert_eq!(fixture.pushes(skewed, &["b"], "").len(), 1, "nor itself");
    }

    #[test]
    fn backdated_commits_in_a_row_and_behind_a_merge_are_recent() {
        let fixture = Fixture::new();
        let base = fixture.commit("a", "1", "ana", NOW - 3 * DAY, &[]);
        let first = fixture.commit("config", "1", "ben", 0, &[base]);
        let second = fixture.commit("config", "2", "ben", DAY, &[first]);
        assert_eq!(fixture.pushes(second, &["config"], "").len(), 2);
        let mut side = base;
        for n in 0..600_i64 {
            side = fixture.commit("a", &n.to_string(), "ana", NOW - 3 * DAY + n, &[side]);
        }
        let merge = fixture.commit("a", "2", "cy", NOW - 60, &[second, side]);
        assert_eq!(fixture.pushes(merge, &["config"], "").len(), 2);
    }

    #[test]
    fn a_plausible_old_date_is_believed_and_so_is_a_small_skew() {
        let fixture = Fixture::new();
        let base = fixture.commit("a", "1", "ana", NOW - 3 * DAY, &[]);
        let head = fixture.commit("config", "1", "ben", NOW - 3 * DAY - 3600, &[base]);
        assert!(fixture.pushes(head, &["config"], "").is_empty());
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

    #[test]
    fn a_push_to_a_caller_is_found_by_the_callers_path() {
        let fixture = Fixture::new();
        let base = fixture.commit("lib/money.py", "1", "ana", NOW - 30 * DAY, &[]);
        let head = fixture.commit("web/checkout.py", "1", "ben", NOW - 60, &[base]);
        assert!(fixture.pushes(head, &["lib/money.py"], "").is_empty());
        assert_eq!(
            fixture.pushes(head, &["web/checkout.py", "web/cart.py"], "")[0].paths,
            ["web/checkout.py"]
        );
    }

    #[test]
    fn people_are_named_by_the_mailmap() {
        let fixture = Fixture::new();
        let map = "Ana Lima <ana@corp.example> <ana@x.example>\nbroken <\n";
        let base = fixture.commit(".mailmap", map, "cy", NOW - 30 * DAY, &[]);
        let head = fixture.commit("config", "1", "ana", NOW - 60, &[base]);
        let push = fixture.pushes(head, &["config"], "").remove(0);
        assert_eq!(
            (push.author.as_str(), push.email.as_str()),
            ("Ana Lima", "ana@corp.example")
        );
    }
}
