//! What can be checked of a bundle without knowing what its entries mean.

use holdpoint_schemas::Digest;
use holdpoint_schemas::evidence::Verdict;
use serde::Serialize;
use std::collections::BTreeMap;

use super::{Bundle, Resource, STATEMENT_TYPE, SUMMARY_TYPE, Statement, strict};
use crate::note::{Checkpoint, VerifierKey};
use crate::proof::verify_inclusion;

/// Problems listed at most for one part.
const MAX_PROBLEMS: usize = 20;

/// What was looked at, in the order in which people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Whose key it is.
    Key,
    /// The signed statement.
    Statement,
    /// The log's signed head.
    Checkpoint,
    /// Whether the statement names exactly the entries.
    Documents,
    /// Whether each entry is in the log.
    Log,
    /// Whether the statement says what the entries say.
    Claims,
    /// Whether the decisions follow from what they rest on.
    Decisions,
    /// Whether the people who approved did.
    Approvals,
    /// Whether what was merged is what was permitted.
    Merge,
}

impl Part {
    /// The name that people see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Statement => "statement",
            Self::Checkpoint => "checkpoint",
            Self::Documents => "documents",
            Self::Log => "log",
            Self::Claims => "claims",
            Self::Decisions => "decisions",
            Self::Approvals => "approvals",
            Self::Merge => "merge",
        }
    }
}

/// What was found out about one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Which.
    pub part: Part,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was checked, one line.
    pub says: String,
    /// What is wrong with it or couldn't be told, one line each; bounded.
    pub problems: Vec<String>,
}

impl Checked {
    /// A part that holds.
    #[must_use]
    pub fn passed(part: Part, says: impl Into<String>) -> Self {
        Self {
            part,
            verdict: Verdict::Passed,
            says: says.into(),
            problems: Vec::new(),
        }
    }

    /// A part that holds unless there are problems.
    #[must_use]
    pub fn of(part: Part, says: impl Into<String>, problems: Vec<String>) -> Self {
        let mut checked = Self::passed(part, says);
        for problem in problems {
            checked.fail(problem);
        }
        checked
    }

    /// Adds a problem.
    pub fn fail(&mut self, problem: impl Into<String>) {
        self.verdict = Verdict::Failed;
        self.add(problem.into());
    }

    /// Adds what couldn't be told.
    pub fn unclear(&mut self, problem: impl Into<String>) {
        self.verdict = self.verdict.min(Verdict::Inconclusive);
        self.add(problem.into());
    }

    fn add(&mut self, problem: String) {
        match self.problems.len() {
            n if n < MAX_PROBLEMS => self.problems.push(problem),
            MAX_PROBLEMS => self.problems.push("and more".to_owned()),
            _ => {}
        }
    }
}

impl Bundle {
    /// Checks signatures, digests and proofs. `key` is the log's public key as somebody outside of the log knows it;
    /// without one, the bundle's own is taken, which shows only that the bundle is of one piece.
    ///
    /// The statement is returned where it can be read, believed or not: look at the verdicts.
    #[must_use]
    pub fn check(&self, key: Option<&VerifierKey>) -> (Vec<Checked>, Option<Statement>) {
        let mut found = Vec::new();
        let own = self.key.parse::<VerifierKey>();
        found.push(check_key(key, own.as_ref()));
        let Some(key) = key.or(own.as_ref().ok()) else {
            return (found, None);
        };
        let statement = self.check_statement(key, &mut found);
        let checkpoint = match Checkpoint::verified(&self.checkpoint, key) {
            Ok(checkpoint) => {
                let says = format!("{} entries of `{}`, signed", checkpoint.head.size, checkpoint.origin);
                found.push(Checked::passed(Part::Checkpoint, says));
                Some(checkpoint)
            }
            Err(error) => {
                found.push(Checked::of(
                    Part::Checkpoint,
                    "the log's signed head",
                    vec![error.to_string()],
                ));
                None
            }
        };
        if let Some(statement) = &statement {
            found.push(self.check_documents(statement));
        }
        if let Some(checkpoint) = &checkpoint {
            found.push(self.check_log(checkpoint));
        }
        (found, statement)
    }

    fn check_statement(&self, key: &VerifierKey, found: &mut Vec<Checked>) -> Option<Statement> {
        let mut checked = Checked::passed(
            Part::Statement,
            format!(
                "an in-toto statement with an SLSA verification summary, signed by `{}`",
                key.label()
            ),
        );
        let payload = self.envelope.verified(key).or_else(|error| {
            checked.says = "an in-toto statement with an SLSA verification summary".to_owned();
            checked.fail(error.to_string());
            self.envelope.unverified()
        });
        let statement = payload.ok().and_then(|payload| {
            let read = strict::check(&payload).and_then(|()| serde_json::from_slice::<Statement>(&payload));
            read.map_err(|error| checked.fail(format!("the statement can't be read: {error}")))
                .ok()
        });
        if let Some(statement) = &statement {
            for (what, said, expected) in [
                ("statement", &statement.statement_type, STATEMENT_TYPE),
                ("predicate", &statement.predicate_type, SUMMARY_TYPE),
            ] {
                if said != expected {
                    checked.fail(format!("the {what} is of the type `{said}`, not `{expected}`"));
                }
            }
        }
        found.push(checked);
        statement
    }

    /// The statement names each entry and the checkpoint by digest, and nothing else.
    fn check_documents(&self, statement: &Statement) -> Checked {
        let mut problems = Vec::new();
        let mut named: BTreeMap<&str, &Resource> = BTreeMap::new();
        for resource in &statement.predicate.input_attestations {
            let uri = resource.uri.as_deref().unwrap_or_default();
            if named.insert(uri, resource).is_some() {
                problems.push(format!("the statement names `{uri}` twice"));
            }
        }
        for entry in self.entries.iter().filter(|entry| !entry.is_whole()) {
            problems.push(format!(
                "the record of entry {} ({}) is not the one of its digest",
                entry.seq, entry.kind
            ));
        }
        let held = self.entries.iter().map(super::BundledEntry::resource);
        for held in held.chain([self.checkpoint_resource()]) {
            let uri = held.uri.as_deref().unwrap_or_default();
            match named.remove(uri) {
                Some(resource) if *resource == held => {}
                Some(_) => problems.push(format!("`{uri}` is not what the statement names: its digest differs")),
                None => problems.push(format!("`{uri}` is not named by the statement")),
            }
        }
        let missing = named
            .keys()
            .map(|uri| format!("`{uri}` is named by the statement and isn't there"));
        problems.extend(missing);
        let says = format!(
            "{} entries and the checkpoint, each as the statement names it",
            self.entries.len()
        );
        Checked::of(Part::Documents, says, problems)
    }

    /// How the statement names the checkpoint.
    #[must_use]
    pub fn checkpoint_resource(&self) -> Resource {
        Resource::sha256(
            "holdpoint:checkpoint",
            Digest::of_bytes(self.checkpoint.as_bytes()).as_str(),
        )
    }

    fn check_log(&self, checkpoint: &Checkpoint) -> Checked {
        let mut problems = Vec::new();
        let mut proved = 0;
        let mut last = 0;
        for entry in &self.entries {
            if entry.seq <= last {
                problems.push(format!("entry {} isn't in its order", entry.seq));
            }
            last = entry.seq;
            let shown = entry
                .leaf()
                .is_some_and(|leaf| verify_inclusion(&leaf, entry.seq.wrapping_sub(1), &entry.path, &checkpoint.head));
            if shown {
                proved += 1;
            } else {
                problems.push(format!(
                    "entry {} ({}) is not in the log of the checkpoint: the entry, its place or its proof was changed",
                    entry.seq, entry.kind
                ));
            }
        }
        let says = format!(
            "{proved} of {} entries are in the log of the checkpoint",
            self.entries.len()
        );
        Checked::of(Part::Log, says, problems)
    }
}

fn check_key(given: Option<&VerifierKey>, own: Result<&VerifierKey, &crate::note::KeyError>) -> Checked {
    match (given, own) {
        (Some(given), Ok(own)) if given == own => {
            Checked::passed(Part::Key, format!("`{}`, the one that you gave", given.label()))
        }
        (Some(given), Ok(own)) => Checked::of(
            Part::Key,
            format!("`{}`, the one that you gave", given.label()),
            vec![format!("the bundle names another key, `{}`", own.label())],
        ),
        (None, Ok(own)) => Checked::passed(
            Part::Key,
            format!(
                "`{}` is only the bundle's own word; give the log's key with `--key`",
                own.label()
            ),
        ),
        (_, Err(error)) => Checked::of(
            Part::Key,
            "the log's public key",
            vec![format!("the bundle's key can't be read: {error}")],
        ),
    }
}
