//! The Merkle tree over the entries (RFC 6962).

use sha2::{Digest as _, Sha256};

use crate::head::{Hash, Head};

/// The right edge of a tree that only grows: its complete subtrees, the largest first. That is all that is needed to
/// append and to know the root, so a log of millions costs a few hundred bytes, a new leaf about one hash, and a root
/// one for each subtree. The tree that proofs are cut from is `ct-merkle`'s; the tests hold this one to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Appends a leaf, given its hash.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each low bit that is set stands for a complete subtree that the new leaf makes a pair with.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = parent(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Number of leaves and the root over them; of an empty tree, the hash of nothing.
    pub(crate) fn head(&self) -> Head {
        let mut peaks = self.peaks.iter().rev();
        let root = match peaks.next() {
            None => Hash(Sha256::digest([]).into()),
            Some(last) => peaks.fold(*last, |right, left| parent(left, &right)),
        };
        Head { size: self.size, root }
    }
}

/// The hash of one leaf (RFC 6962, 2.1).
pub(crate) fn leaf_hash(preimage: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(preimage).finalize().into())
}

/// The hash of two subtrees (RFC 6962, 2.1).
fn parent(left: &Hash, right: &Hash) -> Hash {
    let mut pair = [1; 65];
    let (first, second) = pair[1..].split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Hash(Sha256::digest(pair).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    fn root_of(leaves: &[&[u8]]) -> String {
        let mut tree = Frontier::default();
        for leaf in leaves {
            tree.push(leaf_hash(leaf));
        }
        tree.head().root.to_string()
    }

    /// The test vectors of Google's certificate-transparency implementation.
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        for (size, root) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(root_of(&leaves[..size]), root, "of {size} leaves");
        }
    }

    #[test]
    fn a_leaf_hash_is_prefixed_by_a_zero_byte() {
        let expected: [u8; 32] = Sha256::digest(b"\x00abc").into();
        assert_eq!(leaf_hash(b"abc"), Hash(expected));
    }

    proptest! {
        /// The well-kept crate is the judge of the few lines above.
        #[test]
        fn the_frontier_has_the_roots_of_ct_merkle(leaves in prop::collection::vec(any::<Vec<u8>>(), 0..70)) {
            let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            let mut frontier = Frontier::default();
            for leaf in leaves {
                frontier.push(leaf_hash(&leaf));
                tree.push(leaf);
                let (ours, theirs) = (frontier.head().root, tree.root());
                prop_assert_eq!(ours.as_bytes().as_slice(), theirs.as_bytes().as_slice());
                prop_assert_eq!(frontier.size(), tree.len());
            }
        }
    }
}
