//! Modules: whether they are there, how they are loaded, and what becomes of them as a whole.

use super::{Judge, separator};
use crate::facts::Place;
use crate::language::Language;
use crate::upgrade::compare::{How, Pair};
use crate::upgrade::surface::{Found, Kind, Surface};
use crate::upgrade::uses::{Loaded, Rooted, Uses};
use crate::upgrade::{Effect, What};

/// Whether a file is TypeScript.
pub(super) fn is_typed(path: &str) -> bool {
    [".ts", ".tsx", ".mts", ".cts"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

impl Judge<'_> {
    /// A module as a value: called, derived from, or handed on.
    pub(super) fn whole(&mut self, pair: &Pair<'_>, path: &[String], how: How<'_>, used: &Rooted) {
        let symbol = path.join(separator(pair.old.language));
        let exported = |surface: &Surface| {
            ["=", "default"].into_iter().find_map(|name| {
                let path: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
                match surface.find(&path) {
                    Found::Thing { item, .. } => Some(item.clone()),
                    _ => None,
                }
            })
        };
        let has_whole = |surface: &Surface| {
            let path: Vec<String> = path.iter().cloned().chain(["=".to_owned()]).collect();
            matches!(surface.find(&path), Found::Thing { .. })
        };
        if has_whole(pair.old) && !has_whole(pair.new) && pair.new.loading.require && !matches!(how, How::Imported) {
            let text = "it was what its module exports as a whole, and is at most the default of one now";
            self.effect(
                Effect::unclear(What::Loading, text),
                &symbol,
                &used.place,
                used.certain,
                pair.new,
            );
        }
        let effects = match (exported(pair.old), exported(pair.new)) {
            (Some(was), Some(is)) => pair.effects(&was, &is, how),
            (None, None) if matches!(how, How::Named | How::Imported) => Vec::new(),
            (Some(_), None) => match pair.new.find(path) {
                Found::Missing(_) => vec![Effect::breaks(What::Removed, &self.gone(pair, path, &symbol))],
                Found::Thing { .. } if matches!(how, How::Called(_)) && pair.new.gaps.is_empty() => {
                    vec![Effect::breaks(
                        What::Kind,
                        "the module can't be called as a whole any more",
                    )]
                }
                _ => vec![Effect::unclear(
                    What::Kind,
                    "what it exports as a whole is gone, or can't be seen",
                )],
            },
            _ => vec![Effect::unclear(What::Kind, "what it exports as a whole can't be seen")],
        };
        for effect in effects {
            self.effect(effect, &symbol, &used.place, used.certain, pair.new);
        }
        if matches!(how, How::Named) {
            self.every_name(pair, path, &used.place);
        }
    }

    /// Each public name of a module that is taken or handed on as a whole must still be there.
    fn every_name(&mut self, pair: &Pair<'_>, path: &[String], place: &Place) {
        let Found::Thing { item, .. } = pair.old.find(path) else {
            return;
        };
        let Kind::Module(id) = item.kind else { return };
        let Some(scope) = pair.old.scope(id) else { return };
        for name in scope
            .members
            .keys()
            .filter(|name| !name.starts_with('_') && !matches!(name.as_str(), "=" | "default"))
        {
            let full: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
            if let (Found::Thing { .. }, Found::Missing(_)) = (pair.old.find(&full), pair.new.find(&full)) {
                let symbol = full.join(separator(pair.old.language));
                let text = "its module is handed on as a whole, and this is gone; whether it is used can't be seen";
                self.effect(Effect::unclear(What::Removed, text), &symbol, place, true, pair.new);
            }
        }
    }

    /// Modules that are loaded: whether they are there, and can be loaded in that way.
    pub(super) fn loading(&mut self, pair: &Pair<'_>, uses: &Uses) {
        for loaded in &uses.loaded {
            let path = match pair.old.language {
                Language::JavaScript => vec![loaded.module.clone()],
                _ => loaded.path.clone(),
            };
            let symbol = loaded.module.clone();
            match (pair.old.find(&path), pair.new.find(&path)) {
                (Found::Thing { .. }, Found::Missing(_)) => {
                    let effect = Effect::breaks(What::Removed, &self.gone(pair, &path, &symbol));
                    self.effect(effect, &symbol, &loaded.place, true, pair.new);
                }
                (Found::Missing(_), _) => {
                    let text = "the old version, as it was read, doesn't have this module";
                    self.effect(
                        Effect::unclear(What::Removed, text),
                        &symbol,
                        &loaded.place,
                        true,
                        pair.new,
                    );
                }
                (_, Found::Hidden(why)) | (Found::Hidden(why), _) => {
                    self.effect(
                        Effect::unclear(What::Removed, why),
                        &symbol,
                        &loaded.place,
                        true,
                        pair.new,
                    );
                }
                _ => {}
            }
            let declared = |found: &Found<'_>| match found {
                Found::Thing { item, .. } => Some(crate::language::only_types(&item.file)),
                _ => None,
            };
            let typed = is_typed(&loaded.place.path);
            if typed && declared(&pair.old.find(&path)) == Some(true) && declared(&pair.new.find(&path)) == Some(false)
            {
                let effect = Effect::unclear(What::Type, "it no longer declares its types, and this is TypeScript");
                self.effect(effect, &symbol, &loaded.place, true, pair.new);
            }
            let raises = |surface: &Surface| {
                (1..=path.len()).any(|taken| {
                    let scope = surface.at(path.get(..taken).unwrap_or_default());
                    scope.and_then(|id| surface.scope(id)).is_some_and(|scope| scope.raises)
                })
            };
            if raises(pair.new) && !raises(pair.old) {
                let effect = Effect::breaks(What::Removed, "loading it raises an error");
                self.effect(effect, &symbol, &loaded.place, true, pair.new);
            }
            if pair.old.language == Language::JavaScript {
                self.way_of_loading(pair, loaded, &path);
            }
            if loaded.star || loaded.reexport {
                self.handed_on(pair, loaded, &path);
            }
        }
    }

    fn way_of_loading(&mut self, pair: &Pair<'_>, loaded: &Loaded, path: &[String]) {
        let (was, is) = (pair.old.loading, pair.new.loading);
        let symbol = &loaded.module;
        if was.require && !is.require {
            let effect = if loaded.required {
                Effect::breaks(
                    What::Loading,
                    "it can only be loaded by `import` now, and this is a `require`",
                )
            } else if loaded.place.path.ends_with(".mjs") || loaded.place.path.ends_with(".mts") {
                Effect::None
            } else {
                let text = "it can only be loaded as an ES module now, and whether this file is one when it runs can't be seen";
                Effect::unclear(What::Loading, text)
            };
            self.effect(effect, symbol, &loaded.place, true, pair.new);
        }
        if loaded.default {
            let with = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
            let has = |surface: &Surface| {
                let default = surface.find(&with("default"));
                let whole = surface.find(&with("="));
                match (default, whole) {
                    (Found::Missing(_), Found::Missing(_)) => Some(false),
                    (Found::Thing { .. }, _) | (_, Found::Thing { .. }) => Some(true),
                    _ => None,
                }
            };
            let effect = match (has(pair.old), has(pair.new)) {
                (Some(true), Some(false)) => Effect::breaks(What::Removed, "it has no default export any more"),
                (Some(a), Some(b)) if a == b => Effect::None,
                (Some(false), Some(true)) => Effect::None,
                _ => Effect::unclear(What::Removed, "whether it has a default export can't be seen"),
            };
            self.effect(effect, symbol, &loaded.place, true, pair.new);
        }
    }

    /// Names that are taken or handed on without being named.
    fn handed_on(&mut self, pair: &Pair<'_>, loaded: &Loaded, path: &[String]) {
        self.every_name(pair, path, &loaded.place);
        if loaded.star {
            let text = "every name of it is taken; which are used can't be seen";
            self.effect(
                Effect::unclear(What::Removed, text),
                &loaded.module,
                &loaded.place,
                true,
                pair.new,
            );
        }
    }
}
