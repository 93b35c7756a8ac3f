//! What becomes of one use when one surface takes the place of another.

pub(super) mod behind;
mod classes;
mod makers;
mod making;
mod meanings;
mod members;

use std::collections::BTreeSet;

use super::signature::Signature;
use super::surface::{Found, Item, Kind, Ref, Scope, ScopeId, Surface};
use super::{Effect, What};
use crate::facts::Arguments;
use crate::language::Language;

/// What a use does with what it names.
#[derive(Debug, Clone, Copy)]
pub(super) enum How<'a> {
    /// It imports it, or gives it another name: what is done with that is seen where it is used.
    Imported,
    /// It only names it.
    Named,
    /// It calls it; without arguments where they can't be seen.
    Called(Option<&'a Arguments>),
    /// It derives from it.
    Derived,
}

/// Two things that the same names lead to.
pub(super) struct Pair<'a> {
    pub old: &'a Surface,
    pub new: &'a Surface,
    /// Whether the author says that the new version may break clients.
    pub major: bool,
}

fn noun(kind: &Kind) -> &'static str {
    match kind {
        Kind::Function(_) => "a function",
        Kind::Class(_) => "a class",
        Kind::Module(_) => "a module",
        Kind::Value(_) => "a value",
        Kind::Type(_) => "a type",
        Kind::Alias(_) | Kind::Opaque(_) => "something that can't be read",
    }
}

impl Pair<'_> {
    /// The effects on a use of the thing.
    pub fn effects(&self, was: &Item, is: &Item, how: How<'_>) -> Vec<Effect> {
        if matches!(how, How::Imported) {
            return match (&was.kind, &is.kind) {
                // Types are used where no use is seen.
                (Kind::Type(old), Kind::Type(new)) if old != new && self.old.language == Language::JavaScript => {
                    vec![Effect::unclear(What::Type, format!("it was `{old}`, and is `{new}`"))]
                }
                // Traits are taken in for their methods, which are on any type.
                (Kind::Class(old), Kind::Class(new)) if self.old.language == Language::Rust => {
                    self.used_as(*old, *new, how)
                }
                (Kind::Class(old), Kind::Class(new)) => self.shape(*old, *new).into_iter().collect(),
                (Kind::Opaque(_), _) => Vec::new(),
                (_, Kind::Opaque(why)) => vec![Effect::unclear(What::Kind, why.clone())],
                _ => Vec::new(),
            };
        }
        let mut effects = match (&was.kind, &is.kind) {
            (Kind::Function(old), Kind::Function(new)) => match how {
                How::Derived if new.never_made && !old.never_made => {
                    vec![Effect::breaks(What::Kind, "no class can derive from it any more")]
                }
                How::Called(given) => new.effect(old, given, self.old.language),
                How::Imported | How::Named | How::Derived => new.effect(old, None, self.old.language),
            },
            (Kind::Class(old), Kind::Class(new)) => self.classes(*old, *new, how),
            (Kind::Module(_), Kind::Module(_)) => Vec::new(),
            (Kind::Value(old), Kind::Value(new)) => {
                let changed = super::types::compare_types(old.as_deref(), new.as_deref(), super::types::Types::Given);
                changed.prefixed("its type").into_iter().collect()
            }
            (Kind::Type(old), Kind::Type(new)) if old == new => Vec::new(),
            (Kind::Type(old), Kind::Type(new)) => {
                vec![Effect::unclear(What::Type, format!("it was `{old}`, and is `{new}`"))]
            }
            (Kind::Alias(Ref::Elsewhere(what)), Kind::Alias(new)) if *new == Ref::Elsewhere(what.clone()) => {
                return self.moved(what.split("::").next().map(str::to_owned).as_ref());
            }
            (Kind::Alias(old), Kind::Alias(new)) if old == new => return Vec::new(),
            (Kind::Alias(_), _) | (_, Kind::Alias(_)) => {
                vec![Effect::unclear(What::Kind, "it is another package's now, or was")]
            }
            (Kind::Opaque(why), _) | (_, Kind::Opaque(why)) => vec![Effect::unclear(What::Kind, why.clone())],
            (old, new) => {
                let text = format!("it was {}, and is {}", noun(old), noun(new));
                let callable = |kind: &Kind| matches!(kind, Kind::Function(_) | Kind::Class(_) | Kind::Value(None));
                match how {
                    How::Derived => vec![Effect::breaks(What::Kind, &text)],
                    How::Called(_) if callable(old) && !callable(new) && matches!(new, Kind::Module(_)) => {
                        vec![Effect::breaks(What::Kind, &text)]
                    }
                    _ => vec![Effect::unclear(What::Kind, text)],
                }
            }
        };
        if let How::Called(Some(given)) = how
            && !effects.iter().any(|effect| matches!(effect, Effect::Breaks { .. }))
        {
            effects.extend(self.handed_on(was, is, given));
            effects.extend(self.options(was, is, given));
        }
        if effects.is_empty() && self.major && !matches!(is.kind, Kind::Module(_)) {
            effects.extend(self.behaviour(was, is));
        }
        effects
    }

    /// What an interface or a type asks of its objects, for those that the client makes itself.
    fn shape(&self, old: ScopeId, new: ScopeId) -> Option<Effect> {
        let (before, after) = (self.old.scope(old)?, self.new.scope(new)?);
        if self.old.language != Language::JavaScript {
            return None;
        }
        let ((needed, taken), (needs, takes)) = (meanings::type_parameters(before), meanings::type_parameters(after));
        if needs > needed || takes < taken {
            let text = format!("it took {needed} to {taken} type parameters, and takes {needs} to {takes}");
            return Some(Effect::unclear(What::Type, text));
        }
        let changed = before.required != after.required;
        changed.then(|| Effect::unclear(What::Required, "what its objects have to have changed"))
    }

    /// How a thing is called.
    pub(super) fn called<'s>(surface: &'s Surface, item: &'s Item) -> Option<&'s Signature> {
        match &item.kind {
            Kind::Function(signature) => Some(signature),
            Kind::Class(id) => surface.constructor(*id).ok().flatten(),
            _ => None,
        }
    }

    /// Keyword arguments that only `**kwargs` takes, and that some function of the package no longer knows.
    fn handed_on(&self, was: &Item, is: &Item, given: &Arguments) -> Vec<Effect> {
        let (Some(before), Some(after)) = (Self::called(self.old, was), Self::called(self.new, is)) else {
            return Vec::new();
        };
        let swallowed = before
            .swallowed(given)
            .into_iter()
            .filter(|name| after.swallowed(given).contains(name));
        let unknown = |name: &str| {
            let takers = |surface: &Surface| {
                let mut found = BTreeSet::new();
                for scope in &surface.scopes {
                    for (function, items) in &scope.members {
                        for item in items {
                            if Self::called(surface, item).is_some_and(|s| s.parameters.iter().any(|p| p.name == name))
                            {
                                found.insert((scope.path.clone(), function.clone()));
                            }
                        }
                    }
                }
                found
            };
            let (old, new) = (takers(self.old), takers(self.new));
            // Where nothing takes it by name, the code that looks for it must be the same.
            if old.is_empty() {
                was.body == 0 || was.body != is.body
            } else {
                !old.is_subset(&new)
            }
        };
        swallowed
            .filter(|name| unknown(name))
            .map(|name| {
                let text =
                    format!("`{name}` is handed on to code that changed, and whether it is still taken can't be seen");
                Effect::unclear(What::ParameterRemoved, text)
            })
            .collect()
    }

    /// Keys of an object that is written out in a call, against the type that is declared for it.
    fn options(&self, was: &Item, is: &Item, given: &Arguments) -> Vec<Effect> {
        let (Some(before), Some(after)) = (Self::called(self.old, was), Self::called(self.new, is)) else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        for (at, keys) in given.positional.iter().enumerate() {
            let (Some(keys), Some(old), Some(new)) = (keys, before.parameters.get(at), after.parameters.get(at)) else {
                continue;
            };
            let (Some(old), Some(new)) = (
                self.types(self.old, old.ty.as_deref()),
                self.types(self.new, new.ty.as_deref()),
            ) else {
                continue;
            };
            for key in keys
                .iter()
                .filter(|key| old.iter().any(|scope| scope.members.contains_key(*key)))
            {
                if !new.iter().any(|scope| scope.members.contains_key(key)) {
                    effects.push(Effect::breaks(
                        What::ParameterRemoved,
                        &format!("there is no option `{key}`"),
                    ));
                }
            }
            let needed = |scopes: &[&Scope]| {
                scopes
                    .iter()
                    .flat_map(|scope| scope.required.iter().cloned())
                    .collect::<BTreeSet<_>>()
            };
            for key in needed(&new).difference(&needed(&old)).filter(|key| !keys.contains(key)) {
                effects.push(Effect::unclear(
                    What::ParameterAdded,
                    format!("the option `{key}` has to be given"),
                ));
            }
        }
        effects
    }

    /// The classes and interfaces of the names in a type, with what they derive from; `None` when one of them has
    /// members that can't be seen, or there is none.
    fn types<'s>(&self, surface: &'s Surface, ty: Option<&str>) -> Option<Vec<&'s Scope>> {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let names: BTreeSet<&str> = ty?
            .split(|c: char| !is_name(c))
            .filter(|name| !name.is_empty())
            .collect();
        let named = (0..surface.scopes.len()).filter(|id| {
            let scope = surface.scope(*id);
            scope.is_some_and(|s| s.is_class && s.path.last().is_some_and(|last| names.contains(last.as_str())))
        });
        let mut found = Vec::new();
        for id in named {
            let (line, complete) = surface.ancestry(id);
            let scopes: Vec<&Scope> = line.iter().filter_map(|id| surface.scope(*id)).collect();
            if !complete || scopes.iter().any(|scope| scope.hidden.is_some()) {
                return None;
            }
            found.extend(scopes);
        }
        (!found.is_empty()).then_some(found)
    }

    /// A major release says that something breaks; where the code itself changed, that may be it.
    fn behaviour(&self, was: &Item, is: &Item) -> Option<Effect> {
        let elsewhere = self.old.declares_only || self.new.declares_only;
        if elsewhere || (was.body != 0 && was.body == is.body) {
            return None;
        }
        let text = if was.body == 0 || is.body == 0 {
            "the call fits, but its code can't be compared, and this is a major release"
        } else {
            "the call fits, but its code changed, and this is a major release"
        };
        Some(Effect::unclear(What::Behaviour, text))
    }

    /// The effects on a use of a member, by name, of any class that has it, with that class: whose it is can't be seen.
    pub fn member(&self, name: &str, call: Option<&Arguments>) -> Vec<(ScopeId, Effect)> {
        let mut found = Vec::new();
        for (id, scope) in self.old.scopes.iter().enumerate().filter(|(_, scope)| scope.is_class) {
            let Some(was) = scope.members.get(name).and_then(|items| items.last()) else {
                continue;
            };
            let Some(new) = self.counterpart(id) else {
                found.push((id, Effect::breaks(What::Removed, "the class that has it is gone")));
                continue;
            };
            match self.new.member(new, name) {
                Found::Missing(_) => found.push((id, Effect::breaks(What::Removed, "it is gone"))),
                Found::Hidden(why) => found.push((id, Effect::unclear(What::Removed, why))),
                Found::Thing { item: is, .. } => {
                    let how = match call {
                        Some(given) => How::Called(Some(given)),
                        None => How::Named,
                    };
                    let mut effects = self.effects(was, is, how);
                    effects.extend(self.reached(was, is, None));
                    found.extend(
                        effects
                            .into_iter()
                            .find(|effect| !self.only_behaviour(effect))
                            .map(|effect| (id, effect)),
                    );
                }
            }
        }
        found
    }

    /// By name alone, changed code says nothing: nearly every name is some method's.
    fn only_behaviour(&self, effect: &Effect) -> bool {
        matches!(
            effect,
            Effect::Unclear {
                what: What::Behaviour,
                ..
            }
        )
    }

    /// The class of the new version that an old one became: the same path, or the only one of its name.
    pub fn counterpart(&self, old: ScopeId) -> Option<ScopeId> {
        let scope = self.old.scope(old)?;
        if let Some(same) = self.new.at(&scope.path) {
            return Some(same);
        }
        if let Found::Thing {
            item: Item {
                kind: Kind::Class(id), ..
            },
            ..
        } = self.new.find(&scope.path)
        {
            return Some(*id);
        }
        let name = scope.path.last()?;
        let mut named = (0..self.new.scopes.len()).filter(|id| {
            self.new
                .scope(*id)
                .is_some_and(|s| s.is_class && s.path.last() == Some(name))
        });
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }
}
