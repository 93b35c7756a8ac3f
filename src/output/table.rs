//! The tables at the end of a run.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width};
use comfy_table::{ContentLineStyle, LineStyle, TableStyle};
use holdpoint_schemas::Level;
use std::io::IsTerminal as _;

use super::phrase;
use super::summary::Summary;
use super::text::{clean, count, shorten};
use crate::pipeline::report::{CiOnly, ReportItem, RunReport};

/// Narrowest table: below it the columns would be unreadable.
const MIN_WIDTH: u16 = 100;
/// Widest table: beyond it the eye loses the line.
const MAX_WIDTH: u16 = 160;
/// Longest reason that a table shows; `explain` has all of it.
const MAX_REASON: usize = 150;
/// Longest title that a table shows.
const MAX_TITLE: usize = 80;

/// How a table is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns; kept between 100 and 160.
    pub width: u16,
    /// Whether colours and bold may be used.
    pub colour: bool,
}

impl Look {
    /// What suits standard output: as wide as the terminal and coloured, or plain and 120 wide.
    #[must_use]
    pub fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self {
            width: Table::new().width().unwrap_or(120),
            colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// One row per finding, then the numbers.
#[must_use]
pub fn summary(report: &RunReport, look: Look) -> String {
    let mut table = table(
        look,
        &["finding", "what", "decision", "why", "CI-only tool"],
        &[23, 0, 20, 0, 14],
    );
    for item in &report.items {
        let finding = &item.finding;
        table.add_row([
            Cell::new(format!(
                "{}@{}\n{}",
                clean(&finding.repo),
                clean(&finding.branch),
                finding.id()
            )),
            Cell::new(shorten(&clean(&finding.finding.title), MAX_TITLE)),
            Cell::new(format!(
                "{}\n{}",
                item.decision.level,
                phrase::outcome_short(&item.outcome)
            ))
            .fg(level_colour(item.decision.level)),
            Cell::new(short_reason(item)),
            ci_only(item),
        ]);
    }
    let numbers = Summary::of(report);
    let banner: String = super::waiting::banner(&report.queue)
        .iter()
        .map(|line| {
            format!(
                "{}\n",
                textwrap::fill(&format!("OVERRIDE: {line}"), usize::from(MIN_WIDTH))
            )
        })
        .collect();
    format!(
        "{}\n\n{}\n{}\n{banner}",
        table.trim_fmt(),
        numbers.levels_line(),
        textwrap::fill(&numbers.ci_only_line(), usize::from(MIN_WIDTH))
    )
}

/// One row per scenario of the demo, then how many ended as they must.
#[must_use]
pub fn scenarios(report: &RunReport, look: Look) -> String {
    let headings = ["scenario", "must end as", "ended as", "", "reason", "CI-only tool"];
    let mut table = table(look, &headings, &[22, 13, 20, 3, 0, 14]);
    for item in &report.items {
        let Some(scenario) = &item.scenario else {
            continue;
        };
        let (mark, colour) = if scenario.met {
            ("✓", Color::Green)
        } else {
            ("✗", Color::Red)
        };
        table.add_row([
            Cell::new(format!("{}\n{}", clean(&scenario.id), item.finding.id())),
            Cell::new(scenario.must_be),
            Cell::new(format!(
                "{}\n{}",
                item.decision.level,
                phrase::outcome_short(&item.outcome)
            ))
            .fg(level_colour(item.decision.level)),
            Cell::new(mark).fg(colour).add_attribute(Attribute::Bold),
            Cell::new(short_reason(item)),
            ci_only(item),
        ]);
    }
    let numbers = Summary::of(report);
    format!(
        "{}\n\n{} of {} ended as they must\n{}\n",
        table.trim_fmt(),
        numbers.scenarios_met,
        count(numbers.scenarios, "scenario", "scenarios"),
        textwrap::fill(&numbers.ci_only_line(), usize::from(MIN_WIDTH))
    )
}

fn short_reason(item: &ReportItem) -> String {
    shorten(&clean(&phrase::reason(item)), MAX_REASON)
}

fn ci_only(item: &ReportItem) -> Cell {
    let words = phrase::ci_only_short(item.ci_only);
    let cell = Cell::new(words);
    if item.ci_only == CiOnly::Merge && phrase::harm(item).is_some() {
        cell.fg(Color::Red).add_attribute(Attribute::Bold)
    } else {
        cell
    }
}

const fn level_colour(level: Level) -> Color {
    match level {
        Level::Alert => Color::Red,
        Level::Suggest => Color::Yellow,
        Level::AutoApply => Color::Green,
    }
}

/// A table with thin rules and no vertical lines; `widths` gives a column's width, 0 for the rest.
pub fn table(look: Look, headings: &[&str], widths: &[u16]) -> Table {
    let style = TableStyle::new()
        .header_lines(ContentLineStyle::none())
        .header_separator(LineStyle::none().fill('─').junction('─'))
        .content_lines(ContentLineStyle::none())
        .row_separator(LineStyle::none().fill(' ').junction(' '));
    let mut table = Table::new();
    table
        .load_style(style)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(look.width.clamp(MIN_WIDTH, MAX_WIDTH));
    if look.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(
        headings
            .iter()
            .map(|text| Cell::new(text).add_attribute(Attribute::Bold)),
    );
    table.set_constraints(widths.iter().map(|width| match width {
        0 => ColumnConstraint::LowerBoundary(Width::Fixed(18)),
        width => ColumnConstraint::Absolute(Width::Fixed(*width)),
    }));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    const PLAIN: Look = Look {
        width: 120,
        colour: false,
    };

    #[test]
    fn the_summary_names_each_finding_with_its_reason() {
        insta::assert_snapshot!(summary(&samples::report(), PLAIN));
    }

    #[test]
    fn the_scenario_table_marks_what_was_met() {
        let mut report = samples::report();
        if let Some(scenario) = report.items.last_mut().and_then(|item| item.scenario.as_mut()) {
            scenario.met = false;
        }
        insta::assert_snapshot!(scenarios(&report, PLAIN));
    }

    #[test]
    fn tables_fit_from_100_to_160_columns() {
        for width in [80, 100, 120, 160, 400] {
            let look = Look { width, ..PLAIN };
            let widest = usize::from(width.clamp(MIN_WIDTH, MAX_WIDTH));
            for text in [summary(&samples::report(), look), scenarios(&samples::report(), look)] {
                for line in text.lines() {
                    assert!(line.chars().count() <= widest, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn only_a_coloured_table_has_escapes() {
        let coloured = Look { colour: true, ..PLAIN };
        assert!(summary(&samples::report(), coloured).contains('\x1b'));
        assert!(!summary(&samples::report(), PLAIN).contains('\x1b'));
    }

    #[test]
    fn a_hostile_title_cannot_colour_the_terminal() {
        let mut report = samples::report();
        report.items[0].finding.finding.title = "\x1b[31mred\nsecond".to_owned();
        assert!(!summary(&report, PLAIN).contains('\x1b'));
    }
}
