//! A ledger of a test, in either store.

use holdpoint_ledger::{Head, Ledger, PostgresOptions, Secret, Verification};
use holdpoint_schemas::Timestamp;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::process::is_other;

/// Where a ledger is.
pub enum Place {
    /// In a file of its own.
    Sqlite(tempfile::TempDir),
    /// In a schema of its own.
    Postgres(PostgresOptions, &'static Cluster),
}

impl Place {
    /// In an SQLite file.
    pub fn sqlite() -> Option<Self> {
        Some(Self::Sqlite(tempfile::tempdir().unwrap()))
    }

    /// In the cluster that the tests of this process share; `None` without PostgreSQL.
    pub fn postgres() -> Option<Self> {
        if is_other().is_some() {
            // It is told where the ledger is, and needs no cluster of its own.
            return Self::sqlite();
        }
        static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
        let cluster = CLUSTER.get_or_init(|| Cluster::start(false)).as_ref()?;
        Some(Self::in_cluster(cluster))
    }

    /// In a cluster, which must live as long as the process.
    pub fn in_cluster(cluster: &'static Cluster) -> Self {
        static SCHEMAS: AtomicU32 = AtomicU32::new(0);
        let schema = format!("ledger_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        Self::Postgres(options(&cluster.url(), &schema), cluster)
    }

    /// The other place of the same kind.
    pub fn another(&self) -> Self {
        match self {
            Self::Sqlite(_) => Self::sqlite().unwrap(),
            Self::Postgres(_, cluster) => Self::in_cluster(cluster),
        }
    }

    /// How another process finds it, for [`open_named`].
    pub fn name(&self) -> String {
        match self {
            Self::Sqlite(_) => format!("file {}", self.path().display()),
            Self::Postgres(options, cluster) => format!("{} {}", options.schema, cluster.url()),
        }
    }

    pub fn path(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("ledger.db"),
            Self::Postgres(..) => panic!("a schema has no path"),
        }
    }

    pub fn open(&self) -> Ledger {
        open_named(&self.name())
    }

    pub fn existing(&self) -> Result<Ledger, holdpoint_ledger::LedgerError> {
        match self {
            Self::Sqlite(_) => Ledger::open_existing(&self.path()),
            Self::Postgres(options, _) => Ledger::open_existing_postgres(options),
        }
    }

    /// Runs statements of somebody who can write the store, and has every error.
    pub fn try_sql(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite(_) => (Connection::open(self.path()).unwrap().execute_batch(sql)).map_err(|e| e.to_string()),
            Self::Postgres(options, cluster) => {
                let mut client = cluster.client();
                client
                    .batch_execute(&format!("SET search_path TO {}", options.schema))
                    .unwrap();
                client.batch_execute(sql).map_err(|error| match error.as_db_error() {
                    Some(said) => said.message().to_owned(),
                    None => error.to_string(),
                })
            }
        }
    }

    pub fn sql(&self, sql: &str) {
        self.try_sql(sql).unwrap();
    }

    /// Runs statements with the fences down, and puts them up again so that they give nothing away.
    pub fn tamper(&self, sql: &str) {
        match self {
            Self::Sqlite(_) => {
                let raw = Connection::open(self.path()).unwrap();
                let triggers: Vec<(String, String)> = raw
                    .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                    .unwrap()
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                    .unwrap()
                    .collect::<Result<_, _>>()
                    .unwrap();
                for (name, _) in &triggers {
                    raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
                }
                raw.execute_batch(sql).unwrap();
                for (_, sql) in &triggers {
                    raw.execute_batch(sql).unwrap();
                }
            }
            Self::Postgres(..) => self.sql(&format!(
                "ALTER TABLE entry DISABLE TRIGGER ALL; ALTER TABLE checkpoint DISABLE TRIGGER ALL; {sql};
                 ALTER TABLE entry ENABLE TRIGGER ALL; ALTER TABLE checkpoint ENABLE TRIGGER ALL"
            )),
        }
    }

    /// A literal of bytes.
    pub fn bytes(&self, hex: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(..) => format!("'\\x{hex}'"),
        }
    }

    /// What is wrong with the log, without any head from outside.
    pub fn problems(&self) -> Vec<String> {
        self.problems_against(None)
    }

    pub fn problems_against(&self, head: Option<&Head>) -> Vec<String> {
        match self.existing().unwrap().verify(head).unwrap() {
            Verification::Intact { .. } => Vec::new(),
            Verification::Tampered { problems } => problems,
        }
    }

    /// The head of a log that must be intact.
    pub fn intact(&self) -> Head {
        match self.existing().unwrap().verify(None).unwrap() {
            Verification::Intact { head, .. } => head,
            Verification::Tampered { problems } => panic!("{problems:#?}"),
        }
    }
}

fn options(url: &str, schema: &str) -> PostgresOptions {
    PostgresOptions {
        schema: schema.to_owned(),
        idle: Duration::from_secs(2),
        ..PostgresOptions::new(Secret::new(url))
    }
}

/// Opens what [`Place::name`] names.
pub fn open_named(name: &str) -> Ledger {
    match name.split_once(' ').unwrap() {
        ("file", path) => Ledger::open(path.as_ref()).unwrap(),
        (schema, url) => Ledger::open_postgres(&options(url, schema)).unwrap(),
    }
}

/// A moment of the tests' clock.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Makes a test of each function for each store: the one suite for both.
macro_rules! on_both_stores {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                let place = crate::place::Place::sqlite().unwrap();
                super::$name(&place);
            })*
        }
        mod postgres {
            $(#[test]
            fn $name() {
                if let Some(place) = crate::place::Place::postgres() {
                    super::$name(&place);
                }
            })*
        }
    };
}
pub(crate) use on_both_stores;
