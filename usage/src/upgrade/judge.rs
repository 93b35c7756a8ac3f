//! The difference of versions, intersected with what the repo uses.

mod members;
mod modules;
mod unsaid;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use super::compare::behind::At;
use super::compare::{How, Pair};
use super::surface::{Found, Kind, ScopeId, Surface};
use super::uses::{Done, Rooted, Uses, splits};
use super::versions::{at_least, is_major};
use super::{Break, Compatibility, Effect, Verdict, What};
use crate::facts::{Place, Role};
use crate::language::Language;
use crate::package::Package;
use crate::sources::Usage;

/// Most reasons that are kept.
const MAX_REASONS: usize = 30;

/// What runs the repo's code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// Oldest version that the code runs on, by runtime (`python`, `node`, `rust`): `3.11`.
    pub versions: BTreeMap<String, String>,
    /// Whether the package manager already checked that the new version fits what runs it.
    pub checked: bool,
}

/// One version on the way, and what it offers.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// What it offers.
    pub surface: &'a Surface,
}

struct Judge<'a> {
    steps: &'a [Step<'a>],
    uses: Uses,
    specifiers: BTreeSet<String>,
    breaks: BTreeSet<Break>,
    unknown: BTreeSet<String>,
    symbols: BTreeSet<String>,
    /// Traits of the package that the repo takes in (Rust), in the old version of a step.
    traits: BTreeSet<ScopeId>,
}

impl Usage {
    /// Judges one dependency; see [`judge`].
    fn judge(&self, package: &Package, steps: &[Step<'_>], runtime: &Runtime) -> Option<Compatibility> {
        let (first, last) = (steps.first()?.surface, steps.last()?.surface);
        let root = first
            .scope(0)
            .and_then(|scope| scope.members.keys().next())
            .cloned()
            .unwrap_or_default();
        let package = &with_import_names(package, first);
        let uses = self.api_uses(package, &root);
        let specifiers = uses.loaded.iter().map(|loaded| loaded.module.clone()).collect();
        let mut judge = Judge {
            steps,
            uses,
            specifiers,
            breaks: BTreeSet::new(),
            unknown: BTreeSet::new(),
            symbols: BTreeSet::new(),
            traits: BTreeSet::new(),
        };
        let imported = !judge.uses.loaded.is_empty() || !judge.uses.rooted.is_empty();
        if imported {
            judge.all();
            judge.unknown.extend(judge.uses.hidden.iter().cloned());
            judge.unknown.extend(self.gaps(first.language));
        } else if let Err(hidden) = self.uses(package) {
            judge.unknown.extend(hidden);
        }
        judge.floors(first, last, runtime);
        judge.installed(first, last);
        let verdict = judge.verdict(first, last, imported);
        let mut read_by: Vec<String> = steps.iter().map(|step| step.surface.read_by.clone()).collect();
        read_by.dedup();
        Some(Compatibility {
            package: package.name.clone(),
            from: first.version.clone(),
            to: last.version.clone(),
            verdict,
            symbols: judge.symbols.len(),
            read_by,
        })
    }
}

/// Whether the repo can go from the first version of `steps` to the last, with every version between that is at hand.
/// `None` when there aren't two. Group bumps are judged member by member, by one call each.
#[must_use]
pub fn judge(usage: &Usage, package: &Package, steps: &[Step<'_>], runtime: &Runtime) -> Option<Compatibility> {
    (steps.len() > 1)
        .then(|| usage.judge(package, steps, runtime))
        .flatten()
}

/// A Python distribution is imported by the names that its own files show.
fn with_import_names(package: &Package, surface: &Surface) -> Package {
    let mut package = package.clone();
    if surface.language == Language::Python && package.import_names.is_empty() {
        let roots = surface.scope(0).map(|scope| scope.members.keys().cloned().collect());
        package.import_names = roots.unwrap_or_default();
    }
    package
}

impl Judge<'_> {
    fn all(&mut self) {
        for pair in self.steps.windows(2) {
            let [old, new] = pair else { continue };
            self.step(old.surface, new.surface);
        }
        let (Some(first), Some(last)) = (self.steps.first(), self.steps.last()) else {
            return;
        };
        if self.steps.len() > 2 {
            // Small changes can add up, and one that was taken back is no change any more.
            let between = std::mem::take(&mut self.breaks);
            let unclear = std::mem::take(&mut self.unknown);
            self.step(first.surface, last.surface);
            for was in between {
                let still = self
                    .breaks
                    .iter()
                    .any(|b| b.symbol == was.symbol && b.place == was.place);
                if still {
                    // The version that made the change says more than the last one.
                    self.breaks
                        .retain(|b| !(b.symbol == was.symbol && b.place == was.place));
                    self.breaks.insert(was);
                } else if was.what == What::Removed {
                    let text = format!(
                        "it was gone in between and is back, maybe as another thing: {}",
                        was.text
                    );
                    self.breaks.insert(Break {
                        what: What::Readded,
                        text,
                        ..was
                    });
                } else {
                    self.unknown.insert(format!(
                        "`{}` at {} changed on the way and changed back: {}",
                        was.symbol, was.place, was.text
                    ));
                }
            }
            self.unknown.extend(unclear);
        }
    }

    fn step(&mut self, old: &Surface, new: &Surface) {
        let major = is_major(old.version.as_deref(), new.version.as_deref(), old.language);
        let pair = Pair { old, new, major };
        let uses = std::mem::take(&mut self.uses);
        self.traits = match old.language {
            Language::Rust => uses
                .rooted
                .iter()
                .filter_map(|used| class_at(old, &used.path))
                .collect(),
            _ => BTreeSet::new(),
        };
        self.loading(&pair, &uses);
        for used in &uses.rooted {
            self.rooted(&pair, used, &uses);
        }
        for loose in &uses.loose {
            match &loose.done {
                Done::Named(call) => self.loose(&pair, &loose.name, call.as_ref(), &loose.place),
                Done::Set => self.somewhere(&pair, &loose.name, pair.set_somewhere(&loose.name), &loose.place),
                Done::Implied => {
                    self.somewhere(&pair, &loose.name, pair.implied_somewhere(&loose.name), &loose.place);
                }
            }
        }
        self.written(&pair, &uses);
        self.asked(&pair, &uses);
        self.beside(&pair, &uses);
        self.submodules(&pair, &uses);
        self.uses = uses;
        for feature in old.features.difference(&new.features) {
            let text = match feature.strip_prefix("default:") {
                Some(feature) => format!("its feature `{feature}` is no longer on by default"),
                None => format!("its feature `{feature}` is gone, and whether the repo asks for it isn't read"),
            };
            self.unknown.insert(text);
        }
        for (surface, which) in [(old, "old"), (new, "new")] {
            for gap in &surface.gaps {
                self.unknown.insert(format!("of the {which} version, {gap}"));
            }
        }
    }

    fn effect(&mut self, effect: Effect, symbol: &str, place: &Place, certain: bool, new: &Surface) {
        match effect {
            Effect::None => {}
            Effect::Breaks { what, text } if certain => {
                self.breaks.insert(Break {
                    symbol: symbol.to_owned(),
                    place: place.clone(),
                    what,
                    text,
                    since: new.version.clone(),
                });
            }
            Effect::Breaks { text, .. } | Effect::Unclear { text, .. } => {
                self.unknown.insert(format!("`{symbol}` at {place}: {text}"));
            }
        }
    }

    fn rooted(&mut self, pair: &Pair<'_>, used: &Rooted, uses: &Uses) {
        let paths = if pair.old.language == Language::JavaScript {
            let loaded = self.specifiers.iter().map(String::as_str).collect();
            splits(&used.path, &loaded)
        } else {
            vec![used.path.clone()]
        };
        let symbol = used.path.join(separator(pair.old.language));
        self.symbols.insert(symbol.clone());
        if paths.is_empty() {
            self.unknown
                .insert(format!("which module `{symbol}` at {} is of can't be told", used.place));
        }
        let shorter = |path: &Vec<String>| used.path.len() - path.len();
        for path in &paths {
            let cut = shorter(path);
            // Where the same name is imported in two ways, what the old version has decides which is meant.
            if paths.len() > 1
                && matches!(pair.old.find(path), Found::Missing(_))
                && path != paths.last().unwrap_or(path)
            {
                continue;
            }
            // In JavaScript, the specifier of a module is one name of a surface.
            let used = &Rooted {
                path: path.clone(),
                calls: used
                    .calls
                    .iter()
                    .map(|(at, given)| (at.saturating_sub(cut), given.clone()))
                    .collect(),
                ..used.clone()
            };
            let mut points: Vec<(usize, How<'_>)> = used
                .calls
                .iter()
                .map(|(at, given)| (*at, How::Called(Some(given))))
                .collect();
            if !points.iter().any(|(at, _)| *at == path.len()) {
                let how = match used.role {
                    Role::Base => How::Derived,
                    Role::Decorator => How::Named,
                    Role::Value if used.imported && !(used.held && is_value(pair.old, path)) => How::Imported,
                    Role::Value if used.called_somehow => How::Called(None),
                    Role::Value | Role::Asked | Role::Caught => How::Named,
                };
                points.push((path.len(), how));
            }
            for (at, how) in points {
                let Some(part) = path.get(..at).filter(|part| !part.is_empty()) else {
                    continue;
                };
                self.point(pair, part, how, used, uses);
            }
            self.implied(pair, path, used);
        }
    }

    /// One thing along the path of a use: the thing that the first names lead to.
    fn point(&mut self, pair: &Pair<'_>, path: &[String], how: How<'_>, used: &Rooted, uses: &Uses) {
        let symbol = path.join(separator(pair.old.language));
        let certain = used.certain;
        let (was, taken, was_at) = match pair.old.find(path) {
            Found::Thing { item, taken, path } => (item, taken, path),
            Found::Missing(at) if at > 0 && known_value(pair.old, path.get(..at).unwrap_or_default()) => {
                // A member that can't be seen of a value whose type isn't known in full.
                return self.beyond(pair, path, at, how, used);
            }
            Found::Missing(_) => {
                let text = "the old version, as it was read, doesn't have it";
                return self.effect(
                    Effect::unclear(What::Removed, text),
                    &symbol,
                    &used.place,
                    certain,
                    pair.new,
                );
            }
            Found::Hidden(why) => {
                return self.effect(
                    Effect::unclear(What::Removed, why),
                    &symbol,
                    &used.place,
                    certain,
                    pair.new,
                );
            }
        };
        if let (Kind::Module(_), true) = (&was.kind, taken == path.len()) {
            return self.whole(pair, path, how, used);
        }
        let here = path.get(..taken).unwrap_or(path);
        let here_symbol = here.join(separator(pair.old.language));
        match pair.new.find(here) {
            Found::Missing(at) => {
                let missing = here.get(..=at).unwrap_or(here).join(separator(pair.old.language));
                let text = self.gone(pair, here, &missing);
                self.effect(
                    Effect::breaks(What::Removed, &text),
                    &here_symbol,
                    &used.place,
                    certain,
                    pair.new,
                );
            }
            Found::Hidden(why) => {
                self.effect(
                    Effect::unclear(What::Removed, why),
                    &here_symbol,
                    &used.place,
                    certain,
                    pair.new,
                );
            }
            Found::Thing {
                item: is,
                taken: now,
                path: is_at,
            } => {
                if now < taken {
                    let text = "what it is a member of can't be seen in full any more";
                    self.effect(
                        Effect::unclear(What::Kind, text),
                        &here_symbol,
                        &used.place,
                        certain,
                        pair.new,
                    );
                }
                // A call further along says nothing of what only leads there.
                let how = if taken == path.len() { how } else { How::Called(None) };
                let (was_at, is_at) = (
                    At {
                        item: was,
                        path: &was_at,
                    },
                    At { item: is, path: &is_at },
                );
                for effect in self.of_member(pair, here, &was_at, &is_at, how, used) {
                    self.effect(effect, &here_symbol, &used.place, certain, pair.new);
                }
                if taken == path.len() || !matches!(was.kind, Kind::Function(_)) {
                    for effect in pair.effects(was, is, how) {
                        self.effect(effect, &here_symbol, &used.place, certain, pair.new);
                    }
                }
                if let (Kind::Class(old), How::Derived) = (&was.kind, how) {
                    self.overridden(pair, *old, used, uses);
                }
            }
        }
        if taken < path.len() {
            self.beyond(pair, path, taken, how, used);
        }
    }

    /// Says that something is gone, and where it went when it is elsewhere under the same name.
    fn gone(&self, pair: &Pair<'_>, here: &[String], missing: &str) -> String {
        let version = pair
            .new
            .version
            .as_deref()
            .map_or(String::new(), |version| format!(" in {version}"));
        let name = here.last().map(String::as_str).unwrap_or_default();
        let public = |path: &[String]| !path.iter().any(|part| part.starts_with('_'));
        let moved = pair
            .new
            .scopes
            .iter()
            .find(|scope| public(&scope.path) && !scope.is_class && scope.members.contains_key(name));
        let symbol = here.join(separator(pair.old.language));
        let what = if missing == symbol {
            "it is gone".to_owned()
        } else {
            format!("`{missing}` is gone")
        };
        match moved.filter(|_| missing == symbol) {
            Some(scope) => format!("{what}{version}; `{}` has one of that name", scope.path.join(".")),
            None => format!("{what}{version}"),
        }
    }

    /// What the new version needs of what runs it.
    fn floors(&mut self, old: &Surface, new: &Surface, runtime: &Runtime) {
        for floor in &new.floors {
            if runtime.checked || old.floors.contains(floor) {
                continue;
            }
            let Some(runs) = runtime.versions.get(&floor.runtime) else {
                let was = old.floors.iter().find(|was| was.runtime == floor.runtime);
                if was.is_some_and(|was| {
                    at_least(&floor.range).is_some() && at_least(&was.range) >= at_least(&floor.range)
                }) {
                    continue;
                }
                self.unknown.insert(format!(
                    "it needs {} {} now, and on which the repo runs isn't known",
                    floor.runtime, floor.range
                ));
                continue;
            };
            match (at_least(&floor.range), at_least(runs)) {
                (Some(needed), Some(runs)) if needed <= runs => {}
                (Some(_), Some(_)) => {
                    self.breaks.insert(Break {
                        symbol: new.package.clone(),
                        place: Place {
                            path: String::new(),
                            line: 0,
                            function: None,
                        },
                        what: What::Runtime,
                        text: format!(
                            "it needs {} {}, and the repo runs on {runs}",
                            floor.runtime, floor.range
                        ),
                        since: new.version.clone(),
                    });
                }
                _ => {
                    self.unknown.insert(format!(
                        "whether {} {runs} is {} can't be told",
                        floor.runtime, floor.range
                    ));
                }
            }
        }
    }

    fn verdict(&mut self, first: &Surface, last: &Surface, imported: bool) -> Verdict {
        let mut unknown: Vec<String> = std::mem::take(&mut self.unknown).into_iter().collect();
        unknown.truncate(MAX_REASONS);
        let breaks: Vec<Break> = std::mem::take(&mut self.breaks).into_iter().take(MAX_REASONS).collect();
        if !breaks.is_empty() {
            return Verdict::Breaking { breaks, unknown };
        }
        if !unknown.is_empty() {
            return Verdict::Unknown { because: unknown };
        }
        let between = match (&first.version, &last.version) {
            (Some(from), Some(to)) => format!("between {from} and {to}"),
            _ => "between the two versions".to_owned(),
        };
        let because = if imported {
            let skipped = self.steps.len().saturating_sub(2);
            let mut because = vec![format!(
                "{} symbols of it are used, and none of their declarations changed in a way that reaches a use {between}",
                self.symbols.len()
            )];
            because.push(match skipped {
                0 => "no version between was looked at".to_owned(),
                n => format!("with {n} of the versions between"),
            });
            because
        } else {
            vec!["no source of the repo uses it".to_owned()]
        };
        Verdict::Safe { because }
    }
}

/// Whether a path leads to a value or a function's result, of whose members some can't be seen.
fn known_value(surface: &Surface, path: &[String]) -> bool {
    match surface.find(path) {
        Found::Thing { item, .. } => matches!(
            item.kind,
            Kind::Function(_) | Kind::Value(_) | Kind::Type(_) | Kind::Opaque(_)
        ),
        _ => false,
    }
}

/// Whether a path leads to a value; in Rust, all that can stand in an expression is one.
fn is_value(surface: &Surface, path: &[String]) -> bool {
    match surface.find(path) {
        Found::Thing { item, taken, .. } => {
            taken == path.len() && (surface.language == Language::Rust || matches!(item.kind, Kind::Value(_)))
        }
        _ => false,
    }
}

fn class_at(surface: &Surface, path: &[String]) -> Option<ScopeId> {
    match surface.find(path) {
        Found::Thing { item, taken, .. } if taken == path.len() => match item.kind {
            Kind::Class(id) => Some(id),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn separator(language: Language) -> &'static str {
    match language {
        Language::Rust => "::",
        _ => ".",
    }
}
