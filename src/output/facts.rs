//! What is known and what isn't, for people: of one finding, and over the estate.

use comfy_table::{Attribute, Cell, Color};
use std::fmt::Write as _;

use super::table::{Look, table};
use super::text::{clause, clean, count, shorten};
use super::wording::{age_of, value};
use crate::pipeline::knowledge::{FactRow, FindingFacts, Missing, MissingReport};

/// Longest source or note that the table shows; `--format json` has all of it.
const MAX_CELL: usize = 220;
/// Most reasons and services that are listed for one missing fact.
const MAX_LISTED: usize = 3;

/// One table per candidate fix: each fact, its value, where it comes from, how old it is.
#[must_use]
pub fn finding(all: &[FindingFacts], look: Look) -> String {
    let mut text = String::new();
    for facts in all {
        let finding = &facts.finding;
        let _ = writeln!(
            text,
            "{}  {}@{}  {}",
            facts.id,
            clean(&finding.repo),
            clean(&finding.branch),
            clean(&finding.finding.title)
        );
        let candidate = facts.fix_title.as_ref().map_or_else(
            || "no candidate fix".to_owned(),
            |title| format!("candidate: {}", clean(title)),
        );
        let unknown = facts.facts.iter().filter(|row| row.value.is_none()).count();
        let _ = writeln!(
            text,
            "service {}; {candidate}; at most {} before evidence; {} of {} facts unknown\n",
            clean(&facts.service),
            facts.possible,
            unknown,
            facts.facts.len()
        );
        let mut rows = table(look, &["fact", "value", "source, age; or who could tell"], &[34, 22, 0]);
        for row in &facts.facts {
            rows.add_row([
                name(row),
                match &row.value {
                    Some(known) => Cell::new(shorten(&clean(&value(&row.id, known)), MAX_CELL)),
                    None => Cell::new("unknown").fg(Color::Yellow),
                },
                Cell::new(origin(row)),
            ]);
        }
        let _ = writeln!(text, "{}\n", rows.trim_fmt());
    }
    text.push_str("* a policy of this estate reads it; policies below a fact withhold a higher level because of it\n");
    text
}

fn name(row: &FactRow) -> Cell {
    let mark = if row.read_by_policies { " *" } else { "" };
    let held: String = row
        .holds_back
        .iter()
        .map(|policy| format!("\n  {}", clean(policy)))
        .collect();
    let cell = Cell::new(format!("{}{mark}{held}", row.id));
    if row.holds_back.is_empty() {
        cell
    } else {
        cell.add_attribute(Attribute::Bold)
    }
}

fn origin(row: &FactRow) -> String {
    let mut text = match (&row.source, row.age_seconds) {
        (Some(source), Some(age)) => format!("{}, {}", clause(&clean(source)), age_of(age)),
        _ => format!(
            "{}\n→ {}",
            shorten(
                &clean(row.why_unknown.as_deref().unwrap_or("nothing supplied it")),
                MAX_CELL
            ),
            row.resolver.as_deref().unwrap_or_default()
        ),
    };
    if let Some(note) = &row.note {
        let _ = write!(text, "\n{}", shorten(&clean(note), MAX_CELL));
    }
    text
}

/// What to connect next, ranked.
#[must_use]
pub fn missing(report: &MissingReport, look: Look) -> String {
    if report.missing.is_empty() {
        return format!(
            "No unknown fact holds back any of {}.",
            count(report.findings, "finding", "findings")
        );
    }
    let mut rows = table(
        look,
        &["fact", "holds back", "alone", "why, and who could tell"],
        &[34, 12, 7, 0],
    );
    for missing in &report.missing {
        rows.add_row([
            Cell::new(format!("{}\n{}", missing.id, missing.doc)),
            Cell::new(count(missing.findings, "finding", "findings")),
            Cell::new(missing.alone),
            Cell::new(reasons(missing)),
        ]);
    }
    format!(
        "{} of {} are held lower by what isn't known. What to connect next:\n\n{}\n\nalone: findings that nothing else withholds from their next level\n",
        report.held,
        count(report.findings, "finding", "findings"),
        rows.trim_fmt()
    )
}

fn reasons(missing: &Missing) -> String {
    let mut lines: Vec<String> = missing
        .why
        .iter()
        .take(MAX_LISTED)
        .map(|why| shorten(&clean(why), MAX_CELL))
        .collect();
    if missing.why.len() > MAX_LISTED {
        lines.push(format!(
            "and {}",
            count(missing.why.len() - MAX_LISTED, "more reason", "more reasons")
        ));
    }
    let services: Vec<&str> = missing.services.iter().take(MAX_LISTED).map(String::as_str).collect();
    let more = missing.services.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    lines.push(format!("services: {}{more}", clean(&services.join(", "))));
    lines.push(format!("→ {}", missing.resolver));
    lines.join("\n")
}
