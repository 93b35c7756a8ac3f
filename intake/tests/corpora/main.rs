//! Real third-party data, where `HOLDPOINT_CORPORA` names a folder of it; without it these tests say that they
//! are skipped.

mod findings;
mod graphs;
mod plans;
mod versions;

use std::path::PathBuf;

/// A folder or file of the corpora, or `None` where they are absent (and then that is said).
pub fn corpus(path: &str) -> Option<PathBuf> {
    let found = std::env::var_os("HOLDPOINT_CORPORA")
        .map(|folder| PathBuf::from(folder).join(path))
        .filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: corpora absent");
    }
    found
}
