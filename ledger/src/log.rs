//! Appending and reading.

use holdpoint_schemas::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::Serialize;
use std::path::Path;

use crate::entry::{Draft, Entry, MAX_BODY_BYTES, Row};
use crate::error::LedgerError;
use crate::head::Head;
use crate::merkle::{self, Tree};
use crate::store;
use crate::verify::{self, Verification};

/// An open ledger. Several processes may have the same file open; writers take turns.
pub struct Ledger {
    connection: Connection,
    /// Tree over the entries that this process has read or written so far.
    tree: Tree,
}

/// Rows in order, with what is absurdly large left out (read as an altered row).
pub(crate) const SELECT_ROWS: &str =
    "SELECT seq, kind, at, CASE WHEN octet_length(body) <= ?1 THEN body END, leaf FROM entry";

impl Ledger {
    /// Opens the ledger at `path`; makes it when there is none.
    ///
    /// # Errors
    /// When the file can't be opened or made, isn't a ledger, or is of a later format.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::over(store::open(path, true)?)
    }

    /// Opens a ledger that must exist: for everything that only reads, so that a mistyped path is
    /// an error and not an empty ledger that verifies.
    ///
    /// # Errors
    /// As [`Ledger::open`], and when there is no such file or it is empty.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        Self::over(store::open(path, false)?)
    }

    fn over(connection: Connection) -> Result<Self, LedgerError> {
        Ok(Self {
            connection,
            tree: Tree::default(),
        })
    }

    /// Appends one entry. It is on disk when this returns.
    ///
    /// # Errors
    /// When the body can't be stored, the log was altered since it was written, or SQLite fails.
    pub fn append<T: Serialize>(&mut self, kind: &str, at: Timestamp, body: &T) -> Result<Entry, LedgerError> {
        let draft = Draft::new(kind, at, body)?;
        let mut entries = self.append_drafts(vec![draft])?;
        entries.pop().ok_or_else(|| LedgerError::Altered {
            problem: "the appended entry is not there".to_owned(),
        })
    }

    /// Appends several entries, all or none, in the order given.
    ///
    /// # Errors
    /// As [`Ledger::append`]; then nothing was appended.
    pub fn append_all<'a, T: Serialize + 'a>(
        &mut self,
        items: impl IntoIterator<Item = (&'a str, Timestamp, &'a T)>,
    ) -> Result<Vec<Entry>, LedgerError> {
        let drafts = items
            .into_iter()
            .map(|(kind, at, body)| Draft::new(kind, at, body))
            .collect::<Result<_, _>>()?;
        self.append_drafts(drafts)
    }

    fn append_drafts(&mut self, drafts: Vec<Draft>) -> Result<Vec<Entry>, LedgerError> {
        let appended = write(&mut self.connection, &mut self.tree, drafts);
        if appended.is_err() {
            // The tree may hold leaves that were rolled back: read it again next time.
            self.tree = Tree::default();
        }
        appended
    }

    /// All entries, or those of one kind, in order. Each is checked against its leaf hash.
    ///
    /// # Errors
    /// When an entry doesn't match its leaf, or SQLite fails.
    pub fn entries(&self, kind: Option<&str>) -> Result<Vec<Entry>, LedgerError> {
        let doing = "reading entries";
        let sql = format!("{SELECT_ROWS} WHERE ?2 IS NULL OR kind = ?2 ORDER BY seq");
        let mut statement = self.connection.prepare(&sql).map_err(LedgerError::sqlite(doing))?;
        let mut rows = statement
            .query(params![MAX_BODY_BYTES as u64, kind])
            .map_err(LedgerError::sqlite(doing))?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().map_err(LedgerError::sqlite(doing))? {
            let (entry, _) = read_row(row).and_then(Row::check).map_err(altered)?;
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The head of the log, computed from its content, not read from where it is stored.
    ///
    /// # Errors
    /// When the log was altered, or SQLite fails.
    pub fn head(&mut self) -> Result<Head, LedgerError> {
        let transaction = self
            .connection
            .transaction()
            .map_err(LedgerError::sqlite("reading the head"))?;
        let caught_up = catch_up(&transaction, &mut self.tree);
        drop(transaction);
        if caught_up.is_err() {
            self.tree = Tree::default();
        }
        caught_up?;
        Ok(self.tree.head())
    }

    /// Checks the whole log, and that it still begins with what `expected` stood for (see the
    /// crate's page for what each layer finds).
    ///
    /// # Errors
    /// When SQLite can't read the file: tampering that it can read past is a [`Verification`].
    pub fn verify(&self, expected: Option<&Head>) -> Result<Verification, LedgerError> {
        verify::verify(&self.connection, expected)
    }
}

/// One transaction: catch up with other writers, then append.
fn write(connection: &mut Connection, tree: &mut Tree, drafts: Vec<Draft>) -> Result<Vec<Entry>, LedgerError> {
    let doing = "appending";
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(LedgerError::sqlite(doing))?;
    catch_up(&transaction, tree)?;
    let mut entries = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let seq = tree.head().size + 1;
        let bytes = draft.preimage(seq)?;
        let leaf = merkle::leaf_hash(bytes.clone());
        tree.push(bytes);
        transaction
            .execute(
                "INSERT INTO entry (seq, kind, at, body, leaf) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![seq, draft.kind, draft.at.to_string(), draft.text, leaf.to_string()],
            )
            .map_err(LedgerError::sqlite(doing))?;
        transaction
            .execute(
                "INSERT INTO checkpoint (size, root) VALUES (?1, ?2)",
                params![seq, tree.head().root.to_string()],
            )
            .map_err(LedgerError::sqlite(doing))?;
        entries.push(draft.into_entry(seq, leaf));
    }
    transaction.commit().map_err(LedgerError::sqlite(doing))?;
    Ok(entries)
}

/// Grows the tree by what others appended, and refuses to build on a log that doesn't match it.
fn catch_up(transaction: &Transaction<'_>, tree: &mut Tree) -> Result<(), LedgerError> {
    let doing = "reading the log";
    // What this process already knows must still be there as it was.
    check_root(transaction, &tree.head())?;
    let sql = format!("{SELECT_ROWS} WHERE seq > ?2 ORDER BY seq");
    let mut statement = transaction.prepare(&sql).map_err(LedgerError::sqlite(doing))?;
    let mut rows = statement
        .query(params![MAX_BODY_BYTES as u64, tree.head().size])
        .map_err(LedgerError::sqlite(doing))?;
    while let Some(row) = rows.next().map_err(LedgerError::sqlite(doing))? {
        let (entry, bytes) = read_row(row).and_then(Row::check).map_err(altered)?;
        let expected = tree.head().size + 1;
        if entry.seq != expected {
            return Err(altered(format!("entry {expected} is missing")));
        }
        tree.push(bytes);
    }
    let stored: u64 = transaction
        .query_row("SELECT coalesce(max(size), 0) FROM checkpoint", [], |row| row.get(0))
        .map_err(LedgerError::sqlite(doing))?;
    let head = tree.head();
    if stored != head.size {
        return Err(altered(format!(
            "there are {} entries and the last checkpoint is of {stored}",
            head.size
        )));
    }
    check_root(transaction, &head)
}

/// The checkpoint at a size must hold the root that the content has.
fn check_root(transaction: &Transaction<'_>, head: &Head) -> Result<(), LedgerError> {
    if head.size == 0 {
        return Ok(());
    }
    let stored: Option<String> = transaction
        .query_row("SELECT root FROM checkpoint WHERE size = ?1", [head.size], |row| {
            row.get(0)
        })
        .optional()
        .map_err(LedgerError::sqlite("reading a checkpoint"))?;
    match stored {
        Some(root) if root == head.root.to_string() => Ok(()),
        Some(_) => Err(altered(format!(
            "the root of checkpoint {} is not that of its entries",
            head.size
        ))),
        None => Err(altered(format!("checkpoint {} is missing", head.size))),
    }
}

fn altered(problem: String) -> LedgerError {
    LedgerError::Altered { problem }
}

/// A row of [`SELECT_ROWS`], or what is wrong with it.
pub(crate) fn read_row(row: &rusqlite::Row<'_>) -> Result<Row, String> {
    let seq: i64 = row.get(0).map_err(|_| "an entry has no place".to_owned())?;
    let seq = u64::try_from(seq).map_err(|_| format!("there is an entry at place {seq}"))?;
    let text = |index, name: &str| {
        row.get::<_, String>(index)
            .map_err(|_| format!("the {name} of entry {seq} can't be read"))
    };
    Ok(Row {
        seq,
        kind: text(1, "kind")?,
        at: text(2, "time")?,
        body: text(3, "body")?,
        leaf: text(4, "leaf")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::path::PathBuf;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        (folder, path)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn intact(ledger: &Ledger) -> Head {
        match ledger.verify(None).unwrap() {
            Verification::Intact { head } => head,
            Verification::Tampered { problems } => panic!("{problems:?}"),
        }
    }

    #[test]
    fn entries_come_back_in_order_and_by_kind() {
        let (_folder, path) = folder();
        let mut ledger = Ledger::open(&path).unwrap();
        let first = ledger.append("decision", at(1), &json!({"level": "alert"})).unwrap();
        ledger.append("outcome", at(2), &json!(0.1)).unwrap();
        let third = ledger.append("decision", at(3), &json!({"level": "suggest"})).unwrap();
        assert_eq!((first.seq, third.seq), (1, 3));
        assert_eq!(ledger.entries(Some("decision")).unwrap(), [first, third]);
        assert_eq!(ledger.entries(None).unwrap().len(), 3);
        assert_eq!(ledger.entries(Some("none")).unwrap(), []);
    }

    #[test]
    fn the_head_is_the_same_after_reopening_and_grows_with_each_entry() {
        let (_folder, path) = folder();
        let mut ledger = Ledger::open(&path).unwrap();
        let empty = ledger.head().unwrap();
        assert_eq!((empty.size, intact(&ledger)), (0, empty));
        ledger.append("run", at(1), &json!({"a": 1})).unwrap();
        let one = ledger.head().unwrap();
        assert_ne!(one.root, empty.root);
        drop(ledger);
        let mut again = Ledger::open_existing(&path).unwrap();
        assert_eq!(again.head().unwrap(), one);
        assert_eq!(intact(&again), one);
    }

    #[test]
    fn two_writers_take_turns_on_one_log() {
        let (_folder, path) = folder();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let path = path.clone();
                std::thread::spawn(move || {
                    let mut ledger = Ledger::open(&path).unwrap();
                    for n in 0..10 {
                        ledger.append("run", at(n), &json!({"writer": writer, "n": n})).unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        let ledger = Ledger::open_existing(&path).unwrap();
        assert_eq!(intact(&ledger).size, 40);
    }

    #[test]
    fn several_are_appended_all_or_none() {
        let (_folder, path) = folder();
        let mut ledger = Ledger::open(&path).unwrap();
        let (good, bad) = (json!({"n": 1}), json!(u64::MAX));
        assert!(
            ledger
                .append_all([("fact", at(1), &good), ("fact", at(1), &bad)])
                .is_err()
        );
        assert_eq!(ledger.head().unwrap().size, 0);
        let entries = ledger
            .append_all([("fact", at(1), &good), ("run", at(2), &good)])
            .unwrap();
        assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(ledger.append_all::<Value>([]).unwrap(), []);
        assert_eq!(intact(&ledger).size, 2);
    }

    #[test]
    fn a_half_done_transaction_is_not_there_for_others_nor_after_a_kill() {
        let (_folder, path) = folder();
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.append("run", at(1), &json!(1)).unwrap();
        let head = ledger.head().unwrap();
        let half = Connection::open(&path).unwrap();
        half.execute_batch("BEGIN IMMEDIATE; INSERT INTO entry VALUES (2, 'run', 't', '{}', 'l')")
            .unwrap();
        assert_eq!(intact(&Ledger::open_existing(&path).unwrap()), head);
        // What a kill leaves: the files as they are now, and no process that has them open.
        let copy = path.with_file_name("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        std::fs::copy(path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
        let mut survivor = Ledger::open_existing(&copy).unwrap();
        assert_eq!(intact(&survivor), head);
        assert_eq!(survivor.append("run", at(2), &json!(2)).unwrap().seq, 2);
        drop(half);
        assert_eq!(ledger.append("run", at(2), &json!(2)).unwrap().seq, 2);
        assert_eq!(ledger.head().unwrap(), survivor.head().unwrap());
    }

    #[test]
    fn a_failed_append_does_not_leave_a_leaf_in_memory() {
        let (_folder, path) = folder();
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.append("run", at(1), &json!(1)).unwrap();
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch("CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT raise(ABORT, 'full'); END")
            .unwrap();
        assert!(ledger.append("run", at(2), &json!(2)).is_err());
        other.execute_batch("DROP TRIGGER full").unwrap();
        ledger.append("run", at(3), &json!(3)).unwrap();
        assert_eq!(intact(&ledger), ledger.head().unwrap());
    }

    #[test]
    fn floats_read_back_to_the_bits_that_were_hashed() {
        let (_folder, path) = folder();
        let mut ledger = Ledger::open(&path).unwrap();
        for (n, float) in [0.1, 1e17, 1e21, -0.0, 5e-324, f64::MAX, 0.000_123_456_789_012_345_6]
            .into_iter()
            .enumerate()
        {
            ledger.append("fact", at(n as i64), &json!({ "value": float })).unwrap();
        }
        assert_eq!(intact(&ledger).size, 7);
        assert_eq!(ledger.entries(None).unwrap()[0].body["value"], json!(0.1));
    }

    #[test]
    fn nothing_is_appended_to_an_altered_log() {
        let (_folder, path) = folder();
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.append("run", at(1), &json!(1)).unwrap();
        ledger.append("run", at(2), &json!(2)).unwrap();
        Connection::open(&path)
            .unwrap()
            .execute_batch("DROP TRIGGER entry_no_update; UPDATE entry SET body = '3' WHERE seq = 1")
            .unwrap();
        let mut reopened = Ledger::open(&path).unwrap();
        let error = reopened.append("run", at(3), &json!(3)).unwrap_err();
        assert!(
            error.to_string().contains("entry 1 does not match its leaf hash"),
            "{error}"
        );
        assert!(matches!(reopened.entries(None), Err(LedgerError::Altered { .. })));
    }
}
