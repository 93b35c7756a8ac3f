//! Requests that are replayed, and what one of them takes from the answers before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One request of a sequence. In its path, query, values of headers and body, `{{NAME}}` stands for what an
/// earlier request of the same session has taken.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireRequest {
    /// For people; without secrets.
    pub label: String,
    /// Method, upper case.
    pub method: String,
    /// Path, percent-encoded, beginning with `/`.
    pub path: String,
    /// Query without the `?`, percent-encoded.
    pub query: Option<String>,
    /// Lower-case name → values.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Body.
    pub body: Vec<u8>,
    /// Requests of one session share cookies and what they take. `None`: a request for itself.
    pub session: Option<String>,
    /// What later requests need of the answer.
    pub takes: Vec<Take>,
}

/// Headers and bodies may hold secrets.
impl std::fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.label)
    }
}

/// Something in an answer that later requests need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Take {
    /// What it is called in `{{NAME}}`.
    pub name: String,
    /// Where it is.
    pub from: TakeFrom,
}

/// Where in an answer something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TakeFrom {
    /// A JSON pointer (RFC 6901) into the body, to a text or a number.
    Body(String),
    /// The last segment of the path in a header, which may be an address: of `Location`, the new id.
    HeaderSegment(String),
}

/// Method and path, with `{}` for each segment that looks like an id: requests of one operation learn together.
#[must_use]
pub fn operation(method: &str, path: &str) -> String {
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| if is_id(segment) { "{}" } else { segment })
        .collect();
    format!("{method} {}", segments.join("/"))
}

/// Whether a segment of a path is an id: a placeholder, a number, a UUID, a long token with a digit.
fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let token = segment
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    segment.contains("{{") || (digits > 0 && (digits == segment.len() || (token && segment.len() >= 16)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_leave_the_operation() {
        assert_eq!(operation("GET", "/orders/42/lines"), "GET /orders/{}/lines");
        assert_eq!(operation("GET", "/v2/orders"), "GET /v2/orders");
        assert_eq!(operation("PUT", "/o/{{id}}"), "PUT /o/{}");
        assert_eq!(operation("GET", "/o/7d444840-9dc0-11d1-b245-5ffdce74fad2"), "GET /o/{}");
    }

    #[test]
    fn a_request_is_printed_without_what_it_carries() {
        let mut request = WireRequest::default();
        request
            .headers
            .insert("authorization".to_owned(), vec!["hunter2".to_owned()]);
        request.body = b"hunter2".to_vec();
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
