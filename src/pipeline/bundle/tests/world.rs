//! A ledger of one finding's story, of which every record can be changed by whoever holds the ledger's key.

use holdpoint_engine::decide::{self, Question};
use holdpoint_engine::policy::{Pack, PolicySource};
use holdpoint_ledger::Ledger;
use holdpoint_ledger::approval;
use holdpoint_ledger::bundle::Bundle;
use holdpoint_ledger::note::SignerKey;
use holdpoint_schemas::approval::{ApprovalStatement, Binding, SignedApproval, Verb};
use holdpoint_schemas::decision::{BoundKind, Cap, Decision, Phase};
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::fact::{Fact, FactSet, FactTable, FactValue};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::rollout::Rollout;
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Level, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

use crate::output::samples;
use crate::pipeline::act::AUTO_APPLY;
use crate::pipeline::bundle::{Verified, export, verify};
use crate::pipeline::inputs::{ApproversRecord, CapsRecord, PoliciesRecord, RolloutRecord, SchemaRecord};
use crate::pipeline::record::{
    APPROVAL, APPROVERS, CAPS, DECISION, EVIDENCE, EvidenceEntry, FINDING, FIX, MERGE, MERGE_INTENT, MergeRecord,
    PERMISSION, POLICIES, PermissionRecord, ROLLOUT, SCHEMA,
};

const POLICIES_TEXT: [&str; 4] = [
    r#"@id("open") @reason("upgrades may go") permit (principal, action in [Action::"suggest", Action::"autoApply"], resource);"#,
    r#"@id("frozen") @reason("the service is frozen") forbid (principal, action == Action::"autoApply", resource)
    unless { context has change.freeze_active && !context.change.freeze_active };"#,
    r#"@id("tested") @reason("its tests didn't pass") forbid (principal, action, resource)
    unless { context has evidence.test.verdict && context.evidence.test.verdict == "passed" };"#,
    r#"@id("approved") @reason("a person approved it") permit (principal, action == Action::"promote", resource)
    when { context has approval.verified && context.approval.verified };"#,
];

pub fn at() -> Timestamp {
    samples::at()
}

pub fn key(seed: u8) -> SignerKey {
    SignerKey::from_seed("holdpoint/test", &[seed; 32]).unwrap()
}

/// Records in their order, each with its kind and time.
pub struct World {
    folder: tempfile::TempDir,
    pub records: Vec<(&'static str, Timestamp, Value)>,
    pub finding: RepoFinding,
    pub fix: Fix,
    evidence: EvidenceRecord,
    pack: Pack,
    rollout: Rollout,
    caps: Vec<Cap>,
}

impl World {
    /// What is on record before a decision, with lanes that go up to a level.
    fn new(stage: Level) -> Self {
        let item = samples::merged();
        let sources = POLICIES_TEXT.map(|text| PolicySource {
            path: "p.cedar".to_owned(),
            text: text.to_owned(),
        });
        let pack = Pack::compile("test", &sources, FactTable::shipped()).unwrap();
        let rollout = serde_json::from_value(serde_json::json!({ "default_stage": stage })).unwrap();
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            records: Vec::new(),
            finding: item.finding,
            fix: item.fix.unwrap(),
            evidence: item.evidence.unwrap(),
            pack,
            rollout,
            caps: Vec::new(),
        };
        let schema = SchemaRecord::of(&world.pack, FactTable::shipped(), &[]);
        world.record(SCHEMA, &schema);
        let policies = PoliciesRecord::of(&world.pack);
        world.record(POLICIES, &policies);
        let rollout = RolloutRecord {
            digest: Digest::of_json(&world.rollout).unwrap(),
            rollout: world.rollout.clone(),
        };
        world.record(ROLLOUT, &rollout);
        let approvers = world.approvers("rosa");
        world.record(APPROVERS, &approvers);
        world.record("run", &serde_json::json!({ "state": "started" }));
        world.record(FINDING, &world.finding.clone());
        world.record(FIX, &world.fix.clone());
        let entry = EvidenceEntry {
            key: Digest::of_bytes(b"key"),
            fix: world.fix.id.clone(),
            record: world.evidence.clone(),
        };
        world.record(EVIDENCE, &entry);
        world
    }

    /// A fix that was merged without asking.
    pub fn automatic() -> Self {
        let mut world = Self::new(Level::AutoApply);
        let release = world.decide(Phase::Release);
        world.record(DECISION, &release);
        let gate = world.decide(Phase::Merge);
        world.record(DECISION, &gate);
        world.merge(&release, AUTO_APPLY);
        world
    }

    /// A fix that a person approved and that was merged.
    pub fn approved() -> Self {
        let mut world = Self::new(Level::Suggest);
        let release = world.decide(Phase::Release);
        assert_eq!(release.level, Level::Suggest);
        world.record(DECISION, &release);
        let approval = world.approval(&release, Verb::Approve, "rosa");
        world.record(APPROVAL, &approval);
        let permission = world.permission(&release);
        assert!(permission.permission.permitted);
        world.record(PERMISSION, &permission);
        world.merge(&release, "rosa");
        world
    }

    /// A fix that a budget holds back.
    pub fn capped() -> Self {
        let mut world = Self::new(Level::AutoApply);
        world.caps = vec![Cap {
            withholds: Level::AutoApply,
            kind: BoundKind::Budget,
            id: "estate".to_owned(),
            reason: "tonight's budget is spent".to_owned(),
            unlock: None,
        }];
        let caps = CapsRecord {
            digest: Digest::of_json(&world.caps).unwrap(),
            caps: world.caps.clone(),
        };
        world.record(CAPS, &caps);
        let release = world.decide(Phase::Release);
        assert_eq!(release.level, Level::Suggest);
        world.record(DECISION, &release);
        world
    }

    /// A fix that waits for a person.
    pub fn waiting() -> Self {
        let mut world = Self::new(Level::Suggest);
        let release = world.decide(Phase::Release);
        world.record(DECISION, &release);
        world
    }

    pub fn record<T: Serialize>(&mut self, kind: &'static str, record: &T) {
        self.records.push((kind, at(), serde_json::to_value(record).unwrap()));
    }

    /// Changes the newest record of a kind.
    pub fn change(&mut self, kind: &str, change: impl FnOnce(&mut Value)) {
        let found = self.records.iter_mut().rev().find(|(known, _, _)| *known == kind);
        change(&mut found.unwrap().2);
    }

    /// Changes all decisions, and gives each the id that it must have then.
    pub fn doctor(&mut self, change: impl Fn(&mut Decision)) {
        for (_, _, body) in self.records.iter_mut().filter(|(kind, _, _)| *kind == DECISION) {
            let mut decision: Decision = serde_json::from_value(body.clone()).unwrap();
            change(&mut decision);
            decision.id = decide::decision_id(&decision).unwrap();
            *body = serde_json::to_value(decision).unwrap();
        }
    }

    pub fn remove(&mut self, kind: &str) {
        self.records.retain(|(known, _, _)| *known != kind);
    }

    pub fn facts(&self) -> FactSet {
        let mut facts = FactSet::new();
        facts.insert("change.freeze_active", fact(false.into()));
        facts.insert_unknown("service.tier", "nobody says");
        facts
    }

    pub fn decide(&self, phase: Phase) -> Decision {
        let facts = self.facts();
        let question = self.question(&facts);
        match phase {
            Phase::Triage => decide::triage(&self.pack, &question).unwrap().decision,
            Phase::Release => decide::release(&self.pack, &question).unwrap(),
            Phase::Merge => decide::merge_gate(&self.pack, &question).unwrap(),
        }
    }

    fn question<'a>(&'a self, facts: &'a FactSet) -> Question<'a> {
        static SERVICE: std::sync::LazyLock<ServiceId> = std::sync::LazyLock::new(|| ServiceId::from("admin"));
        Question {
            finding: &self.finding,
            service: &SERVICE,
            fix: Some(&self.fix),
            facts,
            evidence: Some(&self.evidence.evidence),
            rollout: &self.rollout,
            caps: &self.caps,
            now: at(),
        }
    }

    pub fn permission(&self, decision: &Decision) -> PermissionRecord {
        let mut facts = self.facts();
        facts.insert("approval.verified", fact(true.into()));
        PermissionRecord {
            fix: self.fix.id.clone(),
            decision: decision.id.clone(),
            policies: self.pack.digest().clone(),
            schema: self.pack.schema_digest().clone(),
            rollout: Digest::of_json(&self.rollout).unwrap(),
            caps: Digest::of_json(&self.caps).unwrap(),
            permission: decide::may_promote(&self.pack, &self.question(&facts)).unwrap(),
            facts,
            at: at(),
        }
    }

    pub fn merge(&mut self, decision: &Decision, by: &str) {
        let record = MergeRecord {
            repo: self.fix.repo.clone(),
            branch: self.fix.target_branch.clone(),
            fix: self.fix.id.clone(),
            decision: decision.id.clone(),
            base: self.fix.base_commit.clone(),
            commit: "4".repeat(40),
            tree: self.fix.candidate_tree.clone(),
            by: by.to_owned(),
            stack: None,
        };
        self.record(MERGE_INTENT, &record);
        self.record(MERGE, &record);
    }

    /// A person's word on the fix as it was decided on.
    pub fn approval(&self, decision: &Decision, verb: Verb, by: &str) -> SignedApproval {
        let statement = ApprovalStatement {
            verb,
            fix: self.fix.id.clone(),
            decision: decision.id.clone(),
            binding: self.binding(decision),
            by: by.to_owned(),
            at: at(),
            expires: at() + jiff::SignedDuration::from_hours(1),
            comment: Some("read it".to_owned()),
        };
        self.sign_as(by, statement)
    }

    /// A statement as somebody signs it.
    pub fn sign_as(&self, person: &str, statement: ApprovalStatement) -> SignedApproval {
        approval::sign(statement, &self.ssh_key(person)).unwrap()
    }

    fn binding(&self, decision: &Decision) -> Binding {
        serde_json::from_value(serde_json::json!({
            "diff": self.fix.diff,
            "base": self.fix.base_commit,
            "tree": self.fix.candidate_tree,
            "target_branch": self.fix.target_branch,
            "repo": self.fix.repo,
            "policies": decision.inputs.policies,
            "schema": decision.inputs.schema,
            "facts": Digest::of_bytes(b"facts"),
            "evidence": decision.inputs.evidence,
        }))
        .unwrap()
    }

    /// A person's SSH key, made when first asked for.
    fn ssh_key(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        if !path.exists() {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
                .arg(&path)
                .status()
                .unwrap();
            assert!(made.success());
        }
        path
    }

    /// A file of approvers that knows one person as `rosa`.
    pub fn approvers(&self, person: &str) -> ApproversRecord {
        let key = std::fs::read_to_string(self.ssh_key(person).with_extension("pub")).unwrap();
        ApproversRecord {
            file: "approvers".to_owned(),
            text: format!("rosa {key}"),
        }
    }

    /// The bundle that whoever holds the ledger's key can make of these records.
    pub fn bundle(&self) -> Bundle {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite")).unwrap();
        let records = self.records.iter().map(|(kind, at, body)| (*kind, *at, body));
        ledger.append_all(records).unwrap();
        export(&ledger, &key(1), &[], &self.finding.id()).unwrap().bundle
    }

    pub fn verified(&self) -> Verified {
        verify(&self.bundle(), Some(&key(1).verifier()), None)
    }
}

fn fact(value: FactValue) -> Fact {
    Fact {
        value,
        source: "test".to_owned(),
        observed_at: at(),
        note: None,
    }
}
