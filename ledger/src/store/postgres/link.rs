//! A connection on a thread of its own.
//!
//! The synchronous client runs an asynchronous one underneath and must not be called from inside
//! another runtime, where most callers of the ledger are. So it lives on a thread that has none,
//! and is handed work.

use postgres::{Client, Config, Error, NoTls, Statement};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::LedgerError;

/// How long to wait for an answer: longer than the server lets any statement run.
const ANSWER: Duration = Duration::from_secs(90);

/// SQLSTATEs after which the same may work on a new connection: lost or refused connections
/// (class 08), shutdown, crash and start-up of the server, a transaction that idled for too long,
/// a conflict with another one.
const PASSING: [&str; 6] = ["57P01", "57P02", "57P03", "25P03", "40001", "40P01"];

/// SQLSTATE of a server that is starting up or shutting down.
const STARTING: &str = "57P03";

/// SQLSTATE of a full disk.
const DISK_FULL: &str = "53100";

/// A client and what it has prepared.
pub(super) struct Session {
    pub(super) client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Session {
    /// A statement, prepared once.
    pub(super) fn prepared(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server or the client said so.
    Postgres(Error),
    /// The thread is gone, or doesn't answer.
    Gone(&'static str),
}

impl Failure {
    /// As an error of the ledger.
    pub(super) fn of(self, doing: &'static str) -> LedgerError {
        let passing = self.is_passing();
        let error = match self {
            Self::Gone(why) => {
                return LedgerError::Lost {
                    doing,
                    source: why.into(),
                };
            }
            Self::Postgres(error) => error,
        };
        if error.code().is_some_and(|code| code.code() == DISK_FULL) {
            return LedgerError::Full { doing };
        }
        let source = said(&error).into();
        if passing {
            LedgerError::Lost { doing, source }
        } else {
            LedgerError::Store { doing, source }
        }
    }

    /// Whether the server is there, and will let clients in when it is ready.
    pub(super) fn is_starting(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.code().is_some_and(|code| code.code() == STARTING))
    }

    /// Whether a new connection may do.
    pub(super) fn is_passing(&self) -> bool {
        let Self::Postgres(error) = self else { return true };
        match error.code() {
            Some(code) => code.code().starts_with("08") || PASSING.contains(&code.code()),
            None => {
                let mut cause = std::error::Error::source(error);
                let mut by_io = false;
                while let Some(inner) = cause {
                    by_io |= inner.is::<std::io::Error>();
                    cause = inner.source();
                }
                by_io || error.is_closed()
            }
        }
    }
}

/// What the server said, without the statement's values.
pub(super) fn said(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(inner) = cause {
                let inner_text = inner.to_string();
                if !text.contains(&inner_text) {
                    text = format!("{text}: {inner_text}");
                }
                cause = inner.source();
            }
            text
        }
    }
}

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// The near end of a connection.
pub(super) struct Link {
    jobs: Sender<Job>,
}

impl Link {
    /// Connects, on a new thread.
    pub(super) fn connect(config: Config, tls: Option<MakeRustlsConnect>) -> Result<Self, Failure> {
        let (jobs, inbox) = channel();
        let (tell, told) = sync_channel(1);
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                let connected = match tls {
                    None => config.connect(NoTls),
                    Some(tls) => config.connect(tls),
                };
                match connected {
                    Ok(client) => {
                        if tell.send(Ok(())).is_ok() {
                            work(client, &inbox);
                        }
                    }
                    Err(error) => {
                        let _ = tell.send(Err(error));
                    }
                }
            })
            .map_err(|_| Failure::Gone("no thread can be started"))?;
        answer(&told)?;
        Ok(Self { jobs })
    }

    /// Does something with the client and waits for what comes of it.
    pub(super) fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let (tell, told) = sync_channel(1);
        let job = move |session: &mut Session| {
            // Nobody waits any more when it took too long.
            let _ = tell.send(work(session));
        };
        (self.jobs.send(Box::new(job))).map_err(|_| Failure::Gone("the connection broke off"))?;
        answer(&told)
    }
}

fn work(client: Client, inbox: &Receiver<Job>) {
    let mut session = Session {
        client,
        statements: HashMap::new(),
    };
    for job in inbox {
        job(&mut session);
    }
}

fn answer<T>(told: &Receiver<Result<T, Error>>) -> Result<T, Failure> {
    match told.recv_timeout(ANSWER) {
        Ok(answer) => answer.map_err(Failure::Postgres),
        Err(RecvTimeoutError::Timeout) => Err(Failure::Gone("the database does not answer")),
        Err(RecvTimeoutError::Disconnected) => Err(Failure::Gone("the connection broke off")),
    }
}
