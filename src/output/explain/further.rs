//! The end of the story: what would take an item further, and what to do now.

use holdpoint_schemas::decision::BoundKind;

use crate::output::command_line::CommandLine;
use crate::output::text::{Prose, clause, list, sentence};
use crate::output::{phrase, ways};
use crate::pipeline::further::Further;
use crate::pipeline::report::{Outcome, ReportItem};

/// The easiest way to the next level; where none was worked out, what the policies say would lift its bounds.
#[must_use]
pub fn unlocks(item: &ReportItem) -> Vec<String> {
    let best = item
        .way
        .as_ref()
        .and_then(|ways| Some((ways.target, ways.sets.first()?)));
    if let Some((target, changes)) = best {
        return vec![ways::words(target, changes, &item.decision)];
    }
    let next = item.decision.level.next();
    let bounds = item
        .decision
        .bounds
        .iter()
        .filter(|bound| Some(bound.withholds) == next);
    let mut lines: Vec<String> = Vec::new();
    for bound in bounds {
        let line = match (&bound.unlock, bound.unknowns.as_slice()) {
            (Some(unlock), _) => sentence(unlock),
            (None, []) => continue,
            (None, unknowns) => {
                let ids: Vec<String> = unknowns.iter().map(|unknown| format!("`{}`", unknown.id)).collect();
                format!("Supply what isn't known: {}.", list(&ids, 6))
            }
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// Ways to go further, each a sentence with who can do it.
pub(super) fn what_further(prose: &mut Prose, item: &ReportItem, further: Result<&Further, &str>) {
    if item.decision.level.next().is_none() || is_settled(&item.outcome) {
        return;
    }
    prose.heading("What would take it further");
    let further = match further {
        _ if item.fix.is_none() => {
            prose.paragraph("A candidate fix, from a remediator or a person; it is decided on when it comes.");
            return;
        }
        Ok(further) => further,
        Err(why) => {
            prose.paragraph(&format!("The ways can't be worked out: {}.", clause(why)));
            return;
        }
    };
    if !further.same_policies {
        prose.paragraph("The estate's policies have changed since it was decided; this is by today's:");
    }
    let ways = ways::all(further, &item.decision);
    if !ways.is_empty() && !further.same_policies {
        prose.gap();
    }
    for (number, way) in ways.iter().enumerate() {
        prose.numbered(number + 1, &way.words);
        if !way.who.is_empty() {
            prose.sub_item(&format!("Who: {}.", way.who.join("; ")));
        }
    }
    let common = further.ways.iter().filter_map(ways::in_common);
    common.for_each(|words| prose.paragraph(&words));
    if further.ways.iter().any(|ways| !ways.complete) {
        prose.paragraph("There may be more ways than these.");
    } else if ways.is_empty() {
        prose.paragraph("Nothing that could be known would: the policies don't permit more under any circumstances.");
    }
}

/// Whether nothing is left to decide about it.
const fn is_settled(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Merged { .. } | Outcome::AlreadyMerged { .. } | Outcome::Superseded { .. }
    )
}

/// What a person should do now: a sentence and the command lines.
#[must_use]
pub fn next_step(item: &ReportItem, line: &CommandLine) -> (String, Vec<String>) {
    let id = item.finding.id();
    match &item.outcome {
        Outcome::PullRequest { document, .. } => (
            format!("Read the change and its plan in `{document}`. If you agree, sign it and let it merge:"),
            vec![line.signed("approve", &id), line.of("promote", &id)],
        ),
        Outcome::Merged { .. } | Outcome::AlreadyMerged { .. } => ("Nothing; it is done.".to_owned(), Vec::new()),
        Outcome::Superseded { by } => (format!("Nothing; look at the fix {by} instead."), Vec::new()),
        Outcome::NotDone { .. } => (
            "Remove what stood in the way, then run again; it will be decided anew:".to_owned(),
            vec![line.plain("run")],
        ),
        Outcome::Alerted => (after_alert(item), Vec::new()),
    }
}

fn after_alert(item: &ReportItem) -> String {
    let Some(fix) = &item.fix else {
        return "Write a fix, or have one proposed; the next run decides on it.".to_owned();
    };
    let bound = phrase::deciding_bound(item);
    match bound.map(|bound| bound.kind) {
        Some(BoundKind::Evidence) => format!(
            "Don't merge this by hand either. Give what the checks found back to {}; the next run decides on another \
             candidate.",
            fix.remediator
        ),
        Some(BoundKind::UnknownFact) => {
            "Supply what isn't known, or ask those who can; the next run decides anew.".to_owned()
        }
        Some(BoundKind::EvaluationError) => {
            "Mend the policy that couldn't be evaluated; the next run decides anew.".to_owned()
        }
        _ => "Talk to the people that the reason names before anything is changed. When the reason is gone, the next run \
              decides anew."
            .to_owned(),
    }
}

pub(super) fn next_steps(prose: &mut Prose, item: &ReportItem, line: &CommandLine) {
    prose.heading("What to do now");
    let (words, commands) = next_step(item, line);
    prose.paragraph(&words);
    if !commands.is_empty() {
        prose.gap();
        commands.iter().for_each(|command| prose.command(command));
        if matches!(item.outcome, Outcome::PullRequest { .. }) {
            prose.paragraph("If you don't, say so, and it won't be offered again:");
            prose.gap();
            prose.command(&line.signed("decline", &item.finding.id()));
        }
    }
    if !item.advice.is_empty() {
        prose.paragraph("Besides:");
        item.advice.iter().for_each(|advice| prose.item(&sentence(advice)));
    }
}
