//! API-contract comparison: can a client that worked before fail now? And, where a build says no, why.
//!
//! Pure: text in, verdict out. No clock, environment, file, network or printing.

mod change;
mod error;
pub mod failures;
pub mod http;
pub mod kind;
pub mod openapi;
pub mod overrides;
mod rule;
mod sources;
mod text;

pub use change::{Change, ContractDiff, DiffVerdict, Gap, Level};
pub use error::ContractError;
pub use kind::{Kind, SideOf};
pub use rule::Rule;
pub use sources::{Sources, Unreadable};
