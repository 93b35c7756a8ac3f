//! What an auditor reads of a bundle: what happened, then what was checked of it.

use holdpoint_ledger::bundle::{Checked, Part, Statement};
use holdpoint_schemas::decision::{Decision, Phase};
use holdpoint_schemas::evidence::Verdict;
use holdpoint_schemas::fix::Fix;
use serde::Serialize;
use std::fmt::Write as _;

use super::text::{WIDTH, clean, count, shorten};
use crate::pipeline::bundle::{Told, Verified};

/// Names the shape of a bundle's verification.
pub const FORMAT: &str = "holdpoint.bundle-verification/1";

/// Column at which the text of a line begins.
const INDENT: usize = 16;

/// Most reasons that are shown of a decision.
const MAX_REASONS: usize = 3;

/// A bundle's verification, for machines.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The worst of the checks.
    pub verdict: Verdict,
    /// Whether the log's key came from outside of the bundle.
    pub key_given: bool,
    /// Part by part.
    pub checks: &'a [Checked],
    /// The statement; believe it only with a verdict of `passed` and a key of your own.
    pub statement: Option<&'a Statement>,
}

/// The machine form.
pub const fn document(verified: &Verified) -> Document<'_> {
    Document {
        format: FORMAT,
        verdict: verified.verdict,
        key_given: verified.key_given,
        checks: verified.checks.as_slice(),
        statement: verified.statement.as_ref(),
    }
}

/// The form for people.
pub fn text(verified: &Verified) -> String {
    let mut out = String::new();
    if verified.verdict == Verdict::Failed {
        out.push_str("What it says is not to be believed:\n\n");
    }
    out.push_str(&story(verified));
    if !out.is_empty() {
        out.push('\n');
    }
    for checked in &verified.checks {
        let is_own_word = checked.part == Part::Key && !verified.key_given;
        let mark = match checked.verdict {
            Verdict::Passed if is_own_word => "!",
            Verdict::Passed => "✔",
            Verdict::Inconclusive => "?",
            Verdict::Failed => "✘",
        };
        line(&mut out, &format!("{mark} {}", checked.part.as_str()), &checked.says);
        for problem in &checked.problems {
            line(&mut out, "", &format!("- {}", clean(problem)));
        }
    }
    out.push('\n');
    out.push_str(&closing(verified));
    out
}

fn closing(verified: &Verified) -> String {
    let parts = |verdict| {
        let of = verified.checks.iter().filter(|checked| checked.verdict == verdict);
        of.map(|checked| checked.part.as_str()).collect::<Vec<_>>().join(", ")
    };
    let sentence = match (verified.verdict, verified.key_given) {
        (Verdict::Passed, true) => {
            "The bundle is intact: it is what the ledger of that key holds, and its decisions follow from it."
                .to_owned()
        }
        (Verdict::Passed, false) => {
            "The bundle is of one piece, and its decisions follow from it. That it is the ledger's \
                                     is only its own word: give the ledger's key with --key, had on another way."
                .to_owned()
        }
        (Verdict::Inconclusive, _) => format!(
            "Nothing was found to be wrong, and not everything can be told: {}.",
            parts(Verdict::Inconclusive)
        ),
        (Verdict::Failed, _) => format!("DON'T TRUST THIS BUNDLE: {} failed.", parts(Verdict::Failed)),
    };
    textwrap::fill(&sentence, WIDTH)
}

/// What happened, as the entries tell it.
fn story(verified: &Verified) -> String {
    let mut out = String::new();
    let Some(statement) = &verified.statement else {
        return out;
    };
    let story = &verified.story;
    let Some(told) = story.decision_on(&statement.predicate.decision.finding) else {
        return out;
    };
    if let Some(finding) = story.finding_of(&told.record) {
        let finding = &finding.record;
        let title = format!("{}: {}", finding.id(), finding.finding.title);
        let _ = writeln!(out, "{}\n", textwrap::fill(&shorten(&clean(&title), 2 * WIDTH), WIDTH));
        let place = format!(
            "{}@{}, service {}, severity {}, reported by {}",
            finding.repo,
            finding.branch,
            told.record.service,
            finding.finding.severity.as_str(),
            finding.finding.scanner
        );
        line(&mut out, "where", &place);
    }
    let fix = story.fix_of(told).map(|told| &told.record);
    line(&mut out, "fix", &fix.map_or_else(|| "none".to_owned(), fix_words));
    line(&mut out, "decided", &decided(told));
    for reason in reasons(&told.record) {
        line(&mut out, "", &format!("- {reason}"));
    }
    if let Some(evidence) = story.evidence_of(told) {
        let record = &evidence.record.record;
        let checks = record.evidence.checks.iter();
        let words: Vec<String> = checks
            .map(|(check, result)| format!("{check} {}", result.verdict))
            .collect();
        line(
            &mut out,
            "evidence",
            &format!("{} ({})", words.join(", "), record.evidence.provenance()),
        );
    }
    for approval in &story.approvals {
        let statement = &approval.record.statement;
        let said = match &statement.comment {
            None => String::new(),
            Some(comment) => format!(": {comment}"),
        };
        line(
            &mut out,
            &format!("{}d", statement.verb.as_str()),
            &format!("by {} on {}{said}", statement.by, statement.at),
        );
    }
    for merge in &story.merges {
        let record = &merge.record;
        line(
            &mut out,
            "merged",
            &format!(
                "on {} as {} (tree {}), by {}",
                merge.at, record.commit, record.tree, record.by
            ),
        );
    }
    out
}

fn decided(told: &Told<Decision>) -> String {
    let decision = &told.record;
    let how = match decision.phase {
        Phase::Triage => " at most, before any check had run,",
        Phase::Release => " with the evidence",
        Phase::Merge => " at the moment of merge",
    };
    format!(
        "{}{how} on {}, decision {}",
        decision.level,
        decision.at,
        decision.id.short()
    )
}

/// What permits the level and what withholds the next.
fn reasons(decision: &Decision) -> Vec<String> {
    let permits = decision
        .permitted_by
        .iter()
        .map(|reason| format!("permitted: {reason}"));
    let bounds = decision
        .bounds
        .iter()
        .map(|bound| format!("{} withheld: {}", bound.withholds, bound.reason));
    let all: Vec<String> = permits
        .chain(bounds)
        .map(|reason| shorten(&clean(&reason), 2 * WIDTH))
        .collect();
    let more = all.len().saturating_sub(MAX_REASONS);
    let mut shown: Vec<String> = all.into_iter().take(MAX_REASONS).collect();
    if more > 0 {
        shown.push(format!("and {}", count(more, "reason more", "reasons more")));
    }
    shown
}

fn fix_words(fix: &Fix) -> String {
    let files: Vec<&str> = fix.files.iter().map(|file| file.path.as_str()).collect();
    format!(
        "{} by {}: {} ({}); diff {}, tree {}",
        fix.title,
        fix.remediator,
        count(files.len(), "file", "files"),
        shorten(&files.join(", "), WIDTH),
        fix.diff.short(),
        fix.candidate_tree
    )
}

/// A line with a name before it, wrapped.
fn line(out: &mut String, name: &str, text: &str) {
    let first = format!("  {name:<width$}", width = INDENT - 2);
    let rest = " ".repeat(INDENT);
    let options = textwrap::Options::new(WIDTH + INDENT)
        // Keys and paths stay whole.
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .initial_indent(&first)
        .subsequent_indent(&rest);
    let _ = writeln!(out, "{}", textwrap::fill(&clean(text), options));
}
