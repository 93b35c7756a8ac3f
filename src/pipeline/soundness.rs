//! Whether a pack is sound by itself, told at the policies that aren't.

use holdpoint_engine::policy::{Effect, PolicyInfo};
use holdpoint_proof::{Counterexample, Outcome, Proof, Property, Solver, Verdict};
use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::{Action, FactSet};
use std::collections::BTreeMap;
use std::path::Path;

use super::packs::{LoadedPack, MANIFEST};
use super::{cases, proofs};
use crate::output::diagnostics::{Diagnostic, Severity};
use crate::output::proofs::names;

const UNKNOWN_SAFE: &str = "write it as `forbid … unless { context has f && safe(f) }`, so that it holds while f is unknown; \
     `holdpoint policy verify` shows the facts";

/// What is odd about its files, though it can be used.
pub fn of_files(loaded: &LoadedPack) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = cases::errors(loaded).iter().map(Diagnostic::broken).collect();
    for folder in loaded.place.stray_folders() {
        let error = SourceError::new(loaded.place.label(&folder), "holds policies that aren't read");
        found.push(Diagnostic {
            severity: Severity::Warning,
            rule: "stray-folder",
            error: error.help("policies lie right in the pack's folder"),
        });
    }
    for policy in own(loaded) {
        let stem = Path::new(&policy.path).file_stem();
        if stem.is_none_or(|stem| stem.to_string_lossy() != policy.id.as_str()) {
            let message = format!("policy `{}` is in a file of another name", policy.id);
            let error = at(loaded, &policy.id, message);
            found.push(Diagnostic {
                severity: Severity::Warning,
                rule: "file-name",
                error: error.help(format!("one policy a file, named after it: `{}.cedar`", policy.id)),
            });
        }
    }
    found
}

/// What can be proved to be wrong with its policies, and what could be proved neither way.
pub async fn proved(solver: &Solver, loaded: &LoadedPack) -> (Vec<Diagnostic>, Vec<String>) {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for proof in holdpoint_proof::verify(solver, &loaded.pack, None, |_| {}).await {
        match &proof.outcome {
            Outcome::Inconclusive(why) => open.push(format!("{}: {why}", proof.property)),
            _ => found.extend(told(loaded, &proof)),
        }
    }
    for entry in proofs::layer(solver, loaded).await {
        let severity = match entry.verdict() {
            Verdict::Holds => continue,
            Verdict::Open => {
                open.push(format!("{}: {}", entry.text, entry.why.clone().unwrap_or_default()));
                continue;
            }
            Verdict::Note => Severity::Warning,
            Verdict::Fails => Severity::Error,
        };
        let message = match &entry.why {
            Some(why) => format!("it doesn't hold that {}: {why}", entry.text),
            None => format!("it doesn't hold that {}", entry.text),
        };
        let error = SourceError::new(loaded.place.label(MANIFEST), message);
        found.push(Diagnostic {
            severity,
            rule: "layer",
            error: error.help("`holdpoint policy verify` shows facts that tell the two apart"),
        });
    }
    found.dedup_by(|a, b| a.error.one_line() == b.error.one_line());
    (found, open)
}

/// A proof that failed, at the policies that are why. Inherited ones are told by their own pack.
fn told(loaded: &LoadedPack, proof: &Proof) -> Vec<Diagnostic> {
    let severity = match proof.verdict() {
        Verdict::Holds | Verdict::Open => return Vec::new(),
        Verdict::Note => Severity::Note,
        Verdict::Fails => Severity::Error,
    };
    let (rule, culprits, message, help): (&'static str, Vec<String>, String, &str) =
        match (&proof.property, &proof.outcome) {
            (Property::NotDead { policy, .. }, Outcome::Dead) => (
                "dead",
                vec![policy.clone()],
                "never applies".to_owned(),
                "its conditions contradict each other; correct or remove it",
            ),
            (Property::NotDead { policy, effect }, Outcome::Shadowed { by }) => (
                "shadowed",
                vec![policy.clone()],
                shadowed(by),
                match effect {
                    Effect::Permit => "remove it",
                    Effect::Forbid => "keep it if its reason is worth hearing",
                },
            ),
            (Property::NeverErrors { policy }, _) => (
                "may-fail",
                vec![policy.clone()],
                "can't be evaluated for some facts, and then decides nothing".to_owned(),
                "leave out arithmetic: it can overflow",
            ),
            (Property::UnknownSafe(action), Outcome::Refuted(found)) => (
                "unknown-safe",
                culprits(loaded, *action, found),
                format!(
                    "isn't unknown-safe: without {}, `{}` is permitted",
                    names(&found.without),
                    action.as_str()
                ),
                UNKNOWN_SAFE,
            ),
            (Property::MonotoneInEvidence(action), Outcome::Refuted(found)) => (
                "monotone-in-evidence",
                culprits(loaded, *action, found),
                format!(
                    "with a better result of {}, `{}` is no longer permitted",
                    names(&found.better.keys().cloned().collect::<Vec<_>>()),
                    action.as_str()
                ),
                "let a better result never withhold what a worse one permits",
            ),
            (_, Outcome::Refuted(found)) => (
                "auto-apply-implies-suggest",
                found.let_through_by.clone(),
                "permits `autoApply` where `suggest` isn't permitted".to_owned(),
                "permit `suggest` there too, or ask for the same facts; `holdpoint policy verify` shows them",
            ),
            _ => return Vec::new(),
        };
    let known = |id: &String| loaded.own.contains(id) || loaded.base.is_none();
    let mut culprits: Vec<&String> = culprits.iter().filter(|id| known(id)).collect();
    culprits.dedup();
    culprits
        .into_iter()
        .map(|id| Diagnostic {
            severity,
            rule,
            error: at(loaded, id, format!("policy `{id}` {message}")).help(help),
        })
        .collect()
}

/// Policies whose part changes between the two sides of a counterexample, so that more is permitted on
/// the side where less should be: a forbid that lifts, or a permit that begins to apply.
fn culprits(loaded: &LoadedPack, action: Action, found: &Counterexample) -> Vec<String> {
    let mut other = FactSet::new();
    for (id, fact) in found
        .facts
        .known()
        .filter(|(id, _)| !found.without.iter().any(|gone| gone == id))
    {
        let mut fact = fact.clone();
        if let Some(better) = found.better.get(id) {
            fact.value = better.clone();
        }
        other.insert(id, fact);
    }
    let part = |id: &str, facts: &FactSet| loaded.pack.applies(id, action, facts).unwrap_or_default();
    let changes = |policy: &&PolicyInfo| part(&policy.id, &found.facts) != part(&policy.id, &other);
    let policies = loaded.pack.policies().iter().filter(changes);
    policies.map(|policy| policy.id.clone()).collect()
}

fn shadowed(by: &[String]) -> String {
    if by.is_empty() {
        "makes no difference: nothing permits what it forbids, so it only adds a reason".to_owned()
    } else {
        let decide = if by.len() == 1 { "decides" } else { "decide" };
        format!(
            "makes no difference: wherever it applies, {} {decide} the same",
            names(by)
        )
    }
}

fn own(loaded: &LoadedPack) -> impl Iterator<Item = &PolicyInfo> {
    loaded
        .pack
        .policies()
        .iter()
        .filter(|policy| loaded.own.contains(&policy.id))
}

/// An error at a policy's `@id`.
fn at(loaded: &LoadedPack, id: &str, message: String) -> SourceError {
    let texts: BTreeMap<&str, &str> = loaded
        .sources
        .iter()
        .map(|source| (source.path.as_str(), source.text.as_str()))
        .collect();
    let Some(policy) = loaded.pack.policy(id) else {
        return SourceError::new(loaded.place.label(MANIFEST), message);
    };
    let error = SourceError::new(&policy.path, message);
    let Some(text) = texts.get(policy.path.as_str()) else {
        return error;
    };
    let annotation = format!("@id(\"{id}\")");
    let place = text.lines().enumerate().find_map(|(index, line)| {
        let at = line.find(&annotation)?;
        Some((index + 1, line.get(..at)?.chars().count() + 1))
    });
    match place {
        Some((line, column)) => error.at(text, line, column),
        None => error,
    }
}
