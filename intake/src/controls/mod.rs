//! Human claims that automation must respect, wherever people leave them: `controls.yaml`, commit
//! trailers, comments, tags of infrastructure and Kubernetes annotations.
//!
//! A claim whose end can't be read holds without an end. One that has ended is still returned:
//! [`Control::active`] says whether it binds.

mod claim;
mod comment;
mod edit;
mod plan;
mod terraform;
mod trailer;

#[cfg(test)]
mod tests;

use holdpoint_schemas::control::Control;
use std::collections::BTreeSet;

pub(crate) use edit::append;
pub use edit::{add_control, expire_control};
pub use plan::plan_markers;
pub use trailer::{DEFAULT_HOLD_DAYS, MAX_HOLD_DAYS, Trailer, trailer};

/// Most markers that are read from one file; more are a mistake, and the first ones hold it anyway.
const MAX_MARKERS: usize = 1_000;

/// A claim that stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Line in the file, from 1; 1 where it isn't known, as in JSON, and 0 for a plan.
    pub line: usize,
    /// The claim. Its id is made of path, line and kind.
    pub control: Control,
    /// What of it couldn't be read, in words for people. It holds nevertheless.
    pub unclear: Option<String>,
}

/// The claims that a repo's file makes about itself, by comment (`# holdpoint: hands-off until
/// 2026-12-01 by ana reason …`), Terraform tag (`"break-glass" = "…"`, `"holdpoint:control" = "…"`) or
/// Kubernetes annotation (`holdpoint.dev/control: …`). Each holds the whole file; in Terraform also
/// the address of the block that it stands in or above.
#[must_use]
pub fn markers(repo: &str, path: &str, text: &str) -> Vec<Marker> {
    let mut found = comment::markers(repo, path, text);
    if has_ending(path, &[".tf", ".hcl", ".tofu"]) {
        terraform::refine(repo, path, text, &mut found);
    } else if has_ending(path, &[".tf.json", ".tofu.json"]) {
        plan::refine(repo, path, text, &mut found);
    }
    found.sort_by_key(|marker| marker.line);
    found.truncate(MAX_MARKERS);
    found
}

/// Controls of `controls.yaml` and those derived from commits and markers. An entry of the file
/// replaces a derived one with the same id: so a person ends a claim that history can't take back.
#[must_use]
pub fn merged(file: Vec<Control>, derived: impl IntoIterator<Item = Control>) -> Vec<Control> {
    let known: BTreeSet<String> = file.iter().map(|control| control.id.clone()).collect();
    let mut all = file;
    all.extend(derived.into_iter().filter(|control| !known.contains(&control.id)));
    all
}

fn has_ending(path: &str, endings: &[&str]) -> bool {
    let path = path.to_ascii_lowercase();
    endings.iter().any(|ending| path.ends_with(ending))
}
