//! What holds for the description as a whole: servers, security, components.

use std::collections::BTreeSet;

use super::Comparison;
use crate::bundle::Bundle;
use crate::tree::{NodeId, word};

impl Comparison<'_> {
    pub(super) fn whole(&mut self) {
        self.global_security();
        let servers = |bundle: &Bundle| [bundle.tree.get(bundle.root, word::SERVERS)];
        self.servers(&servers(self.graph.base), &servers(self.graph.revision), "servers");
        let schemas = |bundle: &Bundle| -> BTreeSet<String> {
            let components = bundle.tree.get(bundle.root, word::COMPONENTS);
            let schemas = components.and_then(|components| bundle.tree.get(components, word::SCHEMAS));
            schemas
                .into_iter()
                .flat_map(|schemas| bundle.tree.pairs(schemas))
                .map(|(name, _)| name.to_owned())
                .collect()
        };
        let (old, new) = (schemas(self.graph.base), schemas(self.graph.revision));
        for name in old.difference(&new) {
            let location = format!("schema `{}`", name.escape_debug());
            self.report("api-schema-removed", &location, "the schema is gone");
        }
        for name in new.difference(&old) {
            let location = format!("schema `{}`", name.escape_debug());
            self.report("api-schema-added", &location, "the schema is new");
        }
    }

    /// The addresses of an operation: its own, else those of its path, else those of all, else the description's own.
    pub(super) fn servers(&mut self, base: &[Option<NodeId>], revision: &[Option<NodeId>], location: &str) {
        let (old, new) = (
            addresses(self.graph.base, base),
            addresses(self.graph.revision, revision),
        );
        for url in old.difference(&new) {
            let text = format!("server `{}` is gone", url.escape_debug());
            self.report("api-server-removed", location, text);
        }
        for url in new.difference(&old) {
            let text = format!("server `{}` is new", url.escape_debug());
            self.report("api-server-added", location, text);
        }
    }
}

/// The addresses of the first list that isn't empty, with the values that their variables may have.
fn addresses(bundle: &Bundle, lists: &[Option<NodeId>]) -> BTreeSet<String> {
    let tree = &bundle.tree;
    let named = lists
        .iter()
        .flatten()
        .map(|list| tree.items(*list))
        .find(|list| !list.is_empty());
    let mut found = BTreeSet::new();
    for server in named.unwrap_or_default() {
        let url = tree
            .text_of(*server, word::URL)
            .unwrap_or_default()
            .trim_end_matches('/');
        found.insert(url.to_owned());
        let variables = tree
            .get(*server, word::VARIABLES)
            .into_iter()
            .flat_map(|map| tree.pairs(map));
        for (name, variable) in variables {
            let values = tree.get(variable, word::ENUM).map_or(&[][..], |list| tree.items(list));
            let default = tree
                .text_of(variable, word::DEFAULT)
                .map(|value| format!("{url} with `{name}` by default {value}"));
            let values = values.iter().filter_map(|value| tree.text(*value));
            found.extend(
                values
                    .map(|value| format!("{url} with `{name}` {value}"))
                    .chain(default),
            );
        }
    }
    // Where none is named, it is where the description is (OpenAPI 3.1 §4.8.1.1).
    if named.is_none() {
        found.insert(String::new());
    }
    found
}
