//! The properties of packs, one each.

mod auto_apply_implies_suggest;
mod invariant;
mod monotone;
mod never_errors;
mod not_dead;
mod unknown_safe;

use std::fmt;

use holdpoint_engine::policy::{Effect, Pack};
use holdpoint_schemas::fact::Action;

use crate::prover::Prover;
use crate::verify::Outcome;

/// Something that should hold of a pack for every set of facts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// The policy can be evaluated, whatever is known. Cedar skips a policy that fails.
    NeverErrors {
        /// Id of the policy.
        policy: String,
    },
    /// Where a forbidding invariant applies the pack doesn't permit, where a permitting one does it does.
    Invariant {
        /// Id of the invariant.
        id: String,
        /// Its `@reason`.
        reason: String,
    },
    /// What isn't permitted isn't permitted either when less is known.
    UnknownSafe(Action),
    /// What may be applied without asking may also be suggested.
    AutoApplyImpliesSuggest,
    /// What is permitted stays so when a check's result is better. Triage rests on it.
    MonotoneInEvidence(Action),
    /// The policy makes a difference to some answer.
    NotDead {
        /// Id of the policy.
        policy: String,
        /// Whether it permits or forbids.
        effect: Effect,
    },
}

impl Property {
    /// The properties of a pack and of the invariants that it is to keep, in order.
    pub(crate) fn all(pack: &Pack, invariants: Option<&Pack>) -> Vec<Self> {
        let policies = || pack.policies().iter();
        let invariants = invariants.into_iter().flat_map(Pack::policies);
        let mut all: Vec<Self> = policies()
            .map(|policy| Self::NeverErrors {
                policy: policy.id.clone(),
            })
            .collect();
        all.extend(invariants.map(|invariant| Self::Invariant {
            id: invariant.id.clone(),
            reason: invariant.reason.clone(),
        }));
        all.extend(Action::ALL.map(Self::UnknownSafe));
        all.push(Self::AutoApplyImpliesSuggest);
        all.extend(Action::ALL.map(Self::MonotoneInEvidence));
        all.extend(policies().map(|policy| Self::NotDead {
            policy: policy.id.clone(),
            effect: policy.effect,
        }));
        all
    }

    /// Its id: for example `invariant/cardholder-production`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::NeverErrors { policy } => format!("never-errors/{policy}"),
            Self::Invariant { id, .. } => format!("invariant/{id}"),
            Self::UnknownSafe(action) => format!("unknown-safe/{}", action.as_str()),
            Self::AutoApplyImpliesSuggest => "auto-apply-implies-suggest".to_owned(),
            Self::MonotoneInEvidence(action) => format!("monotone-in-evidence/{}", action.as_str()),
            Self::NotDead { policy, .. } => format!("not-dead/{policy}"),
        }
    }

    /// Proves or refutes it.
    pub(crate) async fn prove(&self, prover: &Prover<'_>, invariants: Option<&Prover<'_>>) -> Outcome {
        let outcome = match self {
            Self::NeverErrors { policy } => never_errors::prove(prover, policy).await,
            Self::Invariant { id, .. } => invariant::prove(prover, invariants, id).await,
            Self::UnknownSafe(action) => unknown_safe::prove(prover, *action).await,
            Self::AutoApplyImpliesSuggest => auto_apply_implies_suggest::prove(prover).await,
            Self::MonotoneInEvidence(action) => monotone::prove(prover, *action).await,
            Self::NotDead { policy, effect } => not_dead::prove(prover, policy, *effect).await,
        };
        outcome.unwrap_or_else(Outcome::Inconclusive)
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverErrors { policy } => write!(f, "policy `{policy}` can be evaluated, whatever is known"),
            Self::Invariant { id, reason } => {
                write!(f, "invariant `{id}`: {}", reason.trim_end_matches('.'))
            }
            Self::UnknownSafe(action) => {
                write!(f, "knowing less never permits more under `{}`", action.as_str())
            }
            Self::AutoApplyImpliesSuggest => f.write_str("what may be applied without asking may also be suggested"),
            Self::MonotoneInEvidence(action) => {
                write!(f, "better evidence never permits less under `{}`", action.as_str())
            }
            Self::NotDead { policy, .. } => write!(f, "policy `{policy}` makes a difference to some answer"),
        }
    }
}
