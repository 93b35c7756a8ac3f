//! Request bodies, responses, media types and headers.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{BODY, MEDIA_TYPE, OPERATION, PARAMETER, RESPONSE};
use super::parameters::is_required;
use super::{Comparison, Place, RootFacts};
use crate::bundle::Bundle;
use crate::tree::{NodeId, word};

/// Entries of a map by lower-case key, extensions left out, references followed.
fn entries(bundle: &Bundle, map: Option<NodeId>) -> BTreeMap<String, NodeId> {
    let pairs = map.into_iter().flat_map(|map| bundle.tree.pairs(map));
    pairs
        .map(|(key, value)| (key.to_ascii_lowercase(), bundle.follow(value)))
        .collect()
}

const fn facts(place: Place) -> RootFacts {
    RootFacts {
        place,
        plain_text: false,
        header: false,
        required: false,
    }
}

/// Whether `1` and `"1"` are told apart in a media type.
fn tells_types_apart(media: &str) -> bool {
    let name = media.split(';').next().unwrap_or(media).trim();
    name.contains("json") || name.ends_with("yaml")
}

impl Comparison<'_> {
    pub(super) fn request_body(&mut self, base: Option<NodeId>, revision: Option<NodeId>) {
        let location = "request body";
        match (base, revision) {
            (Some(old), Some(new)) if self.unknown(old, new) => {}
            (Some(old), Some(new)) if !self.graph.settled(old, new) => {
                self.known_keys(BODY, old, new, location);
                match (is_required(self.graph.base, old), is_required(self.graph.revision, new)) {
                    (false, true) => self.report("request-body-became-required", location, "the body became required"),
                    (true, false) => self.report("request-body-became-optional", location, "the body became optional"),
                    _ => {}
                }
                let content = (
                    self.graph.base.get(old, word::CONTENT),
                    self.graph.revision.get(new, word::CONTENT),
                );
                self.media_types(facts(Place::RequestBody), content.0, content.1, location);
            }
            (None, Some(new)) if is_required(self.graph.revision, new) => {
                self.report("request-body-added-required", location, "a required body is new");
            }
            (None, Some(_)) => self.report("request-body-added-optional", location, "an optional body is new"),
            (Some(_), None) => self.report("request-body-removed", location, "the body is gone"),
            _ => {}
        }
    }

    pub(super) fn responses(&mut self, base: Option<NodeId>, revision: Option<NodeId>) {
        if let (Some(old), Some(new)) = (base, revision)
            && self.graph.settled(old, new)
        {
            return;
        }
        let (old, new) = (entries(self.graph.base, base), entries(self.graph.revision, revision));
        let is_success = |status: &str| status.starts_with('2');
        let any_success = |statuses: &BTreeMap<String, NodeId>| statuses.keys().any(|status| is_success(status));
        // The default stands for all that isn't listed: it is a success where the other side has no success at all.
        let (none_before, none_after) = (!any_success(&old), !any_success(&new));
        let names = old.keys().chain(new.keys()).filter(|status| !status.starts_with("x-"));
        for status in names.collect::<BTreeSet<_>>() {
            let location = format!("response {}", status.escape_debug());
            let success = |none: bool| is_success(status) || status == "default" && none;
            match (covering(&old, status), covering(&new, status)) {
                (Some(a), Some(b)) => self.response(Place::ResponseBody, a, b, &location),
                (Some(a), None) if success(none_after) => {
                    self.report("response-success-status-removed", &location, "the status is gone");
                    // Without any other success the default is one.
                    if let Some(b) = new.get("default").filter(|_| none_after) {
                        self.response(Place::ResponseBody, a, *b, &location);
                    }
                }
                (Some(_), None) => self.report("response-non-success-status-removed", &location, "the status is gone"),
                (None, Some(b)) if success(none_before) => {
                    self.report("response-success-status-added", &location, "the status is new");
                    if let Some(a) = old.get("default").filter(|_| none_before) {
                        self.response(Place::ResponseBody, *a, b, &location);
                    }
                }
                (None, _) => self.report("response-non-success-status-added", &location, "the status is new"),
            }
        }
    }

    fn response(&mut self, place: Place, old: NodeId, new: NodeId, location: &str) {
        if self.graph.settled(old, new) || self.unknown(old, new) {
            return;
        }
        self.known_keys(RESPONSE, old, new, location);
        let (base, revision) = (self.graph.base, self.graph.revision);
        let key = |key| (base.get(old, key), revision.get(new, key));
        let (content, headers, links) = (key(word::CONTENT), key(word::HEADERS), key(word::LINKS));
        self.media_types(facts(place), content.0, content.1, location);
        self.headers(headers.0, headers.1, location);
        let (before, after) = (entries(base, links.0), entries(revision, links.1));
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            self.report(
                "response-link-removed",
                location,
                format!("link `{}` is gone", name.escape_debug()),
            );
        }
        for name in after.keys().filter(|name| !before.contains_key(*name)) {
            self.report(
                "response-link-added",
                location,
                format!("link `{}` is new", name.escape_debug()),
            );
        }
    }

    pub(super) fn media_types(
        &mut self,
        root: RootFacts,
        base: Option<NodeId>,
        revision: Option<NodeId>,
        location: &str,
    ) {
        let (mut old, mut new) = (entries(self.graph.base, base), entries(self.graph.revision, revision));
        let request = root.place.is_request();
        let mut pairs: Vec<(String, NodeId, String, NodeId)> = Vec::new();
        let mut take = |belongs: &dyn Fn(&str, &str) -> bool| {
            for name in old.keys().cloned().collect::<Vec<_>>() {
                let other = new.keys().find(|other| belongs(&name, other)).cloned();
                if let Some(other) = other
                    && let (Some(a), Some(b)) = (old.remove(&name), new.remove(&other))
                {
                    pairs.push((name, a, other, b));
                }
            }
        };
        take(&|a, b| a == b);
        take(&|a, b| includes(a, b) || includes(b, a));
        for (name, a, other, b) in pairs {
            let location = format!("{location} {}", name.escape_debug());
            if name != other {
                self.renamed_media_type(request, &name, &other, &location);
            }
            let facts = RootFacts {
                plain_text: !tells_types_apart(&name),
                ..root
            };
            self.media_type(facts, a, b, &location);
        }
        let (removed, added) = match request {
            true => ("request-body-media-type-removed", "request-body-media-type-added"),
            false => ("response-media-type-removed", "response-media-type-added"),
        };
        for name in old.keys() {
            let shown = name.escape_debug().to_string();
            self.report(removed, &format!("{location} {shown}"), format!("`{shown}` is gone"));
        }
        for name in new.keys() {
            let shown = name.escape_debug().to_string();
            self.report(added, &format!("{location} {shown}"), format!("`{shown}` is new"));
        }
    }

    fn renamed_media_type(&mut self, request: bool, old: &str, new: &str, location: &str) {
        let text = format!(
            "the media type was `{}`, is `{}`",
            old.escape_debug(),
            new.escape_debug()
        );
        let (narrower, wider) = (includes(old, new), includes(new, old));
        let rule = match (request, narrower, wider) {
            (true, true, true) => "request-body-media-type-name-changed",
            (true, true, false) => "request-body-media-type-name-specialized",
            (true, false, _) => "request-body-media-type-name-generalized",
            (false, true, true) => "response-media-type-name-changed",
            (false, true, false) => "response-media-type-name-specialized",
            (false, false, _) => "response-media-type-name-generalized",
        };
        self.report(rule, location, text);
    }

    fn media_type(&mut self, root: RootFacts, old: NodeId, new: NodeId, location: &str) {
        if self.unknown(old, new) {
            return;
        }
        self.known_keys(MEDIA_TYPE, old, new, location);
        let (base, revision) = (&self.graph.base.tree, &self.graph.revision.tree);
        let (added, removed) = match root.place.is_request() {
            true => (
                "request-body-media-type-schema-added",
                "request-body-media-type-schema-removed",
            ),
            false => (
                "response-body-media-type-schema-added",
                "response-body-media-type-schema-removed",
            ),
        };
        match (base.get(old, word::SCHEMA), revision.get(new, word::SCHEMA)) {
            (Some(a), Some(b)) => self.root(root, a, b, location),
            (None, Some(_)) => self.report(added, location, "the body has a schema now"),
            (Some(_), None) => self.report(removed, location, "the body has no schema any more"),
            (None, None) => {}
        }
        match (base.get(old, word::ITEM_SCHEMA), revision.get(new, word::ITEM_SCHEMA)) {
            // An item is written by the rules of its stream, not as plain text.
            (Some(a), Some(b)) => {
                let facts = RootFacts {
                    plain_text: false,
                    ..root
                };
                self.root(facts, a, b, &format!("{location} item"));
            }
            (None, Some(_)) => self.report("media-type-item-schema-added", location, "items have a schema now"),
            (Some(_), None) => self.report(
                "media-type-item-schema-removed",
                location,
                "items have no schema any more",
            ),
            (None, None) => {}
        }
        let encoding = |tree: &crate::tree::Tree, id| tree.get(id, word::ENCODING);
        let same = match (encoding(base, old), encoding(revision, new)) {
            (Some(a), Some(b)) => self.graph.settled(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if !same {
            self.report(
                "media-type-encoding-changed",
                location,
                "parts of the body are written in another way",
            );
        }
    }

    fn headers(&mut self, base: Option<NodeId>, revision: Option<NodeId>, location: &str) {
        let (old, new) = (entries(self.graph.base, base), entries(self.graph.revision, revision));
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            // Described elsewhere: OpenAPI 3.1 §4.8.17.1.
            if name == "content-type" {
                continue;
            }
            let location = format!("{location} header `{}`", name.escape_debug());
            match (old.get(name), new.get(name)) {
                (Some(a), Some(b)) if self.unknown(*a, *b) => {}
                (Some(a), Some(b)) if !self.graph.settled(*a, *b) => {
                    self.known_keys(PARAMETER, *a, *b, &location);
                    match (is_required(self.graph.base, *a), is_required(self.graph.revision, *b)) {
                        (true, false) => {
                            self.report("response-header-became-optional", &location, "it became optional")
                        }
                        (false, true) => {
                            self.report("response-header-became-required", &location, "it became required")
                        }
                        _ => {}
                    }
                    let facts = RootFacts {
                        plain_text: true,
                        ..facts(Place::ResponseHeader)
                    };
                    self.value_of(facts, *a, *b, &location);
                }
                (Some(a), None) if is_required(self.graph.base, *a) => {
                    self.report("required-response-header-removed", &location, "the header is gone");
                }
                (Some(_), None) => self.report("optional-response-header-removed", &location, "the header is gone"),
                (None, _) => self.report("response-header-added", &location, "the header is new"),
                _ => {}
            }
        }
    }

    /// A callback or webhook: its request is what the client reads, its response what the client writes.
    pub(super) fn asked_operation(&mut self, before: NodeId, after: NodeId) {
        if !self.operation_life(before, after) {
            return;
        }
        let (base, revision) = (self.graph.base, self.graph.revision);
        let body = (
            base.get(before, word::REQUEST_BODY),
            revision.get(after, word::REQUEST_BODY),
        );
        self.known_keys(OPERATION, before, after, "operation");
        let lost = body.0.zip(body.1).is_some_and(|(old, new)| self.unknown(old, new));
        if !lost {
            if let (Some(old), Some(new)) = body {
                self.known_keys(BODY, old, new, "request body");
            }
            let content = |bundle: &Bundle, body: Option<NodeId>| body.and_then(|body| bundle.get(body, word::CONTENT));
            let (old, new) = (content(base, body.0), content(revision, body.1));
            self.media_types(facts(Place::ResponseBody), old, new, "request body");
        }
        for key in [word::PARAMETERS, word::SECURITY, word::CALLBACKS] {
            let same = match (base.tree.get(before, key), revision.tree.get(after, key)) {
                (Some(old), Some(new)) => self.graph.settled(old, new),
                (old, new) => old.is_none() && new.is_none(),
            };
            if !same {
                let name = base.tree.str(key).to_owned();
                self.gap(format!("`{name}` of what the server asks isn't compared, and differs"));
            }
        }
        let responses = (base.get(before, word::RESPONSES), revision.get(after, word::RESPONSES));
        let (old, new) = (entries(base, responses.0), entries(revision, responses.1));
        for status in old.keys().filter(|status| !status.starts_with("x-")) {
            let location = format!("response {}", status.escape_debug());
            let Some((a, b)) = old.get(status).copied().zip(covering(&new, status)) else {
                self.report(
                    "answer-status-removed",
                    &location,
                    "an answer that clients give isn't expected any more",
                );
                continue;
            };
            if self.unknown(a, b) {
                continue;
            }
            let headers = (base.get(a, word::HEADERS), revision.get(b, word::HEADERS));
            if headers.0.is_some() != headers.1.is_some()
                || headers.0.zip(headers.1).is_some_and(|(a, b)| !self.graph.settled(a, b))
            {
                self.gap(format!("{location}: headers of an answer aren't compared, and differ"));
            }
            let content = (base.get(a, word::CONTENT), revision.get(b, word::CONTENT));
            self.media_types(facts(Place::RequestBody), content.0, content.1, &location);
        }
        for status in new
            .keys()
            .filter(|status| !status.starts_with("x-") && covering(&old, status).is_none())
        {
            let location = format!("response {}", status.escape_debug());
            self.report("answer-status-added", &location, "a further answer is expected");
        }
    }
}

/// The response of a status, or that of its range (`2xx`).
fn covering(responses: &BTreeMap<String, NodeId>, status: &str) -> Option<NodeId> {
    let range = || {
        let first = status.chars().next().filter(char::is_ascii_digit)?;
        responses.get(&format!("{first}xx"))
    };
    responses.get(status).or_else(range).copied()
}

/// Whether the second media type is one of those that the first stands for, parameters left out:
/// `application/json` stands for `application/problem+json`, and `text/*` for `text/plain`.
fn includes(general: &str, special: &str) -> bool {
    let plain = |name: &str| name.split(';').next().unwrap_or(name).trim().to_owned();
    let (general, special) = (plain(general), plain(special));
    let (Some((a, b)), Some((c, d))) = (general.split_once('/'), special.split_once('/')) else {
        return false;
    };
    let mut suffixes = (b.split('+'), d.split('+'));
    let base = (suffixes.0.next(), suffixes.1.next());
    let (of_general, of_special) = (suffixes.0.collect::<Vec<_>>(), suffixes.1.collect::<Vec<_>>());
    if a == "*" || a == c && b == "*" {
        return true;
    }
    let refined = of_general.is_empty() && of_special.last().copied() == base.0;
    a == c && (refined || base.0 == base.1 && of_special.starts_with(&of_general))
}

#[cfg(test)]
mod tests {
    use super::includes;

    #[test]
    fn a_media_type_stands_for_others() {
        for (general, special, expected) in [
            ("application/json", "application/problem+json", true),
            ("application/problem+json", "application/json", false),
            ("image/png+json", "image/png+json+xml", true),
            ("text/*", "text/plain", true),
            ("application/json", "application/xml", false),
            ("application/json; charset=utf-8", "application/json", true),
        ] {
            assert_eq!(includes(general, special), expected, "{general} {special}");
        }
    }
}
