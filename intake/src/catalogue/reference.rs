//! References between entities: `[kind:][namespace/]name`.

use holdpoint_schemas::service::ServiceId;

use super::entity::{Kind, qualified};

/// A reference, resolved to an id.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// Kind of what it points at.
    pub kind: Kind,
    /// Id of what it points at.
    pub id: ServiceId,
}

impl Reference {
    /// Reads a reference; what it leaves out is taken from `kind` and `namespace`. A kind that
    /// isn't known stays part of the name, so that the graph shows it as missing.
    pub fn parse(text: &str, kind: Kind, namespace: &str) -> Self {
        let text = text.trim();
        let (kind, rest) = match text.split_once(':').map(|(kind, rest)| (Kind::of(kind), rest)) {
            Some((Some(kind), rest)) => (kind, rest),
            Some((None, rest)) if kind == Kind::System => (kind, rest),
            _ => (kind, text),
        };
        let (namespace, name) = rest.split_once('/').unwrap_or((namespace, rest));
        Self {
            kind,
            id: qualified(namespace, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_in_every_form() {
        for (text, kind, id) in [
            ("ledger", Kind::Component, "ledger"),
            ("component:default/Ledger", Kind::Component, "ledger"),
            ("resource:ledger-db", Kind::Resource, "ledger-db"),
            ("API:payments/v1", Kind::Api, "payments/v1"),
            ("group:x", Kind::Component, "group:x"),
        ] {
            let wanted = Reference {
                kind,
                id: ServiceId::from(id),
            };
            assert_eq!(Reference::parse(text, Kind::Component, "default"), wanted, "{text}");
        }
    }
}
