//! What a version of a package offers, as names that lead to things.

mod builtin;
mod classes;
mod item;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::signature::{Parameter, Signature};
use crate::language::Language;
use builtin::builtin_base;
pub(super) use builtin::{base_name, with_above};
pub use item::{Item, Kind, Made, Meaning, Reach};

/// Most scopes (modules, classes) of one package.
pub const MAX_SCOPES: usize = 50_000;
/// Most aliases, base classes and types that are followed for one name.
const MAX_STEPS: usize = 200;

/// Name of the scope that holds what a module declares and doesn't export.
pub(super) const INNER: &str = "%";

/// Stands in a list of names for those that aren't written out.
pub(super) const ANY: &str = "*";

/// Names a scope of its surface.
pub type ScopeId = usize;

/// Names that lead to a thing, from some place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ref {
    /// From the root of the package's own names.
    Absolute(Vec<String>),
    /// From a scope, or those around it.
    Local(ScopeId, Vec<String>),
    /// Something of another package, or of the language.
    Elsewhere(String),
}

/// Names of one module or class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Its name from the root.
    pub path: Vec<String>,
    /// Whether it is a class.
    pub is_class: bool,
    /// Names, each with all that it may stand for: branches of an `if` define it more than once.
    pub members: BTreeMap<String, Vec<Item>>,
    /// Modules of which every public name is one of it too.
    pub stars: Vec<Ref>,
    /// What a class derives from.
    pub bases: Vec<Ref>,
    /// How it is made, where that can be told.
    pub constructor: Option<Signature>,
    /// Annotated fields of its own, in order, as far as a constructor takes them (Python).
    pub fields: Vec<Parameter>,
    /// Its constructor is made of its fields and those of such bases (PEP 557, `attrs`).
    pub of_fields: bool,
    /// Members that whoever derives from it must have.
    pub required: BTreeSet<String>,
    /// Names that are handed on, where a list says so (`__all__`); the variants of an enum that has no others (Rust).
    pub listed: Option<BTreeSet<String>>,
    /// Traits that a type has (Rust).
    pub traits: BTreeSet<String>,
    /// What else is written of how it is declared, for people: its decorators, `abstract`, its generics.
    pub declared: BTreeSet<String>,
    /// What makes its classes (Python's metaclass).
    pub maker: Option<Ref>,
    /// Names of the elements that its objects are unpacked into, in order, where they are tuples.
    pub elements: Option<Vec<String>>,
    /// Types of all of its fields, also of those that can't be seen from outside (Rust).
    pub holds: Vec<String>,
    /// Modules of the package that loading this one may load (Python).
    pub loads: BTreeSet<Vec<String>>,
    /// Loading it raises an error (Python).
    pub raises: bool,
    /// What its name stands for (TypeScript).
    pub meaning: Meaning,
    /// Why it may have names that can't be seen.
    pub hidden: Option<String>,
    /// Scope around it.
    pub parent: Option<ScopeId>,
}

/// What a version of a package needs of what runs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Floor {
    /// `python`, `node` or `rust`.
    pub runtime: String,
    /// As the package states it: `>=3.8`.
    pub range: String,
}

/// How a JavaScript package can be loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loading {
    /// By `require`.
    pub require: bool,
    /// By `import`.
    pub import: bool,
}

/// What a version of a package offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surface {
    /// The language of the code that uses it.
    pub language: Language,
    /// Name of the package, as far as its own files say.
    pub package: String,
    /// Version, as far as its own files say.
    pub version: Option<String>,
    /// What read it: `holdpoint 0.1.0`, `griffe 2.0.0`, with what was read.
    pub read_by: String,
    /// Scopes; the first is the root, whose members are what a client imports.
    pub scopes: Vec<Scope>,
    /// What runs it.
    pub floors: Vec<Floor>,
    /// How it is loaded (JavaScript).
    pub loading: Loading,
    /// Features, the default ones each after `default:` (Rust).
    pub features: BTreeSet<String>,
    /// Packages that have to be there beside it, with their ranges (npm's peer dependencies).
    pub peers: BTreeMap<String, String>,
    /// Packages that it depends on, as its code names them, with the versions that it asks for (Rust).
    pub needs: BTreeMap<String, String>,
    /// Commands that it installs.
    pub commands: BTreeSet<String>,
    /// Whether loading one of its files for its effects only does something, as far as its manifest says (npm).
    pub has_effects: bool,
    /// Parts that can't be seen, for people.
    pub gaps: Vec<String>,
    /// What read it sees declarations only; another reading says what became of the code.
    pub declares_only: bool,
    /// Scopes by their path.
    by_path: HashMap<Vec<String>, ScopeId>,
}

/// How far a search has come.
#[derive(Debug, Default)]
struct Budget {
    steps: usize,
    /// How many aliases deep it is: from within a package, what isn't exported is seen too.
    inside: usize,
}

/// Where a path of names leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// To a thing, and how many of the names led there: the others are members of a value whose type isn't known.
    Thing {
        /// The thing; never an alias.
        item: &'a Item,
        /// Where it is defined, from the root.
        path: Vec<String>,
        /// Names that were taken.
        taken: usize,
    },
    /// To nothing: the name at this index isn't there.
    Missing(usize),
    /// It can't be told, and why.
    Hidden(String),
}

impl Surface {
    /// A surface without names.
    #[must_use]
    pub fn new(language: Language, package: &str, read_by: &str) -> Self {
        Self {
            language,
            package: package.to_owned(),
            version: None,
            read_by: read_by.to_owned(),
            scopes: vec![Scope::default()],
            floors: Vec::new(),
            loading: Loading::default(),
            features: BTreeSet::new(),
            peers: BTreeMap::new(),
            needs: BTreeMap::new(),
            commands: BTreeSet::new(),
            has_effects: true,
            gaps: Vec::new(),
            declares_only: false,
            by_path: HashMap::from([(Vec::new(), 0)]),
        }
    }

    /// Adds a scope below another and returns its id; `None` when there are too many.
    pub(super) fn add_scope(&mut self, parent: ScopeId, name: &str, is_class: bool) -> Option<ScopeId> {
        if self.scopes.len() >= MAX_SCOPES {
            let gap = format!("it has more than {MAX_SCOPES} modules and classes");
            if !self.gaps.contains(&gap) {
                self.gaps.push(gap);
            }
            return None;
        }
        let mut path = self.scopes.get(parent)?.path.clone();
        path.push(name.to_owned());
        self.by_path.entry(path.clone()).or_insert(self.scopes.len());
        let scope = Scope {
            path,
            is_class,
            parent: Some(parent),
            ..Scope::default()
        };
        self.scopes.push(scope);
        Some(self.scopes.len() - 1)
    }

    pub(super) fn define(&mut self, scope: ScopeId, name: &str, item: Item) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.members.entry(name.to_owned()).or_default().push(item);
        }
    }

    /// The scope at a path.
    pub(super) fn at(&self, path: &[String]) -> Option<ScopeId> {
        self.by_path.get(path).copied()
    }

    /// A scope by its id.
    #[must_use]
    pub fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.scopes.get(id)
    }

    /// Where a path leads from the root.
    #[must_use]
    pub fn find(&self, path: &[String]) -> Found<'_> {
        let mut budget = Budget::default();
        self.walk(0, path, &mut budget)
    }

    /// Where a member of a class or module leads.
    #[must_use]
    pub fn member(&self, scope: ScopeId, name: &str) -> Found<'_> {
        let mut budget = Budget::default();
        self.walk(scope, &[name.to_owned()], &mut budget)
    }

    fn walk(&self, from: ScopeId, path: &[String], budget: &mut Budget) -> Found<'_> {
        let mut scope = from;
        let mut last: Option<(&Item, Vec<String>)> = None;
        for (at, name) in path.iter().enumerate() {
            if name == "*" || name == "?" {
                return Found::Hidden("a member whose name is computed is used".to_owned());
            }
            let (item, place) = match self.look(scope, name, budget) {
                Found::Thing { item, path, .. } => (item, path),
                Found::Missing(_) => {
                    // A value's members are its type's; what makes it (`default`, a namespace) says more.
                    return Found::Missing(at);
                }
                hidden => return hidden,
            };
            let merged = || {
                let (name, around) = place.split_last()?;
                let items = self.scopes.get(self.at(around)?)?.members.get(name)?;
                items.iter().find_map(|item| match item.kind {
                    Kind::Class(id) | Kind::Module(id) => Some(id),
                    _ => None,
                })
            };
            let next = match &item.kind {
                Kind::Class(id) | Kind::Module(id) => Some(*id),
                // TypeScript merges declarations of one name.
                _ if merged().is_some() => merged(),
                Kind::Value(Some(ty)) => self.type_scope(&place, ty, budget),
                Kind::Function(signature) => {
                    let returns = signature.returns.as_deref();
                    returns.and_then(|ty| self.type_scope(&place, ty, budget))
                }
                Kind::Opaque(why) if at + 1 < path.len() => return Found::Hidden(why.clone()),
                _ => None,
            };
            last = Some((item, place));
            match next {
                Some(next) => scope = next,
                None => {
                    let (item, path) = match last {
                        Some(found) => found,
                        None => break,
                    };
                    return Found::Thing {
                        item,
                        path,
                        taken: at + 1,
                    };
                }
            }
        }
        match last {
            Some((item, place)) => Found::Thing {
                item,
                path: place,
                taken: path.len(),
            },
            None => Found::Missing(0),
        }
    }

    /// The class that a type's text names, looked up from where it is written.
    fn type_scope(&self, place: &[String], ty: &str, budget: &mut Budget) -> Option<ScopeId> {
        let plain = ty.trim().trim_matches(['"', '\'', '&', ' ']);
        let plain = plain
            .strip_prefix("Optional[")
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(plain);
        let plain = plain.split(['<', '[']).next().unwrap_or(plain).trim();
        let plain = plain.strip_suffix("| None").unwrap_or(plain).trim();
        let names: Vec<String> = plain
            .split("::")
            .flat_map(|part| part.split('.'))
            .map(str::to_owned)
            .collect();
        let name_like =
            |name: &String| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
        if !names.iter().all(name_like) {
            return None;
        }
        let around = self.scope_of(place)?;
        if names.len() == 1 && matches!(names.first().map(String::as_str), Some("Self" | "this")) {
            return Some(around);
        }
        match self.lexical(around, &names, budget) {
            Found::Thing { item, taken, .. } if taken == names.len() => match item.kind {
                Kind::Class(id) => Some(id),
                _ => None,
            },
            _ => None,
        }
    }

    /// The innermost scope around the thing at a path.
    fn scope_of(&self, place: &[String]) -> Option<ScopeId> {
        let around = place.get(..place.len().checked_sub(1)?)?;
        self.by_path.get(around).copied()
    }

    /// Looks names up in a scope and in the modules around it.
    fn lexical(&self, scope: ScopeId, names: &[String], budget: &mut Budget) -> Found<'_> {
        let mut around = Some(scope);
        let mut hidden = None;
        while let Some(id) = around {
            budget.steps += 1;
            if budget.steps > MAX_STEPS {
                return Found::Hidden("too many aliases lead to it".to_owned());
            }
            // What a module declares without exporting it is in a scope of its own, beside what it exports.
            let inner = self.scopes.get(id).and_then(|scope| {
                let path: Vec<String> = scope.path.iter().cloned().chain([INNER.to_owned()]).collect();
                self.at(&path)
            });
            for id in inner.into_iter().chain([id]) {
                match self.walk(id, names, budget) {
                    Found::Missing(0) => {}
                    Found::Hidden(why) => hidden = Some(why),
                    found => return found,
                }
            }
            around = self.scopes.get(id).and_then(|scope| scope.parent);
        }
        hidden.map_or(Found::Missing(0), Found::Hidden)
    }

    fn follow(&self, target: &Ref, budget: &mut Budget) -> Found<'_> {
        budget.inside += 1;
        let found = self.target(target, budget);
        budget.inside -= 1;
        found
    }

    fn target(&self, target: &Ref, budget: &mut Budget) -> Found<'_> {
        match target {
            Ref::Absolute(path) => {
                // A name that is both a module and something in its package means the module on the way.
                let module = (0..path.len()).rev().find_map(|taken| {
                    let id = self.at(path.get(..taken)?)?;
                    self.scopes
                        .get(id)
                        .is_some_and(|scope| !scope.is_class)
                        .then_some((id, taken))
                });
                let (from, taken) = module.unwrap_or((0, 0));
                let rest = path.get(taken..).unwrap_or_default();
                match (self.walk(from, rest, budget), path.split_last()) {
                    // What a CommonJS module gives as the default is the module itself.
                    (Found::Missing(_), Some((last, module)))
                        if self.language == Language::JavaScript && last == "default" && rest.len() == 1 =>
                    {
                        self.walk(0, module, budget)
                    }
                    (found, _) => found,
                }
            }
            Ref::Local(scope, path) => self.lexical(*scope, path, budget),
            Ref::Elsewhere(what) => Found::Hidden(format!("it is `{what}`, which is of another package")),
        }
    }

    /// One name in a scope: its own, its bases', or handed on by another module.
    fn look(&self, id: ScopeId, name: &str, budget: &mut Budget) -> Found<'_> {
        budget.steps += 1;
        if budget.steps > MAX_STEPS {
            return Found::Hidden("too many aliases lead to it".to_owned());
        }
        let Some(scope) = self.scopes.get(id) else {
            return Found::Missing(0);
        };
        let mut hidden = None;
        let own = scope.members.get(name).map(Vec::as_slice).unwrap_or_default();
        let thing = |item| {
            let mut path = scope.path.clone();
            path.push(name.to_owned());
            Found::Thing { item, path, taken: 1 }
        };
        // What is a thing of its own says more than what points elsewhere, and that more than a module of the name.
        let module = own.iter().find(|item| matches!(item.kind, Kind::Module(_)));
        let mut things = own
            .iter()
            .filter(|item| !matches!(item.kind, Kind::Alias(_) | Kind::Module(_)));
        if let Some(item) = things.next_back() {
            return thing(item);
        }
        for item in own {
            match &item.kind {
                Kind::Alias(Ref::Elsewhere(_)) => return thing(item),
                Kind::Alias(target) => {
                    let itself = match target {
                        Ref::Local(at, names) => *at == id && names.first().is_some_and(|first| first == name),
                        Ref::Absolute(path) => path
                            .split_last()
                            .is_some_and(|(last, around)| last == name && around == scope.path),
                        Ref::Elsewhere(_) => false,
                    };
                    if itself {
                        continue;
                    }
                    match self.follow(target, budget) {
                        Found::Thing { item, path, .. } => return Found::Thing { item, path, taken: 1 },
                        Found::Hidden(why) => hidden = Some(why),
                        Found::Missing(_) => {
                            hidden = hidden.or(Some(format!("where `{name}` comes from can't be found")));
                        }
                    }
                }
                _ => {}
            }
        }
        if let Some(item) = module {
            return thing(item);
        }
        if self.language == Language::JavaScript && !scope.is_class && name != "default" && name != "=" {
            // What a default import or a `require` gives is the module itself or what it exports as a whole.
            for whole in ["=", "default"]
                .into_iter()
                .filter(|whole| scope.members.contains_key(*whole))
            {
                match self.walk(id, &[whole.to_owned(), name.to_owned()], budget) {
                    Found::Thing { item, path, taken: 2 } => return Found::Thing { item, path, taken: 1 },
                    Found::Missing(_) => {}
                    Found::Thing { .. } => hidden = Some(format!("the members of its `{whole}` export can't be seen")),
                    Found::Hidden(why) => hidden = Some(why),
                }
            }
        }
        let mut further: Vec<(&Ref, bool)> = scope.bases.iter().map(|base| (base, false)).collect();
        if !name.starts_with('_') {
            further.extend(scope.stars.iter().map(|star| (star, true)));
        }
        let listed = |id: ScopeId| {
            let listed = self.scopes.get(id).filter(|scope| !scope.is_class)?.listed.as_ref()?;
            Some(listed.contains(name) || listed.contains(ANY))
        };
        for (from, star) in further {
            match self.follow(from, budget) {
                Found::Thing { item, .. } => {
                    if let Kind::Class(next) | Kind::Module(next) = item.kind
                        && next != id
                    {
                        if star && listed(next) == Some(false) {
                            continue;
                        }
                        match self.look(next, name, budget) {
                            Found::Missing(_) => {}
                            Found::Hidden(why) => hidden = Some(why),
                            found => return found,
                        }
                    } else if !builtin_base(from) {
                        let what = scope.path.join(".");
                        hidden = Some(format!("`{what}` derives from something that can't be read"));
                    }
                }
                _ if builtin_base(from) => {}
                Found::Hidden(why) => hidden = Some(why),
                Found::Missing(_) => {
                    hidden = Some(format!("what `{}` derives from can't be found", scope.path.join(".")))
                }
            }
        }
        if self.language == Language::Rust && budget.inside > 0 && !scope.is_class {
            let path: Vec<String> = scope.path.iter().cloned().chain([INNER.to_owned()]).collect();
            if let Some(inner) = self.at(&path).filter(|inner| *inner != id) {
                match self.look(inner, name, budget) {
                    Found::Missing(_) => {}
                    Found::Hidden(why) => hidden = Some(why),
                    found => return found,
                }
            }
        }
        match hidden.or_else(|| scope.hidden.clone()) {
            Some(why) => Found::Hidden(why),
            None => Found::Missing(0),
        }
    }
}
