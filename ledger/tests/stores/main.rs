//! What a ledger promises, in SQLite and in PostgreSQL: each test is written once and run against both.

mod cluster;
mod kill;
mod leases;
mod log;
mod place;
mod postgres;
mod process;
mod prune;
mod restart;
mod tamper;
mod workers;
