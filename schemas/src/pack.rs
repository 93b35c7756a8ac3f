//! A policy pack's own files: what it says about itself, and the cases that it is tested with.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Level;
use crate::fact::{FactSet, FactValue, json_schema};

/// `pack.yaml`: what a pack says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackManifest {
    /// Name: that of its folder.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// The pack that it is a layer on: a shipped pack's name, or a folder relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// What it loosens of the pack that it extends. A layer that lists nothing may only tighten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relaxes: Vec<Relaxation>,
    /// Ids of its invariants. It must name just those in `invariants/`, so that a lost one is noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invariants: Vec<String>,
    /// Facts without which an estate gets little from it, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "json_schema::ids")]
    pub minimum_facts: Vec<String>,
}

/// One thing that a layer loosens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relaxation {
    /// Id of an inherited forbid that the layer drops, or replaces by a policy of the same id, or of a permit
    /// that it adds.
    pub policy: String,
    /// Why, for whoever reviews the pack.
    pub reason: String,
}

/// One file of `cases/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Named sets of facts, for all case files of the pack.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, NamedFacts>,
    /// Cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
}

/// A named set of facts that cases start from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFacts {
    /// The set that it starts from itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Values by fact id.
    #[serde(flatten)]
    pub given: BTreeMap<String, FactValue>,
}

impl JsonSchema for NamedFacts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NamedFacts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema::values_beside(json!({
            "from": {"type": "string", "description": "The set that it starts from itself."}
        }))
    }
}

/// Facts, and what the pack must say of them: alone, without rollout and clock, and with a fix at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence, unique in the pack.
    pub name: String,
    /// The named set of facts that it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Values by fact id, over those of the named set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "json_schema::values")]
    pub given: BTreeMap<String, FactValue>,
    /// Facts of the named set that are unknown here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "json_schema::ids")]
    pub unknown: Vec<String>,
    /// The level, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The highest level that is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Level>,
    /// The lowest level that is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Level>,
    /// Ids of exactly what withholds the higher levels: policies, or `no-permit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Vec<String>>,
    /// Texts, each part of some bound's reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What the third action, `promote`, must get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote: Option<Answer>,
    /// Ids of exactly what withholds promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote_bounds: Option<Vec<String>>,
}

impl Case {
    /// Whether it expects something of the level.
    #[must_use]
    pub const fn is_about_level(&self) -> bool {
        self.level.is_some()
            || self.at_most.is_some()
            || self.at_least.is_some()
            || self.bounds.is_some()
            || !self.is_about_promotion()
    }

    /// Whether it expects something of promotion.
    #[must_use]
    pub const fn is_about_promotion(&self) -> bool {
        self.promote.is_some() || self.promote_bounds.is_some()
    }
}

/// Permitted or denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is permitted.
    Permitted,
    /// It isn't.
    Denied,
}

/// A case whose facts are put together: it can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedCase {
    /// As it is written: its name and what it expects.
    pub case: Case,
    /// All that is known in it.
    pub facts: FactSet,
    /// File that it is in.
    pub path: String,
    /// Line of its name, 1-based.
    pub line: usize,
}
