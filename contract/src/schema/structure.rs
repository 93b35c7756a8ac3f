//! What happened to the parts of one pair of schemas: properties, items, alternatives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::compare::{Comparison, label};
use super::unnamed::Unnamed;
use super::what::RESTRICTIONS;
use super::{Edge, Guard, View, What, types};
use crate::bundle::{At, Bundle};
use crate::tree::{NodeId, Sym, word};

/// Schemas of two lists that belong together, and those that are left on each side.
pub(super) type Matched = (Vec<(NodeId, NodeId)>, Vec<NodeId>, Vec<NodeId>);

/// Several schemas that must all hold.
fn joint<'a>(bundle: &'a Bundle, schemas: &[NodeId]) -> View<'a> {
    let all: Vec<At> = schemas.iter().map(|schema| bundle.resolve(*schema)).collect();
    View::of(bundle, &all)
}

/// Whether a keyword restricts anything: of a condition and what follows from it, none does alone.
fn has_effect(view: &View<'_>, keyword: Sym) -> bool {
    let has = |keyword| view.get(keyword).is_some();
    match keyword {
        word::IF => has(word::THEN) || has(word::ELSE),
        word::THEN | word::ELSE => has(word::IF),
        _ => true,
    }
}

/// A kind of choice: how its steps are called, and the rules for its alternatives.
#[derive(Clone, Copy)]
struct Choice {
    step: &'static str,
    added: &'static str,
    removed: &'static str,
}

const ONE: Choice = Choice {
    step: "oneOf",
    added: "one-of-added",
    removed: "one-of-removed",
};
const ANY: Choice = Choice {
    step: "anyOf",
    added: "any-of-added",
    removed: "any-of-removed",
};

/// A list that isn't empty.
fn some(list: Vec<NodeId>) -> Option<Vec<NodeId>> {
    Some(list).filter(|list| !list.is_empty())
}

impl<'a> Comparison<'_, 'a> {
    /// `relisted`: the alternatives are a list of values, which was compared.
    pub(super) fn structure(&mut self, relisted: bool) {
        self.properties();
        self.items();
        self.additional_properties();
        self.maps();
        for row in RESTRICTIONS {
            let step = format!("({})", self.graph.base.tree.str(row.keyword));
            let effective =
                |view: &View<'a>| some(view.restricting(row.keyword)).filter(|_| has_effect(view, row.keyword));
            match (effective(&self.old), effective(&self.new)) {
                // Whatever it asks for is asked of other values.
                (Some(old), Some(new)) if row.keyword == word::IF => {
                    if !self.graph.equal_lists(&old, &new) {
                        self.row("if-changed", "`if` changed");
                    }
                }
                (None, Some(_)) => self.row(row.added, format!("{step} is new")),
                (Some(_), None) => self.row(row.removed, format!("{step} is gone")),
                (Some(old), Some(new)) => self.below(&old, &new, step, Guard::default()),
                (None, None) => {}
            }
        }
        let (old, new) = (self.old.distinct(word::NOT), self.new.distinct(word::NOT));
        match (old.is_empty(), new.is_empty()) {
            (true, false) => self.row("not-added", "some values are ruled out now"),
            (false, true) => self.row("not-removed", "no values are ruled out any more"),
            (false, false) if !self.graph.equal_lists(&old, &new) => self.ruled_out(&old, &new),
            _ => {}
        }
        if !relisted {
            let choices = |view: &View<'a>| (view.alternatives(word::ONE_OF), view.alternatives(word::ANY_OF));
            match (choices(&self.old), choices(&self.new)) {
                // The other word for a choice: with `anyOf` several may fit, which few clients ever told apart.
                ((one, any), (one_now, any_now))
                    if any.is_empty() && one_now.is_empty() && !one.is_empty() && !any_now.is_empty() =>
                {
                    self.compare_alternatives(word::ONE_OF, (one, any_now), ANY);
                }
                ((one, any), (one_now, any_now))
                    if one.is_empty() && any_now.is_empty() && !any.is_empty() && !one_now.is_empty() =>
                {
                    self.compare_alternatives(word::ANY_OF, (any, one_now), ANY);
                }
                _ => {
                    self.alternatives(word::ONE_OF, ONE);
                    self.alternatives(word::ANY_OF, ANY);
                }
            }
        }
    }

    /// What `not` rules out: mere lists of values can be told apart.
    fn ruled_out(&mut self, old: &[NodeId], new: &[NodeId]) {
        let values = |bundle: &Bundle, list: &[NodeId]| match list {
            [only] => {
                let view = View::one(bundle, *only);
                let mere = view.keywords().all(|keyword| keyword == word::ENUM);
                view.values().filter(|_| mere && view.lists_null() == Some(false))
            }
            _ => None,
        };
        let (before, after) = (values(self.graph.base, old), values(self.graph.revision, new));
        let (Some(before), Some(after)) = (before, after) else {
            return self.row("not-changed", "`not` changed");
        };
        let fresh = after.iter().filter(|value| {
            self.graph
                .alignment
                .node(**value)
                .is_none_or(|same| !before.contains(&same))
        });
        let fresh = fresh.count();
        if fresh > 0 {
            self.row("not-added", "further values are ruled out");
        }
        if fresh + before.len() > after.len() {
            self.row("not-removed", "some values aren't ruled out any more");
        }
    }

    pub(super) fn below(&mut self, old: &[NodeId], new: &[NodeId], step: String, guard: Guard) {
        if let Some(to) = self.graph.pair(old, new) {
            self.edges.push(Edge { step, to, guard });
        }
    }

    fn guard(bundle: &Bundle, schemas: &[NodeId]) -> Guard {
        let view = joint(bundle, schemas);
        Guard {
            read_only: view.flag(word::READ_ONLY),
            write_only: view.flag(word::WRITE_ONLY),
        }
    }

    fn properties(&mut self) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let (before, after) = (self.old.named(word::PROPERTIES), self.new.named(word::PROPERTIES));
        let (was_required, is_required) = (self.old.texts(word::REQUIRED), self.new.texts(word::REQUIRED));
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in names {
            let required = (was_required.contains(name), is_required.contains(name));
            let step = format!(".{name}");
            let shown = name.escape_debug();
            match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) => {
                    if required.0 == required.1 && self.settled(old, new) {
                        continue;
                    }
                    let (was, is) = (Self::guard(base, old), Self::guard(revision, new));
                    let guard = was.or(is);
                    match required {
                        (false, true) => {
                            let default = joint(revision, new).get(word::DEFAULT).is_some();
                            let text = format!("`{shown}` became required");
                            self.tell_at(What::BecameRequired { default }, step.clone(), text, guard);
                        }
                        (true, false) => {
                            let text = format!("`{shown}` became optional");
                            self.tell_at(What::BecameOptional, step.clone(), text, guard);
                        }
                        _ => {}
                    }
                    self.mutability(&step, name, was, is, required.0 && required.1);
                    self.lifecycle(&step, name, old, new);
                    self.below(old, new, step, guard);
                }
                (Some(old), None) => {
                    let guard = Self::guard(base, old);
                    match Unnamed::of(&self.new, name) {
                        Unnamed::Free => {}
                        Unnamed::Refused => {
                            let text = format!("`{shown}` is refused");
                            self.tell_at(What::Row("property-refused"), step.clone(), text, guard);
                        }
                        Unnamed::Must(new) => self.below(old, &new, step.clone(), guard),
                        Unnamed::Unclear => self.unclear_names(),
                    }
                    let what = What::PropertyRemoved { required: required.0 };
                    self.tell_at(what, step, format!("`{shown}` is gone"), guard);
                }
                (None, Some(new)) => {
                    let guard = Self::guard(revision, new);
                    match Unnamed::of(&self.old, name) {
                        Unnamed::Free => {}
                        Unnamed::Refused => {
                            let text = format!("`{shown}` isn't refused any more");
                            self.tell_at(What::Row("property-accepted"), step.clone(), text, guard);
                        }
                        Unnamed::Must(old) => self.below(&old, new, step.clone(), guard),
                        Unnamed::Unclear => self.unclear_names(),
                    }
                    let default = joint(revision, new).get(word::DEFAULT).is_some();
                    let what = What::PropertyAdded {
                        required: required.1,
                        default,
                    };
                    self.tell_at(what, step, format!("`{shown}` is new"), guard);
                }
                (None, None) => {}
            }
        }
        // Names that are only asked for.
        let undescribed = |name: &&&str| !before.contains_key(**name) && !after.contains_key(**name);
        for name in is_required.difference(&was_required).filter(undescribed) {
            let text = format!("`{}` became required, and isn't described", name.escape_debug());
            self.row("undescribed-property-required", text);
        }
        for name in was_required.difference(&is_required).filter(undescribed) {
            let text = format!("`{}` isn't required any more, and isn't described", name.escape_debug());
            self.row("undescribed-property-optional", text);
        }
    }

    fn unclear_names(&mut self) {
        let text = "a pattern for the names of properties can't be read: what it says of a property that came or went isn't compared";
        self.graph.unclear(text.to_owned());
    }

    fn settled(&self, old: &[NodeId], new: &[NodeId]) -> bool {
        matches!((old, new), ([old], [new]) if self.graph.settled(*old, *new))
    }

    fn same_values(&self, old: &[NodeId], new: &[NodeId]) -> bool {
        let same = |b: &NodeId| self.graph.alignment.node(*b).is_some_and(|a| old.contains(&a));
        old.len() == new.len() && new.iter().all(same)
    }

    fn mutability(&mut self, step: &str, name: &str, was: Guard, is: Guard, required: bool) {
        for (was, is, became, lost) in [
            (was.read_only, is.read_only, "read-only", "not-read-only"),
            (was.write_only, is.write_only, "write-only", "not-write-only"),
        ] {
            if was != is {
                let what = if is { became } else { lost };
                let text = format!("`{}` became {}", name.escape_debug(), what.replace('-', " "));
                self.tell_at(
                    What::Mutability { name: what, required },
                    step.to_owned(),
                    text,
                    Guard::default(),
                );
            }
        }
    }

    fn lifecycle(&mut self, step: &str, name: &str, old: &[NodeId], new: &[NodeId]) {
        let (old, new) = (joint(self.graph.base, old), joint(self.graph.revision, new));
        for (what, text) in crate::lifecycle::property_changes(&old, &new) {
            let text = format!("`{}` {text}", name.escape_debug());
            self.tell_at(What::Row(what), step.to_owned(), text, Guard::default());
        }
    }

    fn items(&mut self) {
        let (before, after) = (self.old.tuple(), self.new.tuple());
        let (old_rest, new_rest) = (some(self.old.rest()), some(self.new.rest()));
        for at in 0..before.len().max(after.len()) {
            match (before.get(at), after.get(at)) {
                (Some(old), Some(new)) => self.below(old, new, format!("[{at}]"), Guard::default()),
                (None, Some(new)) => match &old_rest {
                    // What held for all further items is told for this one.
                    Some(old) if old.iter().all(|old| self.old.bundle.tree.is_map(*old)) => {
                        self.below(old, new, format!("[{at}]"), Guard::default());
                    }
                    _ => self.row("prefix-items-added", format!("place {at} of the tuple is new")),
                },
                (Some(old), None) => match &new_rest {
                    Some(new) if new.iter().all(|new| self.new.bundle.tree.is_map(*new)) => {
                        self.below(old, new, format!("[{at}]"), Guard::default());
                    }
                    _ => self.row("prefix-items-removed", format!("place {at} of the tuple is gone")),
                },
                (None, None) => {}
            }
        }
        let typed = self.old.types().is_empty() != self.new.types().is_empty();
        let refuses =
            |view: &View<'a>, rest: &[NodeId]| rest.iter().any(|rest| view.bundle.tree.bool(*rest) == Some(false));
        match (&old_rest, &new_rest) {
            (Some(old), Some(new)) => self.below(old, new, "[]".to_owned(), Guard::default()),
            (None, Some(new)) if refuses(&self.new, new) => {
                self.row("items-closed", "no further items are possible now")
            }
            (Some(old), None) if refuses(&self.old, old) => self.row("items-opened", "further items are possible now"),
            // That a type is new says it already.
            (None, Some(_)) if before.is_empty() && !typed => self.row("items-added", "items have a schema now"),
            (Some(_), None) if after.is_empty() && !typed => self.row("items-removed", "items have no schema any more"),
            (None, Some(_)) if !before.is_empty() => self.row("items-added", "further items have a schema now"),
            (Some(_), None) if !after.is_empty() => self.row("items-removed", "further items have no schema any more"),
            _ => {}
        }
    }

    fn additional_properties(&mut self) {
        // Whether further properties are possible, and what they must be.
        let kind = |view: &View<'a>| {
            let tree = &view.bundle.tree;
            let mut schemas = view.restricting(word::ADDITIONAL_PROPERTIES);
            let allowed = !schemas.iter().any(|schema| tree.bool(*schema) == Some(false));
            schemas.retain(|schema| tree.is_map(*schema));
            (allowed, some(schemas))
        };
        match (kind(&self.old), kind(&self.new)) {
            ((true, _), (false, _)) => self.row(
                "additional-properties-forbidden",
                "only named properties are possible now",
            ),
            ((false, _), (true, _)) => {
                self.row("additional-properties-allowed", "properties needn't be named any more")
            }
            ((true, Some(old)), (true, Some(new))) => self.below(&old, &new, ".*".to_owned(), Guard::default()),
            ((true, None), (true, Some(_))) => {
                self.row(
                    "additional-properties-restricted",
                    "properties that aren't named have a schema now",
                );
            }
            ((true, Some(_)), (true, None)) => {
                self.row(
                    "additional-properties-unrestricted",
                    "properties that aren't named have no schema any more",
                );
            }
            _ => {}
        }
    }

    fn maps(&mut self) {
        for (keyword, added, removed) in [
            (
                word::PATTERN_PROPERTIES,
                "pattern-property-added",
                "pattern-property-removed",
            ),
            (
                word::DEPENDENT_SCHEMAS,
                "dependent-schema-added",
                "dependent-schema-removed",
            ),
        ] {
            let (before, after) = (self.old.named(keyword), self.new.named(keyword));
            self.each(&before, &after, |this, name, old, new| match (old, new) {
                (Some(old), Some(new)) => this.below(&old, &new, format!(".({name})"), Guard::default()),
                (None, _) => this.row(added, format!("`{}` is new", name.escape_debug())),
                (_, None) => this.row(removed, format!("`{}` is gone", name.escape_debug())),
            });
        }
        let (before, after) = (
            self.old.named(word::DEPENDENT_REQUIRED),
            self.new.named(word::DEPENDENT_REQUIRED),
        );
        self.each(&before, &after, |this, name, old, new| {
            let shown = name.escape_debug();
            match (old, new) {
                (Some(old), Some(new)) if !this.same_values(&old, &new) => {
                    this.row("dependent-required-changed", format!("what `{shown}` asks for changed"));
                }
                (None, _) => this.row("dependent-required-added", format!("`{shown}` asks for others")),
                (_, None) => this.row(
                    "dependent-required-removed",
                    format!("`{shown}` doesn't ask for others"),
                ),
                _ => {}
            }
        });
    }

    fn each(
        &mut self,
        before: &BTreeMap<&str, Vec<NodeId>>,
        after: &BTreeMap<&str, Vec<NodeId>>,
        mut tell: impl FnMut(&mut Self, &str, Option<Vec<NodeId>>, Option<Vec<NodeId>>),
    ) {
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in names {
            tell(self, name, before.get(name).cloned(), after.get(name).cloned());
        }
    }

    /// Tells an object that became a choice among objects, or the other way round.
    pub(super) fn wrapping(&mut self) -> bool {
        let choice = |view: &View<'a>| view.alternatives(word::ONE_OF);
        let named = |view: &View<'a>| !view.named(word::PROPERTIES).is_empty();
        let (before, after) = (choice(&self.old), choice(&self.new));
        let moved = |plain: &View<'a>, choice: &View<'a>, list: &[NodeId]| {
            named(plain)
                && !named(choice)
                && choice.get(word::TYPE).is_none()
                && list.iter().any(|schema| {
                    let inner = View::one(choice.bundle, *schema).named(word::PROPERTIES);
                    plain
                        .named(word::PROPERTIES)
                        .keys()
                        .any(|name| inner.contains_key(name))
                })
        };
        if before.is_empty() && !after.is_empty() && moved(&self.old, &self.new, &after) {
            self.row("wrapped-in-one-of", "the object became a choice among several");
            return true;
        }
        if after.is_empty() && !before.is_empty() && moved(&self.new, &self.old, &before) {
            self.row("unwrapped-from-one-of", "the choice among several became one object");
            return true;
        }
        false
    }

    fn alternatives(&mut self, keyword: Sym, choice: Choice) {
        let (before, after) = (self.old.alternatives(keyword), self.new.alternatives(keyword));
        self.compare_alternatives(keyword, (before, after), choice);
    }

    fn compare_alternatives(&mut self, keyword: Sym, (before, after): (Vec<NodeId>, Vec<NodeId>), choice: Choice) {
        let Choice { step, added, removed } = choice;
        // A choice among mere types was told with the types.
        let is_list = |view: &View<'a>, choice: &[NodeId]| {
            types::list_of_types(view).is_some_and(|types| types.is_choice || choice.is_empty())
        };
        if before.is_empty() && after.is_empty() || is_list(&self.old, &before) && is_list(&self.new, &after) {
            return;
        }
        self.choice_itself(keyword, &before, &after);
        let (pairs, gone, fresh) = self.matched(before.clone(), after.clone());
        for (old, new) in pairs {
            let (a, b) = (self.graph.base.name(old), self.graph.revision.name(new));
            let place = |list: &[NodeId], id| list.iter().position(|other| *other == id).unwrap_or_default();
            let name = match (a, b) {
                (Some(a), Some(b)) if a == b => a.to_owned(),
                // The same from both sides, so that the way is the same backwards.
                _ => (place(&before, old).min(place(&after, new)) + 1).to_string(),
            };
            self.below(&[old], &[new], format!("({step} {name})"), Guard::default());
        }
        for schema in gone {
            let text = format!("{} is gone", label(self.graph.base, schema, "the alternative"));
            self.row(removed, text);
        }
        for schema in fresh {
            let text = format!("{} is new", label(self.graph.revision, schema, "the alternative"));
            self.row(added, text);
        }
    }

    /// A choice where there was none asks for something, unless what was possible is one of the alternatives.
    fn choice_itself(&mut self, keyword: Sym, before: &[NodeId], after: &[NodeId]) {
        let other = if keyword == word::ONE_OF {
            word::ANY_OF
        } else {
            word::ONE_OF
        };
        let chosen = |view: &View<'a>| !view.alternatives(other).is_empty();
        // Where a type came with the choice, that it did says it already.
        let typed = types::effective(&self.old).is_empty() == types::effective(&self.new).is_empty();
        let (old, new) = self.whole;
        let is_one =
            |old: Option<NodeId>, new: Option<NodeId>| old.zip(new).is_some_and(|(a, b)| self.graph.equal(a, b));
        match (before.is_empty(), after.is_empty()) {
            (true, false) if after.iter().any(|schema| is_one(old, Some(*schema))) => {}
            (false, true) if before.iter().any(|schema| is_one(Some(*schema), new)) => {}
            (true, false) if typed && !chosen(&self.old) => {
                self.row("choice-added", "only some alternatives are possible now");
            }
            (false, true) if typed && !chosen(&self.new) => {
                self.row("choice-removed", "not only some alternatives are possible any more");
            }
            _ => {}
        }
    }

    /// Finds which schemas of two lists belong together: equal ones, those of one name, those of one title, and
    /// the last two that have neither.
    pub(super) fn matched(&self, mut gone: Vec<NodeId>, mut fresh: Vec<NodeId>) -> Matched {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let mut pairs = Vec::new();
        let title =
            |bundle: &'a Bundle, id: NodeId| bundle.tree.text_of(id, word::TITLE).filter(|title| !title.is_empty());
        let nameless = |bundle: &'a Bundle, id: NodeId| bundle.name(id).is_none() && title(bundle, id).is_none();
        // Read once: each is asked for again and again.
        let names = |bundle: &'a Bundle, list: &[NodeId]| -> HashMap<NodeId, Vec<&'a str>> {
            let described = list.iter().filter(|id| nameless(bundle, **id)).map(|id| {
                let names: Vec<&str> = View::one(bundle, *id).named(word::PROPERTIES).into_keys().collect();
                (*id, names)
            });
            described.filter(|(_, names)| !names.is_empty()).collect()
        };
        let (names, other_names) = (names(base, &gone), names(revision, &fresh));
        let rules: [&dyn Fn(NodeId, NodeId) -> bool; 5] = [
            &|a, b| self.graph.settled(a, b),
            &|a, b| base.name(a).is_some() && base.name(a) == revision.name(b),
            &|a, b| self.graph.equal(a, b),
            &|a, b| base.name(a).is_none() && title(base, a).is_some() && title(base, a) == title(revision, b),
            &|a, b| names.get(&a).is_some_and(|names| other_names.get(&b) == Some(names)),
        ];
        for belongs in rules {
            gone.retain(|a| match fresh.iter().position(|b| belongs(*a, *b)) {
                Some(at) => {
                    pairs.push((*a, fresh.remove(at)));
                    false
                }
                None => true,
            });
        }
        let lone = |bundle: &'a Bundle, list: &[NodeId]| {
            let mut nameless = list.iter().copied().filter(|id| nameless(bundle, *id));
            nameless.next().filter(|_| nameless.next().is_none())
        };
        if let (Some(a), Some(b)) = (lone(base, &gone), lone(revision, &fresh)) {
            gone.retain(|id| *id != a);
            fresh.retain(|id| *id != b);
            pairs.push((a, b));
        }
        (pairs, gone, fresh)
    }
}
