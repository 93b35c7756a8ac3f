use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;

use super::*;

/// The leaves that the tests of certificate-transparency implementations share.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const B: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const C: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const D: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const E: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const F: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
const G: &str = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
const H: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

fn tree(leaves: &[&[u8]]) -> Leaves {
    leaves.iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn hashes(path: &[&str]) -> Vec<Hash> {
    path.iter().map(|hash| hash.parse().unwrap()).collect()
}

/// Vectors of Google's certificate-transparency implementation.
#[test]
fn inclusion_paths_are_those_of_certificate_transparency() {
    let tree = tree(&LEAVES);
    for (index, size, path) in [(0, 1, &[][..]), (0, 8, &[A, B, C]), (5, 8, &[D, E, F]), (2, 3, &[G])] {
        let path = hashes(path);
        assert_eq!(tree.prove_inclusion(index, size).unwrap(), path, "{index} of {size}");
        let leaf = leaf_hash(LEAVES[index as usize]);
        assert!(verify_inclusion(&leaf, index, &path, &tree.head(size).unwrap()));
    }
    assert_eq!(tree.prove_inclusion(8, 8), None);
    assert_eq!(tree.prove_inclusion(0, 9), None);
}

/// Vectors of Google's certificate-transparency implementation.
#[test]
fn consistency_paths_are_those_of_certificate_transparency() {
    let tree = tree(&LEAVES);
    for (first, second, path) in [
        (1, 1, &[][..]),
        (0, 8, &[]),
        (1, 8, &[A, B, C]),
        (6, 8, &[H, E, F]),
        (2, 5, &[B, D]),
    ] {
        let path = hashes(path);
        assert_eq!(
            tree.prove_consistency(first, second).unwrap(),
            path,
            "{first} to {second}"
        );
        let (first, second) = (tree.head(first).unwrap(), tree.head(second).unwrap());
        assert!(verify_consistency(&first, &second, &path));
    }
    assert_eq!(tree.prove_consistency(3, 2), None);
    assert_eq!(tree.prove_consistency(3, 9), None);
}

#[test]
fn a_path_proves_nothing_for_an_empty_or_smaller_log() {
    let tree = tree(&LEAVES);
    let leaf = leaf_hash(&[]);
    assert!(!verify_inclusion(&leaf, 0, &[], &tree.head(0).unwrap()));
    let (three, eight) = (tree.head(3).unwrap(), tree.head(8).unwrap());
    let path = tree.prove_consistency(3, 8).unwrap();
    assert!(!verify_consistency(&eight, &three, &path));
    assert!(!verify_consistency(&three, &eight, &[]));
    let wrong_empty = Head { size: 0, ..three };
    assert!(!verify_consistency(&wrong_empty, &eight, &[]));
    assert!(!verify_inclusion(&leaf, 0, &vec![leaf; MAX_PATH + 1], &eight));
}

fn log(size: u64) -> (Leaves, MemoryBackedTree<Sha256, Vec<u8>>) {
    let mut theirs = MemoryBackedTree::new();
    let ours = (0..size)
        .map(|n| {
            theirs.push(n.to_be_bytes().to_vec());
            leaf_hash(&n.to_be_bytes())
        })
        .collect();
    (ours, theirs)
}

fn bytes(path: &[Hash]) -> Vec<u8> {
    path.iter().flat_map(|hash| hash.0).collect()
}

fn root(head: &Head) -> RootHash<Sha256> {
    RootHash::new(head.root.0.into(), head.size)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// `ct-merkle` is another implementation of the same paths.
    #[test]
    fn paths_and_roots_are_those_of_ct_merkle(size in 1_u64..200, at in any::<prop::sample::Index>()) {
        let (ours, theirs) = log(size);
        let index = at.index(size as usize);
        let head = ours.head(size).unwrap();
        prop_assert_eq!(root(&head), theirs.root());
        let path = ours.prove_inclusion(index as u64, size).unwrap();
        prop_assert_eq!(bytes(&path), theirs.prove_inclusion(index).as_bytes().to_vec());
        let leaf = (index as u64).to_be_bytes().to_vec();
        prop_assert!(verify_inclusion(&leaf_hash(&leaf), index as u64, &path, &head));
        let proof = InclusionProof::<Sha256>::from_bytes(bytes(&path));
        prop_assert!(theirs.root().verify_inclusion(&leaf, index as u64, &proof).is_ok());
        let first = index as u64 + 1;
        let path = ours.prove_consistency(first, size).unwrap();
        let (old, new) = (ours.head(first).unwrap(), ours.head(size).unwrap());
        prop_assert!(verify_consistency(&old, &new, &path));
        if first < size {
            prop_assert_eq!(
                bytes(&path),
                theirs.prove_consistency((size - first) as usize).as_bytes().to_vec()
            );
            let proof = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&path)).unwrap();
            prop_assert!(theirs.root().verify_consistency(&root(&old), &proof).is_ok());
        }
    }

    #[test]
    fn a_path_with_anything_changed_proves_nothing(
        size in 2_u64..100,
        at in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        bit in 0_usize..256,
    ) {
        let (tree, _) = log(size);
        let index = at.index(size as usize) as u64;
        let leaf = leaf_hash(&index.to_be_bytes());
        let head = tree.head(size).unwrap();
        let path = tree.prove_inclusion(index, size).unwrap();
        let flip = |hash: &mut Hash| hash.0[bit / 8] ^= 1 << (bit % 8);
        let mut changed = path.clone();
        let place = other.index(path.len());
        flip(&mut changed[place]);
        prop_assert!(!verify_inclusion(&leaf, index, &changed, &head));
        let mut shorter = path.clone();
        shorter.remove(place);
        prop_assert!(!verify_inclusion(&leaf, index, &shorter, &head));
        let mut longer = path.clone();
        longer.push(leaf);
        prop_assert!(!verify_inclusion(&leaf, index, &longer, &head));
        let elsewhere = (index + 1) % size;
        prop_assert!(!verify_inclusion(&leaf, elsewhere, &path, &head));
        let mut forged = head;
        flip(&mut forged.root);
        prop_assert!(!verify_inclusion(&leaf, index, &path, &forged));

        let first = index + 1;
        let old = tree.head(first).unwrap();
        let path = tree.prove_consistency(first, size).unwrap();
        prop_assert!(!verify_consistency(&old, &forged, &path));
        let mut rewritten = old;
        flip(&mut rewritten.root);
        prop_assert!(!verify_consistency(&rewritten, &head, &path));
        for place in 0..path.len() {
            let mut changed = path.clone();
            flip(&mut changed[place]);
            prop_assert!(!verify_consistency(&old, &head, &changed));
        }
    }
}
