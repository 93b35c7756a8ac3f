//! OpenVEX documents (specification 0.2.0; also the 0.0.x before it, where names and products were plain texts).

use holdpoint_schemas::finding::{VexStatement, VexStatus};
use holdpoint_schemas::{SourceError, Timestamp};
use serde::Deserialize;

use super::VexEntry;
use crate::error::SourceResult;
use crate::json::{self, or_default};

#[derive(Deserialize)]
struct Document {
    author: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    vulnerability: Name,
    #[serde(default, deserialize_with = "or_default")]
    products: Vec<Product>,
    /// Of 0.0.x.
    #[serde(default, deserialize_with = "or_default")]
    subcomponents: Vec<Product>,
    status: Status,
    justification: Option<String>,
    impact_statement: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Status {
    NotAffected,
    Affected,
    Fixed,
    UnderInvestigation,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Plain(String),
    Full {
        #[serde(rename = "@id", default, deserialize_with = "or_default")]
        id: String,
        #[serde(default, deserialize_with = "or_default")]
        name: String,
        #[serde(default, deserialize_with = "or_default")]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Product {
    Plain(String),
    Full {
        #[serde(rename = "@id", default, deserialize_with = "or_default")]
        id: String,
        #[serde(default, deserialize_with = "or_default")]
        identifiers: Identifiers,
        #[serde(default, deserialize_with = "or_default")]
        subcomponents: Vec<Product>,
    },
}

#[derive(Deserialize, Default)]
struct Identifiers {
    purl: Option<String>,
}

/// Reads a document whose nesting has been checked.
pub fn read(file: &str, text: &str) -> SourceResult<Vec<VexEntry>> {
    let document: Document = json::parse_again(file, text, "an OpenVEX document")?;
    let mut entries = Vec::new();
    for (index, statement) in document.statements.iter().enumerate() {
        let reason = statement.justification.as_ref().or(statement.impact_statement.as_ref());
        if matches!(statement.status, Status::NotAffected) && reason.is_none_or(|text| text.trim().is_empty()) {
            let message = format!("statement {} says `not_affected` without a reason", index + 1);
            let help = "give `justification` or `impact_statement` (OpenVEX 0.2.0, \"status justifications\")";
            return Err(Box::new(SourceError::new(file, message).help(help)));
        }
        entries.extend(statement.entries(&document, reason));
    }
    Ok(entries)
}

impl Statement {
    /// One entry per product, as each may have components of its own.
    fn entries(&self, document: &Document, reason: Option<&String>) -> Vec<VexEntry> {
        // A statement inherits the document's times (OpenVEX 0.2.0, "inheritance").
        let own = [&self.last_updated, &self.timestamp];
        let inherited = [&document.last_updated, &document.timestamp];
        let times = own.into_iter().chain(inherited).flatten();
        let statement = VexStatement {
            status: match self.status {
                Status::NotAffected => VexStatus::NotAffected,
                Status::Affected => VexStatus::Affected,
                Status::Fixed => VexStatus::Fixed,
                Status::UnderInvestigation => VexStatus::UnderInvestigation,
            },
            justification: reason.cloned(),
            author: document.author.clone(),
            at: times
                .map(String::as_str)
                .find_map(|time| time.parse::<Timestamp>().ok()),
            until: None,
        };
        let older: Vec<String> = self.subcomponents.iter().filter_map(Product::name).collect();
        let entry = |product: &Product| VexEntry {
            ids: self.vulnerability.ids(),
            products: product.name().into_iter().collect(),
            components: product.components().chain(older.iter().cloned()).collect(),
            statement: statement.clone(),
        };
        self.products.iter().map(entry).collect()
    }
}

impl Name {
    fn ids(&self) -> Vec<String> {
        match self {
            Self::Plain(name) => vec![name.clone()],
            Self::Full { id, name, aliases } => {
                // The id is an address that may end in the name.
                let last = id.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                let all = [name.as_str(), last]
                    .into_iter()
                    .chain(aliases.iter().map(String::as_str));
                let mut ids: Vec<String> = Vec::new();
                for id in all.filter(|id| !id.is_empty()) {
                    if !ids.iter().any(|known| known == id) {
                        ids.push(id.to_owned());
                    }
                }
                ids
            }
        }
    }
}

impl Product {
    fn name(&self) -> Option<String> {
        match self {
            Self::Plain(name) => Some(name.clone()),
            Self::Full { id, identifiers, .. } => {
                let purl = identifiers.purl.clone();
                purl.or_else(|| Some(id.clone())).filter(|name| !name.is_empty())
            }
        }
    }

    fn components(&self) -> impl Iterator<Item = String> {
        let inner = match self {
            Self::Plain(_) => &[],
            Self::Full { subcomponents, .. } => subcomponents.as_slice(),
        };
        inner.iter().filter_map(Self::name)
    }
}
