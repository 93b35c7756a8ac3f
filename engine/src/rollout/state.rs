//! Where each lane stands: a fold of what is on record.

use std::collections::BTreeMap;

use holdpoint_schemas::rollout::{
    Admission, Halt, HaltScope, Hold, Lane, LaneState, Record, Rollout, StageCause, StageChange,
};
use holdpoint_schemas::{Digest, Level, Timestamp};

use super::track::{Mark, TrackRecord};
use super::{AUTOMATION, FILE, breaker, days_after, evaluate};

/// What is on record of one lane.
#[derive(Debug, Clone)]
pub(super) struct LaneBook {
    pub(super) stage: Level,
    pub(super) since: Option<Timestamp>,
    pub(super) by: String,
    /// Number of the record that brought it to its stage: what came before doesn't count.
    pub(super) changed: Option<usize>,
    pub(super) demotions: u32,
    pub(super) blocked_until: Option<Timestamp>,
    pub(super) held: Option<Hold>,
    /// A revert or an incident that no stage change has answered yet.
    pub(super) broken: Option<Broken>,
}

/// Why a lane falls.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    pub(super) at: Timestamp,
    pub(super) reason: String,
}

impl LaneBook {
    fn new(lane: &Lane) -> Self {
        Self {
            stage: lane.stage.min(lane.ceiling()),
            since: None,
            by: FILE.to_owned(),
            changed: None,
            demotions: 0,
            blocked_until: None,
            held: None,
            broken: None,
        }
    }

    fn change(&mut self, lane: &Lane, number: usize, change: StageChange) {
        let to = change.to.min(lane.ceiling());
        let earned = change.slice.is_some() && change.slice == lane.slice();
        // What two runs recorded at once happened once.
        if to == self.stage {
            return;
        }
        if to > self.stage {
            // What was earned with other findings isn't earned with these, and a promotion is one step.
            let one_step = self.stage.next().unwrap_or(self.stage);
            match change.cause {
                StageCause::Advanced if earned => self.stage = to,
                StageCause::Promoted if earned => self.stage = to.min(one_step),
                _ => return,
            }
        } else {
            self.stage = to;
        }
        if change.cause == StageCause::Demoted {
            self.demotions = self.demotions.saturating_add(1);
            let until = days_after(change.at, lane.demotion.hold_days);
            self.blocked_until = self.blocked_until.max(Some(until));
        }
        self.since = Some(change.at);
        self.by = change.by;
        self.changed = Some(number);
        self.broken = None;
    }

    /// Takes over the fall of a lane of another name that took the same findings.
    fn inherit(&mut self, lane: &Lane, number: usize, change: &StageChange) {
        if change.to < self.stage {
            self.stage = change.to;
            self.since = Some(change.at);
            self.by.clone_from(&change.by);
        }
        self.demotions = self.demotions.saturating_add(1);
        let until = days_after(change.at, lane.demotion.hold_days);
        self.blocked_until = self.blocked_until.max(Some(until));
        self.changed = Some(number);
        self.broken = None;
    }

    /// A hold comes from whom it names; what lets a lane of another name go, lets go what came from there.
    fn hold(&mut self, hold: &Hold, is_named: bool) {
        let is_own = is_named || self.held.as_ref().is_some_and(|held| held.lane == hold.lane);
        match hold.on {
            true => self.held = Some(hold.clone()),
            false if is_own => self.held = None,
            false => {}
        }
    }

    fn breaks(&mut self, at: Timestamp, reason: &str) {
        let first = self.broken.take();
        // Several at once are answered by one step; the time after it runs from the last.
        self.broken = Some(match first {
            Some(first) => Broken {
                at: first.at.max(at),
                reason: first.reason,
            },
            None => Broken {
                at,
                reason: reason.to_owned(),
            },
        });
    }
}

/// Lanes of the file that take the findings that a lane of another name took: a demotion isn't lost by renaming.
fn heirs<'f>(file: &'f Rollout, slice: Option<&'f Digest>) -> impl Iterator<Item = &'f Lane> {
    let same = move |lane: &&Lane| slice.is_some() && lane.slice().as_ref() == slice;
    file.lanes.iter().filter(same)
}

/// Where each lane stands, what is halted, and what tonight's budget was spent on.
#[derive(Debug, Clone)]
pub struct RolloutState {
    pub(super) books: BTreeMap<String, LaneBook>,
    pub(super) track: TrackRecord,
    /// What people said last of each scope, with the number of that record.
    pub(super) halts: BTreeMap<HaltScope, (usize, Halt)>,
    /// What is halted, by a person or a breaker.
    pub(super) halted: BTreeMap<HaltScope, Halt>,
    pub(super) admissions: Vec<Admission>,
    /// Stages of lanes that the file has no more, by name.
    gone: BTreeMap<String, Level>,
    lanes: BTreeMap<String, LaneState>,
}

impl RolloutState {
    /// Where each lane stands at `now`, by the file and the records in their order.
    ///
    /// A revert or an incident that no record answers yet lowers its lane here already, so that a run that learns of it
    /// acts on it. A promotion holds only once it is on record.
    #[must_use]
    pub fn fold(file: &Rollout, records: impl IntoIterator<Item = Record>, now: Timestamp) -> Self {
        let books = file.lanes.iter().map(|lane| (lane.name.clone(), LaneBook::new(lane)));
        let mut state = Self {
            books: books.collect(),
            track: TrackRecord::default(),
            halts: BTreeMap::new(),
            halted: BTreeMap::new(),
            admissions: Vec::new(),
            gone: BTreeMap::new(),
            lanes: BTreeMap::new(),
        };
        for (number, record) in records.into_iter().enumerate() {
            state.add(file, number, record);
        }
        state.halted = breaker::halted(&file.breakers, &state.track.failures, &state.halts);
        for lane in &file.lanes {
            if let Some(book) = state.books.get(&lane.name) {
                let standing = evaluate::standing(&state, lane, book, now);
                state.lanes.insert(lane.name.clone(), standing.state);
            }
        }
        state
    }

    fn add(&mut self, file: &Rollout, number: usize, record: Record) {
        match record {
            Record::Outcome(outcome) => {
                let at = outcome.at;
                let reason = format!("fix {} {}", outcome.fix.short(), evaluate::what_broke(&outcome));
                let slice = outcome.slice.clone();
                for name in self.track.add(Mark { number, at }, outcome) {
                    let named = file.lane(&name);
                    let heirs = heirs(file, slice.as_ref().filter(|_| named.is_none()));
                    for lane in named.into_iter().chain(heirs) {
                        if let Some(book) = self.books.get_mut(&lane.name) {
                            book.breaks(at, &reason);
                        }
                    }
                }
            }
            Record::Stage(change) => match file.lane(&change.lane) {
                Some(lane) => {
                    if let Some(book) = self.books.get_mut(&lane.name) {
                        book.change(lane, number, change);
                    }
                }
                None => {
                    let before = self.gone.insert(change.lane.clone(), change.to);
                    let falls = change.cause == StageCause::Demoted && before != Some(change.to);
                    for lane in heirs(file, change.slice.as_ref().filter(|_| falls)) {
                        if let Some(book) = self.books.get_mut(&lane.name) {
                            book.inherit(lane, number, &change);
                        }
                    }
                }
            },
            Record::Hold(hold) => {
                let named = file.lane(&hold.lane);
                let heirs = heirs(file, hold.slice.as_ref().filter(|_| named.is_none()));
                for lane in named.into_iter().chain(heirs) {
                    if let Some(book) = self.books.get_mut(&lane.name) {
                        book.hold(&hold, lane.name == hold.lane);
                    }
                }
            }
            Record::Halt(halt) => {
                // Automation halts itself, and never resumes itself.
                if halt.on || halt.by != AUTOMATION {
                    self.halts.insert(halt.scope.clone(), (number, halt));
                }
            }
            Record::Admission(admission) => self.admissions.push(admission),
        }
    }

    /// The rollout that decisions are made with: each lane at the stage that it has now.
    #[must_use]
    pub fn effective(&self, file: &Rollout) -> Rollout {
        let mut effective = file.clone();
        for lane in &mut effective.lanes {
            lane.stage = self.lane(&lane.name).map_or(Level::Alert, |state| state.stage);
        }
        effective
    }

    /// Where a lane stands; `None` if the file has none of that name.
    #[must_use]
    pub fn lane(&self, name: &str) -> Option<&LaneState> {
        self.lanes.get(name)
    }

    /// Where every lane stands, by name.
    pub fn lanes(&self) -> impl Iterator<Item = &LaneState> {
        self.lanes.values()
    }

    /// What is halted, and why.
    pub fn halted(&self) -> impl Iterator<Item = &Halt> {
        self.halted.values()
    }

    /// Circuit breakers that have tripped and aren't on record yet.
    #[must_use]
    pub fn halts_due(&self) -> Vec<Halt> {
        let on_record = |scope: &HaltScope| self.halts.get(scope).is_some_and(|(_, halt)| halt.on);
        let due = self.halted.iter().filter(|(scope, _)| !on_record(scope));
        due.map(|(_, halt)| halt.clone()).collect()
    }

    /// Promotions and demotions that are due at `now`, by lane: the run records them before it decides.
    #[must_use]
    pub fn changes_due(&self, file: &Rollout, now: Timestamp) -> Vec<StageChange> {
        let standing = |lane: &Lane| {
            let book = self.books.get(&lane.name)?;
            evaluate::standing(self, lane, book, now).due
        };
        file.lanes.iter().filter_map(standing).collect()
    }
}
