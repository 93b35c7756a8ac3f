//! Protocol Buffers: what changed between two folders of `.proto` files, by the rules of `buf breaking`.
//!
//! The files are read by a compiler of our own: protox, the one in Rust, knows no editions, and compatibility hangs
//! on syntax, names, numbers and features, not on the descriptors that a compiler makes of them.

mod checks;
mod config;
mod features;
mod index;
mod lexer;
mod link;
mod model;
mod parser;
mod table;
#[cfg(test)]
mod tests;
mod wellknown;

use holdpoint_schemas::SourceError;

pub use config::{ProtobufConfig, Version};
use index::Index;

use crate::{Change, ContractDiff, ContractError, Gap, Level, Rule, Sources};

/// Most changes that are listed.
const MAX_CHANGES: usize = 50_000;

/// Compares all `.proto` files of two folders, by all rules. The categories of a change are those of version `v1` of
/// buf's configuration, which buf takes where there is none; what only `v2` looks at is an error of no category.
///
/// # Errors
/// When a file can't be read or isn't in the language, or there is no `.proto` file on either side.
pub fn diff(base: &dyn Sources, revision: &dyn Sources) -> Result<ContractDiff, ContractError> {
    diff_with(base, revision, &ProtobufConfig::default())
}

/// Compares as buf is configured to: what its configuration doesn't use, or ignores, is information.
///
/// # Errors
/// As for [`diff`].
pub fn diff_with(
    base: &dyn Sources,
    revision: &dyn Sources,
    config: &ProtobufConfig,
) -> Result<ContractDiff, ContractError> {
    let base = link::image(base)?;
    let revision = link::image(revision)?;
    if base.files.is_empty() && revision.files.is_empty() {
        let error = SourceError::new(".", "there is no `.proto` file on either side");
        return Err(error.help("name two folders that hold `.proto` files").into());
    }
    let used = config.rules();
    let findings = checks::findings(Index::new(&base), Index::new(&revision));
    let mut gaps: Vec<Gap> = base.gaps.iter().chain(&revision.gaps).cloned().collect();
    if findings.len() > MAX_CHANGES {
        gaps.push(Gap {
            place: ".".to_owned(),
            text: format!("there are {} changes; {MAX_CHANGES} are listed", findings.len()),
        });
    }
    let changes = findings
        .into_iter()
        .take(MAX_CHANGES)
        .map(|finding| {
            let counts = used.contains(finding.rule) && !config.ignores(&finding);
            let file = finding.file.or(finding.base_file);
            let in_base = finding.file.is_none() && finding.base_file.is_some();
            Change {
                rule: finding.rule.to_owned(),
                level: if counts { Level::Error } else { Level::Info },
                operation: String::new(),
                path: file.map(|file| file.path.clone()).unwrap_or_default(),
                location: finding.location,
                text: finding.text,
                line: finding.line,
                file: None,
                in_base,
                categories: table::categories(finding.rule, config.version)
                    .iter()
                    .map(|&category| category.to_owned())
                    .collect(),
            }
        })
        .collect();
    Ok(ContractDiff::with_gaps("protobuf", changes, gaps))
}

/// All rules, with what they mean.
#[must_use]
pub fn rules() -> Vec<Rule> {
    table::rules()
}
