//! The service graph of an estate: every file that describes services or says what is deployed where.

use anyhow::Result;
use holdpoint_intake::topology::deployments::{DeploymentClaim, apply, read_deployments};
use holdpoint_intake::topology::{ENDINGS, Topology, merge, read_topology};
use holdpoint_schemas::SourceError;
use holdpoint_schemas::service::{Catalogue, ServiceId};
use std::collections::BTreeSet;
use std::path::Path;

use super::files::read_bytes;

/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 6;
/// Most files of all folders together.
const MAX_FILES: usize = 20_000;
/// Folders that hold no description of a team's own services.
const PASSED_OVER: [&str; 5] = [".git", ".terraform", "node_modules", "vendor", "target"];

/// What the named files and folders say of services.
#[derive(Debug, Default)]
pub struct Described {
    /// Services, resources, and edges.
    pub catalogue: Catalogue,
    /// What was left out, one line each, for people.
    pub notes: Vec<String>,
}

/// A file that was found: whether it was named itself, and what is in it.
struct Found {
    name: String,
    named: bool,
    bytes: Vec<u8>,
}

/// Reads files and folders, each in whatever known format it is.
///
/// # Errors
/// What is malformed, and what was named but is in no known format: the rest would be a graph with holes.
pub fn describe(root: &Path, entries: &[String]) -> Result<Described> {
    let files = find(root, entries)?;
    let Topology {
        parts,
        unknown,
        unreadable,
        skipped,
    } = read_topology(&borrowed(&files));
    if let Some(error) = unreadable.into_iter().next() {
        return Err(error.into());
    }
    let is_named = |error: &SourceError| files.iter().any(|file| file.named && file.name == error.file());
    if let Some(error) = unknown.iter().find(|error| is_named(error)) {
        return Err(error.clone().into());
    }
    // In a folder other files may lie beside; a typo in one of ours would make it one of them.
    let passed_over = unknown
        .iter()
        .filter(|error| !error.file().ends_with(".env"))
        .map(|error| {
            format!(
                "{}: describes no services in a known form, and was passed over",
                error.file()
            )
        });
    let mut notes: Vec<String> = skipped.into_iter().chain(passed_over).collect();
    let catalogue = merge(parts);
    let described: BTreeSet<&ServiceId> = catalogue.services.iter().map(|service| &service.id).collect();
    let dangling = catalogue.edges.iter().filter(|edge| !described.contains(&edge.to));
    notes.extend(dangling.map(|edge| {
        format!(
            "`{}` relies on `{}`, which nothing describes: if that is a slip, the real one has a dependent more",
            edge.from, edge.to
        )
    }));
    Ok(Described { catalogue, notes })
}

/// Adds what files and folders say of deployments to the services; returns what was left out.
///
/// # Errors
/// What is malformed: a deployment may be missing then.
pub fn deployments(root: &Path, entries: &[String], catalogue: &mut Catalogue) -> Result<Vec<String>> {
    let files = find(root, entries)?;
    let found = read_deployments(&borrowed(&files));
    if let Some(error) = found.unreadable.into_iter().next() {
        return Err(error.into());
    }
    let mut notes = found.skipped;
    notes.extend(apply(catalogue, &found.claims));
    Ok(notes)
}

/// What the CI files of a governed repo say of its deployments. A file that can't be read claims nothing.
pub fn claims_of_repo(repo: &str, files: &[(String, String)]) -> Vec<DeploymentClaim> {
    let borrowed: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let mut claims = read_deployments(&borrowed).claims;
    for claim in &mut claims {
        claim.source = format!("{repo}/{}", claim.source);
        claim.target.repo.get_or_insert_with(|| repo.to_owned());
    }
    claims
}

/// Adds claims to the services that they are about.
pub fn apply_claims(catalogue: &mut Catalogue, claims: &[DeploymentClaim]) {
    // A claim that no service takes is about a repo that no catalogue knows: that is told elsewhere.
    let _ = apply(catalogue, claims);
}

fn borrowed(files: &[Found]) -> Vec<(&str, &[u8])> {
    files
        .iter()
        .map(|file| (file.name.as_str(), file.bytes.as_slice()))
        .collect()
}

fn find(root: &Path, entries: &[String]) -> Result<Vec<Found>> {
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.trim_end_matches('/');
        if root.join(entry).is_dir() {
            walk(root, entry, 0, &mut files)?;
        } else {
            files.push(Found {
                name: entry.to_owned(),
                named: true,
                bytes: read_bytes(root, entry)?,
            });
        }
    }
    Ok(files)
}

/// Links aren't followed: they may lead out of the folder, or round in it. What isn't looked into may hold a
/// service that others rely on, so it is an error, not passed over.
fn walk(root: &Path, folder: &str, depth: usize, files: &mut Vec<Found>) -> Result<()> {
    let listing = std::fs::read_dir(root.join(folder))
        .map_err(|error| SourceError::new(folder, format!("can't be read: {error}")))?;
    let mut names = Vec::new();
    for item in listing {
        let item = item.map_err(|error| SourceError::new(folder, format!("can't be read: {error}")))?;
        let kind = item
            .file_type()
            .map_err(|error| SourceError::new(folder, format!("can't be read: {error}")))?;
        names.push((item.file_name().to_string_lossy().into_owned(), kind));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, kind) in names {
        let path = format!("{folder}/{name}");
        if kind.is_symlink() {
            return Err(SourceError::new(path, "is a link, which isn't followed")
                .help("put the file itself there, or name its folder in `holdpoint.yaml`")
                .into());
        }
        if kind.is_dir() && !PASSED_OVER.contains(&name.as_str()) {
            if depth >= MAX_DEPTH {
                return Err(SourceError::new(path, format!("lies deeper than {MAX_DEPTH} folders"))
                    .help("name it by itself in `holdpoint.yaml`")
                    .into());
            }
            walk(root, &path, depth + 1, files)?;
        } else if kind.is_file() && is_read(&name) {
            if files.len() == MAX_FILES {
                return Err(SourceError::new(folder, format!("holds more than {MAX_FILES} files")).into());
            }
            let bytes = read_bytes(root, &path)?;
            files.push(Found {
                name: path,
                named: false,
                bytes,
            });
        }
    }
    Ok(())
}

fn is_read(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}
