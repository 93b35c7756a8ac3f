//! What decisions rest on besides facts, kept in the ledger by digest so that old ones replay: the schema
//! and the text of the policies.

use anyhow::Result;
use holdpoint_engine::decide::Question;
use holdpoint_engine::policy::Pack;
use holdpoint_intake::estate::SuppliedFact;
use holdpoint_schemas::Digest;
use holdpoint_schemas::decision::{Cap, Decision};
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::fact::org::OrgFact;
use holdpoint_schemas::rollout::Rollout;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::estate::read_text;
use super::record::{APPROVERS, CAPS, DECISION, POLICIES, ROLLOUT, SCHEMA};
use super::session::Session;

/// The facts that policies could read. Written again when the declarations change and the schema's text
/// doesn't: of two with one digest, the one before a decision is that decision's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaRecord {
    /// Digest of `cedar`: the `inputs.schema` of decisions.
    pub digest: Digest,
    /// The Cedar schema, in Cedar's own syntax.
    pub cedar: String,
    /// The organisation's own facts as they were declared, without values: decisions hold those.
    pub org_facts: Vec<OrgFact>,
}

/// The policies of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoliciesRecord {
    /// Digest of the policies' text: the `inputs.policies` of decisions.
    pub digest: Digest,
    /// Name of the pack.
    pub pack: String,
    /// Its policies, inherited ones included, by id.
    pub policies: Vec<PolicyRecord>,
}

/// The file of those who may approve. It holds public keys only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproversRecord {
    /// Its name in the estate.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// What withheld levels besides policies and lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapsRecord {
    /// Digest of `caps`: the `inputs.caps` of decisions.
    pub digest: Digest,
    /// The caps.
    pub caps: Vec<Cap>,
}

/// Lanes and caps that this process decided with, by their digests.
#[derive(Debug, Default)]
pub struct Asked {
    rollouts: RefCell<BTreeMap<Digest, RolloutRecord>>,
    caps: RefCell<BTreeMap<Digest, CapsRecord>>,
}

impl Asked {
    /// Keeps what a question is asked with, so that it can be recorded with the decision.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    pub fn note(&self, question: &Question<'_>) -> Result<()> {
        let digest = Digest::of_json(question.rollout)?;
        let lanes = || RolloutRecord {
            digest: digest.clone(),
            rollout: question.rollout.clone(),
        };
        self.rollouts.borrow_mut().entry(digest.clone()).or_insert_with(lanes);
        // That nothing is withheld needs no record.
        if !question.caps.is_empty() {
            let digest = Digest::of_json(&question.caps)?;
            let caps = || CapsRecord {
                digest: digest.clone(),
                caps: question.caps.to_vec(),
            };
            self.caps.borrow_mut().entry(digest.clone()).or_insert_with(caps);
        }
        Ok(())
    }
}

/// Lanes with the stages that they had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutRecord {
    /// Digest of `rollout`: the `inputs.rollout` of decisions.
    pub digest: Digest,
    /// The lanes.
    pub rollout: Rollout,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// Its `@id`.
    pub id: String,
    /// Its text; compiling the texts of all gives a pack of the same digest.
    pub text: String,
}

impl SchemaRecord {
    /// The facts that a pack may read.
    pub(super) fn of(pack: &Pack, facts: &FactTable, org: &[SuppliedFact]) -> Self {
        Self {
            digest: pack.schema_digest().clone(),
            cedar: facts.cedar_schema(),
            org_facts: org.iter().map(|supplied| supplied.fact.declaration()).collect(),
        }
    }
}

impl PoliciesRecord {
    /// The policies of a pack.
    pub(super) fn of(pack: &Pack) -> Self {
        let policies = pack.cedar().map(|(info, policy)| PolicyRecord {
            id: info.id.clone(),
            text: policy.to_string(),
        });
        Self {
            digest: pack.digest().clone(),
            pack: pack.name().to_owned(),
            policies: policies.collect(),
        }
    }
}

impl Session {
    /// Records what this process decides with, unless the ledger has it.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn record_inputs(&mut self) -> Result<()> {
        let schema = SchemaRecord::of(&self.estate.pack, &self.estate.facts, &self.estate.org_facts);
        let policies = PoliciesRecord::of(&self.estate.pack);
        let mut recorder = self.recorder();
        recorder.append_new(SCHEMA, [&schema])?;
        recorder.append_new(POLICIES, [&policies])?;
        self.record_approvers()
    }

    /// Records a decision, and before it the lanes and caps that it was made with, unless the ledger has them: the ones
    /// that were handed to [`Asked::note`].
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn record_decision(&mut self, decision: &Decision) -> Result<()> {
        self.record_asked(&decision.inputs.rollout, &decision.inputs.caps)?;
        self.recorder().append_new(DECISION, [decision])
    }

    /// Records lanes and caps that something was decided with, by their digests, unless the ledger has them.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn record_asked(&mut self, rollout: &Digest, caps: &Digest) -> Result<()> {
        let lanes = self.asked.rollouts.borrow().get(rollout).cloned();
        let caps = self.asked.caps.borrow().get(caps).cloned();
        let mut recorder = self.recorder();
        recorder.append_new(ROLLOUT, &lanes)?;
        recorder.append_new(CAPS, &caps)
    }

    /// Records who may approve, unless the ledger has it: an approval is verified against this, years later. A file
    /// that can't be read approves nothing, and is told where approvals are asked for.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn record_approvers(&mut self) -> Result<()> {
        let Some(file) = self.estate.config.approvers.clone() else {
            return Ok(());
        };
        let Ok(text) = read_text(&self.estate.root, &file) else {
            return Ok(());
        };
        self.recorder().append_new(APPROVERS, [&ApproversRecord { file, text }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::packs;
    use holdpoint_engine::policy::PolicySource;
    use std::path::Path;

    #[test]
    fn the_recorded_text_compiles_to_the_same_pack() {
        let text = "facts: [{id: org.covered, type: bool, doc: A fact., resolver: us, default: true}]";
        let org = holdpoint_intake::estate::read_org_facts(&[("facts.d/a.yaml", text)], None).unwrap();
        let pack = packs::open(Path::new("."), "baseline", &org.table).unwrap().pack;

        let schema = SchemaRecord::of(&pack, &org.table, &org.facts);
        assert_eq!(&Digest::of_bytes(schema.cedar.as_bytes()), &schema.digest);
        assert!(schema.org_facts[0].default.is_none(), "a declaration holds no values");
        let rows = schema.org_facts.iter().map(OrgFact::row);
        let table = FactTable::shipped().with_org(rows).unwrap();
        let policies = PoliciesRecord::of(&pack);
        let sources: Vec<PolicySource> = policies
            .policies
            .iter()
            .map(|policy| PolicySource {
                path: policy.id.clone(),
                text: policy.text.clone(),
            })
            .collect();
        let again = Pack::compile(&policies.pack, &sources, &table).unwrap();
        assert_eq!(again.digest(), &policies.digest);
        assert_eq!(again.schema_digest(), &schema.digest);
    }
}
