//! What a decision leads to: a pull request, or a merge of exactly the tree that was tested.

mod commit;
mod merge;
mod propose;
mod together;

pub use merge::{AUTO_APPLY, auto_apply, merge, merged_with, settle_intents};
pub use propose::{propose, proposed_with};
pub use together::{Member, TESTED_TOGETHER, auto_apply_together, tested_together};

use anyhow::Result;
use holdpoint_forge::LocalForge;
use holdpoint_schemas::fix::{Fix, FixKind};

use super::mirror::Mirror;
use super::report::Outcome;
use super::session::Session;
use crate::failure::BadInput;

/// Why a merge wasn't done when the branch moved: the fix is tested again on the new base.
pub const BASE_MOVED: &str = "the branch moved while the fix was being tested";

/// Outcome of a fix whose branch moved.
fn base_moved() -> Outcome {
    Outcome::NotDone {
        why: BASE_MOVED.to_owned(),
    }
}

/// Name of the branch that holds a candidate.
pub fn branch_name(fix: &Fix) -> String {
    format!("holdpoint/{}", fix.id.short())
}

/// The forge of a repo.
///
/// # Errors
/// When the estate has no such repo.
pub fn forge(session: &Session, repo: &str) -> Result<LocalForge> {
    let config = session.estate.repo(repo)?;
    let mirror = session
        .mirrors
        .get(repo)
        .ok_or_else(|| BadInput::new(format!("the repo `{repo}` can't be read"), "check its remote"))?;
    let documents = session.estate.state().join("pull-requests").join(repo);
    Ok(LocalForge {
        remote: session.estate.remote(config).into(),
        cache: mirror.path.clone(),
        pull_requests: documents,
    })
}

fn mirror<'a>(session: &'a Session, repo: &str) -> Result<&'a Mirror> {
    session
        .mirrors
        .get(repo)
        .ok_or_else(|| anyhow::anyhow!("the repo `{repo}` has no mirror"))
}

/// Fetches a repo again.
///
/// # Errors
/// When its remote can't be reached.
pub fn refresh(session: &mut Session, repo: &str) -> Result<()> {
    let mirror = Mirror::fetch(&session.estate, repo)?;
    session.mirrors.insert(repo.to_owned(), mirror);
    Ok(())
}

/// What people should do besides.
pub fn advice(fix: Option<&Fix>) -> Vec<String> {
    match fix.map(|fix| fix.classification.kind) {
        Some(FixKind::SecretToReference) => vec![
            "The old value stays in the repo's history: rotate it, and put the new value only where the variable is provisioned.".to_owned(),
        ],
        _ => Vec::new(),
    }
}
