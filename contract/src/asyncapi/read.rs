//! What an application exchanges with its clients: messages by channel and direction.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::Bundle;
use crate::tree::{NodeId, word};

/// Formats of schemas that are JSON Schema or a superset of it.
const FORMATS: [&str; 3] = [
    "application/vnd.aai.asyncapi",
    "application/schema",
    "application/vnd.oai.openapi",
];

/// What one channel carries in one direction.
#[derive(Default)]
pub(super) struct Exchange {
    /// As people call it.
    pub(super) shown: String,
    /// Messages with the names that they give themselves or are referred to by, in the order of the text.
    pub(super) messages: Vec<(String, NodeId)>,
    /// Operations that use it, and the channel itself.
    pub(super) operations: Vec<NodeId>,
    pub(super) channel: Option<NodeId>,
}

/// Address with the names of its parameters left out, and whether the client writes.
pub(super) type Key = (String, bool);

/// Everything that is exchanged, and the channels of which no operation says who sends.
#[derive(Default)]
pub(super) struct Exchanges {
    pub(super) known: BTreeMap<Key, Exchange>,
    pub(super) idle: BTreeMap<String, NodeId>,
}

/// `u/{id}` and `u/{key}` are one address.
fn shape(address: &str) -> String {
    let mut parts = address.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |shape, part| match part.split_once('}') {
        Some((_, rest)) => format!("{shape}{{}}{rest}"),
        None => format!("{shape}{{{part}"),
    })
}

impl Exchanges {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let version = bundle.tree.text_of(bundle.root, word::ASYNCAPI).unwrap_or_default();
        match version.starts_with("2.") {
            true => Self::of_version_2(bundle),
            false => Self::of_version_3(bundle),
        }
    }

    fn add(
        &mut self,
        bundle: &Bundle,
        address: &str,
        written: bool,
        channel: NodeId,
        operation: NodeId,
        messages: &[NodeId],
    ) {
        let exchange = self.known.entry((shape(address), written)).or_default();
        address.clone_into(&mut exchange.shown);
        exchange.channel = Some(channel);
        exchange.operations.push(operation);
        for (name, message) in named(bundle, messages) {
            if !exchange
                .messages
                .iter()
                .any(|(known, node)| *known == name && *node == message)
            {
                exchange.messages.push((name, message));
            }
        }
    }

    fn of_version_2(bundle: &Bundle) -> Self {
        let (tree, mut found) = (&bundle.tree, Self::default());
        for (name, channel) in entries(bundle, word::CHANNELS) {
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
                found.add(bundle, name, written, channel, operation, &list);
            }
        }
        found
    }

    fn of_version_3(bundle: &Bundle) -> Self {
        let (tree, mut found) = (&bundle.tree, Self::default());
        let mut used = BTreeSet::new();
        for (_, operation) in entries(bundle, word::OPERATIONS) {
            let operation = bundle.follow(operation);
            let Some(reference) = tree.get(operation, word::CHANNEL) else {
                continue;
            };
            let address = address(bundle, reference);
            used.insert(shape(&address));
            let channel = bundle.follow(reference);
            let written = tree.text_of(operation, word::ACTION) == Some("receive");
            found.add(
                bundle,
                &address,
                written,
                channel,
                operation,
                &messages(bundle, operation, channel),
            );
            // What is asked in one direction is answered in the other.
            if let Some(reply) = bundle.get(operation, word::REPLY) {
                let to = bundle.get(reply, word::CHANNEL).unwrap_or(channel);
                used.extend(
                    tree.get(reply, word::CHANNEL)
                        .map(|reference| shape(&self::address(bundle, reference))),
                );
                let list = messages(bundle, reply, to);
                found.add(bundle, &format!("{address} reply"), !written, to, reply, &list);
            }
        }
        for (name, channel) in entries(bundle, word::CHANNELS) {
            let address = address_of(bundle, name, bundle.follow(channel));
            if !used.contains(&shape(&address)) {
                found.idle.insert(shape(&address), bundle.follow(channel));
            }
        }
        found
    }
}

/// The entries of a map of the root.
fn entries(bundle: &Bundle, key: crate::tree::Sym) -> impl Iterator<Item = (&str, NodeId)> {
    let map = bundle.tree.get(bundle.root, key);
    map.into_iter().flat_map(|map| bundle.tree.pairs(map))
}

/// The address of a channel that is referred to. Equal channels are one node: the reference tells which is meant.
fn address(bundle: &Bundle, reference: NodeId) -> String {
    let name = bundle
        .name(reference)
        .unwrap_or("channel")
        .replace("~1", "/")
        .replace("~0", "~");
    address_of(bundle, &name, bundle.follow(reference))
}

fn address_of(bundle: &Bundle, name: &str, channel: NodeId) -> String {
    match bundle.tree.text_of(channel, word::ADDRESS) {
        Some(address) => address.to_owned(),
        None => format!("{name} without an address"),
    }
}

/// The messages that an operation or a reply names, else all of its channel.
fn messages(bundle: &Bundle, operation: NodeId, channel: NodeId) -> Vec<NodeId> {
    let tree = &bundle.tree;
    match tree.get(operation, word::MESSAGES) {
        Some(list) => tree.items(list).to_vec(),
        None => {
            let all = tree.get(channel, word::MESSAGES).into_iter();
            all.flat_map(|map| tree.children(map)).collect()
        }
    }
}

/// Messages by the name that they give themselves, or that they are referred to by, or their place.
fn named(bundle: &Bundle, list: &[NodeId]) -> Vec<(String, NodeId)> {
    let messages = list.iter().enumerate().map(|(at, message)| {
        let node = bundle.follow(*message);
        let own = bundle.tree.text_of(node, word::NAME).or_else(|| bundle.name(*message));
        (own.map_or_else(|| at.to_string(), str::to_owned), node)
    });
    messages.collect()
}

/// The schema of a message's payload; nothing where it is in a format that isn't compared.
pub(super) fn payload_of(bundle: &Bundle, message: NodeId) -> Result<Option<NodeId>, String> {
    let tree = &bundle.tree;
    let Some(payload) = own_or_trait(bundle, message, word::PAYLOAD) else {
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

/// The message's traits, references followed.
fn traits(bundle: &Bundle, message: NodeId) -> impl Iterator<Item = NodeId> {
    let list = bundle.get(message, word::TRAITS);
    let list = list.map_or(&[][..], |list| bundle.tree.items(list));
    list.iter().map(|one| bundle.follow(*one))
}

/// What a message says itself, or takes over from a trait.
pub(super) fn own_or_trait(bundle: &Bundle, message: NodeId, key: crate::tree::Sym) -> Option<NodeId> {
    let own = bundle.tree.get(message, key);
    own.or_else(|| traits(bundle, message).find_map(|one| bundle.tree.get(one, key)))
}

/// The schemas of a message's headers, which all hold: its own and those of its traits.
pub(super) fn headers_of(bundle: &Bundle, message: NodeId) -> Vec<NodeId> {
    let all = std::iter::once(message).chain(traits(bundle, message));
    all.filter_map(|one| bundle.tree.get(one, word::HEADERS)).collect()
}

/// The content type of a message, else that of all.
pub(super) fn content_type(bundle: &Bundle, message: NodeId) -> Option<&str> {
    let own = own_or_trait(bundle, message, word::CONTENT_TYPE);
    let of_all = || bundle.tree.get(bundle.root, word::DEFAULT_CONTENT_TYPE);
    bundle.tree.text(own.or_else(of_all)?)
}
