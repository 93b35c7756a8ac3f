//! What a surface says of its classes, and of the names in types.

use std::collections::{BTreeMap, BTreeSet};

use super::builtin::builtin_base;
use super::{Budget, Found, Item, Kind, Ref, ScopeId, Surface};
use crate::upgrade::signature::Signature;

/// Most names of one type's text that are looked up.
const MAX_NAMES_OF_TYPE: usize = 100;

impl Surface {
    /// Modules that are there as members of their packages once some are loaded: these, those around them, and what
    /// their code loads.
    pub(in crate::upgrade) fn loaded_with<'p>(
        &self,
        modules: impl IntoIterator<Item = &'p [String]>,
    ) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        let mut open: Vec<Vec<String>> = modules.into_iter().map(<[String]>::to_vec).collect();
        while let Some(path) = open.pop() {
            for taken in 1..=path.len() {
                let part = path.get(..taken).unwrap_or_default().to_vec();
                let Some(scope) = self.at(&part).and_then(|id| self.scope(id)) else {
                    continue;
                };
                if !scope.is_class && found.insert(part) {
                    open.extend(scope.loads.iter().cloned());
                }
            }
        }
        found
    }

    /// The class that names lead to from within a module.
    pub(in crate::upgrade) fn class_from(&self, module: ScopeId, names: &[String]) -> Option<ScopeId> {
        let mut budget = Budget { steps: 0, inside: 1 };
        match self.lexical(module, names, &mut budget) {
            Found::Thing {
                item: Item {
                    kind: Kind::Class(id), ..
                },
                taken,
                ..
            } if taken == names.len() => Some(*id),
            _ => None,
        }
    }

    /// All that a class derives from, itself first, and whether these are all.
    pub(in crate::upgrade) fn ancestry(&self, id: ScopeId) -> (Vec<ScopeId>, bool) {
        let (own, foreign) = self.lineage(id);
        (own, foreign.into_iter().all(builtin_base))
    }

    /// All classes of the package that a class derives from, itself first, and its bases that aren't the package's.
    pub(in crate::upgrade) fn lineage(&self, id: ScopeId) -> (Vec<ScopeId>, Vec<&Ref>) {
        let (mut found, mut foreign, mut budget) = (vec![id], Vec::new(), Budget::default());
        let mut at = 0;
        while let Some(scope) = found.get(at).and_then(|id| self.scopes.get(*id)) {
            at += 1;
            for base in &scope.bases {
                match self.follow(base, &mut budget) {
                    Found::Thing {
                        item:
                            Item {
                                kind: Kind::Class(next),
                                ..
                            },
                        ..
                    } => {
                        if !found.contains(next) {
                            found.push(*next);
                        }
                    }
                    _ => foreign.push(base),
                }
            }
        }
        (found, foreign)
    }

    /// The condition under which a name is there, where there is one.
    pub(in crate::upgrade) fn when(&self, path: &[String]) -> Option<&str> {
        let (name, around) = path.split_last()?;
        let id = match self.find(around) {
            _ if around.is_empty() => 0,
            Found::Thing { item, .. } => match item.kind {
                Kind::Class(id) | Kind::Module(id) => id,
                _ => return None,
            },
            _ => return None,
        };
        let own = self.scopes.get(id)?.members.get(name);
        let here = own.and_then(|items| items.iter().find_map(|item| item.when.as_deref()));
        match self.find(path) {
            _ if here.is_some() => here,
            Found::Thing { item, .. } => item.when.as_deref(),
            _ => None,
        }
    }

    /// Packages that a type's text names, by their own name or by one that is taken out of them.
    pub(in crate::upgrade) fn packages_in(&self, place: &[String], ty: &str) -> BTreeSet<String> {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let written = ty
            .split(|c: char| !is_name(c))
            .filter_map(|name| name.split("::").next());
        let mut found: BTreeSet<String> = written
            .filter(|name| self.needs.contains_key(*name))
            .map(str::to_owned)
            .collect();
        for item in self.named_in(place, ty).into_values() {
            if let Kind::Alias(Ref::Elsewhere(what)) = &item.kind {
                found.extend(what.split("::").next().map(str::to_owned));
            }
        }
        found
    }

    /// What the names in a type's text lead to, from where it is written.
    pub(in crate::upgrade) fn named_in(&self, place: &[String], ty: &str) -> BTreeMap<String, &Item> {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | ':');
        let mut found = BTreeMap::new();
        let Some(around) = self.scope_of(place) else {
            return found;
        };
        for name in ty.split(|c: char| !is_name(c)).take(MAX_NAMES_OF_TYPE) {
            let path: Vec<String> = name
                .split(['.', ':'])
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect();
            if path.is_empty() || found.contains_key(name) {
                continue;
            }
            let mut budget = Budget { steps: 0, inside: 1 };
            if let Found::Thing { item, taken, .. } = self.lexical(around, &path, &mut budget)
                && taken == path.len()
            {
                found.insert(name.to_owned(), item);
            }
        }
        found
    }

    /// How instances of a class are made: its own constructor, or the first that it inherits.
    pub(in crate::upgrade) fn constructor(&self, id: ScopeId) -> Result<Option<&Signature>, String> {
        let (line, complete) = self.ancestry(id);
        for id in &line {
            let Some(scope) = self.scopes.get(*id) else { continue };
            if scope.constructor.is_some() {
                return Ok(scope.constructor.as_ref());
            }
        }
        if complete {
            Ok(None)
        } else {
            Err("how it is made is decided in another package".to_owned())
        }
    }
}
