//! API-contract comparison: can a client that worked before fail now?
//!
//! Pure: text in, verdict out. No clock, environment, file, network or printing.

mod bundle;
mod change;
mod error;
pub mod graphql;
pub mod http;
mod lifecycle;
pub mod openapi;
pub mod protobuf;
mod rule;
mod schema;
mod sources;
pub mod sql;
mod text;
mod tree;

pub use change::{Change, ContractDiff, DiffVerdict, Gap, Level};
pub use error::ContractError;
pub use rule::Rule;
pub use sources::{Sources, Unreadable};
