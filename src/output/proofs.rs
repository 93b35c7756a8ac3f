//! What was proved of a pack, and by what example it wasn't.

use anyhow::{Context, Result};
use holdpoint_engine::policy::Pack;
use holdpoint_proof::{Counterexample, Outcome, Proof, Verdict};
use holdpoint_schemas::fact::FactValue;
use holdpoint_schemas::pack::CaseFile;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::text::{clean, count, list};

/// One thing that was to be proved, with what came of it.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// For machines: `invariant/cardholder-production`.
    pub id: String,
    /// A sentence.
    pub text: String,
    /// What it means for the pack.
    pub verdict: &'static str,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What there is to say, if it isn't just proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Facts that show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
    #[serde(skip)]
    meaning: Verdict,
}

/// Facts that show something.
#[derive(Debug, Serialize)]
pub struct Example {
    /// What is known.
    pub facts: BTreeMap<String, FactValue>,
    /// Those of them whose removal makes the difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Values that make the difference.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub instead: BTreeMap<String, FactValue>,
    /// Under which action.
    pub action: &'static str,
    /// Policies that let it through, with their reasons.
    pub let_through_by: BTreeMap<String, String>,
    /// What should hold, to be replayed by `policy test --cases`.
    pub case: CaseFile,
}

impl Example {
    /// The example of a counterexample found in `pack`.
    pub fn of(found: &Counterexample, name: &str, pack: &Pack) -> Self {
        let reason = |id: &String| pack.policy(id).map_or_else(String::new, |policy| policy.reason.clone());
        Self {
            facts: found
                .facts
                .known()
                .map(|(id, fact)| (id.to_owned(), fact.value.clone()))
                .collect(),
            without: found.without.clone(),
            instead: found.better.clone(),
            action: found.action.as_str(),
            let_through_by: found.let_through_by.iter().map(|id| (id.clone(), reason(id))).collect(),
            case: found.case_file(name),
        }
    }

    /// The facts, one a line; then what makes the difference, and which policies let it through.
    pub fn human(&self) -> String {
        let mut lines = vec!["with these facts:".to_owned()];
        lines.extend(self.facts.iter().map(|(id, value)| format!("  {id}: {value}")));
        if self.facts.is_empty() {
            lines.push("  none".to_owned());
        }
        if !self.without.is_empty() {
            lines.push(format!("and then without {}", names(&self.without)));
        }
        for (id, value) in &self.instead {
            lines.push(format!("and then with {id}: {value}"));
        }
        for (id, reason) in &self.let_through_by {
            lines.push(format!("`{}` is let through by `{id}`: {reason}", self.action));
        }
        lines.join("\n")
    }
}

impl Entry {
    /// The entry of a proof.
    pub fn of(proof: &Proof, pack: &Pack) -> Self {
        Self::new(
            proof.property.id(),
            proof.property.to_string(),
            &proof.outcome,
            proof.took,
            pack,
        )
        .meaning(proof.verdict())
    }

    /// An entry of an outcome; a counterexample is bad news.
    pub fn new(id: String, text: String, outcome: &Outcome, took: Duration, pack: &Pack) -> Self {
        let (verdict, meaning, why, example) = match outcome {
            Outcome::Proved => ("proved", Verdict::Holds, None, None),
            Outcome::Refuted(found) => {
                let name = format!("what should hold: {text}");
                let example = Example::of(found, &name, pack);
                ("refuted", Verdict::Fails, None, Some(example))
            }
            Outcome::Dead => ("dead", Verdict::Fails, Some("it never applies".to_owned()), None),
            Outcome::Shadowed { by } if by.is_empty() => {
                let why = "nothing permits what it forbids, so it only adds a reason".to_owned();
                ("shadowed", Verdict::Note, Some(why), None)
            }
            Outcome::Shadowed { by } => {
                let why = format!(
                    "wherever it applies, {} {} the same; it only adds a reason",
                    names(by),
                    if by.len() == 1 { "decides" } else { "decide" }
                );
                ("shadowed", Verdict::Note, Some(why), None)
            }
            Outcome::Inconclusive(why) => ("inconclusive", Verdict::Open, Some(why.clone()), None),
        };
        Self {
            id,
            text,
            verdict,
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            why,
            example,
            meaning,
        }
    }

    /// The same with another meaning.
    #[must_use]
    pub fn meaning(self, meaning: Verdict) -> Self {
        Self { meaning, ..self }
    }

    /// The same, called otherwise.
    #[must_use]
    pub fn called(self, verdict: &'static str, why: Option<&str>) -> Self {
        Self {
            verdict,
            why: why.map(str::to_owned),
            ..self
        }
    }

    /// What it means for the pack.
    pub const fn verdict(&self) -> Verdict {
        self.meaning
    }

    /// One line, and below it what there is to say.
    pub fn human(&self) -> String {
        let mark = match self.meaning {
            Verdict::Holds => "✓",
            Verdict::Note => "·",
            Verdict::Open => "?",
            Verdict::Fails => "✗",
        };
        let mut text = format!(
            "{mark} {:<12} {:>6.2} s  {}",
            self.verdict,
            self.seconds,
            clean(&self.text)
        );
        let said = self.why.iter().cloned().chain(self.example.iter().map(Example::human));
        for block in said {
            for line in block.lines() {
                let _ = write!(text, "\n    {}", clean(line));
            }
        }
        text
    }
}

/// How many of each, in words.
pub fn summary(entries: &[Entry]) -> String {
    let number = |meaning| entries.iter().filter(|entry| entry.meaning == meaning).count();
    let mut parts = vec![format!("{} proved", number(Verdict::Holds))];
    for (meaning, what) in [(Verdict::Fails, "failed"), (Verdict::Open, "inconclusive")] {
        if number(meaning) > 0 {
            parts.push(format!("{} {what}", number(meaning)));
        }
    }
    if number(Verdict::Note) > 0 {
        parts.push(count(number(Verdict::Note), "note", "notes"));
    }
    parts.join(", ")
}

/// The examples as one file of cases.
///
/// # Errors
/// When they can't be written as YAML.
pub fn cases_yaml<'a>(examples: impl Iterator<Item = &'a Example>) -> Result<String> {
    let mut all = CaseFile::default();
    for example in examples {
        all.facts.extend(example.case.facts.clone());
        all.cases.extend(example.case.cases.iter().cloned());
    }
    serde_yaml::to_string(&all).context("writing the cases as YAML")
}

/// Ids as people read them: `a`, `b` and `c`.
pub fn names(ids: &[String]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    list(&quoted, quoted.len())
}
