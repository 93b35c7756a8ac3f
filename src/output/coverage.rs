//! What a pack's cases cover, and which mutants they don't notice.

use holdpoint_engine::cases::PolicyCoverage;
use serde::Serialize;
use std::fmt::Write as _;

use super::text::{clean, count};
use crate::pipeline::mutants::{Fate, Trial};

/// Names the shape; a change that isn't an addition gets another number.
const COVERAGE_FORMAT: &str = "holdpoint.policy-coverage/1";

/// What a pack's cases cover.
#[derive(Debug, Serialize)]
pub struct CoverageDocument {
    /// `holdpoint.policy-coverage/1`.
    pub format: &'static str,
    /// Pack.
    pub pack: String,
    /// How many cases it has.
    pub cases: usize,
    /// Each policy that was looked at.
    pub policies: Vec<PolicyCoverage>,
    /// Each mutant, if mutants were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutants: Option<Vec<Trial>>,
}

impl CoverageDocument {
    /// The document.
    #[must_use]
    pub fn new(pack: &str, cases: usize, policies: Vec<PolicyCoverage>, mutants: Option<Vec<Trial>>) -> Self {
        Self {
            format: COVERAGE_FORMAT,
            pack: pack.to_owned(),
            cases,
            policies,
            mutants,
        }
    }
}

/// A line for each policy, with what no case shows of it; then the mutants that no case notices.
#[must_use]
pub fn human(document: &CoverageDocument) -> String {
    let mut text = String::from("cases  that this policy decides\n");
    for policy in &document.policies {
        let _ = writeln!(text, "{:>5}  {}", policy.decided, policy.id);
        for condition in &policy.conditions {
            if let Some(gap) = condition.gap() {
                let _ = writeln!(text, "         {gap}: {}", clean(&condition.text));
            }
        }
    }
    let deciding = document.policies.iter().filter(|policy| policy.decided > 0).count();
    let conditions = || document.policies.iter().flat_map(|policy| &policy.conditions);
    let shown = conditions().filter(|condition| condition.gap().is_none()).count();
    let _ = writeln!(
        text,
        "\npack `{}`: {}; {deciding} of {} policies decide one; {shown} of {} conditions are seen both true and false",
        document.pack,
        count(document.cases, "case", "cases"),
        document.policies.len(),
        conditions().count(),
    );
    if let Some(trials) = &document.mutants {
        text.push('\n');
        text.push_str(&mutants(trials));
    }
    text
}

fn mutants(trials: &[Trial]) -> String {
    let mut text = String::new();
    let (mut killed, mut stillborn, mut equivalent, mut survivors, mut open) = (0, 0, 0, 0, 0);
    for trial in trials {
        match &trial.fate {
            Fate::Killed { .. } => killed += 1,
            Fate::Stillborn { .. } => stillborn += 1,
            Fate::Equivalent => equivalent += 1,
            Fate::Survived { case } => {
                survivors += 1;
                text.push_str(&unnoticed(trial));
                match case.as_deref().map(serde_yaml::to_string) {
                    Some(Ok(yaml)) => {
                        text.push_str("    a case that would notice it:\n");
                        for line in yaml.lines() {
                            let _ = writeln!(text, "      {}", clean(line));
                        }
                    }
                    _ => text.push_str(
                        "    it doesn't mean the same, but no case of a level or of promotion was found to show it\n",
                    ),
                }
            }
            Fate::Open { why } => {
                open += 1;
                text.push_str(&unnoticed(trial));
                let _ = writeln!(text, "    whether it means the same isn't known: {}", clean(why));
            }
        }
    }
    if !text.is_empty() {
        text.insert_str(0, "No case notices these mutants:\n\n");
        text.push('\n');
    }
    let _ = write!(text, "{}: {killed} killed", count(trials.len(), "mutant", "mutants"));
    for (number, what) in [
        (equivalent, "proved to mean the same"),
        (stillborn, "refused by validation"),
        (survivors, "survive"),
        (open, "open"),
    ] {
        if number > 0 {
            let _ = write!(text, ", {number} {what}");
        }
    }
    text.push('\n');
    text
}

fn unnoticed(trial: &Trial) -> String {
    format!("  {}  {}\n", clean(&trial.id), clean(&trial.change))
}
