//! Policy packs: the ones shipped in the binary, and folders.

use anyhow::Result;
use holdpoint_engine::policy::{Pack, PolicySource};
use holdpoint_schemas::fact::FactTable;
use include_dir::{Dir, include_dir};
use std::path::Path;

use super::estate::read_text;
use crate::failure::BadInput;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

/// Compiles a pack: the name of a shipped one, or a folder of `.cedar` files relative to `root`.
///
/// # Errors
/// When there is no such pack, or one of its policies doesn't hold up; with its place.
pub fn load(root: &Path, name: &str, facts: &FactTable) -> Result<Pack> {
    let sources = match SHIPPED.get_dir(name) {
        Some(folder) => folder
            .files()
            .filter(|file| file.path().extension().is_some_and(|ending| ending == "cedar"))
            .map(|file| PolicySource {
                path: format!("policies/{}", file.path().display()),
                text: file.contents_utf8().unwrap_or_default().to_owned(),
            })
            .collect(),
        None => from_folder(root, name)?,
    };
    Ok(Pack::compile(name, &sources, facts)?)
}

fn from_folder(root: &Path, name: &str) -> Result<Vec<PolicySource>> {
    let folder = root.join(name);
    let listing = std::fs::read_dir(&folder).map_err(|error| {
        let shipped: Vec<String> = SHIPPED.dirs().map(|dir| dir.path().display().to_string()).collect();
        BadInput::new(
            format!("there is no policy pack `{name}`: {error}"),
            format!(
                "name a folder of `.cedar` files, or a shipped pack: {}",
                shipped.join(", ")
            ),
        )
    })?;
    let mut names: Vec<String> = listing
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|file| file.ends_with(".cedar"))
        .map(|file| format!("{name}/{file}"))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(BadInput::new(
            format!("the policy pack `{name}` holds no `.cedar` file"),
            "an empty pack permits nothing; add policies or name another",
        )
        .into());
    }
    names
        .into_iter()
        .map(|path| {
            Ok(PolicySource {
                text: read_text(root, &path)?,
                path,
            })
        })
        .collect()
}
