//! API-contract comparison: can a client that worked before fail now?
//!
//! Pure: text in, verdict out. No clock, environment, file, network or printing.

pub mod asyncapi;
mod bundle;
mod change;
mod error;
pub mod http;
pub mod json_schema;
mod lifecycle;
pub mod openapi;
mod payload;
mod rule;
mod schema;
mod sources;
mod text;
mod tree;

pub use change::{Change, ContractDiff, DiffVerdict, Gap, Level};
pub use error::ContractError;
pub use rule::Rule;
pub use sources::{Sources, Unreadable};
