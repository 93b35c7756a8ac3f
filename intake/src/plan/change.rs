//! One resource of a plan.

use serde_json::{Map, Value};

use super::kind::CriticalKind;

/// What is planned for a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing, but it may be imported or move to another address.
    NoOp,
    /// It is read (data sources).
    Read,
    /// It is created.
    Create,
    /// It is changed in place.
    Update,
    /// It is destroyed.
    Delete,
    /// It is destroyed and created again, in either order.
    Replace,
    /// It is no longer managed, but left as it is.
    Forget,
    /// Another is created, and the old one is left as it is.
    ReplaceAndForget,
}

impl Action {
    /// From the plan's `actions`; `None` for a combination that the format doesn't name.
    pub(super) fn of(actions: &[String]) -> Option<Self> {
        let words: Vec<&str> = actions.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["no-op"] => Some(Self::NoOp),
            ["read"] => Some(Self::Read),
            ["create"] => Some(Self::Create),
            ["update"] => Some(Self::Update),
            ["delete"] => Some(Self::Delete),
            ["delete", "create"] | ["create", "delete"] => Some(Self::Replace),
            ["forget"] => Some(Self::Forget),
            ["create", "forget"] | ["forget", "create"] => Some(Self::ReplaceAndForget),
            _ => None,
        }
    }
}

/// One resource of a plan, with its values before and after; sensitive ones are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceChange {
    /// Address, for example `module.db.aws_db_instance.ledger[0]`.
    pub address: String,
    /// Where it was before, if it moves.
    pub previous_address: Option<String>,
    /// Type, for example `aws_db_instance`.
    pub resource_type: String,
    /// What is planned, or what happened.
    pub action: Action,
    /// Why it is critical, where it is known to be.
    pub critical: Option<CriticalKind>,
    /// Key of a deposed object: what a replacement left behind.
    pub deposed: Option<String>,
    /// Whether it is imported.
    pub imported: bool,
    /// Names of the attributes that differ, sensitive ones too, sorted.
    pub attributes: Vec<String>,
    /// Those of them whose values aren't known here: sensitive, or known only after applying.
    pub hidden: Vec<String>,
    /// Values before; empty where it didn't exist.
    pub before: Map<String, Value>,
    /// Values after; empty where it no longer exists.
    pub after: Map<String, Value>,
}

/// Attributes by which clouds know a resource, best first.
const ID_ATTRIBUTES: [&str; 9] = [
    "arn",
    "id",
    "self_link",
    "resource_id",
    "identifier",
    "cluster_identifier",
    "security_group_id",
    "name",
    "bucket",
];

/// Ids by which a cloud knows a resource with these values (of several moments), best first, without doubles.
pub(crate) fn cloud_ids(moments: &[&Map<String, Value>]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for name in ID_ATTRIBUTES {
        for values in moments {
            let id = values.get(name).and_then(Value::as_str).filter(|id| !id.is_empty());
            if let Some(id) = id.filter(|id| !ids.iter().any(|known| known == id)) {
                ids.push(id.to_owned());
            }
        }
    }
    ids
}

impl ResourceChange {
    /// Ids by which a cloud knows it: ARN, id, self link, name, before and after.
    #[must_use]
    pub fn cloud_ids(&self) -> Vec<String> {
        cloud_ids(&[&self.before, &self.after])
    }
}
