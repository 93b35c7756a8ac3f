//! Proofs about a log that need none of its bodies: that an entry is in it, and that a later state of it only added to
//! an earlier one (RFC 9162, 2.1; the same as RFC 6962, 2.1).
//!
//! Everything here is over leaf *hashes*: an entry whose body was pruned keeps its place in every proof. `ct-merkle`,
//! which hashes the log, takes leaves only and keeps them; its proofs are what the tests compare these with.

mod document;
mod tree;

pub use document::{ConsistencyDocument, InclusionDocument, ProofError};
pub(crate) use tree::leaf_hash;
pub use tree::{Leaves, verify_consistency, verify_inclusion};

/// Longest path of a proof: the height of a tree of 2^64 leaves.
pub(crate) const MAX_PATH: usize = 64;
