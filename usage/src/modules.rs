//! Which files of the repo a module path means. Where that isn't certain, more rather than fewer.

use std::collections::{BTreeSet, HashMap};

use crate::bounds::MAX_FACTS;
use crate::language::Language;
use crate::package::{Ecosystem, segments};

const JS_ENDINGS: &[&str] = &["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"];

/// First-party files by what they can be imported as.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    /// Path without ending (and without `/__init__`, `/index`, `/mod`) → files, by its last segment.
    by_last: HashMap<(Language, String), Vec<(String, usize)>>,
    /// Folder → Go files; dotted package → Java files.
    by_package: HashMap<(Language, String), Vec<usize>>,
    /// First-party packages: ecosystem, name, folder.
    own: Vec<(Ecosystem, String, String)>,
}

fn stem(path: &str, language: Language) -> &str {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let index = match language {
        Language::Python => "__init__",
        Language::JavaScript => "index",
        Language::Rust => "mod",
        Language::Go | Language::Java => return stem,
    };
    stem.strip_suffix(index)
        .and_then(|folder| folder.strip_suffix('/'))
        .unwrap_or(stem)
}

/// The folder of a path; empty for the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Joins a relative path to a folder; `None` when it leaves the repo.
fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl Modules {
    pub fn of<'a>(
        files: impl Iterator<Item = ((&'a str, Language), Option<&'a str>)>,
        own: &[(Ecosystem, String, String)],
    ) -> Self {
        let mut modules = Self {
            own: own.to_vec(),
            ..Self::default()
        };
        for (index, ((path, language), package)) in files.enumerate() {
            let stem = stem(path, language);
            let last = stem.rsplit('/').next().unwrap_or(stem);
            modules
                .by_last
                .entry((language, last.to_owned()))
                .or_default()
                .push((stem.to_owned(), index));
            let key = match language {
                Language::Go => folder(path).to_owned(),
                Language::Java => package.unwrap_or_default().to_owned(),
                _ => continue,
            };
            modules.by_package.entry((language, key)).or_default().push(index);
        }
        modules
    }

    /// Files whose stem ends in `path` at a `/`.
    fn ending_in(&self, language: Language, path: &str) -> Vec<usize> {
        let last = path.rsplit('/').next().unwrap_or(path);
        let found = self.by_last.get(&(language, last.to_owned()));
        let fits = |stem: &str| {
            stem.strip_suffix(path)
                .is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        found
            .into_iter()
            .flatten()
            .filter(|(stem, _)| fits(stem))
            .map(|(_, index)| *index)
            .collect()
    }

    /// Files with exactly this stem.
    fn exactly(&self, language: Language, path: &str) -> Vec<usize> {
        let last = path.rsplit('/').next().unwrap_or(path);
        let found = self.by_last.get(&(language, last.to_owned()));
        found
            .into_iter()
            .flatten()
            .filter(|(stem, _)| stem == path)
            .map(|(_, index)| *index)
            .collect()
    }

    /// Files of a package: a Go folder, a dotted Java package.
    pub fn package(&self, language: Language, key: &str) -> &[usize] {
        self.by_package
            .get(&(language, key.to_owned()))
            .map_or(&[], Vec::as_slice)
    }

    fn own_folder(&self, ecosystem: Ecosystem, name: &str) -> Option<&str> {
        self.own
            .iter()
            .find(|(of, own, _)| *of == ecosystem && own == name)
            .map(|(_, _, folder)| folder.as_str())
    }

    /// The longest part of a module path (and what is taken from it) that means files of the repo: how many
    /// names of `names` it took, and the files.
    pub fn resolve(&self, language: Language, from: &str, module: &str, names: &[String]) -> Vec<(usize, usize)> {
        let found = match language {
            Language::Python => self.python(from, module, names),
            Language::JavaScript => self.javascript(from, module),
            Language::Rust => self.rust(from, module, names),
            Language::Go => self.go(module),
            Language::Java => self.java(module, names),
        };
        let unique: BTreeSet<(usize, usize)> = found.into_iter().take(MAX_FACTS).collect();
        unique.into_iter().collect()
    }

    /// Every prefix counts: importing `a.b` runs `a/__init__.py` too, and `from a import b` may mean `a/b.py`.
    fn python(&self, from: &str, module: &str, names: &[String]) -> Vec<(usize, usize)> {
        let level = module.chars().take_while(|c| *c == '.').count();
        let rest = module.get(level..).unwrap_or_default().replace('.', "/");
        let mut found = Vec::new();
        let mut path = rest.clone();
        for taken in 0..=names.len() {
            if let Some(name) = taken.checked_sub(1).and_then(|index| names.get(index)) {
                path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}/{name}")
                };
            }
            let files = if level > 0 {
                let up = "../".repeat(level - 1);
                join(folder(from), &format!("{up}{path}")).map(|path| self.exactly(Language::Python, &path))
            } else {
                (!path.is_empty()).then(|| self.ending_in(Language::Python, &path))
            };
            found.extend(files.into_iter().flatten().map(|file| (taken, file)));
        }
        let mut prefix = rest.as_str();
        while let Some((shorter, _)) = prefix.rsplit_once('/') {
            if level == 0 {
                let files = self.ending_in(Language::Python, shorter);
                found.extend(files.into_iter().map(|file| (0, file)));
            }
            prefix = shorter;
        }
        found
    }

    fn javascript(&self, from: &str, module: &str) -> Vec<(usize, usize)> {
        let module = module.split(['?', '!']).next().unwrap_or(module);
        let without = module
            .rsplit_once('.')
            .filter(|(_, ending)| JS_ENDINGS.contains(ending))
            .map_or(module, |(stem, _)| stem);
        let without = without.strip_suffix("/index").unwrap_or(without);
        let mut files = Vec::new();
        if module.starts_with('.') {
            if let Some(path) = join(folder(from), without) {
                files.extend(self.exactly(Language::JavaScript, &path));
                if path.is_empty() {
                    files.extend(self.exactly(Language::JavaScript, "index"));
                }
            }
        } else {
            // A path alias (`@/x`, `~/x`, `src/x`) of a bundler.
            // `@scope/name` is a package.
            let scoped = without.starts_with('@') && !without.starts_with("@/");
            let alias = without.trim_start_matches(['@', '~', '#', '/']);
            if !scoped && (alias.contains('/') || alias.len() != without.len()) {
                files.extend(self.ending_in(Language::JavaScript, alias));
                let below = alias.split_once('/').filter(|_| without.starts_with(['@', '~', '#']));
                files.extend(
                    below
                        .map(|(_, rest)| self.ending_in(Language::JavaScript, rest))
                        .unwrap_or_default(),
                );
            }
            // A package of the same workspace: any of its files may be its entry.
            for (_, _, folder) in self.own.iter().filter(|(of, name, folder)| {
                *of == Ecosystem::Npm
                    && !folder.is_empty()
                    && (module == name || module.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
            }) {
                let inside = |stem: &String| {
                    stem.strip_prefix(folder)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                for ((_, _), list) in self
                    .by_last
                    .iter()
                    .filter(|((language, _), _)| *language == Language::JavaScript)
                {
                    files.extend(list.iter().filter(|(stem, _)| inside(stem)).map(|(_, index)| *index));
                }
            }
        }
        files.into_iter().map(|file| (0, file)).collect()
    }

    fn rust(&self, from: &str, module: &str, names: &[String]) -> Vec<(usize, usize)> {
        if let Some(path) = module.strip_prefix("path:") {
            let path = join(folder(from), path).unwrap_or_default();
            let stem = stem(&path, Language::Rust);
            return self
                .exactly(Language::Rust, stem)
                .into_iter()
                .map(|file| (0, file))
                .collect();
        }
        let module = segments(Language::Rust, module);
        let mut path: Vec<&str> = module.iter().chain(names).map(String::as_str).collect();
        let own = stem(from, Language::Rust);
        let mut inside = if matches!(own.rsplit('/').next(), Some("lib" | "main")) {
            folder(own)
        } else {
            own
        };
        let mut keywords = 0;
        let first = path.first().copied().unwrap_or_default();
        let base: Option<String>;
        if first == "crate" {
            keywords = 1;
            let root = from.rfind("src/").and_then(|at| from.get(..at + 3));
            base = Some(root.unwrap_or_default().to_owned());
        } else if let Some(folder) = self.own_folder(Ecosystem::Cargo, first) {
            keywords = 1;
            base = Some(join(folder, "src").unwrap_or_default());
        } else {
            while let Some(word @ ("self" | "super")) = path.get(keywords).copied() {
                if word == "super" {
                    inside = folder(inside);
                }
                keywords += 1;
            }
            // A path without a keyword may start at a module that this file declares.
            base = Some(inside.to_owned());
        }
        let base = base.unwrap_or_default();
        let rest = path.split_off(keywords.min(path.len()));
        let before = module.len();
        let mut found = Vec::new();
        // A path without a keyword isn't this file itself.
        let least = usize::from(keywords == 0);
        for taken in (least..=rest.len()).rev() {
            let tail = rest.get(..taken).unwrap_or_default().join("/");
            let stem = join(&base, &tail).unwrap_or_default();
            let mut files = self.exactly(Language::Rust, &stem);
            if taken == 0 && keywords > 0 {
                for root in ["lib", "main"] {
                    files.extend(self.exactly(Language::Rust, &join(&stem, root).unwrap_or_default()));
                }
            }
            let of_names = (keywords + taken).saturating_sub(before);
            found.extend(files.into_iter().map(|file| (of_names, file)));
            if !found.is_empty() {
                break;
            }
        }
        found
    }

    fn go(&self, module: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<usize> = Vec::new();
        for (_, name, folder) in self.own.iter().filter(|(of, _, _)| *of == Ecosystem::Golang) {
            let rest = module.strip_prefix(name.as_str());
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                let path = join(folder, rest).unwrap_or_default();
                found.extend(self.package(Language::Go, &path));
            }
        }
        if found.is_empty() && !self.own.iter().any(|(of, _, _)| *of == Ecosystem::Golang) {
            // Without a `go.mod`, the longest end of the path that is a folder.
            let mut rest = module;
            while let Some((_, shorter)) = rest.split_once('/') {
                let files = self.package(Language::Go, shorter);
                if !files.is_empty() {
                    found.extend(files);
                    break;
                }
                rest = shorter;
            }
        }
        found.into_iter().map(|file| (0, file)).collect()
    }

    fn java(&self, module: &str, names: &[String]) -> Vec<(usize, usize)> {
        let mut path = segments(Language::Java, module);
        let before = path.len();
        path.extend(names.iter().cloned());
        for taken in (1..=path.len()).rev() {
            let part = path.get(..taken).unwrap_or_default();
            let files = self.ending_in(Language::Java, &part.join("/"));
            if !files.is_empty() && taken > 1 {
                let of_names = taken.saturating_sub(before);
                return files.into_iter().map(|file| (of_names, file)).collect();
            }
            let files = self.package(Language::Java, &part.join("."));
            if !files.is_empty() && taken == before {
                return files.iter().map(|file| (0, *file)).collect();
            }
        }
        Vec::new()
    }
}
