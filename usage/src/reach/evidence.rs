//! Every use of a package in the source, and everything that may be one.

use std::collections::{HashMap, HashSet};

use crate::facts::{Chain, Import, Spot, Use};
use crate::language::Language;
use crate::package::{ImportNames, Match, Package, Symbol, SymbolKind};
use crate::sources::{Source, Usage};

/// A use for certain.
#[derive(Debug)]
pub(super) struct Hit {
    pub file: usize,
    pub spot: Spot,
    pub symbol: Option<String>,
}

/// What the source says of one package.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub hits: Vec<Hit>,
    /// What may be a use.
    pub reasons: Vec<String>,
    /// Some file imports it, or names it in full.
    pub imported: bool,
    /// It is only imported where nothing is left of it at run time.
    pub only_types: bool,
}

/// What is asked, and where.
struct Search<'a> {
    usage: &'a Usage,
    names: &'a ImportNames,
    symbols: &'a [Symbol],
    /// Local names that stand for something of the package, in any file, with what they stand for.
    locals: Vec<(String, Vec<String>)>,
    /// Roots whose meaning is the same wherever they stand in their file, and can't be the package: known or not.
    roots: HashMap<(usize, String), Option<bool>>,
    /// Something may be the package's.
    touched: bool,
    evidence: Evidence,
}

impl Evidence {
    pub fn gather(usage: &Usage, package: &Package, names: &ImportNames, symbols: &[Symbol]) -> Self {
        let language = package.ecosystem.language();
        let files: Vec<(usize, &Source)> = usage
            .files
            .iter()
            .enumerate()
            .filter(|(_, source)| source.language == language)
            .collect();
        let mut search = Search {
            usage,
            names,
            symbols,
            locals: Vec::new(),
            roots: HashMap::new(),
            touched: false,
            evidence: Self::default(),
        };
        for (file, source) in &files {
            for import in &source.facts.imports {
                search.import(*file, source, import);
            }
        }
        let mut unresolved: Vec<(usize, &Use)> = Vec::new();
        for (file, source) in &files {
            let mut is_star = false;
            for import in source
                .facts
                .imports
                .iter()
                .filter(|import| import.star && !import.type_only)
            {
                // `export *` binds nothing in its own file.
                let binds = !(import.reexport && source.language == Language::JavaScript);
                is_star |= binds && search.path_of(source, &import.module).is_some();
            }
            let mut used_names: HashSet<&str> = HashSet::new();
            for used in &source.facts.uses {
                used_names.extend(used.chain.names.first().map(String::as_str));
                if !search.used(*file, source, used, is_star) {
                    unresolved.push((*file, used));
                }
            }
            search.guessed_names(source, &used_names);
        }
        if search.touched && !symbols.is_empty() {
            for (file, source) in &files {
                search.aliases(*file, source);
            }
            search.locals.sort();
            search.locals.dedup();
            for (file, used) in unresolved {
                search.loose(file, language, used);
            }
            for (file, source) in &files {
                search.strings(*file, source);
            }
            if let Some(symbol) = symbols.iter().find(|symbol| symbol.implicit) {
                search
                    .evidence
                    .reasons
                    .push(format!("`{}` may be called without being named", symbol.text));
            }
        }
        if search.evidence.imported {
            search.evidence.only_types = false;
        }
        search.evidence
    }
}

impl Search<'_> {
    /// What of the package a module path means, if it is the package's.
    fn path_of(&self, source: &Source, module: &str) -> Option<Vec<String>> {
        self.names.within(&crate::package::segments(source.language, module))
    }

    /// Other names of the package's things, under which another scope or file may use them.
    fn aliases(&mut self, file: usize, source: &Source) {
        for alias in &source.facts.aliases {
            if self.plain(file, source, &alias.chain).is_some() {
                continue;
            }
            for meaning in self.usage.meanings(file, &alias.chain, None) {
                if let Some(below) = self.names.within(&meaning.path) {
                    self.locals.push((alias.local.clone(), below));
                }
            }
        }
    }

    fn reason(&mut self, what: &str, file: usize, spot: Spot) {
        // Some are enough to say why.
        if self.evidence.reasons.len() < 20 {
            let place = self.usage.place(file, spot);
            self.evidence
                .reasons
                .push(format!("{what} at {}:{}", place.path, place.line));
        }
    }

    fn import(&mut self, file: usize, source: &Source, import: &Import) {
        let below = self.path_of(source, &import.module);
        let mut bound = Vec::new();
        for name in &import.bound {
            let mut path = crate::package::segments(source.language, &name.module);
            path.extend(name.members.iter().cloned());
            bound.extend(self.names.within(&path).map(|below| (name.local.clone(), below)));
        }
        if below.is_none() && bound.is_empty() {
            return;
        }
        if import.type_only {
            self.evidence.only_types = true;
            return;
        }
        self.evidence.imported = true;
        self.touched = true;
        if self.symbols.is_empty() {
            self.evidence.hits.push(Hit {
                file,
                spot: import.spot,
                symbol: None,
            });
            return;
        }
        let what = if import.star {
            Some("every name of it is imported")
        } else if import.reexport {
            Some("it is handed on")
        } else if import.side_effect {
            Some("it is loaded for what loading does")
        } else if bound
            .iter()
            .any(|(_, below)| self.symbols.iter().any(|symbol| symbol.fits(below) > Match::No))
        {
            Some("one of the functions is imported, and no call is seen")
        } else {
            None
        };
        if let Some(what) = what {
            self.reason(what, file, import.spot);
        }
        self.locals.extend(bound);
    }

    /// Whether the root of a use is something else than the package for certain, and then whether what it is is
    /// known. Most uses are settled by their root, which is looked up once per file.
    fn plain(&mut self, file: usize, source: &Source, chain: &Chain) -> Option<bool> {
        let root = chain.names.first().filter(|_| chain.module.is_none())?;
        let key = (file, root.clone());
        if let Some(known) = self.roots.get(&key) {
            return *known;
        }
        let answer = self.judge_root(source, root);
        self.roots.insert(key, answer);
        answer
    }

    fn judge_root(&self, source: &Source, root: &str) -> Option<bool> {
        let modules = &self.usage.modules;
        let is_own = |module: &str| !modules.resolve(source.language, &source.path, module, &[]).is_empty();
        let hidden = source.shadows_by_name.contains_key(root) && source.imports_by_name.contains_key(root);
        if hidden || source.aliases_by_name.contains_key(root) {
            return None;
        }
        let Some(bindings) = source.imports_by_name.get(root) else {
            let stars = source
                .facts
                .imports
                .iter()
                .any(|import| import.star && !import.type_only);
            // What Rust and Java write out in full may start anywhere.
            let starts_path = match source.language {
                Language::Rust => matches!(root, "crate" | "self" | "super" | "Self") || is_own(root),
                Language::Java => root == "this",
                _ => return (!stars).then_some(false),
            };
            let may_be = self
                .names
                .roots
                .iter()
                .any(|names| names.first().is_some_and(|first| first == root));
            return (!stars && !starts_path && !may_be).then_some(false);
        };
        for (import, bound) in bindings {
            let bound = source.facts.imports.get(*import)?.bound.get(*bound)?;
            let mut path = crate::package::segments(source.language, &bound.module);
            path.extend(bound.members.iter().cloned());
            let may_be = self.names.within(&path).is_some() || self.names.leads_to(&path);
            let member_is_own = !modules
                .resolve(source.language, &source.path, &bound.module, &bound.members)
                .is_empty();
            if may_be || member_is_own || is_own(&bound.module) || bound.module.starts_with('.') {
                return None;
            }
        }
        Some(true)
    }

    /// Judges one use; whether what it is is known.
    fn used(&mut self, file: usize, source: &Source, used: &Use, is_star: bool) -> bool {
        if let Some(is_known) = self.plain(file, source, &used.chain).filter(|_| !is_star) {
            return is_known;
        }
        let meanings = self.usage.meanings(file, &used.chain, Some(used.spot.offset));
        let mut is_known = false;
        for meaning in &meanings {
            let Some(below) = self.names.within(&meaning.path) else {
                // A parameter of the same name may hold anything.
                is_known |= !meaning.guess && meaning.certain;
                if !used.called && !used.aliased && self.names.leads_to(&meaning.path) {
                    self.reason("a package that holds it is passed on", file, used.spot);
                }
                continue;
            };
            is_known = true;
            self.touched = true;
            self.evidence.imported |= meaning.certain;
            self.inside(file, used, &below, meaning.certain);
        }
        if is_star && !is_known {
            let guess = meanings.iter().find(|meaning| meaning.guess);
            let path = guess.map_or(&used.chain.names, |meaning| &meaning.path).clone();
            let certain = guess.is_none_or(|meaning| meaning.certain) && self.only_star(source, &path);
            self.inside(file, used, &path, certain);
        }
        is_known
    }

    /// Whether a name that nothing binds can only come from the one module that is imported with all its names.
    fn only_star(&self, source: &Source, path: &[String]) -> bool {
        let stars = source
            .facts
            .imports
            .iter()
            .filter(|import| import.star && !import.type_only)
            .count();
        let own_class = source.language == Language::Java
            && path.first().is_some_and(|class| {
                let file = format!("{class}.java");
                self.usage
                    .files
                    .iter()
                    .any(|other| other.path.rsplit('/').next() == Some(file.as_str()))
            });
        stars == 1 && !own_class
    }

    /// Judges a use of something of the package.
    fn inside(&mut self, file: usize, used: &Use, below: &[String], certain: bool) {
        if self.symbols.is_empty() {
            if certain {
                self.evidence.hits.push(Hit {
                    file,
                    spot: used.spot,
                    symbol: None,
                });
            } else {
                self.reason("a name that may be hidden is used", file, used.spot);
            }
            return;
        }
        let best = self
            .symbols
            .iter()
            .map(|symbol| (symbol.fits(below), symbol))
            .max_by_key(|(fit, _)| *fit);
        match best {
            Some((Match::Yes, symbol)) if certain => {
                let symbol = Some(symbol.text.clone());
                self.evidence.hits.push(Hit {
                    file,
                    spot: used.spot,
                    symbol,
                });
                return;
            }
            Some((Match::Yes, _)) => self.reason("a name that may be hidden is used", file, used.spot),
            Some((Match::Maybe, _)) => self.reason("something of its name is used", file, used.spot),
            _ => {}
        }
        let holds = |symbol: &Symbol| symbol.is_below(below);
        let holds_method =
            |symbol: &Symbol| symbol.is_below(below) && !below.is_empty() && symbol.kind != SymbolKind::Function;
        if used.expands {
            self.reason("a macro of it is used", file, used.spot);
        } else if !used.called && !used.aliased && self.symbols.iter().any(holds) {
            self.reason("it is passed on", file, used.spot);
        } else if self.symbols.iter().any(holds_method) {
            self.reason("an object of its type is used", file, used.spot);
        } else if matches!(
            below.first().map(String::as_str),
            Some("then" | "catch" | "finally" | "__dict__")
        ) {
            self.reason("its members are taken from it", file, used.spot);
        }
    }

    /// Go: when nothing uses a package under the names that were guessed for it, it has another one.
    fn guessed_names(&mut self, source: &Source, used: &HashSet<&str>) {
        for import in source.facts.imports.iter().filter(|import| import.guessed) {
            let is_ours = self.path_of(source, &import.module).is_some();
            if is_ours && !import.bound.iter().any(|bound| used.contains(bound.local.as_str())) {
                let file = self.usage.by_path.get(&source.path).copied().unwrap_or_default();
                self.reason("the package has another name than its path", file, import.spot);
            }
        }
    }

    /// Judges a use of something unknown: an object whose type isn't seen, a name from another file.
    fn loose(&mut self, file: usize, language: Language, used: &Use) {
        let names = &used.chain.names;
        let first = usize::from(!matches!(language, Language::Java) && !used.expands);
        let computed = names.iter().any(|name| name == "*");
        let method = self
            .symbols
            .iter()
            .filter(|symbol| symbol.kind != SymbolKind::Function)
            .any(|symbol| {
                let named = names.iter().skip(first).any(|name| symbol.last() == Some(name));
                named || (computed && used.called)
            });
        if method {
            self.reason(
                "something of its name is called on an object of unknown type",
                file,
                used.spot,
            );
            return;
        }
        for (at, name) in names.iter().enumerate().skip(1) {
            let rest = names.get(at + 1..).unwrap_or_default();
            let may_be = self.locals.iter().filter(|(local, _)| local == name).any(|(_, below)| {
                let path: Vec<String> = below.iter().chain(rest).cloned().collect();
                self.symbols
                    .iter()
                    .any(|symbol| symbol.fits(&path) > Match::No || (!used.called && symbol.is_below(&path)))
            });
            if may_be {
                self.reason("it may be used through another file", file, used.spot);
                return;
            }
        }
    }

    /// Strings by which something may find one of the functions.
    fn strings(&mut self, file: usize, source: &Source) {
        for (text, spot) in &source.facts.strings {
            let last = text.rsplit(['.', ':', '#', '/']).next().unwrap_or(text);
            let named = self
                .symbols
                .iter()
                .filter(|symbol| symbol.last() == Some(last))
                .any(|symbol| symbol.kind != SymbolKind::Function || self.path_of(source, text).is_some());
            if named {
                self.reason("a string names one of the functions", file, *spot);
                return;
            }
        }
    }
}
