//! Contract files in Pact's format, specification v2 to v4.

use holdpoint_schemas::SourceError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HttpMessage;
use crate::{ContractError, text};

/// Most interactions of one file.
const MAX_INTERACTIONS: usize = 10_000;

/// One recorded exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// What it is about, for people.
    pub description: String,
    /// What the consumer sends.
    pub request: HttpMessage,
    /// What the provider must answer.
    pub response: HttpMessage,
}

/// What one consumer pinned of one provider.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContractFile {
    /// Consumer's name.
    pub consumer: String,
    /// Provider's name.
    pub provider: String,
    /// Exchanges, in the file's order.
    pub interactions: Vec<Interaction>,
}

#[derive(Deserialize)]
struct Pact {
    consumer: Party,
    provider: Party,
    interactions: Vec<Value>,
}

#[derive(Deserialize)]
struct Party {
    name: String,
}

/// Reads a contract file.
///
/// # Errors
/// When it is no JSON, lacks a part, holds no interaction or one that isn't an HTTP exchange.
pub fn read_interactions(file: &str, text: &str) -> Result<ContractFile, ContractError> {
    let value = text::read_value(file, text)?;
    let help = "expected a Pact file: `consumer`, `provider` and `interactions` with `request` and `response`";
    let fault = |message: String| SourceError::new(file, message).help(help);
    let pact: Pact = serde_json::from_value(value).map_err(|error| fault(error.to_string()))?;
    if pact.interactions.is_empty() {
        return Err(fault("the contract holds no interaction".to_owned()).into());
    }
    if pact.interactions.len() > MAX_INTERACTIONS {
        return Err(fault(format!("more than {MAX_INTERACTIONS} interactions")).into());
    }
    let mut interactions = Vec::with_capacity(pact.interactions.len());
    for (at, value) in pact.interactions.into_iter().enumerate() {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or("Synchronous/HTTP");
        if kind != "Synchronous/HTTP" {
            return Err(fault(format!("interaction {}: `{kind}` is not an HTTP exchange", at + 1)).into());
        }
        let read: Interaction =
            serde_json::from_value(value).map_err(|error| fault(format!("interaction {}: {error}", at + 1)))?;
        if read.response.status.is_none() || read.request.path.is_none() {
            return Err(fault(format!(
                "interaction {}: no `request.path` or no `response.status`",
                at + 1
            ))
            .into());
        }
        interactions.push(read);
    }
    Ok(ContractFile {
        consumer: pact.consumer.name,
        provider: pact.provider.name,
        interactions,
    })
}
