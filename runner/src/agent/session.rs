//! Sessions: cookies that were set come back, and what an answer gave stands in later requests.

use holdpoint_contract::wire::{Take, TakeFrom};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{AgentRequest, AgentResponse};

/// Cookies of one session.
const MAX_COOKIES: usize = 200;
/// Bytes of one taken value.
const MAX_VALUE_BYTES: usize = 16 << 10;

/// All sessions of one run, by name.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<String, Session>);

#[derive(Default)]
struct Session {
    /// Name and path → value.
    cookies: BTreeMap<(String, String), String>,
    taken: BTreeMap<String, String>,
}

impl Sessions {
    /// The request as it is made now: with the cookies of its session, and with what was taken.
    pub(super) fn ready(&self, request: &AgentRequest) -> AgentRequest {
        let mut ready = request.clone();
        let Some(session) = request.session.as_ref().and_then(|name| self.0.get(name)) else {
            return ready;
        };
        ready.path = session.fill(&ready.path, encode);
        ready.query = ready.query.map(|query| session.fill(&query, encode));
        for value in ready.headers.values_mut().flatten() {
            *value = session.fill(value, str::to_owned);
        }
        if let Ok(text) = std::str::from_utf8(&ready.body) {
            ready.body = session.fill(text, in_json).into_bytes();
        }
        let cookies = session.cookies_for(&ready.path);
        if !cookies.is_empty() {
            ready.headers.entry("cookie".to_owned()).or_default().push(cookies);
        }
        ready
    }

    /// Keeps what later requests of the session need.
    pub(super) fn learn(&mut self, request: &AgentRequest, response: &AgentResponse) {
        let Some(name) = &request.session else { return };
        let session = self.0.entry(name.clone()).or_default();
        for line in response.headers.get("set-cookie").into_iter().flatten() {
            session.set_cookie(line, &request.path);
        }
        let body = match request.takes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&response.body).unwrap_or_default(),
        };
        for take in &request.takes {
            if let Some(value) = taken(take, &body, response).filter(|value| value.len() <= MAX_VALUE_BYTES) {
                session.taken.insert(take.name.clone(), value);
            }
        }
    }
}

fn taken(take: &Take, body: &Value, response: &AgentResponse) -> Option<String> {
    match &take.from {
        TakeFrom::Body(pointer) => match body.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
        TakeFrom::HeaderSegment(name) => {
            let value = response.headers.get(&name.to_ascii_lowercase())?.first()?;
            let segment = value
                .split(['?', '#'])
                .next()?
                .trim_end_matches('/')
                .rsplit('/')
                .next()?;
            Some(segment.to_owned())
        }
    }
}

impl Session {
    fn fill(&self, text: &str, write: impl Fn(&str) -> String) -> String {
        if !text.contains("{{") {
            return text.to_owned();
        }
        self.taken.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), &write(value))
        })
    }

    /// RFC 6265 §5.2 and §5.3, for one host: the domain doesn't matter, and dates neither, as no replay is that long.
    fn set_cookie(&mut self, line: &str, request_path: &str) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let mut path = default_path(request_path).to_owned();
        let mut gone = false;
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            if attribute.eq_ignore_ascii_case("path") && value.starts_with('/') {
                value.clone_into(&mut path);
            }
            gone |= attribute.eq_ignore_ascii_case("max-age") && value.parse::<i64>().is_ok_and(|seconds| seconds <= 0);
            gone |= attribute.eq_ignore_ascii_case("expires") && value.contains("1970");
        }
        let key = (name.trim().to_owned(), path);
        if gone {
            self.cookies.remove(&key);
        } else if self.cookies.len() < MAX_COOKIES || self.cookies.contains_key(&key) {
            self.cookies.insert(key, value.trim().to_owned());
        }
    }

    /// RFC 6265 §5.4: those whose path matches, longer paths first.
    fn cookies_for(&self, path: &str) -> String {
        let matches = |of: &str| {
            path.strip_prefix(of)
                .is_some_and(|rest| rest.is_empty() || of.ends_with('/') || rest.starts_with('/'))
        };
        let mut found: Vec<_> = self.cookies.iter().filter(|((_, of), _)| matches(of)).collect();
        found.sort_by_key(|((_, of), _)| std::cmp::Reverse(of.len()));
        let pairs: Vec<String> = found
            .iter()
            .map(|((name, _), value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

/// RFC 6265 §5.1.4.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => path.get(..end).unwrap_or("/"),
    }
}

fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default()
        .to_owned()
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> AgentRequest {
        AgentRequest {
            path: path.to_owned(),
            session: Some("s".to_owned()),
            ..AgentRequest::default()
        }
    }

    fn answer(cookies: &[&str], body: &str) -> AgentResponse {
        let mut answer = AgentResponse::default();
        let lines = cookies.iter().map(|line| (*line).to_owned()).collect();
        answer.headers.insert("set-cookie".to_owned(), lines);
        answer
            .headers
            .insert("location".to_owned(), vec!["http://a/orders/9?x=1".to_owned()]);
        answer.body = body.as_bytes().to_vec();
        answer
    }

    #[test]
    fn cookies_come_back_where_their_path_says_and_until_they_are_gone() {
        let mut sessions = Sessions::default();
        let set = ["sid=1; Path=/; HttpOnly", "deep=2; Path=/a", "near=3"];
        sessions.learn(&request("/b/login"), &answer(&set, ""));
        let sent = |sessions: &Sessions, path: &str| sessions.ready(&request(path)).headers.get("cookie").cloned();
        assert_eq!(sent(&sessions, "/a/x").unwrap(), ["deep=2; sid=1"]);
        assert_eq!(sent(&sessions, "/ab").unwrap(), ["sid=1"]);
        assert_eq!(sent(&sessions, "/b").unwrap(), ["near=3; sid=1"]);
        sessions.learn(&request("/"), &answer(&["sid=; Path=/; Max-Age=0"], ""));
        assert_eq!(sent(&sessions, "/ab"), None);
        let mut other = request("/a");
        other.session = None;
        assert!(sessions.ready(&other).headers.is_empty());
    }

    #[test]
    fn what_was_taken_stands_in_later_requests_as_each_place_writes_it() {
        let mut sessions = Sessions::default();
        let mut first = request("/");
        let take = |name: &str, from: TakeFrom| Take {
            name: name.to_owned(),
            from,
        };
        first.takes = vec![
            take("id", TakeFrom::Body("/id".to_owned())),
            take("at", TakeFrom::HeaderSegment("Location".to_owned())),
            take("none", TakeFrom::Body("/none".to_owned())),
        ];
        sessions.learn(&first, &answer(&[], r#"{"id":"a\"b"}"#));
        let mut next = request("/o/{{at}}/{{id}}/{{none}}");
        next.body = br#"{"id":"{{id}}"}"#.to_vec();
        let ready = sessions.ready(&next);
        assert_eq!(ready.path, "/o/9/a%22b/{{none}}");
        assert_eq!(ready.body, br#"{"id":"a\"b"}"#);
    }
}
