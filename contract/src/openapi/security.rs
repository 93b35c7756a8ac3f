//! Who may call: security requirements and the schemes that they name.

use std::collections::{BTreeMap, BTreeSet};

use super::Comparison;
use super::keys::SECURITY_SCHEME;
use crate::bundle::Bundle;
use crate::tree::{NodeId, word};

/// Alternatives: schemes that are asked for together, each with its scopes.
type Requirements = BTreeMap<BTreeSet<String>, BTreeMap<String, BTreeSet<String>>>;

/// Ids of the rules, for one operation or for all.
struct Ids {
    became_required: &'static str,
    became_optional: &'static str,
    added: &'static str,
    removed: &'static str,
    scope_added: &'static str,
    scope_removed: &'static str,
    replaced: &'static str,
}

const OPERATION: Ids = Ids {
    became_required: "api-security-became-required",
    became_optional: "api-security-became-optional",
    added: "api-security-added",
    removed: "api-security-removed",
    scope_added: "api-security-scope-added",
    scope_removed: "api-security-scope-removed",
    replaced: "api-security-replaced",
};

const GLOBAL: Ids = Ids {
    became_required: "api-global-security-became-required",
    became_optional: "api-global-security-became-optional",
    added: "api-global-security-added",
    removed: "api-global-security-removed",
    scope_added: "api-global-security-scope-added",
    scope_removed: "api-global-security-scope-removed",
    replaced: "api-global-security-replaced",
};

fn requirements(bundle: &Bundle, list: Option<NodeId>) -> Requirements {
    let mut found = Requirements::new();
    for alternative in list.map_or(&[][..], |list| bundle.tree.items(list)) {
        let schemes = bundle.tree.pairs(*alternative).map(|(name, scopes)| {
            let scopes = bundle
                .tree
                .items(scopes)
                .iter()
                .filter_map(|scope| bundle.tree.text(*scope));
            (name.to_owned(), scopes.map(str::to_owned).collect::<BTreeSet<_>>())
        });
        let schemes: BTreeMap<_, _> = schemes.collect();
        let known = found.entry(schemes.keys().cloned().collect()).or_default();
        for (name, scopes) in schemes {
            known.entry(name).or_default().extend(scopes);
        }
    }
    found
}

/// Security schemes by name.
fn schemes(bundle: &Bundle) -> BTreeMap<String, NodeId> {
    let components = bundle.tree.get(bundle.root, word::COMPONENTS);
    let schemes = components.and_then(|components| bundle.tree.get(components, word::SECURITY_SCHEMES));
    let pairs = schemes.into_iter().flat_map(|schemes| bundle.tree.pairs(schemes));
    pairs
        .map(|(name, scheme)| (name.to_owned(), bundle.follow(scheme)))
        .collect()
}

/// Names of the schemes that anything asks for.
fn used(bundle: &Bundle) -> BTreeSet<&str> {
    let tree = &bundle.tree;
    let lists = tree.all().filter_map(|node| tree.get(node, word::SECURITY));
    let alternatives = lists.flat_map(|list| tree.items(list));
    alternatives
        .flat_map(|one| tree.pairs(*one))
        .map(|(name, _)| name)
        .collect()
}

/// Whether a call without any credentials is allowed.
fn is_open(requirements: &Requirements) -> bool {
    requirements.is_empty() || requirements.contains_key(&BTreeSet::new())
}

impl Comparison<'_> {
    /// Compares what an operation asks for, or what holds for it by the description as a whole.
    pub(super) fn security(&mut self, before: NodeId, after: NodeId) {
        let own = |bundle: &Bundle, operation| bundle.tree.get(operation, word::SECURITY);
        let (old, new) = (own(self.graph.base, before), own(self.graph.revision, after));
        if old.is_none() && new.is_none() {
            // What holds for all is told once.
            return;
        }
        let inherited = old.is_none();
        let effective = |bundle: &Bundle, own: Option<NodeId>| {
            requirements(bundle, own.or_else(|| bundle.tree.get(bundle.root, word::SECURITY)))
        };
        let (old, new) = (effective(self.graph.base, old), effective(self.graph.revision, new));
        self.requirements(&old, &new, &OPERATION, "security");
        self.replaced(&old, &new, &OPERATION, inherited);
    }

    pub(super) fn global_security(&mut self) {
        let of = |bundle: &Bundle| requirements(bundle, bundle.tree.get(bundle.root, word::SECURITY));
        let (old, new) = (of(self.graph.base), of(self.graph.revision));
        self.requirements(&old, &new, &GLOBAL, "security");
        self.replaced(&old, &new, &GLOBAL, false);
        self.schemes();
    }

    fn requirements(&mut self, old: &Requirements, new: &Requirements, ids: &Ids, location: &str) {
        let show = |names: &BTreeSet<String>| {
            let names: Vec<_> = names.iter().map(|name| name.escape_debug().to_string()).collect();
            names.join(" and ")
        };
        let (was_open, is_open) = (is_open(old), is_open(new));
        match (was_open, is_open) {
            (true, false) => self.report(ids.became_required, location, "calls need credentials now"),
            (false, true) => self.report(ids.became_optional, location, "calls need no credentials any more"),
            _ => {}
        }
        for names in new
            .keys()
            .filter(|names| !names.is_empty() && !old.contains_key(*names))
        {
            self.report(ids.added, location, format!("`{}` is accepted now", show(names)));
        }
        for names in old
            .keys()
            .filter(|names| !names.is_empty() && !new.contains_key(*names))
        {
            // Where no credentials are needed, none can be refused.
            if !is_open {
                self.report(
                    ids.removed,
                    location,
                    format!("`{}` isn't accepted any more", show(names)),
                );
            }
        }
        for (names, before) in old {
            let Some(after) = new.get(names) else { continue };
            for (name, scopes) in before {
                let now = after.get(name).cloned().unwrap_or_default();
                for scope in now.difference(scopes).filter(|_| !is_open) {
                    let text = format!("`{}` needs the scope `{}`", name.escape_debug(), scope.escape_debug());
                    self.report(ids.scope_added, location, text);
                }
                for scope in scopes.difference(&now) {
                    let text = format!(
                        "`{}` doesn't need the scope `{}`",
                        name.escape_debug(),
                        scope.escape_debug()
                    );
                    self.report(ids.scope_removed, location, text);
                }
            }
        }
    }

    /// Tells where no credentials that were accepted are any more. `inherited`: the operation said nothing before and
    /// is only now apart from the others; what it accepted then is often just written down late.
    fn replaced(&mut self, old: &Requirements, new: &Requirements, ids: &Ids, inherited: bool) {
        if is_open(old) || is_open(new) || self.suffices(old, new) {
            return;
        }
        let (base, revision) = (schemes(self.graph.base), schemes(self.graph.revision));
        let described = |all: &Requirements, schemes: &BTreeMap<String, NodeId>| {
            all.keys().flatten().all(|name| schemes.contains_key(name))
        };
        if inherited {
            self.gap("it asks for other credentials than all operations did, and said nothing of its own before");
        } else if described(old, &base) && described(new, &revision) {
            self.report(
                ids.replaced,
                "security",
                "nothing that was accepted is accepted any more",
            );
        } else {
            // Names alone don't tell what is sent.
            self.gap("other credentials are asked for, and not all of them are described");
        }
    }

    /// Whether credentials that were accepted still are: some former alternative has all that one asks for now.
    /// A scheme with another name and the same content is the same.
    fn suffices(&self, old: &Requirements, new: &Requirements) -> bool {
        let (base, revision) = (schemes(self.graph.base), schemes(self.graph.revision));
        let same = |had: &String, asked: &String| match (base.get(had), revision.get(asked)) {
            (Some(a), Some(b)) => had == asked || self.graph.alignment.same(*a, *b),
            _ => had == asked,
        };
        let enough = |had: &BTreeSet<String>, asked: &BTreeSet<String>| {
            asked.iter().all(|asked| had.iter().any(|had| same(had, asked)))
        };
        old.keys().any(|had| new.keys().any(|asked| enough(had, asked)))
    }

    fn schemes(&mut self) {
        let used = used(self.graph.base);
        let (old, new) = (schemes(self.graph.base), schemes(self.graph.revision));
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let location = format!("security scheme `{}`", name.escape_debug());
            match (old.get(name), new.get(name)) {
                (Some(a), Some(b)) if self.unknown(*a, *b) => {}
                (Some(a), Some(b)) if !self.graph.settled(*a, *b) => {
                    self.scheme((*a, *b), used.contains(name.as_str()), &location);
                }
                (Some(_), None) => self.report("api-security-component-removed", &location, "the scheme is gone"),
                (None, Some(_)) => self.report("api-security-component-added", &location, "the scheme is new"),
                _ => {}
            }
        }
    }

    fn scheme(&mut self, (old, new): (NodeId, NodeId), used: bool, location: &str) {
        self.known_keys(SECURITY_SCHEME, old, new, location);
        let (base, revision) = (&self.graph.base.tree, &self.graph.revision.tree);
        let differs = |key| base.text_of(old, key) != revision.text_of(new, key);
        // Case says nothing in a header's name and in a scheme of HTTP (RFC 9110 §5.1, §11.1).
        let sent = |tree: &crate::tree::Tree, scheme| -> Vec<String> {
            let keys = [word::TYPE, word::IN, word::NAME, word::SCHEME];
            let read = |key| tree.text_of(scheme, key).unwrap_or_default();
            let plain = ["query", "cookie"].contains(&read(word::IN));
            keys.map(|key| {
                if plain {
                    read(key).to_owned()
                } else {
                    read(key).to_ascii_lowercase()
                }
            })
            .to_vec()
        };
        if used && sent(base, old) != sent(revision, new) {
            let text = "operations ask for it, and credentials are sent in another way";
            self.report("api-security-component-in-use-changed", location, text);
        }
        if differs(word::TYPE) {
            self.report("api-security-component-type-changed", location, "its type changed");
        } else if [word::IN, word::NAME, word::SCHEME, word::OPEN_ID_CONNECT_URL]
            .into_iter()
            .any(differs)
        {
            self.report(
                "api-security-component-changed",
                location,
                "how credentials are sent changed",
            );
        }
        let flows = |tree: &crate::tree::Tree, scheme| -> BTreeMap<String, NodeId> {
            let flows = tree.get(scheme, word::FLOWS);
            flows
                .into_iter()
                .flat_map(|flows| tree.pairs(flows))
                .map(|(name, flow)| (name.to_owned(), flow))
                .collect()
        };
        let (before, after) = (flows(base, old), flows(revision, new));
        for name in after.keys().filter(|name| !before.contains_key(*name)) {
            let text = format!("flow `{}` is new", name.escape_debug());
            self.report("api-security-component-oauth-flow-added", location, text);
        }
        for (name, a) in &before {
            let Some(b) = after.get(name) else {
                let text = format!("flow `{}` is gone", name.escape_debug());
                self.report("api-security-component-oauth-flow-removed", location, text);
                continue;
            };
            for (key, rule) in [
                (word::AUTHORIZATION_URL, "api-security-component-oauth-url-changed"),
                (word::TOKEN_URL, "api-security-component-oauth-token-url-changed"),
            ] {
                if base.text_of(*a, key) != revision.text_of(*b, key) {
                    self.report(
                        rule,
                        location,
                        format!("an address of `{}` changed", name.escape_debug()),
                    );
                }
            }
            self.scopes(base.get(*a, word::SCOPES), revision.get(*b, word::SCOPES), location);
        }
    }

    fn scopes(&mut self, old: Option<NodeId>, new: Option<NodeId>, location: &str) {
        let (base, revision) = (&self.graph.base.tree, &self.graph.revision.tree);
        let old: BTreeMap<_, _> = old.into_iter().flat_map(|map| base.pairs(map)).collect();
        let new: BTreeMap<_, _> = new.into_iter().flat_map(|map| revision.pairs(map)).collect();
        for scope in old.keys().chain(new.keys()).copied().collect::<BTreeSet<_>>() {
            let rule = match (old.get(scope), new.get(scope)) {
                (None, _) => "api-security-component-oauth-scope-added",
                (_, None) => "api-security-component-oauth-scope-removed",
                (Some(a), Some(b)) if !self.graph.alignment.same(*a, *b) => {
                    "api-security-component-oauth-scope-changed"
                }
                _ => continue,
            };
            self.report(rule, location, format!("scope `{}`", scope.escape_debug()));
        }
    }
}
