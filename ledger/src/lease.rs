//! Leases: who does what just now, so that several hosts can share one ledger and a dead one holds
//! nothing up.
//!
//! A lease runs out by the clocks of those who ask, so a clock that is wrong can take one early or
//! late. What keeps the log right is not the clock but the **token**: it grows with each holder, and
//! [`crate::Ledger::append_fenced`] compares it in the transaction that writes.

use holdpoint_schemas::Timestamp;
use std::time::Duration;

use crate::error::LedgerError;
use crate::log::Ledger;
use crate::store::{Access, LeaseRow, Store};

/// A lease that was given to somebody: on a name, or on a piece of work of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Queue of the work; empty for a lease that stands by itself.
    pub queue: String,
    /// What it is on.
    pub name: String,
    /// Who has it: one name per process.
    pub holder: String,
    /// Grows with each holder.
    pub token: i64,
    /// Until when nobody else gets it.
    pub expires: Timestamp,
}

/// What became of asking for a piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is the asker's now.
    Given(Lease),
    /// Somebody else has it.
    Held,
    /// It is done.
    Done,
    /// The queue has no such work.
    Absent,
}

impl Ledger {
    /// Takes a lease until `now` + `ttl`; `None` when somebody else has it. Who has it already gets
    /// it anew, and what was given before counts no more: a process that started again isn't held
    /// up by what it was before.
    ///
    /// # Errors
    /// When the store fails.
    pub fn lease(&self, name: &str, holder: &str, ttl: Duration, now: Timestamp) -> Result<Option<Lease>, LedgerError> {
        self.transact(Access::Write, |store| {
            let row = store.lease("", name)?.unwrap_or_else(|| LeaseRow {
                queue: String::new(),
                name: name.to_owned(),
                place: 0,
                token: 0,
                holder: String::new(),
                expires: 0,
                done: false,
            });
            let free = row.holder.is_empty() || row.holder == holder || row.expires <= now.as_millisecond();
            if !free {
                return Ok(None);
            }
            give(store, row, holder, ttl, now).map(Some)
        })
    }

    /// Who has a lease at `now`, and until when.
    ///
    /// # Errors
    /// When the store fails.
    pub fn leased_to(&self, name: &str, now: Timestamp) -> Result<Option<(String, Timestamp)>, LedgerError> {
        self.transact(Access::Read, |store| {
            let row = store.lease("", name)?;
            let held = row.filter(|row| !row.holder.is_empty() && row.expires > now.as_millisecond());
            Ok(held.map(|row| (row.holder, time(row.expires))))
        })
    }

    /// Prolongs a lease until `now` + `ttl`. One that ran out is prolonged, too, unless somebody
    /// took it meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::LeaseLost`] when somebody did, and when the store fails.
    pub fn renew(&self, lease: &mut Lease, ttl: Duration, now: Timestamp) -> Result<(), LedgerError> {
        let expires = self.transact(Access::Write, |store| {
            let mut row = check(store, lease)?;
            row.expires = end(now, ttl);
            store.put_lease(&row)?;
            Ok(row.expires)
        })?;
        lease.expires = time(expires);
        Ok(())
    }

    /// Gives a lease back. One that somebody else took meanwhile is theirs, and stays so.
    ///
    /// # Errors
    /// When the store fails.
    pub fn release(&self, lease: &Lease) -> Result<(), LedgerError> {
        self.transact(Access::Write, |store| {
            let Some(mut row) = store.lease(&lease.queue, &lease.name)? else {
                return Ok(());
            };
            if row.token == lease.token && !row.done {
                row.holder = String::new();
                store.put_lease(&row)?;
            }
            Ok(())
        })
    }

    /// Puts work into a queue, in this order; what it holds already stays as it is, done or not. Says which is done.
    ///
    /// # Errors
    /// When the store fails.
    pub fn offer<'a>(&self, queue: &str, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, LedgerError> {
        let names: Vec<&str> = names.into_iter().collect();
        self.transact(Access::Write, |store| {
            let mut done = Vec::new();
            for (place, name) in (0..).zip(&names) {
                match store.lease(queue, name)? {
                    Some(row) if row.done => done.push(row.name),
                    Some(_) => {}
                    None => store.put_lease(&LeaseRow {
                        queue: queue.to_owned(),
                        name: (*name).to_owned(),
                        place,
                        token: 0,
                        holder: String::new(),
                        expires: 0,
                        done: false,
                    })?,
                }
            }
            Ok(done)
        })
    }

    /// Makes work that is done work to do again; other work stays as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub fn offer_again<'a>(&self, queue: &str, names: impl IntoIterator<Item = &'a str>) -> Result<(), LedgerError> {
        let names: Vec<&str> = names.into_iter().collect();
        self.transact(Access::Write, |store| {
            for name in &names {
                if let Some(row) = store.lease(queue, name)?.filter(|row| row.done) {
                    store.put_lease(&LeaseRow {
                        holder: String::new(),
                        done: false,
                        ..row
                    })?;
                }
            }
            Ok(())
        })
    }

    /// Takes one piece of a queue's work until `now` + `ttl`, as [`Ledger::claim`] takes the first. What this holder
    /// had before is its own again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn claim_named(
        &self,
        (queue, name): (&str, &str),
        holder: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Claim, LedgerError> {
        self.transact(Access::Write, |store| match store.lease(queue, name)? {
            None => Ok(Claim::Absent),
            Some(row) if row.done => Ok(Claim::Done),
            Some(row) if !row.holder.is_empty() && row.holder != holder && row.expires > now.as_millisecond() => {
                Ok(Claim::Held)
            }
            Some(row) => give(store, row, holder, ttl, now).map(Claim::Given),
        })
    }

    /// The first piece of a queue's work that nobody has, until `now` + `ttl`; `None` when there is
    /// none. It is done with [`Ledger::finish`].
    ///
    /// # Errors
    /// When the store fails.
    pub fn claim(
        &self,
        queue: &str,
        holder: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>, LedgerError> {
        self.transact(Access::Write, |store| {
            (store.next_work(queue, now.as_millisecond())?)
                .map(|row| give(store, row, holder, ttl, now))
                .transpose()
        })
    }

    /// Pieces of a queue's work that are not done, and how many of them somebody has at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open_work(&self, queue: &str, now: Timestamp) -> Result<(u64, u64), LedgerError> {
        self.transact(Access::Read, |store| store.count_work(queue, now.as_millisecond()))
    }
}

/// Gives a lease to a new holder.
fn give(
    store: &dyn Store,
    mut row: LeaseRow,
    holder: &str,
    ttl: Duration,
    now: Timestamp,
) -> Result<Lease, LedgerError> {
    row.token += 1;
    row.holder = holder.to_owned();
    row.expires = end(now, ttl);
    store.put_lease(&row)?;
    Ok(Lease {
        expires: time(row.expires),
        queue: row.queue,
        name: row.name,
        holder: row.holder,
        token: row.token,
    })
}

/// The row of a lease that is still its holder's. One that ran out and that nobody took still is.
pub(crate) fn check(store: &dyn Store, lease: &Lease) -> Result<LeaseRow, LedgerError> {
    let lost = |why: String| LedgerError::LeaseLost {
        name: lease.name.clone(),
        why,
    };
    let row = store.lease(&lease.queue, &lease.name)?;
    let row = row.ok_or_else(|| lost("it is gone from the store".to_owned()))?;
    if row.done {
        return Err(lost("the work was done by another holder".to_owned()));
    }
    if row.token != lease.token {
        return Err(lost(format!("`{}` took it", row.holder)));
    }
    if row.holder.is_empty() {
        return Err(lost("it was given back".to_owned()));
    }
    Ok(row)
}

/// Marks work as done, if the lease on it still holds.
pub(crate) fn finish(store: &dyn Store, work: &Lease) -> Result<(), LedgerError> {
    let mut row = check(store, work)?;
    row.done = true;
    store.put_lease(&row)
}

fn end(now: Timestamp, ttl: Duration) -> i64 {
    let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
    now.as_millisecond().saturating_add(ttl)
}

/// A stored time; one beyond what a timestamp can say is the last that it can.
fn time(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::MAX)
}
