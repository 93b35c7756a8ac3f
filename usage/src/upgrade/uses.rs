//! What the repo's own source uses of a package: by path where imports lead to it, by name where they don't.

use std::collections::BTreeSet;

use crate::facts::{Arguments, DynamicKind, Place, Role, Use};
use crate::language::Language;
use crate::package::{ImportNames, Package, segments};
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
    pub place: Place,
    /// Byte of it, to tell uses on one line apart.
    pub file: usize,
}

/// Members of something that isn't known.
#[derive(Debug, Clone)]
pub(super) struct Loose {
    pub name: String,
    /// With what it is called, where it is.
    pub call: Option<Arguments>,
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
    pub place: Place,
    pub path: Vec<String>,
}

/// All uses of a package.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    pub rooted: Vec<Rooted>,
    pub loose: Vec<Loose>,
    pub loaded: Vec<Loaded>,
    /// What may be a use, and can't be seen.
    pub hidden: Vec<String>,
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

    fn api_use(&self, file: usize, source: &Source, used: &Use, names: &ImportNames, root: &str, uses: &mut Uses) {
        let place = || self.place_of(file, source, used.spot.line, used.spot.offset);
        let meanings = self.meanings(file, &used.chain, Some(used.spot.offset));
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
                call: call.map(|(_, given)| given.clone()),
                place: place(),
            });
        }
    }
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
