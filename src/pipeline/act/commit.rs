//! The commits that fixes become.

use anyhow::Result;
use holdpoint_forge::{Candidate, commit_candidate};
use holdpoint_schemas::Digest;
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::Fix;

use super::mirror;
use crate::pipeline::document;
use crate::pipeline::session::Session;

/// A fix, and what its commit says of it.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    /// A finding that it resolves.
    pub(super) finding: &'a RepoFinding,
    /// The fix.
    pub(super) fix: &'a Fix,
    /// What permits it.
    pub(super) decision: &'a Decision,
    /// What was found out about it.
    pub(super) evidence: &'a EvidenceRecord,
    /// Whose go it has; `None` where nobody had to be asked.
    pub(super) approved_by: Option<&'a str>,
}

/// Where a commit stands and what it holds.
pub(super) struct Place<'a> {
    /// The only parent.
    pub(super) parent: &'a str,
    /// Tree.
    pub(super) tree: &'a str,
    /// Fixes that were tested as one with it.
    pub(super) together: usize,
}

impl Change<'_> {
    /// Commits the candidate's tree on its base. The same inputs give the same commit.
    pub(super) fn commit(&self, session: &mut Session) -> Result<String> {
        let place = Place {
            parent: &self.fix.base_commit,
            tree: &self.fix.candidate_tree,
            together: 1,
        };
        self.commit_at(session, &place)
    }

    /// Commits it elsewhere.
    pub(super) fn commit_at(&self, session: &mut Session, place: &Place<'_>) -> Result<String> {
        let head = session.ledger.head()?.to_string();
        let Self {
            finding,
            fix,
            decision,
            evidence,
            approved_by,
        } = *self;
        let mirror = mirror(session, &fix.repo)?;
        let mut trailers = vec![
            (
                "Holdpoint-Finding".to_owned(),
                format!("{} {}", finding.id(), finding.finding.fingerprint),
            ),
            ("Holdpoint-Fix".to_owned(), fix.id.to_string()),
            ("Holdpoint-Decision".to_owned(), decision.id.to_string()),
            (
                "Holdpoint-Evidence".to_owned(),
                Digest::of_json(&evidence.evidence)?.to_string(),
            ),
            ("Holdpoint-Ledger".to_owned(), head),
        ];
        trailers.extend(approved_by.map(|people| ("Holdpoint-Approved-By".to_owned(), people.to_owned())));
        if place.together > 1 {
            let count = format!("{} fixes", place.together);
            trailers.push(("Holdpoint-Tested-Together".to_owned(), count));
        }
        let candidate = Candidate {
            base_commit: place.parent.to_owned(),
            tree: place.tree.to_owned(),
            author_name: format!("Holdpoint for {}", fix.remediator),
            author_email: "holdpoint@localhost".to_owned(),
            at: session.at,
            message: document::commit_message(finding, fix, decision),
            trailers,
        };
        Ok(commit_candidate(&mirror.git, &candidate)?)
    }
}
