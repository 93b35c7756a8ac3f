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
    /// Its path below the package; empty for all of the package.
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
        let clean = without_generics(clean.trim());
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
        // `yaml.*` is all that is below.
        path.retain(|name| name != "*");
        // A constructor is called by its type's name.
        if path
            .last()
            .is_some_and(|last| matches!(last.as_str(), "__init__" | "__new__" | "constructor"))
        {
            path.pop();
        }
        let rooted = path.join("") != clean.replace(['.', ':', '#', '/'], "");
        let kind = kind(package.ecosystem, &path, rooted);
        let last = path.last().map_or("", String::as_str);
        let dunder = last.starts_with("__") && last.ends_with("__");
        // What isn't a name can't be looked for.
        let name_like = |name: &String| name.chars().all(|c| c.is_alphanumeric() || "_$-@".contains(c));
        let implicit = !path.iter().all(name_like)
            || dunder
            || (kind != SymbolKind::Function && IMPLICIT.contains(&last))
            || last == "init";
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
    pub fn fits(&self, path: &[String]) -> Match {
        let path: Vec<&String> = path
            .iter()
            .filter(|name| !matches!(name.as_str(), "default" | "prototype"))
            .collect();
        let Some(last) = self.last() else {
            // The package itself is meant: any use of it.
            return Match::Yes;
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
        let has_owner = owner.is_none_or(|owner| path.contains(&owner));
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

/// `a::B<T>::<U>::c` without what is between angle brackets; `<init>` is a name.
fn without_generics(text: &str) -> String {
    let text = text.replace("<init>", "__init__");
    let (mut plain, mut depth) = (String::new(), 0usize);
    for c in text.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
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

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(ecosystem: Ecosystem, package: &str, text: &str) -> Symbol {
        let package = Package::new(ecosystem, package);
        let names = ImportNames::of(&package, &[], &[text.to_owned()]);
        Symbol::parse(text, &package, &names)
    }

    #[test]
    fn the_spellings_of_advisories_become_paths_below_the_package() {
        use SymbolKind::{Either, Function, Method};
        for (ecosystem, package, text, names, kind) in [
            (
                Ecosystem::Golang,
                "golang.org/x/text",
                "golang.org/x/text/language.Parse",
                "language Parse",
                Function,
            ),
            (
                Ecosystem::Golang,
                "golang.org/x/net",
                "golang.org/x/net/http2.(*Framer).ReadFrame",
                "http2 Framer ReadFrame",
                Method,
            ),
            (
                Ecosystem::Golang,
                "gopkg.in/yaml.v2",
                "gopkg.in/yaml.v2.Unmarshal",
                "Unmarshal",
                Function,
            ),
            (
                Ecosystem::Golang,
                "golang.org/x/net",
                "Framer.ReadFrame",
                "Framer ReadFrame",
                Method,
            ),
            (Ecosystem::Cargo, "time", "time::at", "at", Function),
            (
                Ecosystem::Cargo,
                "http",
                "http::header::HeaderMap<T>::reserve",
                "header HeaderMap reserve",
                Method,
            ),
            (Ecosystem::Pypi, "PyYAML", "yaml.load", "load", Function),
            (
                Ecosystem::Pypi,
                "Django",
                "django.utils.text.Truncator.words",
                "utils text Truncator words",
                Method,
            ),
            (Ecosystem::Npm, "lodash", "template", "template", Either),
            (Ecosystem::Npm, "@babel/traverse", "@babel/traverse", "", Either),
            (
                Ecosystem::Maven,
                "org.yaml:snakeyaml",
                "org.yaml.snakeyaml.Yaml#load(java.lang.String)",
                "Yaml load",
                Method,
            ),
        ] {
            let symbol = symbol(ecosystem, package, text);
            assert_eq!(
                symbol.names.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
                names,
                "{text}"
            );
            assert_eq!(symbol.kind, kind, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_never_looked_for_in_vain() {
        assert!(symbol(Ecosystem::Pypi, "PyYAML", "the full loader").implicit);
        assert!(symbol(Ecosystem::Pypi, "PyYAML", "yaml.Loader.__setstate__").implicit);
        assert!(!symbol(Ecosystem::Pypi, "PyYAML", "yaml.load").implicit);
    }
}
