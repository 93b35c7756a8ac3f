//! `holdpoint ledger key`

use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

use super::Global;
use crate::exit_code::ExitCode;
use crate::pipeline::ledger_key;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make a new private key in this file, for `ledger.key` in `holdpoint.yaml`; needs no estate
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,
    /// Name of the new key, such as `example.com/holdpoint`
    #[arg(long, value_name = "NAME", requires = "new", default_value = "holdpoint/estate")]
    name: String,
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let key = match &arguments.new {
        Some(file) => ledger_key::make(file, &arguments.name)?,
        None => ledger_key::signer(&global.estate, &super::config(global)?)?,
    };
    let key = key.verifier().to_string();
    global.print(&serde_json::json!({ "key": key }), || key.clone())?;
    Ok(ExitCode::Success)
}
