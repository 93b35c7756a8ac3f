//! Claims that people make by hand, such as controls and freezes: an entry in one of the estate's
//! files, signed with their git identity and committed.
//!
//! Of the estate only `holdpoint.yaml` and the file itself must be readable: at three in the morning a
//! claim can't wait until somebody has mended the policies.

pub mod controls;
mod file;
pub mod freezes;
pub mod moments;

use anyhow::Result;
use holdpoint_forge::git::{Committed, FileState, Signing, WorkTree, identity};
use holdpoint_schemas::Timestamp;
use std::path::Path;

use super::estate::CONFIG_FILE;
use crate::failure::BadInput;
use crate::output::text::clean;
use file::{EditedFile, lock};

/// Longest text that a claim may hold, in characters: a sentence or two.
const MAX_TEXT: usize = 500;
/// Longest subject of a commit.
const MAX_SUBJECT: usize = 100;

/// Where an entry was written.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// File of the estate.
    pub file: String,
    /// The commit; `None` when the estate is in no git work tree.
    pub commit: Option<Committed>,
    /// Whether that is signed.
    pub signed: bool,
}

/// A commit's message.
struct Message {
    subject: String,
    body: String,
}

/// Changes one of the estate's files and commits it, and only it. On an error all is as it was.
///
/// # Errors
/// When the file is no plain file of the estate, holds changes that aren't committed, can't be edited,
/// or is changed by somebody else meanwhile; and when git doesn't know who commits, has no key to sign
/// with, or can't commit.
fn record<T>(
    root: &Path,
    name: &str,
    signing: Signing,
    edit: impl FnOnce(&str) -> Result<(String, Message, T)>,
) -> Result<(T, Recorded)> {
    let _lock = lock(&root.join(CONFIG_FILE))?;
    let file = EditedFile::open(root, name)?;
    let tree = ready(&file, signing)?;
    let (new, message, value) = edit(file.text())?;
    file.replace(&new)?;
    let mut recorded = Recorded {
        file: name.to_owned(),
        commit: None,
        signed: false,
    };
    if let Some(tree) = tree {
        match tree.commit(file.name(), &message.subject, &message.body, signing) {
            Ok(commit) => {
                recorded.signed = signing == Signing::Configured;
                recorded.commit = Some(commit);
            }
            Err(error) => {
                file.restore(&new)?;
                let help = match signing {
                    Signing::Configured => {
                        "see what `git status` says in the estate's folder; if it is about signing, check git's \
                         `gpg.format` and `user.signingkey`, or add `--unsigned`"
                    }
                    Signing::Unsigned => "see what `git status` says in the estate's folder",
                };
                return Err(BadInput::new(format!("{error}; `{name}` is as it was"), help).into());
            }
        }
    }
    Ok((value, recorded))
}

/// The work tree that the file is to be committed in, once nothing stands against that.
fn ready(file: &EditedFile, signing: Signing) -> Result<Option<WorkTree>> {
    let Some(tree) = WorkTree::of(file.folder())? else {
        return Ok(None);
    };
    let (shown, plain) = (file.shown(), file.name());
    match tree.state(plain)? {
        FileState::Clean => {}
        FileState::Changed => {
            return Err(BadInput::new(
                format!("`{shown}` holds changes that aren't committed"),
                format!("commit them (`git commit {plain}`) or take them back (`git restore --staged --worktree {plain}`) first"),
            )
            .into());
        }
        FileState::Untracked => {
            return Err(BadInput::new(
                format!("git doesn't keep `{shown}`, though the estate is in a git work tree"),
                format!("commit it first: `git add {plain} && git commit {plain}`"),
            )
            .into());
        }
    }
    if identity(file.folder())?.is_none() {
        return Err(BadInput::new(
            "git doesn't know who you are, and a claim is committed in somebody's name",
            "`git config --global user.name \"YOUR NAME\" && git config --global user.email YOU@EXAMPLE`",
        )
        .into());
    }
    if signing == Signing::Configured && !tree.has_key()? {
        return Err(BadInput::new(
            "git has no key to sign the commit with",
            "`git config --global gpg.format ssh && git config --global user.signingkey ~/.ssh/id_ed25519.pub`; \
             or add `--unsigned` to commit without a signature",
        )
        .into());
    }
    Ok(Some(tree))
}

/// Who makes the claim: whoever was named, or git's identity.
fn owner(root: &Path, by: Option<&str>) -> Result<String> {
    match by {
        Some(by) => name("--by", by),
        None => match identity(root)? {
            Some(identity) => Ok(identity.email),
            None => Err(BadInput::new(
                "nobody says who makes the claim",
                "name yourself with `--by`, or set git's `user.name` and `user.email`",
            )
            .into()),
        },
    }
}

/// A sentence of a person: on one line, without what could deceive a reader.
fn sentence(what: &str, text: &str) -> Result<String> {
    let text = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(BadInput::new(format!("`{what}` is empty"), "say it in a few words").into());
    }
    if text.chars().count() > MAX_TEXT {
        let message = format!("`{what}` is longer than {MAX_TEXT} characters");
        return Err(BadInput::new(message, "keep it short and name the incident").into());
    }
    Ok(text)
}

/// A name that something else must match: taken as it is, or not at all.
fn name(what: &str, text: &str) -> Result<String> {
    if text.trim().is_empty() || text.trim() != text || clean(text) != text || text.chars().count() > MAX_TEXT {
        return Err(BadInput::new(
            format!("`{}` can't be used for `{what}`", clean(text)),
            "it must not be empty or long, nor hold control characters or spaces at its ends",
        )
        .into());
    }
    Ok(text.to_owned())
}

/// A moment without fractions of a second: nobody types them.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The file that `holdpoint.yaml` names, or what to add to it.
fn named<'a>(file: Option<&'a String>, key: &str) -> Result<&'a String> {
    file.ok_or_else(|| {
        BadInput::new(
            format!("`{CONFIG_FILE}` names no {key} file"),
            format!("add the line `{key}: {key}.yaml` to `{CONFIG_FILE}`, and make that file: it may be empty"),
        )
        .into()
    })
}
