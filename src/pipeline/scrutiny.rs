//! How much a fix's green is doubted: by what it is, and by how far it may go.

use holdpoint_runner::scrutiny::{AUTO_APPLY_RUNS, AUTO_APPLY_SECONDS, Scrutiny};
use holdpoint_schemas::Level;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::{Fix, FixKind};
use std::collections::BTreeSet;

use super::facts::Moment;
use super::history::History;
use super::owners::Owners;
use super::session::Session;

impl Session {
    /// What is asked of the evidence of a fix that may go as far as `reach`.
    pub fn scrutiny(
        &self,
        history: &History,
        finding: &RepoFinding,
        fix: &Fix,
        owners: &Owners<'_>,
        reach: Level,
    ) -> Scrutiny {
        let merges = reach == Level::AutoApply;
        let moment = Moment {
            estate: &self.estate,
            mirror: self.mirrors.get(&fix.repo),
            history,
            finding,
            fix: Some(fix),
            owners,
            repo_knowledge: &self.repo_knowledge,
            now: self.at,
        };
        Scrutiny {
            clean_runs: if merges { AUTO_APPLY_RUNS } else { 0 },
            clean_seconds: if merges { AUTO_APPLY_SECONDS } else { 0 },
            known_flaky: history.flaky.get(&fix.repo).cloned().unwrap_or_default(),
            // What can't be told leaves no lines, and no lines are no evidence.
            used_lines: match fix.classification.kind {
                FixKind::DependencyUpgrade => self.repo_knowledge.used_lines(&moment, fix).unwrap_or_default(),
                _ => BTreeSet::new(),
            },
            sensitivity: merges && changes_behaviour(fix.classification.kind),
            irreversible: irreversible(fix),
        }
    }
}

/// Whether undoing a fix of this kind is something that a test could notice. Layout and generated stamps change
/// nothing that runs; what an upgrade changes isn't in the repo.
pub const fn changes_behaviour(kind: FixKind) -> bool {
    match kind {
        FixKind::SecretToReference
        | FixKind::SecurityHeader
        | FixKind::ConfigFlag
        | FixKind::IacAttribute
        | FixKind::Logic => true,
        FixKind::DependencyUpgrade | FixKind::Formatting | FixKind::GeneratedCode => false,
    }
}

/// Why a fix isn't taken back by taking its change back.
fn irreversible(fix: &Fix) -> Option<String> {
    let classification = &fix.classification;
    let migration = &classification.operations.migration;
    if migration.needed == Some(true) {
        return Some(format!("it migrates stored data: {}", migration.because));
    }
    let gone = classification.iac_removed.first()?;
    Some(format!("it removes `{gone}`, which a revert would make anew and empty"))
}
