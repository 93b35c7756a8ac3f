//! Policy packs: Cedar text, checked and compiled.

mod alone;
mod compile;
mod condition;
mod describe;
mod error;
mod evaluate;
mod format;
mod layer;
mod probe;
mod reads;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use cedar_policy::{PolicySet, Schema};
use holdpoint_schemas::Digest;
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::fact::{Action, FactTable};
use holdpoint_schemas::service::ServiceId;
use serde::{Deserialize, Serialize};

pub(crate) use alone::{Alone, Match};
pub(crate) use condition::{Atom, Condition};
pub use error::PolicyError;
pub(crate) use evaluate::Answer;
pub use evaluate::Said;
pub use format::format;
pub use layer::Layer;
pub(crate) use reads::Literals;
pub use reads::context_path;
pub(crate) use shape::{STACK_BYTES, with_stack};

/// One file of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySource {
    /// Its name, for error messages.
    pub path: String,
    /// Its text: one policy or several.
    pub text: String,
}

/// Whether a policy permits or forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It permits.
    Permit,
    /// It forbids; a forbid always wins.
    Forbid,
}

/// What people and tools need to know of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInfo {
    /// `@id`, unique in its pack.
    pub id: String,
    /// `@reason`: one sentence for people.
    pub reason: String,
    /// `@unknown`: the reason when an unknown fact is why, so that nothing is claimed that nobody knows.
    pub unknown: Option<String>,
    /// `@unlock`: what would lift it.
    pub unlock: Option<String>,
    /// `@help`: where to read or whom to ask.
    pub help: Option<String>,
    /// Permit or forbid.
    pub effect: Effect,
    /// Actions that it applies to.
    pub actions: BTreeSet<Action>,
    /// File that it is in.
    pub path: String,
    /// Facts that it reads, by id.
    pub facts: BTreeSet<String>,
}

/// A checked and compiled set of policies. Evaluating it needs no I/O and keeps no state.
#[derive(Debug, Clone)]
pub struct Pack {
    name: String,
    digest: Digest,
    schema_digest: Digest,
    schema: Arc<Schema>,
    facts: Arc<FactTable>,
    policies: Vec<PolicyInfo>,
    /// Same order as `policies`.
    compiled: Vec<Compiled>,
    /// One set per action: Cedar looks at every policy of a set, whatever its action.
    sets: BTreeMap<Action, PolicySet>,
}

/// Who asks about what: the entities of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// The principal.
    pub(crate) remediator: &'a Remediator,
    /// The resource.
    pub(crate) service: &'a ServiceId,
}

impl Asker<'static> {
    /// Someone about something. Policies may not read the entities, so whenever only facts are at hand, it
    /// doesn't matter who.
    pub(crate) fn anyone() -> Self {
        static REMEDIATOR: LazyLock<Remediator> = LazyLock::new(|| Remediator("case".to_owned()));
        static SERVICE: LazyLock<ServiceId> = LazyLock::new(|| ServiceId::from("case"));
        Self {
            remediator: &REMEDIATOR,
            service: &SERVICE,
        }
    }
}

/// What evaluation needs of one policy.
#[derive(Debug, Clone)]
struct Compiled {
    policy: cedar_policy::Policy,
    literals: Literals,
}

impl Pack {
    /// Checks and compiles policies on the facts of `facts`.
    ///
    /// Validation is strict and warnings are errors. Each policy needs a unique `@id` and a
    /// `@reason`, may have an `@unknown`, an `@unlock` and a `@help`, and may read facts only: no condition on `principal`,
    /// `resource` or the `action` outside the head, no templates.
    ///
    /// # Errors
    /// Everything that is wrong, with file, line and column.
    pub fn compile(name: &str, sources: &[PolicySource], facts: &FactTable) -> Result<Self, PolicyError> {
        compile::compile(name, sources, facts)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Digest of the text of every policy, whatever files they are in.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Digest of the schema's text.
    #[must_use]
    pub fn schema_digest(&self) -> &Digest {
        &self.schema_digest
    }

    /// The facts that its policies may read.
    #[must_use]
    pub fn fact_table(&self) -> &FactTable {
        &self.facts
    }

    /// Its policies as Cedar has them, beside what people need to know of each; by id.
    pub fn cedar(&self) -> impl Iterator<Item = (&PolicyInfo, &cedar_policy::Policy)> {
        self.policies
            .iter()
            .zip(self.compiled.iter().map(|compiled| &compiled.policy))
    }

    /// Its policies, by id.
    #[must_use]
    pub fn policies(&self) -> &[PolicyInfo] {
        &self.policies
    }

    /// One policy, by id.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<&PolicyInfo> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    /// Facts that the policies of an action read, by id.
    #[must_use]
    pub fn facts_read(&self, action: Action) -> BTreeSet<&str> {
        self.policies
            .iter()
            .filter(|policy| policy.actions.contains(&action))
            .flat_map(|policy| policy.facts.iter().map(String::as_str))
            .collect()
    }
}

#[cfg(test)]
mod tests;
