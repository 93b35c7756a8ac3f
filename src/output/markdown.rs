//! A short Markdown summary for the job page of a CI system.

use std::fmt::Write as _;

use super::phrase;
use super::rollout;
use super::summary::Summary;
use super::text::{clean, sentence, shorten};
use crate::pipeline::report::{CiOnly, RunReport};
use crate::pipeline::rollout::status::RolloutReport;

/// Rows of the table: job pages cut long summaries.
const MAX_ROWS: usize = 100;
/// Longest reason of a row.
const MAX_REASON: usize = 200;

/// The run on one page.
#[must_use]
pub fn markdown(report: &RunReport) -> String {
    let numbers = Summary::of(report);
    let mut out = format!("## Holdpoint: {}\n\n", escape(&report.estate));
    let _ = writeln!(
        out,
        "{}. {}\n",
        sentence(&numbers.levels_line()).trim_end_matches('.'),
        numbers.ci_only_line()
    );
    if numbers.scenarios > 0 {
        let _ = writeln!(
            out,
            "{} of {} scenarios ended as they must.\n",
            numbers.scenarios_met, numbers.scenarios
        );
    }
    out.push_str("| Finding | Where | What | Level | Outcome | Why | CI-only tool |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for item in report.items.iter().take(MAX_ROWS) {
        let finding = &item.finding;
        let harmful = item.ci_only == CiOnly::Merge && phrase::harm(item).is_some();
        let _ = writeln!(
            out,
            "| {} | {}@{} | {} | **{}** | {} | {} | {}{} |",
            finding.id(),
            escape(&finding.repo),
            escape(&finding.branch),
            escape(&shorten(&finding.finding.title, MAX_REASON)),
            item.decision.level,
            phrase::outcome_short(&item.outcome),
            escape(&shorten(&phrase::reason(item), MAX_REASON)),
            phrase::ci_only_short(item.ci_only),
            if harmful { ", and break something" } else { "" }
        );
    }
    if report.items.len() > MAX_ROWS {
        let _ = writeln!(out, "\n… and {} more.", report.items.len() - MAX_ROWS);
    }
    if let Some(report) = &report.rollout {
        lanes(&mut out, report);
    }
    if !report.warnings.is_empty() {
        out.push_str("\n**Warnings**\n\n");
        for warning in report.warnings.iter().take(MAX_ROWS) {
            let _ = writeln!(out, "- {}", escape(warning));
        }
    }
    let verified = if report.ledger_verified {
        "verified"
    } else {
        "**does not verify**"
    };
    let _ = writeln!(
        out,
        "\nPolicy pack {}, decided at {}. Ledger {}: `{}`.",
        escape(&report.pack),
        report.at,
        verified,
        clean(&report.ledger_head).replace('`', "")
    );
    out
}

/// Where the lanes stand.
fn lanes(out: &mut String, report: &RolloutReport) {
    for line in rollout::news(report) {
        let _ = writeln!(out, "\n**{}**", escape(&line));
    }
    let rows = rollout::rows(&report.status);
    if rows.is_empty() {
        return;
    }
    out.push_str("\n| Lane | Stage | What it has shown, and what is missing | Tonight |\n| --- | --- | --- | --- |\n");
    for row in rows.iter().take(MAX_ROWS) {
        let limit = if row.limit.is_empty() {
            String::new()
        } else {
            format!(" ({})", row.limit)
        };
        let _ = writeln!(
            out,
            "| {} | **{}**{limit} | {} {} | {} |",
            escape(&row.lane),
            row.stage,
            escape(&row.shown),
            escape(&row.next),
            row.tonight
        );
    }
}

/// Text that Markdown shows as it is: no markup, link, mention or HTML of its own.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // As an entity it reads the same and calls nobody.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // Bare addresses become links on most forges.
    out.replace("://", "&#58;//")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn a_run_fits_on_a_job_page() {
        insta::assert_snapshot!(markdown(&samples::report()));
    }

    #[test]
    fn hostile_text_stays_text() {
        let hostile = "a | b\n<img src=x> [x](https://evil.example) @everyone `code`";
        let mut report = samples::report();
        report.items.truncate(1);
        report.items[0].finding.finding.title = hostile.to_owned();
        let page = markdown(&report);
        assert!(!page.contains("<img") && !page.contains("https://") && !page.contains("@everyone"));
        assert!(page.contains(r"a \| b &lt;img"));
    }

    #[test]
    fn a_long_run_says_how_much_is_left_out() {
        let mut report = samples::report();
        report.items = vec![samples::merged(); MAX_ROWS + 3];
        assert!(markdown(&report).contains("… and 3 more."));
    }

    #[test]
    fn a_ledger_that_does_not_verify_is_loud() {
        let mut report = samples::report();
        report.ledger_verified = false;
        assert!(markdown(&report).contains("**does not verify**"));
    }
}
