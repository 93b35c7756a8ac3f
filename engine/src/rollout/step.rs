//! What a person does with a lane: advance it, hold it, halt and resume.

use holdpoint_schemas::rollout::{Halt, HaltScope, Hold, Rollout, StageCause, StageChange};
use holdpoint_schemas::{Level, Timestamp};
use thiserror::Error;

use super::AUTOMATION;
use super::state::RolloutState;

/// Why a person's step is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StepError {
    /// The file has no such lane.
    #[error("the rollout file has no lane `{0}`")]
    NoLane(String),
    /// Nobody takes it on.
    #[error("a step of a rollout needs a named person")]
    NoName,
    /// It says not why.
    #[error("a step of a rollout needs a reason")]
    NoReason,
    /// It is there already.
    #[error("lane `{lane}` is at stage {stage} already")]
    AlreadyThere {
        /// Lane.
        lane: String,
        /// Its stage.
        stage: Level,
    },
    /// The file forbids it.
    #[error("lane `{lane}` never goes above {ceiling}, its ceiling in the rollout file")]
    AboveCeiling {
        /// Lane.
        lane: String,
        /// Its ceiling.
        ceiling: Level,
    },
    /// Somebody holds it.
    #[error("lane `{lane}` is held by {by}: {reason}")]
    Held {
        /// Lane.
        lane: String,
        /// Who holds it.
        by: String,
        /// Why.
        reason: String,
    },
    /// Nothing rises while the estate is halted.
    #[error("the estate is halted by {by}: {reason}")]
    Halted {
        /// Who halted it.
        by: String,
        /// Why.
        reason: String,
    },
    /// It isn't halted or held.
    #[error("{0} isn't halted")]
    NotHalted(String),
}

impl RolloutState {
    /// A person sets a lane's stage: never above its ceiling, and not upwards while it is held or the estate is halted.
    ///
    /// # Errors
    /// When it is refused.
    pub fn advance(
        &self,
        file: &Rollout,
        lane: &str,
        to: Level,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<StageChange, StepError> {
        let (by, reason) = named(by, reason)?;
        let missing = || StepError::NoLane(lane.to_owned());
        let config = file.lane(lane).ok_or_else(missing)?;
        let standing = self.lane(lane).ok_or_else(missing)?;
        let name = || lane.to_owned();
        if to > config.ceiling() {
            return Err(StepError::AboveCeiling {
                lane: name(),
                ceiling: config.ceiling(),
            });
        }
        if to == standing.stage {
            return Err(StepError::AlreadyThere {
                lane: name(),
                stage: to,
            });
        }
        if to > standing.stage {
            if let Some(hold) = &standing.held {
                return Err(StepError::Held {
                    lane: name(),
                    by: hold.by.clone(),
                    reason: hold.reason.clone(),
                });
            }
            if let Some(halt) = self.halted.get(&HaltScope::Estate) {
                return Err(StepError::Halted {
                    by: halt.by.clone(),
                    reason: halt.reason.clone(),
                });
            }
        }
        Ok(StageChange {
            lane: name(),
            slice: config.slice(),
            from: standing.stage,
            to,
            cause: StageCause::Advanced,
            by,
            reason,
            evidence: standing.evidence,
            at: now,
        })
    }

    /// A person holds a lane at its stage, or lets it go.
    ///
    /// # Errors
    /// When it is refused.
    pub fn hold(
        &self,
        file: &Rollout,
        lane: &str,
        on: bool,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Hold, StepError> {
        let (by, reason) = named(by, reason)?;
        let config = file.lane(lane).ok_or_else(|| StepError::NoLane(lane.to_owned()))?;
        Ok(Hold {
            lane: config.name.clone(),
            slice: config.slice(),
            on,
            by,
            reason,
            at: now,
        })
    }

    /// A person halts something, or resumes what is halted.
    ///
    /// # Errors
    /// When it is refused.
    pub fn halt(&self, scope: HaltScope, on: bool, by: &str, reason: &str, now: Timestamp) -> Result<Halt, StepError> {
        let (by, reason) = named(by, reason)?;
        if !on && !self.halted.contains_key(&scope) {
            return Err(StepError::NotHalted(match scope {
                HaltScope::Estate => "the estate".to_owned(),
                HaltScope::Remediator(remediator) => format!("remediator `{remediator}`"),
            }));
        }
        Ok(Halt {
            scope,
            on,
            by,
            reason,
            at: now,
        })
    }
}

fn named(by: &str, reason: &str) -> Result<(String, String), StepError> {
    let (by, reason) = (by.trim(), reason.trim());
    if by.is_empty() || by.eq_ignore_ascii_case(AUTOMATION) {
        return Err(StepError::NoName);
    }
    if reason.is_empty() {
        return Err(StepError::NoReason);
    }
    Ok((by.to_owned(), reason.to_owned()))
}
