//! Reads what others wrote (scanner reports, advisories, service catalogues, estate files, git
//! history) into the vocabulary.
//!
//! Everything here takes bytes or text and does no I/O, except [`activity`], which reads a git
//! repo. All input is untrusted: sizes, depths and counts are bounded, and whatever can't be read
//! is an error with a place, never a guess.

pub mod activity;
pub mod advisory;
pub mod calendar;
pub mod cases;
pub mod catalogue;
mod collect;
pub mod controls;
pub mod drift;
pub mod error;
pub mod estate;
mod json;
mod osv;
pub mod plan;
pub mod priority;
mod purl;
pub mod report;
pub mod topology;
pub mod version;
pub mod vex;
mod xml;

pub use error::{IntakeError, SourceResult};
