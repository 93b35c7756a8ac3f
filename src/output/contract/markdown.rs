//! For a pull request: what breaks is seen at once, what doesn't is folded away.

use holdpoint_contract::{Change, DiffVerdict, Level};
use std::fmt::Write as _;

use super::{Compared, place, position};
use crate::output::markdown::escape;
use crate::output::text::{sentence, shorten};

/// Most rows of one table: forges cut long comments.
const MAX_ROWS: usize = 100;
/// Longest text of a cell, in characters.
const MAX_CELL: usize = 200;

/// The comparison as a comment of a pull request.
#[must_use]
pub fn markdown(compared: &Compared<'_>) -> String {
    let diff = &compared.judged.diff;
    let mark = match diff.verdict() {
        DiffVerdict::Breaking => "❌",
        DiffVerdict::Compatible => "✅",
        DiffVerdict::Inconclusive => "❔",
    };
    let (_, words) = compared.verdict();
    let mut out = format!("### {mark} API contract ({}): {words}\n\n", escape(&diff.kind));
    let _ = writeln!(
        out,
        "{}, from {} to {}.",
        sentence(&compared.numbers()).trim_end_matches('.'),
        escape(compared.base),
        escape(compared.revision)
    );
    let told = [compared.of(Level::Error), compared.of(Level::Warning)].concat();
    table(&mut out, compared, &told);
    if !diff.gaps.is_empty() {
        out.push_str("\n**Not compared**\n\n");
        for gap in diff.gaps.iter().take(MAX_ROWS) {
            let _ = writeln!(
                out,
                "- {}: {}",
                escape(&gap.place),
                escape(&shorten(&gap.text, MAX_CELL))
            );
        }
        more(&mut out, diff.gaps.len());
    }
    let info = compared.of(Level::Info);
    if !info.is_empty() {
        let _ = writeln!(
            out,
            "\n<details><summary>Breaks nobody: {}</summary>",
            changes(info.len())
        );
        table(&mut out, compared, &info);
        out.push_str("\n</details>\n");
    }
    if !compared.judged.overrides.is_empty() {
        out.push_str("\n**Levels that the configuration sets**\n\n");
        for found in &compared.judged.overrides {
            let _ = writeln!(out, "- {}", escape(&super::told(found)));
        }
    }
    out
}

fn changes(number: usize) -> String {
    crate::output::text::count(number, "change", "changes")
}

fn table(out: &mut String, compared: &Compared<'_>, changes: &[&Change]) {
    if changes.is_empty() {
        return;
    }
    out.push_str("\n| Level | Where | What | Rule |\n| --- | --- | --- | --- |\n");
    for change in changes.iter().take(MAX_ROWS) {
        let cell = |text: &str| escape(&shorten(text, MAX_CELL));
        let mut where_ = cell(&place(change));
        if !change.location.is_empty() {
            let _ = write!(where_, "<br>{}", cell(&change.location));
        }
        if let Some(position) = position(compared, change) {
            let _ = write!(where_, "<br>{}", cell(&position));
        }
        let level = match change.level {
            Level::Error => "**error**",
            level => level.as_str(),
        };
        let _ = writeln!(
            out,
            "| {level} | {where_} | {} | {} |",
            cell(&change.text),
            cell(&change.rule)
        );
    }
    more(out, changes.len());
}

fn more(out: &mut String, number: usize) {
    if number > MAX_ROWS {
        let _ = writeln!(out, "\n… and {} more.", number - MAX_ROWS);
    }
}
