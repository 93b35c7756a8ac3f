//! Who changed what lately, from git history. The only part of this crate that does I/O: it reads
//! a repo's objects and refs, never its hooks, filters or work tree.

mod break_glass;
mod conflicts;
mod history;
mod owners;
mod pushes;

#[cfg(test)]
mod fixture;

pub use break_glass::break_glass;
pub use conflicts::{BranchConflict, conflicting_branches};
pub use owners::{CodeOwners, Flavour, code_owners};
pub use pushes::{Push, recent_pushes};
