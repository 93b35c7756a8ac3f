//! AsyncAPI 2 and 3 (asyncapi.com): what changed in the messages of channels, for who sends and who receives them.
//!
//! Seen from the clients of the described application: what it receives they write, what it sends they read.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::{Bundle, fault};
use crate::payload::{self, Side, change};
use crate::schema::{Graph, PairId};
use crate::tree::{NodeId, word};
use crate::{Change, ContractDiff, ContractError, Gap, Level, Rule, Sources};

/// Most changes that are listed.
const MAX_CHANGES: usize = 20_000;
/// Formats of schemas that are JSON Schema or a superset of it.
const FORMATS: [&str; 3] = [
    "application/vnd.aai.asyncapi",
    "application/schema",
    "application/vnd.oai.openapi",
];

/// Messages of one channel in one direction, by name.
#[derive(Default)]
struct Exchange {
    messages: BTreeMap<String, NodeId>,
}

/// Channel and whether the client writes.
type Key = (String, bool);

/// Reads what each channel carries in either direction.
fn exchanges(bundle: &Bundle) -> BTreeMap<Key, Exchange> {
    let tree = &bundle.tree;
    let mut found: BTreeMap<Key, Exchange> = BTreeMap::new();
    let channels = || {
        tree.get(bundle.root, word::CHANNELS)
            .into_iter()
            .flat_map(|map| tree.pairs(map))
    };
    if tree
        .text_of(bundle.root, word::ASYNCAPI)
        .is_some_and(|version| version.starts_with("2."))
    {
        for (name, channel) in channels() {
            let channel = bundle.follow(channel);
            // In version 2, `publish` is what clients may do.
            for (key, written) in [(word::PUBLISH, true), (word::SUBSCRIBE, false)] {
                let Some(operation) = bundle.get(channel, key) else {
                    continue;
                };
                let message = bundle.get(operation, word::MESSAGE);
                let choice = message.and_then(|message| tree.get(message, word::ONE_OF));
                let list: Vec<NodeId> = match (choice, tree.get(operation, word::MESSAGE)) {
                    (Some(choice), _) => tree.items(choice).to_vec(),
                    (None, message) => message.into_iter().collect(),
                };
                let exchange = found.entry((name.to_owned(), written)).or_default();
                exchange.messages.extend(named(bundle, &list));
            }
        }
        return found;
    }
    let addresses: BTreeMap<NodeId, &str> = channels()
        .map(|(name, channel)| (bundle.follow(channel), name))
        .collect();
    let operations = tree
        .get(bundle.root, word::OPERATIONS)
        .into_iter()
        .flat_map(|map| tree.pairs(map));
    for (_, operation) in operations {
        let operation = bundle.follow(operation);
        let Some(channel) = bundle.get(operation, word::CHANNEL) else {
            continue;
        };
        let name = addresses.get(&channel).copied().unwrap_or("channel");
        let written = tree.text_of(operation, word::ACTION) == Some("receive");
        let own: Vec<NodeId> = match tree.get(operation, word::MESSAGES) {
            Some(list) => tree.items(list).to_vec(),
            None => tree
                .get(channel, word::MESSAGES)
                .into_iter()
                .flat_map(|map| tree.children(map))
                .collect(),
        };
        let exchange = found.entry((name.to_owned(), written)).or_default();
        exchange.messages.extend(named(bundle, &own));
    }
    found
}

/// Messages by the name that they give themselves, or that they are referred to by, or their place.
fn named(bundle: &Bundle, list: &[NodeId]) -> Vec<(String, NodeId)> {
    let lone = list.len() == 1;
    let messages = list.iter().enumerate().map(|(at, message)| {
        let node = bundle.follow(*message);
        let own = bundle.tree.text_of(node, word::NAME).or_else(|| bundle.name(*message));
        // A channel's only message is the same whatever it is called.
        let name = if lone {
            "message".to_owned()
        } else {
            own.map_or_else(|| at.to_string(), str::to_owned)
        };
        (name, node)
    });
    messages.collect()
}

/// The schema of a message's payload; nothing where it is in a format that isn't compared.
fn payload_of(bundle: &Bundle, message: NodeId) -> Result<Option<NodeId>, String> {
    let tree = &bundle.tree;
    let Some(payload) = tree.get(message, word::PAYLOAD) else {
        return Ok(None);
    };
    let wrapped = tree.sym("schemaFormat").and_then(|key| {
        let format = tree.text_of(payload, key).or_else(|| tree.text_of(message, key));
        format.map(str::to_owned)
    });
    if let Some(format) = wrapped.filter(|format| !FORMATS.iter().any(|known| format.starts_with(known))) {
        return Err(format);
    }
    Ok(tree
        .get(payload, word::SCHEMA)
        .filter(|_| tree.get_str(payload, "schemaFormat").is_some())
        .or(Some(payload)))
}

struct Comparison<'a> {
    graph: Graph<'a>,
    changes: Vec<Change>,
    gaps: Vec<Gap>,
    roots: Vec<(String, String, bool, PairId)>,
}

impl Comparison<'_> {
    fn report(&mut self, rule: &str, level: Level, channel: &str, location: &str, text: String) {
        self.changes
            .push(change(rule.to_owned(), level, channel, location.to_owned(), text));
    }

    fn messages(&mut self, channel: &str, written: bool, old: &Exchange, new: &Exchange) {
        let way = if written { "written" } else { "read" };
        let names: BTreeSet<&String> = old.messages.keys().chain(new.messages.keys()).collect();
        for name in names {
            let location = format!("{way} message `{}`", name.escape_debug());
            match (old.messages.get(name), new.messages.get(name)) {
                (Some(a), Some(b)) if !self.graph.settled(*a, *b) => self.message(channel, written, *a, *b, &location),
                (Some(_), None) => {
                    let level = level(&format!("{way}-message-removed"));
                    self.report(
                        &format!("{way}-message-removed"),
                        level,
                        channel,
                        &location,
                        "the message is gone".to_owned(),
                    );
                }
                (None, Some(_)) => {
                    let level = level(&format!("{way}-message-added"));
                    self.report(
                        &format!("{way}-message-added"),
                        level,
                        channel,
                        &location,
                        "the message is new".to_owned(),
                    );
                }
                _ => {}
            }
        }
    }

    fn message(&mut self, channel: &str, written: bool, old: NodeId, new: NodeId, location: &str) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let both = (payload_of(base, old), payload_of(revision, new));
        match both {
            (Ok(Some(a)), Ok(Some(b))) => self.root(channel, written, a, b, &format!("{location} payload")),
            (Ok(_), Ok(_)) => {}
            (Err(format), _) | (_, Err(format)) => self.gaps.push(Gap {
                place: format!("{channel} {location}"),
                text: format!("schemas of the format `{}` aren't compared", format.escape_debug()),
            }),
        }
        if let (Some(a), Some(b)) = (base.tree.get(old, word::HEADERS), revision.tree.get(new, word::HEADERS)) {
            self.root(channel, written, a, b, &format!("{location} headers"));
        }
        let kind = (
            base.tree.text_of(old, word::CONTENT_TYPE),
            revision.tree.text_of(new, word::CONTENT_TYPE),
        );
        if let (Some(a), Some(b)) = kind
            && a != b
        {
            let text = format!("the content type was `{}`, is `{}`", a.escape_debug(), b.escape_debug());
            self.report("content-type-changed", Level::Error, channel, location, text);
        }
    }

    fn root(&mut self, channel: &str, written: bool, old: NodeId, new: NodeId, location: &str) {
        if let Some(pair) = self.graph.pair(&[old], &[new]) {
            self.roots
                .push((channel.to_owned(), location.to_owned(), written, pair));
        }
    }
}

/// Compares two descriptions and the files that they refer to.
///
/// # Errors
/// When one isn't AsyncAPI 2 or 3.
pub fn diff(base: (&str, &dyn Sources), revision: (&str, &dyn Sources)) -> Result<ContractDiff, ContractError> {
    let load = |(root, sources): (&str, &dyn Sources)| -> Result<Bundle, ContractError> {
        let bundle = Bundle::load(root, sources)?;
        let version = bundle.tree.text_of(bundle.root, word::ASYNCAPI).unwrap_or_default();
        if !version.starts_with("2.") && !version.starts_with("3.") {
            let message = format!("expected `asyncapi: 2.x` or `3.x`, found `{}`", version.escape_debug());
            return Err(fault(root, "", "", message, "name a file with an AsyncAPI description"));
        }
        Ok(bundle)
    };
    let (base, revision) = (load(base)?, load(revision)?);
    let mut comparison = Comparison {
        graph: Graph::new(&base, &revision),
        changes: Vec::new(),
        gaps: base.gaps.iter().chain(&revision.gaps).cloned().collect(),
        roots: Vec::new(),
    };
    let (old, new) = (exchanges(&base), exchanges(&revision));
    for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let (channel, written) = (key.0.as_str(), key.1);
        let way = if written { "written" } else { "read" };
        match (old.get(key), new.get(key)) {
            (Some(a), Some(b)) => comparison.messages(channel, written, a, b),
            (Some(_), None) => {
                comparison.report("channel-removed", Level::Error, channel, way, "it is gone".to_owned())
            }
            (None, _) => comparison.report("channel-added", Level::Info, channel, way, "it is new".to_owned()),
        }
    }
    comparison.graph.run();
    let mut changes = comparison.changes;
    for (channel, location, written, pair) in &comparison.roots {
        let (prefix, side) = if *written {
            ("written-", Side::Writer)
        } else {
            ("read-", Side::Reader)
        };
        comparison.graph.walk(*pair, |finding, way, _, _| {
            let (name, level) = payload::judge(finding, side);
            changes.push(change(
                format!("{prefix}{name}"),
                level,
                channel,
                format!("{location} {way}"),
                finding.text.as_str(),
            ));
        });
    }
    let many = (changes.len() > MAX_CHANGES).then_some("there are too many changes to tell them all");
    changes.truncate(MAX_CHANGES);
    comparison.gaps.extend(comparison.graph.gaps().chain(many).map(|text| Gap {
        place: "channels".to_owned(),
        text: text.to_owned(),
    }));
    Ok(ContractDiff::with_gaps("asyncapi", changes, comparison.gaps))
}

/// Id, level, opposite, explanation.
const ROWS: [(&str, Level, Option<&str>, &str); 7] = [
    (
        "channel-removed",
        Level::Error,
        Some("channel-added"),
        "a channel isn't used in this direction any more",
    ),
    (
        "channel-added",
        Level::Info,
        Some("channel-removed"),
        "a channel is used in a further direction",
    ),
    (
        "written-message-removed",
        Level::Error,
        Some("written-message-added"),
        "a message that clients send isn't understood any more",
    ),
    (
        "written-message-added",
        Level::Info,
        Some("written-message-removed"),
        "clients may send a further message",
    ),
    (
        "read-message-removed",
        Level::Warning,
        Some("read-message-added"),
        "a message that clients wait for doesn't come any more",
    ),
    (
        "read-message-added",
        Level::Warning,
        Some("read-message-removed"),
        "a message may come that clients don't know",
    ),
    (
        "content-type-changed",
        Level::Error,
        Some("content-type-changed"),
        "messages are written in another format",
    ),
];

fn level(id: &str) -> Level {
    ROWS.iter().find(|row| row.0 == id).map_or(Level::Error, |row| row.1)
}

/// All rules.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let rows = ROWS.iter().map(|(id, level, opposite, text)| Rule {
        kind: "asyncapi",
        id: (*id).to_owned(),
        level: *level,
        explanation: (*text).to_owned(),
        opposite: opposite.map(str::to_owned),
    });
    let written = payload::rules("asyncapi", "written-", Side::Writer);
    rows.chain(written)
        .chain(payload::rules("asyncapi", "read-", Side::Reader))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn compare(base: &Value, revision: &Value) -> Result<ContractDiff, ContractError> {
        let files = |value: &Value| BTreeMap::from([("a.json".to_owned(), value.to_string())]);
        diff(("a.json", &files(base)), ("a.json", &files(revision)))
    }

    fn version_2(way: &str, kind: &str) -> Value {
        let payload = json!({"type": "object", "properties": {"p": {"type": kind}}});
        json!({"asyncapi": "2.6.0", "channels": {"c": {way: {"message": {"payload": payload}}}}})
    }

    fn version_3(action: &str, kind: &str) -> Value {
        json!({"asyncapi": "3.0.0",
            "channels": {"c": {"messages": {"m": {"payload": {"type": "object", "properties": {"p": {"type": kind}}}}}}},
            "operations": {"o": {"action": action, "channel": {"$ref": "#/channels/c"}}}})
    }

    #[test]
    fn a_payload_is_judged_by_who_writes_it() {
        let known: BTreeSet<String> = rules().into_iter().map(|rule| rule.id).collect();
        for (base, revision, rule, breaking) in [
            (
                version_2("publish", "integer"),
                version_2("publish", "number"),
                "written-type-generalized",
                false,
            ),
            (
                version_2("subscribe", "integer"),
                version_2("subscribe", "number"),
                "read-type-generalized",
                true,
            ),
            (
                version_3("receive", "number"),
                version_3("receive", "integer"),
                "written-type-specialized",
                true,
            ),
            (
                version_3("send", "number"),
                version_3("send", "integer"),
                "read-type-specialized",
                false,
            ),
        ] {
            let found = compare(&base, &revision).unwrap();
            assert_eq!(found.changes.len(), 1, "{:?}", found.changes);
            assert_eq!(found.changes[0].rule, rule);
            assert!(known.contains(rule));
            assert_eq!(found.breaking, breaking, "{rule}");
            assert_eq!(compare(&base, &base).unwrap().changes, []);
        }
    }

    #[test]
    fn channels_that_go_break_and_unknown_formats_are_gaps() {
        let (some, none) = (
            version_2("publish", "string"),
            json!({"asyncapi": "2.6.0", "channels": {}}),
        );
        assert!(compare(&some, &none).unwrap().breaking);
        assert!(!compare(&none, &some).unwrap().breaking);
        let avro = |name: &str| {
            json!({"asyncapi": "2.6.0", "channels": {"c": {"publish": {"message": {
                "schemaFormat": "application/vnd.apache.avro+json;version=1.9.0", "payload": {"name": name}}}}}})
        };
        assert_eq!(
            compare(&avro("a"), &avro("b")).unwrap().verdict(),
            crate::DiffVerdict::Inconclusive
        );
        assert!(compare(&json!({"openapi": "3.0.0"}), &some).is_err());
    }
}
