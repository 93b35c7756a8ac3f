//! Reading and hashing the whole log, on several connections at once; what was read is handed over in the order of its
//! places.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, available_parallelism};

use crate::entry::{Content, Row};
use crate::error::LedgerError;
use crate::head::Hash;
use crate::prune::{PRUNE, PruneRecord};
use crate::read::Rows;
use crate::store::{Access, Store};

/// Readers at most: the machine, and a database that others use, have more to do than this.
const MOST_READERS: usize = 4;

/// Places of a stretch at least. A shorter log is read before a second connection stands.
const SHORTEST: u64 = 1024;

/// Places of a stretch at most: some stretches are kept in memory, as hashes, until it is their turn.
const LONGEST: u64 = 1 << 16;

/// Stretches for each reader: enough that all readers end at about the same time, wherever the large bodies are.
const STRETCHES: u64 = 64;

/// Stretches that are read ahead of the one whose turn it is, for each reader.
const AHEAD: u64 = 2;

/// What is kept of an entry that was read: all but its body.
pub(super) struct Seen {
    /// Its place.
    pub(super) seq: u64,
    /// The leaf hash that its content has now, or why it has none.
    pub(super) leaf: Result<Hash, String>,
    /// Whether that is the one that is stored.
    pub(super) as_stored: bool,
    /// What it says of bodies that are gone.
    pub(super) pruning: Option<Pruning>,
}

/// What an entry says of bodies that are gone.
pub(super) enum Pruning {
    /// Its own is.
    Gone,
    /// It is a `prune` entry: it says which are, or can't be read.
    Said(Box<Result<PruneRecord, String>>),
}

impl Seen {
    fn of(seq: u64, row: Result<Row, String>) -> Self {
        let row = match row {
            Ok(row) => row,
            Err(problem) => {
                return Self {
                    seq,
                    leaf: Err(problem),
                    as_stored: true,
                    pruning: None,
                };
            }
        };
        let pruning = match &row.content {
            Content::Pruned(_) => Some(Pruning::Gone),
            Content::Body(text) if row.kind == PRUNE => {
                let record = serde_json::from_str(text).map_err(|error| error.to_string());
                Some(Pruning::Said(Box::new(record)))
            }
            Content::Body(_) => None,
        };
        let leaf = row.leaf_now();
        let as_stored = leaf.as_ref().is_ok_and(|leaf| *leaf == row.leaf);
        Self {
            seq,
            leaf,
            as_stored,
            pruning,
        }
    }
}

/// Reads and hashes every entry of a store whose read transaction has begun, and hands them over in order.
pub(super) fn each<'scope>(
    scope: &'scope Scope<'scope, '_>,
    store: &dyn Store,
    mut take: impl FnMut(Vec<Seen>) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let newest = store.newest_checkpoint()?;
    let stretches = Stretches::of(last_place(store, newest.as_ref().map_or(0, |(size, _)| *size))?);
    let mut readers = Vec::new();
    if stretches.count > 1 {
        for _ in 0..available_parallelism().map_or(2, usize::from).clamp(2, MOST_READERS) {
            // One that can't connect, or sees another state of the log since somebody wrote meanwhile, doesn't help.
            let Ok(other) = store.another() else { break };
            if other.begin(Access::Read).is_ok() && other.newest_checkpoint().is_ok_and(|other| other == newest) {
                readers.push(other);
            }
        }
    }
    if readers.is_empty() {
        let mut rows = Rows::after(0, None);
        while let Some(seen) = page(&mut rows, store)? {
            take(seen)?;
        }
        return Ok(());
    }

    let (give, work) = channel();
    let (tell, told) = channel();
    let work = Arc::new(Mutex::new(work));
    let mut given = (readers.len() as u64 * AHEAD).min(stretches.count);
    for number in 0..given {
        let _ = give.send(number);
    }
    for reader in readers {
        let (work, tell) = (Arc::clone(&work), tell.clone());
        scope.spawn(move || help(&*reader, stretches, &work, &tell));
    }
    drop(tell);
    let mut early: BTreeMap<u64, VecDeque<Option<Vec<Seen>>>> = BTreeMap::new();
    let mut turn = 0;
    while turn < stretches.count {
        let seen = match early.get_mut(&turn).and_then(VecDeque::pop_front) {
            Some(seen) => seen,
            None => {
                let (number, seen) = told.recv().map_err(|_| broke_off())?;
                let seen = seen?;
                if number != turn {
                    early.entry(number).or_default().push_back(seen);
                    continue;
                }
                seen
            }
        };
        let Some(seen) = seen else {
            early.remove(&turn);
            turn += 1;
            if given < stretches.count {
                let _ = give.send(given);
                given += 1;
            }
            // A database ends the transaction of a connection that is silent for long.
            store.checkpoint(0)?;
            continue;
        };
        take(seen)?;
    }
    Ok(())
}

/// What a thread that isn't there any more leaves.
pub(super) fn broke_off() -> LedgerError {
    LedgerError::Store {
        doing: "verifying",
        source: "a thread broke off".into(),
    }
}

/// The stretches that a log is read in. The last has no end: what an altered log has behind its last checkpoint is
/// read, too.
#[derive(Debug, Clone, Copy)]
struct Stretches {
    length: u64,
    count: u64,
}

impl Stretches {
    fn of(entries: u64) -> Self {
        let length = (entries / (STRETCHES * MOST_READERS as u64)).clamp(SHORTEST, LONGEST);
        Self {
            length,
            count: (entries / length).max(1),
        }
    }

    /// The place before the first of a stretch, and its last.
    fn places(self, number: u64) -> (u64, u64) {
        let after = number.saturating_mul(self.length);
        let last = number + 1 >= self.count;
        (after, if last { u64::MAX } else { after + self.length })
    }
}

/// The last place that has an entry, as far as a head claims: a forged head may claim more places than anybody can read.
fn last_place(store: &dyn Store, claimed: u64) -> Result<u64, LedgerError> {
    let goes_beyond = |place: u64| Ok::<_, LedgerError>(!store.rows(place, None, 1)?.is_empty());
    let (mut low, mut high) = (0, claimed);
    while low < high {
        let middle = low + (high - low) / 2;
        if goes_beyond(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// A page of a stretch, or its end.
type Told = (u64, Result<Option<Vec<Seen>>, LedgerError>);

/// Reads stretches until there are no more, or nobody wants them any more.
fn help(store: &dyn Store, stretches: Stretches, work: &Mutex<Receiver<u64>>, tell: &Sender<Told>) {
    let mut rows = Rows::after(0, None);
    loop {
        let number = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(number) = number else { break };
        rows.go_to(stretches.places(number));
        loop {
            let seen = page(&mut rows, store);
            let goes_on = matches!(seen, Ok(Some(_)));
            if tell.send((number, seen)).is_err() {
                return;
            }
            if !goes_on {
                break;
            }
        }
    }
    store.roll_back();
}

/// The next page, hashed; `None` at the end.
fn page(rows: &mut Rows<'_>, store: &dyn Store) -> Result<Option<Vec<Seen>>, LedgerError> {
    let page = rows.page(store)?;
    let seen: Vec<Seen> = page.into_iter().map(|(seq, row)| Seen::of(seq, row)).collect();
    Ok((!seen.is_empty()).then_some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However long a log says that it is: no place is left out or read twice.
        #[test]
        fn stretches_follow_each_other_from_the_first_place_to_the_last(
            entries in prop_oneof![0_u64..5_000_000, any::<u64>()]
        ) {
            let stretches = Stretches::of(entries);
            prop_assert_eq!(stretches.places(0).0, 0);
            prop_assert_eq!(stretches.places(stretches.count - 1).1, u64::MAX);
            for number in (0..stretches.count - 1).take(1_000) {
                let (after, until) = stretches.places(number);
                prop_assert!(after < until);
                prop_assert_eq!(stretches.places(number + 1).0, until);
            }
        }
    }

    #[test]
    fn a_short_log_is_one_stretch() {
        assert_eq!(Stretches::of(0).count, 1);
        assert_eq!(Stretches::of(SHORTEST).count, 1);
        assert_eq!(Stretches::of(2 * SHORTEST).count, 2);
    }
}
