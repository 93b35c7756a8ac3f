//! What decides: the service graph, the policies, the rollout lanes, and the decision that they
//! add up to, with its explanation.
//!
//! Pure: no clock, no file, no environment, no network, no printing. Time, text and facts are
//! arguments, and the same arguments give the same bytes.
//!
//! - [`graph`] answers who can be affected when a service breaks ([`graph::BlastRadius`]).
//! - [`policy`] turns Cedar text into a [`policy::Pack`], or into errors with file, line and column.
//! - [`rollout`] finds the lane of a finding, and with it the highest level that it may reach.
//! - [`decide`] asks the pack: [`decide::triage`] before evidence, [`decide::release`] with it,
//!   [`decide::merge_gate`] at the moment of merge, and [`decide::may_promote`] once a human said go.
//!
//! # How a level comes about
//! `level = min(Cedar, lane stage)`. Cedar is asked from the highest action down; default deny makes
//! alert the floor. What isn't known isn't in the context, and a safety rule is written so that it
//! forbids then: `forbid … unless { context has a.b && safe(context.a.b) }`.
//!
//! Cedar *skips* a policy that errors, so a broken `forbid` would vanish. Any error therefore lowers
//! the decision to alert and is named in it.
//!
//! Everything that kept the level from being higher is in the decision as a
//! [`Bound`](holdpoint_schemas::decision::Bound): which rule, why, which facts it read, which of them
//! are unknown, who could supply those, and what would lift it.

pub mod decide;
mod error;
pub mod graph;
pub mod policy;
pub mod rollout;

pub use error::EngineError;
