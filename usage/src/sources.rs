//! The source of one repo, read once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::bounds::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
use crate::facts::{Dynamic, FileFacts};
use crate::language::{self, Language};
use crate::manifest::Manifests;
use crate::modules::Modules;
use crate::walk;

/// A file of the repo, as the caller read it.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Path from the repo's root, with `/`.
    pub path: &'a str,
    /// Content; `None` for a file that is there but wasn't read (too large, not UTF-8, a link).
    pub text: Option<&'a str>,
}

/// A source file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    pub path: String,
    pub language: Language,
    pub facts: FileFacts,
    pub is_test: bool,
    /// Imports and aliases by the local name that they bind.
    pub imports_by_name: HashMap<String, Vec<(usize, usize)>>,
    pub aliases_by_name: HashMap<String, Vec<usize>>,
    pub shadows_by_name: HashMap<String, Vec<usize>>,
}

/// What the source text of one repo uses.
///
/// Built from text alone: [`Usage::of`] does no I/O, and its cost is bounded by the number and size of the files.
#[derive(Debug)]
pub struct Usage {
    pub(crate) files: Vec<Source>,
    pub(crate) by_path: HashMap<String, usize>,
    pub(crate) manifests: Manifests,
    pub(crate) modules: Modules,
    /// Per file, its imports of every name: which one, and the files of the repo that it means.
    pub(crate) stars: Vec<Vec<(usize, Vec<usize>)>>,
    /// Per file, the files that import it.
    pub(crate) importers: Vec<BTreeSet<usize>>,
    /// Uses that call something, by the last name of their chain.
    pub(crate) calls_by_name: HashMap<String, Vec<(usize, usize)>>,
    /// Per language, why not all of its source is known.
    pub(crate) gaps: BTreeMap<Language, BTreeSet<String>>,
    /// Other text files: settings, scripts, container files.
    pub(crate) other_texts: Vec<(String, String)>,
    /// Why not even the list of files is whole.
    pub(crate) cut_off: Option<String>,
    /// Per file, uses of reflective gateways that aren't understood.
    pub(crate) gateways: Vec<Vec<Dynamic>>,
}

const ALL: [Language; 5] = [
    Language::Python,
    Language::JavaScript,
    Language::Rust,
    Language::Go,
    Language::Java,
];

/// Endings of files that are no text in which a package could be named.
const NO_TEXT: &[&str] = &[
    "md", "rst", "txt", "svg", "png", "jpg", "jpeg", "gif", "ico", "pdf", "csv", "tsv", "lock", "sum", "css", "scss",
    "woff", "woff2", "map", "zip", "gz", "adoc", "po", "pot", "webp", "avif", "bmp", "tif", "tiff", "psd", "ttf",
    "otf", "eot", "mp3", "mp4", "webm", "wav", "ogg", "docx", "xlsx", "pptx", "parquet", "sqlite", "db", "pyc", "sig",
    "asc", "pem", "crt",
];

impl Usage {
    /// Reads all files of a repo: sources, manifests, lockfiles, and the other text files (container files,
    /// scripts, settings), in which a package can be named without being imported. Hand over every tracked file;
    /// what isn't handed over isn't known. Paths are relative to the repo's root, with `/`.
    #[must_use]
    pub fn of<'a>(files: impl IntoIterator<Item = SourceFile<'a>>) -> Self {
        let mut usage = Self {
            files: Vec::new(),
            by_path: HashMap::new(),
            manifests: Manifests::default(),
            modules: Modules::default(),
            stars: Vec::new(),
            importers: Vec::new(),
            calls_by_name: HashMap::new(),
            gaps: BTreeMap::new(),
            other_texts: Vec::new(),
            cut_off: None,
            gateways: Vec::new(),
        };
        let mut bytes = 0usize;
        for (index, file) in files.into_iter().enumerate() {
            bytes = bytes.saturating_add(file.text.map_or(0, str::len).min(MAX_FILE_BYTES));
            if index >= MAX_FILES || bytes > MAX_TOTAL_BYTES {
                usage.cut_off = Some(format!("more than {MAX_FILES} files or {MAX_TOTAL_BYTES} bytes"));
                break;
            }
            usage.add(file);
        }
        let packages = usage.files.iter().map(|file| file.facts.package.as_deref());
        let paths = usage
            .files
            .iter()
            .map(|file| (file.path.as_str(), file.language))
            .zip(packages);
        usage.modules = Modules::of(paths, &usage.manifests.own);
        usage.stars = usage.files.iter().map(|file| usage.find_stars(file)).collect();
        usage.importers = usage.find_importers();
        usage.gateways = (0..usage.files.len())
            .map(|file| {
                if usage.only_for_tests(file) {
                    Vec::new()
                } else {
                    usage.gateways(file)
                }
            })
            .collect();
        for (file, source) in usage.files.iter().enumerate() {
            for (index, used) in source.facts.uses.iter().enumerate().filter(|(_, used)| used.called) {
                if let Some(name) = used.chain.names.last() {
                    usage.calls_by_name.entry(name.clone()).or_default().push((file, index));
                }
            }
        }
        usage
    }

    fn find_stars(&self, file: &Source) -> Vec<(usize, Vec<usize>)> {
        let stars = file
            .facts
            .imports
            .iter()
            .enumerate()
            .filter(|(_, import)| import.star && !import.type_only);
        stars
            .map(|(index, import)| {
                let files = self.modules.resolve(file.language, &file.path, &import.module, &[]);
                (index, files.into_iter().map(|(_, file)| file).collect())
            })
            .collect()
    }

    fn gap(&mut self, language: Language, why: String) {
        let gaps = self.gaps.entry(language).or_default();
        // The first few are enough to say why.
        if gaps.len() < 20 {
            gaps.insert(why);
        }
    }

    fn add(&mut self, file: SourceFile<'_>) {
        let path = file.path;
        if language::vendored(path) {
            let (of, unread) = (
                language::of_path(path).map(|(language, _)| language),
                language::unread(path),
            );
            if let Some(language) = of.or(unread) {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                self.gap(language, format!("others' code in `{folder}` isn't read"));
            }
            return;
        }
        let page = path.ends_with(".html") || path.ends_with(".htm");
        let plain_page = page && file.text.is_some_and(|text| !text.contains("<script"));
        if let Some(language) = language::unread(path).filter(|_| !plain_page) {
            self.gap(language, format!("`{path}` is of a kind that isn't read"));
        }
        let known = language::of_path(path);
        let Some(text) = file.text else {
            match known {
                Some((language, _)) => self.gap(language, format!("`{path}` wasn't read")),
                // Nobody knows what it holds.
                None => ALL.into_iter().for_each(|language| self.unread_other(language, path)),
            }
            return;
        };
        let Some((language, grammar)) = known else {
            self.other(path, text);
            return;
        };
        if language::only_types(path) {
            return;
        }
        let facts = if text.len() > MAX_FILE_BYTES {
            FileFacts {
                incomplete: Some(format!("more than {MAX_FILE_BYTES} bytes")),
                ..FileFacts::default()
            }
        } else {
            walk::read(grammar, &language::as_it_is_run(language, text))
        };
        let facts = FileFacts {
            incomplete: facts.incomplete.or_else(|| language::other_encoding(language, text)),
            ..facts
        };
        if let Some(why) = &facts.incomplete {
            self.gap(language, format!("`{path}`: {why}"));
        }
        let mut imports_by_name: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for (import_index, import) in facts.imports.iter().enumerate().filter(|(_, import)| !import.type_only) {
            for (bound_index, bound) in import.bound.iter().enumerate() {
                imports_by_name
                    .entry(bound.local.clone())
                    .or_default()
                    .push((import_index, bound_index));
            }
        }
        let mut aliases_by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, alias) in facts.aliases.iter().enumerate() {
            aliases_by_name.entry(alias.local.clone()).or_default().push(index);
        }
        let mut shadows_by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, (name, _)) in facts.shadows.iter().enumerate() {
            shadows_by_name.entry(name.clone()).or_default().push(index);
        }
        let is_test = language::is_test(path);
        let path = path.to_owned();
        self.by_path.insert(path.clone(), self.files.len());
        self.files.push(Source {
            path,
            language,
            facts,
            is_test,
            imports_by_name,
            aliases_by_name,
            shadows_by_name,
        });
    }

    fn unread_other(&mut self, language: Language, path: &str) {
        let ending = path.rsplit('.').next().unwrap_or_default();
        if !NO_TEXT.contains(&ending) {
            self.gap(language, format!("`{path}` wasn't read"));
        }
    }

    /// A manifest, or a text in which a package could be named.
    fn other(&mut self, path: &str, text: &str) {
        let ending = path.rsplit('.').next().unwrap_or_default();
        let has_ending = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
        if self.manifests.read(path, text) || (has_ending && NO_TEXT.contains(&ending)) {
            return;
        }
        if text.len() > MAX_FILE_BYTES {
            ALL.into_iter().for_each(|language| self.unread_other(language, path));
        } else {
            // A script can hold code of any language.
            let script = text.lines().next().filter(|line| line.starts_with("#!"));
            for (word, language) in [("python", Language::Python), ("node", Language::JavaScript)] {
                if !has_ending && script.is_some_and(|line| line.contains(word)) {
                    self.gap(
                        language,
                        format!("`{path}` is a script without an ending, and isn't read"),
                    );
                }
            }
            self.other_texts.push((path.to_owned(), text.to_owned()));
        }
    }

    /// How many source files were read, per language.
    #[must_use]
    pub fn file_counts(&self) -> BTreeMap<Language, usize> {
        let mut counts = BTreeMap::new();
        for file in &self.files {
            *counts.entry(file.language).or_default() += 1;
        }
        counts
    }

    /// Why not all source of a language is known; empty when it is.
    #[must_use]
    pub fn gaps(&self, language: Language) -> Vec<String> {
        let gaps = self.gaps.get(&language).into_iter().flatten().cloned();
        gaps.chain(self.cut_off.clone()).collect()
    }
}
