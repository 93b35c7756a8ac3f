//! End-to-end tests: the binary, real git repos, and a real Docker engine. One binary, one module
//! per area. They fail, never skip, where no engine answers.

mod approvals;
mod architecture;
mod bad_input;
mod cli;
mod ledger;
mod leftovers;
mod scenarios;
mod support;
