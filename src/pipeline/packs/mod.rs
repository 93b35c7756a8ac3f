//! Policy packs: the ones shipped in the binary, and folders; alone or in layers.

mod facts;
mod place;
#[cfg(test)]
mod properties;

use anyhow::Result;
use holdpoint_engine::policy::{Effect, Layer, Pack, PolicyError, PolicySource};
use holdpoint_intake::estate::read_yaml;
use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::pack::PackManifest;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::estate::{CONFIG_FILE, FACTS_FOLDER, read_text};
pub use facts::of_estate as facts_of_estate;
pub use place::{Place, shipped};

/// Most packs on top of each other.
const MAX_LAYERS: usize = 8;
/// What a pack says about itself.
pub const MANIFEST: &str = "pack.yaml";
/// Folder of its invariants.
pub const INVARIANTS: &str = "invariants";
/// The folders of a pack whose files are read.
const FOLDERS: [&str; 3] = [INVARIANTS, CASES, FACTS_FOLDER];
/// Folder of its cases.
pub const CASES: &str = "cases";

/// A pack with all its files.
#[derive(Debug, Clone)]
pub struct LoadedPack {
    /// Where it lies.
    pub place: Place,
    /// What it says about itself.
    pub manifest: PackManifest,
    /// What is asked: with all that it inherits.
    pub pack: Pack,
    /// Its policies' files, without the inherited ones.
    pub sources: Vec<PolicySource>,
    /// Ids of its own policies.
    pub own: BTreeSet<String>,
    /// The pack that it extends.
    pub base: Option<Box<LoadedPack>>,
    /// What must be proved of it as a layer; `None` if it extends nothing.
    pub layer: Option<Layer>,
    /// What must never be permitted (`forbid`), its own and the inherited ones, and what it promises to
    /// permit (`permit`). `None`: there are none.
    pub invariants: Option<Pack>,
    invariant_sources: Vec<PolicySource>,
    /// Its case files, as text.
    pub cases: Vec<PolicySource>,
}

impl LoadedPack {
    /// Facts without which an estate gets little from it, its own and the inherited ones.
    pub fn minimum_facts(&self) -> BTreeSet<String> {
        let inherited = self.base.iter().flat_map(|base| base.minimum_facts());
        self.manifest.minimum_facts.iter().cloned().chain(inherited).collect()
    }
}

/// Reads a pack with all its files: the name of a shipped one, or a folder relative to `root`.
///
/// # Errors
/// When there is no such pack, or everything that is wrong in its files (a [`PolicyError`]).
pub fn open(root: &Path, name: &str, facts: &FactTable) -> Result<LoadedPack> {
    let place = Place::find(root, name)?;
    read(place, facts, &mut Vec::new()).map_err(|errors| {
        let pack = name.to_owned();
        PolicyError { pack, errors }.into()
    })
}

/// Reads the pack at `place`; `above` holds the packs that are layers on it.
fn read(place: Place, facts: &FactTable, above: &mut Vec<PathBuf>) -> Result<LoadedPack, Vec<SourceError>> {
    let (sources, mut errors) = place.files("", &["cedar"]);
    let (invariant_sources, more) = place.files(INVARIANTS, &["cedar"]);
    errors.extend(more);
    let (cases, more) = place.files(CASES, &["yaml", "yml"]);
    errors.extend(more);
    let facts = facts::with_own(&place, facts).unwrap_or_else(|more| {
        errors.extend(more);
        facts.clone()
    });
    let manifest = match manifest(&place, &facts) {
        Ok(manifest) => manifest,
        Err(more) => {
            errors.extend(more);
            return Err(errors);
        }
    };
    let base = match &manifest.extends {
        None => None,
        Some(name) => match inherited(&place, name, &facts, above) {
            Ok(base) => Some(Box::new(base)),
            Err(more) => {
                errors.extend(more);
                return Err(errors);
            }
        },
    };
    // What it extends may bring facts along too.
    let facts = base.as_ref().map_or(&facts, |base| base.pack.fact_table());
    let (pack, layer) = match &base {
        None => (Pack::compile(&manifest.name, &sources, facts), None),
        Some(base) => match base.pack.layer(&manifest, &place.label(MANIFEST), &sources) {
            Ok(layer) => (Ok(layer.pack.clone()), Some(layer)),
            Err(mut error) => {
                // The engine has no text of the manifest.
                for error in &mut error.errors {
                    *error = in_manifest(&place, error);
                }
                (Err(error), None)
            }
        },
    };
    let mut all_invariants = base
        .as_ref()
        .map_or_else(Vec::new, |base| base.invariant_sources.clone());
    all_invariants.extend(invariant_sources.iter().cloned());
    let invariants = match all_invariants.is_empty() {
        true => Ok(None),
        false => Pack::compile(&format!("{}'s invariants", manifest.name), &all_invariants, facts).map(Some),
    };
    if let Ok(Some(invariants)) = &invariants {
        errors.extend(unlisted(&place, &manifest, &invariant_sources, invariants));
    } else if invariants.is_ok() {
        errors.extend(manifest.invariants.iter().map(|id| lost(&place, id)));
    }
    match (pack, invariants) {
        (Ok(pack), Ok(invariants)) if errors.is_empty() => Ok(LoadedPack {
            own: own(&pack, &sources),
            place,
            manifest,
            pack,
            sources,
            base,
            layer,
            invariants: invariants.map(|all| without_inherited_permits(all, &invariant_sources)),
            invariant_sources: all_invariants,
            cases,
        }),
        (pack, invariants) => {
            errors.extend(pack.err().map(|error| error.errors).unwrap_or_default());
            errors.extend(invariants.err().map(|error| error.errors).unwrap_or_default());
            Err(errors)
        }
    }
}

/// What must be permitted is a promise of the pack that says so: a layer on it may tighten. What must
/// never be permitted holds for every layer.
fn without_inherited_permits(all: Pack, own: &[PolicySource]) -> Pack {
    let is_own = |path: &str| own.iter().any(|source| source.path == path);
    let inherited = all
        .policies()
        .iter()
        .filter(|policy| policy.effect == Effect::Permit && !is_own(&policy.path));
    let ids: Vec<String> = inherited.map(|policy| policy.id.clone()).collect();
    ids.iter().fold(all, |left, id| left.without(id))
}

fn own(pack: &Pack, sources: &[PolicySource]) -> BTreeSet<String> {
    let is_own = |path: &str| sources.iter().any(|source| source.path == path);
    let policies = pack.policies().iter().filter(|policy| is_own(&policy.path));
    policies.map(|policy| policy.id.clone()).collect()
}

/// The manifest; a folder of policies without one is a pack of its own, named after the folder.
fn manifest(place: &Place, facts: &FactTable) -> Result<PackManifest, Vec<SourceError>> {
    let Some(source) = place.read(MANIFEST).map_err(|error| vec![*error])? else {
        return Ok(PackManifest {
            name: place.name(),
            description: String::new(),
            extends: None,
            relaxes: Vec::new(),
            invariants: Vec::new(),
            minimum_facts: Vec::new(),
        });
    };
    let manifest: PackManifest = read_yaml(&source.path, &source.text).map_err(|error| vec![*error])?;
    let mut errors = Vec::new();
    if manifest.name.chars().any(char::is_control) {
        let message = "the pack's name holds a control character, expected plain text";
        errors.push(wrong(&source, "name", message).help("name it after its folder"));
    }
    if manifest.name.trim().is_empty() {
        errors.push(wrong(&source, "name", "the pack has no name, expected one").help("name it after its folder"));
    }
    for id in manifest.minimum_facts.iter().filter(|id| facts.row(id).is_none()) {
        let error = wrong(
            &source,
            id,
            &format!("`minimum_facts` lists `{id}`, but there is no such fact"),
        );
        errors.push(error.help("the facts are in docs/facts.md, or declared in the estate's `facts.d`"));
    }
    if manifest.extends.is_none()
        && let Some(entry) = manifest.relaxes.first()
    {
        let message = format!("`relaxes` lists `{}`, but the pack extends nothing", entry.policy);
        errors.push(wrong(&source, &entry.policy, &message).help("say what it extends, or drop `relaxes`"));
    }
    if errors.is_empty() { Ok(manifest) } else { Err(errors) }
}

fn inherited(
    place: &Place,
    name: &str,
    facts: &FactTable,
    above: &mut Vec<PathBuf>,
) -> Result<LoadedPack, Vec<SourceError>> {
    let refuse = |message: String, help: &str| {
        let error = match place.read(MANIFEST) {
            Ok(Some(source)) => wrong(&source, name, &message),
            _ => SourceError::new(place.label(MANIFEST), message),
        };
        vec![error.help(help)]
    };
    above.push(place.identity());
    let base = place.find_base(name).map_err(|error| {
        refuse(
            format!("`extends`: {error}"),
            &format!("shipped packs: {}", shipped().join(", ")),
        )
    })?;
    if above.contains(&base.identity()) {
        let message = match above.last() == Some(&base.identity()) {
            true => "the pack extends itself".to_owned(),
            false => format!("`extends: {name}` leads back to this pack"),
        };
        return Err(refuse(message, "name a pack that doesn't extend this one"));
    }
    if above.len() >= MAX_LAYERS {
        let message = format!("more than {MAX_LAYERS} packs extend each other");
        return Err(refuse(message, "put several layers into one pack"));
    }
    read(base, facts, above)
}

/// An error at the last place where a manifest says `word`.
fn wrong(source: &PolicySource, word: &str, message: &str) -> SourceError {
    let error = SourceError::new(&source.path, message);
    let place = source.text.lines().enumerate().filter_map(|(index, line)| {
        let at = line.find(word)?;
        Some((index + 1, line.get(..at)?.chars().count() + 1))
    });
    match place.last() {
        Some((line, column)) => error.at(&source.text, line, column),
        None => error,
    }
}

/// The error with its place, if it is about the manifest and says what word it is about.
fn in_manifest(place: &Place, error: &SourceError) -> SourceError {
    let word = error.message.split('`').nth(3);
    match (place.read(MANIFEST), word) {
        (Ok(Some(source)), Some(word)) if error.file() == source.path && error.position.is_none() => {
            let located = wrong(&source, word, &error.message);
            located.help(error.help.clone().unwrap_or_default())
        }
        _ => error.clone(),
    }
}

/// Where the manifest's list and the folder of invariants differ.
fn unlisted(place: &Place, manifest: &PackManifest, own: &[PolicySource], all: &Pack) -> Vec<SourceError> {
    let is_own = |path: &str| own.iter().any(|source| source.path == path);
    let there = all.policies().iter().filter(|invariant| is_own(&invariant.path));
    let there: BTreeSet<&str> = there.map(|invariant| invariant.id.as_str()).collect();
    let listed: BTreeSet<&str> = manifest.invariants.iter().map(String::as_str).collect();
    let missing = listed.difference(&there).map(|id| lost(place, id));
    let silent = there.difference(&listed).map(|id| {
        let message = format!("the invariant `{id}` isn't listed under `invariants:`");
        SourceError::new(place.label(MANIFEST), message).help("list it, so that it is missed when it is lost")
    });
    missing.chain(silent).collect()
}

fn lost(place: &Place, id: &str) -> SourceError {
    let message = format!("the invariant `{id}` is listed, but it isn't in `{INVARIANTS}/`");
    let error = match place.read(MANIFEST) {
        Ok(Some(source)) => wrong(&source, id, &message),
        _ => SourceError::new(place.label(MANIFEST), message),
    };
    error.help("put it back, or take it off the list")
}

/// The pack of the estate in `root`, with all its files.
///
/// # Errors
/// When the estate's config or the pack can't be used.
pub fn of_estate(root: &Path) -> Result<LoadedPack> {
    let text = read_text(root, CONFIG_FILE)?;
    let config = holdpoint_intake::estate::read_estate(CONFIG_FILE, &text)?;
    open(root, &config.policies, &facts_of_estate(root)?)
}
