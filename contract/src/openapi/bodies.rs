//! Request bodies, responses and their headers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Comparison;
use super::operations::schema_of;
use super::rules::Place;

/// Keys of a map, folded to lower case.
fn entries(value: Option<&Value>) -> BTreeMap<String, &Value> {
    let map = value.and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.to_ascii_lowercase(), value))
        .collect()
}

fn keys(a: &BTreeMap<String, &Value>, b: &BTreeMap<String, &Value>) -> BTreeSet<String> {
    a.keys()
        .chain(b.keys())
        .filter(|key| !key.starts_with("x-"))
        .cloned()
        .collect()
}

fn is_required(value: &Value) -> bool {
    value.get("required") == Some(&Value::Bool(true))
}

impl Comparison<'_> {
    pub(super) fn request_body(&mut self, base: Option<&Value>, revision: Option<&Value>) {
        let location = "request body";
        let (base_document, revision_document) = (self.base, self.revision);
        let base = base.map(|body| base_document.resolve(body).0);
        let revision = revision.map(|body| revision_document.resolve(body).0);
        match (base, revision) {
            (Some(old), Some(new)) => {
                match (is_required(old), is_required(new)) {
                    (false, true) => self.report("request-body-became-required", location, "the body became required"),
                    (true, false) => self.report("request-body-became-optional", location, "the body became optional"),
                    _ => {}
                }
                self.media_types(Place::RequestBody, old.get("content"), new.get("content"), location);
            }
            (None, Some(new)) if is_required(new) => {
                self.report("request-body-added-required", location, "a required body is new");
            }
            (None, Some(_)) => self.report("request-body-added-optional", location, "an optional body is new"),
            (Some(_), None) => self.report("request-body-removed", location, "the body is gone"),
            (None, None) => {}
        }
    }

    pub(super) fn responses(&mut self, base: Option<&Value>, revision: Option<&Value>) {
        let (base, revision) = (entries(base), entries(revision));
        for status in keys(&base, &revision) {
            let location = format!("response {status}");
            let success = status.starts_with('2') || status == "default";
            match (base.get(&status), revision.get(&status)) {
                (Some(old), Some(new)) => {
                    let (old, _) = self.base.resolve(old);
                    let (new, _) = self.revision.resolve(new);
                    self.media_types(Place::ResponseBody, old.get("content"), new.get("content"), &location);
                    self.headers(old.get("headers"), new.get("headers"), &location);
                }
                (Some(_), None) if success => {
                    self.report("response-success-status-removed", &location, "the status is gone");
                }
                (Some(_), None) => self.report("response-non-success-status-removed", &location, "the status is gone"),
                (None, Some(_)) if success => {
                    self.report("response-success-status-added", &location, "the status is new");
                }
                (None, _) => self.report("response-non-success-status-added", &location, "the status is new"),
            }
        }
    }

    fn media_types(&mut self, place: Place, base: Option<&Value>, revision: Option<&Value>, location: &str) {
        let (base, revision) = (entries(base), entries(revision));
        let prefix = if place.is_request() { "request-body" } else { "response" };
        for name in keys(&base, &revision) {
            let location = format!("{location} {name}");
            match (base.get(&name), revision.get(&name)) {
                (Some(old), Some(new)) => match (old.get("schema"), new.get("schema")) {
                    (Some(old), Some(new)) => self.root(place, old, new, &location),
                    (None, Some(_)) => {
                        let rule = format!("{}-media-type-schema-added", place.prefix());
                        self.report(&rule, &location, "the body has a schema now");
                    }
                    (Some(_), None) => {
                        let rule = format!("{}-media-type-schema-removed", place.prefix());
                        self.report(&rule, &location, "the body has no schema any more");
                    }
                    (None, None) => {}
                },
                (Some(_), None) => {
                    self.report(
                        &format!("{prefix}-media-type-removed"),
                        &location,
                        format!("`{name}` is gone"),
                    );
                }
                (None, _) => {
                    self.report(
                        &format!("{prefix}-media-type-added"),
                        &location,
                        format!("`{name}` is new"),
                    );
                }
            }
        }
    }

    fn headers(&mut self, base: Option<&Value>, revision: Option<&Value>, location: &str) {
        let (base, revision) = (entries(base), entries(revision));
        for name in base.keys().chain(revision.keys()).collect::<BTreeSet<_>>() {
            let location = format!("{location} header `{name}`");
            let old = base.get(name).map(|header| self.base.resolve(header).0);
            let new = revision.get(name).map(|header| self.revision.resolve(header).0);
            match (old, new) {
                (Some(old), Some(new)) => {
                    match (is_required(old), is_required(new)) {
                        (true, false) => {
                            self.report(
                                "response-header-became-optional",
                                &location,
                                "the header became optional",
                            );
                        }
                        (false, true) => {
                            self.report(
                                "response-header-became-required",
                                &location,
                                "the header became required",
                            );
                        }
                        _ => {}
                    }
                    if let (Some(old), Some(new)) = (schema_of(old), schema_of(new)) {
                        self.root(Place::ResponseHeader, old, new, &location);
                    }
                }
                (Some(old), None) => {
                    let kind = if is_required(old) { "required" } else { "optional" };
                    self.report(
                        &format!("{kind}-response-header-removed"),
                        &location,
                        "the header is gone",
                    );
                }
                (None, _) => self.report("response-header-added", &location, "the header is new"),
            }
        }
    }
}
