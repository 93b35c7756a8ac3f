//! Requests made from an OpenAPI description: valid ones at the bounds of their schemas and between, invalid
//! ones that break one rule each, and sequences that create something, look at it, change it and remove it.
//!
//! The same description and seed give the same requests.

mod operation;
mod schema;

use serde_json::Value;

use crate::Gap;
use crate::wire::WireRequest;

/// Most operations that requests are made for.
const MAX_OPERATIONS: usize = 500;

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Requests in all, at most.
    pub requests: usize,
    /// Random valid requests of each operation, besides those at the bounds.
    pub random: usize,
}

impl Default for Amount {
    fn default() -> Self {
        Self {
            requests: 400,
            random: 2,
        }
    }
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generated {
    /// Requests, in the order in which they are to be made.
    pub requests: Vec<WireRequest>,
    /// Operations that nothing could be made for, and why.
    pub gaps: Vec<Gap>,
}

/// Makes requests from a description (OpenAPI 3.0 and 3.1; of 2.0, parameters and bodies). References into other
/// files are gaps.
#[must_use]
pub fn requests(document: &Value, seed: u64, amount: Amount) -> Generated {
    let mut maker = operation::Maker::new(document, seed, amount);
    let operations = maker.operations();
    maker.sequences(&operations);
    for operation in operations.iter().take(MAX_OPERATIONS) {
        maker.single(operation);
    }
    let mut made = maker.made;
    if made.requests.len() > amount.requests || operations.len() > MAX_OPERATIONS {
        made.requests.truncate(amount.requests);
        made.gaps.push(Gap {
            place: "paths".to_owned(),
            text: format!("only {} requests are made", made.requests.len()),
        });
    }
    made
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `n`, which is taken as 1 when it is 0.
    fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % n).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
