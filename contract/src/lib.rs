//! API-contract comparison: can a client that worked before fail now?
//!
//! Pure: text in, verdict out. No clock, environment, file, network or printing.

mod change;
mod error;
pub mod http;
pub mod openapi;
mod text;

pub use change::{Change, ContractDiff, Level};
pub use error::ContractError;
