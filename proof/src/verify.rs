//! Going through the properties of a pack.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use holdpoint_engine::policy::{Effect, Pack};

use crate::counterexample::Counterexample;
use crate::property::Property;
use crate::prover::Prover;
use crate::solver::Solver;

/// How many properties are worked on at once; the solver's own bound is lower, and this one keeps it busy.
const AT_ONCE: usize = 4;

/// What came of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds, whatever the facts.
    Proved,
    /// It doesn't: here is an example.
    Refuted(Box<Counterexample>),
    /// The policy, or the invariant, never applies.
    Dead,
    /// The policy applies to some facts, but makes no difference to any answer.
    Shadowed {
        /// Ids of the policies that are why; from these none can be taken. Empty: nothing permits what
        /// the policy forbids.
        by: Vec<String>,
    },
    /// It isn't known, and why: no solver, too slow, killed, nonsense.
    Inconclusive(String),
}

/// A property with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What was to be proved.
    pub property: Property,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, waiting for its turn included.
    pub took: Duration,
}

/// What a proof means for the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// The author may want to know, but nothing is wrong: a forbid whose work others do.
    Note,
    /// It isn't known.
    Open,
    /// The pack is wrong.
    Fails,
}

impl Proof {
    /// What it means for the pack.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (&self.outcome, &self.property) {
            (Outcome::Proved, _) => Verdict::Holds,
            (Outcome::Inconclusive(_), _) => Verdict::Open,
            (
                Outcome::Shadowed { .. },
                Property::NotDead {
                    effect: Effect::Forbid, ..
                },
            ) => Verdict::Note,
            (Outcome::Refuted(_) | Outcome::Dead | Outcome::Shadowed { .. }, _) => Verdict::Fails,
        }
    }
}

/// Proves or refutes every property of a pack and every invariant, in their order. `progress` hears of
/// each as it is done, in that order too.
pub async fn verify(
    solver: &Solver,
    pack: &Pack,
    invariants: Option<&Pack>,
    mut progress: impl FnMut(&Proof),
) -> Vec<Proof> {
    let properties = Property::all(pack, invariants);
    let provers = async {
        let prover = Prover::new(solver, pack)?;
        let invariants = match invariants {
            Some(invariants) => Some(Prover::checked(solver, invariants).await?),
            None => None,
        };
        Ok::<_, String>((prover, invariants))
    };
    let (mut prover, invariants) = match provers.await {
        Ok(provers) => provers,
        Err(why) => return properties.into_iter().map(|property| open(property, &why)).collect(),
    };
    let mut proofs = Vec::new();
    // What may fail comes first: the other properties rest on it.
    let (first, others): (Vec<Property>, Vec<Property>) = properties
        .into_iter()
        .partition(|property| matches!(property, Property::NeverErrors { .. }));
    for properties in [first, others] {
        {
            let prover = &prover;
            let invariants = invariants.as_ref();
            let mut done = stream::iter(properties)
                .map(|property| async move {
                    let start = Instant::now();
                    let outcome = property.prove(prover, invariants).await;
                    Proof {
                        property,
                        outcome,
                        took: start.elapsed(),
                    }
                })
                .buffered(AT_ONCE);
            while let Some(proof) = done.next().await {
                progress(&proof);
                proofs.push(proof);
            }
        }
        let failing = proofs.iter().filter(|proof| proof.outcome != Outcome::Proved);
        prover.unsafe_policies = failing
            .filter_map(|proof| match &proof.property {
                Property::NeverErrors { policy } => Some(policy.clone()),
                _ => None,
            })
            .collect();
    }
    proofs
}

fn open(property: Property, why: &str) -> Proof {
    Proof {
        property,
        outcome: Outcome::Inconclusive(why.to_owned()),
        took: Duration::ZERO,
    }
}
