//! The Merkle tree over the entries (RFC 6962), by `ct-merkle`.

use ct_merkle::HashableLeaf;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;
use sha2::digest::Update;
use std::cell::Cell;

use crate::head::{Hash, Head};

/// A leaf that hands its bytes to the hasher once and lets go of them: `ct-merkle` keeps every
/// leaf, and of a log of large bodies only the hashes are needed again.
struct Leaf(Cell<Vec<u8>>);

impl HashableLeaf for Leaf {
    fn hash<H: Update>(&self, hasher: &mut H) {
        hasher.update(&self.0.take());
    }
}

/// A tree that only grows. Its memory is about 100 bytes an entry.
#[derive(Default)]
pub(crate) struct Tree(MemoryBackedTree<Sha256, Leaf>);

impl Tree {
    /// Appends the canonical bytes of an entry.
    pub(crate) fn push(&mut self, canonical: Vec<u8>) {
        self.0.push(Leaf(Cell::new(canonical)));
    }

    /// Number of leaves and the root over them; of an empty tree, the hash of nothing.
    pub(crate) fn head(&self) -> Head {
        let root = self.0.root();
        let mut bytes = [0; 32];
        bytes.copy_from_slice(root.as_bytes());
        Head {
            size: root.num_leaves(),
            root: Hash(bytes),
        }
    }
}

/// The hash of one leaf: the root of a tree that holds nothing else (RFC 6962, 2.1).
pub(crate) fn leaf_hash(canonical: Vec<u8>) -> Hash {
    let mut tree = Tree::default();
    tree.push(canonical);
    tree.head().root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of(leaves: &[&[u8]]) -> String {
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(leaf.to_vec());
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
        use sha2::Digest as _;
        let expected: [u8; 32] = Sha256::digest(b"\x00abc").into();
        assert_eq!(leaf_hash(b"abc".to_vec()), Hash(expected));
    }
}
