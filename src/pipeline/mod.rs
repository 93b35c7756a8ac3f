//! The use cases: what joins the crates. One way, left to right: estate → findings → fixes → facts
//! → triage → evidence → release → promotion, with the ledger beside it.

pub mod act;
pub mod approvals;
pub mod authoring;
pub mod candidates;
pub mod cases;
pub mod choose;
pub mod claims;
pub mod classify;
pub mod demo;
pub mod document;
pub mod estate;
pub mod facts;
pub mod findings;
pub mod further;
pub mod inputs;
pub mod items;
pub mod knowledge;
pub mod minimum;
pub mod mirror;
pub mod mutants;
pub mod owners;
pub mod packs;
pub mod plan;
pub mod proofs;
pub mod record;
pub mod redact;
pub mod repo_knowledge;
pub mod report;
pub mod run;
pub mod session;
pub mod simulate;
pub mod soundness;
pub mod state;
pub mod tree_files;
pub mod validation;
