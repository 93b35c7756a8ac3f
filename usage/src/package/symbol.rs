//! Functions as advisories spell them.

use crate::package::{Ecosystem, ImportNames, Package, segments};

/// Whether a symbol can be called on an object whose type isn't seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    /// A function of a module.
    Function,
    /// A method of a type.
    Method,
    /// One of the two.
    Either,
}

/// How well a path fits a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Match {
    /// It is something else.
    No,
    /// Its last name fits, and the rest isn't known.
    Maybe,
    /// It is the symbol.
    Yes,
}

/// One function that an advisory names.
#[derive(Debug, Clone)]
pub(crate) struct Symbol {
    /// As the advisory spells it.
    pub text: String,
    /// Its path below the package; empty for the package itself, called.
    pub names: Vec<String>,
    pub kind: SymbolKind,
    /// The language calls it without its name being written.
    pub implicit: bool,
}

/// Methods that a language or its usual libraries call by themselves.
const IMPLICIT: &[&str] = &[
    "drop",
    "fmt",
    "clone",
    "eq",
    "ne",
    "cmp",
    "partial_cmp",
    "hash",
    "deref",
    "deref_mut",
    "next",
    "poll",
    "from",
    "into",
    "try_from",
    "try_into",
    "index",
    "add",
    "sub",
    "mul",
    "div",
    "default",
    "init",
    "String",
    "Error",
    "MarshalJSON",
    "UnmarshalJSON",
    "MarshalText",
    "UnmarshalText",
    "ServeHTTP",
    "Close",
    "Read",
    "Write",
    "toString",
    "equals",
    "hashCode",
    "finalize",
    "close",
    "readObject",
    "compareTo",
    "run",
    "iterator",
    "toJSON",
    "valueOf",
    "then",
    "serialize",
    "deserialize",
    "as_ref",
    "borrow",
    "extend",
    "from_iter",
    "into_iter",
    "from_str",
];

impl Symbol {
    pub fn parse(text: &str, package: &Package, names: &ImportNames) -> Self {
        let clean: String = match text.find('(') {
            Some(0) => text.replace(['(', ')', '*'], ""),
            Some(open) if !text.contains("(*") => text.get(..open).unwrap_or(text).to_owned(),
            _ => text.replace(['(', ')', '*'], ""),
        };
        let clean = clean.split("::<").next().unwrap_or_default().trim().to_owned();
        let mut path: Vec<String> = match package.ecosystem {
            // `golang.org/x/text/language.Parse`, `Parse`, `Decoder.Decode`
            Ecosystem::Golang => {
                let root = names
                    .roots
                    .iter()
                    .map(|root| root.join("/"))
                    .filter(|root| clean.starts_with(root.as_str()));
                match root.max_by_key(String::len) {
                    Some(root) => {
                        let rest = clean.get(root.len()..).unwrap_or_default();
                        let (folder, symbol) = match rest.rfind('/') {
                            Some(slash) => {
                                let dot = rest.get(slash..).and_then(|last| last.find('.')).unwrap_or(0) + slash;
                                rest.split_at_checked(dot).unwrap_or((rest, ""))
                            }
                            None => ("", rest),
                        };
                        let folders = folder.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
                        let symbols = symbol.split('.').filter(|part| !part.is_empty()).map(str::to_owned);
                        folders.chain(symbols).collect()
                    }
                    None => clean
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .split('.')
                        .map(str::to_owned)
                        .collect(),
                }
            }
            _ => {
                let parts = clean.split(['.', ':', '#', '/']).filter(|part| !part.is_empty());
                let path: Vec<String> = parts.map(str::to_owned).collect();
                let whole = segments(package.ecosystem.language(), &clean);
                names.within(&path).or_else(|| names.within(&whole)).unwrap_or(path)
            }
        };
        path.retain(|name| !matches!(name.as_str(), "default" | "prototype" | "exports" | "module"));
        // A constructor is called by its type's name.
        if path
            .last()
            .is_some_and(|last| matches!(last.as_str(), "<init>" | "__init__" | "__new__" | "constructor"))
        {
            path.pop();
        }
        let rooted = path.join("") != clean.replace(['.', ':', '#', '/'], "");
        let kind = kind(package.ecosystem, &path, rooted);
        let last = path.last().map_or("", String::as_str);
        let dunder = last.starts_with("__") && last.ends_with("__");
        let implicit = dunder || (kind != SymbolKind::Function && IMPLICIT.contains(&last)) || last == "init";
        Self {
            text: text.to_owned(),
            names: path,
            kind,
            implicit,
        }
    }

    /// Last name; `None` for the package itself.
    pub fn last(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    /// Whether it can only be called through its module.
    pub fn is_plain_function(&self) -> bool {
        self.kind == SymbolKind::Function
    }

    /// How well the path below the package fits.
    pub fn fits(&self, path: &[String], called: bool) -> Match {
        let path: Vec<&String> = path
            .iter()
            .filter(|name| !matches!(name.as_str(), "default" | "prototype"))
            .collect();
        let Some(last) = self.last() else {
            return if path.is_empty() && called {
                Match::Yes
            } else {
                Match::No
            };
        };
        if path.iter().any(|name| *name == "*") {
            return Match::Maybe;
        }
        let Some(at) = path.iter().rposition(|name| *name == last) else {
            return Match::No;
        };
        let path = path.get(..=at).unwrap_or_default();
        let mut wanted = self.names.iter();
        let in_order = path.iter().all(|name| wanted.any(|other| other == *name));
        let owner = self.names.len().checked_sub(2).and_then(|index| self.names.get(index));
        let has_owner = owner.is_none_or(|owner| path.iter().any(|name| *name == owner));
        if in_order && (self.kind != SymbolKind::Method || has_owner) {
            Match::Yes
        } else {
            Match::Maybe
        }
    }

    /// Whether what the path below the package leads to holds the symbol: a module of it, or its type.
    pub fn is_below(&self, path: &[String]) -> bool {
        path.len() < self.names.len() && {
            let mut wanted = self.names.iter();
            path.iter().all(|name| wanted.any(|other| other == name))
        }
    }
}

fn kind(ecosystem: Ecosystem, path: &[String], rooted: bool) -> SymbolKind {
    let owner = path.len().checked_sub(2).and_then(|index| path.get(index));
    let typed = owner.is_some_and(|owner| owner.starts_with(char::is_uppercase));
    match ecosystem {
        // Only a type's name can come between the package and a method.
        Ecosystem::Golang if typed || (!rooted && owner.is_some()) => SymbolKind::Method,
        Ecosystem::Golang => SymbolKind::Function,
        Ecosystem::Cargo | Ecosystem::Pypi if typed => SymbolKind::Method,
        Ecosystem::Cargo if owner.is_some() || rooted => SymbolKind::Function,
        Ecosystem::Pypi if rooted && owner.is_none() => SymbolKind::Function,
        Ecosystem::Maven if typed => SymbolKind::Method,
        _ => SymbolKind::Either,
    }
}
