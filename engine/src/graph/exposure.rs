//! Whether what the internet sends reaches a service.

use holdpoint_schemas::service::{EdgeKind, NodeKind, ServiceId};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};

use super::{MAX_PATH, Node, ServiceGraph};

/// Whether what the internet sends reaches a service, itself or through others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// `None`: no way from an entry is known, but there may be one (see [`Self::path`]).
    pub exposed: Option<bool>,
    /// A shortest way from the entry (first) to the service (last): the proof if it is exposed; if that
    /// is unknown, one that would be the proof if its first node turned out to be an entry, or if one of
    /// its events turned out to carry input. Empty if it isn't exposed. Of a longer one than
    /// [`MAX_PATH`] only the beginning.
    pub path: Vec<ServiceId>,
}

/// Whether a node takes requests from the internet itself. A party outside the organisation whose
/// customers reach us through it is an entry too; of one that only calls us, nobody knows whether it
/// passes on what others sent, unless the catalogue says so.
pub(super) fn is_entry(node: &Node) -> Option<bool> {
    match node.kind() {
        NodeKind::External => node
            .internet_facing()
            .or_else(|| node.customer_facing().filter(|facing| *facing)),
        NodeKind::Service | NodeKind::Resource => node.internet_facing(),
    }
}

impl ServiceGraph {
    /// Whether what the internet sends reaches `service`; `None` for an id that isn't in the graph.
    ///
    /// Input travels from consumer to provider along every kind of edge: as a request, a message, a
    /// query, an argument of linked code; an order of deployment may be the only trace of a call that a
    /// catalogue has. Along an event it may also travel back, from who publishes to who subscribes: both
    /// may point at the broker, and which is which isn't known. So who is reached only that way is
    /// neither known to be exposed nor known not to be.
    #[must_use]
    pub fn exposure(&self, service: &ServiceId) -> Option<Exposure> {
        let &start = self.index.get(service)?;
        let known = |node: &Node| is_entry(node) == Some(true);
        let surely = |node| self.next(node, Direction::Incoming);
        let possible = |node: &Node| is_entry(node) != Some(false);
        let (exposed, way) = match self.nearest(start, surely, known) {
            Some(way) => (Some(true), way),
            None => match self.nearest(start, |node| self.senders(node), possible) {
                Some(way) => (None, way),
                None => (Some(false), Vec::new()),
            },
        };
        Some(Exposure {
            exposed,
            path: self.ids(way.into_iter().rev().take(MAX_PATH)),
        })
    }

    /// Those from which input may come: consumers, and who shares an event with it.
    fn senders(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let events = self
            .graph
            .edges_directed(node, Direction::Outgoing)
            .filter(|edge| edge.weight().kind == EdgeKind::Event)
            .map(|edge| petgraph::visit::EdgeRef::target(&edge));
        let mut senders: Vec<NodeIndex> = self
            .graph
            .neighbors_directed(node, Direction::Incoming)
            .chain(events)
            .collect();
        self.sort(&mut senders);
        senders
    }
}
