//! What other people are at: pushes, open branches, and who owns the files.

use holdpoint_forge::BRANCH_PREFIX;
use holdpoint_intake::activity::{Push, code_owners, conflicting_branches, recent_pushes};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fact::keys::change;
use holdpoint_schemas::fact::{FactSet, Key};
use jiff::SignedDuration;
use std::collections::BTreeSet;

use super::super::Moment;
use crate::pipeline::mirror::Mirror;

/// How long a teammate's push counts as recent: a long weekend.
const RECENT: SignedDuration = SignedDuration::from_hours(72);
/// How long a branch that nobody commits to counts as open.
const OPEN: SignedDuration = SignedDuration::from_hours(90 * 24);

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let ids = [
        change::PUSHED_BY_OTHERS.id(),
        change::CALLERS_PUSHED_BY_OTHERS.id(),
        change::CONFLICTING_BRANCHES.id(),
        change::CODE_OWNERS.id(),
    ];
    let Some(mirror) = moment.mirror else {
        let why = format!("the repo `{}` can't be read", moment.finding.repo);
        return ids.iter().for_each(|id| facts.insert_unknown(id, why.clone()));
    };
    let Some(head) = mirror.head(&moment.finding.branch) else {
        let why = format!("there is no branch `{}`", moment.finding.branch);
        return ids.iter().for_each(|id| facts.insert_unknown(id, why.clone()));
    };
    pushes(moment, mirror, &head, facts);
    callers(moment, mirror, &head, facts);
    conflicts(moment, mirror, facts);
    owners(moment, mirror, &head, facts);
}

/// Pushes to any of these paths by others, told from our own merges by the ledger.
fn pushed_to(moment: &Moment<'_>, mirror: &Mirror, head: &str, paths: &[String]) -> Result<Vec<Push>, String> {
    let since = moment.now.checked_sub(RECENT).unwrap_or(Timestamp::MIN);
    // Without an end: what is on the branch was pushed before now, whatever date its committer gave it.
    recent_pushes(&mirror.git, head, paths, since, Timestamp::MAX, &|commit| {
        moment.history.is_own_merge(commit)
    })
    .map_err(|error| format!("the repo's history can't be read: {error}"))
}

fn describe(push: &Push) -> String {
    let short = push.commit.get(..10).unwrap_or(&push.commit);
    format!(
        "{} pushed `{short}` ({}) to {} on {}",
        push.author,
        push.summary,
        push.paths.join(", "),
        push.at
    )
}

fn pushes(moment: &Moment<'_>, mirror: &Mirror, head: &str, facts: &mut FactSet) {
    const KEY: Key<bool> = change::PUSHED_BY_OTHERS;
    let paths: Vec<String> = moment.paths().into_iter().map(str::to_owned).collect();
    match pushed_to(moment, mirror, head, &paths) {
        Ok(pushes) => facts.set(
            KEY,
            moment.fact(!pushes.is_empty(), "the repo's history", pushes.first().map(describe)),
        ),
        Err(why) => facts.set_unknown(KEY, why),
    }
}

fn callers(moment: &Moment<'_>, mirror: &Mirror, head: &str, facts: &mut FactSet) {
    const KEY: Key<bool> = change::CALLERS_PUSHED_BY_OTHERS;
    let callers = match moment.callers() {
        Ok(callers) => callers,
        Err(why) => return facts.set_unknown(KEY, why),
    };
    let paths: Vec<String> = callers.paths.iter().cloned().collect();
    if paths.is_empty() && callers.complete {
        let note = Some("no code of the repo uses what is touched".to_owned());
        return facts.set(KEY, moment.fact(false, "the repo's imports", note));
    }
    match pushed_to(moment, mirror, head, &paths) {
        Ok(pushes) if !paths.is_empty() && !pushes.is_empty() => facts.set(
            KEY,
            moment.fact(true, "the repo's imports and history", pushes.first().map(describe)),
        ),
        Ok(_) if callers.complete => facts.set(KEY, moment.fact(false, "the repo's imports and history", None)),
        Ok(_) => facts.set_unknown(KEY, callers.why),
        Err(why) => facts.set_unknown(KEY, why),
    }
}

fn conflicts(moment: &Moment<'_>, mirror: &Mirror, facts: &mut FactSet) {
    const KEY: Key<i64> = change::CONFLICTING_BRANCHES;
    let Some(fix) = moment.fix else { return };
    let since = moment.now.checked_sub(OPEN).unwrap_or(Timestamp::MIN);
    let is_ignored = |branch: &str| branch == fix.target_branch || branch.starts_with(BRANCH_PREFIX);
    match conflicting_branches(&mirror.git, &fix.base_commit, &fix.candidate_tree, since, &is_ignored) {
        Ok(found) => {
            let because: Vec<String> = found
                .iter()
                .filter(|conflict| !conflict.because_of_fix.is_empty())
                .map(|conflict| {
                    format!(
                        "`{}` of {} in {}",
                        conflict.branch,
                        conflict.author,
                        conflict.because_of_fix.join(", ")
                    )
                })
                .collect();
            let count = i64::try_from(because.len()).unwrap_or(i64::MAX);
            let note = (!because.is_empty()).then(|| because.join("; "));
            facts.set(KEY, moment.fact(count, "the repo's branches", note));
        }
        Err(error) => facts.set_unknown(KEY, format!("the repo's branches can't be read: {error}")),
    }
}

fn owners(moment: &Moment<'_>, mirror: &Mirror, head: &str, facts: &mut FactSet) {
    const KEY: Key<BTreeSet<String>> = change::CODE_OWNERS;
    match code_owners(&mirror.git, head) {
        Ok(Some(file)) => {
            let owners: BTreeSet<String> = moment.paths().iter().flat_map(|path| file.owners(path)).collect();
            facts.set(KEY, moment.fact(owners, "CODEOWNERS", None));
        }
        Ok(None) => facts.set_unknown(KEY, "the repo has no CODEOWNERS file"),
        Err(error) => facts.set_unknown(KEY, format!("CODEOWNERS can't be read: {error}")),
    }
}
