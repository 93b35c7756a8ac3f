//! Which files of the repo use which.

use std::collections::BTreeSet;

use crate::facts::{DynamicKind, Place};
use crate::language::Language;
use crate::sources::Usage;

/// Who uses a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callers {
    /// Files that import it, or belong to its package; sorted, without itself.
    pub paths: Vec<String>,
    /// No other file of the repo can; otherwise these are the ones that are seen.
    pub complete: bool,
}

impl Usage {
    /// The files of the repo that import the module that `path` is, directly. Files of the same Go or Java package
    /// count, since they need no import. Incomplete when some source isn't known, loads modules by a computed
    /// name or by a path alias that isn't read, or when `path` isn't source that was read.
    #[must_use]
    pub fn callers(&self, path: &str) -> Callers {
        let Some((index, file)) = self
            .by_path
            .get(path)
            .and_then(|index| Some((*index, self.files.get(*index)?)))
        else {
            return Callers {
                paths: Vec::new(),
                complete: false,
            };
        };
        let language = file.language;
        let mut users: BTreeSet<usize> = self.importers.get(index).cloned().unwrap_or_default();
        match language {
            Language::Go => users.extend(self.modules.package(language, crate::modules::folder(path))),
            Language::Java => {
                users.extend(
                    self.modules
                        .package(language, file.facts.package.as_deref().unwrap_or_default()),
                );
            }
            _ => {}
        }
        users.remove(&index);
        let computed = self
            .files
            .iter()
            .filter(|other| other.language == language)
            .any(|other| {
                other
                    .facts
                    .dynamics
                    .iter()
                    .any(|dynamic| dynamic.kind == DynamicKind::Load)
            });
        let aliases = language == Language::JavaScript
            && self.other_texts.iter().any(|(path, text)| {
                let name = path.rsplit('/').next().unwrap_or(path);
                name.ends_with(".json") && name.contains("config") && text.contains("\"paths\"")
            });
        let named = self.is_named(path, language);
        Callers {
            paths: users
                .iter()
                .filter_map(|user| self.files.get(*user))
                .map(|user| user.path.clone())
                .collect(),
            complete: !computed && !aliases && !named && self.gaps(language).is_empty(),
        }
    }

    /// Whether a string or a setting names the module, so that something may load it by that name.
    fn is_named(&self, path: &str, language: Language) -> bool {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let dotted = match language {
            Language::Python => stem.strip_suffix("/__init__").unwrap_or(stem).replace('/', "."),
            Language::Java => match stem.split_once("src/main/java/") {
                Some((_, class)) => class.replace('/', "."),
                None => return false,
            },
            _ => return false,
        };
        let strings = self.files.iter().filter(|file| file.language == language);
        strings
            .flat_map(|file| &file.facts.strings)
            .any(|(text, _)| *text == dotted || text.starts_with(&format!("{dotted}.")))
    }

    /// Per file, the files with an import (or, in Rust, a path) that means it.
    pub(crate) fn find_importers(&self) -> Vec<BTreeSet<usize>> {
        let mut importers = vec![BTreeSet::new(); self.files.len()];
        let mut add = |user: usize, module: &str, names: &[String]| {
            let Some(source) = self.files.get(user) else { return };
            for (_, file) in self.modules.resolve(source.language, &source.path, module, names) {
                if let Some(users) = importers.get_mut(file).filter(|_| file != user) {
                    users.insert(user);
                }
            }
        };
        for (user, source) in self.files.iter().enumerate() {
            for import in &source.facts.imports {
                // Rust's and Java's paths name the member too; the longest part that is a file counts.
                add(user, &import.module, &[]);
                for bound in import.bound.iter().filter(|bound| !bound.members.is_empty()) {
                    add(user, &bound.module, &bound.members);
                }
            }
            if source.language == Language::Rust {
                let paths: BTreeSet<&[String]> = source
                    .facts
                    .uses
                    .iter()
                    .filter(|used| !used.chain.dotted && used.chain.names.len() > 1)
                    .map(|used| used.chain.names.as_slice())
                    .collect();
                for (root, rest) in paths.iter().filter_map(|path| path.split_first()) {
                    add(user, root, rest);
                }
            }
        }
        importers
    }

    /// The place of a byte in a file.
    pub(crate) fn place(&self, file: usize, spot: crate::facts::Spot) -> Place {
        let source = self.files.get(file);
        Place {
            path: source.map(|source| source.path.clone()).unwrap_or_default(),
            line: spot.line,
            function: source
                .and_then(|source| source.facts.enclosing(spot.offset))
                .map(|function| function.name.clone()),
        }
    }
}
