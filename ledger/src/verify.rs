//! Checking the whole log.

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::entry::{Content, Row};
use crate::error::LedgerError;
use crate::head::{Hash, Head};
use crate::merkle::{self, Frontier};
use crate::prune::{PRUNE, Places, PruneRecord};
use crate::read::{Rows, growing};
use crate::store::{Checkpoint, Page, Store};

/// Problems listed at most: one broken page can produce millions.
const MAX_PROBLEMS: usize = 100;

/// Pages that are read ahead of what is hashed.
const PAGES_AHEAD: usize = 4;

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
    let mut problems = Problems::default();
    if !store.check(&mut |problem| problems.add(problem))? {
        let problems = problems.finish();
        return Ok((Verification::Tampered { problems }, Frontier::default()));
    }
    let (sender, receiver) = sync_channel(PAGES_AHEAD);
    // One thread reads while another hashes: they cost about the same.
    std::thread::scope(|scope| {
        let checker = scope.spawn(move || Checker::new(expected, problems).run(receiver));
        let read = feed(store, &sender);
        drop(sender);
        let checked = checker.join().map_err(|_| LedgerError::Store {
            doing: "verifying",
            source: "the checking thread broke off".into(),
        })?;
        read?;
        Ok(checked)
    })
}

/// What is handed to the checker: always the checkpoints up to the last row, then the rows.
enum Batch {
    Checkpoints(Page<Checkpoint>),
    Rows(Page<Row>),
}

fn feed(store: &dyn Store, sender: &SyncSender<Batch>) -> Result<(), LedgerError> {
    let send = |batch| {
        sender.send(batch).map_err(|_| LedgerError::Store {
            doing: "verifying",
            source: "the checking thread broke off".into(),
        })
    };
    let mut rows = Rows::after(0, None);
    let mut read = 0;
    let mut more = true;
    loop {
        let page = rows.page(store)?;
        let last = page.last().map_or(u64::MAX, |(seq, _)| *seq);
        while more && read < last {
            let checkpoints = store.checkpoints(read, CHECKPOINTS)?;
            growing(read, &checkpoints, "checkpoints")?;
            more = !checkpoints.is_empty();
            read = checkpoints.last().map_or(read, |(size, _)| *size);
            send(Batch::Checkpoints(checkpoints))?;
        }
        if page.is_empty() {
            return Ok(());
        }
        send(Batch::Rows(page))?;
    }
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
    fn new(expected: Option<&'a Head>, problems: Problems) -> Self {
        Self {
            problems,
            frontier: Frontier::default(),
            next: 1,
            checkpoints: Roots::default(),
            expected,
            gone: Places::default(),
            said: Places::default(),
        }
    }

    fn run(mut self, batches: Receiver<Batch>) -> (Verification, Frontier) {
        self.compare();
        for batch in batches {
            match batch {
                Batch::Checkpoints(page) => {
                    for (size, checkpoint) in page {
                        self.checkpoints.push(size, checkpoint, &mut self.problems);
                    }
                }
                Batch::Rows(page) => {
                    for (seq, row) in page {
                        self.row(seq, row);
                    }
                }
            }
        }
        self.finish()
    }

    fn row(&mut self, seq: u64, row: Result<Row, String>) {
        match seq {
            seq if seq <= self.next => {}
            seq if seq == self.next + 1 => self.problems.add(format!("entry {} is missing", self.next)),
            seq => (self.problems).add(format!("entries {} to {} are missing", self.next, seq - 1)),
        }
        self.next = seq.saturating_add(1);
        let leaf = row.and_then(|row| {
            self.pruning(&row);
            let leaf = row.leaf_now()?;
            if leaf != row.leaf {
                self.problems.add(format!("entry {seq} does not match its leaf hash"));
            }
            Ok(leaf)
        });
        let leaf = leaf.unwrap_or_else(|problem| {
            self.problems.add(problem);
            // Keeps the place, so that the entries behind it are judged by themselves.
            merkle::leaf_hash(&[])
        });
        self.frontier.push(leaf);
        self.compare();
    }

    fn pruning(&mut self, row: &Row) {
        match &row.content {
            Content::Pruned(_) => self.gone.add(row.seq),
            Content::Body(text) if row.kind == PRUNE => match serde_json::from_str::<PruneRecord>(text) {
                Ok(record) => self.said.extend(&record.places),
                Err(error) => (self.problems).add(format!("entry {} is no `{PRUNE}` entry: {error}", row.seq)),
            },
            Content::Body(_) => {}
        }
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
    first_wrong: Option<u64>,
    wrong: u64,
}

impl Roots {
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
