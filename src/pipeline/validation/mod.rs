//! Wiring of the runner: what one fix needs in the sandbox, and the baselines that fixes share.

mod bounds;
mod contracts;
mod job;
mod knowledge;
mod runner;
mod sandbox;
mod scanning;
mod wire;

pub use job::{Asked, Job, prepare};
pub use runner::{BASELINES, Hand, LOGS, Runner};
pub use sandbox::{connect, engine_socket};
pub use scanning::{ScanJob, Scanned, scan_job};
