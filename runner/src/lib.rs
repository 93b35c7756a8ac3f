//! Sandboxes and checks: what a candidate fix does when it is built, tested, called and scanned,
//! compared with what the base commit does.
//!
//! A [`Sandbox`](sandbox::Sandbox) runs single steps, isolated. [`validate`](validate::validate)
//! runs the steps that a [`ValidationPlan`](plan::ValidationPlan) needs on the baseline and on the
//! candidate, and pure functions ([`verdict`], [`rescan`], [`contract_check`]) make the evidence
//! out of the two records. Whatever can't be told is inconclusive, and never blamed on the fix.

pub mod agent;
pub mod cache;
pub mod conformance;
pub mod contract_check;
pub mod error;
pub mod plan;
pub mod rescan;
pub mod sandbox;
mod text;
pub mod validate;
pub mod verdict;

pub use error::{RunnerError, SandboxError};
pub use plan::{ReportReader, SideRecord, ValidationPlan};
pub use sandbox::Sandbox;
pub use sandbox::docker::{DockerSandbox, SandboxSettings};
pub use sandbox::local::{LocalSandbox, LocalSettings};
pub use validate::{Baseline, compare, run_baseline, run_candidate, validate};
