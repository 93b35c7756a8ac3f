//! Who may call: security requirements and the schemes that they name.

use std::collections::{BTreeMap, BTreeSet};

use super::Comparison;
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
}

const OPERATION: Ids = Ids {
    became_required: "api-security-became-required",
    became_optional: "api-security-became-optional",
    added: "api-security-added",
    removed: "api-security-removed",
    scope_added: "api-security-scope-added",
    scope_removed: "api-security-scope-removed",
};

const GLOBAL: Ids = Ids {
    became_required: "api-global-security-became-required",
    became_optional: "api-global-security-became-optional",
    added: "api-global-security-added",
    removed: "api-global-security-removed",
    scope_added: "api-global-security-scope-added",
    scope_removed: "api-global-security-scope-removed",
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
        let effective = |bundle: &Bundle, own: Option<NodeId>| {
            requirements(bundle, own.or_else(|| bundle.tree.get(bundle.root, word::SECURITY)))
        };
        let (old, new) = (effective(self.graph.base, old), effective(self.graph.revision, new));
        self.requirements(&old, &new, &OPERATION, "security");
    }

    pub(super) fn global_security(&mut self) {
        let of = |bundle: &Bundle| requirements(bundle, bundle.tree.get(bundle.root, word::SECURITY));
        let (old, new) = (of(self.graph.base), of(self.graph.revision));
        self.requirements(&old, &new, &GLOBAL, "security");
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

    fn schemes(&mut self) {
        let of = |bundle: &Bundle| -> BTreeMap<String, NodeId> {
            let components = bundle.tree.get(bundle.root, word::COMPONENTS);
            let schemes = components.and_then(|components| bundle.tree.get(components, word::SECURITY_SCHEMES));
            let pairs = schemes.into_iter().flat_map(|schemes| bundle.tree.pairs(schemes));
            pairs
                .map(|(name, scheme)| (name.to_owned(), bundle.follow(scheme)))
                .collect()
        };
        let (old, new) = (of(self.graph.base), of(self.graph.revision));
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let location = format!("security scheme `{}`", name.escape_debug());
            match (old.get(name), new.get(name)) {
                (Some(a), Some(b)) if !self.graph.settled(*a, *b) => self.scheme(*a, *b, &location),
                (Some(_), None) => self.report("api-security-component-removed", &location, "the scheme is gone"),
                (None, Some(_)) => self.report("api-security-component-added", &location, "the scheme is new"),
                _ => {}
            }
        }
    }

    fn scheme(&mut self, old: NodeId, new: NodeId, location: &str) {
        let (base, revision) = (&self.graph.base.tree, &self.graph.revision.tree);
        let differs = |key| base.text_of(old, key) != revision.text_of(new, key);
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
        for (name, a) in &before {
            let Some(b) = after.get(name) else { continue };
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
