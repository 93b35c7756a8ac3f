//! The JSON Schema of facts, generated from their table, and how schemas of other files refer to it.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{FactTable, FactType};

/// Name of its file; the other schemas lie beside it and refer to it.
const FILE: &str = "facts.schema.json";
/// Ids of an organisation's own facts: which there are, only its estate knows.
const ORG_ID: &str = r"^org(\.[a-z][a-z0-9_]*)+$";

/// JSON Schema (draft 2020-12) of an object of values by fact id.
pub(super) fn schema(table: &FactTable) -> Value {
    let facts: Map<String, Value> = table
        .rows()
        .map(|row| {
            let mut schema = match row.fact_type {
                FactType::Bool => json!({"type": "boolean"}),
                FactType::Long => json!({"type": "integer"}),
                FactType::Word(words) => json!({"enum": words}),
                FactType::Text => json!({"type": "string"}),
                FactType::Set => json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}),
            };
            if let Some(fields) = schema.as_object_mut() {
                let doc = format!("{} Supplied by {}.", row.doc, row.resolver);
                fields.insert("description".to_owned(), Value::String(doc));
            }
            (row.id.to_owned(), schema)
        })
        .collect();
    let ids: Vec<&str> = table.rows().map(|row| row.id).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Facts",
        "description": "Values by fact id. What isn't there is unknown. Generated from the table of facts: run `./ci/generate`.",
        "type": "object",
        "properties": facts,
        "patternProperties": {ORG_ID: {"$ref": "#/$defs/value"}},
        "additionalProperties": false,
        "$defs": {
            "id": {"anyOf": [{"enum": ids}, {"type": "string", "pattern": ORG_ID}]},
            "value": {
                "description": "A value of an organisation's own fact, of the type that its declaration says.",
                "anyOf": [
                    {"type": ["boolean", "integer", "string"]},
                    {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
                ],
            },
        },
    })
}

/// Values by fact id.
pub(crate) fn values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": FILE})
}

/// A list of fact ids.
pub(crate) fn ids(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"$ref": format!("{FILE}#/$defs/id")}})
}

/// Values by fact id, beside `others`. Every fact is listed, so that editors complete it.
pub(crate) fn values_beside(others: Value) -> Schema {
    let mut properties: Map<String, Value> = FactTable::shipped()
        .rows()
        .map(|row| {
            (
                row.id.to_owned(),
                json!({"$ref": format!("{FILE}#/properties/{}", row.id)}),
            )
        })
        .collect();
    if let Value::Object(others) = others {
        properties.extend(others);
    }
    json_schema!({
        "type": "object",
        "properties": properties,
        "patternProperties": {ORG_ID: {"$ref": format!("{FILE}#/$defs/value")}},
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::generated::{assert_committed, json_text};

    #[test]
    fn the_committed_schema_of_facts_is_the_generated_one() {
        assert_committed(FILE, &json_text(&schema(FactTable::shipped())));
    }
}
