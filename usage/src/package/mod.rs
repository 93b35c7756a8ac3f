//! Packages, under the names by which source text knows them.

mod python_names;
mod symbol;

use serde::{Deserialize, Serialize};

use crate::language::Language;
pub(crate) use python_names::loaded_by_others;
pub(crate) use symbol::{Match, Symbol, SymbolKind};

/// Where packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Python distributions.
    Pypi,
    /// npm packages.
    Npm,
    /// Rust crates.
    Cargo,
    /// Go modules.
    Golang,
    /// Maven artifacts, named `group:artifact`.
    Maven,
}

impl Ecosystem {
    /// The ecosystem of a package URL's type (purl-spec).
    #[must_use]
    pub fn of_purl_type(kind: &str) -> Option<Self> {
        match kind {
            "pypi" => Some(Self::Pypi),
            "npm" => Some(Self::Npm),
            "cargo" => Some(Self::Cargo),
            "golang" => Some(Self::Golang),
            "maven" => Some(Self::Maven),
            _ => None,
        }
    }

    /// The language whose source uses its packages.
    #[must_use]
    pub const fn language(self) -> Language {
        match self {
            Self::Pypi => Language::Python,
            Self::Npm => Language::JavaScript,
            Self::Cargo => Language::Rust,
            Self::Golang => Language::Go,
            Self::Maven => Language::Java,
        }
    }
}

/// A dependency that is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name there: `PyYAML`, `@babel/core`, `serde_json`, `golang.org/x/text`, `org.yaml:snakeyaml`.
    pub name: String,
    /// Names under which source imports it, where somebody knows them for certain: the lines of a wheel's
    /// `top_level.txt`, or the packages of a jar. Empty where they are to be found out.
    #[serde(default)]
    pub import_names: Vec<String>,
    /// Whether other dependencies can load it too, where somebody knows; otherwise lockfiles are asked.
    #[serde(default)]
    pub used_by_others: Option<bool>,
}

impl Package {
    /// A package of which only the name is known.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            import_names: Vec::new(),
            used_by_others: None,
        }
    }

    /// The package of a package URL (purl-spec): version, qualifiers and subpath are left out. `None` for other
    /// types of packages and for what isn't a package URL.
    #[must_use]
    pub fn of_purl(purl: &str) -> Option<Self> {
        let rest = purl.strip_prefix("pkg:")?.trim_start_matches('/');
        let (kind, rest) = rest.split_once('/')?;
        let rest = rest.split(['?', '#']).next()?;
        // The `@` of a version comes after the last `/`; that of an npm scope is at the start.
        let rest = match rest.rfind('@') {
            Some(at) if at > 0 && !rest.get(at..)?.contains('/') => rest.get(..at)?,
            _ => rest,
        };
        let name = rest.replace("%40", "@").replace("%2F", "/").replace("%2f", "/");
        let ecosystem = Ecosystem::of_purl_type(kind)?;
        let name = if ecosystem == Ecosystem::Maven {
            name.replacen('/', ":", 1)
        } else {
            name
        };
        (!name.is_empty()).then(|| Self::new(ecosystem, name))
    }

    /// Whether two names are the same package's (PEP 503, and Cargo's `-` and `_`).
    #[must_use]
    pub fn same(&self, name: &str) -> bool {
        normalised(self.ecosystem, &self.name) == normalised(self.ecosystem, name)
    }
}

/// A package's name as its ecosystem compares it.
pub(crate) fn normalised(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::Pypi => {
            let mut normal = String::new();
            for c in name.to_lowercase().chars() {
                let c = if matches!(c, '_' | '.') { '-' } else { c };
                if !(c == '-' && normal.ends_with('-')) {
                    normal.push(c);
                }
            }
            normal
        }
        Ecosystem::Cargo => name.replace('-', "_"),
        _ => name.to_owned(),
    }
}

/// Names under which a package is imported, each as path segments.
#[derive(Debug, Clone)]
pub(crate) struct ImportNames {
    pub roots: Vec<Vec<String>>,
    /// These are all its names; otherwise it may have others.
    pub known: bool,
}

/// Splits a module path of a language into its segments.
pub(crate) fn segments(language: Language, module: &str) -> Vec<String> {
    let parts: Vec<&str> = match language {
        Language::Python | Language::Java => module.split('.').collect(),
        Language::Rust => module.split("::").collect(),
        Language::JavaScript | Language::Go => module.split('/').collect(),
    };
    parts.into_iter().map(str::to_owned).collect()
}

impl ImportNames {
    /// Names of a package, with the renames that manifests declare and the hints in an advisory's symbols.
    pub fn of(package: &Package, renames: &[String], symbols: &[String]) -> Self {
        let language = package.ecosystem.language();
        let mut names = package.import_names.clone();
        let mut known = !names.is_empty();
        match package.ecosystem {
            Ecosystem::Pypi => {
                let normal = normalised(Ecosystem::Pypi, &package.name);
                if let Some(table) = python_names::lookup(&normal) {
                    names.extend(table.iter().map(|name| (*name).to_owned()));
                    known = true;
                } else {
                    names.push(normal.replace('-', "_"));
                    names.push(package.name.clone());
                    names.push(normal.replace('-', "."));
                    for affix in ["python-", "py-", "py"] {
                        names.extend(normal.strip_prefix(affix).map(|rest| rest.replace('-', "_")));
                    }
                    names.extend(normal.strip_suffix("-python").map(|rest| rest.replace('-', "_")));
                    let roots = symbols.iter().filter_map(|symbol| symbol.split_once('.'));
                    names.extend(roots.map(|(root, _)| root.to_owned()));
                }
            }
            Ecosystem::Npm => {
                names.push(package.name.clone());
                known = true;
            }
            Ecosystem::Cargo => {
                // A crate's library may have another name than the crate; Cargo's default is this one.
                names.push(package.name.replace('-', "_"));
                known = true;
            }
            Ecosystem::Golang => {
                names.push(package.name.clone());
                if package.name == "stdlib" {
                    let paths = symbols.iter().filter_map(|symbol| symbol.rsplit_once('.'));
                    names.extend(paths.map(|(path, _)| path.to_owned()));
                }
                known = true;
            }
            Ecosystem::Maven => {
                names.extend(package.name.split(':').next().map(str::to_owned));
                for symbol in symbols {
                    let lower = |part: &&str| part.starts_with(|c: char| c.is_lowercase());
                    let path: Vec<&str> = symbol.split(['.', '#', ':']).take_while(lower).collect();
                    if path.len() > 1 && path.len() < symbol.split(['.', '#', ':']).count() {
                        names.push(path.join("."));
                    }
                }
            }
        }
        names.extend(renames.iter().cloned());
        names.sort();
        names.dedup();
        let roots = names
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| segments(language, name))
            .collect();
        Self { roots, known }
    }

    /// What comes after the package's name in a path; `None` when it is another package's.
    pub fn within(&self, path: &[String]) -> Option<Vec<String>> {
        self.roots
            .iter()
            .filter(|root| path.starts_with(root))
            .max_by_key(|root| root.len())
            .and_then(|root| path.get(root.len()..))
            .map(<[String]>::to_vec)
    }

    /// Whether the path could lead to the package when it goes on: `google` to `google.cloud.storage`.
    pub fn leads_to(&self, path: &[String]) -> bool {
        self.roots
            .iter()
            .any(|root| root.len() > path.len() && root.starts_with(path))
    }
}
