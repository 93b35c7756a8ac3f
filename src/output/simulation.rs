//! What another pack would have decided, for people.

use holdpoint_schemas::Level;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::{clean, count, shorten};
use crate::pipeline::simulate::{Change, Direction, Move, Promotion, Simulation};

/// Longest title that is shown.
const MAX_TITLE: usize = 60;
/// Most situations of approval that are named.
const MAX_SITUATIONS: usize = 4;

/// The counts, then every decision that changes with the policies that make the difference.
#[must_use]
pub fn human(simulation: &Simulation) -> String {
    let (from, to) = (&simulation.from, &simulation.to);
    // One name may stand for two packs, such as a shipped one and a copy that was changed.
    let (of_from, of_to) = if from.name == to.name {
        (
            format!(", {}", from.digest.short()),
            format!(" ({})", to.digest.short()),
        )
    } else {
        Default::default()
    };
    let mut text = format!(
        "{} replayed: `{}` (the estate's{of_from}) against `{}`{of_to}\n",
        count(simulation.decisions, "recorded decision", "recorded decisions"),
        clean(&from.name),
        clean(&to.name)
    );
    if simulation.from.digest == simulation.to.digest {
        text.push_str("Both packs are the same.\n");
    }
    for note in &simulation.notes {
        let _ = writeln!(text, "note: {}", clean(note));
    }
    if simulation.changed.is_empty() {
        text.push_str("No decision changes.\n");
        return text;
    }
    let _ = writeln!(text, "{} looser, {} stricter\n", simulation.looser, simulation.stricter);
    moves(&mut text, "", &simulation.moves);
    by(&mut text, "lane", &simulation.lanes);
    by(&mut text, "service", &simulation.services);
    for direction in [Direction::Looser, Direction::Stricter] {
        let changes = simulation.changed.iter().filter(|change| change.direction == direction);
        for (index, change) in changes.enumerate() {
            if index == 0 {
                text.push_str(match direction {
                    Direction::Looser => "\nLooser:\n",
                    Direction::Stricter => "\nStricter:\n",
                });
            }
            one(&mut text, change);
        }
    }
    text
}

fn by(text: &mut String, what: &str, groups: &BTreeMap<String, Vec<Move>>) {
    let moved = groups
        .iter()
        .filter(|(_, moves)| moves.iter().any(|one| one.from != one.to));
    for (name, all) in moved {
        moves(text, &format!("{what} {}: ", clean(name)), all);
    }
}

/// One line for each way that decisions go; those that stay only in the total.
fn moves(text: &mut String, prefix: &str, moves: &[Move]) {
    for one in moves.iter().filter(|one| prefix.is_empty() || one.from != one.to) {
        let way = if one.from == one.to {
            format!("stay at {}", one.from)
        } else {
            arrow(one.from, one.to)
        };
        let _ = writeln!(text, "  {prefix}{} {way}", one.count);
    }
}

fn arrow(from: Level, to: Level) -> String {
    format!("{from} -> {to}")
}

fn one(text: &mut String, change: &Change) {
    let mut what = Vec::new();
    if change.from != change.to {
        what.push(arrow(change.from, change.to));
    }
    for permitted in [true, false] {
        what.extend(merge(&change.promotions, permitted));
    }
    let _ = writeln!(
        text,
        "  {}  {}  {}\n      {}",
        clean(&change.finding),
        clean(&change.service),
        shorten(&clean(&change.title), MAX_TITLE),
        what.join("; ")
    );
    for (verb, ids) in [
        ("no longer withheld by", &change.lifted),
        ("withheld by", &change.added),
        ("permitted by", &change.permitted_by),
    ] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(|id| clean(id)).collect();
            let _ = writeln!(text, "      {verb} {}", ids.join(", "));
        }
    }
}

/// With which approvals a suggestion may be merged now, or no longer may.
fn merge(promotions: &[Promotion], permitted: bool) -> Option<String> {
    let changed = promotions.iter().filter(|promotion| promotion.to == permitted);
    let all: Vec<&str> = changed.map(|promotion| promotion.approvals.as_str()).collect();
    let mut named: Vec<String> = all.iter().take(MAX_SITUATIONS).map(|one| (*one).to_owned()).collect();
    if all.len() > MAX_SITUATIONS {
        named.push(format!("{} more", all.len() - MAX_SITUATIONS));
    }
    let (last, others) = named.split_last()?;
    let with = if others.is_empty() {
        last.clone()
    } else {
        format!("{} or {last}", others.join(", "))
    };
    let way = if permitted {
        "denied -> permitted"
    } else {
        "permitted -> denied"
    };
    Some(format!("merge with {with}: {way}"))
}
