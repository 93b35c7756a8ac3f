//! What a repo relies on without naming it: what the language asks for, what its errors derive from, what is beside it.

use std::collections::BTreeMap;

use super::modules::is_typed;
use super::{Judge, separator};
use crate::facts::{Place, SET};
use crate::language::Language;
use crate::upgrade::compare::behind::At;
use crate::upgrade::compare::{How, Pair};
use crate::upgrade::javascript::GLOBAL;
use crate::upgrade::surface::{Found, Kind, Made, Surface};
use crate::upgrade::uses::{Rooted, Uses};
use crate::upgrade::{Effect, What};

/// Members that the language asks for, with those that it asks for when there are none.
const INSTEAD: &[(&str, &[&str])] = &[
    ("__contains__", &["__iter__", "__getitem__"]),
    ("__iter__", &["__getitem__"]),
    ("__reversed__", &["__getitem__"]),
    ("__int__", &["__index__", "__trunc__"]),
    ("__float__", &["__index__"]),
    ("__lt__", &["__gt__"]),
    ("__gt__", &["__lt__"]),
    ("__le__", &["__ge__"]),
    ("__ge__", &["__le__"]),
    ("__format__", &["__str__"]),
];

impl Judge<'_> {
    /// Effects on a use of a member that its declaration doesn't say: through what it is reached, and what is behind.
    pub(super) fn of_member(
        &self,
        pair: &Pair<'_>,
        here: &[String],
        was: &At<'_>,
        is: &At<'_>,
        how: How<'_>,
        used: &Rooted,
    ) -> Vec<Effect> {
        let mut effects: Vec<Effect> = Vec::new();
        if let (before, Some(now)) = (pair.old.when(here), pair.new.when(here))
            && before != Some(now)
        {
            let text = format!("it is only there if `{now}`");
            effects.push(Effect::unclear(What::Removed, text));
        }
        effects.extend(self.only_of_default(pair, here, how));
        effects.extend(pair.meaning(was, is, how, is_typed(&used.place.path)));
        if matches!(how, How::Imported) {
            return effects;
        }
        effects.extend(pair.reached(was.item, is.item, through_class(pair.old, here, used)));
        let name = here.last().map(String::as_str).unwrap_or_default();
        effects.extend(pair.value(name, was.item, is.item, how));
        let given = match how {
            How::Called(given) => given,
            _ => None,
        };
        effects.extend(pair.behind(was, is, given));
        effects.extend(pair.makers(was, is, how));
        effects.extend(self.of_enum(pair, here));
        effects
    }

    /// A member of an enum of Python is an object of it.
    fn of_enum(&self, pair: &Pair<'_>, here: &[String]) -> Vec<Effect> {
        let owner = here.split_last().map(|(_, owner)| owner).unwrap_or_default();
        let class = |surface: &Surface| match surface.find(owner) {
            Found::Thing { item, taken, .. } if taken == owner.len() => match item.kind {
                Kind::Class(id) => Some(id),
                _ => None,
            },
            _ => None,
        };
        match (class(pair.old), class(pair.new)) {
            (Some(old), Some(new)) if pair.is_enum(old) => pair.used_as(old, new, How::Named),
            _ => Vec::new(),
        }
    }

    /// What the language itself asks of a thing, where it stands.
    pub(super) fn implied(&mut self, pair: &Pair<'_>, path: &[String], used: &Rooted) {
        for name in used.implied {
            if *name == SET {
                self.is_set(pair, path, used);
                continue;
            }
            let with = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
            let full = with(name);
            let symbol = full.join(separator(pair.old.language));
            let has = |surface: &Surface, path: &[String]| match surface.find(path) {
                Found::Thing { item, taken, .. } => {
                    let is_none = item.made == Made::Literal("None".to_owned());
                    (taken == path.len()).then_some(!is_none)
                }
                Found::Missing(at) if at + 1 == path.len() => Some(false),
                _ => None,
            };
            match (has(pair.old, &full), has(pair.new, &full)) {
                (Some(true), Some(true)) | (Some(false), _) => {}
                (Some(true), Some(false)) => {
                    // A class isn't asked as its objects are, and a name may hold either.
                    let on_object =
                        used.calls.iter().any(|(at, _)| *at == path.len()) || !leads_to_class(pair.old, path);
                    let others = INSTEAD.iter().find(|(asked, _)| asked == name);
                    let instead = others.is_some_and(|(_, others)| {
                        others.iter().any(|other| has(pair.new, &with(other)) != Some(false))
                    });
                    let text = format!("`{name}` is gone, which is asked for here");
                    let certain = used.certain && on_object && !instead;
                    self.effect(
                        Effect::breaks(What::Removed, &text),
                        &symbol,
                        &used.place,
                        certain,
                        pair.new,
                    );
                }
                (Some(true), None) => {
                    let text = format!("whether it still has `{name}`, which is asked for here, can't be seen");
                    self.effect(
                        Effect::unclear(What::Removed, text),
                        &symbol,
                        &used.place,
                        false,
                        pair.new,
                    );
                }
                (None, _) => self.somewhere(pair, name, pair.implied_somewhere(name), &used.place),
            }
        }
    }

    /// A member that is given another value.
    fn is_set(&mut self, pair: &Pair<'_>, path: &[String], used: &Rooted) {
        match (pair.old.find(path), pair.new.find(path)) {
            (
                Found::Thing { item: was, taken, .. },
                Found::Thing {
                    item: is, taken: now, ..
                },
            ) if taken == path.len() && now == taken => {
                let symbol = path.join(separator(pair.old.language));
                if let Some(effect) = pair.set(was, is) {
                    self.effect(effect, &symbol, &used.place, used.certain, pair.new);
                }
            }
            _ => {
                let name = path.last().map(String::as_str).unwrap_or_default();
                self.somewhere(pair, name, pair.set_somewhere(name), &used.place);
            }
        }
    }

    /// Classes of which errors that are caught, and objects that are asked, no longer are.
    pub(super) fn asked(&mut self, pair: &Pair<'_>, uses: &Uses) {
        // Whatever is raised derives from these.
        const ALL: &[&str] = &["Exception", "BaseException", "object", "Error", "Object"];
        // One question of each kind stands for all.
        let mut questions: BTreeMap<(Option<&str>, bool), &Place> = BTreeMap::new();
        for asked in &uses.asked {
            questions
                .entry((asked.name.as_deref(), asked.caught))
                .or_insert(&asked.place);
        }
        if questions.is_empty() {
            return;
        }
        for (id, lost, gone) in pair.all_lost_bases() {
            let path = pair.old.scope(id).map(|scope| scope.path.clone()).unwrap_or_default();
            let symbol = path.join(separator(pair.old.language));
            for ((name, caught), place) in questions.iter().filter(|((_, caught), _)| *caught || !gone) {
                let hit = match name {
                    Some(name) if gone => lost.contains(*name) && !ALL.contains(name),
                    Some(name) => lost.contains(*name),
                    None => *caught && !gone,
                };
                if hit {
                    let base = name.unwrap_or("what is asked for here");
                    let text = match gone {
                        true => format!("it is gone, and was a `{base}`: what is raised in its place may not be"),
                        false => format!("it is no longer a `{base}`"),
                    };
                    self.effect(Effect::unclear(What::Bases, text), &symbol, place, false, pair.new);
                }
            }
        }
    }

    /// Modules that are there only because the package loads them itself (Python).
    pub(super) fn submodules(&mut self, pair: &Pair<'_>, uses: &Uses) {
        if pair.old.language != Language::Python {
            return;
        }
        let named = || uses.loaded.iter().map(|loaded| loaded.path.as_slice());
        let from = || {
            uses.rooted
                .iter()
                .filter(|used| used.imported)
                .map(|used| used.path.as_slice())
        };
        let (was, is) = (
            pair.old.loaded_with(named().chain(from())),
            pair.new.loaded_with(named().chain(from())),
        );
        for used in &uses.rooted {
            let gone = (1..=used.path.len()).filter_map(|taken| used.path.get(..taken)).find(|part| {
                let thing = |surface: &Surface| {
                    matches!(surface.find(part), Found::Thing { item, .. } if matches!(item.kind, Kind::Module(_)))
                };
                was.contains(*part) && !is.contains(*part) && thing(pair.new)
            });
            if let Some(part) = gone {
                let text = "the package no longer loads it by itself, and nothing here does";
                self.effect(
                    Effect::unclear(What::Loading, text),
                    &part.join("."),
                    &used.place,
                    used.certain,
                    pair.new,
                );
            }
        }
    }

    /// A name that is taken out of a module, and that only its default export has now (JavaScript).
    pub(super) fn only_of_default(&self, pair: &Pair<'_>, here: &[String], how: How<'_>) -> Option<Effect> {
        let ([module], name) = (here.get(..here.len().checked_sub(1)?)?, here.last()?) else {
            return None;
        };
        let own = |surface: &Surface| match surface.find(std::slice::from_ref(module)) {
            Found::Thing { item, .. } => match item.kind {
                Kind::Module(id) => surface.scope(id).map(|scope| {
                    let has = |name: &str| scope.members.contains_key(name);
                    has(name) || has("=") || !scope.stars.is_empty() || scope.hidden.is_some() || !has("default")
                }),
                _ => None,
            },
            _ => None,
        };
        if pair.old.language != Language::JavaScript || own(pair.old) != Some(true) || own(pair.new) != Some(false) {
            return None;
        }
        let text = "only the default export of its module has it now";
        Some(match how {
            How::Imported => Effect::breaks(What::Removed, text),
            _ => Effect::unclear(What::Removed, text),
        })
    }

    /// What has to be beside the package, and the commands that it installs.
    pub(super) fn installed(&mut self, old: &Surface, new: &Surface) {
        for (name, range) in &new.peers {
            let wider = old.peers.get(name).is_some_and(|was| {
                range == was
                    || was
                        .split("||")
                        .all(|part| range.split("||").any(|now| now.trim() == part.trim()))
            });
            if !wider {
                self.unknown.insert(format!(
                    "it needs `{name}` {range} beside it now, and which version the repo has isn't read"
                ));
            }
        }
        for command in old.commands.difference(&new.commands) {
            self.unknown.insert(format!(
                "its command `{command}` is gone, and whether something runs it isn't read"
            ));
        }
    }

    /// What the package does for others than those who name it.
    pub(super) fn beside(&mut self, pair: &Pair<'_>, uses: &Uses) {
        if pair.old.has_effects && !pair.new.has_effects {
            for loaded in uses.loaded.iter().filter(|loaded| loaded.for_effects) {
                let text = "it says that loading it does nothing, and bundlers leave this out";
                let effect = Effect::unclear(What::Loading, text);
                self.effect(effect, &loaded.module, &loaded.place, true, pair.new);
            }
        }
        if pair.old.language == Language::JavaScript {
            self.global(pair);
        }
    }

    /// Names that the package declares for everyone.
    fn global(&mut self, pair: &Pair<'_>) {
        let mut lost = Vec::new();
        let mut open = vec![vec![GLOBAL.to_owned()]];
        while let Some(path) = open.pop() {
            let Some(scope) = pair.old.at(&path).and_then(|id| pair.old.scope(id)) else {
                continue;
            };
            for (name, items) in &scope.members {
                let full: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
                let now = pair.new.at(&path).and_then(|id| pair.new.scope(id)?.members.get(name));
                match now {
                    None => lost.push(full),
                    Some(_)
                        if items
                            .iter()
                            .any(|item| matches!(item.kind, Kind::Class(_) | Kind::Module(_))) =>
                    {
                        open.push(full);
                    }
                    Some(now)
                        if now
                            .iter()
                            .map(|item| &item.kind)
                            .ne(items.iter().map(|item| &item.kind)) =>
                    {
                        lost.push(full);
                    }
                    Some(_) => {}
                }
            }
        }
        for path in lost {
            self.unknown.insert(format!(
                "`{}`, which it declares for everyone, is gone or is something else, and whether it is used isn't read",
                path.join(".")
            ));
        }
    }
}

fn leads_to_class(surface: &Surface, path: &[String]) -> bool {
    match surface.find(path) {
        Found::Thing { item, .. } => matches!(item.kind, Kind::Class(_)),
        _ => false,
    }
}

/// Whether a member is reached through its class, or through an object of it; `None` where it can't be told.
fn through_class(surface: &Surface, path: &[String], used: &Rooted) -> Option<bool> {
    let (_, owner) = path.split_last()?;
    let called = used.calls.iter().any(|(at, _)| *at == owner.len());
    let Found::Thing { item, taken, .. } = surface.find(owner) else {
        return None;
    };
    match item.kind {
        _ if taken < owner.len() => None,
        Kind::Class(_) if called => Some(false),
        Kind::Class(_) if used.direct => Some(true),
        Kind::Class(_) => None,
        Kind::Module(_) => None,
        _ => Some(false),
    }
}
