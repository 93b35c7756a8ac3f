//! API-contract comparison: can a client that worked before fail now?
//!
//! Pure: text in, verdict out. No clock, environment, file, network or printing.

mod error;
pub mod http;
mod text;

pub use error::ContractError;
