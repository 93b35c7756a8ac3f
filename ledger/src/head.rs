//! The head of the log: how many entries, and the root over them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A SHA-256 hash in the Merkle tree, written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash(pub(crate) [u8; 32]);

impl Hash {
    /// A hash as a store keeps it: 32 bytes.
    pub(crate) fn of_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 64 digits.
    fn hex(&self) -> [u8; 64] {
        let mut hex = [b'0'; 64];
        for (pair, byte) in hex.chunks_mut(2).zip(self.0) {
            for (digit, half) in pair.iter_mut().zip([byte >> 4, byte & 0xF]) {
                *digit = if half < 10 { b'0' + half } else { b'a' + half - 10 };
            }
        }
        hex
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.hex()).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Hash {
    type Err = ParseHeadError;

    fn from_str(text: &str) -> Result<Self, ParseHeadError> {
        let malformed = || ParseHeadError { text: shortened(text) };
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(malformed());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| malformed())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
        }
        Ok(Self(bytes))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = ParseHeadError;

    fn try_from(text: String) -> Result<Self, ParseHeadError> {
        text.parse()
    }
}

/// The state of the whole log in one line, `<entries>:<root>`: what reports print, commit
/// trailers carry and [`crate::Ledger::verify`] is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: Hash,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.size, self.root)
    }
}

impl FromStr for Head {
    type Err = ParseHeadError;

    fn from_str(text: &str) -> Result<Self, ParseHeadError> {
        let malformed = || ParseHeadError { text: shortened(text) };
        let (size, root) = text.split_once(':').ok_or_else(malformed)?;
        // One spelling per head: no sign, no leading zero.
        let number: u64 = size.parse().map_err(|_| malformed())?;
        if number.to_string() != size {
            return Err(malformed());
        }
        Ok(Self {
            size: number,
            root: root.parse().map_err(|_| malformed())?,
        })
    }
}

/// The text is not a head.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a ledger head: expected `<entries>:<64 hexadecimal digits>`")]
pub struct ParseHeadError {
    text: String,
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_as_it_was_written() {
        let head = Head {
            size: 17,
            root: Hash([0xa5; 32]),
        };
        assert_eq!(head.to_string(), format!("17:{}", "a5".repeat(32)));
        assert_eq!(head.to_string().parse(), Ok(head));
        let json = serde_json::to_string(&head).unwrap();
        assert_eq!(serde_json::from_str::<Head>(&json).unwrap(), head);
    }

    #[test]
    fn a_malformed_head_is_refused_with_what_was_expected() {
        let root = "0".repeat(64);
        for bad in [
            String::new(),
            root.clone(),
            format!(":{root}"),
            format!("-1:{root}"),
            format!("+1:{root}"),
            format!("01:{root}"),
            format!("1:{}", "0".repeat(63)),
            format!("1:{}", "A".repeat(64)),
            format!("1:{}", "é".repeat(32)),
            format!("99999999999999999999:{root}"),
        ] {
            let error = bad.parse::<Head>().unwrap_err().to_string();
            assert!(error.contains("expected `<entries>:<64"), "{error}");
        }
    }
}
