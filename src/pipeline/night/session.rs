//! A night's entries in the ledger, and its part of the report.

use anyhow::Result;
use holdpoint_engine::rollout::lane_for;
use holdpoint_ledger::LedgerError;
use holdpoint_schemas::Timestamp;
use std::path::Path;

use super::{Before, NightRecord, NightReport, NightState};
use crate::failure::BadInput;
use crate::pipeline::estate;
use crate::pipeline::history::History;
use crate::pipeline::record::NIGHT;
use crate::pipeline::report::ReportItem;
use crate::pipeline::run::RunOptions;
use crate::pipeline::session::Session;
use crate::pipeline::state::State;
use crate::pipeline::store::Location;
use crate::pipeline::time::{Lanes, TimeReport, Watched};

impl Session {
    /// Records that a night begins. A night that was killed begins again; one that is over doesn't.
    ///
    /// # Errors
    /// When the night is over, or the ledger can't be used.
    pub fn begin_night(&mut self, night: Option<Timestamp>) -> Result<()> {
        let Some(night) = night else { return Ok(()) };
        if nights(&self.ledger)?.is_over(night) {
            return Err(BadInput::new(
                format!("the night of {night} has been run already"),
                "wait for the next one, or run `holdpoint run`",
            )
            .into());
        }
        self.record_night(night, NightState::Started)
    }

    /// Records that it ended.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn end_night(&mut self, night: Option<Timestamp>) -> Result<()> {
        night.map_or(Ok(()), |night| self.record_night(night, NightState::Finished))
    }

    fn record_night(&mut self, night: Timestamp, state: NightState) -> Result<()> {
        self.ledger.append(NIGHT, self.at, &NightRecord { night, state })?;
        Ok(())
    }

    /// The report's part on this night.
    ///
    /// # Errors
    /// When the ledger can't be read.
    pub fn night_report(
        &mut self,
        options: &RunOptions,
        before: &Before,
        items: &[ReportItem],
        not_reached: Vec<String>,
    ) -> Result<NightReport> {
        let history = self.history()?;
        let since = options
            .only
            .is_empty()
            .then(|| before.compare(items, &history))
            .flatten();
        let findings = self.watched(&history);
        Ok(NightReport {
            night: options.night,
            limit_seconds: options.window.limit().map(|limit| limit.as_secs()),
            not_reached,
            since,
            times: TimeReport::of(&history.times, &findings, &self.estate.config.slas, self.at),
        })
    }

    /// Findings of the repos that are governed now, with the lanes that take them.
    fn watched(&self, history: &History) -> Lanes {
        let governed = |repo: &str| self.estate.config.repos.iter().any(|config| config.name == repo);
        let findings = history.findings.iter().filter(|(_, finding)| governed(&finding.repo));
        findings
            .map(|(id, finding)| {
                let decision = history.decisions.get(id);
                let lane = decision
                    .and_then(|decision| lane_for(&self.estate.rollout, &decision.facts, &decision.remediator).lane);
                let watched = Watched {
                    severity: finding.finding.severity,
                    lane,
                };
                (id.clone(), watched)
            })
            .collect()
    }
}

/// The nights that a ledger knows.
///
/// # Errors
/// When it can't be read.
pub fn nights(ledger: &holdpoint_ledger::Ledger) -> Result<super::Nights> {
    let mut nights = super::Nights::default();
    for entry in ledger.entries(Some(NIGHT))? {
        nights.record(serde_json::from_value(entry.body)?);
    }
    Ok(nights)
}

/// The nights that an estate's ledger knows; none while there is no ledger.
///
/// # Errors
/// When the estate's config or its ledger can't be read.
pub fn nights_of(root: &Path) -> Result<super::Nights> {
    let (root, config) = estate::config(root)?;
    match Location::of(&root, &config)?.open_existing() {
        Ok(ledger) => nights(&ledger),
        Err(LedgerError::Missing { .. }) => Ok(super::Nights::default()),
        Err(error) => Err(error.into()),
    }
}

/// Records that a night's run broke off, so that it isn't tried for ever.
///
/// # Errors
/// When the state folder is held by another process, or the ledger can't be written.
pub fn record_failure(root: &Path, night: Timestamp, at: Timestamp) -> Result<()> {
    let (root, config) = estate::config(root)?;
    let mut held = State::take(&root.join(&config.state))?;
    let mut ledger = held.ledger(&Location::of(&root, &config)?)?;
    let state = NightState::Failed;
    ledger.append(NIGHT, at, &NightRecord { night, state })?;
    Ok(())
}
