//! AsyncAPI 2 and 3 (asyncapi.com): what changed in the messages of channels, for who sends and who receives them.
//!
//! Seen from the clients of the described application: what it receives they write, what it sends they read.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::{Bundle, fault};
use crate::openapi::unquoted;
use crate::payload::{self, Side, change};
use crate::schema::{Graph, PairId};
use crate::shape::Shape::{Any, List, Map, Text};
use crate::shape::{Keys, overlooked};
use crate::tree::{NodeId, word};
use crate::{Change, ContractDiff, ContractError, Gap, Level, Rule, Sources};
use read::{Exchange, Exchanges, content_type, headers_of, own_or_trait, payload_of};

/// Most changes that are listed.
const MAX_CHANGES: usize = 20_000;

/// Keys of objects that are compared, or that only people read; what is different under others is a gap.
#[rustfmt::skip]
mod keys {
    use super::{Any, Keys, List, Map, Text};

    pub(super) const ROOT: Keys = &[
        ("asyncapi", Text), ("id", Any), ("info", Any), ("defaultContentType", Text), ("servers", Map), ("channels", Map), ("operations", Map),
        ("components", Map), ("tags", Any),
    ];
    pub(super) const CHANNEL: Keys = &[("address", Any), ("messages", Map), ("title", Any), ("tags", Any), ("publish", Map), ("subscribe", Map)];
    pub(super) const OPERATION: Keys = &[
        ("action", Text), ("channel", Map), ("messages", List), ("message", Map), ("operationId", Any), ("reply", Map), ("title", Any),
        ("tags", Any),
    ];
    pub(super) const MESSAGE: Keys = &[
        ("payload", Any), ("headers", Any), ("schemaFormat", Text), ("contentType", Text), ("name", Text), ("title", Any), ("messageId", Any),
        ("traits", List), ("tags", Any),
    ];
}

/// A message and its name.
type Named = (String, NodeId);
/// Whether two messages belong together; at last whether they are the only ones.
type Belongs<'f> = dyn Fn(&Named, &Named, bool) -> bool + 'f;

struct Comparison<'a> {
    graph: Graph<'a>,
    changes: Vec<Change>,
    gaps: Vec<Gap>,
    roots: Vec<(String, String, bool, PairId)>,
}

impl Comparison<'_> {
    fn report(&mut self, rule: &str, channel: &str, location: &str, text: impl Into<String>) {
        self.changes
            .push(change(rule.to_owned(), level(rule), channel, location.to_owned(), text));
    }

    fn gap(&mut self, place: &str, text: impl Into<String>) {
        self.gaps.push(Gap {
            place: place.to_owned(),
            text: text.into(),
        });
    }

    /// Notes what would be overlooked in two objects.
    fn known_keys(&mut self, keys: Keys, old: NodeId, new: NodeId, place: &str) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let names = base.tree.pairs(old).chain(revision.tree.pairs(new)).map(|(key, _)| key);
        for key in names.collect::<BTreeSet<_>>() {
            let (a, b) = (base.tree.get_str(old, key), revision.tree.get_str(new, key));
            let same = a.zip(b).is_some_and(|(a, b)| self.graph.settled(a, b));
            let before = || a.and_then(|a| overlooked(keys, base, key, a));
            let after = || b.and_then(|b| overlooked(keys, revision, key, b));
            if let Some(text) = (!same).then(|| before().or_else(after)).flatten() {
                self.gap(place, text);
            }
        }
    }

    fn exchange(&mut self, written: bool, old: &Exchange, new: &Exchange) {
        let channel = old.shown.as_str();
        if let (Some(a), Some(b)) = (old.channel, new.channel) {
            if self.unknown(a, b) {
                return;
            }
            // That a parameter got another name says nothing.
            if old.shown == new.shown {
                self.known_keys(keys::CHANNEL, a, b, channel);
            }
        }
        for (a, b) in old.operations.iter().zip(&new.operations) {
            self.known_keys(keys::OPERATION, *a, *b, channel);
        }
        self.messages(channel, written, &old.messages, &new.messages);
    }

    /// Whether what one of two objects is isn't known, since its reference leads nowhere: that was told.
    fn unknown(&self, old: NodeId, new: NodeId) -> bool {
        self.graph.base.lost_at(old).is_some() || self.graph.revision.lost_at(new).is_some()
    }

    /// Messages belong together if they are equal, have the same name, or are the only ones left.
    fn messages(&mut self, channel: &str, written: bool, old: &[Named], new: &[Named]) {
        let way = if written { "written" } else { "read" };
        let (mut gone, mut fresh) = (old.to_vec(), new.to_vec());
        let mut pairs = Vec::new();
        let rules: [&Belongs<'_>; 3] = [
            &|a, b, _| self.graph.settled(a.1, b.1),
            &|a, b, _| a.0 == b.0,
            &|_, _, last| last,
        ];
        for belongs in rules {
            let last = gone.len() == 1 && fresh.len() == 1;
            gone.retain(|a| match fresh.iter().position(|b| belongs(a, b, last)) {
                Some(at) => {
                    pairs.push((a.clone(), fresh.remove(at)));
                    false
                }
                None => true,
            });
        }
        let location = |name: &str| format!("{way} message `{}`", name.escape_debug());
        for (old, new) in pairs {
            let same_format = content_type(self.graph.base, old.1) == content_type(self.graph.revision, new.1);
            let same = same_format && self.graph.settled(old.1, new.1);
            if !same && !self.unknown(old.1, new.1) {
                self.message(channel, written, old.1, new.1, &location(&old.0));
            }
        }
        for (name, _) in gone {
            self.report(
                &format!("{way}-message-removed"),
                channel,
                &location(&name),
                "the message is gone",
            );
        }
        for (name, _) in fresh {
            self.report(
                &format!("{way}-message-added"),
                channel,
                &location(&name),
                "the message is new",
            );
        }
    }

    fn message(&mut self, channel: &str, written: bool, old: NodeId, new: NodeId, location: &str) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        self.known_keys(keys::MESSAGE, old, new, &format!("{channel} {location}"));
        // What isn't described may be anything.
        match (payload_of(base, old), payload_of(revision, new)) {
            (Ok(None), Ok(None)) => {}
            (Ok(a), Ok(b)) => {
                let (a, b) = (a.unwrap_or(base.any), b.unwrap_or(revision.any));
                self.root(channel, written, &[a], &[b], &format!("{location} payload"));
            }
            (Err(format), _) | (_, Err(format)) => {
                let text = format!("schemas of the format `{}` aren't compared", format.escape_debug());
                // Bytes of an unknown format are the same where all that describes them is.
                let same = own_or_trait(base, old, word::PAYLOAD)
                    .zip(own_or_trait(revision, new, word::PAYLOAD))
                    .is_some_and(|(a, b)| self.graph.settled(a, b) && !base.tree.refers(a));
                if !same {
                    self.gap(&format!("{channel} {location}"), text);
                }
            }
        }
        let or_any = |list: Vec<NodeId>, any| if list.is_empty() { vec![any] } else { list };
        let (a, b) = (headers_of(base, old), headers_of(revision, new));
        if !(a.is_empty() && b.is_empty()) {
            let (a, b) = (or_any(a, base.any), or_any(b, revision.any));
            self.root(channel, written, &a, &b, &format!("{location} headers"));
        }
        match (content_type(base, old), content_type(revision, new)) {
            (Some(a), Some(b)) if a != b => {
                let text = format!("the content type was `{}`, is `{}`", a.escape_debug(), b.escape_debug());
                self.report("content-type-changed", channel, location, text);
            }
            (Some(_), None) | (None, Some(_)) => {
                self.gap(&format!("{channel} {location}"), "only one side names a content type");
            }
            _ => {}
        }
    }

    fn root(&mut self, channel: &str, written: bool, old: &[NodeId], new: &[NodeId], location: &str) {
        if let Some(pair) = self.graph.pair(old, new) {
            self.roots
                .push((channel.to_owned(), location.to_owned(), written, pair));
        }
    }

    fn servers(&mut self) {
        let (base, revision) = (self.graph.base, self.graph.revision);
        let of = |bundle: &Bundle| -> BTreeMap<String, NodeId> {
            let map = bundle.tree.get(bundle.root, word::SERVERS).into_iter();
            let pairs = map.flat_map(|map| bundle.tree.pairs(map));
            pairs
                .map(|(name, server)| (name.to_owned(), bundle.follow(server)))
                .collect()
        };
        let (old, new) = (of(base), of(revision));
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let location = format!("server `{}`", name.escape_debug());
            match (old.get(name), new.get(name)) {
                (Some(a), Some(b)) if self.graph.settled(*a, *b) => {}
                (Some(a), Some(b)) => {
                    let protocol = |bundle: &Bundle, server| {
                        bundle
                            .tree
                            .get_str(server, "protocol")
                            .and_then(|id| bundle.tree.text(id))
                            .map(str::to_owned)
                    };
                    match protocol(base, *a) == protocol(revision, *b) {
                        true => self.report("server-changed", "", &location, "how it is reached changed"),
                        false => self.report("server-protocol-changed", "", &location, "it speaks another protocol"),
                    }
                }
                (Some(_), None) => self.report("server-removed", "", &location, "the server is gone"),
                (None, _) => self.report("server-added", "", &location, "the server is new"),
            }
        }
    }

    /// Channels of which no operation says who sends on them.
    fn idle(&mut self, old: &Exchanges, new: &Exchanges) {
        for name in old.idle.keys().chain(new.idle.keys()).collect::<BTreeSet<_>>() {
            let same = match (old.idle.get(name), new.idle.get(name)) {
                (Some(a), Some(b)) => self.graph.settled(*a, *b),
                // A channel that only comes is nobody's yet; one that is used now, or that goes, was somebody's.
                (None, Some(_)) => !old.known.keys().any(|(known, _)| known == name),
                _ => false,
            };
            if !same {
                self.gap(name, "no operation says who sends on this channel, and it differs");
            }
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
        unquoted(&bundle.tree, bundle.root, word::ASYNCAPI, root, "")?;
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
    comparison.known_keys(keys::ROOT, base.root, revision.root, "description");
    comparison.servers();
    let (old, new) = (Exchanges::of(&base), Exchanges::of(&revision));
    for key in old.known.keys().chain(new.known.keys()).collect::<BTreeSet<_>>() {
        let way = if key.1 { "written" } else { "read" };
        match (old.known.get(key), new.known.get(key)) {
            (Some(a), Some(b)) => comparison.exchange(key.1, a, b),
            (Some(a), None) => comparison.report("channel-removed", &a.shown, way, "it is gone"),
            (None, Some(b)) => comparison.report("channel-added", &b.shown, way, "it is new"),
            (None, None) => {}
        }
    }
    comparison.idle(&old, &new);
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
    let many = (changes.len() > MAX_CHANGES).then(|| "there are too many changes to tell them all".to_owned());
    changes.truncate(MAX_CHANGES);
    comparison
        .gaps
        .extend(comparison.graph.gaps().into_iter().chain(many).map(|text| Gap {
            place: "channels".to_owned(),
            text,
        }));
    Ok(ContractDiff::with_gaps("asyncapi", changes, comparison.gaps))
}

/// Id, level, opposite, explanation.
const ROWS: [(&str, Level, Option<&str>, &str); 11] = [
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
    (
        "server-added",
        Level::Info,
        Some("server-removed"),
        "a further server is offered",
    ),
    (
        "server-removed",
        Level::Warning,
        Some("server-added"),
        "a server isn't offered any more",
    ),
    (
        "server-changed",
        Level::Warning,
        Some("server-changed"),
        "a server is reached in another way",
    ),
    (
        "server-protocol-changed",
        Level::Error,
        Some("server-protocol-changed"),
        "a server speaks another protocol",
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
mod tests;
