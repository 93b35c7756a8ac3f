//! Where people look at lanes, order and report: without the state folder's lock, so that a halt reaches a run that is
//! under way, and without the repos, so that it reaches one whose remotes don't answer.

use anyhow::{Context, Result};
use holdpoint_ledger::{Ledger, LedgerError, Verification};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::order::{ORDER_NAMESPACE, Order, OrderStatement};
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::rollout::{HaltScope, LaneState, Record, Rollout};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

use super::changes::{self, Changes, Way};
use super::standing::Standing;
use super::status::{self, RolloutStatus};
use crate::failure::BadInput;
use crate::pipeline::approvals::{self, Signer};
use crate::pipeline::confided;
use crate::pipeline::estate::{self, read_text};
use crate::pipeline::history::History;
use crate::pipeline::record::{HALT, HOLD, OUTCOME, STAGE};
use crate::pipeline::store::Location;
use holdpoint_schemas::estate::EstateConfig;

/// Longest reason or reference that is recorded.
const MAX_WORDS: usize = 2_000;
/// Shortest beginning of a fix's id or a commit's that names one.
const MIN_ID: usize = 4;

/// What a person wants done.
#[derive(Debug, Clone)]
pub enum Wish {
    /// A lane goes one stage on.
    Advance {
        /// Lane.
        lane: String,
    },
    /// A lane stays where it is.
    Hold {
        /// Lane.
        lane: String,
        /// Until when; until it is let go without.
        until: Option<Timestamp>,
    },
    /// A lane that is held is let go.
    Release {
        /// Lane.
        lane: String,
    },
    /// Automation stops.
    Halt(HaltScope),
    /// Automation goes on.
    Resume(HaltScope),
}

/// What a person tells of a fix.
#[derive(Debug, Clone)]
pub struct Told {
    /// Fix or commit, or the beginning of one.
    pub fix: String,
    /// What became of it.
    pub kind: OutcomeKind,
    /// Why.
    pub reason: String,
    /// Where to read more.
    pub reference: Option<String>,
    /// Who says so; whoever git's configuration names without.
    pub by: Option<String>,
}

/// What was ordered, and what it leads to.
#[derive(Debug, Serialize)]
pub struct Ordered {
    /// The order.
    pub order: Order,
    /// Place in the ledger.
    pub entry: u64,
    /// The lane after it, where it is about one.
    pub lane: Option<LaneState>,
}

/// What was recorded, and what it leads to.
#[derive(Debug, Serialize)]
pub struct Recorded {
    /// The outcome.
    pub outcome: OutcomeRecord,
    /// Place in the ledger.
    pub entry: u64,
    /// What it changed.
    pub changes: Changes,
    /// The lane after it; `None` where no lane took the fix.
    pub lane: Option<LaneState>,
}

/// The estate's rollout in the hands of a person.
pub struct Desk {
    root: std::path::PathBuf,
    config: EstateConfig,
    file: Rollout,
    ledger: Option<Ledger>,
    history: History,
    standing: Standing,
    at: Timestamp,
}

impl Desk {
    /// Opens the estate to read; one that has no ledger yet stands where its file says.
    ///
    /// # Errors
    /// When its config or rollout can't be used, or its ledger was tampered with.
    pub fn reading(root: &Path, at: Timestamp) -> Result<Self> {
        Self::new(root, at, |location| match location.open_existing() {
            Ok(ledger) => Ok(Some(ledger)),
            Err(LedgerError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        })
    }

    /// Opens the estate to record something.
    ///
    /// # Errors
    /// As [`Desk::reading`], and when the state folder can't be written.
    pub fn open(root: &Path, at: Timestamp) -> Result<Self> {
        Self::new(root, at, |location| {
            if let Some(folder) = location.file().and_then(Path::parent) {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("making the state folder `{}`", folder.display()))?;
            }
            Ok(Some(location.open()?))
        })
    }

    fn new(root: &Path, at: Timestamp, open: impl FnOnce(&Location) -> Result<Option<Ledger>>) -> Result<Self> {
        let (root, config) = estate::config(root)?;
        let file = rollout_file(&root, &config)?;
        let ledger = open(&Location::of(&root, &config)?)?;
        let history = match &ledger {
            Some(ledger) => {
                if let Verification::Tampered { problems } = ledger.verify(None)? {
                    return Err(BadInput::new(
                        format!("the ledger doesn't verify: {}", problems.join("; ")),
                        "look at it with `holdpoint ledger verify`, and restore it from a copy",
                    )
                    .into());
                }
                History::read(ledger)?
            }
            None => History::default(),
        };
        let standing = Standing::of(&file, &history.rollout, &approvals::approvers(&root, &config), at);
        Ok(Self {
            root,
            config,
            file,
            ledger,
            history,
            standing,
            at,
        })
    }

    /// Where each lane stands, or one of them.
    ///
    /// # Errors
    /// When there is no such lane.
    pub fn status(&self, lane: Option<&str>) -> Result<RolloutStatus> {
        if let Some(lane) = lane {
            self.lane(lane)?;
        }
        let mut status = status::of(&self.config.name, &self.file, &self.standing, self.at);
        status
            .lanes
            .retain(|status| lane.is_none_or(|lane| lane == status.state.lane));
        Ok(status)
    }

    /// Signs and records what a person wants, once the signature verifies against the estate's approvers.
    ///
    /// # Errors
    /// When it isn't to be had, or the signature isn't an approver's.
    pub fn order(&mut self, wish: &Wish, signer: &Signer, reason: &str) -> Result<Ordered> {
        let reason = words("reason", reason)?;
        let (record, until) = self.record_of(wish, signer, &reason)?;
        let statement = OrderStatement {
            record,
            until,
            after: self.history.rollout.last(),
        };
        let signed = signer.signed(statement)?;
        let order = Order {
            statement: signed.statement,
            signature: Some(signed.signature),
        };
        let approvers = approvals::approvers(&self.root, &self.config)?;
        super::log::verified(&order, &approvers, self.at).map_err(|error| {
            BadInput::new(
                format!("the signature doesn't count: {error}"),
                format!(
                    "the estate's approvers file lists who may order, and with which key; `namespaces=` must allow `{ORDER_NAMESPACE}`"
                ),
            )
        })?;
        let kind = match &order.statement.record {
            Record::Stage(_) => STAGE,
            Record::Hold(_) => HOLD,
            _ => HALT,
        };
        let entry = self.append(kind, &order)?;
        let lane = match wish {
            Wish::Advance { lane } | Wish::Hold { lane, .. } | Wish::Release { lane } => {
                self.standing.state.lane(lane).cloned()
            }
            Wish::Halt(_) | Wish::Resume(_) => None,
        };
        Ok(Ordered { order, entry, lane })
    }

    fn record_of(&self, wish: &Wish, signer: &Signer, reason: &str) -> Result<(Record, Option<Timestamp>)> {
        let (state, by, at) = (&self.standing.state, signer.identity.as_str(), self.at);
        let record = match wish {
            Wish::Advance { lane } => {
                let standing = self.lane(lane)?;
                let next = standing.stage.next().ok_or_else(|| {
                    BadInput::new(
                        format!("lane `{lane}` is at {} already, the highest stage", standing.stage),
                        "there is nothing beyond it",
                    )
                })?;
                state.advance(&self.file, lane, next, by, reason, at).map(Record::Stage)
            }
            Wish::Hold { lane, until } => {
                self.lane(lane)?;
                if until.is_some_and(|until| until <= at) {
                    return Err(
                        BadInput::new("the hold would be over at once", "name a later moment with `--until`").into(),
                    );
                }
                let hold = state.hold(&self.file, lane, true, by, reason, at).map_err(refused)?;
                return Ok((Record::Hold(hold), *until));
            }
            Wish::Release { lane } => {
                if self.lane(lane)?.held.is_none() {
                    return Err(BadInput::new(
                        format!("nobody holds lane `{lane}`"),
                        "`holdpoint rollout status` shows what is held and halted",
                    )
                    .into());
                }
                state.hold(&self.file, lane, false, by, reason, at).map(Record::Hold)
            }
            Wish::Halt(scope) => {
                self.check_known(scope)?;
                state.halt(scope.clone(), true, by, reason, at).map(Record::Halt)
            }
            Wish::Resume(scope) => state.halt(scope.clone(), false, by, reason, at).map(Record::Halt),
        };
        Ok((record.map_err(refused)?, None))
    }

    /// Refuses to halt a remediator that nobody knows: whoever mistyped it would believe that it stands still.
    fn check_known(&self, scope: &HaltScope) -> Result<()> {
        let HaltScope::Remediator(name) = scope else {
            return Ok(());
        };
        let made = self.history.fixes.values().map(|fix| fix.remediator.0.as_str());
        let named = self
            .file
            .lanes
            .iter()
            .flat_map(|lane| lane.matches.remediators.iter().flatten());
        // One whose fixes lie ready and were never looked at is halted before it makes its first.
        let fixes = self.config.fixes.as_ref().map(|fixes| self.root.join(fixes));
        let folders: Vec<String> = fixes
            .and_then(|folder| std::fs::read_dir(folder).ok())
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let ready = folders.iter().map(String::as_str);
        let known: BTreeSet<&str> = made.chain(named.map(String::as_str)).chain(ready).collect();
        if known.contains(name.0.as_str()) {
            return Ok(());
        }
        let known: Vec<&str> = known.into_iter().collect();
        Err(BadInput::new(
            format!("no fix was made by `{}`, and no lane names it", name.0.escape_debug()),
            match known.as_slice() {
                [] => "`holdpoint rollout halt` without `--remediator` halts everything".to_owned(),
                known => format!(
                    "known are {}; without `--remediator` everything is halted",
                    known.join(", ")
                ),
            },
        )
        .into())
    }

    /// Records what a person tells of a fix; a revert or an incident lowers its lane at once.
    ///
    /// # Errors
    /// When there is no such fix, or nobody says who tells it.
    pub fn record(&mut self, told: &Told) -> Result<Recorded> {
        let reason = words("reason", &told.reason)?;
        let reference = told
            .reference
            .as_deref()
            .map(|text| words("reference", text))
            .transpose()?;
        let named = told.by.as_deref().map(|by| words("by", by)).transpose()?;
        let by = named.or_else(|| Signer::from_git().1).ok_or_else(|| {
            BadInput::new(
                "nobody says who tells this",
                "name yourself with `--by`, or set git's `user.email`",
            )
        })?;
        let known = changes::named(&self.history, &self.file, &told.fix, MIN_ID)?;
        let outcome = OutcomeRecord {
            kind: told.kind,
            at: self.at,
            by,
            reference,
            reason,
            ..known
        };
        let same = |other: &OutcomeRecord| {
            OutcomeRecord {
                at: outcome.at,
                ..other.clone()
            } == outcome
        };
        if self.history.rollout.outcomes().any(same) {
            return Err(BadInput::new(
                format!("this is on record of fix {} already", outcome.fix.short()),
                "`holdpoint rollout status` shows what it led to",
            )
            .into());
        }
        let entry = self.append(OUTCOME, &outcome)?;
        let ledger = self.ledger.as_mut().context("the ledger is open")?;
        let changes = changes::apply(ledger, &self.file, &self.standing, Way::Down, self.at)?;
        self.read_again()?;
        Ok(Recorded {
            lane: self.standing.state.lane(&outcome.lane).cloned(),
            outcome,
            entry,
            changes,
        })
    }

    fn append<T: Serialize>(&mut self, kind: &str, body: &T) -> Result<u64> {
        let ledger = self.ledger.as_mut().context("the ledger is open")?;
        let entry = ledger.append(kind, self.at, body)?.seq;
        self.read_again()?;
        Ok(entry)
    }

    fn read_again(&mut self) -> Result<()> {
        if let Some(ledger) = &self.ledger {
            self.history.read_on(ledger, |_| Ok(()))?;
            let approvers = approvals::approvers(&self.root, &self.config);
            self.standing = Standing::of(&self.file, &self.history.rollout, &approvers, self.at);
        }
        Ok(())
    }

    fn lane(&self, name: &str) -> Result<&LaneState> {
        self.standing.state.lane(name).ok_or_else(|| {
            let names: Vec<&str> = self.file.lanes.iter().map(|lane| lane.name.as_str()).collect();
            let help = if names.is_empty() {
                "the estate's rollout file has no lanes".to_owned()
            } else {
                format!("its lanes are: {}", names.join(", "))
            };
            BadInput::new(format!("the rollout file has no lane `{name}`"), help).into()
        })
    }
}

/// The estate's rollout file; without one everything is at most suggested.
///
/// # Errors
/// When it can't be used.
pub fn rollout_file(root: &Path, config: &EstateConfig) -> Result<Rollout> {
    match &config.rollout {
        Some(file) => Ok(holdpoint_intake::estate::read_rollout(file, &read_text(root, file)?)?),
        None => Ok(Rollout::default()),
    }
}

fn refused(error: holdpoint_engine::rollout::StepError) -> BadInput {
    BadInput::new(
        error.to_string(),
        "`holdpoint rollout status` shows where each lane stands",
    )
}

/// What a person wrote: something, and not a book.
fn words(what: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_WORDS {
        return Err(BadInput::new(
            format!("the {what} is empty or longer than {MAX_WORDS} characters"),
            format!("say in a sentence what people should know, with `--{what}`"),
        )
        .into());
    }
    confided::check(what, text)?;
    Ok(text.to_owned())
}
