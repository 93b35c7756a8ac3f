//! JSON Schemas (draft 2020-12) of the files that policy authors and service teams write, for editors: made from the types
//! that read them, so that the two can't drift.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use crate::estate::RepoSettings;
use crate::fact::org::OrgFactsFile;
use crate::pack::{CaseFile, PackManifest};
use crate::rollout::Rollout;

/// Name of each schema's file, and the schema. They refer to `facts.schema.json` beside them.
#[must_use]
pub fn schemas() -> [(&'static str, Value); 5] {
    [
        ("pack.schema.json", of::<PackManifest>("A policy pack (`pack.yaml`)")),
        (
            "policy-case.schema.json",
            of::<CaseFile>("Cases of a policy pack (`cases/*.yaml`)"),
        ),
        (
            "org-facts.schema.json",
            of::<OrgFactsFile>("An organisation's own facts (`facts.d/*.yaml`)"),
        ),
        (
            "repo-settings.schema.json",
            of::<RepoSettings>("A governed repo's own settings (`.holdpoint.yaml`)"),
        ),
        ("rollout.schema.json", of::<Rollout>("Staged rollout (`rollout.yaml`)")),
    ]
}

fn of<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>();
    schema.insert("title".to_owned(), Value::String(title.to_owned()));
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::generated::{assert_committed, json_text};

    #[test]
    fn the_committed_schemas_are_the_generated_ones() {
        for (file, schema) in schemas() {
            assert_committed(file, &json_text(&schema));
        }
    }
}
