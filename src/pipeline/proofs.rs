//! What must be proved of a pack with all its files.

use anyhow::Result;
use holdpoint_proof::{Outcome, Proof, Property, Solver, SolverMissing, Verdict, permits_no_more};
use std::time::{Duration, Instant};

use super::packs::LoadedPack;
use crate::output::proofs::Entry;

/// Proves all that must hold of a pack; `told` hears of each proof as it is done.
///
/// # Errors
/// What `told` returns.
pub async fn verify(
    solver: &Solver,
    loaded: &LoadedPack,
    mut told: impl FnMut(&Entry) -> Result<()>,
) -> Result<Vec<Entry>> {
    let mut failed = Ok(());
    let mut entries = Vec::new();
    holdpoint_proof::verify(solver, &loaded.pack, loaded.invariants.as_ref(), |proof| {
        let entry = entry(proof, loaded);
        if failed.is_ok() {
            failed = told(&entry);
        }
        entries.push(entry);
    })
    .await;
    failed?;
    for entry in layer(solver, loaded).await {
        told(&entry)?;
        entries.push(entry);
    }
    Ok(entries)
}

/// The entry of a proof. That a layer leaves an inherited policy without effect is worth knowing, no more.
fn entry(proof: &Proof, loaded: &LoadedPack) -> Entry {
    let entry = Entry::of(proof, &loaded.pack);
    match &proof.property {
        Property::NotDead { policy, .. }
            if loaded.base.is_some() && !loaded.own.contains(policy) && entry.verdict() == Verdict::Fails =>
        {
            entry.meaning(Verdict::Note)
        }
        _ => entry,
    }
}

/// What must hold of a layer: that it only tightens where it doesn't say otherwise, and that each
/// thing that it says it loosens is one.
pub async fn layer(solver: &Solver, loaded: &LoadedPack) -> Vec<Entry> {
    let (Some(layer), Some(base)) = (&loaded.layer, &loaded.base) else {
        return Vec::new();
    };
    let start = Instant::now();
    let outcome = permits_no_more(solver, &layer.strict, &layer.inherited).await;
    let text = match loaded.manifest.relaxes.is_empty() {
        true => format!("it permits no more than pack `{}`", base.manifest.name),
        false => format!(
            "but for what it says it relaxes, it permits no more than pack `{}`",
            base.manifest.name
        ),
    };
    let mut entries = vec![Entry::new(
        "layer/only-tightens".to_owned(),
        text,
        &outcome,
        start.elapsed(),
        &layer.strict,
    )];
    for relaxation in &loaded.manifest.relaxes {
        let start = Instant::now();
        let strict = layer.pack.restored(&relaxation.policy, &base.pack);
        let outcome = permits_no_more(solver, &layer.pack, &strict).await;
        let id = format!("relaxes/{}", relaxation.policy);
        entries.push(relaxes(id, &relaxation.policy, &outcome, start.elapsed(), loaded));
    }
    entries
}

/// That something is loosened is shown by an example; that nothing is, makes the entry needless.
fn relaxes(id: String, policy: &str, outcome: &Outcome, took: Duration, loaded: &LoadedPack) -> Entry {
    let text = format!("`relaxes: {policy}` loosens something");
    let entry = Entry::new(id, text, outcome, took, &loaded.pack);
    match outcome {
        Outcome::Refuted(_) => entry.called("shown", None).meaning(Verdict::Holds),
        Outcome::Proved => {
            let why = "the pack permits the same without it; take it off the list";
            entry.called("needless", Some(why)).meaning(Verdict::Note)
        }
        _ => entry,
    }
}

/// What there is to say without a solver.
pub fn without_solver(loaded: &LoadedPack, missing: &SolverMissing) -> Entry {
    let why = Outcome::Inconclusive(format!("{missing}; {}", missing.help));
    Entry::new(
        "solver".to_owned(),
        "a solver answers".to_owned(),
        &why,
        Duration::ZERO,
        &loaded.pack,
    )
}
