//! For a terminal.

use holdpoint_contract::Rule;
use std::fmt::Write as _;

use super::{Compared, gaps, place, position, told};
use crate::output::text::{clean, count, sentence};

/// Most changes that a terminal shows; the other forms have all.
const MAX_SHOWN: usize = 200;

/// Most places that one gap is told for.
const MAX_PLACES: usize = 5;

/// The comparison for a terminal.
#[must_use]
pub fn human(compared: &Compared<'_>) -> String {
    let diff = &compared.judged.diff;
    let (verdict, words) = compared.verdict();
    let mut out = format!("{verdict}: {words} ({})", diff.kind);
    let _ = write!(out, "\n{}", compared.numbers());
    for change in diff.changes.iter().take(MAX_SHOWN) {
        let position = position(compared, change).unwrap_or_default();
        let where_ = [place(change), change.location.clone(), position];
        let where_: Vec<String> = where_
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| clean(part))
            .collect();
        let _ = write!(
            out,
            "\n\n{:<8} {}  [{}]\n         {}",
            change.level.as_str(),
            clean(&change.text),
            clean(&change.rule),
            where_.join("  ")
        );
    }
    if let Some(more) = diff.changes.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        let _ = write!(out, "\n\nand {more} more; `--format json` has all");
    }
    if !diff.gaps.is_empty() {
        out.push_str("\n\nnot compared:");
        for (text, places) in gaps(compared).iter().take(MAX_SHOWN) {
            for place in places.iter().take(MAX_PLACES) {
                let colon = if place.is_empty() { "" } else { ": " };
                let _ = write!(out, "\n  {}{colon}{}", clean(place), clean(text));
            }
            if let Some(more) = places.len().checked_sub(MAX_PLACES).filter(|more| *more > 0) {
                let _ = write!(out, "\n  and the same at {}", count(more, "more place", "more places"));
            }
        }
    }
    if !compared.judged.overrides.is_empty() {
        out.push_str("\n\nlevels that the configuration sets:");
        for found in &compared.judged.overrides {
            let _ = write!(out, "\n  {}", clean(&told(found)));
        }
    }
    out
}

/// Rules as a list.
#[must_use]
pub fn listed(rules: &[Rule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let line = |rule: &Rule| {
        format!(
            "{:<12} {:<8} {:<width$}  {}",
            rule.kind,
            rule.level.as_str(),
            rule.id,
            rule.explanation
        )
    };
    rules.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What rules mean.
#[must_use]
pub fn explained(rules: &[Rule]) -> String {
    let block = |rule: &Rule| {
        let mut text = format!(
            "{} ({}, {})\n\n  {}",
            rule.id,
            rule.kind,
            rule.level.as_str(),
            sentence(&rule.explanation)
        );
        if let Some(opposite) = &rule.opposite {
            let _ = write!(text, "\n  Backwards it is `{opposite}`.");
        }
        text
    };
    rules.iter().map(block).collect::<Vec<_>>().join("\n\n")
}
