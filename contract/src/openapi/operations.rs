//! Paths and operations.

use std::collections::{BTreeMap, BTreeSet};

use super::Comparison;
use super::keys::{OPERATION, PATH_ITEM};
use crate::bundle::Bundle;
use crate::lifecycle::{Life, Sunset};
use crate::tree::{NodeId, Sym, word};

/// Methods of HTTP, as keys of a path item.
const METHODS: [(Sym, &str); 9] = [
    (word::GET, "GET"),
    (word::PUT, "PUT"),
    (word::POST, "POST"),
    (word::DELETE, "DELETE"),
    (word::OPTIONS, "OPTIONS"),
    (word::HEAD, "HEAD"),
    (word::PATCH, "PATCH"),
    (word::TRACE, "TRACE"),
    (word::QUERY, "QUERY"),
];

/// A path template with the names of its parameters left out: `/a/{id}` and `/a/{key}` are one.
fn shape(template: &str) -> String {
    let mut out = String::new();
    for (at, part) in template.split('{').enumerate() {
        match part.split_once('}') {
            Some((_, rest)) if at > 0 => {
                out.push_str("{}");
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// Names of the parameters of a template, in their order.
fn names(template: &str) -> Vec<&str> {
    let parts = template.split('{').skip(1);
    parts.filter_map(|part| Some(part.split_once('}')?.0)).collect()
}

/// Path items of a document by template, as they are written.
fn written(bundle: &Bundle) -> impl Iterator<Item = (&str, NodeId)> {
    let paths = bundle.tree.get(bundle.root, word::PATHS);
    let pairs = paths.into_iter().flat_map(|paths| bundle.tree.pairs(paths));
    pairs.filter(|(template, _)| !template.starts_with("x-"))
}

/// Path items of a document by template, references followed.
fn items(bundle: &Bundle) -> BTreeMap<&str, NodeId> {
    written(bundle)
        .filter(|(template, _)| template.starts_with('/'))
        .map(|(template, item)| (template, bundle.follow(item)))
        .collect()
}

/// Operations of a path item by method; since OpenAPI 3.2 a method may be any.
fn operations(bundle: &Bundle, item: NodeId) -> BTreeMap<&str, NodeId> {
    let tree = &bundle.tree;
    let fixed = METHODS.into_iter();
    let fixed = fixed.filter_map(|(key, name)| Some((name, tree.get(item, key)?)));
    let others = tree.get(item, word::ADDITIONAL_OPERATIONS).into_iter();
    others.flat_map(|map| tree.pairs(map)).chain(fixed).collect()
}

/// A path item and its template.
#[derive(Clone, Copy)]
pub(super) struct Item<'t> {
    pub(super) template: &'t str,
    pub(super) node: NodeId,
}

impl Comparison<'_> {
    pub(super) fn paths(&mut self) {
        self.odd_paths();
        let (base, revision) = (items(self.graph.base), items(self.graph.revision));
        // Templates that are written in the same way belong together; then those of the same shape.
        let mut by_shape: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for template in revision.keys().filter(|template| !base.contains_key(*template)) {
            by_shape.entry(shape(template)).or_default().push(template);
        }
        let mut taken = BTreeSet::new();
        for (template, old) in &base {
            let other = match revision.contains_key(template) {
                true => Some(*template),
                false => by_shape.get_mut(&shape(template)).and_then(Vec::pop),
            };
            let new = other.and_then(|other| Some((other, *revision.get(other)?)));
            match new {
                Some((other, new)) => {
                    taken.insert(other);
                    (*template).clone_into(&mut self.path);
                    let old = Item { template, node: *old };
                    self.item(
                        old,
                        Item {
                            template: other,
                            node: new,
                        },
                    );
                }
                None => self.path_removed(template, *old),
            }
        }
        for (template, item) in revision.iter().filter(|(template, _)| !taken.contains(*template)) {
            (*template).clone_into(&mut self.path);
            for method in operations(self.graph.revision, *item).into_keys() {
                method.clone_into(&mut self.operation);
                self.report("endpoint-added", "operation", "the path is new");
            }
        }
        self.operation.clear();
        self.path.clear();
    }

    /// Notes what stands under `paths` and is none, and path items that say more beside a reference: what counts then
    /// isn't said (OpenAPI 3.1 §4.8.9.1).
    fn odd_paths(&mut self) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let mixed = |bundle: &Bundle, item: NodeId| {
            bundle.tree.reference(item).is_some() && bundle.tree.entries(item).len() > 1
        };
        let of = |bundle| -> BTreeMap<&str, NodeId> { written(bundle).collect() };
        let (old, new) = (of(base), of(revision));
        for template in old.keys().chain(new.keys()).copied().collect::<BTreeSet<_>>() {
            let (a, b) = (old.get(template).copied(), new.get(template).copied());
            let same = a.zip(b).is_some_and(|(a, b)| self.graph.settled(a, b));
            if !same && !template.starts_with('/') {
                self.gap(format!(
                    "`{}` under `paths` is no path, and differs",
                    template.escape_debug()
                ));
            }
            if !same && (a.is_some_and(|item| mixed(base, item)) || b.is_some_and(|item| mixed(revision, item))) {
                template.clone_into(&mut self.path);
                self.gap("what stands beside the reference of a path isn't compared, and differs");
            }
        }
        self.path.clear();
    }

    fn path_removed(&mut self, template: &str, item: NodeId) {
        template.clone_into(&mut self.path);
        for (method, operation) in operations(self.graph.base, item) {
            method.clone_into(&mut self.operation);
            self.removed(operation, true);
        }
    }

    fn removed(&mut self, operation: NodeId, path: bool) {
        let life = Life::of(&self.graph.base.tree, operation);
        let pick = |of_path, of_operation| if path { of_path } else { of_operation };
        let gone = if path {
            "the path is gone"
        } else {
            "the operation is gone"
        };
        let (rule, text) = match (life.deprecated, &life.sunset, life.stability) {
            (_, _, None) => (
                "api-invalid-stability-level",
                "what it promised can't be read".to_owned(),
            ),
            (_, _, Some(stability)) if stability.is_loose() => {
                let text = format!("{gone}; it was only {}", stability.as_str());
                ("api-removed-unstable", text)
            }
            (false, ..) => {
                let rule = pick(
                    "api-path-removed-without-deprecation",
                    "api-removed-without-deprecation",
                );
                (rule, gone.to_owned())
            }
            (true, Sunset::None, _) => {
                let rule = pick("api-path-removed-with-deprecation", "api-removed-with-deprecation");
                (rule, format!("{gone}; it was deprecated"))
            }
            (true, Sunset::Unreadable(text), _) => {
                let text = format!("{gone}; its last day `{}` can't be read", text.escape_debug());
                ("api-path-sunset-parse", text)
            }
            (true, Sunset::On(day), _) => match self.policy.today {
                Some(today) if today < *day => {
                    let rule = pick("api-path-removed-before-sunset", "api-removed-before-sunset");
                    (rule, format!("{gone} {} days before its last day", day.since(today)))
                }
                today => {
                    if today.is_none() {
                        self.gap("whether its last day has passed isn't known, and it is gone");
                    }
                    let rule = pick("api-path-removed-with-deprecation", "api-removed-with-deprecation");
                    (rule, format!("{gone}; it was deprecated and had a last day"))
                }
            },
        };
        self.report(rule, "operation", text);
    }

    fn item(&mut self, old: Item<'_>, new: Item<'_>) {
        let renamed = old.template != new.template;
        if !renamed && self.same_security && self.graph.settled(old.node, new.node) {
            return;
        }
        if self.unknown(old.node, new.node) {
            return;
        }
        self.operation.clear();
        self.known_keys(PATH_ITEM, old.node, new.node, "path");
        let (before, after) = (
            operations(self.graph.base, old.node),
            operations(self.graph.revision, new.node),
        );
        for method in before.keys().chain(after.keys()).copied().collect::<BTreeSet<_>>() {
            method.clone_into(&mut self.operation);
            match (before.get(method).copied(), after.get(method).copied()) {
                (Some(before), Some(after)) => self.operation((old, before), (new, after)),
                (Some(before), None) => self.removed(before, false),
                (None, Some(_)) => self.report("endpoint-added", "operation", "the operation is new"),
                (None, None) => {}
            }
        }
    }

    pub(super) fn operation(&mut self, old: (Item<'_>, NodeId), new: (Item<'_>, NodeId)) {
        let (before, after) = (old.1, new.1);
        if !self.operation_life(before, after) {
            return;
        }
        let base = self.parameters_of(self.graph.base, old, &names(old.0.template));
        let revision = self.parameters_of(self.graph.revision, new, &names(new.0.template));
        self.parameters(&base, &revision);
        self.security(before, after);
        let path_servers = |bundle: &Bundle, item: Item<'_>| bundle.tree.get(item.node, word::SERVERS).is_some();
        let moved = path_servers(self.graph.base, old.0) || path_servers(self.graph.revision, new.0);
        if self.graph.settled(before, after) && !moved {
            return;
        }
        self.known_keys(OPERATION, before, after, "operation");
        self.labels(before, after);
        let key = |key| (self.graph.base.get(before, key), self.graph.revision.get(after, key));
        let (body, responses, callbacks) = (key(word::REQUEST_BODY), key(word::RESPONSES), key(word::CALLBACKS));
        self.request_body(body.0, body.1);
        self.responses(responses.0, responses.1);
        self.callbacks(callbacks.0, callbacks.1);
        let servers = |bundle: &Bundle, (item, operation): (Item<'_>, NodeId)| {
            let own = [operation, item.node].map(|node| bundle.tree.get(node, word::SERVERS));
            let [own, path] = own;
            [own, path, bundle.tree.get(bundle.root, word::SERVERS)]
        };
        let (before, after) = (servers(self.graph.base, old), servers(self.graph.revision, new));
        // What holds for all is told once.
        if [before, after].iter().any(|[own, path, _]| own.or(*path).is_some()) {
            self.servers(&before, &after, "operation");
        }
    }

    /// Operation id and tags: for people and generators.
    fn labels(&mut self, before: NodeId, after: NodeId) {
        let (base, revision) = (&self.graph.base.tree, &self.graph.revision.tree);
        let id = (
            base.text_of(before, word::OPERATION_ID),
            revision.text_of(after, word::OPERATION_ID),
        );
        let tags = |tree: &crate::tree::Tree, operation| -> BTreeSet<String> {
            let list = tree.get(operation, word::TAGS).map_or(&[][..], |list| tree.items(list));
            list.iter()
                .filter_map(|tag| tree.text(*tag))
                .map(str::to_owned)
                .collect()
        };
        let (old_tags, new_tags) = (tags(base, before), tags(revision, after));
        let told = match id {
            (Some(old), Some(new)) if old != new => Some((
                "api-operation-id-removed",
                format!(
                    "the operation id was `{}`, is `{}`",
                    old.escape_debug(),
                    new.escape_debug()
                ),
            )),
            (Some(old), None) => Some((
                "api-operation-id-removed",
                format!("the operation id was `{}`", old.escape_debug()),
            )),
            (None, Some(new)) => Some((
                "api-operation-id-added",
                format!("the operation id is `{}`", new.escape_debug()),
            )),
            _ => None,
        };
        if let Some((rule, text)) = told {
            self.report(rule, "operation", text);
        }
        for tag in old_tags.difference(&new_tags) {
            self.report(
                "api-tag-removed",
                "operation",
                format!("tag `{}` is gone", tag.escape_debug()),
            );
        }
        for tag in new_tags.difference(&old_tags) {
            self.report(
                "api-tag-added",
                "operation",
                format!("tag `{}` is new", tag.escape_debug()),
            );
        }
    }

    /// Callbacks: what the server asks of an address that the client gave.
    fn callbacks(&mut self, base: Option<NodeId>, revision: Option<NodeId>) {
        let entries = |bundle: &Bundle, map: Option<NodeId>| -> BTreeMap<String, NodeId> {
            let callbacks = map.into_iter().flat_map(|map| bundle.tree.pairs(map));
            let mut found = BTreeMap::new();
            for (name, callback) in callbacks {
                for (address, item) in bundle.tree.pairs(bundle.follow(callback)) {
                    found.insert(format!("{name} {address}"), bundle.follow(item));
                }
            }
            found
        };
        let (old, new) = (entries(self.graph.base, base), entries(self.graph.revision, revision));
        self.asked("callback", &old, &new);
    }

    /// Webhooks: what the server asks of whoever signed up.
    pub(super) fn webhooks(&mut self) {
        let entries = |bundle: &Bundle| -> BTreeMap<String, NodeId> {
            let keys = [Some(word::WEBHOOKS), bundle.tree.sym("x-webhooks")];
            let maps = keys
                .into_iter()
                .flatten()
                .filter_map(|key| bundle.tree.get(bundle.root, key));
            let pairs = maps.flat_map(|map| bundle.tree.pairs(map));
            pairs
                .map(|(name, item)| (name.to_owned(), bundle.follow(item)))
                .collect()
        };
        let (old, new) = (entries(self.graph.base), entries(self.graph.revision));
        self.asked("webhook", &old, &new);
        self.operation.clear();
        self.path.clear();
    }

    fn asked(&mut self, kind: &'static str, old: &BTreeMap<String, NodeId>, new: &BTreeMap<String, NodeId>) {
        let is_webhook = kind == "webhook";
        let (added, removed) = match is_webhook {
            true => ("webhook-added", "webhook-removed"),
            false => ("callback-added", "callback-removed"),
        };
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let shown = name.escape_debug().to_string();
            let before = old
                .get(name)
                .map(|item| operations(self.graph.base, *item))
                .unwrap_or_default();
            let after = new
                .get(name)
                .map(|item| operations(self.graph.revision, *item))
                .unwrap_or_default();
            for method in before.keys().chain(after.keys()).copied().collect::<BTreeSet<_>>() {
                if is_webhook {
                    self.path = format!("webhook:{name}");
                    method.clone_into(&mut self.operation);
                }
                let outer = std::mem::take(&mut self.prefix);
                self.prefix = format!("{outer}{kind} `{shown}` {method} ");
                match (before.get(method).copied(), after.get(method).copied()) {
                    (Some(a), Some(b)) if !self.graph.settled(a, b) => self.asked_operation(a, b),
                    (Some(_), None) => self.report(removed, "operation", format!("the {kind} is gone")),
                    (None, Some(_)) => self.report(added, "operation", format!("the {kind} is new")),
                    _ => {}
                }
                self.prefix = outer;
            }
        }
    }
}
