//! Tonight's order and budget.

use std::collections::BTreeMap;

use holdpoint_schemas::decision::{BoundKind, Cap};
use holdpoint_schemas::rollout::{Admission, Budget, Rollout};
use holdpoint_schemas::{Level, Timestamp};

use super::order::Waiting;
use super::state::RolloutState;
use super::tally::{Spent, Tally};
use super::window::night_of;

const ESTATE: &str = "estate";

/// How far a fix is let through tonight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Which of the fixes that were handed over, from 0.
    pub index: usize,
    /// What the budget withholds; empty where there is room.
    pub caps: Vec<Cap>,
    /// What is to be put on record before anything is done with it; `None` where it is only reported.
    pub admission: Option<Admission>,
}

/// Puts fixes in tonight's order, and lets them through as long as there is room: by the file's budgets, and by what is
/// on record of this night in `state`.
///
/// What finds no room for a merge may become a pull request, if there is room for one; what finds none, or no time, is
/// reported and comes again the next night. Nothing that is let through, together with what is on record of the night,
/// exceeds a budget. A fix that is on record of the night already, of a run that was killed for example, takes no room
/// again.
///
/// Each admission must be on record before its fix is merged or proposed. A run that validates some fixes and finds them
/// wanting may ask again with the rest: only what is on record is spent.
#[must_use]
pub fn admit(file: &Rollout, state: &RolloutState, waiting: &[Waiting], now: Timestamp) -> Vec<Admitted> {
    let mut order: Vec<(usize, &Waiting)> = waiting.iter().enumerate().collect();
    order.sort_by(|(a_index, a), (b_index, b)| a.before(b).then(a_index.cmp(b_index)));
    let night = night_of(&file.night, now);
    let mut books = Books::new(file);
    for admission in &state.admissions {
        // What is said to come from the future counts too: a clock that went back frees nothing.
        if night.is_none_or(|night| admission.at >= night.from) {
            books.add(admission);
        }
    }
    let admitted = order.into_iter().map(|(index, waiting)| {
        let mut caps = Vec::new();
        let mut level = waiting.level;
        if night.is_none() && books.any() {
            level = Level::Alert;
            caps.push(no_night());
        }
        if level == Level::AutoApply {
            let spent = books.find(waiting, Tally::full);
            level = if spent.is_empty() { level } else { Level::Suggest };
            caps.extend(spent.into_iter().map(|spent| cap(Level::AutoApply, spent)));
        }
        if level == Level::Suggest {
            let spent = books.find(waiting, Tally::no_suggestion);
            level = if spent.is_empty() { level } else { Level::Alert };
            caps.extend(spent.into_iter().map(|spent| cap(Level::Suggest, spent)));
        }
        if level > Level::Alert {
            let spent = books.find(waiting, Tally::no_time);
            level = if spent.is_empty() { level } else { Level::Alert };
            caps.extend(spent.into_iter().map(|spent| cap(Level::Suggest, spent)));
        }
        let admission = (level > Level::Alert).then(|| waiting.admitted(level, now));
        if let Some(admission) = &admission {
            books.add(admission);
        }
        Admitted { index, caps, admission }
    });
    admitted.collect()
}

impl Waiting {
    /// What is put on record of it once it is let through as far as `level`.
    #[must_use]
    pub fn admitted(&self, level: Level, at: Timestamp) -> Admission {
        Admission {
            lane: self.lane.clone(),
            fix: self.fix.clone(),
            level,
            services: self.services.clone(),
            teams: self.teams.clone().unwrap_or_default(),
            tier_zero: self.tier_zero.clone().unwrap_or_default(),
            minutes: self.minutes,
            at,
        }
    }
}

/// The budgets, and what was spent of them.
struct Books<'a> {
    file: &'a Rollout,
    estate: Tally,
    lanes: BTreeMap<String, Tally>,
}

impl<'a> Books<'a> {
    const fn new(file: &'a Rollout) -> Self {
        Self {
            file,
            estate: Tally::empty(),
            lanes: BTreeMap::new(),
        }
    }

    fn any(&self) -> bool {
        self.file.budget.is_some() || self.file.lanes.iter().any(|lane| lane.budget.is_some())
    }

    fn add(&mut self, admission: &Admission) {
        self.estate.add(admission);
        self.lanes.entry(admission.lane.clone()).or_default().add(admission);
    }

    /// What of the estate's and the lane's budget is spent.
    fn find(&self, waiting: &Waiting, check: fn(&Tally, &str, &Budget, &Waiting) -> Option<Spent>) -> Vec<Spent> {
        let estate = self
            .file
            .budget
            .as_ref()
            .and_then(|budget| check(&self.estate, ESTATE, budget, waiting));
        let empty = Tally::empty();
        let tally = self.lanes.get(&waiting.lane).unwrap_or(&empty);
        let lane = self.file.lane(&waiting.lane).and_then(|lane| lane.budget.as_ref());
        let lane = lane.and_then(|budget| check(tally, &waiting.lane, budget, waiting));
        estate.into_iter().chain(lane).collect()
    }
}

fn cap(withholds: Level, spent: Spent) -> Cap {
    Cap {
        withholds,
        kind: BoundKind::Budget,
        id: spent.id,
        reason: format!("no room in tonight's budget: {}", spent.reason),
        unlock: Some("the next night, or a larger budget in the estate's rollout file".to_owned()),
    }
}

fn no_night() -> Cap {
    Cap {
        withholds: Level::Suggest,
        kind: BoundKind::Budget,
        id: ESTATE.to_owned(),
        reason: "when the night begins can't be read, so no budget can be counted".to_owned(),
        unlock: Some("`night` in the estate's rollout file says `begins: HH:MM` and an IANA `zone`".to_owned()),
    }
}
