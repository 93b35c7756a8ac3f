//! What a diff does, from the diff alone: whatever a patch, a bot or a `fix.yaml` claims is never
//! read. Each kind has a file here that either recognises all of a file's change or says why not;
//! what nobody recognises is logic.

mod config;
mod data_flow;
mod dependency;
mod environment;
mod formatting;
mod generated;
mod governance;
mod hardening;
mod hcl;
mod header;
mod iac;
mod node;
mod polarity;
mod secret;
mod suppression;
mod tokens;
mod unicode;

pub(crate) use dependency::is_dockerfile;
use std::collections::BTreeSet;

use holdpoint_schemas::fix::{ChangeKind, Classification, FileChange, FixKind, Upgrade};

/// Largest file whose two sides are parsed, in bytes.
const MAX_PARSED_BYTES: usize = 16 << 20;

/// Reads a file of one side of the diff by path; `None` when there is none.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One changed file with both its sides.
struct FileView<'a> {
    change: &'a FileChange,
    before: Option<String>,
    after: Option<String>,
    sides: (Lookup<'a>, Lookup<'a>),
}

impl FileView<'_> {
    fn path(&self) -> &str {
        &self.change.path
    }

    fn name(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// Both sides of a file that was there and stays.
    fn both(&self) -> Result<(&str, &str), String> {
        match (self.change.kind, &self.before, &self.after) {
            (ChangeKind::Modified, Some(before), Some(after)) => {
                if before.len().max(after.len()) > MAX_PARSED_BYTES {
                    return Err("is too large to be read".to_owned());
                }
                Ok((before, after))
            }
            (ChangeKind::Added, ..) => Err("is a new file".to_owned()),
            (ChangeKind::Deleted, ..) => Err("is deleted".to_owned()),
            _ => Err("can't be read on both sides".to_owned()),
        }
    }
}

/// What was recognised in one file.
struct Part {
    kind: FixKind,
    because: String,
    upgrades: Vec<Upgrade>,
}

/// One recogniser: whether a file is its business, and what it makes of the change; the error
/// continues the sentence "`path` …".
struct Recogniser {
    applies: fn(&FileView<'_>) -> bool,
    read: fn(&FileView<'_>) -> Result<Part, String>,
}

/// The first that applies decides alone, so the more specific ones come first.
const RECOGNISERS: [Recogniser; 5] = [
    Recogniser {
        applies: generated::applies,
        read: generated::read,
    },
    dependency::RECOGNISER,
    iac::RECOGNISER,
    config::RECOGNISER,
    Recogniser {
        applies: |_| true,
        read: source,
    },
];

/// Says what a diff does. `before` and `after` read a file of either tree by path.
///
/// Governance files are listed and don't change the kind of the other files; a diff of nothing
/// else is logic, and so is one that mixes kinds, adds a file, changes a mode or adds a comment
/// that silences a scanner.
#[must_use]
pub fn classify(files: &[FileChange], before: Lookup<'_>, after: Lookup<'_>) -> Classification {
    let mut found = Classification {
        kind: FixKind::Logic,
        because: String::new(),
        upgrades: Vec::new(),
        new_variables: Vec::new(),
        governance_files: Vec::new(),
        iac_addresses: Vec::new(),
        iac_removed: Vec::new(),
        critical_resources: Vec::new(),
        data_flow: Vec::new(),
        operations: holdpoint_schemas::fix::Operations::default(),
    };
    let views: Vec<FileView<'_>> = files
        .iter()
        .map(|change| FileView {
            change,
            before: before(&change.path),
            after: after(&change.path),
            sides: (before, after),
        })
        .collect();
    let (governance, rest): (Vec<&FileView<'_>>, Vec<&FileView<'_>>) =
        views.iter().partition(|view| governance::is_governance(view.path()));
    found.governance_files = governance.iter().map(|view| view.path().to_owned()).collect();
    found.new_variables = environment::new_variables(&views);
    iac::fill_addresses(&views, &mut found);
    match recognise(&rest) {
        Ok(parts) => {
            if let Some(first) = parts.first() {
                found.kind = first.kind;
                found.because = first.because.clone();
                if parts.len() > 1 {
                    found.because.push_str(&format!(", in {} files", parts.len()));
                }
            }
            found.upgrades = dependency::merge(parts.into_iter().flat_map(|part| part.upgrades));
        }
        Err(because) => found.because = because,
    }
    // Another layout moves no data.
    if !matches!(found.kind, FixKind::Formatting | FixKind::GeneratedCode) {
        found.data_flow = data_flow::touched(&views);
    }
    found.operations = crate::operations::operations(files, &found, before, after);
    found
}

/// All files as parts of one kind, or why they aren't.
fn recognise(views: &[&FileView<'_>]) -> Result<Vec<Part>, String> {
    if views.is_empty() {
        return Err("nothing but governance files changes".to_owned());
    }
    let mut parts = Vec::new();
    for view in views {
        parts.push(recognise_file(view).map_err(|why| format!("`{}` {why}", view.path()))?);
    }
    let kinds: BTreeSet<FixKind> = parts.iter().map(|part| part.kind).collect();
    if kinds.len() > 1 {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        return Err(format!("it mixes {}", names.join(" and ")));
    }
    Ok(parts)
}

fn recognise_file(view: &FileView<'_>) -> Result<Part, String> {
    let change = view.change;
    // Line 0 stands for the file's mode.
    if change.added.iter().chain(&change.removed).any(|(line, _)| *line == 0) {
        return Err("changes its mode".to_owned());
    }
    if change.added.is_empty() && change.removed.is_empty() {
        return Err("changes without a changed line".to_owned());
    }
    if let Some(marker) = suppression::added(change) {
        return Err(format!("gets a comment that silences a scanner (`{marker}`)"));
    }
    if unicode::hidden_break(change) {
        return Err("has a line break within a changed line".to_owned());
    }
    if let Some(character) = unicode::added(change) {
        return Err(format!("gets a character that can deceive ({character})"));
    }
    if formatting::applies(view)
        && let Ok(part) = formatting::read(view)
    {
        return Ok(part);
    }
    match RECOGNISERS.iter().find(|recogniser| (recogniser.applies)(view)) {
        Some(recogniser) => (recogniser.read)(view),
        None => Err("is of no known kind".to_owned()),
    }
}

/// A source file: one of two narrow patterns, else logic.
fn source(view: &FileView<'_>) -> Result<Part, String> {
    view.both()?;
    secret::read(view).or_else(|secret| match header::read(view) {
        Ok(part) => Ok(part),
        Err(header) => Err(if header::mentions(view.change) { header } else { secret }),
    })
}

#[cfg(test)]
mod tests;
