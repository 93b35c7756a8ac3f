//! `holdpoint contract`

mod language;
mod upgrade;

use anyhow::Result;
use clap::Subcommand;
use holdpoint_contract::openapi::{Document, diff};
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::output::text::clean;
use crate::pipeline::estate::read_text;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compare two versions of an API description: can a client that worked before fail now
    Diff {
        /// Version that clients know
        base: PathBuf,
        /// Version to compare with it
        revision: PathBuf,
        /// Both are versions of a library in this language, each a folder or an archive
        #[arg(long, value_enum)]
        kind: Option<language::Language>,
    },
    /// Judge whether a repo's code bears another version of a dependency
    Upgrade(Box<upgrade::Arguments>),
}

fn document(file: &Path) -> Result<Document> {
    let name = file.to_string_lossy();
    Ok(Document::parse(&name, &read_text(Path::new(""), &name)?)?)
}

pub fn run(global: &Global, command: &Command) -> Result<ExitCode> {
    let (base, revision) = match command {
        Command::Upgrade(arguments) => return upgrade::run(global, arguments),
        Command::Diff {
            base,
            revision,
            kind: Some(kind),
        } => return language::run(global, *kind, base, revision),
        Command::Diff { base, revision, .. } => (base, revision),
    };
    let changes = diff(&document(base)?, &document(revision)?);
    global.print(&changes, || {
        let verdict = if changes.breaking {
            "breaking: a client that worked before can fail now"
        } else {
            "nothing here breaks a client"
        };
        let mut lines = vec![format!("{}: {verdict}", changes.kind)];
        lines.extend(changes.changes.iter().map(|change| {
            let line = format!(
                "  {:<8} {} {}  {}  {}  [{}]",
                change.level.as_str(),
                change.operation,
                change.path,
                change.location,
                change.text,
                change.rule
            );
            clean(&line)
        }));
        lines.join("\n")
    })?;
    Ok(if changes.breaking {
        ExitCode::Failed
    } else {
        ExitCode::Success
    })
}
