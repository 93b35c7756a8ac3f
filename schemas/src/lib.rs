//! The vocabulary of Holdpoint: the plain types that every other crate speaks, the table of
//! facts, and the Cedar schema that is generated from it.
//!
//! Nothing here reads a file, a clock or the environment; times are passed in as [`Timestamp`].

pub mod actor;
pub mod approval;
pub mod contract_rule;
pub mod control;
pub mod decision;
pub mod digest;
pub mod editor;
pub mod estate;
pub mod event;
pub mod evidence;
pub mod fact;
pub mod finding;
pub mod fix;
pub mod level;
pub mod order;
pub mod outcome;
pub mod pack;
pub mod rollout;
pub mod service;
pub mod source;

pub use digest::Digest;
pub use jiff::Timestamp;
pub use level::Level;
pub use source::SourceError;
