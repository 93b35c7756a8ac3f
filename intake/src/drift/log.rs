//! Files of audit logs: one document, a list, or a record a line.

use holdpoint_schemas::{SourceError, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Actor, CloudResource, azure, cloudtrail, gcp};
use crate::error::SourceResult;
use crate::json::{self, Outline};

/// Largest file in bytes: clouds write their logs in smaller ones.
const MAX_BYTES: usize = 64 << 20;
/// Most records of one file.
const MAX_RECORDS: usize = 500_000;
/// Most notes about what was not read.
const MAX_SKIPPED: usize = 100;
/// Longest name or call, in characters.
const MAX_NAME: usize = 200;

/// The changes that an audit log tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditLog {
    /// What was not read, one line each, for people.
    pub skipped: Vec<String>,
    events: Vec<Event>,
}

/// One call that changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub actor: Actor,
    pub target: Target,
}

/// What a call was about, as each cloud says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Aws(cloudtrail::Call),
    Azure(azure::Call),
    Gcp(gcp::Call),
}

/// One cloud's record.
pub(super) trait Record: DeserializeOwned {
    /// The change that it tells of; `None` when it tells of none, or of a failed one. `automation` names principals
    /// that are machines though their log entries don't show it.
    fn event(self, automation: &[String]) -> Option<Event>;
}

impl AuditLog {
    /// How many changes it tells of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it tells of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The time from the first to the last change, where there is one: before it, the log says nothing.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let times = || self.events.iter().map(|event| event.actor.at);
        Some((times().min()?, times().max()?))
    }

    pub(super) fn changes_of(&self, resource: &CloudResource) -> impl Iterator<Item = &Actor> {
        let changes = self.events.iter().filter(|event| match &event.target {
            Target::Aws(call) => call.changes(resource),
            Target::Azure(call) => call.changes(resource),
            Target::Gcp(call) => call.changes(resource),
        });
        changes.map(|event| &event.actor)
    }

    fn skip(&mut self, note: String) {
        match self.skipped.len() {
            more if more > MAX_SKIPPED => {}
            MAX_SKIPPED => self.skipped.push("and more".to_owned()),
            _ => self.skipped.push(note),
        }
    }
}

/// Which cloud wrote a record.
#[derive(Clone, Copy)]
enum Cloud {
    Aws,
    Azure,
    Gcp,
}

/// Reads a log: CloudTrail's `{"Records": […]}` and `lookup-events`, Azure's `{"value": […]}` and `{"records": […]}`,
/// Google's `{"entries": […]}`, a plain list, or a record a line. `automation` holds names (of a user, a role, a service
/// principal) that the estate declares to be machines; they are compared whole.
///
/// # Errors
/// When it is too large, not UTF-8, malformed, cut off, or in no known format. In a file with a record a line, a bad line
/// is skipped and named.
pub fn read_audit_log(file: &str, bytes: &[u8], automation: &[String]) -> SourceResult<AuditLog> {
    if bytes.starts_with(&[0x1F, 0x8B]) {
        return Err(Box::new(
            SourceError::new(file, "compressed with gzip, but text was expected").help("unpack it with `gunzip`"),
        ));
    }
    let text = json::text(file, bytes, MAX_BYTES)?;
    if let Some(cloud) = cloud_of_lines(file, text) {
        return Ok(match cloud {
            Cloud::Aws => lines::<cloudtrail::Record>(file, text, automation),
            Cloud::Azure => lines::<azure::Record>(file, text, automation),
            Cloud::Gcp => lines::<gcp::Record>(file, text, automation),
        });
    }
    let outline: Outline = json::parse(file, text, "an audit log in JSON")?;
    match cloud_of_document(&outline) {
        Some(Cloud::Aws) => document::<cloudtrail::Record>(file, text, automation),
        Some(Cloud::Azure) => document::<azure::Record>(file, text, automation),
        Some(Cloud::Gcp) => document::<gcp::Record>(file, text, automation),
        None if outline.is_array && outline.keys.values().all(std::collections::BTreeSet::is_empty) => {
            Ok(AuditLog::default())
        }
        None => Err(Box::new(
            SourceError::new(file, "not an audit log in a known format")
                .help("known: AWS CloudTrail, Azure Activity Log, Google Cloud Audit Logs, as JSON"),
        )),
    }
}

/// The keys under which documents hold their records.
const LISTS: [(&str, Cloud); 5] = [
    ("Records", Cloud::Aws),
    ("Events", Cloud::Aws),
    ("value", Cloud::Azure),
    ("records", Cloud::Azure),
    ("entries", Cloud::Gcp),
];

fn cloud_of_document(outline: &Outline) -> Option<Cloud> {
    if outline.is_array {
        return cloud_of_record(&|key| outline.has_inner("", key));
    }
    let list = LISTS.iter().find(|(key, _)| outline.has(&[key]));
    list.map(|(_, cloud)| *cloud)
        .or_else(|| cloud_of_record(&|key| outline.has(&[key])))
}

fn cloud_of_record(has: &dyn Fn(&str) -> bool) -> Option<Cloud> {
    if has("eventSource") && has("eventName") || has("CloudTrailEvent") {
        Some(Cloud::Aws)
    } else if has("protoPayload") || (has("logName") && has("insertId")) {
        Some(Cloud::Gcp)
    } else if has("operationName") && (has("resourceId") || has("caller")) {
        Some(Cloud::Azure)
    } else {
        None
    }
}

/// The cloud of a file with a record a line; `None` when it isn't one.
fn cloud_of_lines(file: &str, text: &str) -> Option<Cloud> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next()?;
    lines.next()?;
    let outline: Outline = json::parse(file, first, "a record").ok()?;
    (!outline.is_array).then(|| cloud_of_record(&|key| outline.has(&[key])))?
}

fn lines<R: Record>(file: &str, text: &str, automation: &[String]) -> AuditLog {
    let mut log = AuditLog::default();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if index >= MAX_RECORDS {
            log.skip(format!(
                "line {}: more than {MAX_RECORDS} records; the rest is not read",
                index + 1
            ));
            break;
        }
        match json::parse::<R>(file, line, "a record of an audit log") {
            Ok(record) => log.events.extend(record.event(automation)),
            Err(error) => log.skip(format!("line {}: {}", index + 1, error.message)),
        }
    }
    log
}

/// All shapes in which a document holds its records.
#[derive(Deserialize)]
struct Listed<R> {
    #[serde(
        default = "Vec::new",
        alias = "Records",
        alias = "Events",
        alias = "value",
        alias = "entries"
    )]
    records: Vec<R>,
}

fn document<R: Record>(file: &str, text: &str, automation: &[String]) -> SourceResult<AuditLog> {
    const EXPECTED: &str = "records of an audit log";
    let start = text.trim_start();
    let single = || -> SourceResult<bool> {
        let outline: Outline = json::parse_again(file, text, EXPECTED)?;
        Ok(!LISTS.iter().any(|(key, _)| outline.has(&[key])))
    };
    let records: Vec<R> = if start.starts_with('[') {
        json::parse_again(file, text, EXPECTED)?
    } else if single()? {
        vec![json::parse_again(file, text, EXPECTED)?]
    } else {
        json::parse_again::<Listed<R>>(file, text, EXPECTED)?.records
    };
    let mut log = AuditLog::default();
    if records.len() > MAX_RECORDS {
        log.skip(format!("more than {MAX_RECORDS} records; the rest is not read"));
    }
    log.events = records
        .into_iter()
        .take(MAX_RECORDS)
        .filter_map(|record| record.event(automation))
        .collect();
    Ok(log)
}

/// A name from a log: one line, bounded.
pub(super) fn clean(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}
