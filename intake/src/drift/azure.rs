//! Azure's Activity Log ("Azure Activity Log event schema"): from the API or `az monitor activity-log list`, and as
//! diagnostic settings export it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::log::{self, Event, Target, clean};
use super::{Actor, ActorKind, CloudResource};
use crate::json::or_default;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    #[serde(default, deserialize_with = "or_default")]
    caller: String,
    #[serde(default)]
    operation_name: Word,
    #[serde(default, deserialize_with = "or_default")]
    resource_id: String,
    /// The API's name.
    #[serde(default)]
    status: Word,
    /// The export's name.
    #[serde(default)]
    result_type: Word,
    #[serde(default, deserialize_with = "or_default")]
    event_timestamp: String,
    #[serde(default, deserialize_with = "or_default")]
    time: String,
    #[serde(default, deserialize_with = "or_default")]
    event_data_id: String,
    #[serde(default, deserialize_with = "or_default")]
    correlation_id: String,
    #[serde(default, deserialize_with = "or_default")]
    claims: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    identity: Identity,
}

#[derive(Default, Deserialize)]
struct Identity {
    #[serde(default, deserialize_with = "or_default")]
    claims: Map<String, Value>,
}

/// A word, which the API wraps with its translation.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Word {
    Plain(String),
    Wrapped {
        value: String,
    },
    #[default]
    None,
}

impl Word {
    fn as_str(&self) -> &str {
        match self {
            Self::Plain(word) | Self::Wrapped { value: word } => word,
            Self::None => "",
        }
    }
}

/// A change, as far as a match needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    resource: String,
}

impl Call {
    /// Whether it changed this resource. Azure's ids ignore case.
    pub fn changes(&self, resource: &CloudResource) -> bool {
        let is_id = |id: &&String| id.starts_with("/subscriptions/");
        resource
            .ids
            .iter()
            .filter(is_id)
            .any(|id| id.eq_ignore_ascii_case(&self.resource))
    }
}

const NAME_CLAIMS: [&str; 4] = [
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "upn",
    "name",
];

impl log::Record for Record {
    fn event(self, automation: &[String]) -> Option<Event> {
        // "Started" and "Accepted" may still fail; the success has a record of its own.
        let status = match self.status.as_str() {
            "" => self.result_type.as_str(),
            given => given,
        };
        let succeeded = ["Succeeded", "Success"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(status));
        if !succeeded || !changes_something(self.operation_name.as_str()) {
            return None;
        }
        let claims = if self.claims.is_empty() {
            self.identity.claims
        } else {
            self.claims
        };
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = std::iter::once(self.caller.as_str())
            .chain(NAME_CLAIMS.iter().map(|name| claim(name)))
            .chain([claim("appid")])
            .find(|name| !name.is_empty())?;
        let declared = [name, claim("appid")];
        let kind = if automation.iter().any(|known| declared.contains(&known.as_str())) || claim("idtyp") == "app" {
            ActorKind::Automation
        } else if claim("idtyp") == "user" || name.contains('@') || !claim(NAME_CLAIMS[0]).is_empty() {
            ActorKind::Human
        } else if matches!(claim("appidacr"), "1" | "2")
            && claim("http://schemas.microsoft.com/identity/claims/scope").is_empty()
        {
            // A secret or a certificate of an application, and nobody on whose behalf.
            ActorKind::Automation
        } else {
            ActorKind::Unknown
        };
        let at = [&self.event_timestamp, &self.time]
            .into_iter()
            .find(|at| !at.is_empty())?;
        let ids = [self.event_data_id, self.correlation_id];
        Some(Event {
            actor: Actor {
                name: clean(name),
                kind,
                at: at.parse().ok()?,
                what: clean(self.operation_name.as_str()),
                event_id: clean(&ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default()),
            },
            target: Target::Azure(Call {
                resource: self.resource_id,
            }),
        })
    }
}

/// Operations end in what they do; an action may be a mere look.
fn changes_something(operation: &str) -> bool {
    let operation = operation.to_ascii_lowercase();
    let mut parts = operation.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some("write" | "delete"), _) => true,
        (Some("action"), Some(verb)) => !["list", "get", "read", "check", "validate"]
            .iter()
            .any(|w| verb.starts_with(w)),
        _ => false,
    }
}
