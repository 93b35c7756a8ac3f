//! One page that needs nothing else: no script, no request, and a content security policy that allows its style alone.

use askama::Template;
use holdpoint_contract::{Change, DiffVerdict, Level};

use super::{Compared, LEVELS, gaps, place, position, told};
use crate::output::html::{filters, style_hash};
use crate::output::text::clean;

/// Changes of one level that are shown: a page with more is a database dump; the JSON has all.
const MAX_SHOWN: usize = 1_000;

/// The page's style sheet.
const STYLE: &str = concat!(
    include_str!("../templates/colors.css"),
    include_str!("../templates/contract.css")
);

#[derive(Template)]
#[template(path = "contract.html", config = "src/output/templates/askama.toml")]
struct Page {
    style: &'static str,
    style_hash: String,
    kind: String,
    base: String,
    revision: String,
    verdict: &'static str,
    headline: String,
    numbers: Vec<(usize, &'static str)>,
    groups: Vec<Group>,
    /// What could not be compared, and where; it comes first where the verdict hangs on it.
    gaps: Vec<(String, Vec<String>)>,
    gaps_first: bool,
    overrides: Vec<String>,
}

/// The changes of one level.
struct Group {
    level: &'static str,
    title: &'static str,
    /// Whether it is open when the page opens.
    open: bool,
    rows: Vec<Row>,
    left_out: usize,
}

struct Row {
    operation: String,
    path: String,
    location: String,
    position: String,
    text: String,
    rule: String,
    categories: String,
}

/// The comparison as a page.
///
/// # Errors
/// Never in practice: the template is compiled in.
pub fn html(compared: &Compared<'_>) -> Result<String, askama::Error> {
    let diff = &compared.judged.diff;
    let (verdict, words) = compared.verdict();
    let groups: Vec<Group> = LEVELS.into_iter().map(|level| group(compared, level)).collect();
    Page {
        style: STYLE,
        style_hash: style_hash(STYLE),
        kind: clean(&diff.kind),
        base: clean(compared.base),
        revision: clean(compared.revision),
        verdict,
        headline: headline(verdict, words),
        numbers: groups
            .iter()
            .map(|group| (group.rows.len() + group.left_out, group.level))
            .collect(),
        groups: groups.into_iter().filter(|group| !group.rows.is_empty()).collect(),
        gaps: gaps(compared)
            .into_iter()
            .take(MAX_SHOWN)
            .map(|(text, places)| {
                let places = places.into_iter().take(MAX_SHOWN).map(clean);
                (clean(text), places.collect())
            })
            .collect(),
        gaps_first: diff.verdict() == DiffVerdict::Inconclusive,
        overrides: compared
            .judged
            .overrides
            .iter()
            .map(|found| clean(&told(found)))
            .collect(),
    }
    .render()
}

/// A sentence that begins with the verdict.
fn headline(verdict: &str, words: &str) -> String {
    let mut chars = verdict.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}: {words}.", chars.as_str())
}

fn group(compared: &Compared<'_>, level: Level) -> Group {
    let changes = compared.of(level);
    let (name, title) = match level {
        Level::Error => ("error", "What can break a client"),
        Level::Warning => ("warning", "What can break one that relies on more than was promised"),
        Level::Info => ("info", "What breaks nobody"),
    };
    Group {
        level: name,
        title,
        open: level != Level::Info,
        rows: changes
            .iter()
            .take(MAX_SHOWN)
            .map(|change| row(compared, change))
            .collect(),
        left_out: changes.len().saturating_sub(MAX_SHOWN),
    }
}

fn row(compared: &Compared<'_>, change: &Change) -> Row {
    let whole = place(change);
    let path = whole.strip_prefix(&change.operation).unwrap_or(&whole).trim_start();
    Row {
        operation: clean(&change.operation),
        path: clean(path),
        location: clean(&change.location),
        position: clean(&position(compared, change).unwrap_or_default()),
        text: clean(&change.text),
        rule: clean(&change.rule),
        categories: clean(&change.categories.join(", ")),
    }
}
