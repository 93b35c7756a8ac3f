//! `holdpoint ledger export`

use anyhow::{Context, Result};
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::pipeline::{bundle, ledger_key};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Id of the finding, or its beginning
    finding: String,
    /// File to write; without it, `<finding>.bundle.json` in the current folder
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let opened = super::open(global)?;
    let key = ledger_key::signer(&global.estate, &opened.config)?;
    let made = bundle::export(&opened.ledger, &key, &opened.trusted, &arguments.finding)?;
    let finding = made.finding;
    let bytes = made.bundle.to_bytes()?;
    let file = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{finding}.bundle.json")));
    write(&file, &bytes).with_context(|| format!("writing `{}`", file.display()))?;
    let key = key.verifier().to_string();
    let document = serde_json::json!({
        "finding": finding, "file": file, "bytes": bytes.len(), "entries": made.bundle.entries.len(), "key": key
    });
    global.print(&document, || {
        format!(
            "{}: {} entries of the ledger about {finding}, {} KiB. An auditor verifies it with holdpoint alone:\n\n    \
             holdpoint ledger verify {} --key {key}\n\nGive them the key on another way than the bundle.",
            file.display(),
            made.bundle.entries.len(),
            bytes.len().div_ceil(1024),
            file.display(),
        )
    })?;
    Ok(ExitCode::Success)
}

/// Writes the file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    // It is made to be handed on.
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}
