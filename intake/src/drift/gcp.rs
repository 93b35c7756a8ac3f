//! Google Cloud Audit Logs (`google.cloud.audit.AuditLog` in log entries), Admin Activity.

use serde::Deserialize;

use super::log::{self, Event, Target, clean};
use super::{Actor, ActorKind, CloudResource};
use crate::json::or_default;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    #[serde(default, deserialize_with = "or_default")]
    log_name: String,
    #[serde(default, deserialize_with = "or_default")]
    timestamp: String,
    #[serde(default, deserialize_with = "or_default")]
    insert_id: String,
    #[serde(default, deserialize_with = "or_default")]
    operation: Operation,
    #[serde(default, deserialize_with = "or_default")]
    proto_payload: Payload,
}

#[derive(Default, Deserialize)]
struct Operation {
    #[serde(default, deserialize_with = "or_default")]
    first: bool,
    #[serde(default, deserialize_with = "or_default")]
    last: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    #[serde(default, deserialize_with = "or_default")]
    service_name: String,
    #[serde(default, deserialize_with = "or_default")]
    method_name: String,
    #[serde(default, deserialize_with = "or_default")]
    resource_name: String,
    #[serde(default, deserialize_with = "or_default")]
    status: Status,
    #[serde(default, deserialize_with = "or_default")]
    authentication_info: Authentication,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default, deserialize_with = "or_default")]
    code: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    #[serde(default, deserialize_with = "or_default")]
    principal_email: String,
    #[serde(default, deserialize_with = "or_default")]
    principal_subject: String,
    #[serde(default, deserialize_with = "or_default")]
    service_account_delegation_info: Vec<Delegation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delegation {
    #[serde(default, deserialize_with = "or_default")]
    principal_subject: String,
    #[serde(default, deserialize_with = "or_default")]
    first_party_principal: FirstParty,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FirstParty {
    #[serde(default, deserialize_with = "or_default")]
    principal_email: String,
}

/// A change, as far as a match needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    service: String,
    method: String,
    resource: String,
}

/// Beginning of a type, and the services whose calls change it: a path may mean another thing in another service.
const SERVICES: [(&str, &[&str]); 11] = [
    ("google_sql_", &["cloudsql.googleapis.com", "sqladmin.googleapis.com"]),
    ("google_compute_", &["compute.googleapis.com"]),
    ("google_storage_", &["storage.googleapis.com"]),
    ("google_container_", &["container.googleapis.com"]),
    ("google_kms_", &["cloudkms.googleapis.com"]),
    ("google_spanner_", &["spanner.googleapis.com"]),
    ("google_bigtable_", &["bigtableadmin.googleapis.com"]),
    ("google_bigquery_", &["bigquery.googleapis.com"]),
    ("google_pubsub_", &["pubsub.googleapis.com"]),
    ("google_service_account", &["iam.googleapis.com"]),
    ("google_redis_", &["redis.googleapis.com"]),
];

impl Call {
    /// Whether it changed this resource: its service, and the whole path from `projects/` on.
    pub fn changes(&self, resource: &CloudResource) -> bool {
        let kind = &resource.resource_type;
        let services = SERVICES.iter().find(|(prefix, _)| kind.starts_with(prefix));
        let sets_access = self.method.to_ascii_lowercase().contains("setiam");
        let fits = services.is_some_and(|(_, services)| services.contains(&self.service.as_str()))
            && sets_access == kind.contains("_iam_");
        let Some(own) = path(&self.resource).filter(|_| fits) else {
            return false;
        };
        let is_bucket = kind.starts_with("google_storage_bucket");
        resource.ids.iter().any(|id| {
            let bucket = is_bucket && own.strip_prefix("projects/_/buckets/") == Some(id);
            bucket || path(id) == Some(own)
        })
    }
}

/// The path of a resource without scheme, host and version of the API.
fn path(id: &str) -> Option<&str> {
    let start = match id.starts_with("projects/") {
        true => 0,
        false => id.find("/projects/")? + 1,
    };
    let path = id.get(start..)?;
    // `projects/x` alone is the project.
    (path.split('/').count() >= 4).then_some(path)
}

impl log::Record for Record {
    fn event(self, automation: &[String]) -> Option<Event> {
        let payload = self.proto_payload;
        // A long operation has a record at its start and one at its end, which says whether it failed.
        let unfinished = self.operation.first && !self.operation.last;
        if payload.status.code != 0
            || unfinished
            || self.log_name.contains("data_access")
            || reads(&payload.method_name)
        {
            return None;
        }
        let (name, kind) = payload.authentication_info.actor(automation)?;
        Some(Event {
            actor: Actor {
                name: clean(&name),
                kind,
                at: self.timestamp.parse().ok()?,
                what: clean(&format!("{} ({})", payload.method_name, payload.service_name)),
                event_id: clean(&self.insert_id),
            },
            target: Target::Gcp(Call {
                service: payload.service_name,
                method: payload.method_name,
                resource: payload.resource_name,
            }),
        })
    }
}

fn reads(method: &str) -> bool {
    let verb = method.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    ["get", "list", "aggregatedlist", "testiam", "query", "search"]
        .iter()
        .any(|word| verb.starts_with(word))
}

impl Authentication {
    /// Who it was: behind a service account, whoever acts through it.
    fn actor(self, automation: &[String]) -> Option<(String, ActorKind)> {
        let delegates = self.service_account_delegation_info.into_iter().flat_map(|delegate| {
            [
                delegate.first_party_principal.principal_email,
                delegate.principal_subject,
            ]
        });
        let principals: Vec<String> = [self.principal_email, self.principal_subject]
            .into_iter()
            .chain(delegates)
            .filter(|name| !name.is_empty())
            .collect();
        let kinds = || principals.iter().map(|name| (name, kind_of(name, automation)));
        let person = kinds().find(|(_, kind)| *kind == ActorKind::Human);
        let unknown = kinds().find(|(_, kind)| *kind == ActorKind::Unknown);
        let (name, kind) = person.or(unknown).or_else(|| kinds().next())?;
        Some((name.clone(), kind))
    }
}

fn kind_of(principal: &str, automation: &[String]) -> ActorKind {
    let subject = principal.rsplit_once(':').map_or(principal, |(_, subject)| subject);
    let is_workload = subject.ends_with(".gserviceaccount.com") || principal.contains("/workloadIdentityPools/");
    if is_workload || automation.iter().any(|known| known == principal) {
        ActorKind::Automation
    } else if subject.contains('@') || principal.contains("/workforcePools/") {
        ActorKind::Human
    } else {
        ActorKind::Unknown
    }
}
