//! What the repo's own source uses of a package: by path where imports lead to it, by name where they don't.

use std::collections::{BTreeSet, HashSet};

use crate::facts::{Arguments, DynamicKind, Place, Role, SET, Use};
use crate::language::Language;
use crate::package::{ImportNames, Package, segments};
use crate::resolve::Meaning;
use crate::sources::{Source, Usage};

/// Most uses of one package that are judged.
const MAX_USES: usize = 50_000;

/// A use whose path is known.
#[derive(Debug, Clone)]
pub(super) struct Rooted {
    /// Names from the root of a surface.
    pub path: Vec<String>,
    /// Calls along it: after how many names, and with what.
    pub calls: Vec<(usize, Arguments)>,
    pub role: Role,
    /// No other meaning of the name is known.
    pub certain: bool,
    /// It is in a macro's tokens, or its call's arguments can't be read for another reason.
    pub called_somehow: bool,
    /// It is an import, or the value of another name.
    pub imported: bool,
    /// It is the value of another name by an assignment: it is read there, whatever becomes of that name.
    pub held: bool,
    /// Its names stand there as they are: no variable holds what a part of it gave.
    pub direct: bool,
    /// What the language itself asks for of it.
    pub implied: &'static [&'static str],
    pub place: Place,
    /// Byte of it, to tell uses on one line apart.
    pub file: usize,
}

/// What is done with a member of something that isn't known.
#[derive(Debug, Clone)]
pub(super) enum Done {
    /// It is named; with what it is called, where it is.
    Named(Option<Arguments>),
    /// It is set.
    Set,
    /// The language itself asks for it.
    Implied,
}

/// Members of something that isn't known.
#[derive(Debug, Clone)]
pub(super) struct Loose {
    pub name: String,
    pub done: Done,
    pub place: Place,
}

/// A class of which objects, or errors, are asked whether they are of it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Its last name; `None` where it can be any.
    pub name: Option<String>,
    /// Errors are asked, by catching them.
    pub caught: bool,
    pub place: Place,
}

/// An import of one of the package's modules.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    /// As it is written: `uuid/v4`, `werkzeug.urls`.
    pub module: String,
    pub required: bool,
    pub default: bool,
    pub star: bool,
    pub reexport: bool,
    /// It is there for what loading does only.
    pub for_effects: bool,
    pub place: Place,
    pub path: Vec<String>,
}

/// All uses of a package.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    pub rooted: Vec<Rooted>,
    pub loose: Vec<Loose>,
    pub loaded: Vec<Loaded>,
    pub asked: Vec<Asked>,
    /// What may be a use, and can't be seen.
    pub hidden: Vec<String>,
    /// What loose members are noted that the language asks for: file, name.
    pub implied: HashSet<(usize, String)>,
    /// Names that are only written as text, for something else to load, with their places.
    pub written: Vec<(Vec<String>, Place)>,
    /// Functions that files define whose classes derive from the package's: file, name, place.
    pub defined: Vec<(usize, String)>,
}

impl Usage {
    fn place_of(&self, file: usize, source: &Source, line: u32, offset: usize) -> Place {
        let _ = file;
        Place {
            path: source.path.clone(),
            line,
            function: source.facts.enclosing(offset).map(|function| function.name.clone()),
        }
    }

    /// Every use of a package. `root` is the name of the package's library in its own surface, for languages where
    /// a client may give it another (Rust).
    pub(super) fn api_uses(&self, package: &Package, root: &str) -> Uses {
        let names = ImportNames::of(package, self.manifests.renames(package), &[]);
        let language = package.ecosystem.language();
        let mut uses = Uses::default();
        for (file, source) in self.files.iter().enumerate().filter(|(_, s)| s.language == language) {
            for import in &source.facts.imports {
                let path = segments(language, &import.module);
                let below = names.within(&path);
                let place = self.place_of(file, source, import.spot.line, import.spot.offset);
                if below.is_some() {
                    uses.loaded.push(Loaded {
                        module: import.module.clone(),
                        required: import.required,
                        default: import.default,
                        star: import.star,
                        reexport: import.reexport,
                        for_effects: import.side_effect,
                        place: place.clone(),
                        path: rerooted(language, root, &path, &below.unwrap_or_default()),
                    });
                }
                for bound in &import.bound {
                    let mut path = segments(language, &bound.module);
                    path.extend(bound.members.iter().cloned());
                    if let Some(below) = names.within(&path).filter(|_| !bound.members.is_empty()) {
                        uses.rooted.push(Rooted {
                            path: rerooted(language, root, &path, &below),
                            calls: Vec::new(),
                            role: Role::Value,
                            certain: true,
                            called_somehow: false,
                            imported: true,
                            held: false,
                            direct: true,
                            implied: &[],
                            place: place.clone(),
                            file,
                        });
                    }
                }
            }
        }
        if uses.loaded.is_empty() && language != Language::Rust {
            return uses;
        }
        for (file, source) in self.files.iter().enumerate().filter(|(_, s)| s.language == language) {
            for used in &source.facts.uses {
                if uses.rooted.len() + uses.loose.len() > MAX_USES {
                    uses.hidden
                        .push(format!("there are more than {MAX_USES} uses of names"));
                    return uses;
                }
                self.api_use(file, source, used, &names, root, &mut uses);
            }
            let dynamics = source.facts.dynamics.iter();
            let load_or_member =
                dynamics.filter(|dynamic| dynamic.kind == DynamicKind::Load || dynamic.kind == DynamicKind::Member);
            for dynamic in load_or_member.take(3) {
                uses.hidden.push(format!(
                    "`{}` at {}:{} can use anything",
                    dynamic.what, source.path, dynamic.spot.line
                ));
            }
            self.written(file, source, &names, &mut uses);
            uses.defined.extend(
                source
                    .facts
                    .functions
                    .iter()
                    .map(|function| (file, function.name.clone())),
            );
        }
        uses
    }

    /// Texts that are a path below the package: `"pkg.mid.Class"`, `"pkg.mid:main"`, `"pkg/sub"`.
    fn written(&self, file: usize, source: &Source, names: &ImportNames, uses: &mut Uses) {
        for (text, spot) in &source.facts.strings {
            let path: Vec<String> = match source.language {
                Language::Python => text.split(['.', ':']).map(str::to_owned).collect(),
                _ => segments(source.language, text),
            };
            let below = names.within(&path).filter(|below| !below.is_empty());
            if below.is_none() || uses.written.len() > MAX_USES {
                continue;
            }
            let path = match source.language {
                Language::Python => path,
                Language::JavaScript => vec![text.clone()],
                _ => continue,
            };
            let place = self.place_of(file, source, spot.line, spot.offset);
            uses.written.push((path, place));
        }
    }

    fn api_use(&self, file: usize, source: &Source, used: &Use, names: &ImportNames, root: &str, uses: &mut Uses) {
        let place = || self.place_of(file, source, used.spot.line, used.spot.offset);
        let meanings = self.meanings(file, &used.chain, Some(used.spot.offset));
        if matches!(used.role, Role::Asked | Role::Caught) {
            uses.asked.extend(asked(used, &meanings, &place()));
        }
        let direct = used.chain.names.first().is_none_or(|root| is_direct(source, root));
        let mut ours = false;
        for meaning in &meanings {
            let Some(below) = names.within(&meaning.path) else {
                continue;
            };
            ours = true;
            let path = rerooted(source.language, root, &meaning.path, &below);
            let total = used.chain.names.len();
            let at = |names: usize| (path.len() + names).checked_sub(total);
            uses.rooted.push(Rooted {
                calls: used
                    .calls
                    .iter()
                    .filter_map(|(names, given)| Some((at(*names)?, given.clone())))
                    .collect(),
                role: used.role,
                // A path that is written out in full names the crate, unless something of the repo has its name.
                certain: meaning.certain && (!meaning.guess || source.language == Language::Rust),
                called_somehow: used.expands || (used.called && used.calls.is_empty()),
                imported: used.aliased && !used.called && !used.expands,
                // `const {a} = require("m")` only imports it.
                held: used.aliased && (used.chain.module.is_none() || total > 1),
                direct,
                implied: used.implied,
                place: place(),
                file,
                path,
            });
        }
        // What leads to another package or module isn't this one's, unless other code hands its objects on: those
        // are found by the names of their members.
        let elsewhere = !meanings.is_empty() && meanings.iter().all(|m| m.certain && !m.guess);
        if ours || elsewhere {
            return;
        }
        let skip = usize::from(used.chain.module.is_none());
        for (at, name) in used.chain.names.iter().enumerate().skip(skip) {
            let call = used.calls.iter().find(|(names, _)| *names == at + 1);
            uses.loose.push(Loose {
                name: name.clone(),
                done: Done::Named(call.map(|(_, given)| given.clone())),
                place: place(),
            });
        }
        for implied in used.implied {
            let set = *implied == SET;
            let name = if set {
                used.chain.names.last().filter(|_| used.chain.names.len() > 1)
            } else {
                None
            };
            let name = match (set, name) {
                (true, Some(name)) => name.clone(),
                (true, None) => continue,
                (false, _) => (*implied).to_owned(),
            };
            // One loop of a file stands for all of it.
            if set || !uses.implied.contains(&(file, name.clone())) {
                uses.implied.insert((file, name.clone()));
                let done = if set { Done::Set } else { Done::Implied };
                uses.loose.push(Loose {
                    name,
                    done,
                    place: place(),
                });
            }
        }
    }
}

/// Whether a name stands for what it was imported as, and for nothing that a call gave.
fn is_direct(source: &Source, root: &str) -> bool {
    let imported =
        |root: &String| source.imports_by_name.contains_key(root) && !source.aliases_by_name.contains_key(root);
    let plain = |index: &usize| {
        source.facts.aliases.get(*index).is_some_and(|alias| {
            // `require` itself is no import, and what it loads is noted beside it.
            alias
                .chain
                .names
                .first()
                .is_some_and(|root| root == "require" || root == "import")
                || !alias.gave && (alias.chain.module.is_some() || alias.chain.names.first().is_some_and(imported))
        })
    };
    match source.aliases_by_name.get(root) {
        Some(aliases) => aliases.iter().all(plain),
        None => source.imports_by_name.contains_key(root),
    }
}

/// What a question, whether something is of a class, asks for.
fn asked(used: &Use, meanings: &[Meaning], place: &Place) -> Vec<Asked> {
    let caught = used.role == Role::Caught;
    let of = |name: Option<&String>| Asked {
        name: name.filter(|name| !matches!(name.as_str(), "*" | "?")).cloned(),
        caught,
        place: place.clone(),
    };
    if !meanings.is_empty() {
        return meanings.iter().map(|meaning| of(meaning.path.last())).collect();
    }
    let last = used.chain.names.last();
    // A variable may hold any class, or a tuple of them; classes have names like `ValueError` or `dict`.
    let is_variable = last.is_some_and(|name| {
        let constant = name.len() > 2 && name.chars().all(|c| c.is_uppercase() || c == '_');
        let plain = [
            "dict",
            "list",
            "str",
            "tuple",
            "set",
            "int",
            "float",
            "bytes",
            "bool",
            "frozenset",
            "type",
            "object",
        ];
        constant || (name.starts_with(|c: char| c.is_lowercase()) && !plain.contains(&name.as_str()))
    });
    vec![of(last.filter(|_| !is_variable))]
}

/// The path from the root of a surface: for JavaScript the specifier is one name, for Rust the crate has its own.
fn rerooted(language: Language, root: &str, path: &[String], below: &[String]) -> Vec<String> {
    let head = path.len() - below.len();
    match language {
        Language::JavaScript => {
            let package = path.get(..head).unwrap_or_default().join("/");
            std::iter::once(package).chain(below.iter().cloned()).collect()
        }
        Language::Rust => std::iter::once(root.to_owned()).chain(below.iter().cloned()).collect(),
        _ => path.to_vec(),
    }
}

/// For JavaScript, the ways to split a path into the specifier of a module and members of it.
pub(super) fn splits(path: &[String], loaded: &BTreeSet<&str>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for taken in (1..=path.len()).rev() {
        let specifier = path.get(..taken).unwrap_or_default().join("/");
        if loaded.contains(specifier.as_str()) {
            let rest = path.get(taken..).unwrap_or_default().iter().cloned();
            found.push(std::iter::once(specifier).chain(rest).collect());
        }
    }
    found
}
