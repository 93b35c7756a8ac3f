//! The pack that something is written into: on disk, or about to be.

use anyhow::Result;
use holdpoint_engine::policy::{Effect, Pack, PolicySource};
use holdpoint_intake::estate::read_yaml;
use holdpoint_schemas::SourceError;
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::pack::{PackManifest, Relaxation};
use std::path::{Path, PathBuf};

use super::files::NewFile;
use super::yaml::{quoted, scalar};
use crate::failure::BadInput;
use crate::pipeline::packs::{self, CASES, LoadedPack, MANIFEST, Place};

/// A pack's folder with what is in it.
#[derive(Debug)]
pub struct Workspace {
    folder: PathBuf,
    label: String,
    manifest: PackManifest,
    /// Text of `pack.yaml`; `None` while there is none.
    manifest_text: Option<String>,
    sources: Vec<PolicySource>,
    base: Option<Box<LoadedPack>>,
    facts: FactTable,
}

impl Workspace {
    /// The pack in the folder `folder`, or a new one there; `extends` names the pack that a new one
    /// is a layer on.
    ///
    /// # Errors
    /// When something in it is wrong, or `extends` isn't what it says already.
    pub fn open(folder: &str, extends: Option<&str>, facts: FactTable) -> Result<Self> {
        let path = Path::new(folder);
        if path.exists() && !path.is_dir() {
            return Err(BadInput::new(format!("`{folder}` isn't a folder"), "name a pack's folder").into());
        }
        let place = Place::Folder {
            path: path.to_owned(),
            label: folder.trim_end_matches('/').to_owned(),
        };
        let manifest_source = place.read(MANIFEST)?;
        let (sources, errors) = place.files("", &["cedar"]);
        if let Some(error) = errors.into_iter().next() {
            return Err(error.into());
        }
        let manifest = match &manifest_source {
            Some(source) => read_yaml(&source.path, &source.text)?,
            None => new_manifest(path, extends),
        };
        if let (Some(wanted), Some(_)) = (extends, &manifest_source)
            && manifest.extends.as_deref() != Some(wanted)
        {
            return Err(BadInput::new(
                format!("`{}` doesn't extend `{wanted}`", place.label(MANIFEST)),
                "leave `--extends` out for a pack that is there, or edit its `pack.yaml`",
            )
            .into());
        }
        let base = match &manifest.extends {
            Some(name) => Some(Box::new(packs::open(path, name, &facts)?)),
            None => None,
        };
        let workspace = Self {
            folder: path.to_owned(),
            label: folder.trim_end_matches('/').to_owned(),
            manifest,
            manifest_text: manifest_source.map(|source| source.text),
            sources,
            base,
            facts,
        };
        if !workspace.sources.is_empty() || (workspace.base.is_some() && workspace.manifest_text.is_some()) {
            workspace.compile(&[], None)?;
        }
        Ok(workspace)
    }

    /// Whether it has cases of its own.
    pub(super) fn has_cases(&self) -> bool {
        let listing = std::fs::read_dir(self.folder.join(CASES));
        listing.is_ok_and(|mut files| files.next().is_some())
    }

    /// The facts that its policies may read.
    pub fn facts(&self) -> &FactTable {
        &self.facts
    }

    /// The same with more facts.
    pub(super) fn with_facts(mut self, facts: FactTable) -> Result<Self> {
        if let (Some(base), Some(name)) = (&mut self.base, &self.manifest.extends) {
            **base = packs::open(&self.folder, name, &facts)?;
        }
        self.facts = facts;
        Ok(self)
    }

    /// The pack that it extends.
    pub fn base(&self) -> Option<&LoadedPack> {
        self.base.as_deref()
    }

    /// Whether policies of its own or inherited ones permit something.
    pub(super) fn permits(&self) -> Result<bool> {
        if self.is_empty() {
            return Ok(false);
        }
        let pack = self.compile(&[], None)?;
        Ok(pack.policies().iter().any(|policy| policy.effect == Effect::Permit))
    }

    /// Whether it has no policies, inherited ones included.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.base.is_none()
    }

    /// The pack with some more policies, and one thing more that it loosens.
    ///
    /// # Errors
    /// Whatever is wrong with them.
    pub(super) fn compile(&self, more: &[PolicySource], relaxes: Option<&Relaxation>) -> Result<Pack> {
        let sources: Vec<PolicySource> = self.sources.iter().chain(more).cloned().collect();
        let manifest = PackManifest {
            relaxes: self.manifest.relaxes.iter().chain(relaxes).cloned().collect(),
            ..self.manifest.clone()
        };
        Ok(match &self.base {
            Some(base) => base.pack.layer(&manifest, &self.label(MANIFEST), &sources)?.pack,
            None => Pack::compile(&manifest.name, &sources, &self.facts)?,
        })
    }

    /// How messages call a file of it.
    pub(super) fn label(&self, file: &str) -> String {
        format!("{}/{file}", self.label)
    }

    /// A new file of it.
    pub(super) fn file(&self, name: &str, text: String) -> NewFile {
        NewFile {
            path: self.folder.join(name),
            label: self.label(name),
            text,
        }
    }

    /// Where an inherited policy lies, with its text: the nearest layer's.
    pub(super) fn inherited_source(&self, id: &str) -> Option<&PolicySource> {
        let mut layer = self.base();
        while let Some(pack) = layer {
            if pack.own.contains(id) {
                let path = &pack.pack.policy(id)?.path;
                return pack.sources.iter().find(|source| source.path == *path);
            }
            layer = pack.base.as_deref();
        }
        None
    }

    /// `pack.yaml` as it must be: new, or with one thing more that the pack loosens; `None` where it
    /// can stay. The flag says whether it is new.
    ///
    /// # Errors
    /// When an entry can't be added to the file as it is written.
    pub(super) fn manifest_file(&self, relaxes: Option<&Relaxation>) -> Result<Option<(NewFile, bool)>> {
        let (text, is_new) = match &self.manifest_text {
            Some(text) => (text.clone(), false),
            None => (self.new_manifest_text(), true),
        };
        let Some(entry) = relaxes else {
            return Ok(is_new.then(|| (self.file(MANIFEST, text), true)));
        };
        let text = with_relaxation(&text, &self.manifest, entry).ok_or_else(|| {
            let added = relaxation(entry, "  ");
            SourceError::new(self.label(MANIFEST), "can't be extended as it is written")
                .help(format!("add this to it, under `relaxes:`\n{added}"))
        })?;
        Ok(Some((self.file(MANIFEST, text), is_new)))
    }

    fn new_manifest_text(&self) -> String {
        let PackManifest {
            name,
            description,
            extends,
            ..
        } = &self.manifest;
        let mut text = format!("name: {}\ndescription: {}\n", scalar(name), scalar(description));
        if let Some(extends) = extends {
            text.push_str(&format!("extends: {}\n", scalar(extends)));
        }
        text
    }
}

fn new_manifest(folder: &Path, extends: Option<&str>) -> PackManifest {
    // The folder may not be there yet, and may be named as `.`.
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = absolute
        .file_name()
        .map_or_else(|| "pack".to_owned(), |name| name.to_string_lossy().into_owned());
    PackManifest {
        description: match extends {
            Some(base) => format!("Rules of our own on top of {base}"),
            None => "Rules of our own".to_owned(),
        },
        name,
        extends: extends.map(str::to_owned),
        relaxes: Vec::new(),
        invariants: Vec::new(),
        minimum_facts: Vec::new(),
    }
}

fn relaxation(entry: &Relaxation, indent: &str) -> String {
    format!(
        "{indent}- policy: {}\n{indent}  reason: {}\n",
        scalar(&entry.policy),
        quoted(&entry.reason)
    )
}

/// A manifest's text with one entry more under `relaxes`; `None` if that isn't sure to say just this.
fn with_relaxation(text: &str, manifest: &PackManifest, entry: &Relaxation) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match lines.iter().position(|line| line.trim_end() == "relaxes:") {
        None => lines.push(format!("relaxes:\n{}", relaxation(entry, "  ").trim_end())),
        Some(at) => {
            let first = lines.get(at + 1)?;
            let indent: String = first.chars().take_while(|c| *c == ' ').collect();
            lines.insert(at + 1, relaxation(entry, &indent).trim_end().to_owned());
        }
    }
    let text = lines.join("\n") + "\n";
    let read: PackManifest = read_yaml(MANIFEST, &text).ok()?;
    let by_id = |mut entries: Vec<Relaxation>| {
        entries.sort_by(|a, b| a.policy.cmp(&b.policy));
        entries
    };
    let wanted = manifest.relaxes.iter().chain([entry]).cloned().collect();
    let as_wanted = by_id(read.relaxes.clone()) == by_id(wanted)
        && PackManifest {
            relaxes: manifest.relaxes.clone(),
            ..read
        } == *manifest;
    as_wanted.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extended(text: &str) -> Option<String> {
        let manifest: PackManifest = read_yaml(MANIFEST, text).unwrap();
        let entry = Relaxation {
            policy: "late".to_owned(),
            reason: "why: \"so\"".to_owned(),
        };
        with_relaxation(text, &manifest, &entry)
    }

    #[test]
    fn an_entry_is_added_and_comments_stay() {
        let text = "name: a # mine\ndescription: b\nextends: baseline\n";
        assert_eq!(
            extended(text).unwrap(),
            format!("{text}relaxes:\n  - policy: late\n    reason: \"why: \\\"so\\\"\"\n")
        );
        let more =
            extended("name: a\ndescription: b\nextends: c\nrelaxes:\n- policy: x\n  reason: y\ninvariants: []\n");
        assert!(
            more.unwrap()
                .contains("relaxes:\n- policy: late\n  reason: \"why: \\\"so\\\"\"\n- policy: x\n")
        );
    }

    #[test]
    fn a_list_that_is_written_otherwise_is_left_alone() {
        let text = "name: a\ndescription: b\nextends: c\nrelaxes: [{policy: x, reason: y}]\n";
        assert_eq!(extended(text), None);
    }
}
