//! Emergency changes that say so in their commit messages.

use git2::Repository;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::{Control, ControlKind};
use jiff::SignedDuration;

use super::history::{People, changed, commits_within, failed, lossy};
use crate::controls::{MAX_HOLD_DAYS, trailer};
use crate::error::IntakeError;

/// Most commits that are looked at: three months of a busy monorepo.
const MAX_COMMITS: usize = 50_000;
/// Most files of one commit that are held one by one; of a larger one the top folders are.
const MAX_PATHS: usize = 200;
/// Most break-glass commits; more aren't emergencies.
const MAX_CLAIMS: usize = 500;

/// The controls that commits reachable from `branch_commit` claim by the trailers `Break-glass:` and
/// `Break-glass-until:` (see [`trailer`]): each path that such a commit touched is held from then on,
/// by default for a week and at most for 90 days. Expired ones are among them. Ids are
/// `break-glass:<first 12 digits of the commit>:<path>`.
///
/// A commit whose date contradicts the commits before it holds as if made now, or with the commit after it. An older
/// date that agrees with them can't be told from the truth.
///
/// It walks 90 days of history: once per branch is enough, not once per finding.
///
/// # Errors
/// When the history can't be read, or is too long to be sure that nothing is missing.
pub fn break_glass(
    repo: &Repository,
    repo_name: &str,
    branch_commit: &str,
    now: Timestamp,
) -> Result<Vec<Control>, IntakeError> {
    let failed = failed(branch_commit);
    let too_long = |limit| IntakeError::HistoryTooLong {
        commit: branch_commit.to_owned(),
        limit,
    };
    let since = now
        .checked_sub(SignedDuration::from_hours(MAX_HOLD_DAYS * 24))
        .unwrap_or(Timestamp::MIN);
    // Without an end: what is on the branch is there now, whatever date its committer gave it.
    let commits = commits_within(repo, branch_commit, since, Timestamp::MAX, now, MAX_COMMITS).map_err(&failed)?;
    let commits = commits.ok_or_else(|| too_long(MAX_COMMITS))?;
    let people = People::at(repo, branch_commit);
    let mut controls = Vec::new();
    let mut claims = 0;
    for (at, commit) in commits {
        let Some(trailer) = trailer(&String::from_utf8_lossy(commit.message_bytes())) else {
            continue;
        };
        claims += 1;
        if claims > MAX_CLAIMS {
            return Err(too_long(MAX_CLAIMS));
        }
        let (_, owner) = people.author(&commit);
        let id = commit.id().to_string();
        let short = id.get(..12).unwrap_or(&id);
        for path in held(changed(repo, &commit).map_err(&failed)?) {
            controls.push(Control {
                id: format!("break-glass:{short}:{path}"),
                kind: ControlKind::BreakGlass,
                repo: repo_name.to_owned(),
                address: None,
                path: Some(path),
                owner: owner.clone(),
                reason: format!(
                    "{} (commit {short}: {})",
                    trailer.reason,
                    lossy(commit.summary_bytes().unwrap_or_default())
                ),
                protects: None,
                // A clock that runs ahead delays nothing.
                since: at.min(now),
                until: trailer.until(at),
            });
        }
    }
    Ok(controls)
}

/// What a commit holds: its files, or where they are too many the top of their paths.
fn held(paths: Vec<Vec<u8>>) -> Vec<String> {
    let mut paths: Vec<String> = paths
        .iter()
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect();
    if paths.len() > MAX_PATHS {
        for path in &mut paths {
            if let Some((top, _)) = path.split_once('/') {
                *path = top.to_owned();
            }
        }
        paths.sort_unstable();
        paths.dedup();
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{DAY, Fixture, NOW, moment};
    use super::*;
    use git2::Oid;

    fn active(fixture: &Fixture, head: Oid) -> Vec<String> {
        let controls = break_glass(&fixture.repo, "infra", &head.to_string(), moment(NOW)).unwrap();
        let active = controls.into_iter().filter(|control| control.active(moment(NOW)));
        active.filter_map(|control| control.path).collect()
    }

    fn claim(fixture: &Fixture, trailers: &str, at: i64) -> Oid {
        let base = fixture.commit("other", "1", "ana", NOW - 200 * DAY, &[]);
        let message = format!("Block a range\n\n{trailers}\n");
        let claim = fixture.commit_all(
            &[("edge.tf", Some("1")), ("net/b.tf", Some("1"))],
            &message,
            "ana",
            at,
            &[base],
        );
        fixture.commit("other", "2", "ben", NOW - 60, &[claim])
    }

    #[test]
    fn what_a_break_glass_commit_touched_is_held_for_a_week() {
        let fixture = Fixture::new();
        let head = claim(&fixture, "Break-glass: INC-2291", NOW - 6 * DAY);
        assert_eq!(active(&fixture, head), ["edge.tf", "net/b.tf"]);
        let control = break_glass(&fixture.repo, "infra", &head.to_string(), moment(NOW))
            .unwrap()
            .remove(0);
        assert_eq!(
            (control.kind, control.owner.as_str()),
            (ControlKind::BreakGlass, "ana@x.example")
        );
        assert!(control.reason.starts_with("INC-2291 (commit "), "{}", control.reason);
        let old = claim(&fixture, "Break-glass: INC-2291", NOW - 8 * DAY);
        assert!(active(&fixture, old).is_empty());
    }

    #[test]
    fn a_backdated_commit_holds_as_if_made_now() {
        let fixture = Fixture::new();
        let base = fixture.commit("other", "1", "ana", NOW - 200 * DAY, &[]);
        let claim = fixture.commit_all(&[("edge.tf", Some("1"))], "x\n\nBreak-glass: y\n", "ana", DAY, &[base]);
        assert_eq!(active(&fixture, claim), ["edge.tf"]);
        let head = fixture.commit("other", "2", "ben", NOW - 60, &[claim]);
        assert_eq!(active(&fixture, head), ["edge.tf"]);
    }

    #[test]
    fn its_own_end_counts_and_one_that_can_not_be_read_holds() {
        let fixture = Fixture::new();
        let until = |text: &str, at| claim(&fixture, &format!("Break-glass: x\nBreak-glass-until: {text}"), at);
        assert_eq!(active(&fixture, until("2026-06-01", NOW - 60 * DAY)).len(), 2);
        assert_eq!(active(&fixture, until("whenever", NOW - 60 * DAY)).len(), 2);
        assert!(active(&fixture, until("2026-03-16", NOW - 2 * DAY)).is_empty());
    }

    #[test]
    fn other_commits_hold_nothing_and_a_missing_one_is_an_error() {
        let fixture = Fixture::new();
        let head = claim(&fixture, "Reviewed-by: x", NOW - DAY);
        assert!(active(&fixture, head).is_empty());
        let missing = "0123456789012345678901234567890123456789";
        assert!(break_glass(&fixture.repo, "r", missing, moment(NOW)).is_err());
    }

    #[test]
    fn a_clock_that_runs_ahead_delays_nothing_and_a_large_commit_holds_folders() {
        let fixture = Fixture::new();
        let head = claim(&fixture, "Break-glass: x", NOW + 3 * DAY);
        assert_eq!(active(&fixture, head).len(), 2);
        let paths = (0..500)
            .map(|n| format!("src/{n}.rs").into_bytes())
            .chain([b"top".to_vec()]);
        assert_eq!(held(paths.collect()), ["src", "top"]);
    }
}
