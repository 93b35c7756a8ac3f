//! AWS CloudTrail ("CloudTrail record contents" and "userIdentity element" of its user guide, event version 1.x).

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::Value;

use super::log::{self, Event, Target, clean};
use super::{Actor, ActorKind, CloudResource, aws_targets};
use crate::json::or_default;

/// Most ids of one call that are kept.
const MAX_IDS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// `lookup-events` wraps the record, as text.
    #[serde(default, rename = "CloudTrailEvent")]
    wrapped: Option<String>,
    #[serde(default, rename = "eventID", deserialize_with = "or_default")]
    event_id: String,
    #[serde(default, deserialize_with = "or_default")]
    event_time: String,
    #[serde(default, deserialize_with = "or_default")]
    event_source: String,
    #[serde(default, deserialize_with = "or_default")]
    event_name: String,
    #[serde(default, deserialize_with = "or_default")]
    aws_region: String,
    #[serde(default, deserialize_with = "or_default")]
    recipient_account_id: String,
    #[serde(default, deserialize_with = "or_default")]
    error_code: String,
    #[serde(default)]
    read_only: Value,
    #[serde(default)]
    management_event: Value,
    #[serde(default)]
    session_credential_from_console: Value,
    #[serde(default, deserialize_with = "or_default")]
    user_identity: Identity,
    #[serde(default, deserialize_with = "or_default")]
    request_parameters: Ids,
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<Resource>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    user_name: String,
    #[serde(default, deserialize_with = "or_default")]
    arn: String,
    #[serde(default, deserialize_with = "or_default")]
    principal_id: String,
    #[serde(default, deserialize_with = "or_default")]
    invoked_by: String,
    #[serde(default, deserialize_with = "or_default")]
    session_context: SessionContext,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    #[serde(default, deserialize_with = "or_default")]
    session_issuer: Issuer,
    #[serde(default, deserialize_with = "or_default")]
    web_id_federation_data: Federation,
    #[serde(default, deserialize_with = "or_default")]
    attributes: Attributes,
    #[serde(default)]
    ec2_role_delivery: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issuer {
    #[serde(default, deserialize_with = "or_default")]
    user_name: String,
    #[serde(default, deserialize_with = "or_default")]
    arn: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Federation {
    #[serde(default, deserialize_with = "or_default")]
    federated_provider: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    #[serde(default)]
    mfa_authenticated: Value,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default, rename = "ARN", alias = "arn", deserialize_with = "or_default")]
    arn: String,
}

/// A change, as far as a match needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// For example `rds.amazonaws.com`.
    source: String,
    name: String,
    region: String,
    account: String,
    /// Names of parameters and their values, of those that name resources.
    parameters: Vec<(String, String)>,
    /// ARNs of the resources that the record lists.
    resources: Vec<String>,
}

impl log::Record for Record {
    fn event(self, automation: &[String]) -> Option<Event> {
        if let Some(text) = &self.wrapped {
            let inner: Self = crate::json::parse("record", text, "a record of CloudTrail").ok()?;
            // One wrapping is the format; more would be a trap.
            return if inner.wrapped.is_some() {
                None
            } else {
                inner.event(automation)
            };
        }
        let reads = is(&self.read_only, true) || aws_targets::only_reads(&self.event_name);
        if !self.error_code.is_empty() || reads || is(&self.management_event, false) {
            return None;
        }
        let kind = self
            .user_identity
            .kind_of_actor(is(&self.session_credential_from_console, true), automation);
        let actor = Actor {
            name: self.user_identity.name(),
            kind,
            at: self.event_time.parse().ok()?,
            what: clean(&format!("{} ({})", self.event_name, self.event_source)),
            event_id: clean(&self.event_id),
        };
        let call = Call {
            source: self.event_source,
            name: self.event_name,
            region: self.aws_region,
            account: self.recipient_account_id,
            parameters: self.request_parameters.0,
            resources: self.resources.into_iter().take(MAX_IDS).map(|r| r.arn).collect(),
        };
        Some(Event {
            actor,
            target: Target::Aws(call),
        })
    }
}

/// A flag, which CloudTrail writes as a value or as text.
fn is(value: &Value, wanted: bool) -> bool {
    let text = if wanted { "true" } else { "false" };
    value.as_bool() == Some(wanted) || value.as_str() == Some(text)
}

/// Providers whose web identities are workloads.
const WORKLOAD_PROVIDERS: [&str; 5] = [
    "token.actions.githubusercontent.com",
    "oidc.eks.",
    "gitlab.com",
    "app.terraform.io",
    "api.bitbucket.org",
];

impl Identity {
    fn name(&self) -> String {
        let session = self.principal_id.split_once(':').map_or("", |(_, session)| session);
        let role = &self.session_context.session_issuer.user_name;
        clean(&match (self.kind.as_str(), role.is_empty(), session.is_empty()) {
            ("Root", ..) => "root".to_owned(),
            ("AssumedRole" | "FederatedUser", false, false) => format!("{session} as {role}"),
            _ => [&self.user_name, role, &self.invoked_by, &self.arn, &self.principal_id]
                .into_iter()
                .find(|name| !name.is_empty())
                .cloned()
                .unwrap_or_default(),
        })
    }

    fn kind_of_actor(&self, from_console: bool, automation: &[String]) -> ActorKind {
        let context = &self.session_context;
        let issuer = &context.session_issuer;
        let declared = [&self.user_name, &self.arn, &issuer.user_name, &issuer.arn];
        // Who signed in at the console, or with a second factor, is a person, whatever role they took.
        if from_console || is(&context.attributes.mfa_authenticated, true) {
            return ActorKind::Human;
        }
        if automation
            .iter()
            .any(|name| declared.contains(&name) && !name.is_empty())
        {
            return ActorKind::Automation;
        }
        match self.kind.as_str() {
            "Root" | "IAMUser" | "SAMLUser" | "IdentityCenterUser" | "Directory" => ActorKind::Human,
            "AWSService" => ActorKind::Automation,
            "AssumedRole" => self.kind_of_session(),
            _ => ActorKind::Unknown,
        }
    }

    fn kind_of_session(&self) -> ActorKind {
        let context = &self.session_context;
        let role = &context.session_issuer;
        let provider = &context.web_id_federation_data.federated_provider;
        let is_workload = WORKLOAD_PROVIDERS.iter().any(|known| provider.contains(known));
        let session = self.principal_id.split_once(':').map_or("", |(_, session)| session);
        // Roles that IAM Identity Center makes carry this name, which nobody else may give.
        if role.user_name.starts_with("AWSReservedSSO_") {
            ActorKind::Human
        } else if is_workload || context.ec2_role_delivery.is_some() || role.arn.contains(":role/aws-service-role/") {
            ActorKind::Automation
        } else if session.contains('@') {
            ActorKind::Human
        } else {
            ActorKind::Unknown
        }
    }
}

impl Call {
    /// Whether it changed this resource.
    pub fn changes(&self, resource: &CloudResource) -> bool {
        let arns = || resource.ids.iter().filter(|id| id.starts_with("arn:"));
        // A name says nothing without its account and region.
        if arns().any(|arn| !self.may_be_in(arn)) {
            return false;
        }
        let listed = |id: &String| self.resources.contains(id);
        match aws_targets::of(&resource.resource_type) {
            Some(target) => {
                let names = |id: &String| {
                    let named = |(key, value): &(String, String)| value == id && target.keys.contains(&key.as_str());
                    self.parameters.iter().any(named)
                };
                target.is_changed_by(&self.source, &self.name) && (resource.ids.iter().any(names) || arns().any(listed))
            }
            // Of an unknown type only the ARN counts, in a call to the service that it belongs to.
            None => arns().any(|arn| {
                let service = arn.split(':').nth(2).unwrap_or_default();
                self.source.split('.').next() == Some(service) && listed(arn)
            }),
        }
    }

    /// Whether an ARN's account and region are this call's, as far as both say.
    fn may_be_in(&self, arn: &str) -> bool {
        let mut parts = arn.split(':').skip(3);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let fits = |own: &str, other: &str| own.is_empty() || other.is_empty() || own == other;
        fits(&self.region, region) && fits(&self.account, account)
    }
}

/// Parameters of a call that name resources. Others are never kept: they may be secret.
#[derive(Default)]
struct Ids(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Vec::new();
        collect(&Value::deserialize(deserializer)?, "", &mut found);
        Ok(Self(found))
    }
}

/// Takes the ids out of a tree, whose depth the reader of JSON bounds.
fn collect(value: &Value, key: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| collect(inner, key, found)),
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, key, found)),
        Value::String(text) if found.len() < MAX_IDS && aws_targets::is_id_key(key) => {
            found.push((key.to_owned(), text.clone()));
        }
        _ => {}
    }
}
