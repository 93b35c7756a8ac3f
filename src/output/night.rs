//! What differs since the last run, what wasn't reached, and what is late, in words that every report shares.

use holdpoint_schemas::finding::Severity;
use serde::Serialize;
use std::fmt::Write as _;

use super::markdown::escape;
use super::phrase;
use super::summary::Summary;
use super::text::{clause, clean, count, shorten};
use crate::pipeline::night::{Change, ChangeKind};
use crate::pipeline::report::{ReportItem, RunReport};
use crate::pipeline::time::{Remediation, hours_in_words};

/// Lines of one group that a page shows; the JSON report has all.
const MAX_LINES: usize = 50;
/// Longest title of a line.
const MAX_TITLE: usize = 120;
/// Longest reason of a line.
const MAX_WHY: usize = 220;

/// One finding in one line. Everything in it is untrusted text, freed of control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Short id; empty for what is about no finding.
    pub finding: String,
    /// `repo@branch`.
    pub place: String,
    /// Severity; empty where there is none.
    pub severity: String,
    /// What.
    pub title: String,
    /// What became of it, and why.
    pub why: String,
    /// Whether the page has a card of it.
    #[serde(skip)]
    pub linked: bool,
}

/// Lines under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Heading.
    pub title: String,
    /// How it is coloured: a kind of change, or `late` or `unreached`.
    pub class: &'static str,
    /// All its lines.
    pub lines: Vec<Line>,
}

/// A row of the table of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeRow {
    /// Severity.
    pub severity: &'static str,
    /// Lane; `-` for none.
    pub lane: String,
    /// Cells: open, oldest, settled, median, p90, deadline, late.
    pub cells: [String; 7],
    /// Whether some are past their deadline.
    pub late: bool,
}

/// Headings of [`TimeRow::cells`].
pub const TIME_HEADINGS: [&str; 7] = ["open", "oldest", "settled", "median", "p90", "deadline", "past it"];

/// A night in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightWords {
    /// What it is compared with, as a date; `None` for a first run.
    pub since: Option<String>,
    /// Groups that have lines, in order.
    pub groups: Vec<Group>,
    /// Findings that are as they were.
    pub unchanged: usize,
    /// Times to remediate.
    pub times: Vec<TimeRow>,
}

impl Line {
    /// Text that is about no finding.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self {
            finding: String::new(),
            place: String::new(),
            severity: String::new(),
            title: clean(text),
            why: String::new(),
            linked: false,
        }
    }

    /// An item and its deciding reason.
    #[must_use]
    pub fn of_item(item: &ReportItem) -> Self {
        let finding = &item.finding;
        Self {
            finding: finding.id(),
            place: clean(&format!("{}@{}", finding.repo, finding.branch)),
            severity: finding.finding.severity.as_str().to_owned(),
            title: shorten(&clean(&finding.finding.title), MAX_TITLE),
            why: shorten(&clean(&phrase::reason(item)), MAX_WHY),
            linked: true,
        }
    }

    fn of_change(change: &Change, linked: bool) -> Self {
        let levels = match (change.from, change.to) {
            (Some(from), Some(to)) => format!("{from} → {to}, "),
            (None, Some(to)) if change.kind != ChangeKind::Held => format!("{to}: "),
            _ => String::new(),
        };
        let nights = change
            .nights
            .map(|nights| format!("for {}: ", count(nights as usize, "night", "nights")))
            .unwrap_or_default();
        Self {
            finding: change.finding.clone(),
            place: clean(&change.place),
            severity: change.severity.as_str().to_owned(),
            title: shorten(&clean(&change.title), MAX_TITLE),
            why: shorten(&clean(&format!("{levels}{nights}{}", clause(&change.why))), MAX_WHY),
            linked,
        }
    }

    /// It in one line of plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        if !self.finding.is_empty() {
            let _ = write!(out, "{} {} ({}) ", self.finding, self.place, self.severity);
        }
        out.push_str(&self.title);
        if !self.why.is_empty() {
            let _ = write!(out, ": {}", self.why);
        }
        out
    }
}

impl NightWords {
    /// A report's night.
    #[must_use]
    pub fn of(report: &RunReport) -> Self {
        let night = &report.night;
        let mut groups = Vec::new();
        let item = |id: &str| report.items.iter().find(|item| item.finding.id() == id);
        let changes = night.since.as_ref().map_or(&[][..], |since| &since.changes);
        for kind in ChangeKind::ALL {
            let of_kind = changes.iter().filter(|change| change.kind == kind);
            groups.push(Group {
                title: kind.title().to_owned(),
                class: class(kind),
                lines: of_kind
                    .map(|change| Line::of_change(change, item(&change.finding).is_some()))
                    .collect(),
            });
        }
        let named = |id: &str, why: String| match item(id) {
            Some(item) => Line {
                why,
                ..Line::of_item(item)
            },
            None => Line {
                finding: id.to_owned(),
                why,
                ..Line::plain("")
            },
        };
        let breaches = night.times.breaches.iter().map(|breach| {
            let days = |number: i64| count(usize::try_from(number).unwrap_or_default(), "day", "days");
            let why = format!(
                "open for {}, {} past its deadline",
                days(breach.age_days),
                days(breach.over_days)
            );
            named(&breach.finding, why)
        });
        groups.push(Group {
            title: "past the deadline".to_owned(),
            class: "late",
            lines: breaches.collect(),
        });
        let back = night.times.reintroduced.iter();
        groups.push(Group {
            title: "reintroduced and open".to_owned(),
            class: "late",
            lines: back
                .map(|id| named(id, "it was there before, was gone, and came back".to_owned()))
                .collect(),
        });
        let unreached = night.not_reached.iter();
        groups.push(Group {
            title: "not reached tonight".to_owned(),
            class: "unreached",
            lines: unreached
                .map(|id| named(id, "the run's time was over".to_owned()))
                .collect(),
        });
        groups.retain(|group| !group.lines.is_empty());
        Self {
            since: night
                .since
                .as_ref()
                .and_then(|since| Some(since.at?.strftime("%-d %B %Y, %H:%M UTC").to_string())),
            groups,
            unchanged: night.since.as_ref().map_or(0, |since| since.unchanged),
            times: night
                .times
                .rows
                .iter()
                .filter(|row| row.open + row.settled > 0)
                .map(time_row)
                .collect(),
        }
    }

    /// The night in a few words.
    #[must_use]
    pub fn headline(&self, summary: &Summary) -> String {
        if self.groups.is_empty() {
            let same = if self.since.is_some() {
                "nothing changed"
            } else {
                "first run"
            };
            return format!("{same}, {}", summary.levels_line());
        }
        let parts: Vec<String> = self
            .groups
            .iter()
            .map(|group| format!("{} {}", group.lines.len(), group.title))
            .collect();
        parts.join(", ")
    }

    /// What a terminal shows after the table of a run; nothing where there is nothing to say.
    #[must_use]
    pub fn terminal(&self) -> String {
        let Some(since) = &self.since else {
            return self.loud();
        };
        let mut parts: Vec<String> = self
            .groups
            .iter()
            .map(|group| format!("{} {}", group.lines.len(), group.title))
            .collect();
        if parts.is_empty() {
            parts.push("nothing changed".to_owned());
        }
        format!("Since {since}: {}", parts.join(", "))
    }

    /// What is told even where there is nothing to compare with.
    fn loud(&self) -> String {
        let parts: Vec<String> = self
            .groups
            .iter()
            .map(|group| format!("{}: {}", group.title, group.lines.len()))
            .collect();
        parts.join("\n")
    }

    /// The night as a part of a Markdown page.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        if self.since.is_none() && self.groups.is_empty() && self.times.is_empty() {
            return out;
        }
        match &self.since {
            Some(since) => {
                let _ = writeln!(out, "### Since {since}\n");
                if self.groups.is_empty() {
                    let _ = writeln!(out, "Nothing changed.\n");
                }
            }
            None if self.groups.is_empty() => {}
            None => out.push_str("### Tonight\n\n"),
        }
        for group in &self.groups {
            let _ = writeln!(out, "**{} {}**\n", group.lines.len(), group.title);
            for line in group.lines.iter().take(MAX_LINES) {
                let why = if line.why.is_empty() {
                    String::new()
                } else {
                    format!(": {}", escape(&line.why))
                };
                let _ = writeln!(
                    out,
                    "- {} {} ({}) {}{why}",
                    line.finding,
                    escape(&line.place),
                    line.severity,
                    escape(&line.title),
                );
            }
            if group.lines.len() > MAX_LINES {
                let _ = writeln!(out, "- … and {} more", group.lines.len() - MAX_LINES);
            }
            out.push('\n');
        }
        if !self.times.is_empty() {
            let _ = writeln!(out, "### Times\n\n| severity | lane | {} |", TIME_HEADINGS.join(" | "));
            let _ = writeln!(out, "| --- | --- |{}", " --- |".repeat(TIME_HEADINGS.len()));
            for row in &self.times {
                let lane = escape(&row.lane);
                let _ = writeln!(out, "| {} | {lane} | {} |", row.severity, row.cells.join(" | "));
            }
            out.push('\n');
        }
        out
    }
}

const fn class(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Reverted | ChangeKind::Down => "down",
        ChangeKind::New | ChangeKind::Returned => "fresh",
        ChangeKind::Up => "up",
        ChangeKind::Merged | ChangeKind::Fixed | ChangeKind::Vanished => "settled",
        ChangeKind::Held => "held",
    }
}

fn time_row(row: &Remediation) -> TimeRow {
    let hours = |hours: Option<i64>| hours.map_or_else(|| "-".to_owned(), hours_in_words);
    TimeRow {
        severity: Severity::as_str(row.severity),
        lane: row.lane.as_deref().map_or_else(|| "-".to_owned(), clean),
        cells: [
            row.open.to_string(),
            row.oldest_days
                .map_or_else(|| "-".to_owned(), |days| format!("{days} d")),
            row.settled.to_string(),
            hours(row.median_hours),
            hours(row.p90_hours),
            hours(row.sla_hours.and_then(|hours| i64::try_from(hours).ok())),
            row.breached.to_string(),
        ],
        late: row.breached > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn a_night_in_markdown_says_what_changed_what_is_late_and_how_long_things_take() {
        insta::assert_snapshot!(NightWords::of(&samples::report()).markdown());
    }

    #[test]
    fn a_terminal_and_a_subject_have_it_in_one_line() {
        let report = samples::report();
        let words = NightWords::of(&report);
        let parts = "1 new, 1 level fell, 1 merged, 1 still waiting, 1 past the deadline, 1 reintroduced and open, \
                     1 not reached tonight";
        assert_eq!(words.terminal(), format!("Since 16 March 2026, 02:30 UTC: {parts}"));
        assert_eq!(words.headline(&Summary::of(&report)), parts);
    }

    #[test]
    fn a_first_run_compares_with_nothing() {
        let mut report = samples::report();
        report.night = crate::pipeline::night::NightReport::default();
        let words = NightWords::of(&report);
        assert!(words.terminal().is_empty() && words.markdown().is_empty());
        assert!(words.headline(&Summary::of(&report)).starts_with("first run, "));
    }

    #[test]
    fn hostile_titles_stay_text() {
        let mut report = samples::report();
        let hostile = "x | <img src=y>\n# [z](https://evil.example) \x1b[31m";
        for change in &mut report.night.since.as_mut().unwrap().changes {
            (change.title, change.why, change.place) = (hostile.to_owned(), hostile.to_owned(), hostile.to_owned());
        }
        let page = NightWords::of(&report).markdown();
        for raw in ["<img", "https://", "\x1b"] {
            assert!(!page.contains(raw), "{raw:?}");
        }
    }
}
