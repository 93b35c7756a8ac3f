//! Staged rollout in a run: what became of what was done, where each lane stands, and what it may do tonight.
//!
//! [`log`] reads what the ledger holds and says what of it counts, [`standing`] where each lane stands by that, [`stock`]
//! what became of earlier merges ([`detect`] finds reverts), [`tonight`] what there is room for. [`desk`] is where people
//! look, order and report; [`status`] is what they see.

pub mod changes;
pub mod desk;
pub mod detect;
pub mod log;
pub mod standing;
pub mod status;
pub mod stock;
pub mod tonight;
