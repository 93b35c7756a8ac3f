//! API contracts.

use holdpoint_contract::ContractError;
use holdpoint_contract::http::{match_message, read_interactions};
use holdpoint_contract::openapi::{Document, diff};

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

fn good<T>(result: Result<T, ContractError>) -> Option<T> {
    let wrong = |error: &ContractError| {
        let ContractError::Source(error) = error;
        helpful(error);
    };
    result.inspect_err(wrong).ok()
}
