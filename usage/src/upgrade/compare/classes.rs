//! What becomes of the use of a class: how its objects are made, and what can be done with them.

use std::collections::BTreeSet;

use super::{How, Pair};
use crate::language::Language;
use crate::upgrade::surface::{Kind, Made, Scope, ScopeId, Surface, base_name, with_above};
use crate::upgrade::{Effect, What};

/// Special methods that no client asks for by what it does: how objects are made, shown and kept.
const OWN_AFFAIR: &[&str] = &[
    "__init__",
    "__new__",
    "__post_init__",
    "__init_subclass__",
    "__set_name__",
    "__class__",
    "__del__",
    "__doc__",
    "__module__",
    "__qualname__",
    "__slots__",
    "__weakref__",
    "__dict__",
    "__annotations__",
    "__all__",
    "__version__",
    "__author__",
    "__repr__",
    "__rich_repr__",
    "__reduce__",
    "__reduce_ex__",
    "__getstate__",
    "__setstate__",
    "__getnewargs__",
    "__copy__",
    "__deepcopy__",
    "__sizeof__",
    "__dir__",
    "__getattr__",
    "__getattribute__",
    "__setattr__",
    "__delattr__",
    "__metaclass__",
    "__abstractmethods__",
    "__test__",
    "__tracebackhide__",
];
/// Members that JavaScript itself asks objects for.
const ASKED_BY_JAVASCRIPT: &[&str] = &["then", "toString", "valueOf", "toJSON"];
/// Pieces of types whose values stay on one thread (Rust standard library, `Send` and `Sync`).
const OF_ONE_THREAD: &[&str] = &[
    "Rc<",
    "Cell<",
    "OnceCell<",
    "LazyCell<",
    "*const",
    "*mut",
    "NonNull<",
    "MutexGuard<",
    "RwLockReadGuard<",
    "RwLockWriteGuard<",
    "LocalKey<",
];

pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Pair<'_> {
    /// The effects on a use of a class.
    pub(super) fn classes(&self, old: ScopeId, new: ScopeId, how: How<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let How::Called(given) = how {
            match (self.old.constructor(old), self.new.constructor(new)) {
                (Ok(Some(before)), Ok(Some(now))) => effects.extend(now.effect(before, given, self.old.language)),
                (Ok(None), Ok(None)) => {}
                (Err(why), _) | (_, Err(why)) => {
                    let same = self.old.scope(old).map(|s| &s.bases) == self.new.scope(new).map(|s| &s.bases);
                    // Both leave it to the same class of another package.
                    match same {
                        true => effects.extend(self.made_elsewhere(old, new, given)),
                        false => effects.push(Effect::unclear(What::Signature, why)),
                    }
                }
                (Ok(Some(_)), Ok(None)) | (Ok(None), Ok(Some(_))) => {
                    let takes_nothing = |surface: &Surface, id| {
                        surface
                            .constructor(id)
                            .ok()
                            .flatten()
                            .is_none_or(|s| s.parameters.iter().all(|p| !p.required))
                    };
                    let none_given = given.is_some_and(|g| !g.open && g.positional.is_empty() && g.keywords.is_empty());
                    if !(none_given && takes_nothing(self.new, new)) {
                        effects.push(Effect::unclear(What::Signature, "how it is made changed"));
                    }
                }
            }
        }
        if !matches!(how, How::Called(_)) {
            effects.extend(self.shape(old, new));
        }
        // Patterns take a struct apart as it is made.
        let parts = |surface: &Surface, id| surface.scope(id).and_then(|scope| scope.constructor.clone());
        if matches!(how, How::Named) && self.old.language == Language::Rust {
            let (was, is) = (parts(self.old, old), parts(self.new, new));
            if was.is_some() && was != is {
                effects.push(Effect::unclear(What::Signature, "what it is made of changed"));
            }
        }
        effects.extend(self.made(old, new, how));
        effects.extend(self.used_as(old, new, how));
        if let (How::Derived, Some(before), Some(after)) = (how, self.old.scope(old), self.new.scope(new)) {
            // The keys of a mapping's type are asked of whoever hands it over.
            let keys = after.bases.iter().any(|base| base_name(base) == "TypedDict");
            for name in after.required.difference(&before.required).filter(|_| !keys) {
                let text = format!("whoever derives from it needs `{name}` now");
                effects.push(Effect::breaks(What::Required, &text));
            }
            let every = |text: &&String| is_for_every_type(text);
            if let Some(more) = after.traits.difference(&before.traits).find(every) {
                let text = format!("it is there for types that aren't its own now, and this may be one: `{more}`");
                effects.push(Effect::unclear(What::Required, text));
            }
            effects.extend(self.derived_from(before, after));
            match (self.old.constructor(old), self.new.constructor(new)) {
                (Ok(before), Ok(after)) if before == after => {}
                _ => effects.push(Effect::unclear(What::Signature, "how it is made changed")),
            }
        }
        effects
    }

    /// What can no longer be done with the objects of a class, or with the class, as far as it is used at all.
    pub fn used_as(&self, old: ScopeId, new: ScopeId, how: How<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let (Some(before), Some(after)) = (self.old.scope(old), self.new.scope(new)) else {
            return effects;
        };
        let after_special = special(self.new, new);
        let lost: BTreeSet<String> = special(self.old, old).difference(&after_special).cloned().collect();
        if !lost.is_empty() {
            let text = format!("its objects have lost {}", list(&lost));
            effects.push(Effect::unclear(What::Removed, text));
        }
        let lost: BTreeSet<String> = self
            .lost_bases(old, new)
            .into_iter()
            // What isn't public is only a place to keep what is, and that is compared by itself.
            .filter(|name| !name.starts_with('_') || matches!(how, How::Derived))
            .collect();
        if !lost.is_empty() {
            let text = format!("it no longer derives from {}", list(&lost));
            effects.push(Effect::unclear(What::Bases, text));
        }
        effects.extend(self.declared(before, after, how));
        match (&before.elements, &after.elements) {
            (Some(was), Some(is)) if was == is => {}
            (Some(_), Some(is)) => {
                let text = format!("its objects are unpacked into {} now", list(is));
                effects.push(Effect::unclear(What::Type, text));
            }
            (Some(_), None) => effects.push(Effect::unclear(What::Type, "its objects are no tuples any more")),
            (None, _) => {}
        }
        if matches!(how, How::Called(Some(_))) && self.is_enum(old) {
            effects.extend(Self::values_of_enum(before, after));
        }
        let lost: BTreeSet<String> = before.traits.difference(&after.traits).cloned().collect();
        if !lost.is_empty() {
            let text = format!("it no longer implements {}", list(&lost));
            effects.push(Effect::unclear(What::Bases, text));
        }
        for of in before.traits.intersection(&after.traits) {
            effects.extend(self.moved(&self.new.packages_in(&after.path, of)));
        }
        if after.traits.contains("Drop") && !before.traits.contains("Drop") {
            let text = "it does something when it is dropped now, and its fields can't be moved out";
            effects.push(Effect::unclear(What::Bases, text));
        }
        match (&before.listed, &after.listed) {
            (Some(was), Some(is)) if before.is_class => {
                let more: BTreeSet<String> = is.difference(was).cloned().collect();
                if !more.is_empty() {
                    let text = format!("it has more variants, and a `match` may miss them: {}", list(&more));
                    effects.push(Effect::unclear(What::Required, text));
                }
            }
            (Some(_), None) if before.is_class => {
                let text = "it may have more variants now, and a `match` has to say what becomes of them";
                effects.push(Effect::unclear(What::Required, text));
            }
            _ => {}
        }
        let threads: BTreeSet<&str> = one_thread(self.new, new)
            .difference(&one_thread(self.old, old))
            .copied()
            .collect();
        if !threads.is_empty() {
            let held = threads
                .into_iter()
                .map(|part| format!("`{}`", part.trim_end_matches('<')));
            let text = format!(
                "it holds {} now, and may no longer be `Send` or `Sync`",
                held.collect::<Vec<_>>().join(", ")
            );
            effects.push(Effect::unclear(What::Bases, text));
        }
        effects
    }

    /// What is written around a class: decorators, `abstract`, what it is generic over, what makes it.
    fn declared(&self, before: &Scope, after: &Scope, how: How<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        // Only who derives from it is told by `final`.
        let matters = |word: &&String| *word != "final" || matches!(how, How::Derived);
        let gone: Vec<&String> = before.declared.difference(&after.declared).filter(matters).collect();
        let more: Vec<&String> = after.declared.difference(&before.declared).filter(matters).collect();
        if more.iter().any(|word| *word == "abstract") && matches!(how, How::Called(Some(_))) {
            effects.push(Effect::breaks(What::Kind, "it is abstract now, and can't be made"));
        } else if !gone.is_empty() || !more.is_empty() {
            let said = |words: Vec<&String>| match words.is_empty() {
                true => "nothing".to_owned(),
                false => words.into_iter().cloned().collect::<Vec<_>>().join(", "),
            };
            let text = format!("it was declared with {}, and is with {}", said(gone), said(more));
            effects.push(Effect::unclear(What::Signature, text));
        }
        // The class that makes a class decides what calling it does.
        let called = |surface: &Surface, scope: &Scope| {
            let names = match scope.maker.as_ref()? {
                crate::upgrade::surface::Ref::Local(from, names) => surface.class_from(*from, names)?,
                _ => return None,
            };
            let items = surface.scope(names)?.members.get("__call__")?;
            Some(items.last()?.kind.clone())
        };
        if called(self.old, before) != called(self.new, after) {
            let text = "the class that makes it decides otherwise what a call of it does";
            effects.push(Effect::unclear(What::Signature, text));
        }
        effects
    }

    /// What whoever derives from a class is told by it.
    fn derived_from(&self, before: &Scope, after: &Scope) -> Vec<Effect> {
        let mut effects = Vec::new();
        let kinds = |scope: &Scope, name: &str| -> Vec<Kind> {
            let items = scope.members.get(name).map(Vec::as_slice).unwrap_or_default();
            items.iter().map(|item| item.kind.clone()).collect()
        };
        for (name, text) in [
            (
                "__init_subclass__",
                "what runs when a class derives from it changed (`__init_subclass__`)",
            ),
            (
                "__slots__",
                "which attributes its objects can have changed (`__slots__`)",
            ),
        ] {
            let same = kinds(before, name) == kinds(after, name)
                && before
                    .members
                    .get(name)
                    .map(|items| items.iter().map(|item| &item.made).collect::<Vec<_>>())
                    == after
                        .members
                        .get(name)
                        .map(|items| items.iter().map(|item| &item.made).collect::<Vec<_>>());
            if !same {
                effects.push(Effect::unclear(What::Signature, text));
            }
        }
        for name in before.required.intersection(&after.required) {
            let (was, is) = (kinds(before, name), kinds(after, name));
            if was != is {
                let text = format!("what its `{name}` has to be changed");
                effects.push(Effect::unclear(What::Required, text));
            }
        }
        effects
    }

    /// Values by which members of an enum are asked for.
    fn values_of_enum(before: &Scope, after: &Scope) -> Option<Effect> {
        let values = |scope: &Scope| -> BTreeSet<String> {
            let items = scope.members.values().flatten();
            items
                .filter_map(|item| match &item.made {
                    Made::Literal(value) => Some(value.clone()),
                    _ => None,
                })
                .collect()
        };
        let lost: BTreeSet<String> = values(before).difference(&values(after)).cloned().collect();
        let text = format!("it has no member of the value {} any more", list(&lost));
        (!lost.is_empty()).then(|| Effect::unclear(What::Removed, text))
    }

    /// Whether members of a class are its objects.
    pub fn is_enum(&self, old: ScopeId) -> bool {
        let bases = derived(self.old, old);
        self.old.language == Language::Python && (bases.contains("Enum") || bases.contains("Flag"))
    }

    /// Names of all that a class derived from and no longer does.
    pub(super) fn lost_bases(&self, old: ScopeId, new: ScopeId) -> BTreeSet<String> {
        let now = derived(self.new, new);
        let (line, _) = self.new.lineage(new);
        let mut lost: BTreeSet<String> = derived(self.old, old).difference(&now).cloned().collect();
        for id in self.old.lineage(old).0.into_iter().skip(1) {
            // Under another name it is still the same.
            let renamed = self.counterpart(id).is_some_and(|id| line.contains(&id));
            if let Some(name) = self
                .old
                .scope(id)
                .and_then(|scope| scope.path.last())
                .filter(|_| renamed)
            {
                lost.remove(name);
            }
        }
        lost
    }

    /// For each class of which something was lost that it derived from: what. A class that is gone has lost all; only
    /// who catches errors sees that.
    pub fn all_lost_bases(&self) -> Vec<(ScopeId, BTreeSet<String>, bool)> {
        let classes = self.old.scopes.iter().enumerate().filter(|(_, scope)| scope.is_class);
        classes
            .filter_map(|(id, scope)| {
                let is_public = !scope.path.last().is_some_and(|name| name.starts_with('_'));
                let (lost, gone) = match self.counterpart(id) {
                    Some(new) => (self.lost_bases(id, new), false),
                    None if is_public => (derived(self.old, id), true),
                    None => return None,
                };
                (!lost.is_empty()).then_some((id, lost, gone))
            })
            .collect()
    }
}

/// Names of all that a class derives from, of the package and of others.
fn derived(surface: &Surface, id: ScopeId) -> BTreeSet<String> {
    let (own, foreign) = surface.lineage(id);
    let own = own
        .into_iter()
        .skip(1)
        .filter_map(|id| surface.scope(id)?.path.last().map(String::as_str));
    own.chain(foreign.into_iter().flat_map(|base| with_above(base_name(base))))
        .map(str::to_owned)
        .collect()
}

/// Members of a class that the language asks its objects for.
fn special(surface: &Surface, id: ScopeId) -> BTreeSet<String> {
    let asked = |name: &str| match surface.language {
        Language::Python => {
            name.len() > 4 && name.starts_with("__") && name.ends_with("__") && !OWN_AFFAIR.contains(&name)
        }
        Language::JavaScript => name.starts_with("[Symbol.") || ASKED_BY_JAVASCRIPT.contains(&name),
        _ => false,
    };
    let (mut found, mut seen): (BTreeSet<String>, BTreeSet<&str>) = (BTreeSet::new(), BTreeSet::new());
    for scope in surface.lineage(id).0.into_iter().filter_map(|id| surface.scope(id)) {
        for (name, items) in scope.members.iter().filter(|(name, _)| asked(name)) {
            let is_none = items
                .last()
                .is_some_and(|item| item.made == Made::Literal("None".to_owned()));
            if seen.insert(name) && !is_none {
                found.insert(name.clone());
            }
        }
        // A class with its own equality and no hash has none (Python language reference, 3.3.1).
        if scope.members.contains_key("__eq__") {
            seen.insert("__hash__");
        }
    }
    if surface.language == Language::Python && !seen.contains("__hash__") {
        found.insert("__hash__".to_owned());
    }
    found
}

/// Whether the head of an `impl` is for a type parameter, or for a reference to or a box of one (Rust reference,
/// "Orphan rules").
fn is_for_every_type(head: &str) -> bool {
    let Some((generics, ty)) = head.strip_prefix("impl<").and_then(|rest| rest.split_once(" for ")) else {
        return false;
    };
    let ty = ty.split(" where ").next().unwrap_or(ty);
    let plain = ty.trim_start_matches(['&', ' ']).trim_start_matches("mut ");
    let plain = ["Box<", "Pin<"]
        .iter()
        .find_map(|of| plain.strip_prefix(of))
        .unwrap_or(plain);
    let plain = plain.trim_end_matches(['>', ' ']);
    let mut names = generics.split([',', ':', '>', ' ']).map(str::trim);
    names.any(|name| name == plain)
}

/// What a type, or one of the package's that it holds, has that keeps it on one thread.
fn one_thread(surface: &Surface, id: ScopeId) -> BTreeSet<&'static str> {
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![id]);
    while let Some(scope) = open.pop().and_then(|id| surface.scope(id)) {
        if seen.len() > 100 || !seen.insert(scope.path.clone()) {
            continue;
        }
        for ty in &scope.holds {
            found.extend(OF_ONE_THREAD.iter().filter(|part| ty.contains(**part)));
            if ty.contains("dyn ") && !ty.contains("Send") {
                found.insert("dyn");
            }
            for item in surface.named_in(&scope.path, ty).into_values() {
                if let Kind::Class(id) = item.kind {
                    open.push(id);
                }
            }
        }
    }
    found
}
