//! The one door to an estate's ledger: wherever it is kept, everything opens it here.

use anyhow::{Context, Error, Result};
use holdpoint_ledger::{Lease, Ledger, LedgerError, PostgresOptions, Secret};
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::estate::EstateConfig;
use holdpoint_schemas::ledger_config::PostgresConfig;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::state::Held;
use crate::failure::BadInput;

/// Name of the lease that a run has on its estate.
pub const RUN: &str = "run";

/// Renewals in the time of one lease: two may fail.
const RENEWALS: u32 = 3;

/// Longest connection string that is read from a file.
const MAX_URL_BYTES: usize = 4096;

/// Where an estate's ledger is.
#[derive(Debug, Clone)]
pub enum Location {
    /// In an SQLite file: the default.
    File(PathBuf),
    /// In a PostgreSQL database, and how long a run may be silent there.
    Postgres(PostgresOptions, Duration),
}

impl Location {
    /// As `holdpoint.yaml` in folder `root` says.
    ///
    /// # Errors
    /// When the connection string isn't where it says.
    pub fn of(root: &Path, config: &EstateConfig) -> Result<Self> {
        match &config.ledger.postgres {
            None => Ok(Self::File(root.join(&config.state).join("ledger.sqlite"))),
            Some(postgres) => Ok(Self::Postgres(
                PostgresOptions {
                    schema: postgres.schema.clone(),
                    ca_file: postgres.ca_file.as_ref().map(|file| root.join(file)),
                    ..PostgresOptions::new(secret(root, postgres)?)
                },
                Duration::from_secs(postgres.lease_seconds.max(1)),
            )),
        }
    }

    /// Opens the ledger; makes it when there is none.
    ///
    /// # Errors
    /// As [`Ledger::open`] and [`Ledger::open_postgres`].
    pub fn open(&self) -> Result<Ledger, LedgerError> {
        match self {
            Self::File(path) => Ledger::open(path),
            Self::Postgres(options, _) => Ledger::open_postgres(options),
        }
    }

    /// The file that it is kept in; `None`: it is kept in a database.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(..) => None,
        }
    }

    /// Opens a ledger that must exist.
    ///
    /// # Errors
    /// As [`Ledger::open_existing`] and [`Ledger::open_existing_postgres`].
    pub fn open_existing(&self) -> Result<Ledger, LedgerError> {
        match self {
            Self::File(path) => Ledger::open_existing(path),
            Self::Postgres(options, _) => Ledger::open_existing_postgres(options),
        }
    }
}

/// Opens the ledger of an estate, which must have one.
///
/// # Errors
/// When there is none yet, with what makes one; and when it can't be opened.
pub fn existing(root: &Path, config: &EstateConfig) -> Result<Ledger> {
    Location::of(root, config)?.open_existing().map_err(told)
}

/// An error of opening a ledger, with what to do about it where it is the user's to do.
pub fn told(error: LedgerError) -> Error {
    let help = match &error {
        LedgerError::Missing { .. } => "`holdpoint run` starts one",
        LedgerError::Connection { .. } => "look at `ledger.postgres` in `holdpoint.yaml` and what it names",
        LedgerError::Open { .. } => "see that it can be reached, and that this user may use it",
        LedgerError::NotALedger { .. } => "restore the ledger from a copy, or name another place",
        LedgerError::LaterFormat { .. } => "use the version of holdpoint that wrote it, or a later one",
        _ => return error.into(),
    };
    BadInput::new(error.to_string(), help).into()
}

/// The connection string, from where it is kept. No error says any of it.
fn secret(root: &Path, postgres: &PostgresConfig) -> Result<Secret> {
    let text = match (&postgres.url_env, &postgres.url_file) {
        (Some(name), None) => std::env::var(name).map_err(|_| {
            BadInput::new(
                format!("the environment has no `{name}`, which `ledger.postgres.url_env` names"),
                "set it to the connection string of the ledger's database",
            )
        })?,
        (None, Some(file)) => {
            let path = root.join(file);
            std::fs::read_to_string(&path).with_context(|| format!("reading `{}`", path.display()))?
        }
        _ => {
            return Err(BadInput::new(
                "`ledger.postgres` must have one of `url_env` and `url_file`",
                "name the environment variable or the file that holds the connection string",
            )
            .into());
        }
    };
    if text.len() > MAX_URL_BYTES {
        return Err(BadInput::new(
            "the connection string of the ledger is too long",
            format!("it has at most {MAX_URL_BYTES} bytes"),
        )
        .into());
    }
    Ok(Secret::new(text))
}

/// A run's lease on its estate, renewed on a thread until this is dropped; then it is given back.
#[derive(Debug)]
pub struct EstateLease {
    stop: Option<Sender<()>>,
    renewing: Option<JoinHandle<()>>,
}

impl EstateLease {
    /// Takes the lease, and makes `ledger` refuse to write once it is lost. Nothing is taken where the ledger is a
    /// file: the lock of the state folder is enough there.
    ///
    /// `holder` must be this run's alone while the state folder is locked: what it held before a kill is its own again.
    ///
    /// # Errors
    /// When another host has it, or the database fails.
    pub fn take(location: &Location, ledger: &mut Ledger, holder: &str) -> Result<Option<Self>> {
        let Location::Postgres(options, ttl) = location else {
            return Ok(None);
        };
        let ttl = *ttl;
        let now = Timestamp::now();
        let Some(lease) = ledger.lease(RUN, holder, ttl, now)? else {
            let held = ledger.leased_to(RUN, now)?;
            let by = held.map_or_else(String::new, |(who, until)| {
                format!(" on `{who}`, at least until {until}")
            });
            return Err(Held(BadInput::new(
                format!("another run of this estate is under way{by}"),
                "wait until it ends; a host that falls silent loses its lease by then",
            ))
            .into());
        };
        ledger.hold(lease.clone());
        // Renewing waits for nobody, so it has a connection of its own; and it doesn't hold up the end of a run.
        let renewer = Ledger::open_existing_postgres(&PostgresOptions {
            patience: ttl / RENEWALS,
            ..options.clone()
        })?;
        let (stop, stopped) = channel();
        let renewing = std::thread::Builder::new()
            .name("estate-lease".to_owned())
            .spawn(move || renew(&renewer, lease, ttl, &stopped))
            .context("starting the thread that renews the lease")?;
        Ok(Some(Self {
            stop: Some(stop),
            renewing: Some(renewing),
        }))
    }
}

fn renew(ledger: &Ledger, mut lease: Lease, ttl: Duration, stopped: &std::sync::mpsc::Receiver<()>) {
    while stopped.recv_timeout(ttl / RENEWALS) == Err(RecvTimeoutError::Timeout) {
        match ledger.renew(&mut lease, ttl, Timestamp::now()) {
            Ok(()) => {}
            Err(error @ LedgerError::LeaseLost { .. }) => {
                tracing::error!("{error}");
                return;
            }
            // The lease stands until it runs out, and the fence stands in any case.
            Err(error) => tracing::warn!("the lease of this run could not be renewed: {error}"),
        }
    }
    if let Err(error) = ledger.release(&lease) {
        tracing::warn!("the lease of this run could not be given back, and runs out by itself: {error}");
    }
}

impl Drop for EstateLease {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(renewing) = self.renewing.take() {
            let _ = renewing.join();
        }
    }
}
