//! Services, their deployments, and the edges between them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Id of a service in the estate, unique; lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceId(pub String);

impl ServiceId {
    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ServiceId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a node of the graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A service that the organisation runs.
    Service,
    /// A database, bucket, queue: something a service needs.
    Resource,
    /// A party outside the organisation, for example a bank partner.
    External,
}

/// Where a branch of a repo is deployed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Deployment {
    /// Environment name, for example `production`.
    pub environment: String,
    /// Branch whose merge reaches it.
    pub branch: String,
}

/// One node of the service graph, as the catalogues describe it. `None` is unknown, never "no".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Unique id.
    pub id: ServiceId,
    /// Name for people.
    pub name: String,
    /// What kind of node.
    pub kind: NodeKind,
    /// System it belongs to.
    pub system: Option<String>,
    /// Owning team.
    pub owner: Option<String>,
    /// 0 is the most critical; 3 is the least.
    pub tier: Option<u8>,
    /// Whether customers use it directly.
    pub customer_facing: Option<bool>,
    /// Whether the organisation loses revenue while it is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue_critical: Option<bool>,
    /// Kinds of data it handles, for example `cardholder`. An empty set is a statement: none.
    pub data_classes: Option<BTreeSet<String>>,
    /// Standards whose scope it is in, for example `pci-dss`. An empty set is a statement: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliance_scopes: Option<BTreeSet<String>>,
    /// Repo in the estate that holds its code.
    pub repo: Option<String>,
    /// Folder in that repo that it owns; empty for the whole repo.
    #[serde(default)]
    pub path: String,
    /// Where its branches are deployed. `None`: nobody said.
    pub deployments: Option<Vec<Deployment>>,
    /// IaC resource addresses it owns.
    #[serde(default)]
    pub iac_addresses: Vec<String>,
    /// File that describes it, for people.
    pub source: String,
    /// How it runs, and what of it is deployed.
    #[serde(default, skip_serializing_if = "ServiceRuntime::is_empty")]
    pub runtime: ServiceRuntime,
}

/// How a service runs. `None` is unknown, never "no"; empty lists: nobody said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceRuntime {
    /// Whether it takes requests from the internet itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internet_facing: Option<bool>,
    /// How many instances run; the fewest where environments differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// How instances are replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_strategy: Option<UpdateStrategy>,
    /// Images it runs, without tag or digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Package URLs that it publishes, without version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Addresses (host names) under which others call it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

impl ServiceRuntime {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How instances are replaced when a service is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdateStrategy {
    /// All stop, then the new ones start: nobody answers in between.
    Recreate,
    /// One after the other.
    Rolling,
}

impl UpdateStrategy {
    /// The name that people and files use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recreate => "recreate",
            Self::Rolling => "rolling",
        }
    }
}

/// Kind of a dependency between services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// HTTP request.
    Http,
    /// gRPC call.
    Grpc,
    /// Event or queue.
    Event,
    /// Database or other store.
    Database,
    /// Linked code.
    Library,
    /// Deployment order.
    Deploy,
    /// A dependency of a kind that the source doesn't say.
    Unspecified,
}

/// Consumer → provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// Who relies on it.
    pub from: ServiceId,
    /// Who is relied on.
    pub to: ServiceId,
    /// How.
    pub kind: EdgeKind,
    /// Files or observations that say so.
    pub sources: Vec<String>,
    /// Whether people declared it, or it was seen at run time.
    #[serde(default)]
    pub basis: EdgeBasis,
}

/// What an edge rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeBasis {
    /// A file says that it is meant to be.
    #[default]
    Declared,
    /// Traffic or traces show it; no file says so.
    Observed,
    /// Both.
    Both,
}

/// The services and edges that intake found, before the engine builds its graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Nodes, by id.
    pub services: Vec<Service>,
    /// Edges, consumer → provider.
    pub edges: Vec<Edge>,
    /// Where sources say different things of one service. The worse value was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<SourceConflict>,
}

/// Sources that say different things of one service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceConflict {
    /// Service.
    pub service: ServiceId,
    /// What it is about, for example `tier`.
    pub field: String,
    /// Each source, and what it says.
    pub values: Vec<(String, String)>,
    /// What was taken: the worse value, or "unknown" where none is worse.
    pub taken: String,
}

/// What one consumer relies on at one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedContract {
    /// Who relies on it.
    pub consumer: ServiceId,
    /// Who must keep it.
    pub provider: ServiceId,
    /// File of recorded HTTP interactions (Pact's JSON form), relative to the estate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interactions: Option<String>,
    /// Headers and fields that it relies on, whatever is recorded.
    #[serde(default)]
    pub pins: Pinned,
    /// Its own tests, run beside the provider's candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_tests: Option<ConsumerTestsConfig>,
}

/// Headers and fields of a provider's answers that a consumer relies on: where the wire oracle sees one change, the
/// contract is broken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pinned {
    /// Names of headers; a cookie as `set-cookie.NAME`.
    pub headers: Vec<String>,
    /// Fields of JSON bodies, `items[].id`; one pins all below it.
    pub fields: Vec<String>,
}

/// A consumer's own tests. They have no network but the provider on loopback, and nothing is prepared for them: what
/// they need is in their tree or in the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerTestsConfig {
    /// Shell command, run in the consumer's tree.
    pub command: String,
    /// The consumer's repo, one of the estate's.
    pub repo: String,
    /// Its branch.
    #[serde(default = "main_branch")]
    pub branch: String,
    /// Variable that tells the tests the provider's address, `http://127.0.0.1:PORT`.
    pub env: String,
}

fn main_branch() -> String {
    "main".to_owned()
}
