//! What the application knows and the runner asks for: reading reports, built-in scanners, and what
//! consumers rely on.

use holdpoint_contract::http::{HttpMessage, Interaction, match_message};
use holdpoint_intake::report::{ReportContext, SourceLines, read_report};
use holdpoint_runner::ReportReader;
use holdpoint_runner::agent::AgentResponse;
use holdpoint_runner::contract_check::{ContractJudge, Mismatch};
use holdpoint_schemas::evidence::Side;
use holdpoint_schemas::finding::Finding;

use std::sync::Arc;

use crate::pipeline::estate::borrowed;
use crate::pipeline::findings::OSV_LOCKFILE;
use crate::pipeline::tree_files::TreeFiles;

/// What the application knows and the runner doesn't.
pub struct Knowledge {
    pub(super) repo: String,
    pub(super) secret_key: Option<Vec<u8>>,
    pub(super) expected: Vec<Vec<Interaction>>,
    pub(super) advisories: Option<Arc<holdpoint_intake::advisory::Advisories>>,
    pub(super) baseline: TreeFiles,
    pub(super) candidate: TreeFiles,
}

impl Knowledge {
    /// The same about two trees.
    pub(super) fn with_trees(&self, baseline: Arc<[u8]>, candidate: Arc<[u8]>) -> Self {
        Self {
            repo: self.repo.clone(),
            secret_key: self.secret_key.clone(),
            expected: self.expected.clone(),
            advisories: self.advisories.clone(),
            baseline: TreeFiles::new(baseline),
            candidate: TreeFiles::new(candidate),
        }
    }
}

impl ReportReader for Knowledge {
    fn read(&self, scanner: &str, side: Side, report: &[u8]) -> Result<Vec<Finding>, String> {
        let source: &dyn SourceLines = self.files(side);
        let context = ReportContext {
            repo: &self.repo,
            file: scanner,
            source,
            secret_key: self.secret_key.as_deref(),
        };
        read_report(report, &context)
            .map(|report| report.findings)
            .map_err(|error| error.to_string())
    }

    fn scan_tree(&self, scanner: &str, side: Side, _tree: &[u8]) -> Result<Vec<Finding>, String> {
        if scanner != OSV_LOCKFILE {
            return Err(format!("`{scanner}` is no built-in scanner"));
        }
        let advisories = self.advisories.as_ref().ok_or("the advisories can't be read")?;
        // What couldn't be read could hide anything: then "nothing found" would be a guess.
        if let Some(path) = self
            .files(side)
            .unread()?
            .iter()
            .find(|path| holdpoint_intake::advisory::is_lockfile(path))
        {
            return Err(format!("the lockfile `{path}` is no UTF-8 text, or too long"));
        }
        let lockfiles: Vec<(String, String)> = self
            .files(side)
            .texts()?
            .into_iter()
            .filter(|(path, _)| holdpoint_intake::advisory::is_lockfile(path))
            .collect();
        let (findings, skipped) = advisories
            .match_lockfiles(&self.repo, &borrowed(&lockfiles))
            .map_err(|error| error.to_string())?;
        if skipped.is_empty() {
            Ok(findings)
        } else {
            Err(format!("not all lockfiles could be read: {}", skipped.join("; ")))
        }
    }
}

impl Knowledge {
    const fn files(&self, side: Side) -> &TreeFiles {
        match side {
            Side::Baseline => &self.baseline,
            Side::Candidate => &self.candidate,
        }
    }
}

impl ContractJudge for Knowledge {
    fn judge(&self, consumer: usize, interaction: usize, answer: &AgentResponse) -> Vec<Mismatch> {
        let Some(expected) = self
            .expected
            .get(consumer)
            .and_then(|interactions| interactions.get(interaction))
        else {
            return Vec::new();
        };
        let body = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| serde_json::Value::String(String::from_utf8_lossy(&answer.body).into_owned()));
        let actual = HttpMessage {
            status: Some(answer.status),
            headers: answer.headers.clone(),
            body: (!answer.body.is_empty()).then_some(body),
            ..HttpMessage::default()
        };
        match_message(&expected.response, &actual)
            .mismatches
            .into_iter()
            .map(|mismatch| Mismatch {
                path: mismatch.path,
                text: mismatch.text,
            })
            .collect()
    }
}
