//! Shape of a blast radius; the real module replaces this file.

use holdpoint_schemas::service::{NodeKind, ServiceId};
use serde::{Deserialize, Serialize};

/// Who can be affected when a service breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// The service.
    pub service: ServiceId,
    /// Its transitive dependents.
    pub dependents: Vec<Dependent>,
    /// The most critical tier among them and itself.
    pub most_critical_tier: Option<u8>,
    /// Whether customers or outside parties are reached.
    pub reaches_customers: Option<bool>,
    /// Whether it is in a cycle.
    pub in_cycle: bool,
}

/// One dependent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependent {
    /// Id.
    pub id: ServiceId,
    /// Name for people.
    pub name: String,
    /// Kind of node.
    pub kind: NodeKind,
    /// Tier, where known.
    pub tier: Option<u8>,
    /// Whether customers use it directly, where known.
    pub customer_facing: Option<bool>,
    /// How it depends on the service.
    pub path: Vec<ServiceId>,
}
