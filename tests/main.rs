//! End-to-end tests: the binary, real git repos, and a real Docker engine. One binary, one module
//! per area. They fail, never skip, where no engine answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects must fail"
)]

mod approvals;
mod architecture;
mod attacks;
mod bad_input;
mod bundle;
mod claims;
mod classify;
mod cli;
mod consumers;
mod context;
mod contract;
mod explain;
mod failures;
mod init;
mod kill;
mod ledger;
mod leftovers;
mod nightly;
mod notify_tls;
mod org_facts;
mod packs;
mod policy_check;
mod policy_coverage;
mod policy_diff;
mod policy_guide;
mod policy_hostile;
mod policy_new;
mod policy_packs;
mod policy_simulate;
mod policy_table;
mod policy_test;
mod rollout;
mod scenarios;
mod schedules;
mod serve;
mod settled;
mod shared_ledger;
mod sharing;
mod small;
mod support;
mod telemetry;
mod together;
