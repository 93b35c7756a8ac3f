//! HTTP archives (HAR 1.2): what a browser or proxy has recorded, as requests that can be made again.
//!
//! Cookies are left out, since the replay keeps its own. What a request has from an earlier answer (a token, the
//! id of what was created) is taken from the answer that comes this time. The recorded answers serve only to
//! find that out; they are not kept.

use std::collections::BTreeMap;

use holdpoint_schemas::SourceError;
use serde::Deserialize;
use serde_json::Value;

use crate::wire::{Take, TakeFrom, WireRequest};
use crate::{ContractError, Gap, text};

/// Most requests of one archive; further ones are a gap.
const MAX_REQUESTS: usize = 1_000;
/// Most values of answers that later requests are searched for.
const MAX_VALUES: usize = 20_000;
/// Most characters of a value that links an answer with a request.
const MAX_VALUE_LENGTH: usize = 4_096;
/// Shortest text that isn't in two places by accident.
const TELLING_LENGTH: usize = 8;
/// Headers of the recorder's connection, cache and session.
const LEFT_OUT: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// Ends of names of fields whose numbers are ids.
const ID_ENDS: [&str; 4] = ["id", "key", "number", "code"];

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
    #[serde(default)]
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
struct PostData {
    #[serde(default)]
    text: String,
}

#[derive(Default, Deserialize)]
struct Response {
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    content: Content,
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default)]
    text: Option<String>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The requests to the service, in order and in one session.
    pub requests: Vec<WireRequest>,
    /// What can't be replayed.
    pub gaps: Vec<Gap>,
}

/// Reads an archive. Requests to other origins than the first request's are left out: they went elsewhere.
///
/// # Errors
/// When it is no HAR, or holds no request.
pub fn read_har(file: &str, text: &str) -> Result<Recording, ContractError> {
    let value = text::read_value(file, text)?;
    let help = "expected an HTTP archive (HAR 1.2): `log.entries` with `request.method` and `request.url`";
    let archive: Archive =
        serde_json::from_value(value).map_err(|error| SourceError::new(file, error.to_string()).help(help))?;
    let mut recording = Recording {
        requests: Vec::new(),
        gaps: Vec::new(),
    };
    let mut gap = |at: usize, text: String| {
        recording.gaps.push(Gap {
            place: format!("{file}: entry {}", at + 1),
            text,
        });
    };
    let mut origin = None;
    let mut answers = Answers::default();
    for (at, entry) in archive.log.entries.iter().enumerate() {
        let Some((of, path, query)) = split_url(&entry.request.url) else {
            gap(at, "its address is no http address".to_owned());
            continue;
        };
        if of != *origin.get_or_insert(of) {
            continue;
        }
        if recording.requests.len() >= MAX_REQUESTS {
            gap(at, format!("more than {MAX_REQUESTS} requests; the first are replayed"));
            break;
        }
        let mut request = plain(&entry.request, path, query);
        answers.link(&mut request, &mut recording.requests);
        recording.requests.push(request);
        answers.learn(recording.requests.len() - 1, &entry.response);
    }
    if recording.requests.is_empty() {
        return Err(SourceError::new(file, "the archive holds no request").help(help).into());
    }
    Ok(recording)
}

/// Origin, path and query of an address; what follows `#` never leaves the client.
fn split_url(url: &str) -> Option<(&str, &str, Option<&str>)> {
    let url = url.split('#').next().unwrap_or(url);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (origin, rest) = (rest.get(..end)?, rest.get(end..)?);
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    // An address may hold a password before `@`.
    let origin = origin.rsplit('@').next().unwrap_or(origin);
    Some((origin, if path.is_empty() { "/" } else { path }, query))
}

fn plain(recorded: &Request, path: &str, query: Option<&str>) -> WireRequest {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for header in &recorded.headers {
        let name = header.name.to_ascii_lowercase();
        // HTTP/2 has its request line in headers that begin with a colon.
        if !name.starts_with(':') && !name.starts_with("sec-") && !LEFT_OUT.contains(&name.as_str()) {
            headers.entry(name).or_default().push(header.value.clone());
        }
    }
    let method = recorded.method.to_ascii_uppercase();
    WireRequest {
        label: format!("{method} {path}"),
        method,
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers,
        body: recorded
            .post_data
            .as_ref()
            .map(|data| data.text.clone().into_bytes())
            .unwrap_or_default(),
        session: Some("recording".to_owned()),
        takes: Vec::new(),
    }
}

/// Where a value came from.
#[derive(Clone)]
struct Source {
    request: usize,
    from: TakeFrom,
}

/// Values of the answers so far, the latest first.
#[derive(Default)]
struct Answers {
    texts: BTreeMap<String, Source>,
    ids: BTreeMap<String, Source>,
    names: usize,
}

impl Answers {
    fn learn(&mut self, request: usize, response: &Response) {
        for header in &response.headers {
            if header.name.eq_ignore_ascii_case("location")
                && let Some(segment) = header.value.rsplit('/').next().filter(|segment| !segment.is_empty())
            {
                let from = TakeFrom::HeaderSegment("location".to_owned());
                self.keep(true, segment, Source { request, from });
            }
        }
        let body = response.content.text.as_deref().unwrap_or_default();
        if let Ok(value) = serde_json::from_str::<Value>(body) {
            self.values(request, &value, &mut String::new(), "");
        }
    }

    // The recursion is bounded by the depth of what serde_json reads (128).
    fn values(&mut self, request: usize, value: &Value, pointer: &mut String, name: &str) {
        let length = pointer.len();
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    pointer.push('/');
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    self.values(request, inner, pointer, key);
                    pointer.truncate(length);
                }
            }
            Value::Array(list) => {
                for (at, inner) in list.iter().enumerate() {
                    pointer.push_str(&format!("/{at}"));
                    self.values(request, inner, pointer, name);
                    pointer.truncate(length);
                }
            }
            _ => {
                let from = TakeFrom::Body(pointer.clone());
                let name = name.to_ascii_lowercase();
                let is_id = ID_ENDS.iter().any(|end| name.ends_with(end));
                match value {
                    Value::String(text) => self.keep(is_id, text, Source { request, from }),
                    Value::Number(number) if is_id => self.keep(true, &number.to_string(), Source { request, from }),
                    _ => {}
                }
            }
        }
    }

    fn keep(&mut self, is_id: bool, text: &str, source: Source) {
        if text.is_empty() || text.len() > MAX_VALUE_LENGTH || self.texts.len() + self.ids.len() >= MAX_VALUES {
            return;
        }
        if text.len() >= TELLING_LENGTH {
            self.texts.insert(text.to_owned(), source);
        } else if is_id {
            self.ids.insert(text.to_owned(), source);
        }
    }

    /// Puts what comes from earlier answers in place of what was recorded.
    fn link(&mut self, request: &mut WireRequest, earlier: &mut [WireRequest]) {
        let segments: Vec<String> = request.path.split('/').map(|part| self.whole(part, earlier)).collect();
        request.path = segments.join("/");
        request.query = request.query.take().map(|query| {
            let pairs = query.split('&').map(|pair| match pair.split_once('=') {
                Some((name, value)) => format!("{name}={}", self.whole(value, earlier)),
                None => pair.to_owned(),
            });
            pairs.collect::<Vec<_>>().join("&")
        });
        for value in request.headers.values_mut().flatten() {
            // `Bearer TOKEN`: the last word is what was given.
            *value = match value.rsplit_once(' ') {
                Some((scheme, word)) => format!("{scheme} {}", self.telling(word, earlier)),
                None => self.telling(value, earlier),
            };
        }
        if let Ok(text) = std::str::from_utf8(&request.body) {
            let words = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "-_.+/~".contains(c)));
            let linked: String = words
                .map(|word| {
                    let bare = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || "-_.+/~".contains(c)));
                    let rest = word.strip_prefix(bare).unwrap_or_default();
                    format!("{}{rest}", self.telling(bare, earlier))
                })
                .collect();
            request.body = linked.into_bytes();
        }
    }

    fn whole(&mut self, text: &str, earlier: &mut [WireRequest]) -> String {
        let source = self.texts.get(text).or_else(|| self.ids.get(text)).cloned();
        self.named(source, text, earlier)
    }

    fn telling(&mut self, text: &str, earlier: &mut [WireRequest]) -> String {
        let source = self.texts.get(text).cloned();
        self.named(source, text, earlier)
    }

    fn named(&mut self, source: Option<Source>, text: &str, earlier: &mut [WireRequest]) -> String {
        let Some((request, from)) = source.and_then(|source| Some((earlier.get_mut(source.request)?, source.from)))
        else {
            return text.to_owned();
        };
        let known = request
            .takes
            .iter()
            .find(|take| take.from == from)
            .map(|take| take.name.clone());
        let name = known.unwrap_or_else(|| {
            self.names += 1;
            let name = format!("taken.{}", self.names);
            request.takes.push(Take {
                name: name.clone(),
                from,
            });
            name
        });
        format!("{{{{{name}}}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(method: &str, url: &str, headers: Value, body: &str, answer: Value) -> Value {
        json!({
            "request": {"method": method, "url": url, "headers": headers, "postData": {"text": body}},
            "response": {"headers": [], "content": {"text": answer.to_string()}},
        })
    }

    fn archive() -> String {
        let token = "eyJhbGciOi.s3cr3t";
        let bearer = json!([
            {"name": "Authorization", "value": format!("Bearer {token}")},
            {"name": "Cookie", "value": "sid=s3cr3t"},
            {"name": ":path", "value": "/orders"},
        ]);
        let entries = json!([
            entry(
                "POST",
                "https://shop.example/login",
                json!([]),
                "{\"user\":\"ann\"}",
                json!({"access_token": token, "user_id": 7})
            ),
            entry("GET", "https://cdn.example/logo.png", json!([]), "", json!(null)),
            entry(
                "POST",
                "https://shop.example/orders?for=7",
                bearer.clone(),
                "{}",
                json!({"id": 41, "csrf": "abcdefgh12"})
            ),
            entry(
                "PUT",
                "https://shop.example/orders/41",
                bearer,
                "{\"csrf\":\"abcdefgh12\"}",
                json!({})
            ),
        ]);
        json!({"log": {"entries": entries}}).to_string()
    }

    #[test]
    fn what_a_request_has_from_an_answer_is_taken_anew() {
        let recording = read_har("a.har", &archive()).unwrap();
        let [login, create, change] = recording.requests.as_slice() else {
            panic!("{recording:?}");
        };
        assert_eq!(create.headers["authorization"], ["Bearer {{taken.2}}"]);
        assert_eq!(create.query.as_deref(), Some("for={{taken.1}}"));
        assert_eq!(change.path, "/orders/{{taken.3}}");
        assert_eq!(change.body, b"{\"csrf\":\"{{taken.4}}\"}");
        assert_eq!(change.headers["authorization"], ["Bearer {{taken.2}}"]);
        let pointers: Vec<&TakeFrom> = login.takes.iter().map(|take| &take.from).collect();
        assert_eq!(
            pointers,
            [
                &TakeFrom::Body("/user_id".to_owned()),
                &TakeFrom::Body("/access_token".to_owned())
            ]
        );
        assert_eq!(create.takes.len(), 2);
        assert!(!create.headers.contains_key("cookie") && !create.headers.contains_key(":path"));
    }

    #[test]
    fn secrets_are_in_no_message() {
        let shown = format!("{:?}", read_har("a.har", &archive()).unwrap());
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        for text in [
            "",
            "{}",
            r#"{"log":{}}"#,
            r#"{"log":{"entries":[]}}"#,
            r#"{"log":{"entries":[{"request":{"method":"GET","url":"data:x"}}]}}"#,
        ] {
            assert!(read_har("a.har", text).is_err(), "{text}");
        }
    }

    #[test]
    fn too_many_requests_are_a_gap() {
        let one = entry("GET", "http://a/x", json!([]), "", json!(null));
        let text = json!({"log": {"entries": vec![one; MAX_REQUESTS + 1]}}).to_string();
        let recording = read_har("a.har", &text).unwrap();
        assert_eq!((recording.requests.len(), recording.gaps.len()), (MAX_REQUESTS, 1));
    }
}
