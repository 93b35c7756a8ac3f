//! Items of the report, and the report.

use anyhow::Result;
use holdpoint_schemas::SourceError;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::fact::{Action, Unknown};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use std::collections::BTreeMap;

use super::act;
use super::further::best_way;
use super::night::NightReport;
use super::report::{CiOnly, Outcome, ReportItem, RunReport};
use super::rollout::status::{self, RolloutReport};
use super::rollout::stock::Stock;
use super::session::Session;

impl Session {
    /// One finding's item. `comparison`: whether the candidate's tests were green, where they were
    /// run only to compare.
    pub fn item(
        &self,
        finding: &RepoFinding,
        fix: Option<&Fix>,
        decision: Decision,
        evidence: Option<EvidenceRecord>,
        comparison: Option<bool>,
        outcome: Outcome,
    ) -> ReportItem {
        let green = evidence
            .as_ref()
            .and_then(|record| record.evidence.candidate_green)
            .or(comparison);
        let ci_only = match green {
            Some(true) => CiOnly::Merge,
            Some(false) => CiOnly::Hold,
            None => CiOnly::NotRun,
        };
        let service = decision.service.as_str().to_owned();
        let blast = self.estate.graph.blast_radius(&decision.service);
        ReportItem {
            finding: finding.clone(),
            service,
            fix: fix.cloned(),
            unknowns: self.unknowns(&decision),
            way: best_way(&self.estate.pack, &decision),
            advice: act::advice(fix),
            decision,
            evidence,
            outcome,
            ci_only,
            blast,
            scenario: None,
        }
    }

    /// Facts that the pack reads and nobody could say; evidence that wasn't gathered isn't among them.
    fn unknowns(&self, decision: &Decision) -> Vec<Unknown> {
        let mut read = self.estate.pack.facts_read(Action::Suggest);
        read.extend(self.estate.pack.facts_read(Action::AutoApply));
        read.into_iter()
            .filter(|id| !id.starts_with("evidence."))
            .filter_map(|id| decision.facts.unknown(&self.estate.facts, id))
            .collect()
    }

    /// Where the lanes stand after the run, and what it learnt of them.
    fn rollout_report(&mut self, stock: Stock) -> Result<RolloutReport> {
        let history = self.history()?;
        self.stand(&history);
        let status = status::of(&self.estate.config.name, &self.estate.rollout, &self.standing, self.at);
        Ok(RolloutReport {
            status,
            outcomes: stock.outcomes,
            changes: stock.changes,
            notes: stock.notes,
        })
    }

    /// The run's report. `missing`: what the pack needs and nobody supplies.
    ///
    /// # Errors
    /// When the ledger can't be read.
    pub fn report(
        &mut self,
        items: BTreeMap<String, ReportItem>,
        problems: &[SourceError],
        sandbox: String,
        missing: Vec<String>,
        stock: Stock,
    ) -> Result<RunReport> {
        let mut items: Vec<ReportItem> = items.into_values().collect();
        items.sort_by_key(|item| {
            (
                std::cmp::Reverse(item.finding.finding.severity),
                item.finding.repo.clone(),
                item.finding.id(),
            )
        });
        let verified = matches!(self.ledger.verify(None)?, holdpoint_ledger::Verification::Intact { .. });
        // What was changed under a run is not signed.
        let (head, checkpoint) = match verified {
            true => self.checkpoint()?,
            false => (self.ledger.head()?, String::new()),
        };
        Ok(RunReport {
            estate: self.estate.config.name.clone(),
            at: self.at,
            pack: self.estate.config.policies.clone(),
            ledger_head: head.to_string(),
            ledger_checkpoint: checkpoint,
            ledger_verified: verified,
            sandbox,
            catalogue: self.estate.catalogue.known().cloned().unwrap_or_default(),
            rollout: Some(self.rollout_report(stock)?),
            items,
            queue: self.queue()?,
            warnings: problems
                .iter()
                .map(SourceError::one_line)
                .chain(missing)
                .chain(self.estate.notes.iter().cloned())
                .collect(),
            night: NightReport::default(),
        })
    }
}
