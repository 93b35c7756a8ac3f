//! Open branches that a fix would make conflict: merged in memory, without a work tree.

use git2::{BranchType, Commit, MergeOptions, Oid, Repository, Tree};
use holdpoint_schemas::Timestamp;
use std::collections::BTreeSet;

use super::history::{People, changed_between, failed, is_within, time};
use crate::error::IntakeError;

/// Most open branches that are merged; with more the answer would be incomplete.
const MAX_BRANCHES: usize = 300;
/// Most renamed files that are looked for in one merge: libgit2 compares each with each.
const MAX_RENAMES: u32 = 200;

/// An open branch that conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchConflict {
    /// Branch.
    pub branch: String,
    /// Its tip, 40 hexadecimal digits.
    pub commit: String,
    /// Author of the tip, by the repo's `.mailmap`.
    pub author: String,
    /// When the tip was committed, where its clock makes sense.
    pub at: Option<Timestamp>,
    /// Paths that conflict with the fix and not without it.
    pub because_of_fix: Vec<String>,
    /// Paths that conflict with the base already, fix or no fix.
    pub already: Vec<String>,
}

/// Branches of a mirror that were committed to since `since`, aren't merged into the commit `base`,
/// touch what the fix touches, and conflict with `candidate_tree` (the base with the fix) or with the
/// base; latest first. `is_ignored` leaves out branches by name: the base branch, the fix's own, and
/// Holdpoint's. A branch whose history is unrelated can't be merged and isn't among them.
///
/// # Errors
/// When something can't be read, or there are more such branches than are looked at.
pub fn conflicting_branches(
    repo: &Repository,
    base: &str,
    candidate_tree: &str,
    since: Timestamp,
    is_ignored: &dyn Fn(&str) -> bool,
) -> Result<Vec<BranchConflict>, IntakeError> {
    let failed = failed(base);
    let base_commit = Oid::from_str(base)
        .and_then(|id| repo.find_commit(id))
        .map_err(&failed)?;
    let candidate = Oid::from_str(candidate_tree)
        .and_then(|id| repo.find_tree(id))
        .map_err(&failed)?;
    let base_tree = base_commit.tree().map_err(&failed)?;
    let touched = changed_between(repo, Some(&base_tree), &candidate).map_err(&failed)?;
    let open = open_branches(repo, since, is_ignored).map_err(&failed)?;
    if open.len() > MAX_BRANCHES {
        let message = format!("more than {MAX_BRANCHES} open branches");
        return Err(IntakeError::Git {
            commit: base.to_owned(),
            message,
        });
    }
    let people = People::at(repo, base);
    let mut found = Vec::new();
    for (branch, tip) in open {
        let Some(ancestor) = fork_point(repo, &base_commit, &tip).map_err(&failed)? else {
            continue;
        };
        let sides = Sides {
            repo,
            ancestor: &ancestor,
            theirs: &tip.tree().map_err(&failed)?,
        };
        if !sides.touch(&touched).map_err(&failed)? {
            continue;
        }
        let already = sides.conflicts(&base_tree).map_err(&failed)?;
        let with_fix = sides.conflicts(&candidate).map_err(&failed)?;
        if already.is_empty() && with_fix.is_empty() {
            continue;
        }
        found.push(BranchConflict {
            branch,
            commit: tip.id().to_string(),
            author: people.author(&tip).0,
            at: time(&tip),
            because_of_fix: with_fix.difference(&already).map(|path| shown(path)).collect(),
            already: already.iter().map(|path| shown(path)).collect(),
        });
    }
    found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.branch.cmp(&b.branch)));
    Ok(found)
}

/// A path fit for a report.
fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path)
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}

/// Branches with a recent tip, by name.
fn open_branches<'a>(
    repo: &'a Repository,
    since: Timestamp,
    is_ignored: &dyn Fn(&str) -> bool,
) -> Result<Vec<(String, Commit<'a>)>, git2::Error> {
    let mut open = Vec::new();
    for branch in repo.branches(Some(BranchType::Local))? {
        let (branch, _) = branch?;
        let name = String::from_utf8_lossy(branch.name_bytes()?).into_owned();
        if is_ignored(&name) {
            continue;
        }
        let tip = branch.get().peel_to_commit()?;
        if time(&tip).is_none_or(|at| at >= since) {
            open.push((name, tip));
        }
        if open.len() > MAX_BRANCHES {
            break;
        }
    }
    Ok(open)
}

/// The tree from which a branch went its own way; `None` when it is merged already or unrelated.
fn fork_point<'a>(repo: &'a Repository, base: &Commit<'_>, tip: &Commit<'_>) -> Result<Option<Tree<'a>>, git2::Error> {
    match repo.merge_base(base.id(), tip.id()) {
        Ok(fork) if fork == tip.id() => Ok(None),
        Ok(fork) => repo.find_commit(fork)?.tree().map(Some),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a branch did since it went its own way.
struct Sides<'a> {
    repo: &'a Repository,
    ancestor: &'a Tree<'a>,
    theirs: &'a Tree<'a>,
}

impl Sides<'_> {
    /// Whether the branch changed one of these paths, or something above or below one. Without that the
    /// fix can't be the cause of a conflict, and merging whole trees is spared.
    fn touch(&self, touched: &[Vec<u8>]) -> Result<bool, git2::Error> {
        let theirs = changed_between(self.repo, Some(self.ancestor), self.theirs)?;
        let meets = |path: &Vec<u8>| touched.iter().any(|fix| is_within(path, fix) || is_within(fix, path));
        Ok(theirs.iter().any(meets))
    }

    /// Paths that conflict when the branch is merged into `ours`.
    fn conflicts(&self, ours: &Tree<'_>) -> Result<BTreeSet<Vec<u8>>, git2::Error> {
        let mut options = MergeOptions::new();
        options.find_renames(true).target_limit(MAX_RENAMES);
        let merged = self
            .repo
            .merge_trees(self.ancestor, ours, self.theirs, Some(&options))?;
        let mut paths = BTreeSet::new();
        for conflict in merged.conflicts()? {
            let conflict = conflict?;
            let entry = conflict.our.or(conflict.their).or(conflict.ancestor);
            paths.extend(entry.map(|entry| entry.path));
        }
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{DAY, Fixture, NOW, moment};
    use super::*;

    const LINES: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

    struct Case {
        fixture: Fixture,
        start: Oid,
    }

    impl Case {
        fn new() -> Self {
            let fixture = Fixture::new();
            let files = [
                ("app.py", Some(LINES)),
                ("lib.py", Some(LINES)),
                ("note.md", Some("x\n")),
            ];
            let start = fixture.commit_all(&files, "start", "ana", NOW - 30 * DAY, &[]);
            fixture.branch("main", start);
            Self { fixture, start }
        }

        /// The fix changes line three of `app.py`.
        fn look(&self, base: Oid) -> Result<Vec<BranchConflict>, IntakeError> {
            let fix = self
                .fixture
                .commit("app.py", &LINES.replace("three", "THREE"), "bot", NOW, &[base]);
            let since = moment(NOW - 14 * DAY);
            let is_ignored = |name: &str| name == "main" || name.starts_with("holdpoint/");
            conflicting_branches(
                &self.fixture.repo,
                &base.to_string(),
                &self.fixture.tree(fix),
                since,
                &is_ignored,
            )
        }

        fn branch(&self, name: &str, path: &str, text: &str, at: i64) {
            let tip = self.fixture.commit(path, text, "ben", at, &[self.start]);
            self.fixture.branch(name, tip);
        }
    }

    #[test]
    fn a_branch_that_changes_the_same_line_conflicts_because_of_the_fix() {
        let case = Case::new();
        case.branch("feature", "app.py", &LINES.replace("three", "drei"), NOW - DAY);
        let [conflict] = &case.look(case.start).unwrap()[..] else {
            panic!("one was expected")
        };
        assert_eq!((conflict.branch.as_str(), conflict.author.as_str()), ("feature", "ben"));
        assert_eq!(
            (conflict.because_of_fix.as_slice(), conflict.already.len()),
            (&["app.py".to_owned()][..], 0)
        );
    }

    #[test]
    fn branches_that_merge_cleanly_are_old_merged_ignored_or_elsewhere_do_not_count() {
        let case = Case::new();
        let clash = LINES.replace("three", "drei");
        case.branch("other-line", "app.py", &LINES.replace("seven", "sieben"), NOW - DAY);
        case.branch("other-file", "lib.py", &clash, NOW - DAY);
        case.branch("same-change", "app.py", &LINES.replace("three", "THREE"), NOW - DAY);
        case.branch("stale", "app.py", &clash, NOW - 20 * DAY);
        case.branch("holdpoint/fix-1", "app.py", &clash, NOW - DAY);
        case.fixture.branch("merged", case.start);
        let unrelated = case.fixture.commit("app.py", &clash, "cy", NOW - DAY, &[]);
        case.fixture.branch("pages", unrelated);
        assert_eq!(case.look(case.start).unwrap(), []);
    }

    #[test]
    fn a_conflict_that_is_there_without_the_fix_is_told_apart() {
        let case = Case::new();
        let both = [("app.py", Some("one\ntwo\ndrei\nfour\n")), ("lib.py", Some("uno\n"))];
        let tip = case.fixture.commit_all(&both, "both", "ben", NOW - DAY, &[case.start]);
        case.fixture.branch("feature", tip);
        let main = case
            .fixture
            .commit("lib.py", "eins\n", "ana", NOW - 2 * DAY, &[case.start]);
        let [conflict] = &case.look(main).unwrap()[..] else {
            panic!("one was expected")
        };
        assert_eq!(
            (&conflict.because_of_fix, &conflict.already),
            (&vec!["app.py".to_owned()], &vec!["lib.py".to_owned()])
        );
    }

    #[test]
    fn a_branch_that_deletes_conflicts_and_one_that_renames_is_followed() {
        let case = Case::new();
        let gone = case
            .fixture
            .commit_all(&[("app.py", None)], "drop", "ben", NOW - DAY, &[case.start]);
        case.fixture.branch("drop", gone);
        let files = [("app.py", None), ("main.py", Some(LINES))];
        let renamed = case
            .fixture
            .commit_all(&files, "rename", "ben", NOW - DAY, &[case.start]);
        case.fixture.branch("rename", renamed);
        let found = case.look(case.start).unwrap();
        assert_eq!(
            found.iter().map(|c| c.branch.as_str()).collect::<Vec<_>>(),
            ["drop"],
            "{found:?}"
        );
    }

    #[test]
    fn a_base_that_is_not_there_and_too_many_branches_are_unknown() {
        let case = Case::new();
        let missing = "0123456789012345678901234567890123456789";
        let tree = case.fixture.tree(case.start);
        let since = moment(NOW - DAY);
        assert!(conflicting_branches(&case.fixture.repo, missing, &tree, since, &|_| false).is_err());
        assert!(conflicting_branches(&case.fixture.repo, &case.start.to_string(), missing, since, &|_| false).is_err());
        let tip = case.fixture.commit("note.md", "y", "ben", NOW - 60, &[case.start]);
        for n in 0..=MAX_BRANCHES {
            case.fixture.branch(&format!("b{n}"), tip);
        }
        let error = case.look(case.start).unwrap_err().to_string();
        assert!(error.contains("open branches"), "{error}");
    }
}
