//! API contracts.

use holdpoint_contract::ContractError;
use holdpoint_contract::generate::{self, Amount};
use holdpoint_contract::http::har::read_har;
use holdpoint_contract::http::{match_message, read_interactions};
use holdpoint_contract::openapi::{Document, diff};
use holdpoint_contract::wire::{self, Config, Reply, Response};

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
