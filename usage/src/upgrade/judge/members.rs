//! Members: of objects whose class isn't known, and of classes that the repo derives from.

use std::collections::BTreeSet;

use super::{Judge, separator};
use crate::facts::{Arguments, Place};
use crate::language::Language;
use crate::upgrade::compare::{How, Pair};
use crate::upgrade::surface::{Found, INNER, ScopeId, Surface};
use crate::upgrade::uses::{Done, Rooted, Uses};
use crate::upgrade::{Effect, What};

/// Members of what the languages themselves give: text, lists, maps, numbers, promises, results. They don't change with
/// a package.
const COMMON: &[&str] = &[
    "add",
    "and_then",
    "append",
    "as_bytes",
    "as_deref",
    "as_ref",
    "as_str",
    "at",
    "catch",
    "clear",
    "clone",
    "cloned",
    "collect",
    "concat",
    "contains",
    "copy",
    "count",
    "decode",
    "discard",
    "encode",
    "endsWith",
    "ends_with",
    "endswith",
    "entries",
    "enumerate",
    "err",
    "every",
    "expect",
    "extend",
    "filter",
    "finally",
    "find",
    "first",
    "flatMap",
    "fold",
    "forEach",
    "format",
    "get",
    "has",
    "includes",
    "index",
    "indexOf",
    "insert",
    "into",
    "into_iter",
    "isEmpty",
    "is_empty",
    "is_err",
    "is_none",
    "is_ok",
    "is_some",
    "items",
    "iter",
    "join",
    "keys",
    "last",
    "len",
    "length",
    "lower",
    "map",
    "map_err",
    "match",
    "next",
    "ok",
    "ok_or",
    "pop",
    "push",
    "read",
    "reduce",
    "remove",
    "replace",
    "rev",
    "reverse",
    "set",
    "shift",
    "size",
    "skip",
    "slice",
    "some",
    "sort",
    "split",
    "startsWith",
    "starts_with",
    "startswith",
    "strip",
    "sum",
    "take",
    "test",
    "then",
    "toFixed",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "to_owned",
    "to_string",
    "to_vec",
    "trim",
    "unwrap",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "update",
    "upper",
    "values",
    "write",
    "zip",
];

impl Judge<'_> {
    /// Members after a value of unknown type: any class's that has such a name.
    pub(super) fn beyond(&mut self, pair: &Pair<'_>, path: &[String], from: usize, how: How<'_>, used: &Rooted) {
        for (at, name) in path.iter().enumerate().skip(from) {
            let call = match how {
                How::Called(given) if at + 1 == path.len() => given,
                _ => None,
            };
            let known = pair
                .old
                .scopes
                .iter()
                .any(|scope| scope.is_class && scope.members.contains_key(name));
            if !known && !COMMON.contains(&name.as_str()) {
                let symbol = path.join(separator(pair.old.language));
                let text = format!("what has the member `{name}` can't be seen");
                self.effect(
                    Effect::unclear(What::Removed, text),
                    &symbol,
                    &used.place,
                    false,
                    pair.new,
                );
            }
            self.loose(pair, name, call, &used.place);
        }
    }

    pub(super) fn loose(&mut self, pair: &Pair<'_>, name: &str, call: Option<&Arguments>, place: &Place) {
        for (owner, effect) in pair.member(name, call) {
            let path = path_of(pair, owner, name);
            // In Rust, a method of a trait is only seen where the trait is taken in.
            let certain = self.traits.contains(&owner)
                && pair
                    .old
                    .scopes
                    .iter()
                    .filter(|scope| scope.is_class && scope.members.contains_key(name))
                    .count()
                    == 1;
            self.effect(effect, &path, place, certain, pair.new);
        }
    }

    /// Effects on a member of an object whose class can't be seen.
    pub(super) fn somewhere(&mut self, pair: &Pair<'_>, name: &str, effects: Vec<(ScopeId, Effect)>, place: &Place) {
        for (owner, effect) in effects {
            let path = path_of(pair, owner, name);
            self.effect(effect, &path, place, false, pair.new);
        }
    }

    /// Methods of the repo's classes that the new version has by the same name, and calls as its own.
    fn met(&mut self, pair: &Pair<'_>, (old, new): (ScopeId, ScopeId), mine: &BTreeSet<&str>, used: &Rooted) {
        if !matches!(pair.old.language, Language::Python | Language::JavaScript) {
            return;
        }
        let of = |surface: &Surface, id| -> BTreeSet<String> {
            let scopes = surface.lineage(id).0.into_iter().filter_map(|id| surface.scope(id));
            scopes.flat_map(|scope| scope.members.keys().cloned()).collect()
        };
        let own = |name: &&String| mine.contains(name.as_str()) && !(name.starts_with("__") && name.ends_with("__"));
        let (before, after) = (of(pair.old, old), of(pair.new, new));
        for name in after.difference(&before).filter(own) {
            let text = "it is new, and a class here that derives from its class may have another of that name";
            let effect = Effect::unclear(What::Required, text);
            self.effect(effect, &path_of(pair, old, name), &used.place, false, pair.new);
        }
    }

    /// Methods that the repo's classes override, by name.
    pub(super) fn overridden(&mut self, pair: &Pair<'_>, old: ScopeId, used: &Rooted, uses: &Uses) {
        // Functions, and what is set on any object.
        let set = uses
            .loose
            .iter()
            .filter(|loose| matches!(loose.done, Done::Set) && loose.place.path == used.place.path);
        let set: BTreeSet<&str> = set.map(|loose| loose.name.as_str()).collect();
        let mine: BTreeSet<&str> = uses
            .defined
            .iter()
            .filter(|(file, _)| *file == used.file)
            .map(|(_, name)| name.as_str())
            .collect();
        let Some(new) = pair.counterpart(old) else { return };
        self.met(pair, (old, new), &mine.union(&set).copied().collect(), used);
        for id in pair.old.ancestry(old).0 {
            let Some(scope) = pair.old.scope(id) else { continue };
            for (name, items) in scope.members.iter().filter(|(name, _)| mine.contains(name.as_str())) {
                let symbol = format!("{}.{name}", scope.path.join("."));
                let Some(was) = items.last() else { continue };
                match pair.new.member(new, name) {
                    Found::Missing(_) => {
                        let effect =
                            Effect::breaks(What::Removed, "it is overridden here, and is gone: nothing calls it");
                        self.effect(effect, &symbol, &used.place, used.certain, pair.new);
                    }
                    Found::Hidden(why) => {
                        self.effect(
                            Effect::unclear(What::Removed, why),
                            &symbol,
                            &used.place,
                            false,
                            pair.new,
                        );
                    }
                    Found::Thing { item: is, .. } => {
                        for effect in pair.effects(was, is, How::Named) {
                            self.effect(effect, &symbol, &used.place, false, pair.new);
                        }
                    }
                }
            }
        }
    }
}

/// The name of a member, as people write it in the package's language.
fn path_of(pair: &Pair<'_>, owner: ScopeId, name: &str) -> String {
    let scope = pair
        .old
        .scope(owner)
        .map(|scope| scope.path.as_slice())
        .unwrap_or_default();
    let parts = scope.iter().map(String::as_str).filter(|part| *part != INNER);
    parts
        .chain([name])
        .collect::<Vec<_>>()
        .join(separator(pair.old.language))
}
