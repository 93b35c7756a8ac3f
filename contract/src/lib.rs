//! API-contract comparison: can a client that worked before fail now? And, where a build says no, why.
//!
//! Pure: text in, verdict out. No clock, environment, file, network or printing.

pub mod asyncapi;
mod bundle;
mod change;
mod error;
pub mod failures;
pub mod generate;
pub mod graphql;
pub mod http;
pub mod json_schema;
pub mod kind;
mod lifecycle;
pub mod openapi;
pub mod overrides;
mod payload;
mod places;
pub mod protobuf;
mod rule;
mod schema;
mod shape;
mod sources;
pub mod sql;
mod text;
mod tree;
pub mod wire;

pub use change::{Change, ContractDiff, DiffVerdict, Gap, Level};
pub use error::ContractError;
pub use kind::{Kind, SideOf};
pub use rule::Rule;
pub use sources::{Sources, Unreadable};
