//! Why a patch doesn't apply: the file and the hunk, and whether a patch program would have
//! guessed. Guessing ("fuzz") puts a change where its surroundings differ, so that what is built
//! is no longer what was proposed; here it is only ever named.

use crate::FixError;
use crate::patch::{HunkLine, Origin, Patch};

/// Context lines that GNU patch leaves out at either end of a hunk before it gives up (its manual, "Inexact").
const MAX_FUZZ: usize = 2;

/// The first hunk that doesn't fit. `text` reads a file of the base; `None`: every hunk fits by
/// itself, or it can't be told.
pub(super) fn find(base: &str, patch: &Patch, text: impl Fn(&str) -> Option<String>) -> Option<FixError> {
    for file in &patch.files {
        let Some(text) = text(&file.path) else {
            continue;
        };
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        for hunk in &file.hunks {
            let before: Vec<&HunkLine> = hunk.lines.iter().filter(|line| line.origin != Origin::Added).collect();
            let place = |fuzz: usize| position(&lines, without_ends(&before, fuzz));
            let named = (hunk.old_start as usize).saturating_sub(1);
            if lines.get(named..).is_some_and(|rest| begins(rest, &before)) {
                continue;
            }
            let path = file.path.escape_debug().to_string();
            let at = hunk.old_start;
            let no_match = |why: String| FixError::DoesNotApply {
                base: base.to_owned(),
                why,
                help: "make the fix anew on this base".to_owned(),
            };
            if let Some(moved) = place(0) {
                return Some(no_match(format!(
                    "the lines that it changes at line {at} of `{path}` are at line {} now",
                    moved + 1
                )));
            }
            let without_returns: Vec<&str> = lines.iter().map(|line| line.trim_end_matches('\r')).collect();
            let same = |at: usize| {
                without_returns
                    .get(at..)
                    .is_some_and(|rest| is_same_but_for_returns(rest, &before))
            };
            if (0..=lines.len()).any(same) {
                return Some(FixError::DoesNotApply {
                    base: base.to_owned(),
                    why: format!("the lines that it changes at line {at} of `{path}` have other line endings there"),
                    help: "make the fix anew with the line endings of the file (`git diff` keeps them)".to_owned(),
                });
            }
            return Some(match (1..=MAX_FUZZ).find(|fuzz| place(*fuzz).is_some()) {
                Some(fuzz) => FixError::NeedsFuzz {
                    base: base.to_owned(),
                    path,
                    line: at,
                    fuzz,
                },
                None => no_match(format!(
                    "the lines that it changes at line {at} of `{path}` are not there"
                )),
            });
        }
    }
    None
}

/// The lines of a hunk without up to `fuzz` context lines at each end.
fn without_ends<'a, 'h>(before: &'a [&'h HunkLine], fuzz: usize) -> &'a [&'h HunkLine] {
    let context = |line: &&&HunkLine| line.origin == Origin::Context;
    let top = before.iter().take(fuzz).take_while(context).count();
    let rest = before.get(top..).unwrap_or_default();
    let bottom = rest.iter().rev().take(fuzz).take_while(context).count();
    rest.get(..rest.len() - bottom).unwrap_or_default()
}

/// Where these lines are in a text one after the other, 0-based. None at all are everywhere.
fn position(lines: &[&str], wanted: &[&HunkLine]) -> Option<usize> {
    (0..=lines.len()).find(|at| lines.get(*at..).is_some_and(|rest| begins(rest, wanted)))
}

fn begins(lines: &[&str], wanted: &[&HunkLine]) -> bool {
    lines.len() >= wanted.len() && lines.iter().zip(wanted).all(|(line, wanted)| *line == wanted.text)
}

/// Whether these lines, which have no carriage returns at their ends any more, are the wanted ones.
fn is_same_but_for_returns(lines: &[&str], wanted: &[&HunkLine]) -> bool {
    let same = |(line, wanted): (&&str, &&HunkLine)| *line == wanted.text.trim_end_matches('\r');
    lines.len() >= wanted.len() && lines.iter().zip(wanted).all(same)
}
