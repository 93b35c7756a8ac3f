//! Sandboxes and checks: what a candidate fix does when it is built, tested, called and scanned,
//! compared with what the base commit does.
//!
//! A [`Sandbox`](sandbox::Sandbox) runs single steps, isolated. [`validate`](validate::validate)
//! runs the steps that a [`ValidationPlan`](plan::ValidationPlan) needs on the baseline and on the
//! candidate, and pure functions ([`verdict`], [`rescan`], [`contract_check`]) make the evidence
//! out of the two records. Whatever can't be told is inconclusive, and never blamed on the fix.

pub mod agent;
pub mod cache;
pub mod change;
mod code;
pub mod conformance;
pub mod contract_check;
pub mod coverage;
pub mod error;
pub mod files;
pub mod image;
pub mod keep;
pub mod language_api;
pub mod log_files;
pub mod plan;
pub mod proxy;
pub mod rescan;
pub mod sandbox;
pub mod scan;
pub mod schedule;
pub mod scrutiny;
mod spans;
mod step;
pub mod surface;
pub mod test_report;
mod text;
pub mod together;
pub mod toolchain;
pub mod track;
pub mod turns;
pub mod validate;
pub mod verdict;

pub use error::{RunnerError, SandboxError};
pub use plan::{ReportReader, SideRecord, ValidationPlan};
pub use sandbox::Sandbox;
pub use sandbox::docker::{DockerSandbox, SandboxSettings};
pub use sandbox::kubernetes::{KubernetesSandbox, KubernetesSettings};
pub use sandbox::local::{LocalSandbox, LocalSettings};
pub use validate::{Baseline, compare, run_baseline, run_candidate, validate};
