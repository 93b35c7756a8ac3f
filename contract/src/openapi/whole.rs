//! What holds for the description as a whole: servers, security, components.

use std::collections::BTreeSet;

use super::Comparison;
use crate::bundle::Bundle;
use crate::tree::{NodeId, word};

impl Comparison<'_> {
    pub(super) fn whole(&mut self) {
        self.global_security();
        let servers = |bundle: &Bundle| bundle.tree.get(bundle.root, word::SERVERS);
        self.servers(servers(self.graph.base), servers(self.graph.revision), "servers");
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

    /// Addresses, where both sides name some.
    pub(super) fn servers(&mut self, base: Option<NodeId>, revision: Option<NodeId>, location: &str) {
        let urls = |bundle: &Bundle, list: Option<NodeId>| -> BTreeSet<String> {
            let list = list.map_or(&[][..], |list| bundle.tree.items(list));
            let urls = list.iter().filter_map(|server| bundle.tree.text_of(*server, word::URL));
            urls.map(|url| url.trim_end_matches('/').to_owned()).collect()
        };
        let (old, new) = (urls(self.graph.base, base), urls(self.graph.revision, revision));
        if old.is_empty() || new.is_empty() {
            return;
        }
        for url in old.difference(&new) {
            self.report(
                "api-server-removed",
                location,
                format!("server `{}` is gone", url.escape_debug()),
            );
        }
        for url in new.difference(&old) {
            self.report(
                "api-server-added",
                location,
                format!("server `{}` is new", url.escape_debug()),
            );
        }
    }
}
