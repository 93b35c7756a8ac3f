//! What holds of a policy pack for every possible finding, proved by an SMT solver.
//!
//! [`verify`] goes through the [`Property`]s of a pack; [`compare`] says which of two packs permits more,
//! [`permits_no_more`] whether a layer only tightens, [`equivalent_policy`] whether a mutant of a policy
//! means the same, [`overlaps`] which rows of a decision table collide. Each question is a Cedar
//! condition, translated to SMT by Cedar's own symbolic compiler and put to cvc5: "is there a set of
//! facts for which this is true?"
//!
//! # What counts as proved
//! Only the solver's plain "no". Everything else (no solver, killed, too slow, "unknown", nonsense) is
//! [`Outcome::Inconclusive`]. Every example that the solver finds is made as small as possible and shown
//! to the real engine; one that doesn't show the problem there is inconclusive too.
//!
//! # What is assumed
//! - A fact of a few words has one of them: the engine leaves out what doesn't fit.
//! - Policies can't fail to be evaluated. That is a property itself, and what rests on a policy that
//!   may fail is inconclusive until it is put right.

mod compare;
mod cost;
mod counterexample;
mod equivalent;
mod formula;
mod overlaps;
mod process;
mod property;
mod prover;
mod question;
mod situation;
mod solver;
mod verify;

pub use compare::{Comparison, Difference, Relation, compare, permits_no_more};
pub use counterexample::Counterexample;
pub use equivalent::equivalent_policy;
pub use overlaps::{Overlap, overlaps};
pub use property::Property;
pub use solver::{Solver, SolverMissing};
pub use verify::{Outcome, Proof, Verdict, verify};

#[cfg(test)]
mod tests;
