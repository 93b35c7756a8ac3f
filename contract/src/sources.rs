//! Where the text of a contract comes from: the caller reads, this crate asks by path.

use std::collections::BTreeMap;
use thiserror::Error;

/// Why a file of a contract can't be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// It lies outside the folder that the contract may use, by `..`, an absolute path or a link.
    #[error("it lies outside the folder of the contract")]
    Outside,
    /// It is an address on the network, and nothing is fetched from there.
    #[error("it is an address on the network, and nothing is fetched from there")]
    Network,
    /// It is larger than what is read.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// Most bytes that are read.
        limit: u64,
    },
    /// Anything else, for people.
    #[error("{0}")]
    Other(String),
}

/// The files of one side of a comparison. Paths are relative to its folder, with `/` and without `..`.
pub trait Sources {
    /// All files that there are, sorted; empty where they are only known by asking.
    fn paths(&self) -> Vec<String>;

    /// Links that are passed over, as paths, where what they lead to isn't among the files; a folder's ends with `/`.
    fn links(&self) -> Vec<String> {
        Vec::new()
    }

    /// The text of a file. What holds `://` is an address on the network, which is refused unless somebody allowed it.
    ///
    /// # Errors
    /// When it can't be had; what depended on it is then not compared, and the answer says so.
    fn read(&self, path: &str) -> Result<String, Unreadable>;
}

impl Sources for BTreeMap<String, String> {
    fn paths(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }

    fn read(&self, path: &str) -> Result<String, Unreadable> {
        self.get(path).cloned().ok_or(match path.contains("://") {
            true => Unreadable::Network,
            false => Unreadable::Missing,
        })
    }
}
