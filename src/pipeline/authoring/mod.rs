//! Writing policies for people: a rule with its cases from a template, and whole decision tables.

mod cases;
mod draft;
mod files;
mod import;
mod rule;
mod search;
mod workspace;
mod yaml;

pub use draft::{Draft, Template, create};
pub use files::replace_text;
pub use import::{Import, import, table_id};
pub use rule::Rule;
pub use workspace::Workspace;

use serde::Serialize;

/// What was written.
#[derive(Debug, Serialize)]
pub struct Written {
    /// Files that are new.
    pub created: Vec<String>,
    /// Files that something was added to.
    pub extended: Vec<String>,
    /// What to know about it.
    pub notes: Vec<String>,
}
