//! Staged rollout in a run: what became of what was done, where each lane stands, and what it may do tonight.

pub mod detect;
