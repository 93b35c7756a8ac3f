//! Paths through the tree, and following them. The names of variables are those of RFC 9162.

use sha2::{Digest as _, Sha256};

use super::MAX_PATH;
use crate::head::{Hash, Head};

/// The leaf hashes of a log, with the hashes of all complete subtrees over them: about 64 bytes an entry.
#[derive(Debug, Clone, Default)]
pub struct Leaves {
    /// `levels[h][i]` is the hash of the subtree over the leaves `i·2^h` to `(i+1)·2^h`.
    levels: Vec<Vec<Hash>>,
}

impl Leaves {
    /// Number of leaves.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for height in 0.. {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let Some(level) = self.levels.get_mut(height) else {
                return;
            };
            level.push(hash);
            match level.as_slice() {
                [.., left, right] if level.len().is_multiple_of(2) => hash = node(left, right),
                _ => return,
            }
        }
    }

    /// The head of the log when it had so many entries; `None` when it never had.
    #[must_use]
    pub fn head(&self, size: u64) -> Option<Head> {
        if size == 0 {
            let root = Hash(Sha256::digest([]).into());
            return Some(Head { size, root });
        }
        let root = self.subtree(0, size)?;
        Some(Head { size, root })
    }

    /// The path that shows the leaf at `index` (from 0) to be in the tree of the first `size` leaves (RFC 9162, 2.1.3.1).
    #[must_use]
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.len() {
            return None;
        }
        let (mut path, mut start, mut n, mut m) = (Vec::new(), 0, size, index);
        while n > 1 {
            let k = split(n);
            if m < k {
                path.push(self.subtree(start + k, n - k)?);
                n = k;
            } else {
                path.push(self.subtree(start, k)?);
                (start, m, n) = (start + k, m - k, n - k);
            }
        }
        path.reverse();
        Some(path)
    }

    /// The path that shows the tree of the first `second` leaves to begin with that of the first `first` (RFC 9162,
    /// 2.1.4.1). Empty where there is nothing to show: for an empty first tree, and for two equal ones.
    #[must_use]
    pub fn prove_consistency(&self, first: u64, second: u64) -> Option<Vec<Hash>> {
        if first > second || second > self.len() {
            return None;
        }
        if first == 0 || first == second {
            return Some(Vec::new());
        }
        // SUBPROOF(m, D[start:start+n], b), from the outside in.
        let (mut path, mut start, mut n, mut m, mut whole) = (Vec::new(), 0, second, first, true);
        while m != n {
            let k = split(n);
            if m <= k {
                path.push(self.subtree(start + k, n - k)?);
                n = k;
            } else {
                path.push(self.subtree(start, k)?);
                (start, m, n, whole) = (start + k, m - k, n - k, false);
            }
        }
        if !whole {
            path.push(self.subtree(start, n)?);
        }
        path.reverse();
        Some(path)
    }

    /// MTH of the `n` leaves from `start` on, where `start` is where the tree's own splits put one.
    fn subtree(&self, start: u64, n: u64) -> Option<Hash> {
        if n.is_power_of_two() {
            let height = n.trailing_zeros();
            let level = self.levels.get(height as usize)?;
            return level.get(usize::try_from(start >> height).ok()?).copied();
        }
        let k = split(n);
        Some(node(&self.subtree(start, k)?, &self.subtree(start + k, n - k)?))
    }
}

impl FromIterator<Hash> for Leaves {
    fn from_iter<T: IntoIterator<Item = Hash>>(leaves: T) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// Whether a path shows a leaf hash to be at `index` (from 0) in the log of a head (RFC 9162, 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, path: &[Hash], head: &Head) -> bool {
    if index >= head.size || path.len() > MAX_PATH {
        return false;
    }
    let (mut fnum, mut snum, mut r) = (index, head.size - 1, *leaf);
    for p in path {
        if snum == 0 {
            return false;
        }
        if fnum & 1 == 1 || fnum == snum {
            r = node(p, &r);
            while fnum & 1 == 0 && fnum != 0 {
                (fnum, snum) = (fnum >> 1, snum >> 1);
            }
        } else {
            r = node(&r, p);
        }
        (fnum, snum) = (fnum >> 1, snum >> 1);
    }
    snum == 0 && r == head.root
}

/// Whether a path shows the log of the head `second` to begin with all of that of `first` (RFC 9162, 2.1.4.2).
#[must_use]
pub fn verify_consistency(first: &Head, second: &Head, path: &[Hash]) -> bool {
    if first.size > second.size || path.len() > MAX_PATH {
        return false;
    }
    if first.size == second.size {
        return path.is_empty() && first.root == second.root;
    }
    if first.size == 0 {
        // Everything begins with nothing, whose root is fixed.
        return path.is_empty() && Leaves::default().head(0).as_ref() == Some(first);
    }
    let (mut fnum, mut snum) = (first.size - 1, second.size - 1);
    while fnum & 1 == 1 {
        (fnum, snum) = (fnum >> 1, snum >> 1);
    }
    // The whole first tree is a subtree of the second: its root begins the path.
    let mut rest = path.iter();
    let begin = if first.size.is_power_of_two() {
        first.root
    } else {
        match rest.next() {
            Some(begin) => *begin,
            None => return false,
        }
    };
    let (mut fr, mut sr) = (begin, begin);
    for c in rest {
        if snum == 0 {
            return false;
        }
        if fnum & 1 == 1 || fnum == snum {
            fr = node(c, &fr);
            sr = node(c, &sr);
            while fnum & 1 == 0 && fnum != 0 {
                (fnum, snum) = (fnum >> 1, snum >> 1);
            }
        } else {
            sr = node(&sr, c);
        }
        (fnum, snum) = (fnum >> 1, snum >> 1);
    }
    snum == 0 && fr == first.root && sr == second.root
}

/// The largest power of two that is smaller than `n`, which is at least 2.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The hash of a leaf.
pub(crate) fn leaf_hash(preimage: &[u8]) -> Hash {
    Hash(
        Sha256::new()
            .chain_update([0x00])
            .chain_update(preimage)
            .finalize()
            .into(),
    )
}

/// The hash of an inner node.
fn node(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new()
        .chain_update([0x01])
        .chain_update(left.0)
        .chain_update(right.0)
        .finalize();
    Hash(hash.into())
}

#[cfg(test)]
mod tests;
