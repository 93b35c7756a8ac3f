//! What a ledger promises, in SQLite and in PostgreSQL: each test is written once and run against both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects must fail"
)]

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
