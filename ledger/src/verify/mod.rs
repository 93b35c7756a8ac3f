//! Checking the whole log.

mod read;

use serde::Serialize;
use std::collections::VecDeque;
use std::thread;

use crate::error::LedgerError;
use crate::head::{Hash, Head};
use crate::merkle::{self, Frontier};
use crate::prune::{PRUNE, Places};
use crate::read::growing;
use crate::store::{Checkpoint, Store};
use read::{Pruning, Seen};

/// Problems listed at most: one broken page can produce millions.
const MAX_PROBLEMS: usize = 100;

/// Checkpoints read at once.
const CHECKPOINTS: usize = 4096;

/// What checking the log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verification {
    /// Every entry is what was appended, as far as the store and the expected head can tell.
    Intact {
        /// The head now: publish it, and it can be verified against later.
        head: Head,
        /// Entries whose bodies were pruned: what they said is known by its digest only, that and when they were
        /// appended is proved as before.
        pruned: u64,
    },
    /// Something was changed, dropped, reordered or rewritten.
    Tampered {
        /// What, one line each; bounded.
        problems: Vec<String>,
    },
}

/// A bounded list of problems.
#[derive(Default)]
struct Problems {
    shown: Vec<String>,
    more: usize,
}

impl Problems {
    fn add(&mut self, problem: String) {
        if self.shown.len() < MAX_PROBLEMS {
            self.shown.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Puts others before these.
    fn put_first(&mut self, problems: Vec<String>) {
        let later = std::mem::take(self);
        problems
            .into_iter()
            .chain(later.shown)
            .for_each(|problem| self.add(problem));
        self.more += later.more;
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.shown.push(format!("and {} more", self.more));
        }
        self.shown
    }
}

/// Checks the store's own means, entries, checkpoints and the expected head, in one snapshot. Also says the right
/// edge of the tree over what was read.
pub(crate) fn verify(store: &dyn Store, expected: Option<&Head>) -> Result<(Verification, Frontier), LedgerError> {
    thread::scope(|scope| {
        // Beside everything else: it takes about as long, and needs none of it.
        let pages = store.page_check().map(|check| scope.spawn(check));
        let mut checker = Checker::new(expected);
        let readable = store.check(&mut |problem| checker.problems.add(problem))?;
        if readable {
            checker.compare();
            read::each(scope, store, |seen| checker.take(store, seen))?;
            checker.checkpoints.read_to(u64::MAX, store, &mut checker.problems)?;
        }
        if let Some(pages) = pages {
            let found = pages.join().map_err(|_| read::broke_off())??;
            checker.problems.put_first(found);
        }
        Ok(if readable {
            checker.finish()
        } else {
            let problems = checker.problems.finish();
            (Verification::Tampered { problems }, Frontier::default())
        })
    })
}

/// The leaf hash of every entry, in order. Each is checked.
pub(crate) fn leaves(store: &dyn Store) -> Result<Vec<Hash>, LedgerError> {
    let mut leaves = Vec::new();
    thread::scope(|scope| {
        read::each(scope, store, |seen| {
            for seen in seen {
                let next = leaves.len() as u64 + 1;
                let leaf = seen.leaf.map_err(LedgerError::altered)?;
                if !seen.as_stored {
                    return Err(LedgerError::altered(mismatch(seen.seq)));
                }
                if seen.seq != next {
                    return Err(LedgerError::altered(format!("entry {next} is missing")));
                }
                leaves.push(leaf);
            }
            Ok(())
        })
    })?;
    Ok(leaves)
}

fn mismatch(seq: u64) -> String {
    format!("entry {seq} does not match its leaf hash")
}

/// Replays the log and compares every stored leaf and root, and the expected head.
struct Checker<'a> {
    problems: Problems,
    frontier: Frontier,
    /// Place of the next entry.
    next: u64,
    checkpoints: Roots,
    expected: Option<&'a Head>,
    /// Bodies that are gone, and those that a `prune` entry says are.
    gone: Places,
    said: Places,
}

impl<'a> Checker<'a> {
    fn new(expected: Option<&'a Head>) -> Self {
        Self {
            problems: Problems::default(),
            frontier: Frontier::default(),
            next: 1,
            checkpoints: Roots::default(),
            expected,
            gone: Places::default(),
            said: Places::default(),
        }
    }

    fn take(&mut self, store: &dyn Store, seen: Vec<Seen>) -> Result<(), LedgerError> {
        if let Some(last) = seen.last() {
            self.checkpoints.read_to(last.seq, store, &mut self.problems)?;
        }
        for seen in seen {
            self.entry(seen);
        }
        Ok(())
    }

    fn entry(&mut self, seen: Seen) {
        let seq = seen.seq;
        match seq {
            seq if seq <= self.next => {}
            seq if seq == self.next + 1 => self.problems.add(format!("entry {} is missing", self.next)),
            seq => (self.problems).add(format!("entries {} to {} are missing", self.next, seq - 1)),
        }
        self.next = seq.saturating_add(1);
        match seen.pruning {
            Some(Pruning::Gone) => self.gone.add(seq),
            Some(Pruning::Said(said)) => match *said {
                Ok(record) => self.said.extend(&record.places),
                Err(error) => (self.problems).add(format!("entry {seq} is no `{PRUNE}` entry: {error}")),
            },
            None => {}
        }
        if seen.leaf.is_ok() && !seen.as_stored {
            self.problems.add(mismatch(seq));
        }
        let leaf = seen.leaf.unwrap_or_else(|problem| {
            self.problems.add(problem);
            // Keeps the place, so that the entries behind it are judged by themselves.
            merkle::leaf_hash(&[])
        });
        self.frontier.push(leaf);
        self.compare();
    }

    /// Holds the stored root and the expected one against that of the entries so far, where there is one.
    fn compare(&mut self) {
        let size = self.frontier.size();
        if self.checkpoints.next_is(size) {
            self.checkpoints.compare(self.frontier.head().root);
        }
        if let Some(expected) = self.expected.filter(|expected| expected.size == size) {
            let root = self.frontier.head().root;
            if expected.root != root {
                self.problems.add(format!(
                    "the log is not consistent with the expected head: its first {size} entries have the root {root}, \
                     expected {}",
                    expected.root
                ));
            }
        }
    }

    fn finish(mut self) -> (Verification, Frontier) {
        let head = self.frontier.head();
        self.checkpoints.finish(head.size, &mut self.problems);
        if let Some(expected) = self.expected.filter(|expected| expected.size > head.size) {
            self.problems.add(format!(
                "the log is cut off: it has {} entries, and the expected head stands for {}",
                head.size, expected.size
            ));
        }
        for (first, last) in self.gone.without(&self.said) {
            self.problems.add(if first == last {
                format!("the body of entry {first} is gone, and no `{PRUNE}` entry says so")
            } else {
                format!("the bodies of entries {first} to {last} are gone, and no `{PRUNE}` entry says so")
            });
        }
        let problems = self.problems.finish();
        let verification = if problems.is_empty() {
            Verification::Intact {
                head,
                pruned: self.gone.count(),
            }
        } else {
            Verification::Tampered { problems }
        };
        (verification, self.frontier)
    }
}

/// The stored roots, read ahead of the entries.
#[derive(Default)]
struct Roots {
    ahead: VecDeque<Checkpoint>,
    /// Size of the newest that was read.
    last: u64,
    /// Whether that is the last there is.
    ended: bool,
    first_wrong: Option<u64>,
    wrong: u64,
}

impl Roots {
    /// Reads on until one stands for at least so many entries.
    fn read_to(&mut self, entries: u64, store: &dyn Store, problems: &mut Problems) -> Result<(), LedgerError> {
        while !self.ended && self.last < entries {
            let page = store.checkpoints(self.last, CHECKPOINTS)?;
            growing(self.last, &page, "checkpoints")?;
            self.ended = page.is_empty();
            for (size, checkpoint) in page {
                self.push(size, checkpoint, problems);
            }
        }
        Ok(())
    }

    fn push(&mut self, size: u64, checkpoint: Result<Checkpoint, String>, problems: &mut Problems) {
        match checkpoint {
            Ok(checkpoint) => {
                if checkpoint.previous > self.last {
                    problems.add(format!("checkpoint {} is missing", checkpoint.previous));
                } else if checkpoint.previous < self.last {
                    problems.add(format!("checkpoint {size} does not follow the one before it"));
                }
                self.ahead.push_back(checkpoint);
            }
            Err(problem) => problems.add(problem),
        }
        self.last = size;
    }

    fn next_is(&self, size: u64) -> bool {
        self.ahead.front().is_some_and(|next| next.size == size)
    }

    /// Once one root is wrong all later ones are: the first is told, the rest are counted.
    fn compare(&mut self, root: Hash) {
        if let Some(checkpoint) = self.ahead.pop_front()
            && checkpoint.root != Some(root)
        {
            self.first_wrong.get_or_insert(checkpoint.size);
            self.wrong += 1;
        }
    }

    fn finish(self, size: u64, problems: &mut Problems) {
        if let Some(first) = self.first_wrong {
            problems.add(format!(
                "the entries do not have the root of checkpoint {first} ({} checkpoints do not match)",
                self.wrong
            ));
        }
        if let (Some(first), Some(last)) = (self.ahead.front(), self.ahead.back()) {
            problems.add(format!(
                "there are {size} entries, but checkpoints {} to {} show that there were more",
                first.size, last.size
            ));
        } else if self.last != size {
            problems.add(format!("checkpoint {size} is missing"));
        }
    }
}
