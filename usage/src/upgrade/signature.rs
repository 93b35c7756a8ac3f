//! What a function asks for and gives, and whether a call that fitted before fits now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::types::{Types, compare_types};
use super::{Effect, What};
use crate::facts::Arguments;
use crate::language::Language;

/// What a function gives that does nothing but raise one.
pub(super) const AN_ERROR: &str = "an error";

/// How an argument reaches a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// By its place only.
    Positional,
    /// By its place or its name.
    Either,
    /// By its name only.
    Keyword,
    /// It takes all further arguments without a name.
    Rest,
    /// It takes all further arguments with a name.
    KeywordRest,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub kind: ParameterKind,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it isn't given, as written.
    pub default: Option<String>,
    /// Its type, as written.
    pub ty: Option<String>,
}

/// What a function asks for and gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Parameters in order, without the receiver.
    pub parameters: Vec<Parameter>,
    /// Type of what it gives, as written.
    pub returns: Option<String>,
    /// Whether what it gives has to be awaited.
    pub is_async: bool,
    /// What kind of thing its code gives, where that is plain to see: `a generator`, `a tuple of 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives: Option<String>,
    /// Parameters of the declarations that its own one stands for (Python's `overload`), as written.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub overloads: BTreeSet<String>,
    /// Whether `new` can't make objects by it: an arrow, a method (ECMA-262, 10.2).
    #[serde(default)]
    pub never_made: bool,
    /// What changes it in ways that can't be read: decorators, generics, `unsafe`, `where`.
    pub qualifiers: Vec<String>,
}

/// Why a call doesn't fit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Misfit {
    what: What,
    why: String,
}

/// Which parameter each argument reaches, by index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binding {
    positional: Vec<usize>,
    keywords: Vec<usize>,
}

impl Signature {
    fn bind(&self, given: &Arguments) -> Result<Binding, Misfit> {
        let misfit = |what, why: String| Err(Misfit { what, why });
        let by_place = |kind| matches!(kind, ParameterKind::Positional | ParameterKind::Either);
        let mut places = (0..self.parameters.len()).filter(|at| self.kind(*at).is_some_and(by_place));
        let rest = self.parameters.iter().position(|p| p.kind == ParameterKind::Rest);
        let mut positional = Vec::new();
        for number in 1..=given.positional.len() {
            match places.next().or(rest) {
                Some(at) => positional.push(at),
                None => {
                    let now_named = self.parameters.iter().any(|p| p.kind == ParameterKind::Keyword);
                    return misfit(
                        if now_named {
                            What::KeywordOnly
                        } else {
                            What::ParameterRemoved
                        },
                        format!("it takes {} positional arguments, not {number}", positional.len()),
                    );
                }
            }
        }
        let keyword_rest = self
            .parameters
            .iter()
            .position(|p| p.kind == ParameterKind::KeywordRest);
        let mut keywords = Vec::new();
        for name in &given.keywords {
            let named = self
                .parameters
                .iter()
                .position(|p| p.name == *name && matches!(p.kind, ParameterKind::Either | ParameterKind::Keyword));
            match named.or(keyword_rest) {
                Some(at) if positional.contains(&at) => {
                    return misfit(What::ParameterReordered, format!("`{name}` is given twice"));
                }
                Some(at) => keywords.push(at),
                None => return misfit(What::ParameterRemoved, format!("there is no parameter `{name}`")),
            }
        }
        for (at, parameter) in self.parameters.iter().enumerate() {
            if parameter.required && !positional.contains(&at) && !keywords.contains(&at) {
                return misfit(
                    What::ParameterAdded,
                    format!("the parameter `{}` has to be given", parameter.name),
                );
            }
        }
        Ok(Binding { positional, keywords })
    }

    /// Takes more parameters; one that is known is another now, at its place.
    pub(super) fn override_by(&mut self, parameters: &[Parameter]) {
        for parameter in parameters {
            match self.parameters.iter_mut().find(|known| known.name == parameter.name) {
                Some(known) => *known = parameter.clone(),
                None => self.parameters.push(parameter.clone()),
            }
        }
    }

    /// How it reads as one of several declarations of a name.
    pub(super) fn spelled(&self) -> String {
        let parameters = self.parameters.iter().map(|p| {
            let mark = match p.kind {
                ParameterKind::Rest => "...",
                _ => "",
            };
            let optional = if p.required { "" } else { "?" };
            format!("{mark}{}{optional}: {}", p.name, p.ty.as_deref().unwrap_or("any"))
        });
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        format!("({parameters}) => {}", self.returns.as_deref().unwrap_or("any"))
    }

    /// Whether it is one of several declarations of its name.
    fn is_overloaded(&self) -> bool {
        self.qualifiers.iter().any(|qualifier| qualifier.starts_with('('))
    }

    fn kind(&self, at: usize) -> Option<ParameterKind> {
        self.parameters.get(at).map(|parameter| parameter.kind)
    }

    /// Whether every call that fits `old` fits this one in the same way.
    fn takes_all_of(&self, old: &Self) -> bool {
        if self.is_async != old.is_async || self.qualifiers != old.qualifiers {
            return false;
        }
        let same = old.parameters.iter().enumerate().all(|(at, before)| {
            let now = match before.kind {
                ParameterKind::Positional | ParameterKind::Either => self.parameters.get(at),
                _ => self.parameters.iter().find(|p| p.name == before.name),
            };
            now.is_some_and(|now| {
                now.name == before.name
                    && (now.kind == before.kind
                        || matches!(
                            (before.kind, now.kind),
                            (
                                ParameterKind::Positional | ParameterKind::Keyword,
                                ParameterKind::Either
                            )
                        ))
                    && (before.required || !now.required)
                    && now.default == before.default
                    && matches!(
                        compare_types(before.ty.as_deref(), now.ty.as_deref(), Types::Taken),
                        Effect::None
                    )
            })
        });
        let added = self
            .parameters
            .iter()
            .filter(|p| !old.parameters.iter().any(|b| b.name == p.name));
        same && added.into_iter().all(|p| !p.required)
    }

    /// Names of keyword arguments that only `**kwargs` takes: what becomes of them is in the code.
    pub(super) fn swallowed<'a>(&self, given: &'a Arguments) -> Vec<&'a str> {
        let by_name = |p: &Parameter| matches!(p.kind, ParameterKind::Either | ParameterKind::Keyword);
        let takes = |name: &str| self.parameters.iter().any(|p| by_name(p) && p.name == name);
        let names = given.keywords.iter().map(String::as_str);
        names.filter(|name| !takes(name)).collect()
    }

    /// What becomes of a call, or of a use that hands the function on (`given` is `None`), when `old` becomes this.
    pub(super) fn effect(&self, old: &Self, given: Option<&Arguments>, language: Language) -> Vec<Effect> {
        if self == old {
            return Vec::new();
        }
        let awaited = |of: &Self| {
            of.is_async
                || language == Language::JavaScript
                    && (of.gives.as_deref() == Some("a promise")
                        || of
                            .returns
                            .as_deref()
                            .is_some_and(|ty| ty.trim_start().starts_with("Promise")))
        };
        if self.is_async != old.is_async && awaited(self) != awaited(old) {
            // A function of JavaScript may give a promise without saying so.
            let other = if self.is_async { old } else { self };
            let may = language == Language::JavaScript && other.gives.is_none() && other.returns.is_none();
            let text = if self.is_async {
                "it has to be awaited now"
            } else {
                "it is no longer awaited"
            };
            return match may {
                true => vec![Effect::unclear(What::Asyncness, text)],
                false => vec![Effect::breaks(What::Asyncness, text)],
            };
        }
        let mut effects = Vec::new();
        // What can be called when the program is compiled can still be called when it runs.
        let rest = |of: &Self| -> Vec<String> { of.qualifiers.iter().filter(|q| *q != "const").cloned().collect() };
        let only_more = language == Language::Rust && !old.qualifiers.iter().any(|q| q == "const");
        if self.qualifiers != old.qualifiers && !(only_more && rest(self) == rest(old)) {
            let list = |of: &Self| match of.qualifiers.join(", ") {
                none if none.is_empty() => "nothing".to_owned(),
                some => format!("`{some}`"),
            };
            let text = format!("it was qualified by {}, and is by {}", list(old), list(self));
            effects.push(Effect::unclear(What::Signature, text));
            if self.is_overloaded() || old.is_overloaded() {
                // Which of them a call means isn't known.
                return effects;
            }
        }
        if self.never_made && !old.never_made && given.is_some_and(|given| given.made) {
            return vec![Effect::breaks(What::Kind, "`new` can't make objects by it any more")];
        }
        if self.gives.as_deref() == Some(AN_ERROR) && old.gives.as_deref() != Some(AN_ERROR) {
            let text = "it does nothing but raise an error now";
            return vec![match given {
                Some(_) => Effect::breaks(What::Removed, text),
                None => Effect::unclear(What::Removed, text),
            }];
        }
        if let (Some(was), Some(is)) = (&old.gives, &self.gives)
            && was != is
            && was != "nothing"
            && was != AN_ERROR
            && self.is_async == old.is_async
            && (old.returns.is_none() || old.returns != self.returns)
        {
            let text = format!("it gave {was}, and gives {is}");
            effects.push(Effect::unclear(What::Type, text));
        }
        if let Some(lost) = old.overloads.difference(&self.overloads).next() {
            let text = format!("it was declared for `{lost}` too, and no longer is");
            effects.push(Effect::unclear(What::Parameters, text));
        }
        let returned = compare_types(old.returns.as_deref(), self.returns.as_deref(), Types::Given);
        effects.extend(returned.prefixed("what it gives"));
        let Some(given) = given.filter(|given| !given.open) else {
            if !self.takes_all_of(old) {
                let text = "its parameters changed, and with which it is called can't be seen";
                effects.push(Effect::unclear(What::Parameters, text));
            }
            return effects;
        };
        let (before, now) = match (old.bind(given), self.bind(given)) {
            (Ok(before), Ok(now)) => (before, now),
            // JavaScript lets calls leave out and add what it wants.
            (Err(_), Ok(_)) => return effects,
            (Err(misfit), Err(_)) => {
                let text = format!(
                    "the call doesn't even fit the old version as it was read: {}",
                    misfit.why
                );
                effects.push(Effect::unclear(What::Signature, text));
                return effects;
            }
            (Ok(_), Err(misfit)) => {
                effects.push(Effect::breaks(misfit.what, &misfit.why));
                return effects;
            }
        };
        let pairs = before.positional.iter().zip(&now.positional).map(|pair| (pair, true));
        let pairs = pairs.chain(before.keywords.iter().zip(&now.keywords).map(|pair| (pair, false)));
        for ((was, is), by_place) in pairs {
            if let (Some(was), Some(is)) = (old.parameters.get(*was), self.parameters.get(*is)) {
                effects.extend(self.argument(old, was, is, by_place, language));
            }
        }
        for (at, parameter) in old.parameters.iter().enumerate() {
            let given = before.positional.contains(&at) || before.keywords.contains(&at);
            let now = self.parameters.iter().find(|p| p.name == parameter.name);
            if let (false, Some(now)) = (given, now)
                && let (Some(was), Some(is)) = (&parameter.default, &now.default)
                && was != is
            {
                let text = format!("without `{}` it meant `{was}`, and means `{is}` now", parameter.name);
                effects.push(Effect::unclear(What::Default, text));
            }
            if let (
                false,
                Some(Parameter {
                    default: None,
                    required: false,
                    ..
                }),
                Some(was),
            ) = (given, now, &parameter.default)
                && parameter.ty.is_none()
            {
                let text = format!(
                    "without `{}` it meant `{was}`, and what it means now isn't said",
                    parameter.name
                );
                effects.push(Effect::unclear(What::Default, text));
            }
        }
        effects
    }

    fn argument(
        &self,
        old: &Self,
        was: &Parameter,
        is: &Parameter,
        by_place: bool,
        language: Language,
    ) -> Option<Effect> {
        let named = |of: &Self, name: &str| of.parameters.iter().any(|p| p.name == name);
        let ends = |p: &Parameter| matches!(p.kind, ParameterKind::Rest | ParameterKind::KeywordRest);
        if ends(was) != ends(is) {
            let text = format!(
                "the argument for `{}`, which takes any, goes to `{}` now",
                was.name, is.name
            );
            return ends(was).then(|| Effect::unclear(What::ParameterReordered, text));
        }
        if by_place && was.name != is.name && !ends(was) {
            if named(self, &was.name) || named(old, &is.name) {
                let text = format!("the argument for `{}` goes to `{}` now", was.name, is.name);
                return Some(Effect::breaks(What::ParameterReordered, &text));
            }
            let same_type = was.ty.is_some() && was.ty == is.ty;
            // Names of Rust's parameters and of JavaScript's are the function's own affair.
            if language == Language::Python && !same_type {
                let text = format!("the parameter `{}` is `{}` now", was.name, is.name);
                return Some(Effect::unclear(What::ParameterRenamed, text));
            }
        }
        let apart = is
            .ty
            .as_deref()
            .filter(|ty| ty.starts_with(['{', '[']) && is.name == **ty);
        if let (Language::JavaScript, None, Some(parts)) = (language, &was.ty, apart) {
            let text = format!("what is given for `{}` is taken apart as `{parts}` now", was.name);
            return Some(Effect::unclear(What::Type, text));
        }
        compare_types(was.ty.as_deref(), is.ty.as_deref(), Types::Taken)
            .prefixed(&format!("the parameter `{}`", is.name))
    }
}
