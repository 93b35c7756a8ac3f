//! Checking the whole log.

use rusqlite::Connection;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::entry::{MAX_BODY_BYTES, Row};
use crate::error::LedgerError;
use crate::head::Head;
use crate::log::{SELECT_ROWS, read_row};
use crate::merkle::Tree;
use crate::store::OBJECTS;

/// Problems listed at most: one broken page can produce millions.
const MAX_PROBLEMS: usize = 100;

/// What checking the log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verification {
    /// Every entry is what was appended, as far as the file and the expected head can tell.
    Intact {
        /// The head now: publish it, and it can be verified against later.
        head: Head,
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

/// Checks objects, entries, checkpoints and the expected head, in one snapshot of the file.
pub(crate) fn verify(connection: &Connection, expected: Option<&Head>) -> Result<Verification, LedgerError> {
    let doing = "verifying";
    let snapshot = connection.unchecked_transaction().map_err(LedgerError::sqlite(doing))?;
    let mut problems = Problems::default();
    check_pages(&snapshot, &mut problems)?;
    let readable = check_objects(&snapshot, &mut problems)?;
    if !readable {
        return Ok(Verification::Tampered {
            problems: problems.finish(),
        });
    }
    let head = check_entries(&snapshot, expected, &mut problems)?;
    let problems = problems.finish();
    Ok(if problems.is_empty() {
        Verification::Intact { head }
    } else {
        Verification::Tampered { problems }
    })
}

/// SQLite's own check of its pages.
fn check_pages(connection: &Connection, problems: &mut Problems) -> Result<(), LedgerError> {
    connection
        .pragma_query(None, "integrity_check", |row| {
            let line: String = row.get(0)?;
            if line != "ok" {
                problems.add(format!("SQLite reports: {}", line.escape_debug()));
            }
            Ok(())
        })
        .map_err(LedgerError::sqlite("checking the pages of the file"))
}

/// Tables and fences must be exactly those that we made. Says whether the tables can be read.
fn check_objects(connection: &Connection, problems: &mut Problems) -> Result<bool, LedgerError> {
    let doing = "reading the tables";
    let mut statement = connection
        .prepare("SELECT name, coalesce(sql, '') FROM sqlite_master")
        .map_err(LedgerError::sqlite(doing))?;
    let found = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .map_err(LedgerError::sqlite(doing))?
        .collect::<Result<BTreeMap<_, _>, _>>()
        .map_err(LedgerError::sqlite(doing))?;
    for (name, sql) in OBJECTS {
        match found.get(name) {
            None => problems.add(format!("the table or trigger `{name}` is gone")),
            Some(other) if other != sql => problems.add(format!("the table or trigger `{name}` was changed")),
            Some(_) => {}
        }
    }
    for name in found.keys() {
        if !OBJECTS.iter().any(|(known, _)| known == name) {
            problems.add(format!("`{}` was added to the database", name.escape_debug()));
        }
    }
    let same = |(name, sql): &(&str, &str)| found.get(*name).is_some_and(|found| found == sql);
    Ok(OBJECTS
        .iter()
        .filter(|(_, sql)| sql.starts_with("CREATE TABLE"))
        .all(same))
}

/// Replays the log and compares every stored leaf and root, and the expected head.
fn check_entries(
    connection: &Connection,
    expected: Option<&Head>,
    problems: &mut Problems,
) -> Result<Head, LedgerError> {
    let doing = "reading entries";
    let mut checkpoints = Checkpoints::read(connection, problems)?;
    let mut tree = Tree::default();
    let mut prefix_root = Prefix::new(expected);
    prefix_root.compare(&tree.head(), problems);
    let mut statement = connection
        .prepare(&format!("{SELECT_ROWS} ORDER BY seq"))
        .map_err(LedgerError::sqlite(doing))?;
    let mut rows = statement
        .query([MAX_BODY_BYTES as u64])
        .map_err(LedgerError::sqlite(doing))?;
    let mut next = 1;
    while let Some(row) = rows.next().map_err(LedgerError::sqlite(doing))? {
        let row = match read_row(row) {
            Ok(row) => row,
            Err(problem) => {
                problems.add(problem);
                continue;
            }
        };
        match row.seq {
            seq if seq == next => {}
            seq if seq == next + 1 => problems.add(format!("entry {next} is missing")),
            seq if seq > next => problems.add(format!("entries {next} to {} are missing", seq - 1)),
            seq => problems.add(format!("there is an entry at place {seq}")),
        }
        next = next.max(row.seq.saturating_add(1));
        push_checked(&mut tree, row, problems);
        checkpoints.compare(&tree.head(), problems);
        prefix_root.compare(&tree.head(), problems);
    }
    let head = tree.head();
    checkpoints.finish(&head, problems);
    prefix_root.finish(&head, problems);
    Ok(head)
}

/// Hashes what the entry says now, and holds it against the stored leaf.
fn push_checked(tree: &mut Tree, row: Row, problems: &mut Problems) {
    match row.recompute() {
        Ok((entry, bytes)) => {
            if entry.leaf.to_string() != row.leaf {
                problems.add(format!("entry {} does not match its leaf hash", row.seq));
            }
            tree.push(bytes);
        }
        Err(problem) => {
            problems.add(problem);
            // Keeps the place, so that the entries behind it are judged by themselves.
            tree.push(row.body.into_bytes());
        }
    }
}

/// The stored roots: `checkpoint[n]` is the root after entry `n`.
struct Checkpoints {
    roots: BTreeMap<u64, String>,
    first_wrong: Option<u64>,
    wrong: u64,
}

impl Checkpoints {
    fn read(connection: &Connection, problems: &mut Problems) -> Result<Self, LedgerError> {
        let doing = "reading checkpoints";
        let mut statement = connection
            .prepare("SELECT size, root FROM checkpoint ORDER BY size")
            .map_err(LedgerError::sqlite(doing))?;
        let mut rows = statement.query([]).map_err(LedgerError::sqlite(doing))?;
        let mut roots = BTreeMap::new();
        while let Some(row) = rows.next().map_err(LedgerError::sqlite(doing))? {
            match (row.get::<_, u64>(0), row.get::<_, String>(1)) {
                (Ok(size), Ok(root)) => {
                    roots.insert(size, root);
                }
                _ => problems.add("a checkpoint can't be read".to_owned()),
            }
        }
        Ok(Self {
            roots,
            first_wrong: None,
            wrong: 0,
        })
    }

    /// Once one root is wrong all later ones are: the first is told, the rest are counted.
    fn compare(&mut self, head: &Head, problems: &mut Problems) {
        match self.roots.remove(&head.size) {
            None => problems.add(format!("checkpoint {} is missing", head.size)),
            Some(root) if root == head.root.to_string() => {}
            Some(_) => {
                self.first_wrong.get_or_insert(head.size);
                self.wrong += 1;
            }
        }
    }

    fn finish(self, head: &Head, problems: &mut Problems) {
        if let Some(first) = self.first_wrong {
            problems.add(format!(
                "the entries do not have the root of checkpoint {first} ({} checkpoints do not match)",
                self.wrong
            ));
        }
        if let (Some((first, _)), Some((last, _))) = (self.roots.first_key_value(), self.roots.last_key_value()) {
            problems.add(format!(
                "there are {} entries, but checkpoints {first} to {last} show that there were more",
                head.size
            ));
        }
    }
}

/// The head that somebody kept outside.
struct Prefix<'a> {
    expected: Option<&'a Head>,
    met: bool,
}

impl<'a> Prefix<'a> {
    fn new(expected: Option<&'a Head>) -> Self {
        Self { expected, met: false }
    }

    fn compare(&mut self, head: &Head, problems: &mut Problems) {
        let Some(expected) = self.expected.filter(|e| e.size == head.size) else {
            return;
        };
        self.met = true;
        if expected.root != head.root {
            problems.add(format!(
                "the log is not consistent with the expected head: its first {} entries have the root {}, expected {}",
                head.size, head.root, expected.root
            ));
        }
    }

    fn finish(self, head: &Head, problems: &mut Problems) {
        if let Some(expected) = self.expected.filter(|_| !self.met) {
            problems.add(format!(
                "the log is cut off: it has {} entries, and the expected head stands for {}",
                head.size, expected.size
            ));
        }
    }
}

#[cfg(test)]
mod tests;
