//! The pull-request document: what a human needs to say yes or no.

pub mod escape;

use std::fmt::Write as _;

use escape::{code, fenced, inline};

/// Everything that a pull request says: plain text, nothing trusted. `` `code` `` in a text is
/// kept as code; all other markup is shown, not obeyed.
#[derive(Debug, Clone, Default)]
pub struct PullRequest {
    /// What it does, in one line.
    pub title: String,
    /// Why: the finding and the decision's reasons.
    pub why: Vec<String>,
    /// What is changed, step by step.
    pub plan: Vec<String>,
    /// Changed files with their counts, as `git diff --stat` shows them.
    pub diffstat: String,
    /// What follows for whoever runs or uses the service.
    pub implications: Vec<String>,
    /// What the checks found.
    pub evidence: Vec<EvidenceLine>,
    /// Who can be affected.
    pub blast_radius: Vec<String>,
    /// What nobody could say.
    pub unknowns: Vec<Unknown>,
    /// What would let this go further by itself.
    pub unlock: Vec<String>,
    /// How to get back, in words.
    pub rollback: Vec<String>,
    /// How to get back, as commands.
    pub rollback_commands: String,
    /// The decision, its inputs and where it is recorded: names and values, shown as they are.
    /// Decision, fix, base commit, tree, ledger head.
    pub references: Vec<(String, String)>,
}

/// One check of the evidence.
#[derive(Debug, Clone, Default)]
pub struct EvidenceLine {
    /// Check.
    pub check: String,
    /// `passed`, `failed` or `inconclusive`.
    pub verdict: String,
    /// What it found, in one line.
    pub summary: String,
    /// Its output, already bounded and free of secrets; may be empty.
    pub detail: String,
}

/// One thing that nobody could say.
#[derive(Debug, Clone, Default)]
pub struct Unknown {
    /// Fact, by its id.
    pub fact: String,
    /// Who or what could supply it.
    pub resolver: String,
}

/// Renders the document as Markdown (CommonMark with fenced code; also fine to read as it is).
#[must_use]
pub fn render(request: &PullRequest) -> String {
    let mut text = format!("# {}\n", inline(&request.title));
    section(&mut text, "Why", &list(&request.why, "No reason was recorded."));
    let mut plan = list(&request.plan, "No plan was recorded.");
    plan.push_str(&block(&request.diffstat));
    section(&mut text, "Plan", &plan);
    section(
        &mut text,
        "Implications",
        &list(&request.implications, "None are known."),
    );
    section(&mut text, "Evidence", &evidence(&request.evidence));
    section(
        &mut text,
        "Blast radius",
        &list(&request.blast_radius, "It is not known who can be affected."),
    );
    section(&mut text, "What is unknown", &unknowns(&request.unknowns));
    section(
        &mut text,
        "What would unlock it",
        &list(&request.unlock, "Nothing: this needs a human."),
    );
    let mut rollback = list(&request.rollback, "No way back was recorded.");
    rollback.push_str(&block(&request.rollback_commands));
    section(&mut text, "Rollback", &rollback);
    text.push_str("\n---\n\n");
    for (name, value) in &request.references {
        line(&mut text, format_args!("- {}: {}", inline(name), code(value)));
    }
    text
}

/// Heading of the section that a closed document ends with.
const CLOSED: &str = "\n## Closed\n";

/// The document with the reason why it was closed; an earlier reason is replaced.
#[must_use]
pub fn closed(document: &str, why: &str) -> String {
    // The last one is ours: no text from elsewhere can hold a heading.
    let open = document.rsplit_once(CLOSED).map_or(document, |(before, _)| before);
    let mut text = open.trim_end().to_owned();
    text.push('\n');
    section(&mut text, "Closed", &format!("{}\n", inline(why)));
    text
}

fn section(text: &mut String, heading: &str, body: &str) {
    line(text, format_args!("\n## {heading}\n"));
    text.push_str(body);
}

fn list(items: &[String], none: &str) -> String {
    let mut text = String::new();
    for item in items {
        line(&mut text, format_args!("- {}", inline(item)));
    }
    if items.is_empty() {
        line(&mut text, format_args!("{none}"));
    }
    text
}

/// A block of output; nothing when it is blank.
fn block(output: &str) -> String {
    if output.trim().is_empty() {
        String::new()
    } else {
        format!("\n{}", fenced(output))
    }
}

fn evidence(lines: &[EvidenceLine]) -> String {
    if lines.is_empty() {
        return "No evidence was gathered.\n".to_owned();
    }
    let mut text = String::new();
    for item in lines {
        let (check, verdict) = (inline(&item.check), inline(&item.verdict));
        line(
            &mut text,
            format_args!("- **{verdict}** {check}: {}", inline(&item.summary)),
        );
    }
    for item in lines.iter().filter(|item| !item.detail.trim().is_empty()) {
        line(&mut text, format_args!("\n{}:", inline(&item.check)));
        text.push_str(&block(&item.detail));
    }
    text
}

fn unknowns(unknowns: &[Unknown]) -> String {
    if unknowns.is_empty() {
        return "Nothing that this decision needs.\n".to_owned();
    }
    let mut text = String::new();
    for unknown in unknowns {
        line(
            &mut text,
            format_args!("- {}: {}", code(&unknown.fact), inline(&unknown.resolver)),
        );
    }
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "{arguments}");
}

#[cfg(test)]
mod tests;
