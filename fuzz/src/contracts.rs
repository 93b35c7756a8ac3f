//! API contracts.

use std::collections::BTreeMap;

use holdpoint_contract::failures::{Category, Classifier, classify};
use holdpoint_contract::generate::{self, Amount};
use holdpoint_contract::http::har::read_har;
use holdpoint_contract::http::{HttpMessage, match_message, read_interactions};
use holdpoint_contract::openapi::{Document, diff};
use holdpoint_contract::wire::{self, Config, Reply, Response};
use holdpoint_contract::{ContractDiff, ContractError, DiffVerdict, Sources, graphql, protobuf, sql};

use crate::input::texts;
use crate::oracle::{helpful, prints_alike, twice};

/// Two OpenAPI documents; one is compared with itself.
pub fn openapi(data: &[u8]) {
    let texts = texts(data, "openapi.yaml");
    let documents: Vec<Document> = texts
        .iter()
        .take(2)
        .filter_map(|(name, text)| good(Document::parse(name, text)))
        .collect();
    for base in &documents {
        let same = diff(base, base);
        assert!(!same.breaking, "a document breaks itself: {:?}", same.changes);
        for revision in &documents {
            prints_alike(|| diff(base, revision));
        }
    }
}

/// Pact files: what is expected is held against itself.
pub fn pact(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = twice(|| good(read_interactions("pact.json", text)));
    for interaction in read.into_iter().flat_map(|file| file.interactions).take(20) {
        prints_alike(|| match_message(&interaction.request, &interaction.request));
        prints_alike(|| match_message(&interaction.response, &interaction.response));
    }
}

/// Two folders of `.proto` files, or one twice; and the same text as buf's configuration.
pub fn protobuf(data: &[u8]) {
    folders(data, "a.proto", protobuf::diff);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = twice(|| good(protobuf::ProtobufConfig::parse("buf.yaml", text)));
    }
}

/// Two GraphQL schemas, or one twice.
pub fn graphql(data: &[u8]) {
    folders(data, "schema.graphql", graphql::diff);
}

/// Two sets of SQL files, or one twice.
pub fn sql(data: &[u8]) {
    folders(data, "schema.sql", sql::diff);
}

type Diff = fn(&dyn Sources, &dyn Sources) -> Result<ContractDiff, ContractError>;

/// The first text is the base, all together are the revision, where a name that comes again is a file that changed.
/// Nothing breaks itself.
fn folders(data: &[u8], name: &str, diff: Diff) {
    let texts = texts(data, name);
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    let all: BTreeMap<String, String> = texts.iter().map(owned).collect();
    let first: BTreeMap<String, String> = texts.iter().take(1).map(owned).collect();
    for base in [&first, &all] {
        if let Some(same) = good(diff(base, base)) {
            assert!(same.changes.is_empty(), "a contract breaks itself: {:?}", same.changes);
            assert_ne!(same.verdict(), DiffVerdict::Breaking);
        }
        prints_alike(|| good(diff(base, &all)));
    }
}

/// Two messages: what is expected, with its rules, and what came. Each is held against itself, too.
pub fn http_match(data: &[u8]) {
    let messages: Vec<HttpMessage> = texts(data, "message.json")
        .iter()
        .take(2)
        .filter_map(|(_, text)| serde_json::from_str(text).ok())
        .collect();
    for expected in &messages {
        for actual in &messages {
            let found = prints_alike(|| match_message(expected, actual));
            assert_eq!(
                found.matches,
                found.mismatches.is_empty(),
                "a verdict without its reasons"
            );
            assert!(found.mismatches.len() <= 200, "{} mismatches", found.mismatches.len());
        }
        let plain = HttpMessage {
            matching_rules: None,
            ..expected.clone()
        };
        // A text may be meant as XML and be none.
        let is_text = |body: &serde_json::Value| body.is_string() || body.get("content").is_some();
        if !plain.body.as_ref().is_some_and(is_text) {
            let found = match_message(&plain, &plain);
            assert!(found.matches, "a message isn't like itself: {:?}", found.mismatches);
        }
    }
}

/// Logs of builds: the pieces that they come in don't matter, and what is kept is bounded.
pub fn failures(data: &[u8]) {
    let whole = twice(|| classify(data));
    let mut classifier = Classifier::new();
    data.chunks(7).for_each(|piece| classifier.push(piece));
    assert!(classifier.finish() == whole, "pieces matter");
    assert!(whole.lines.len() <= 20, "{} lines", whole.lines.len());
    assert_eq!(whole.category == Category::Unknown, whole.lines.is_empty());
    for line in &whole.lines {
        assert!(line.line > 0 && line.text.chars().count() <= 400, "line {}", line.line);
        assert!(
            !line.text.chars().any(|c| c.is_control() && c != '\t'),
            "a control character"
        );
    }
}

/// HTTP archives: what is linked names something that an earlier request takes.
pub fn har(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(recording) = twice(|| good(read_har("a.har", text))) else {
        return;
    };
    assert!(!recording.requests.is_empty() && recording.requests.len() <= 1_000);
    let takes: Vec<&str> = recording
        .requests
        .iter()
        .flat_map(|request| request.takes.iter().map(|take| take.name.as_str()))
        .collect();
    for request in &recording.requests {
        assert!(request.path.starts_with('/'), "{request:?}");
    }
    let mut unique = takes.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), takes.len(), "a name is taken twice");
}

/// Requests made from whatever stands there as a description.
pub fn generated(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(data) else {
        return;
    };
    let amount = Amount {
        requests: 60,
        random: 1,
    };
    let made = twice(|| generate::requests(&document, 7, amount));
    assert!(made.requests.len() <= 60);
}

/// Bodies of two answers; a baseline that always gives both has nothing against either.
pub fn wire_bodies(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (one, other) = data.split_at(at);
    let run = |body: &[u8]| {
        vec![Reply::Response(Response {
            status: 200,
            body: body.strip_prefix(&[0]).unwrap_or(body).to_vec(),
            ..Response::default()
        })]
    };
    let operations = ["GET /".to_owned()];
    let config = Config::default();
    let both = [run(one), run(other)];
    for body in &both {
        let same = wire::compare(
            &operations,
            &[body.clone(), body.clone()],
            std::slice::from_ref(body),
            &config,
        );
        assert!(same.differences.is_empty(), "a body differs from itself: {same:?}");
        let known = wire::compare(&operations, &both, std::slice::from_ref(body), &config);
        assert!(
            known.differences.is_empty(),
            "what came before is a difference: {known:?}"
        );
    }
}

fn good<T>(result: Result<T, ContractError>) -> Option<T> {
    let wrong = |error: &ContractError| {
        let ContractError::Source(error) = error;
        helpful(error);
    };
    result.inspect_err(wrong).ok()
}
