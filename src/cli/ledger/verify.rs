//! `holdpoint ledger verify`: the ledger, or a file that was made from it. A file needs no estate.

use anyhow::{Context, Result};
use clap::Args;
use holdpoint_ledger::approval::Approvers;
use holdpoint_ledger::bundle::{Bundle, MAX_BUNDLE_BYTES};
use holdpoint_ledger::note::{Checkpoint, Note, VerifierKey};
use holdpoint_ledger::proof::{ConsistencyDocument, InclusionDocument};
use holdpoint_ledger::{Head, LedgerError, ParseHeadError, Verification};
use holdpoint_schemas::evidence::Verdict;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Global;
use crate::exit_code::ExitCode;
use crate::failure::BadInput;
use crate::output::bundle as output;
use crate::output::text::{clean, count};
use crate::pipeline::record::CHECKPOINT;
use crate::pipeline::{bundle, checkpoints};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A bundle, a proof or a checkpoint; without one, the estate's ledger
    file: Option<PathBuf>,
    /// A head that you know from a report or a commit trailer: `<entries>:<root>`
    #[arg(long, value_name = "HEAD")]
    head: Option<String>,
    /// The ledger's public key, as `ledger key` prints it, had on another way than the file
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    key: Vec<VerifierKey>,
    /// Your own file of those who may approve (OpenSSH's allowed_signers), instead of the one on record
    #[arg(long, value_name = "FILE")]
    approvers: Option<PathBuf>,
}

fn parse_key(text: &str) -> Result<VerifierKey, String> {
    text.parse()
        .map_err(|error: holdpoint_ledger::note::KeyError| error.to_string())
}

pub fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode> {
    let head: Option<Head> = match &arguments.head {
        None => None,
        Some(text) => Some(text.parse().map_err(|error: ParseHeadError| {
            BadInput::new(
                error.to_string(),
                "take it whole from a report or from a commit's `Holdpoint-Ledger` trailer",
            )
        })?),
    };
    let Some(file) = &arguments.file else {
        return ledger(global, arguments, head.as_ref());
    };
    let bytes = read(file)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.trim_start().starts_with('{') {
        match format(&bytes).as_deref() {
            Some(InclusionDocument::FORMAT) => inclusion(global, &parsed(file, &bytes)?, &arguments.key),
            Some(ConsistencyDocument::FORMAT) => {
                consistency(global, &parsed(file, &bytes)?, &arguments.key, head.as_ref())
            }
            _ => of_bundle(global, arguments, file, &bytes),
        }
    } else {
        checkpoint(global, file, &text, arguments, head.as_ref())
    }
}

/// The estate's own ledger, and the checkpoints in it.
fn ledger(global: &Global, arguments: &Arguments, expected: Option<&Head>) -> Result<ExitCode> {
    let opened = super::open(global)?;
    let keys: Vec<VerifierKey> = opened.trusted.iter().chain(&arguments.key).cloned().collect();
    let verified = match opened.ledger.verify(expected) {
        // Damage that stops the reading is what was looked for.
        Err(LedgerError::Altered { problem }) => Verification::Tampered {
            problems: vec![problem],
        },
        verified => verified.context("verifying the ledger")?,
    };
    let (head, pruned, mut problems) = match verified {
        Verification::Intact { head, pruned } => (Some(head), pruned, Vec::new()),
        Verification::Tampered { problems } => (None, 0, problems),
    };
    if head.is_some() {
        problems = checkpoints::problems(&opened.ledger, &keys)?;
    }
    match head.filter(|_| problems.is_empty()) {
        Some(head) => {
            let signed = opened.ledger.entries(Some(CHECKPOINT))?.len();
            let document = serde_json::json!({
                "verified": true, "head": head.to_string(), "checkpoints": signed, "pruned": pruned
            });
            global.print(&document, || {
                let signed = count(signed, "signed checkpoint in it holds", "signed checkpoints in it hold");
                let gone = match pruned {
                    0 => String::new(),
                    gone => format!("\nBodies of {gone} entries were pruned; their places are still proved."),
                };
                format!("The ledger is intact: {head}\n{signed}.{gone}")
            })?;
            Ok(ExitCode::Success)
        }
        None => {
            global.print(&serde_json::json!({ "verified": false, "problems": problems }), || {
                let lines: Vec<String> = problems.iter().map(|problem| format!("  - {problem}")).collect();
                format!("The ledger was changed:\n{}", lines.join("\n"))
            })?;
            Ok(ExitCode::Failed)
        }
    }
}

fn of_bundle(global: &Global, arguments: &Arguments, file: &Path, bytes: &[u8]) -> Result<ExitCode> {
    let bundle = Bundle::parse(bytes).map_err(|error| {
        BadInput::new(
            format!("`{}`: {error}", file.display()),
            "`holdpoint ledger export` makes bundles; was this one cut off or edited?",
        )
    })?;
    let approvers = arguments.approvers.as_deref().map(approvers).transpose()?;
    let key = one_key(&arguments.key)?;
    let verified = bundle::verify(&bundle, key, approvers.as_ref());
    global.print(&output::document(&verified), || output::text(&verified))?;
    Ok(match verified.verdict {
        Verdict::Passed => ExitCode::Success,
        Verdict::Inconclusive => ExitCode::Inconclusive,
        Verdict::Failed => ExitCode::Failed,
    })
}

fn approvers(file: &Path) -> Result<Approvers> {
    let name = file.display().to_string();
    let text = String::from_utf8(read(file)?)
        .map_err(|_| BadInput::new(format!("`{name}` is not text"), "name an allowed_signers file"))?;
    Approvers::parse(&name, &text).map_err(|problems| {
        problems
            .into_iter()
            .next()
            .map_or_else(|| anyhow::anyhow!("`{name}` can't be read"), Into::into)
    })
}

fn inclusion(global: &Global, proof: &InclusionDocument, keys: &[VerifierKey]) -> Result<ExitCode> {
    let key = needed_key(keys)?;
    let shown = proof.verify(key).map(|checkpoint| {
        format!(
            "Entry {} is in the log `{}` of {} entries: its leaf is {}.",
            proof.seq, checkpoint.origin, checkpoint.head.size, proof.leaf
        )
    });
    told(global, shown.map_err(|error| error.to_string()))
}

fn consistency(
    global: &Global,
    proof: &ConsistencyDocument,
    keys: &[VerifierKey],
    kept: Option<&Head>,
) -> Result<ExitCode> {
    let key = needed_key(keys)?;
    let shown = proof
        .verify(key)
        .map_err(|error| error.to_string())
        .and_then(|checkpoint| {
            if let Some(kept) = kept.filter(|kept| **kept != proof.first) {
                return Err(format!(
                    "the proof begins at {}, not at the head that you gave, {kept}",
                    proof.first
                ));
            }
            let unknown = match kept {
                Some(_) => "",
                None => " Compare the first with the one that you have kept, or give that with `--head`.",
            };
            Ok(format!(
                "The log `{}` of {} begins with all of {}.{unknown}",
                checkpoint.origin, checkpoint.head, proof.first
            ))
        });
    told(global, shown)
}

fn checkpoint(
    global: &Global,
    file: &Path,
    text: &str,
    arguments: &Arguments,
    expected: Option<&Head>,
) -> Result<ExitCode> {
    if let Err(error) = Note::parse(text) {
        return Err(BadInput::new(
            format!("`{}` is no bundle, proof or checkpoint: {error}", file.display()),
            "`holdpoint ledger export`, `prove`, `consistency` and `checkpoint` make them",
        )
        .into());
    }
    let key = needed_key(&arguments.key)?;
    let shown = Checkpoint::verified(text, key)
        .map_err(|error| error.to_string())
        .and_then(|checkpoint| {
            if let Some(expected) = expected.filter(|expected| **expected != checkpoint.head) {
                return Err(format!("it stands for {}, not for {expected}", checkpoint.head));
            }
            Ok(format!(
                "The log `{}` was at {} when this was signed.",
                checkpoint.origin, checkpoint.head
            ))
        });
    told(global, shown)
}

fn told(global: &Global, shown: Result<String, String>) -> Result<ExitCode> {
    match shown {
        Ok(says) => {
            global.print(&serde_json::json!({ "verified": true, "says": says }), || clean(&says))?;
            Ok(ExitCode::Success)
        }
        Err(problem) => {
            global.print(&serde_json::json!({ "verified": false, "problems": [problem] }), || {
                format!("It proves nothing: {}", clean(&problem))
            })?;
            Ok(ExitCode::Failed)
        }
    }
}

/// The one key of a bundle, if any was given.
fn one_key(keys: &[VerifierKey]) -> Result<Option<&VerifierKey>> {
    match keys {
        [] => Ok(None),
        [key] => Ok(Some(key)),
        _ => Err(BadInput::new(
            "several keys were given",
            "a file is signed with one key: give that one",
        )
        .into()),
    }
}

/// The key of what says nothing about its own key.
fn needed_key(keys: &[VerifierKey]) -> Result<&VerifierKey> {
    one_key(keys)?.ok_or_else(|| {
        BadInput::new(
            "a proof or checkpoint is verified with the ledger's public key, and none was given",
            "give it with `--key`; `holdpoint ledger key` prints it in the estate",
        )
        .into()
    })
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let unreadable = |why: String| {
        BadInput::new(
            format!("`{}` can't be read: {why}", file.display()),
            "name a file that `holdpoint ledger` made",
        )
    };
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(MAX_BUNDLE_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(unreadable(format!("it is longer than {MAX_BUNDLE_BYTES} bytes")).into());
    }
    Ok(bytes)
}

/// What a document says that it is.
fn format(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Formatted {
        format: String,
    }
    serde_json::from_slice::<Formatted>(bytes)
        .ok()
        .map(|document| document.format)
}

fn parsed<T: DeserializeOwned>(file: &Path, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        BadInput::new(
            format!("`{}` is not the proof that it says it is: {error}", file.display()),
            "`holdpoint ledger prove` and `consistency` make proofs",
        )
        .into()
    })
}
