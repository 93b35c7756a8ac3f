//! An estate in the hands of one process.

use anyhow::{Context, Result};
use holdpoint_ledger::Ledger;
use holdpoint_ledger::note::SignerKey;
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{SourceError, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::approvals;
use super::checkpoints;
use super::estate::{Estate, Source, topology};
use super::facts::{self, Moment, touched_addresses, touched_paths};
use super::history::{History, Memory};
use super::inputs::Asked;
use super::ledger_key;
use super::mirror::Mirror;
use super::owners::Owners;
use super::record::{RUN, Recorder};
use super::repo_knowledge::RepoKnowledge;
use super::rollout::standing::Standing;
use super::state::State;
use super::store::Location;

/// Whose run a session is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// This process runs the estate.
    Runs,
    /// Another host does, and this one helps: it writes no more to the ledger than the evidence that it found.
    Assists,
}

/// An estate in the hands of one process.
pub struct Session {
    /// Estate.
    pub estate: Estate,
    /// Its state folder, locked.
    pub state: State,
    /// Its ledger.
    pub ledger: Ledger,
    /// What signs the ledger's head.
    pub ledger_key: SignerKey,
    /// Lanes and caps that were decided with.
    pub asked: Asked,
    /// What the ledger holds, as far as it was read.
    pub memory: Memory,
    /// Whose run it is.
    pub role: Role,
    /// Its repos.
    pub mirrors: BTreeMap<String, Mirror>,
    /// The injected clock.
    pub at: Timestamp,
    /// Where its lanes stand, by what the ledger held when it was last asked ([`Session::stand`]).
    pub standing: Standing,
    /// What was worked out of its repos.
    pub repo_knowledge: RepoKnowledge,
    /// What couldn't be read.
    pub problems: Vec<SourceError>,
}

/// A remote without what may be a secret: who logs in, and how.
fn shown_remote(remote: &str) -> String {
    let Some((scheme, rest)) = remote.split_once("://") else {
        return remote.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => remote.to_owned(),
    }
}

impl Session {
    /// Loads the estate, takes its state folder, opens its ledger and fetches its repos.
    ///
    /// # Errors
    /// When the estate can't be used, another run holds it, or the ledger was tampered with.
    pub fn open(root: &Path, at: Timestamp) -> Result<Self> {
        let estate = Estate::load(root)?;
        let mut state = State::take(&estate.state())?;
        let ledger = state.ledger(&Location::of(&estate.root, &estate.config)?)?;
        Self::over(estate, state, ledger, Role::Runs, at)
    }

    /// The same, to help the run of another host: as of that run's moment, and nothing is written to the ledger.
    ///
    /// # Errors
    /// As [`Session::open`], and when no run was ever begun.
    pub fn open_to_assist(root: &Path) -> Result<Self> {
        let estate = Estate::load(root)?;
        let state = State::take(&estate.state())?;
        let ledger = state.ledger_of_another(&Location::of(&estate.root, &estate.config)?)?;
        let runs = ledger.entries(Some(RUN))?;
        let at = runs.last().context("the ledger has no run that could be helped")?.at;
        Self::over(estate, state, ledger, Role::Assists, at)
    }

    fn over(mut estate: Estate, state: State, ledger: Ledger, role: Role, at: Timestamp) -> Result<Self> {
        let ledger_key = ledger_key::signer(&estate.root, &estate.config)?;
        let forged = checkpoints::problems(&ledger, &ledger_key::trusted(&estate.root, &estate.config)?)?;
        if !forged.is_empty() {
            return Err(checkpoints::refused(&forged).into());
        }
        estate.secret_key = Some(state.secret_key()?);
        let mut problems = std::mem::take(&mut estate.problems);
        let mut mirrors = BTreeMap::new();
        for repo in &estate.config.repos {
            match Mirror::fetch(&estate, &repo.name) {
                Ok(mirror) => {
                    mirrors.insert(repo.name.clone(), mirror);
                }
                Err(error) => problems.push(
                    SourceError::new(shown_remote(&repo.remote), format!("{error:#}"))
                        .help("check the `remote` of this repo in `holdpoint.yaml`"),
                ),
            }
        }
        if let Source::Known(catalogue) = &mut estate.catalogue {
            for mirror in mirrors.values() {
                let files = mirror.ci_files();
                let claims = topology::claims_of_repo(&mirror.name, &files);
                topology::apply_claims(catalogue, &claims);
            }
        }
        let approvers = approvals::approvers(&estate.root, &estate.config);
        let mut memory = Memory::default();
        let history = memory.up_to_date(&ledger)?;
        let standing = Standing::of(&estate.rollout, &history.rollout, &approvers, at);
        Ok(Self {
            standing,
            estate,
            state,
            ledger,
            ledger_key,
            asked: Asked::default(),
            memory,
            role,
            mirrors,
            at,
            repo_knowledge: RepoKnowledge::default(),
            problems,
        })
    }

    /// Appends to the ledger what it doesn't hold yet.
    pub fn recorder(&mut self) -> Recorder<'_> {
        Recorder::new(&mut self.ledger, &mut self.memory.written, self.role, self.at)
    }

    /// What the ledger holds by now.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn history(&mut self) -> Result<Arc<History>> {
        self.memory.up_to_date(&self.ledger)
    }

    /// Facts about a finding and its fix, now.
    pub fn facts(&self, history: &History, finding: &RepoFinding, fix: Option<&Fix>) -> (FactSet, ServiceId) {
        let owners = self.owners(finding, fix);
        let moment = Moment {
            estate: &self.estate,
            mirror: self.mirrors.get(&finding.repo),
            history,
            finding,
            fix,
            owners: &owners,
            repo_knowledge: &self.repo_knowledge,
            now: self.at,
        };
        (facts::collect(&moment), owners.primary())
    }

    /// Owners of what a fix or finding touches.
    pub fn owners<'a>(&'a self, finding: &'a RepoFinding, fix: Option<&'a Fix>) -> Owners<'a> {
        Owners::of(
            &self.estate,
            &finding.repo,
            &touched_paths(finding, fix),
            &touched_addresses(finding, fix),
        )
    }
}

/// Runs git and SQLite work where it may block.
///
/// # Errors
/// The work's own, or that it panicked.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .context("a background task broke off")?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_logs_in_is_not_shown() {
        for (remote, shown) in [
            ("https://bot:ghp_x@git.example/a.git", "https://***@git.example/a.git"),
            ("https://token@git.example", "https://***@git.example"),
            ("ssh://git@git.example:22/a@b", "ssh://***@git.example:22/a@b"),
            ("https://git.example/a@b", "https://git.example/a@b"),
            ("git@git.example:a/b.git", "git@git.example:a/b.git"),
            ("remotes/a", "remotes/a"),
        ] {
            assert_eq!(shown_remote(remote), shown);
        }
    }
}
