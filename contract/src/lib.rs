//! API-contract comparison: can a client that worked before fail now?
//!
//! Pure: text in, verdict out. No clock, environment, file, network or printing.

mod change;
mod error;
pub mod generate;
pub mod http;
pub mod openapi;
mod rule;
mod sources;
mod text;
pub mod wire;

pub use change::{Change, ContractDiff, DiffVerdict, Gap, Level};
pub use error::ContractError;
pub use rule::Rule;
pub use sources::{Sources, Unreadable};
