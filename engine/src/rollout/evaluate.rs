//! What a lane's record amounts to: its evidence, and whether it rises or falls.

use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::rollout::{
    Distance, HaltScope, Lane, LaneEvidence, LaneState, Promotion, Ratio, StageCause, StageChange,
};
use holdpoint_schemas::{Level, Timestamp};

use super::confidence::{lower_bound, successes_missing};
use super::state::{Broken, LaneBook, RolloutState};
use super::{AUTOMATION, canary, days_after, days_before};

/// Demotions after which the error isn't halved any more: a millionth of a per cent is as good as never.
const MAX_HALVINGS: u32 = 20;

/// Where a lane stands, and the step that is due.
pub(super) struct Standing {
    pub(super) state: LaneState,
    pub(super) due: Option<StageChange>,
}

/// Counts of a lane since it reached its stage.
struct Counts {
    successes: u32,
    failures: u32,
    pending: u32,
    /// Successes since the last failure.
    streak: u32,
}

/// What was done to a fix that broke something, as a clause.
pub(super) fn what_broke(outcome: &OutcomeRecord) -> String {
    let what = match outcome.kind {
        OutcomeKind::Incident => "led to an incident",
        _ => "was reverted",
    };
    match &outcome.reference {
        Some(reference) => format!("{what} ({reference})"),
        None => what.to_owned(),
    }
}

pub(super) fn standing(state: &RolloutState, lane: &Lane, book: &LaneBook, now: Timestamp) -> Standing {
    let counts = counts(state, lane, book, now);
    let error = lane
        .promotion
        .as_ref()
        .map_or(Ratio::percent(5), |promotion| promotion.error);
    let error = Ratio::of_millionths(error.millionths() >> book.demotions.min(MAX_HALVINGS));
    let evidence = LaneEvidence {
        successes: counts.successes,
        failures: counts.failures,
        pending: counts.pending,
        lower_bound: lower_bound(counts.successes, counts.failures, error),
    };
    let fall = falls(state, lane, book, now);
    let stage = fall.as_ref().map_or(book.stage, |_| lowered(lane, book.stage));
    let blocked_until = match &fall {
        Some(broken) => book
            .blocked_until
            .max(Some(days_after(broken.at, lane.demotion.hold_days))),
        None => book.blocked_until,
    };
    let mut standing = LaneState {
        lane: lane.name.clone(),
        stage,
        ceiling: lane.ceiling(),
        since: book.since,
        by: book.by.clone(),
        evidence,
        distance: None,
        held: book.held.clone(),
        blocked_until,
        canary: lane
            .canary
            .as_ref()
            .map_or(Ratio::ONE, |canary| canary::share(canary, counts.streak)),
        demotions: book.demotions,
    };
    if let (Some(promotion), Some(next)) = (&lane.promotion, stage.next().filter(|next| *next <= lane.ceiling())) {
        standing.distance = Some(distance(state, promotion, &standing, next, error, now));
    }
    // At its floor it doesn't fall; it only waits longer.
    let due = match fall.filter(|_| stage < book.stage) {
        Some(broken) => Some(change(
            lane,
            book,
            &standing,
            stage,
            StageCause::Demoted,
            broken.reason,
            now,
        )),
        None => promotion_due(lane, book, &standing, error, now),
    };
    Standing { state: standing, due }
}

fn counts(state: &RolloutState, lane: &Lane, book: &LaneBook, now: Timestamp) -> Counts {
    let survival = lane
        .promotion
        .as_ref()
        .map_or_else(|| Promotion::default().survival_days, |p| p.survival_days);
    let slice = lane.slice();
    let mut counts = Counts {
        successes: 0,
        failures: 0,
        pending: 0,
        streak: 0,
    };
    let mut last_failure = None;
    for trial in state.track.of_lane(&lane.name) {
        if let Some((mark, _)) = trial.failed.filter(|(mark, _)| Some(mark.number) > book.changed) {
            counts.failures = counts.failures.saturating_add(1);
            last_failure = last_failure.max(Some(mark.number));
        }
    }
    for trial in state.track.of_lane(&lane.name) {
        let Some(mark) = trial.stands().filter(|mark| Some(mark.number) > book.changed) else {
            continue;
        };
        if slice.is_none() || trial.outcome.slice != slice {
            continue;
        }
        if days_after(mark.at, survival) <= now {
            counts.successes = counts.successes.saturating_add(1);
            counts.streak = counts
                .streak
                .saturating_add(u32::from(Some(mark.number) > last_failure));
        } else {
            counts.pending = counts.pending.saturating_add(1);
        }
    }
    counts
}

/// Why a lane falls, if it does.
fn falls(state: &RolloutState, lane: &Lane, book: &LaneBook, now: Timestamp) -> Option<Broken> {
    if let Some(broken) = &book.broken {
        return Some(broken.clone());
    }
    let rule = &lane.demotion;
    let since = days_before(now, rule.window_days);
    if let Some(limit) = rule.held_by_review {
        let held = state.track.of_lane(&lane.name).filter_map(|trial| trial.failed);
        let counted = held.filter(|(mark, kind)| {
            *kind == OutcomeKind::HeldByReview && Some(mark.number) > book.changed && mark.at >= since
        });
        let times: Vec<Timestamp> = counted.map(|(mark, _)| mark.at).collect();
        let count = times.len();
        if let Some(at) = times.into_iter().max().filter(|_| count >= at_least(limit)) {
            let reason = format!("reviewers held {count} fixes within {} days", rule.window_days);
            return Some(Broken { at, reason });
        }
    }
    if let Some(rate) = &rule.validation_failures {
        let (all, failed) = state.track.validations(&lane.name, book.changed, since);
        let enough = all >= at_least(rate.outcomes);
        let (all_wide, failed_wide) = (all as u64, failed as u64);
        let share = failed_wide.saturating_mul(1_000_000) >= all_wide.saturating_mul(rate.share.millionths().into());
        if enough && failed > 0 && share {
            let reason = format!(
                "{failed} of {all} fixes failed their validation within {} days",
                rule.window_days
            );
            return Some(Broken { at: now, reason });
        }
    }
    None
}

/// A limit as a count; 0 would always be reached.
fn at_least(limit: u32) -> usize {
    usize::try_from(limit.max(1)).unwrap_or(usize::MAX)
}

/// The stage to which a lane falls.
fn lowered(lane: &Lane, stage: Level) -> Level {
    let floor = lane.demotion.floor.unwrap_or_else(|| lane.stage.min(Level::Suggest));
    let mut lower = stage;
    for _ in 0..lane.demotion.stages.max(1) {
        lower = lower.previous().unwrap_or(Level::Alert);
    }
    // A floor above its stage doesn't raise it.
    lower.max(floor).min(stage)
}

fn promotion_due(lane: &Lane, book: &LaneBook, state: &LaneState, error: Ratio, now: Timestamp) -> Option<StageChange> {
    let promotion = lane.promotion.as_ref()?;
    let distance = state.distance.as_ref()?;
    if distance.successes != Some(0) || !distance.waits_for.is_empty() {
        return None;
    }
    let evidence = &state.evidence;
    let reason = format!(
        "{} of {} fixes survived {} days: its success rate is above {}, with an error of at most {error}",
        evidence.successes,
        evidence.successes.saturating_add(evidence.failures),
        promotion.survival_days,
        promotion.success_rate,
    );
    Some(change(
        lane,
        book,
        state,
        distance.next,
        StageCause::Promoted,
        reason,
        now,
    ))
}

fn change(
    lane: &Lane,
    book: &LaneBook,
    state: &LaneState,
    to: Level,
    cause: StageCause,
    reason: String,
    at: Timestamp,
) -> StageChange {
    StageChange {
        lane: lane.name.clone(),
        slice: lane.slice(),
        from: book.stage,
        to,
        cause,
        by: AUTOMATION.to_owned(),
        reason,
        evidence: state.evidence,
        at,
    }
}

fn distance(
    state: &RolloutState,
    promotion: &Promotion,
    lane: &LaneState,
    next: Level,
    error: Ratio,
    now: Timestamp,
) -> Distance {
    let LaneEvidence {
        successes, failures, ..
    } = lane.evidence;
    let missing = successes_missing(successes, failures, promotion.success_rate, error);
    let too_few = promotion.outcomes.saturating_sub(successes.saturating_add(failures));
    let mut waits_for = Vec::new();
    if let Some(hold) = &lane.held {
        waits_for.push(format!("{} holds it: {}", hold.by, hold.reason));
    }
    if let Some(until) = lane.blocked_until.filter(|until| now < *until) {
        waits_for.push(format!("after a demotion it stays where it is until {until}"));
    }
    if let Some(halt) = state.halted.get(&HaltScope::Estate) {
        waits_for.push(format!("the estate is halted: {}", halt.reason));
    }
    Distance {
        next,
        target: promotion.success_rate,
        successes: missing.map(|missing| missing.max(too_few)),
        waits_for,
    }
}
