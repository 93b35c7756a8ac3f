//! All that changed between two surfaces, whoever uses it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::compare::{How, Pair};
use super::judge::separator;
use super::surface::{Found, Item, Kind, ScopeId, Surface};
use super::{Effect, What};

/// Most changes that are listed.
const MAX_CHANGES: usize = 5_000;
/// Most names that are compared.
const MAX_NAMES: usize = 100_000;

/// The least step of the version that a difference asks for (SemVer 2.0.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// The same names, declared as before.
    None,
    /// There is more, and all that was there still is.
    Minor,
    /// A client that worked before can fail.
    Major,
}

/// One change of a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ApiChange {
    /// Id of the rule: `removed`, `parameter-added`, `added`, …
    pub rule: String,
    /// What it asks of the version.
    pub bump: Bump,
    /// Whether it may break, and that can't be told.
    pub unclear: bool,
    /// The name, as clients spell it.
    pub symbol: String,
    /// File of the package, of the old version where it is gone.
    pub file: String,
    /// Line there, 1-based; 0 where it isn't known.
    pub line: u32,
    /// One line for people.
    pub text: String,
}

/// All that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What the changes ask of the version.
    pub bump: Bump,
    /// Changes, by name.
    pub changes: Vec<ApiChange>,
    /// What couldn't be compared.
    pub gaps: Vec<String>,
}

/// Public names of a surface, with what they lead to.
fn names(surface: &Surface) -> (Vec<(Vec<String>, &Item)>, bool) {
    let mut found = Vec::new();
    let mut open: Vec<(ScopeId, Vec<String>)> = vec![(0, Vec::new())];
    let mut seen: BTreeSet<ScopeId> = BTreeSet::new();
    while let Some((id, path)) = open.pop() {
        let Some(scope) = surface.scope(id).filter(|_| seen.insert(id)) else {
            continue;
        };
        for (name, items) in &scope.members {
            let public = !name.starts_with(['_', '.'])
                && scope.listed.as_ref().filter(|_| !scope.is_class).is_none_or(|listed| {
                    listed.contains(name) || items.iter().any(|item| matches!(item.kind, Kind::Module(_)))
                });
            let Some(item) = items.last().filter(|_| public) else {
                continue;
            };
            let mut path = path.clone();
            path.push(name.clone());
            if found.len() >= MAX_NAMES {
                return (found, false);
            }
            for item in items {
                if let Kind::Class(id) | Kind::Module(id) = item.kind {
                    open.push((id, path.clone()));
                }
            }
            // What another package defines is its affair.
            if !matches!(&item.kind, Kind::Alias(super::Ref::Elsewhere(_))) {
                found.push((path, item));
            }
        }
    }
    (found, true)
}

/// Compares two versions of a package.
#[must_use]
pub fn difference(old: &Surface, new: &Surface) -> Difference {
    let pair = Pair { old, new, major: false };
    let mut changes = BTreeSet::new();
    let mut gaps: BTreeSet<String> = BTreeSet::new();
    for (surface, which) in [(old, "old"), (new, "new")] {
        gaps.extend(surface.gaps.iter().map(|gap| format!("of the {which} version, {gap}")));
        let hidden = surface
            .scopes
            .iter()
            .filter_map(|scope| Some((scope, scope.hidden.as_ref()?)));
        let hidden = hidden.filter(|(scope, _)| !scope.path.iter().any(|name| name.starts_with('_')));
        for (scope, why) in hidden.take(50) {
            gaps.insert(format!("of the {which} version, `{}`: {why}", scope.path.join(".")));
        }
    }
    let (before, whole) = names(old);
    if !whole {
        gaps.insert(format!("it has more than {MAX_NAMES} names"));
    }
    for (path, was) in &before {
        let symbol = path.join(separator(old.language));
        let mut add = |what: What, bump, unclear, text: String, item: &Item| {
            changes.insert(ApiChange {
                rule: what.as_str().to_owned(),
                bump,
                unclear,
                symbol: symbol.clone(),
                file: item.file.clone(),
                line: item.line,
                text,
            });
        };
        match new.find(path) {
            Found::Missing(at) if at + 1 < path.len() => {
                // Only the outermost name that is gone is listed.
            }
            Found::Missing(_) => add(What::Removed, Bump::Major, false, "it is gone".to_owned(), was),
            Found::Hidden(why) => {
                if matches!(old.find(path), Found::Thing { .. }) {
                    add(What::Removed, Bump::Major, true, why, was);
                }
            }
            Found::Thing { item: is, .. } => {
                let Found::Thing { item: was, .. } = old.find(path) else {
                    continue;
                };
                let how = match was.kind {
                    Kind::Class(_) => How::Called(None),
                    _ => How::Named,
                };
                for effect in pair.effects(was, is, how) {
                    match effect {
                        Effect::Breaks { what, text } => add(what, Bump::Major, false, text, is),
                        // Without a call to look at it is still sure that some call breaks.
                        Effect::Unclear {
                            what: what @ What::Parameters,
                            ..
                        } => {
                            let text = "its parameters changed, and not every call that fitted does".to_owned();
                            add(what, Bump::Major, false, text, is);
                        }
                        Effect::Unclear { what, text } => add(what, Bump::Major, true, text, is),
                        Effect::None => {}
                    }
                }
            }
        }
    }
    for (path, is) in names(new).0 {
        if matches!(old.find(&path), Found::Missing(at) if at + 1 == path.len()) {
            changes.insert(ApiChange {
                rule: "added".to_owned(),
                bump: Bump::Minor,
                unclear: false,
                symbol: path.join(separator(old.language)),
                file: is.file.clone(),
                line: is.line,
                text: "it is new".to_owned(),
            });
        }
    }
    if changes.len() > MAX_CHANGES {
        gaps.insert(format!("there are more than {MAX_CHANGES} changes"));
    }
    let changes: Vec<ApiChange> = changes.into_iter().take(MAX_CHANGES).collect();
    let sure = changes
        .iter()
        .filter(|change| !change.unclear)
        .map(|change| change.bump)
        .max();
    Difference {
        bump: sure.unwrap_or(Bump::None),
        changes,
        gaps: gaps.into_iter().collect(),
    }
}
