//! What the commands that write claims share: when a claim ends, how its commit is signed, how it is
//! printed.

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_forge::git::Signing;
use holdpoint_schemas::Timestamp;
use jiff::SignedDuration;
use serde::Serialize;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

use crate::pipeline::claims::Recorded;
use crate::pipeline::claims::moments::{self, End};

/// When a claim ends.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Ending {
    /// How long it holds: 90m, 4h, 3d, 1w
    #[arg(long = "for", value_name = "TIME", value_parser = moments::length)]
    length: Option<SignedDuration>,
    /// When it ends: a moment such as 2026-12-01T08:00Z, or a day (to its end in UTC)
    #[arg(long, value_name = "TIME", value_parser = moments::end)]
    until: Option<Timestamp>,
}

impl Ending {
    /// What was said, if anything.
    pub fn end(&self) -> Option<End> {
        self.length.map(End::After).or(self.until.map(End::At))
    }
}

/// Who signs a statement, and with what.
#[derive(Debug, Args)]
pub struct Who {
    /// SSH key to sign with; git's `user.signingkey` without it
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Who you are in the estate's approvers; git's `user.email` without it
    #[arg(long, value_name = "IDENTITY")]
    pub by: Option<String>,
}

/// How the commit is signed.
#[derive(Debug, Args)]
pub struct Signature {
    /// Commit without a signature; else it is signed as git is configured to (`gpg.format`, `user.signingkey`)
    #[arg(long)]
    unsigned: bool,
}

impl Signature {
    /// How to sign. From here on an interrupt ends git and what asks for the passphrase, and not this
    /// process, which has the file to put back.
    ///
    /// # Errors
    /// When interrupts can't be listened to.
    pub fn signing(&self) -> Result<Signing> {
        // The listener stays for the life of the process, whether or not anyone waits on it.
        drop(signal(SignalKind::interrupt()).context("listening to interrupts")?);
        Ok(if self.unsigned {
            Signing::Unsigned
        } else {
            Signing::Configured
        })
    }
}

/// What was written, and where, for machines.
pub fn document<T: Serialize>(what: &str, value: &T, recorded: &Recorded) -> serde_json::Value {
    let commit = recorded
        .commit
        .as_ref()
        .map(|commit| serde_json::json!({ "id": commit.id, "branch": commit.branch, "signed": recorded.signed }));
    serde_json::json!({ what: value, "file": recorded.file, "commit": commit })
}
