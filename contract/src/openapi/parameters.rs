//! Parameters of operations.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::PARAMETER;
use super::operations::Item;
use super::{Comparison, Place, RootFacts};
use crate::bundle::Bundle;
use crate::schema::View;
use crate::tree::{NodeId, word};

/// A parameter: where it is declared, and its node.
#[derive(Clone, Copy)]
pub(super) struct Parameter {
    node: NodeId,
    /// Whether the path item declares it for all its operations.
    shared: bool,
}

/// Parameters by where they stand and their name.
#[derive(Default)]
pub(super) struct Parameters {
    known: BTreeMap<(String, String), Parameter>,
    /// Whether there are others, of which nothing can be told.
    lost: bool,
}

/// How a parameter is written into the request (OpenAPI 3.1 §4.8.12.2).
#[derive(PartialEq, Eq)]
struct Serialization {
    style: String,
    explode: bool,
}

impl Serialization {
    fn of(bundle: &Bundle, parameter: NodeId, is_parameter: bool) -> Self {
        let tree = &bundle.tree;
        let by_place = match tree.text_of(parameter, word::IN) {
            Some("path" | "header") => "simple",
            // A header of a response.
            _ if !is_parameter => "simple",
            _ => "form",
        };
        let style = tree.text_of(parameter, word::STYLE).unwrap_or(by_place);
        let explode = tree.get(parameter, word::EXPLODE).and_then(|value| tree.bool(value));
        Self {
            style: style.to_owned(),
            explode: explode.unwrap_or(style == "form"),
        }
    }
}

pub(super) fn is_required(bundle: &Bundle, id: NodeId) -> bool {
    bundle.tree.flag(id, word::REQUIRED)
}

impl Comparison<'_> {
    /// Parameters of an operation over those of its path; path parameters go by position, since
    /// their names never leave the server.
    pub(super) fn parameters_of(
        &self,
        bundle: &Bundle,
        (item, operation): (Item<'_>, NodeId),
        names: &[&str],
    ) -> Parameters {
        let mut found = Parameters::default();
        for (list, shared) in [(item.node, true), (operation, false)] {
            let list = bundle.get(list, word::PARAMETERS);
            for parameter in list.map_or(&[][..], |list| bundle.tree.items(list)) {
                let node = bundle.follow(*parameter);
                if bundle.lost_at(node).is_some() {
                    found.lost = true;
                    continue;
                }
                let text = |key| bundle.tree.text_of(node, key).unwrap_or_default().to_owned();
                let (place, mut name) = (text(word::IN), text(word::NAME));
                if place == "header" {
                    name.make_ascii_lowercase();
                }
                if place == "path"
                    && let Some(at) = names.iter().position(|known| *known == name)
                {
                    name = format!("{{{}}}", at + 1);
                }
                found.known.insert((place, name), Parameter { node, shared });
            }
        }
        found
    }

    pub(super) fn parameters(&mut self, base: &Parameters, revision: &Parameters) {
        for key in base.known.keys().chain(revision.known.keys()).collect::<BTreeSet<_>>() {
            let location = format!("{} parameter `{}`", key.0.escape_debug(), key.1.escape_debug());
            match (base.known.get(key), revision.known.get(key)) {
                (Some(old), Some(new)) if !self.graph.settled(old.node, new.node) => {
                    self.parameter(old.node, new.node, &location);
                }
                (Some(old), None) if !revision.lost => self.parameter_removed(old.node, &location),
                (None, Some(new)) if !base.lost => {
                    let required = is_required(self.graph.revision, new.node);
                    let (rule, text) = match (key.0.as_str(), required, new.shared) {
                        ("path", ..) => ("new-request-path-parameter", "a path parameter is new"),
                        (_, true, true) => (
                            "new-required-request-default-parameter-to-existing-path",
                            "a required parameter of the whole path is new",
                        ),
                        (_, false, true) => (
                            "new-optional-request-default-parameter-to-existing-path",
                            "an optional parameter of the whole path is new",
                        ),
                        (_, true, false) => ("new-required-request-parameter", "a required parameter is new"),
                        (_, false, false) => ("new-optional-request-parameter", "an optional parameter is new"),
                    };
                    self.report(rule, &location, text);
                }
                _ => {}
            }
        }
    }

    fn parameter(&mut self, old: NodeId, new: NodeId, location: &str) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        self.known_keys(PARAMETER, old, new, location);
        let (was, is) = (is_required(base, old), is_required(revision, new));
        match (was, is) {
            (false, true) => self.report("request-parameter-became-required", location, "it became required"),
            (true, false) => self.report("request-parameter-became-optional", location, "it became optional"),
            _ => {}
        }
        self.parameter_life(old, new, location);
        for (keyword, forbidden, allowed) in [
            (
                word::ALLOW_EMPTY_VALUE,
                "request-parameter-empty-value-forbidden",
                "request-parameter-empty-value-allowed",
            ),
            (
                word::ALLOW_RESERVED,
                "request-parameter-reserved-forbidden",
                "request-parameter-reserved-allowed",
            ),
        ] {
            match (base.tree.flag(old, keyword), revision.tree.flag(new, keyword)) {
                (true, false) => self.report(forbidden, location, "values that were possible aren't"),
                (false, true) => self.report(allowed, location, "further values are possible"),
                _ => {}
            }
        }
        let facts = RootFacts {
            place: Place::RequestParameter,
            plain_text: true,
            header: base.tree.text_of(old, word::IN) == Some("header"),
            required: was && is,
        };
        self.value_of(facts, old, new, location);
    }

    /// Compares the schemas of two parameters or headers, or their media types.
    pub(super) fn value_of(&mut self, facts: RootFacts, old: NodeId, new: NodeId, location: &str) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let is_parameter = facts.place == Place::RequestParameter;
        let changed = match is_parameter {
            true => "request-parameter-serialization-changed",
            false => "response-header-serialization-changed",
        };
        match (base.get(old, word::CONTENT), revision.get(new, word::CONTENT)) {
            (Some(a), Some(b)) => return self.media_types(facts, Some(a), Some(b), location),
            (None, None) => {}
            _ => {
                return self.report(
                    changed,
                    location,
                    "it was written as its schema says and is as a media type, or the other way round",
                );
            }
        }
        let (a, b) = match (base.tree.get(old, word::SCHEMA), revision.tree.get(new, word::SCHEMA)) {
            (Some(a), Some(b)) => (a, b),
            (None, None) => return,
            // Whatever is restricted by nothing was restricted by something, or the other way round.
            (None, Some(_)) if is_parameter => {
                return self.report("request-parameter-schema-added", location, "it has a schema now");
            }
            (Some(_), None) if is_parameter => {
                return self.report(
                    "request-parameter-schema-removed",
                    location,
                    "it has no schema any more",
                );
            }
            (None, Some(_)) => return self.report("response-header-schema-added", location, "it has a schema now"),
            (Some(_), None) => {
                return self.report("response-header-schema-removed", location, "it has no schema any more");
            }
        };
        let (before, after) = (
            Serialization::of(base, old, is_parameter),
            Serialization::of(revision, new, is_parameter),
        );
        let (x, y) = (View::one(base, a), View::one(revision, b));
        let is_plain = |view: &View<'_>| {
            let types = view.types();
            !types.is_empty() && !types.contains("array") && !types.contains("object")
        };
        if before != after && !(is_plain(&x) && is_plain(&y) && before.style == after.style) {
            let show = |way: &Serialization| format!("{}{}", way.style, if way.explode { ", exploded" } else { "" });
            let text = format!("it was written as {}, is as {}", show(&before), show(&after));
            self.report(changed, location, text.escape_debug().to_string());
        }
        // Written as `a=1&a=2`, one value is a list of one.
        let exploded = after.style == "form" && after.explode && before.style == "form";
        if is_parameter && exploded && is_plain(&x) && y.types().into_iter().eq(["array"]) {
            self.report(
                "request-parameter-type-generalized",
                location,
                "several values may be given",
            );
            if let Some(items) = y.get(word::ITEMS) {
                self.root(facts, a, items, location);
            }
            return;
        }
        // The second of several values is ignored or refused.
        if is_parameter && exploded && is_plain(&y) && x.types().into_iter().eq(["array"]) {
            self.report(
                "request-parameter-type-changed",
                location,
                "only one value may be given",
            );
            if let Some(items) = x.get(word::ITEMS) {
                self.root(facts, items, b, location);
            }
            return;
        }
        self.root(facts, a, b, location);
    }
}
