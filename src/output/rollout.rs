//! Where lanes stand, what was ordered and recorded: for people.

use holdpoint_schemas::decision::BoundKind;
use holdpoint_schemas::outcome::OutcomeKind;
use holdpoint_schemas::rollout::{Halt, HaltScope, LaneState, Record, StageCause};

use super::command_line::CommandLine;
use super::text::{Prose, clause, clean, count, sentence};
use crate::pipeline::report::ReportItem;
use crate::pipeline::rollout::desk::{Ordered, Recorded};
use crate::pipeline::rollout::status::{LaneStatus, RolloutReport, RolloutStatus, Spent};

/// What soaks of a lane, at most this many are listed.
const MAX_SOAKING: usize = 6;

/// Where every lane stands.
#[must_use]
pub fn status(status: &RolloutStatus, line: &CommandLine) -> String {
    let mut prose = Prose::default();
    prose.paragraph(&format!(
        "Staged rollout of {} at {}.",
        clean(&status.estate),
        status.at
    ));
    for halt in &status.halts {
        prose.paragraph(&format!("HALTED: {}", halted(halt)));
        prose.gap();
        prose.command(&line.signed(&resume(&halt.scope), "--reason \"…\""));
    }
    if status.lanes.is_empty() {
        prose.paragraph(&format!(
            "The rollout file has no lanes: everything goes as far as {}, and nothing raises that.",
            status.default_stage
        ));
    }
    for lane in &status.lanes {
        prose.heading(&heading(lane));
        for line in lines(lane) {
            prose.item(&line);
        }
    }
    if !status.lanes.is_empty() {
        prose.paragraph(&format!(
            "What no lane takes goes as far as {}, and nothing raises that. {}",
            status.default_stage,
            tonight(&status.tonight, "Tonight, all lanes")
        ));
    }
    if !status.not_counted.is_empty() {
        prose.heading("On record, but not counted");
        for line in &status.not_counted {
            prose.item(&sentence(line));
        }
    }
    prose.finish()
}

/// A lane in one line: `upgrades: suggest (at most auto-apply)`.
#[must_use]
pub fn heading(lane: &LaneStatus) -> String {
    let state = &lane.state;
    let limit = if state.stage == state.ceiling {
        ", its ceiling".to_owned()
    } else {
        format!(" (at most {})", state.ceiling)
    };
    let shadow = if lane.shadow { ", in shadow mode" } else { "" };
    format!("{}: {}{limit}{shadow}", state.lane, state.stage)
}

/// All that there is to say of a lane, one sentence each.
#[must_use]
pub fn lines(lane: &LaneStatus) -> Vec<String> {
    let state = &lane.state;
    let mut lines = vec![why_there(lane), shown(lane)];
    lines.push(distance(lane));
    if let Some(demoted) = lane
        .last_demotion
        .as_ref()
        .filter(|demoted| lane.last_change.as_ref() != Some(*demoted))
    {
        lines.push(format!("Last lowered on {}: {}", demoted.at, sentence(&demoted.reason)));
    }
    if let Some(hold) = &state.held {
        lines.push(format!(
            "Held by {} since {}: {}",
            hold.by,
            hold.at,
            sentence(&hold.reason)
        ));
    }
    if state.canary != holdpoint_schemas::rollout::Ratio::ONE {
        lines.push(format!(
            "It auto-applies {} of its fixes; the rest is suggested.",
            state.canary
        ));
    }
    for soaking in lane.soaking.iter().take(MAX_SOAKING) {
        lines.push(format!(
            "{} soaks in {} until {}.",
            soaking.subject, soaking.ring, soaking.until
        ));
    }
    if lane.soaking.len() > MAX_SOAKING {
        lines.push(format!("… and {} more.", lane.soaking.len() - MAX_SOAKING));
    }
    lines.push(tonight(&lane.tonight, "Tonight"));
    lines
}

/// Why a lane is at its stage.
#[must_use]
pub fn why_there(lane: &LaneStatus) -> String {
    match &lane.last_change {
        None => "It is where the rollout file starts it.".to_owned(),
        Some(change) => {
            let did = match change.cause {
                StageCause::Promoted => "promoted",
                StageCause::Demoted => "lowered",
                StageCause::Advanced if change.to > change.from => "advanced",
                StageCause::Advanced => "set back",
            };
            format!(
                "{} by {} on {}: {}",
                capital(did),
                change.by,
                change.at,
                sentence(&change.reason)
            )
        }
    }
}

/// What a lane has shown.
#[must_use]
pub fn shown(lane: &LaneStatus) -> String {
    let evidence = &lane.state.evidence;
    if evidence.successes + evidence.failures + evidence.pending == 0 {
        return "No fix of it has been merged or failed since.".to_owned();
    }
    let survived = lane
        .survival_days
        .map(|days| format!(" {}", count_u32(days, "day", "days")))
        .unwrap_or_default();
    let mut words = format!(
        "Since then {} survived{survived} and {} failed",
        count_u32(evidence.successes, "merge", "merges"),
        evidence.failures
    );
    if evidence.pending > 0 {
        let next = lane
            .next_counts_at
            .map(|at| format!(", the next from {at} on"))
            .unwrap_or_default();
        words.push_str(&format!("; {} still to count{next}", evidence.pending));
    }
    format!("{words}. Its success rate is at least {}.", evidence.lower_bound)
}

/// How far a lane is from its next stage.
#[must_use]
pub fn distance(lane: &LaneStatus) -> String {
    let state = &lane.state;
    let Some(distance) = &state.distance else {
        return if state.stage == state.ceiling {
            "It goes no further.".to_owned()
        } else {
            "Only a person takes it further: the rollout file doesn't say what it has to show.".to_owned()
        };
    };
    let missing = match distance.successes {
        Some(0) if distance.waits_for.is_empty() => {
            "what it has shown is enough; the next run takes it there".to_owned()
        }
        Some(0) => "what it has shown is enough".to_owned(),
        Some(number) => format!(
            "{} without a failure, for a success rate above {}",
            count_u32(number, "more outcome", "more outcomes"),
            distance.target
        ),
        None => format!(
            "more outcomes than can be foreseen, for a success rate above {}",
            distance.target
        ),
    };
    let waits: Vec<String> = distance.waits_for.iter().map(|why| clause(why)).collect();
    let waits = if waits.is_empty() {
        String::new()
    } else {
        format!("; besides, {}", waits.join("; "))
    };
    format!("To {}: {missing}{waits}.", distance.next)
}

fn tonight(spent: &Spent, lead: &str) -> String {
    let of = |limit: Option<u32>| limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let mut words = format!(
        "{lead}: {}{} merges and {}{} pull requests let through",
        spent.merges,
        of(spent.merges_of),
        spent.suggestions,
        of(spent.suggestions_of)
    );
    if spent.minutes_of.is_some() {
        words.push_str(&format!(
            ", {}{} minutes in the sandbox",
            spent.minutes,
            of(spent.minutes_of)
        ));
    }
    format!("{words}.")
}

/// Where the lane stands that holds an item back, for `explain`.
#[must_use]
pub fn section(lane: &LaneStatus) -> String {
    let mut prose = Prose::default();
    prose.heading("Where its lane stands");
    prose.paragraph(&format!("{}.", heading(lane)));
    for line in lines(lane) {
        prose.item(&line);
    }
    format!("\n{}", prose.finish())
}

/// The lane that caps an item, where one does.
#[must_use]
pub fn capping<'r>(report: Option<&'r RolloutReport>, item: &ReportItem) -> Option<&'r LaneStatus> {
    let of_lane = [
        BoundKind::RolloutStage,
        BoundKind::Shadow,
        BoundKind::Canary,
        BoundKind::Soak,
        BoundKind::Window,
    ];
    let bound = item
        .decision
        .bounds
        .iter()
        .find(|bound| of_lane.contains(&bound.kind))?;
    report?.status.lanes.iter().find(|lane| lane.state.lane == bound.id)
}

/// A lane as a row of a report.
#[derive(Debug, Clone)]
pub struct LaneRow {
    /// Name.
    pub lane: String,
    /// Stage, as a class of the style sheet and for people.
    pub stage: &'static str,
    /// What limits the stage, or nothing.
    pub limit: String,
    /// Why it is there.
    pub why: String,
    /// What it has shown.
    pub shown: String,
    /// How far it is from its next stage.
    pub next: String,
    /// What it did tonight.
    pub tonight: String,
}

/// The lanes of a report, one row each.
#[must_use]
pub fn rows(status: &RolloutStatus) -> Vec<LaneRow> {
    let of = |limit: Option<u32>| limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let row = |lane: &LaneStatus| LaneRow {
        lane: clean(&lane.state.lane),
        stage: lane.state.stage.as_str(),
        limit: if lane.shadow {
            "in shadow mode".to_owned()
        } else if lane.state.stage == lane.state.ceiling {
            String::new()
        } else {
            format!("at most {}", lane.state.ceiling)
        },
        why: clean(&why_there(lane)),
        shown: clean(&shown(lane)),
        next: clean(&distance(lane)),
        tonight: format!(
            "{}{} merged, {}{} proposed",
            lane.tonight.merges,
            of(lane.tonight.merges_of),
            lane.tonight.suggestions,
            of(lane.tonight.suggestions_of)
        ),
    };
    status.lanes.iter().map(row).collect()
}

/// What a run learnt at its beginning, and what is halted: one sentence each, for reports.
#[must_use]
pub fn news(report: &RolloutReport) -> Vec<String> {
    let halts = report
        .status
        .halts
        .iter()
        .map(|halt| format!("Halted: {}", halted(halt)));
    let changes = report.changes.lines().into_iter().map(|line| sentence(&line));
    halts.chain(changes).map(|line| clean(&line)).collect()
}

/// What is halted, by whom and why.
#[must_use]
pub fn halted(halt: &Halt) -> String {
    let what = match &halt.scope {
        HaltScope::Estate => "everything".to_owned(),
        HaltScope::Remediator(remediator) => format!("what `{remediator}` makes"),
    };
    format!("{what}, by {} since {}: {}", halt.by, halt.at, sentence(&halt.reason))
}

fn resume(scope: &HaltScope) -> String {
    match scope {
        HaltScope::Estate => "rollout resume".to_owned(),
        HaltScope::Remediator(remediator) => format!("rollout resume --remediator {remediator}"),
    }
}

/// What was ordered.
#[must_use]
pub fn ordered(done: &Ordered, line: &CommandLine) -> String {
    let statement = &done.order.statement;
    let words = match &statement.record {
        Record::Stage(change) => format!(
            "Lane `{}` goes as far as {} now, not {}. A revert or an incident lowers it again.",
            change.lane, change.to, change.from
        ),
        Record::Hold(hold) if hold.on => format!(
            "Lane `{}` isn't promoted {}. Reverts and incidents still lower it.",
            hold.lane,
            statement.until.map_or_else(
                || "until somebody resumes it".to_owned(),
                |until| format!("before {until}")
            )
        ),
        Record::Hold(hold) => format!("Lane `{}` is promoted again once it has earned it.", hold.lane),
        Record::Halt(halt) if halt.on => {
            let what = match &halt.scope {
                HaltScope::Estate => "Nothing merges and no pull request is opened".to_owned(),
                HaltScope::Remediator(remediator) => {
                    format!("Nothing that `{remediator}` makes merges or becomes a pull request")
                }
            };
            format!(
                "{what}, from now on, also in a run that is under way. To let it go on:\n\n    {}",
                line.signed(&resume(&halt.scope), "--reason \"…\"")
            )
        }
        Record::Halt(_) => "Automation goes on.".to_owned(),
        Record::Outcome(_) | Record::Admission(_) => String::new(),
    };
    let by = match &statement.record {
        Record::Stage(change) => change.by.as_str(),
        Record::Hold(hold) => hold.by.as_str(),
        Record::Halt(halt) => halt.by.as_str(),
        Record::Outcome(_) | Record::Admission(_) => "",
    };
    format!(
        "{words}\n\nSigned by {}; entry {} of the ledger.",
        clean(by),
        done.entry
    )
}

/// What was recorded, and what it led to.
#[must_use]
pub fn recorded(recorded: &Recorded) -> String {
    let outcome = &recorded.outcome;
    let what = match outcome.kind {
        OutcomeKind::Merged => "was merged",
        OutcomeKind::Reverted => "was reverted",
        OutcomeKind::Incident => "led to an incident",
        OutcomeKind::HeldByReview => "was turned down by a reviewer",
        OutcomeKind::ValidationFailed => "failed its validation",
        OutcomeKind::Flaky => "failed for a flaky test or a fault of the machine",
    };
    let mut text = format!(
        "On record: fix {} of {}@{} {what} (entry {} of the ledger).\n",
        outcome.fix.short(),
        clean(&outcome.repo),
        clean(&outcome.branch),
        recorded.entry
    );
    for line in recorded.changes.lines() {
        text.push_str(&format!("{}\n", sentence(&clean(&line))));
    }
    if recorded.changes.is_empty() {
        text.push_str(&match &recorded.lane {
            Some(LaneState { lane, stage, .. }) => format!("Lane `{lane}` stays at {stage}.\n"),
            None => "No lane took it, so no stage changes.\n".to_owned(),
        });
    }
    text
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_uppercase(), chars.as_str())
    })
}

fn count_u32(number: u32, one: &str, many: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one, many)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;
    use holdpoint_schemas::actor::Remediator;

    #[test]
    fn a_terminal_sees_where_each_lane_stands_and_what_is_missing() {
        let mut shown = samples::rollout().status;
        shown.halts = vec![Halt {
            scope: HaltScope::Remediator(Remediator("upgrade-bot".to_owned())),
            on: true,
            by: "rosa@fintech.example".to_owned(),
            reason: "INC-2291".to_owned(),
            at: samples::at(),
        }];
        shown.not_counted = vec!["the advance of lane `secrets` doesn't count: nobody signed it".to_owned()];
        insta::assert_snapshot!(status(&shown, &CommandLine::default()));
    }

    #[test]
    fn hostile_words_stay_words() {
        let mut shown = samples::rollout();
        shown.status.lanes[1].last_change.as_mut().unwrap().reason = "\x1b[31m\u{202e}<b>|".to_owned();
        let text = status(&shown.status, &CommandLine::default());
        assert!(!text.contains('\x1b') && !text.contains('\u{202e}'), "{text}");
        assert!(rows(&shown.status)[1].why.contains("[31m<b>|"));
    }
}
