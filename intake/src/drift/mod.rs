//! Who changed live infrastructure: audit logs of AWS (CloudTrail), Azure (Activity Log) and Google Cloud (Admin
//! Activity) as JSON, and Terraform's state, which ties addresses to the clouds' ids.
//!
//! A match is an equality of whole ids in a call that changes a resource of that kind; a call that only mentions a
//! resource, that reads, or that failed doesn't count. Where nothing matches, the actor is unknown.

mod aws_targets;
mod azure;
mod cloudtrail;
mod gcp;
mod log;
mod state;

use holdpoint_schemas::Timestamp;
use std::collections::HashSet;

use crate::plan::ResourceChange;

pub use log::{AuditLog, read_audit_log};
pub use state::{State, StateResource, read_state};

/// What kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// A person, as far as the log shows: someone signed in, or a user's own credentials.
    Human,
    /// A machine: a service of the cloud, a service account, a workload's identity.
    Automation,
    /// The log doesn't tell.
    Unknown,
}

impl ActorKind {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Automation => "automation",
            Self::Unknown => "unknown",
        }
    }
}

/// Who made a change, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// User, role session, service account.
    pub name: String,
    /// Person or machine.
    pub kind: ActorKind,
    /// When, by the cloud's clock.
    pub at: Timestamp,
    /// The call, for example `ModifyDBInstance (rds.amazonaws.com)`.
    pub what: String,
    /// The log's own id of it.
    pub event_id: String,
}

/// A resource as clouds know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudResource {
    /// Terraform's type, for example `aws_security_group`.
    pub resource_type: String,
    /// ARN, id, self link, name: whole, as the cloud writes them.
    pub ids: Vec<String>,
}

impl From<&ResourceChange> for CloudResource {
    fn from(change: &ResourceChange) -> Self {
        Self {
            resource_type: change.resource_type.clone(),
            ids: change.cloud_ids(),
        }
    }
}

/// Who changed a resource, latest first; empty where no log shows anyone.
#[must_use]
pub fn actors_for(logs: &[AuditLog], resource: &CloudResource) -> Vec<Actor> {
    let mut seen = HashSet::new();
    let mut actors: Vec<Actor> = logs
        .iter()
        .flat_map(|log| log.changes_of(resource))
        .filter(|actor| actor.event_id.is_empty() || seen.insert(&actor.event_id))
        .cloned()
        .collect();
    actors.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.event_id.cmp(&b.event_id)));
    actors
}

/// Whether a person is among those who changed a resource: yes if the log shows one, no only if it shows machines and
/// nobody else. Logs don't say which call made which difference, so that one machine's later call never hides a person's
/// earlier one. That the logs reach back to when the resource was last applied is for the caller to see to
/// ([`AuditLog::span`]).
#[must_use]
pub fn changed_by_human(actors: &[Actor]) -> Option<bool> {
    let is = |kind| actors.iter().any(|actor| actor.kind == kind);
    match (is(ActorKind::Human), is(ActorKind::Unknown), actors.is_empty()) {
        (true, ..) => Some(true),
        (false, false, false) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
