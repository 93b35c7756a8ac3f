//! What source text says of its dependencies: whether a package is used, whether its vulnerable functions are called,
//! and which files of a repo use which.
//!
//! ```
//! use holdpoint_usage::{Ecosystem, Package, Reach, SourceFile, Usage};
//!
//! let files = [SourceFile { path: "app.py", text: Some("from yaml import load as l\nl(x)\n") }];
//! let usage = Usage::of(files);
//! let reach = usage.reach(&Package::new(Ecosystem::Pypi, "PyYAML"), &["yaml.load".to_owned()]);
//! assert!(matches!(reach, Reach::Reached { .. }));
//! ```
//!
//! Everything is a function of its arguments, and all work is bounded. Whatever can't be seen (a module that is loaded
//! by a computed name, a file that can't be parsed, a use inside another package) makes an answer unknown.

mod bounds;
mod callers;
mod facts;
mod gateway;
mod language;
mod manifest;
mod modules;
mod observation;
mod package;
mod reach;
mod resolve;
mod sources;
mod trace;
pub mod upgrade;
mod walk;

pub use bounds::{MAX_FILE_BYTES, MAX_FILES, MAX_MANIFEST_BYTES, MAX_TOTAL_BYTES};
pub use callers::Callers;
pub use facts::Place;
pub use language::Language;
pub use observation::{MAX_OBSERVATION_BYTES, Observation};
pub use package::{Ecosystem, Package};
pub use reach::Reach;
pub use sources::{SourceFile, Usage};
