//! The tables of the PostgreSQL schema, their fences, and how older ones become the present form.

use postgres::Error;
use postgres::types::Oid;

use super::link::Session;

/// The format that this version writes: the number of the last migration.
pub(super) const FORMAT: i64 = 1;

/// Tables of each format; the fences come after them.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "log and leases", include_str!("format_1.sql"))];

/// First half of the key of every advisory lock of ours (`HDPT`).
pub(super) const LOCKS: i32 = 0x4844_5054;

/// Bits of `pg_trigger.tgtype`, by `src/include/catalog/pg_trigger.h`.
const ROW: i16 = 1;
const BEFORE: i16 = 1 << 1;
const INSERT: i16 = 1 << 2;
const DELETE: i16 = 1 << 3;
const UPDATE: i16 = 1 << 4;
const TRUNCATE: i16 = 1 << 5;

/// A trigger that keeps a table append-only.
struct Fence {
    name: &'static str,
    table: &'static str,
    events: i16,
    body: &'static str,
}

impl Fence {
    fn sql(&self) -> String {
        let Self { name, table, body, .. } = self;
        let words = [
            (INSERT, "INSERT"),
            (DELETE, "DELETE"),
            (UPDATE, "UPDATE"),
            (TRUNCATE, "TRUNCATE"),
        ];
        let events: Vec<&str> = (words.iter().filter(|(bit, _)| self.events & bit != 0))
            .map(|(_, word)| *word)
            .collect();
        let each = if self.events & ROW != 0 { "ROW" } else { "STATEMENT" };
        format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $fence${body}$fence$;
             CREATE TRIGGER {name} BEFORE {} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}();",
            events.join(" OR ")
        )
    }
}

const FENCES: [Fence; 6] = [
    Fence {
        name: "entry_in_turn",
        table: "entry",
        events: ROW | BEFORE | INSERT,
        body: "BEGIN IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entry) THEN \
               RAISE EXCEPTION 'entries are only appended'; END IF; RETURN NEW; END",
    },
    Fence {
        name: "entry_only_pruned",
        table: "entry",
        events: ROW | BEFORE | UPDATE,
        body: "BEGIN IF OLD.form = 2 AND OLD.body IS NOT NULL AND NEW.body IS NULL AND NEW.form = 2 AND \
               NEW.seq = OLD.seq AND NEW.kind = OLD.kind AND NEW.at = OLD.at AND NEW.leaf = OLD.leaf THEN \
               RETURN NEW; END IF; RAISE EXCEPTION 'entries are never changed'; END",
    },
    Fence {
        name: "entry_no_delete",
        table: "entry",
        events: BEFORE | DELETE | TRUNCATE,
        body: "BEGIN RAISE EXCEPTION 'entries are never dropped'; END",
    },
    Fence {
        name: "checkpoint_in_turn",
        table: "checkpoint",
        events: ROW | BEFORE | INSERT,
        body: "BEGIN IF NEW.previous <> (SELECT coalesce(max(size), 0) FROM checkpoint) OR \
               NEW.size <= NEW.previous THEN RAISE EXCEPTION 'checkpoints are only appended'; END IF; \
               RETURN NEW; END",
    },
    Fence {
        name: "checkpoint_no_update",
        table: "checkpoint",
        events: ROW | BEFORE | UPDATE,
        body: "BEGIN RAISE EXCEPTION 'checkpoints are never changed'; END",
    },
    Fence {
        name: "checkpoint_no_delete",
        table: "checkpoint",
        events: BEFORE | DELETE | TRUNCATE,
        body: "BEGIN RAISE EXCEPTION 'checkpoints are never dropped'; END",
    },
];

/// Tables and their columns, as [`check`] must find them.
const TABLES: [(&str, &str); 5] = [
    (
        "entry",
        "seq bigint, form smallint, kind text, at text, body text, digest bytea, leaf bytea",
    ),
    ("checkpoint", "size bigint, previous bigint, root bytea"),
    (
        "lease",
        "queue text, name text, place bigint, token bigint, holder text, expires bigint, done boolean",
    ),
    (
        "append",
        "client text, number bigint, size bigint, used timestamp with time zone",
    ),
    (
        "migration",
        "format bigint, name text, applied timestamp with time zone",
    ),
];

/// What is in the schema of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Empty,
    /// A ledger of a format.
    Format(i64),
    /// Something else.
    Other,
}

/// Looks at what is in the schema.
pub(super) fn look(session: &mut Session) -> Result<Found, Error> {
    let row = session.client.query_one(
        "SELECT to_regclass('migration')::oid, to_regclass('entry')::oid, (SELECT count(*) FROM pg_class \
         WHERE relnamespace = to_regnamespace(current_setting('search_path')))",
        &[],
    )?;
    let (migration, entry): (Option<Oid>, Option<Oid>) = (row.try_get(0)?, row.try_get(1)?);
    let objects: i64 = row.try_get(2)?;
    if migration.is_none() || entry.is_none() {
        return Ok(if objects == 0 { Found::Empty } else { Found::Other });
    }
    let row = (session.client).query_one("SELECT coalesce(max(format), 0)::bigint FROM migration", &[])?;
    Ok(Found::Format(row.try_get(0)?))
}

/// Brings the schema to the present format, in one transaction, and one client at a time.
pub(super) fn migrate(session: &mut Session, schema: &str) -> Result<(), Error> {
    let mut transaction = session.client.transaction()?;
    transaction.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&LOCKS, &schema])?;
    transaction.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\""))?;
    let there: Option<Oid> = transaction
        .query_one("SELECT to_regclass('migration')::oid", &[])?
        .try_get(0)?;
    let from: i64 = match there {
        None => 0,
        Some(_) => {
            (transaction.query_one("SELECT coalesce(max(format), 0)::bigint FROM migration", &[])?).try_get(0)?
        }
    };
    for (format, name, sql) in MIGRATIONS.iter().filter(|(format, ..)| *format > from) {
        transaction.batch_execute(sql)?;
        if *format == 1 {
            for fence in &FENCES {
                transaction.batch_execute(&fence.sql())?;
            }
        }
        transaction.execute("INSERT INTO migration (format, name) VALUES ($1, $2)", &[format, name])?;
    }
    transaction.commit()
}

/// Compares tables and fences with what the migrations made, and says what differs. The second says whether the log
/// can be read.
pub(super) fn check(session: &mut Session) -> Result<(Vec<String>, bool), Error> {
    let mut problems = Vec::new();
    let mut readable = true;
    let tables = session.client.query(
        "SELECT c.relname::text, coalesce((SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' \
         ORDER BY attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped), '') \
         FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind NOT IN ('i', 't', 'c')",
        &[],
    )?;
    let mut found = Vec::new();
    for row in &tables {
        found.push((row.try_get::<_, String>(0)?, row.try_get::<_, String>(1)?));
    }
    for (table, columns) in TABLES {
        let there = found.iter().find(|(name, _)| name == table);
        if there.is_none_or(|(_, found)| found != columns) {
            let what = if there.is_none() { "is gone" } else { "was changed" };
            problems.push(format!("the table `{table}` {what}"));
            readable &= table != "entry" && table != "checkpoint";
        }
    }
    for (name, _) in found
        .iter()
        .filter(|(name, _)| TABLES.iter().all(|(table, _)| name != table))
    {
        problems.push(format!("`{}` was added to the schema", name.escape_debug()));
    }
    check_fences(session, &mut problems)?;
    Ok((problems, readable))
}

fn check_fences(session: &mut Session, problems: &mut Vec<String>) -> Result<(), Error> {
    let rows = session.client.query(
        "SELECT t.tgname::text, c.relname::text, t.tgtype, t.tgenabled = 'O' AND t.tgqual IS NULL, p.prosrc \
         FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid \
         WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal",
        &[],
    )?;
    let mut found = Vec::new();
    for row in &rows {
        let name: String = row.try_get(0)?;
        let (table, events, on, body): (String, i16, bool, String) =
            (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        found.push((name, table, events, on, body));
    }
    for fence in &FENCES {
        match found.iter().find(|(name, ..)| name == fence.name) {
            None => problems.push(format!("the trigger `{}` is gone", fence.name)),
            Some((_, table, events, on, body)) => {
                if !on || table != fence.table || *events != fence.events || body != fence.body {
                    problems.push(format!("the trigger `{}` was changed", fence.name));
                }
            }
        }
    }
    let added = (found.iter().map(|(name, ..)| name)).filter(|name| FENCES.iter().all(|fence| fence.name != *name));
    problems.extend(added.map(|name| format!("the trigger `{}` was added to the schema", name.escape_debug())));
    let rules = (session.client).query(
        "SELECT rulename::text FROM pg_rules WHERE schemaname = current_schema()",
        &[],
    )?;
    for row in &rows_of_text(&rules)? {
        problems.push(format!("the rule `{}` was added to the schema", row.escape_debug()));
    }
    Ok(())
}

fn rows_of_text(rows: &[postgres::Row]) -> Result<Vec<String>, Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}
