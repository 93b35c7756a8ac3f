//! Contracts out of folders and git trees, compared with what a configuration says about them.

mod folder;
mod network;
mod revision;
mod tree;

use anyhow::Result;
use holdpoint_contract::openapi::Day;
use holdpoint_contract::{ContractDiff, ContractError, Kind, SideOf, Sources, Unreadable, kind, overrides};
use holdpoint_intake::estate::read_repo_settings;
use holdpoint_schemas::contract_rule::ContractRule;
use holdpoint_schemas::{SourceError, Timestamp};
use std::path::Path;

pub use folder::Folder;
pub use network::Network;
pub use revision::Opened;
pub use tree::Tree;

use super::estate::read_text;

/// Largest file of a contract, in bytes: the largest public descriptions have 13 MiB.
const MAX_FILE_BYTES: u64 = 32 << 20;
/// Largest sum of what is read of one side, in bytes.
const MAX_ALL_BYTES: u64 = 512 << 20;
/// Most files of one side: the largest public folders of contracts have fewer.
const MAX_FILES: usize = 20_000;

/// The files of one side of a comparison.
pub struct Side<'a> {
    /// Its name for messages.
    pub name: &'a str,
    /// Its files.
    pub sources: &'a dyn Sources,
}

/// Compares two sides. Without a kind both are asked what they are, and must agree.
///
/// # Errors
/// When a side can't be read or parsed, or it can't be told what it is.
pub fn compare(
    base: &Side<'_>,
    revision: &Side<'_>,
    kind: Option<Kind>,
    at: Timestamp,
) -> Result<ContractDiff, ContractError> {
    let kind = match kind {
        Some(kind) => kind,
        None => detect(base, revision)?,
    };
    let root = |side: &Side<'_>| kind.root(side.name, side.sources);
    let (before, after) = (root(base)?, root(revision)?);
    let before = SideOf {
        sources: base.sources,
        root: &before,
    };
    let after = SideOf {
        sources: revision.sources,
        root: &after,
    };
    kind.diff(before, after, Day::parse(&at.to_string()))
}

fn detect(base: &Side<'_>, revision: &Side<'_>) -> Result<Kind, ContractError> {
    let of = |side: &Side<'_>| kind::detect(side.name, side.sources);
    let (before, after) = (of(base)?, of(revision)?);
    if before == after {
        return Ok(before);
    }
    let message = format!(
        "is `{}`, and `{}` is `{}`",
        before.as_str(),
        revision.name,
        after.as_str()
    );
    let error = SourceError::new(base.name, message);
    Err(error
        .help("compare two of the same kind, or say what they are with `--kind`")
        .into())
}

/// What a repo's settings say about rules.
///
/// # Errors
/// When the file can't be read or used, or names a rule that isn't known.
pub fn read_rules(file: &Path) -> Result<Vec<ContractRule>> {
    let name = file.to_string_lossy();
    let settings = read_repo_settings(&name, &read_text(Path::new(""), &name)?)?;
    let rules = settings.contract.unwrap_or_default().rules;
    overrides::check(&name, &rules)?;
    Ok(rules)
}

/// A path that a contract refers to, as one below its folder: `a/../b` is `b`.
fn inside(path: &str) -> Result<String, Unreadable> {
    if path.contains("://") {
        return Err(Unreadable::Network);
    }
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return Err(Unreadable::Outside);
    }
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.pop().is_none() => return Err(Unreadable::Outside),
            ".." => {}
            step => steps.push(step),
        }
    }
    Ok(steps.join("/"))
}

/// Bytes as text.
fn text(bytes: Vec<u8>) -> Result<String, Unreadable> {
    String::from_utf8(bytes).map_err(|_| Unreadable::Other("it isn't UTF-8 text".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_folder() {
        for (path, found) in [
            ("a.yaml", Ok("a.yaml")),
            ("./a//b/../c.yaml", Ok("a/c.yaml")),
            ("../a.yaml", Err(Unreadable::Outside)),
            ("a/../../b", Err(Unreadable::Outside)),
            ("/etc/passwd", Err(Unreadable::Outside)),
            ("..\\a", Err(Unreadable::Outside)),
            ("https://x.example/a.yaml", Err(Unreadable::Network)),
        ] {
            assert_eq!(inside(path), found.map(str::to_owned), "{path}");
        }
    }
}
