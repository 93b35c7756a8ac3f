//! Renders what a run found, decided and did. Nothing here decides anything: every word comes
//! from a [`RunReport`](crate::pipeline::report::RunReport), its items, or the events of a run.
//!
//! All text of repos, patches, reports and catalogues is untrusted: it is freed of control
//! characters for terminals ([`text::clean`]) and escaped for HTML and Markdown.

pub mod approval;
pub mod bundle;
pub mod card;
pub mod cases;
pub mod claims;
pub mod classification;
pub mod command_line;
pub mod contract;
pub mod coverage;
pub mod diagnostics;
pub mod explain;
pub mod facts;
pub mod graph_dot;
pub mod graph_svg;
pub mod graph_text;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod night;
pub mod phrase;
pub mod progress;
pub mod proofs;
pub mod rollout;
pub mod run_junit;
pub mod run_sarif;
#[cfg(test)]
pub mod samples;
pub mod simulation;
pub mod summary;
pub mod table;
pub mod text;
pub mod waiting;
pub mod ways;
pub mod wording;
