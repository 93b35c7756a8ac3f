//! Wiring of the runner: what one fix needs in the sandbox, and the baselines that fixes share.

mod job;
mod knowledge;
mod runner;

pub use job::{Job, prepare};
pub use runner::Runner;
