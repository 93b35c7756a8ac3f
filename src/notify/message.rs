//! What people are told: a short summary, not the report.

use askama::Template;
use holdpoint_schemas::approval::OverrideStatement;
use holdpoint_schemas::{Digest, Timestamp};
use serde::Serialize;

use super::Gist;
use crate::output::night::{Line, NightWords};
use crate::output::summary::Summary;
use crate::output::text::clean;
use crate::pipeline::approvals::Notice;
use crate::pipeline::report::{Outcome, ReportItem, RunReport};
use crate::pipeline::run::RunResult;

/// Names the shape of the JSON; a change that isn't an addition gets another number.
const FORMAT: &str = "holdpoint.notification/1";
/// Lines of one kind that a message shows; the report has all.
const MAX_LINES: usize = 20;

/// A message.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The same for the same run, however often it is sent: receivers drop what they have.
    pub id: String,
    /// Name of the estate.
    pub estate: String,
    /// When the run was.
    pub at: Timestamp,
    /// One line.
    pub subject: String,
    /// The numbers; none where the run broke off.
    pub summary: Option<Summary>,
    /// What changed, what waits, what is late.
    pub sections: Vec<Section>,
    /// The report's file, relative to the estate's state folder.
    pub report: Option<String>,
}

/// Lines under a heading.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// Lines.
    pub lines: Vec<Line>,
    /// How many more there are.
    pub more: usize,
}

#[derive(Template)]
#[template(path = "mail.html", config = "src/output/templates/askama.toml")]
struct Mail<'a> {
    message: &'a Message,
}

impl Message {
    /// Of a run that has its report. `folder`: the report's, relative to the state folder.
    #[must_use]
    pub fn of_run(report: &RunReport, folder: &str) -> Self {
        let words = NightWords::of(report);
        let summary = Summary::of(report);
        let subject = format!("Holdpoint, {}: {}", clean(&report.estate), words.headline(&summary));
        let plain = |lines: Vec<String>| -> Vec<Line> { lines.iter().map(|text| Line::plain(text)).collect() };
        let notices = report.queue.notices(report.at);
        let notices = notices.iter().map(Notice::line).collect();
        let mut sections = vec![section("needs a look now", &plain(notices))];
        if let Some(rollout) = &report.rollout {
            sections.push(section("lanes", &plain(rollout.changes.lines())));
        }
        sections.extend(words.groups.iter().map(|group| section(&group.title, &group.lines)));
        let waiting: Vec<Line> = report
            .items
            .iter()
            .filter(|item| waits(item))
            .map(Line::of_item)
            .collect();
        sections.push(section("waits for a person", &waiting));
        let warnings: Vec<Line> = report.warnings.iter().map(|text| Line::plain(text)).collect();
        sections.push(section("warnings", &warnings));
        sections.retain(|section| !section.lines.is_empty());
        Self {
            format: FORMAT,
            id: id(&report.estate, report.at, &report.ledger_head),
            estate: clean(&report.estate),
            at: report.at,
            subject,
            summary: Some(summary),
            sections,
            report: Some(format!("{folder}/report.html")),
        }
    }

    /// Of an emergency override that was just signed.
    #[must_use]
    pub fn of_override(estate: &str, statement: &OverrideStatement, title: &str) -> Self {
        let binding = &statement.binding;
        let lines = [
            format!("{} on {}@{}", title, binding.repo, binding.target_branch),
            format!("by {} on {}: {}", statement.by, statement.at, statement.reason),
            format!(
                "it holds until {}, for exactly the tree {}",
                statement.expires, binding.tree
            ),
            "somebody else has to look at it, and say so with `holdpoint acknowledge`".to_owned(),
        ];
        Self {
            format: FORMAT,
            id: id(estate, statement.at, statement.fix.as_str()),
            estate: clean(estate),
            at: statement.at,
            subject: format!(
                "Holdpoint, {}: EMERGENCY OVERRIDE by {}",
                clean(estate),
                clean(&statement.by)
            ),
            summary: None,
            sections: vec![section("what", &lines.map(|line| Line::plain(&line)))],
            report: None,
        }
    }

    /// Of a run that broke off.
    #[must_use]
    pub fn of_failure(estate: &str, at: Timestamp, why: &str) -> Self {
        Self {
            format: FORMAT,
            id: id(estate, at, why),
            estate: clean(estate),
            at,
            subject: format!("Holdpoint, {}: the run broke off", clean(estate)),
            summary: None,
            sections: vec![section("why", &[Line::plain(why)])],
            report: None,
        }
    }

    /// The message as plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{}\n{}\n", self.subject, self.at);
        if let Some(summary) = &self.summary {
            out.push_str(&format!("{}\n", summary.levels_line()));
        }
        for section in &self.sections {
            out.push_str(&format!("\n{}\n", section.title.to_uppercase()));
            for line in &section.lines {
                out.push_str(&format!("- {}\n", line.text()));
            }
            if section.more > 0 {
                out.push_str(&format!("  … and {} more\n", section.more));
            }
        }
        if let Some(report) = &self.report {
            out.push_str(&format!("\nReport: {report} in the estate's state folder\n"));
        }
        out
    }

    /// The message as HTML.
    ///
    /// # Errors
    /// Never in practice: the template is compiled in.
    pub fn html(&self) -> Result<String, askama::Error> {
        Mail { message: self }.render()
    }
}

impl Gist {
    /// What a run came to.
    #[must_use]
    pub fn of(result: &RunResult) -> Self {
        let night = &result.report.night;
        let lanes_changed = (result.report.rollout.as_ref()).is_some_and(|rollout| !rollout.changes.is_empty());
        let changes =
            |since: &crate::pipeline::night::Since| since.changes.iter().any(|change| change.kind.is_change());
        Self {
            held: result.report.items.iter().any(waits) || !result.report.queue.notices(result.report.at).is_empty(),
            failed: !result.problems.is_empty() || !night.not_reached.is_empty() || !result.report.ledger_verified,
            changed: night.since.as_ref().is_none_or(changes) || lanes_changed,
        }
    }
}

/// Whether a person has to do something: look at a pull request, or at a finding that nothing can be done about.
fn waits(item: &ReportItem) -> bool {
    matches!(item.outcome, Outcome::PullRequest { .. })
}

fn section(title: &str, lines: &[Line]) -> Section {
    Section {
        title: title.to_owned(),
        more: lines.len().saturating_sub(MAX_LINES),
        lines: lines.iter().take(MAX_LINES).cloned().collect(),
    }
}

fn id(estate: &str, at: Timestamp, rest: &str) -> String {
    let digest = Digest::of_parts([estate.as_bytes(), at.to_string().as_bytes(), rest.as_bytes()]);
    format!("msg_{}", digest.as_str().get(..24).unwrap_or_default())
}
