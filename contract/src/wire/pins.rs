//! What a consumer relies on at a provider, whatever a recording says.

use serde::{Deserialize, Serialize};

/// Headers and fields that one consumer relies on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// The consumer.
    pub consumer: String,
    /// Names of response headers, in any letter case; a cookie as `set-cookie.NAME`.
    pub headers: Vec<String>,
    /// Fields of JSON bodies: `items[].id`, with or without a leading `$.` or `$.body.`. A field pins all below it.
    pub fields: Vec<String>,
}

/// The consumers that pin a place. One that pins a field relies on the body being what it was, and on its status.
pub(super) fn pinned_by(pins: &[Pins], place: &str, rule: &str) -> Vec<String> {
    let whole_body = matches!(rule, "body-kind" | "body-text" | "body-bytes" | "no-answer");
    let pinned = |pins: &Pins| {
        let header = |name: &String| covers(&format!("$.header.{}", name.to_ascii_lowercase()), place);
        let field = |field: &String| covers(&body_place(field), place);
        let any_field = whole_body && !pins.fields.is_empty();
        let any = rule == "no-answer" && !pins.headers.is_empty();
        any || any_field || pins.headers.iter().any(header) || pins.fields.iter().any(field)
    };
    pins.iter()
        .filter(|pins| pinned(pins))
        .map(|pins| pins.consumer.clone())
        .collect()
}

fn body_place(field: &str) -> String {
    let inner = field
        .strip_prefix("$.body")
        .or_else(|| field.strip_prefix('$'))
        .unwrap_or(field);
    match inner.starts_with(['.', '[']) || inner.is_empty() {
        true => format!("$.body{inner}"),
        false => format!("$.body.{inner}"),
    }
}

/// Whether a place is the pinned one, or below it.
fn covers(pinned: &str, place: &str) -> bool {
    place
        .strip_prefix(pinned)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_covers_its_place_and_what_is_below_it() {
        let pins = [Pins {
            consumer: "bank".to_owned(),
            headers: vec!["X-Frame-Options".to_owned(), "Set-Cookie.sid".to_owned()],
            fields: vec!["items[].id".to_owned(), "$.total".to_owned(), "$.body.meta".to_owned()],
        }];
        let is_pinned = |place: &str, rule: &str| !pinned_by(&pins, place, rule).is_empty();
        for place in [
            "$.header.x-frame-options",
            "$.header.set-cookie.sid.httponly",
            "$.body.items[].id",
            "$.body.total",
            "$.body.meta.pages[].next",
        ] {
            assert!(is_pinned(place, "field-value"), "{place}");
        }
        for place in ["$.header.x-frame", "$.body.items[].idx", "$.body.items", "$.status"] {
            assert!(!is_pinned(place, "field-value"), "{place}");
        }
        assert!(is_pinned("$.body", "body-kind"));
    }
}
