//! Candidate fixes: reading a patch, applying it to a commit without a checkout, and saying from
//! the diff alone what it does.
//!
//! Everything here works on a git object database. No working tree is touched, no hook, filter,
//! attribute or process of the repo ever runs; what a patch claims about itself is never read.

pub mod apply;
pub mod classify;
mod diff;
mod error;
pub mod minimal;
pub mod operations;
pub mod patch;
mod paths;
pub mod tree;

pub use error::FixError;
