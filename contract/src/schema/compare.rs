//! What happened to one pair of schemas: its own keywords.

use std::collections::{BTreeMap, BTreeSet};

use super::types::Types;
use super::{Edge, Finding, Graph, Guard, View, What, equal, types};
use crate::bundle::At;
use crate::tree::{NodeId, Sym, word};

/// A comparison under way: both sides, and what was found.
pub(super) struct Comparison<'g, 'a> {
    pub(super) graph: &'g mut Graph<'a>,
    pub(super) old: View<'a>,
    pub(super) new: View<'a>,
    /// Each side as it is written, where it is one schema.
    pub(super) whole: (Option<NodeId>, Option<NodeId>),
    pub(super) findings: Vec<Finding>,
    pub(super) edges: Vec<Edge>,
}

pub(super) fn compare(graph: &mut Graph<'_>, base: &[At], revision: &[At]) -> (Vec<Finding>, Vec<Edge>) {
    let (old, new) = (View::of(graph.base, base), View::of(graph.revision, revision));
    graph.overflow |= old.cut || new.cut;
    // Whatever a lost reference asked for: no change is made up from it.
    if old.lost != new.lost {
        let text = "schemas behind references that lead nowhere, or to no schema, aren't compared";
        graph.unclear(text.to_owned());
        return (Vec::new(), Vec::new());
    }
    let mut comparison = Comparison {
        graph,
        old,
        new,
        whole: (whole(base), whole(revision)),
        findings: Vec::new(),
        edges: Vec::new(),
    };
    match (comparison.old.nothing, comparison.new.nothing) {
        (false, true) => comparison.row("became-impossible", "nothing is possible any more"),
        (true, false) => comparison.row("became-possible", "something is possible now"),
        _ => {}
    }
    if comparison.old.nothing || comparison.new.nothing {
        return (comparison.findings, comparison.edges);
    }
    comparison.odd_keywords();
    comparison.members(base, revision);
    if comparison.types() {
        let relisted = comparison.relisted();
        if !relisted {
            comparison.values();
        }
        comparison.defaults();
        comparison.bounds();
        comparison.texts();
        comparison.structure(relisted);
    }
    comparison.discriminator();
    comparison.subtypes(base, revision);
    (comparison.findings, comparison.edges)
}

impl Comparison<'_, '_> {
    pub(super) fn tell(&mut self, what: What, text: impl Into<String>) {
        self.tell_at(what, String::new(), text, Guard::default());
    }

    pub(super) fn tell_at(&mut self, what: What, step: String, text: impl Into<String>, guard: Guard) {
        self.findings.push(Finding {
            what,
            step,
            text: text.into(),
            guard,
        });
    }

    pub(super) fn row(&mut self, name: &'static str, text: impl Into<String>) {
        self.tell(What::Row(name), text);
    }

    fn show_old(&self, id: NodeId) -> String {
        self.graph.base.tree.show(id).escape_debug().to_string()
    }

    fn show_new(&self, id: NodeId) -> String {
        self.graph.revision.tree.show(id).escape_debug().to_string()
    }

    /// Compares nullability and types; says whether it is worth looking further.
    fn types(&mut self) -> bool {
        // A list of values without null rules it out, whatever else is said; many lists only forget it, so they
        // are taken by their word where either side names null in its list.
        let strict = self.old.lists_null() == Some(true) || self.new.lists_null() == Some(true);
        let nullable = |view: &View<'_>| match view.lists_null().filter(|_| strict) {
            Some(listed) => listed && (view.nullable() || view.get(word::TYPE).is_none()),
            None => view.nullable(),
        };
        match (nullable(&self.old), nullable(&self.new)) {
            // Where anything goes, the type tells the whole change.
            _ if self.old.says_no_type() || self.new.says_no_type() => {}
            (false, true) => self.row("became-nullable", "null became possible"),
            (true, false) => self.row("became-not-nullable", "null became impossible"),
            _ => {}
        }
        if self.wrapping() {
            return false;
        }
        if let (Some(old), Some(new)) = (types::list_of_types(&self.old), types::list_of_types(&self.new))
            && (old.is_choice || new.is_choice)
        {
            self.list_of_types(&old.types, &new.types);
            if old.is_choice && new.is_choice {
                self.choices(&old.members, &new.members);
                return true;
            }
            return !self.moved_into_choice(&old, &new);
        }
        let Some((change, text)) = types::compare(&self.old, &self.new) else {
            return true;
        };
        self.tell(What::Type(change), text);
        // Bounds of one type say nothing of another; properties and items may still be told.
        true
    }

    /// Two choices of one schema for each type: those of the same type belong together.
    fn choices(&mut self, old: &BTreeMap<&str, NodeId>, new: &BTreeMap<&str, NodeId>) {
        for (kind, a) in old {
            if let Some(b) = new.get(kind) {
                self.below(&[*a], &[*b], format!("({kind})"), Guard::default());
            }
        }
    }

    /// A mere type that became one of several, or the other way round: the rest of it is told against its like.
    fn moved_into_choice(&mut self, old: &Types<'_>, new: &Types<'_>) -> bool {
        let like = |plain: &Types<'_>, choice: &Types<'_>| match plain.types.len() {
            1 => plain.types.first().and_then(|kind| choice.members.get(kind)).copied(),
            _ => None,
        };
        let pair = match old.is_choice {
            false => self.whole.0.zip(like(old, new)),
            true => like(new, old).zip(self.whole.1),
        };
        if let Some((a, b)) = pair {
            self.below(&[a], &[b], String::new(), Guard::default());
            return true;
        }
        // What each of several types must be beyond its name stands in different places.
        let (plain, choice, bundle) = match old.is_choice {
            false => (&self.old, new, self.graph.revision),
            true => (&self.new, old, self.graph.base),
        };
        let mere = types::is_mere(plain)
            && choice
                .members
                .values()
                .all(|schema| types::is_mere(&View::one(bundle, *schema)));
        if !mere && old.types.intersection(&new.types).next().is_some() {
            let text = "a list of types became a choice among schemas, or the other way round: what their values must be isn't compared";
            self.graph.unclear(text.to_owned());
        }
        false
    }

    fn list_of_types(&mut self, old: &BTreeSet<&str>, new: &BTreeSet<&str>) {
        // Every integer is a number.
        let without = |types: &BTreeSet<&str>, others: &BTreeSet<&str>| -> String {
            let subsumed = |name: &&str| *name == "integer" && others.contains("number");
            let left = types.difference(others).copied().filter(|name| !subsumed(name));
            left.collect::<Vec<_>>().join(", ")
        };
        let (gone, fresh) = (without(old, new), without(new, old));
        if !gone.is_empty() {
            self.row("list-of-types-narrowed", format!("{gone} became impossible"));
        }
        if !fresh.is_empty() {
            self.row("list-of-types-widened", format!("{fresh} became possible"));
        }
    }

    fn values(&mut self) {
        let both = self.old.values().zip(self.new.values());
        match (self.old.get(word::ENUM), self.new.get(word::ENUM)) {
            (None, Some(_)) => self.row("became-enum", "values are listed now"),
            (Some(_), None) => self.row("enum-removed", "values aren't listed any more"),
            _ => {}
        }
        if let Some((old, new)) = both {
            self.lists("enum-value-removed", "enum-value-added", &old, &new);
        }
        let listed = |view: &View<'_>| {
            view.get(word::EXTENSIBLE_ENUM)
                .map(|list| view.bundle.tree.items(list).to_vec())
        };
        if let Some((old, new)) = listed(&self.old).zip(listed(&self.new)) {
            self.lists(
                "x-extensible-enum-value-removed",
                "x-extensible-enum-value-added",
                &old,
                &new,
            );
        }
        self.value(word::CONST, ["const-added", "const-removed", "const-changed"]);
    }

    fn defaults(&mut self) {
        let names = ["default-value-added", "default-value-removed", "default-value-changed"];
        self.value(word::DEFAULT, names);
    }

    pub(super) fn lists(&mut self, removed: &'static str, added: &'static str, old: &[NodeId], new: &[NodeId]) {
        let aligned: BTreeSet<NodeId> = new.iter().filter_map(|id| self.graph.alignment.node(*id)).collect();
        for value in old.iter().filter(|value| !aligned.contains(value)) {
            let text = format!("`{}` is gone", self.show_old(*value));
            self.row(removed, text);
        }
        for value in new {
            if self
                .graph
                .alignment
                .node(*value)
                .is_none_or(|same| !old.contains(&same))
            {
                let text = format!("`{}` is new", self.show_new(*value));
                self.row(added, text);
            }
        }
    }

    fn value(&mut self, keyword: Sym, [added, removed, changed]: [&'static str; 3]) {
        let name = self.graph.base.tree.str(keyword).to_owned();
        let (old, new) = (self.old.distinct(keyword), self.new.distinct(keyword));
        let show = |tree: &crate::tree::Tree, list: &[NodeId]| {
            let mut shown: Vec<String> = list
                .iter()
                .map(|id| tree.show(*id).escape_debug().to_string())
                .collect();
            shown.sort();
            shown.join("` and `")
        };
        let (before, after) = (show(&self.graph.base.tree, &old), show(&self.graph.revision.tree, &new));
        let same = |b: &NodeId| self.graph.alignment.node(*b).is_some_and(|a| old.contains(&a));
        match (old.is_empty(), new.is_empty()) {
            (true, false) => self.row(added, format!("`{name}` is new: `{after}`")),
            (false, true) => self.row(removed, format!("`{name}` was `{before}`, is gone")),
            (false, false) if old.len() != new.len() || !new.iter().all(same) => {
                self.row(changed, format!("`{name}` was `{before}`, is `{after}`"));
            }
            _ => {}
        }
    }

    fn texts(&mut self) {
        let anything = self
            .new
            .text(word::PATTERN)
            .is_some_and(|new| ["", ".*", "^.*$"].contains(&new));
        let changed = if anything {
            "pattern-generalized"
        } else {
            "pattern-changed"
        };
        self.value(word::PATTERN, ["pattern-added", "pattern-removed", changed]);
        for (keyword, name) in [
            (word::CONTENT_MEDIA_TYPE, "content-media-type-changed"),
            (word::CONTENT_ENCODING, "content-encoding-changed"),
        ] {
            if types::renamed_format(&self.old, &self.new).is_none_or(|renamed| renamed != keyword) {
                self.value(keyword, [name; 3]);
            }
        }
        match (self.old.flag(word::UNIQUE_ITEMS), self.new.flag(word::UNIQUE_ITEMS)) {
            (false, true) => self.row("unique-items-set", "items must be different now"),
            (true, false) => self.row("unique-items-unset", "items may be equal now"),
            _ => {}
        }
        if !self.graph.same_value(self.old.get(word::XML), self.new.get(word::XML)) {
            self.row("xml-changed", "`xml` changed");
        }
    }

    fn discriminator(&mut self) {
        match (self.old.get(word::DISCRIMINATOR), self.new.get(word::DISCRIMINATOR)) {
            (None, Some(_)) => self.row("discriminator-added", "a discriminator is new"),
            (Some(_), None) => self.row("discriminator-removed", "the discriminator is gone"),
            (Some(old), Some(new)) => {
                let (base, revision) = (self.graph.base, self.graph.revision);
                // In OpenAPI 2.0 it is the mere name.
                let name = |bundle: &crate::bundle::Bundle, id| {
                    let tree = &bundle.tree;
                    tree.text(id)
                        .or_else(|| tree.text_of(id, word::PROPERTY_NAME))
                        .unwrap_or_default()
                        .to_owned()
                };
                let (before, after) = (name(base, old), name(revision, new));
                if before != after {
                    let text = format!("it was `{}`, is `{}`", before.escape_debug(), after.escape_debug());
                    self.row("discriminator-property-name-changed", text);
                }
                self.mapping(base.tree.get(old, word::MAPPING), revision.tree.get(new, word::MAPPING));
            }
            (None, None) => {}
        }
    }

    fn mapping(&mut self, old: Option<NodeId>, new: Option<NodeId>) {
        let (base, revision) = (&self.graph.base.tree, &self.graph.revision.tree);
        let (old, new) = (old.map(|map| base.pairs(map)), new.map(|map| revision.pairs(map)));
        let old: BTreeMap<_, _> = old.into_iter().flatten().collect();
        let new: BTreeMap<_, _> = new.into_iter().flatten().collect();
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for name in names {
            let what = match (old.get(name), new.get(name)) {
                (None, _) => "discriminator-mapping-added",
                (_, None) => "discriminator-mapping-deleted",
                (Some(a), Some(b)) if !self.graph.alignment.same(*a, *b) => "discriminator-mapping-changed",
                _ => continue,
            };
            self.row(what, format!("the mapping of `{}`", name.escape_debug()));
        }
    }

    /// Members of `allOf` that came or went, where that isn't only another way to write the same.
    fn members(&mut self, base: &[At], revision: &[At]) {
        if self.old.members.is_empty() && self.new.members.is_empty() {
            return;
        }
        let (_, gone, fresh) = self.matched(self.old.members.clone(), self.new.members.clone());
        if gone.is_empty() && fresh.is_empty() || self.graph.equal_at(base, revision) {
            return;
        }
        for member in gone {
            let view = View::one(self.graph.base, member);
            let text = format!("{} is gone", label(self.graph.base, member, "the part of `allOf`"));
            let name = if equal::is_free(&view) {
                "all-of-removed-annotation-only"
            } else {
                "all-of-removed"
            };
            self.row(name, text);
        }
        for member in fresh {
            let view = View::one(self.graph.revision, member);
            let text = format!("{} is new", label(self.graph.revision, member, "the part of `allOf`"));
            let name = if equal::is_free(&view) {
                "all-of-added-annotation-only"
            } else {
                "all-of-added"
            };
            self.row(name, text);
        }
    }
}

/// The schema that a list is, where it is one.
fn whole(all: &[At]) -> Option<NodeId> {
    match all {
        [At { node, beside: None }] => Some(*node),
        _ => None,
    }
}

/// A schema as people call it; of one without a name `what` it is, and what stands in it.
pub(super) fn label(bundle: &crate::bundle::Bundle, schema: NodeId, what: &str) -> String {
    let title = || bundle.tree.text_of(schema, word::TITLE);
    match bundle.name(schema).or_else(title) {
        Some(name) => format!("`{}`", name.escape_debug()),
        None => {
            let shown = bundle.tree.show(schema).replace('`', "'");
            format!("{what} `{}`", shown.escape_debug())
        }
    }
}
