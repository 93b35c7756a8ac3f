//! What the ledger holds of lanes, and what of it counts.
//!
//! What lowers always counts: a halt, a hold, a demotion. What raises counts where it is proved: an order of a person
//! by a signature of theirs that was made for this ledger and is used once, a promotion by the outcomes before it.

use anyhow::Result;
use holdpoint_ledger::Entry;
use holdpoint_ledger::approval::{Approvers, verify};
use holdpoint_schemas::approval::SignedStatement;
use holdpoint_schemas::order::{Anchor, Order};
use holdpoint_schemas::outcome::{OutcomeKind, OutcomeRecord};
use holdpoint_schemas::rollout::{Admission, Hold, Record, StageCause};
use holdpoint_schemas::{Digest, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::pipeline::record::{ADMISSION, HALT, HOLD, MERGE, MergeRecord, OUTCOME, STAGE, parse};

/// Most entries that others may append between the signing of an order and its recording.
const MAX_BETWEEN: usize = 10_000;

/// What the ledger holds of lanes, in its order.
#[derive(Debug, Clone, Default)]
pub struct RolloutLog {
    /// How many entries the ledger has.
    count: u64,
    /// The chain over the leaves up to each of the last entries: what an order says it was made after.
    recent: VecDeque<Digest>,
    entries: Vec<Logged>,
    /// When each fix was merged, and as which commit.
    merges: BTreeMap<Digest, (String, Timestamp)>,
}

#[derive(Debug, Clone)]
enum Logged {
    Outcome(OutcomeRecord),
    Admission(Admission),
    Order { order: Box<Order>, is_of_here: bool },
}

/// The records that count, in order.
#[derive(Debug, Default)]
pub struct Counted {
    /// They.
    pub records: Vec<Record>,
    /// What doesn't count, and why, one line each.
    pub refused: Vec<String>,
}

impl RolloutLog {
    /// Takes up one entry of the ledger; to be called for every entry, in order.
    ///
    /// # Errors
    /// When it doesn't have the form of its kind.
    pub fn read(&mut self, entry: &Entry) -> Result<()> {
        let body = || entry.body.clone();
        match entry.kind.as_str() {
            OUTCOME => self.entries.push(Logged::Outcome(parse(OUTCOME, body())?)),
            ADMISSION => self.entries.push(Logged::Admission(parse(ADMISSION, body())?)),
            STAGE | HOLD | HALT => {
                let order: Box<Order> = parse(&entry.kind, body())?;
                let is_of_here = self.holds(&order);
                self.entries.push(Logged::Order { order, is_of_here });
            }
            MERGE => {
                let merge: MergeRecord = parse(MERGE, body())?;
                self.merges.entry(merge.fix).or_insert((merge.commit, entry.at));
            }
            _ => {}
        }
        let before = self.recent.back().map_or("", Digest::as_str);
        let chain = Digest::of_parts([before.as_bytes(), entry.leaf.to_string().as_bytes()]);
        self.recent.push_back(chain);
        if self.recent.len() > MAX_BETWEEN {
            self.recent.pop_front();
        }
        self.count += 1;
        Ok(())
    }

    /// Whether the entry that an order names stands before it, as it says.
    fn holds(&self, order: &Order) -> bool {
        let Some(after) = &order.statement.after else {
            return self.count == 0;
        };
        let back = self
            .count
            .checked_sub(after.entry)
            .and_then(|back| usize::try_from(back).ok());
        back.and_then(|back| self.recent.iter().rev().nth(back)) == Some(&after.chain)
    }

    /// Outcomes, oldest first.
    pub fn outcomes(&self) -> impl Iterator<Item = &OutcomeRecord> {
        self.entries.iter().filter_map(|entry| match entry {
            Logged::Outcome(outcome) => Some(outcome),
            _ => None,
        })
    }

    /// The last entry of the ledger, as an order names it.
    pub fn last(&self) -> Option<Anchor> {
        Some(Anchor {
            entry: self.count,
            chain: self.recent.back()?.clone(),
        })
    }

    /// How many entries halt or resume something, whether or not they count.
    pub fn halts(&self) -> usize {
        let is_halt = |entry: &&Logged| matches!(entry, Logged::Order { order, .. } if matches!(order.statement.record, Record::Halt(_)));
        self.entries.iter().filter(is_halt).count()
    }

    /// When a fix was merged.
    pub fn merged_at(&self, fix: &Digest) -> Option<Timestamp> {
        self.merges.get(fix).map(|(_, at)| *at)
    }

    /// The records that count at `now`. `approvers`: who may order, or why that isn't known.
    ///
    /// Promotions are left in: whether their evidence was there is the engine's to say.
    pub fn counted(&self, approvers: Result<&Approvers, &str>, now: Timestamp) -> Counted {
        let mut counted = Counted::default();
        let mut seen = BTreeSet::new();
        let mut ends: BTreeMap<String, Hold> = BTreeMap::new();
        for entry in &self.entries {
            match entry {
                Logged::Outcome(outcome) => match self.is_backed(outcome) {
                    true => counted.add(&mut ends, Record::Outcome(outcome.clone()), None),
                    false => counted.refused.push(format!(
                        "the merge of fix {} isn't on record, so that it counts for nothing",
                        outcome.fix.short()
                    )),
                },
                Logged::Admission(admission) => counted.add(&mut ends, Record::Admission(admission.clone()), None),
                Logged::Order { order, is_of_here } => {
                    let record = &order.statement.record;
                    let proof = if needs_a_person(record) {
                        prove(order, *is_of_here, &mut seen, approvers, now)
                    } else {
                        Ok(())
                    };
                    match proof {
                        Ok(()) => counted.add(&mut ends, record.clone(), order.statement.until),
                        Err(why) => counted.refused.push(format!("{} doesn't count: {why}", what(record))),
                    }
                }
            }
        }
        counted.let_go(&mut ends, now);
        counted
    }

    /// Whether a merge that counts for a lane is one that the ledger has.
    fn is_backed(&self, outcome: &OutcomeRecord) -> bool {
        outcome.kind != OutcomeKind::Merged
            || self
                .merges
                .get(&outcome.fix)
                .is_some_and(|(commit, _)| outcome.commit.as_ref() == Some(commit))
    }
}

impl Counted {
    /// Adds a record after the ends of holds that came before it.
    fn add(&mut self, ends: &mut BTreeMap<String, Hold>, record: Record, until: Option<Timestamp>) {
        self.let_go(ends, record.at());
        if let Record::Hold(hold) = &record {
            ends.remove(&hold.lane);
            if let (true, Some(until)) = (hold.on, until) {
                let end = Hold {
                    on: false,
                    at: until,
                    reason: "its time is over".to_owned(),
                    ..hold.clone()
                };
                ends.insert(hold.lane.clone(), end);
            }
        }
        self.records.push(record);
    }

    /// Ends the holds whose time is over at `now`.
    fn let_go(&mut self, ends: &mut BTreeMap<String, Hold>, now: Timestamp) {
        let over: Vec<String> = ends
            .iter()
            .filter(|(_, end)| end.at <= now)
            .map(|(lane, _)| lane.clone())
            .collect();
        for lane in over {
            self.records.extend(ends.remove(&lane).map(Record::Hold));
        }
    }
}

/// Whether a record raises something that only a person may raise.
fn needs_a_person(record: &Record) -> bool {
    match record {
        Record::Stage(change) => change.to > change.from && change.cause != StageCause::Promoted,
        Record::Hold(hold) => !hold.on,
        Record::Halt(halt) => !halt.on,
        Record::Outcome(_) | Record::Admission(_) => false,
    }
}

/// Whether an order is signed by whom it names, was made for this ledger, and is used for the first time.
fn prove(
    order: &Order,
    is_of_here: bool,
    seen: &mut BTreeSet<Digest>,
    approvers: Result<&Approvers, &str>,
    now: Timestamp,
) -> Result<(), String> {
    if !is_of_here {
        return Err("it was made for another ledger".to_owned());
    }
    verified(order, approvers?, now)?;
    // Only what was signed is used up: a copy without a signature spoils nothing.
    let digest = Digest::of_json(&order.statement).map_err(|error| error.to_string())?;
    if !seen.insert(digest) {
        return Err("it was used before".to_owned());
    }
    Ok(())
}

/// Whether an order is signed by whom it names, as one of the approvers.
///
/// # Errors
/// Why it isn't, for people.
pub fn verified(order: &Order, approvers: &Approvers, now: Timestamp) -> Result<(), String> {
    let statement = &order.statement;
    let Some(signature) = &order.signature else {
        return Err("nobody signed it".to_owned());
    };
    if matches!(statement.record, Record::Outcome(_) | Record::Admission(_)) {
        return Err("that can't be ordered".to_owned());
    }
    let signed = SignedStatement {
        statement: statement.clone(),
        signature: signature.clone(),
    };
    verify(&signed, approvers, now)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// A record, for people.
fn what(record: &Record) -> String {
    match record {
        Record::Stage(change) => format!(
            "the advance of lane `{}` to {} by {}",
            change.lane, change.to, change.by
        ),
        Record::Hold(hold) => format!("letting go of lane `{}` by {}", hold.lane, hold.by),
        Record::Halt(halt) => format!("the resumption by {} of {}", halt.by, halt.at),
        Record::Outcome(outcome) => format!("the outcome of fix {}", outcome.fix.short()),
        Record::Admission(admission) => format!("the admission of fix {}", admission.fix.short()),
    }
}
