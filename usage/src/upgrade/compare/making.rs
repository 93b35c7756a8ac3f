//! Whether objects of a class can still be made, beside what its constructor asks for (Python).

use std::collections::BTreeSet;

use super::classes::list;
use super::{How, Pair};
use crate::facts::Arguments;
use crate::language::Language;
use crate::upgrade::signature::Signature;
use crate::upgrade::surface::{Item, Kind, Made, Reach, Ref, Scope, ScopeId, Surface, base_name, with_above};
use crate::upgrade::{Effect, What};

/// Bases and metaclasses by which Python refuses to make objects that lack members (standard library, `abc`).
const REFUSING: &[&str] = &[
    "ABC",
    "ABCMeta",
    "Protocol",
    "Hashable",
    "Iterable",
    "Iterator",
    "Mapping",
    "MutableMapping",
    "MutableSequence",
    "Sequence",
];

/// Members that a class leaves to those who derive from it.
#[derive(Default)]
struct Lacks {
    names: BTreeSet<String>,
    /// Whether Python is sure to refuse to make objects of it.
    sure: bool,
}

impl Pair<'_> {
    /// The effects of what a class leaves to others now.
    pub(super) fn made(&self, old: ScopeId, new: ScopeId, how: How<'_>) -> Vec<Effect> {
        let (Some(before), Some(after)) = (self.old.scope(old), self.new.scope(new)) else {
            return Vec::new();
        };
        if self.new.language != Language::Python {
            return Vec::new();
        }
        let (was, is) = (lacks(self.old, old), lacks(self.new, new));
        let called = matches!(how, How::Called(Some(_)));
        let mut effects = Vec::new();
        // Its own are told to whoever derives from it by themselves.
        let told = |name: &&String| !(matches!(how, How::Derived) && after.required.contains(*name));
        let more: BTreeSet<&String> = is.names.difference(&was.names).filter(told).collect();
        if !more.is_empty() {
            let text = match how {
                How::Derived => format!("whoever derives from it needs {} now", list(more)),
                _ => format!("it is abstract now, and can't be made: it lacks {}", list(more)),
            };
            effects.push(match called && is.sure && was.names.is_empty() {
                true => Effect::breaks(What::Kind, &text),
                false => Effect::unclear(What::Kind, text),
            });
        }
        if is_protocol(after) && !is_protocol(before) && !matches!(how, How::Derived) {
            let text = "it is a protocol now, and can't be made";
            // One with its own `__init__` can be, depending on the version of Python.
            effects.push(match called && !after.members.contains_key("__init__") {
                true => Effect::breaks(What::Kind, text),
                false => Effect::unclear(What::Kind, text),
            });
        }
        let is_enum = |surface: &Surface, id| {
            let foreign = surface.lineage(id).1.into_iter();
            foreign
                .flat_map(|base| with_above(base_name(base)))
                .any(|name| name == "Enum")
        };
        if matches!(how, How::Called(_)) && is_enum(self.new, new) && !is_enum(self.old, old) {
            let text = "it is an enum now, and a call of it asks for one of its members";
            effects.push(Effect::unclear(What::Kind, text));
        }
        effects
    }

    /// The effects on whoever makes objects of a class that another package makes of its annotated fields.
    pub(super) fn made_elsewhere(&self, old: ScopeId, new: ScopeId, given: Option<&Arguments>) -> Vec<Effect> {
        let (before, after) = (by_fields(self.old, old), by_fields(self.new, new));
        let about = "its fields changed, and what another package makes of them can't be seen:";
        let has = |surface: &Surface, id, name: &str| {
            let mut scopes = surface.lineage(id).0.into_iter().filter_map(|id| surface.scope(id));
            scopes.any(|scope| scope.members.contains_key(name))
        };
        let keywords = given.map(|given| given.keywords.as_slice()).unwrap_or_default();
        let gone = keywords
            .iter()
            .filter(|name| has(self.old, old, name) && !has(self.new, new, name))
            .map(|name| Effect::unclear(What::ParameterRemoved, format!("its `{name}` is gone")));
        let effects = after.effect(&before, given, self.old.language).into_iter().chain(gone);
        effects
            .filter_map(|effect| match effect {
                Effect::Breaks { what, text } | Effect::Unclear { what, text } => {
                    Some(Effect::unclear(what, format!("{about} {text}")))
                }
                Effect::None => None,
            })
            .collect()
    }
}

fn is_protocol(scope: &Scope) -> bool {
    scope.bases.iter().any(|base| base_name(base) == "Protocol")
}

/// What takes the fields of a class and of its bases, as far as the package says.
fn by_fields(surface: &Surface, id: ScopeId) -> Signature {
    let mut made = Signature::default();
    for id in surface.lineage(id).0.into_iter().rev() {
        made.override_by(
            surface
                .scope(id)
                .map(|scope| scope.fields.as_slice())
                .unwrap_or_default(),
        );
    }
    made
}

/// Members that a class, or one that it derives from, asks for and none of them gives.
fn lacks(surface: &Surface, id: ScopeId) -> Lacks {
    let (line, foreign) = surface.lineage(id);
    let maker = |id: &ScopeId| match surface.scope(*id)?.maker.as_ref()? {
        Ref::Local(_, names) | Ref::Absolute(names) => names.last().cloned(),
        Ref::Elsewhere(what) => Some(what.clone()),
    };
    let makers: Vec<String> = line.iter().filter_map(maker).collect();
    let mut above = makers
        .iter()
        .map(String::as_str)
        .chain(foreign.into_iter().map(base_name));
    let refuses = above.any(|name| REFUSING.contains(&name));
    if !refuses && makers.is_empty() && surface.ancestry(id).1 {
        return Lacks::default();
    }
    let mut found = Lacks {
        names: BTreeSet::new(),
        sure: refuses,
    };
    for asking in &line {
        for name in surface.scope(*asking).into_iter().flat_map(|scope| &scope.required) {
            let mut givers = line
                .iter()
                .filter(|id| surface.scope(**id).is_some_and(|scope| gives(scope, name)));
            let first = givers.clone().next().is_none();
            // Which of two that don't derive from each other comes first isn't followed.
            if !givers.any(|giver| surface.lineage(*giver).0.contains(asking)) {
                found.names.insert(name.clone());
                found.sure &= first;
            }
        }
    }
    found
}

/// Whether a class has a member that isn't abstract, and not its objects only.
fn gives(scope: &Scope, name: &str) -> bool {
    let of_objects = |item: &Item| {
        matches!(item.kind, Kind::Value(_))
            && item.reach == Reach::Object
            && !matches!(item.made, Made::Accessor { .. })
    };
    let items = scope.members.get(name).and_then(|items| items.last());
    !scope.required.contains(name) && items.is_some_and(|item| !of_objects(item))
}
