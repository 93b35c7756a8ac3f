//! Bundles: what an auditor is given about a finding, and what they find out from it with nothing but this program.

mod claim;
mod people;
mod replay;
mod select;
mod story;

pub use story::{Story, Told};

use anyhow::{Context, Result};
use holdpoint_ledger::Ledger;
use holdpoint_ledger::approval::Approvers;
use holdpoint_ledger::bundle::{Bundle, BundledEntry, Checked, Envelope, Part, Resource, Statement};
use holdpoint_ledger::note::{Checkpoint, Note, SignerKey, VerifierKey};
use holdpoint_ledger::proof::Leaves;
use holdpoint_schemas::digest::canonical_json;
use holdpoint_schemas::evidence::Verdict;
use std::collections::BTreeMap;

use super::approvals::find;
use super::checkpoints;
use super::history::History;
use super::retention::PRUNABLE;
use crate::failure::BadInput;

/// Program that statements name as the verifier's.
const PROGRAM: &str = "holdpoint";

/// A bundle that was made.
pub struct Exported {
    /// Short id of the finding.
    pub finding: String,
    /// The bundle.
    pub bundle: Bundle,
}

/// Most records of one kind that a bundle is read with: a finding's story has a few of each, and each costs a decision
/// made again or a signature looked at.
const MAX_OF_KIND: usize = 64;

/// Makes the bundle of a finding, by its id or the beginning of one. The same ledger and key make the same bytes.
///
/// # Errors
/// When nothing was decided about the finding, or the ledger can't be read.
pub fn export(ledger: &Ledger, key: &SignerKey, keys: &[VerifierKey], id: &str) -> Result<Exported> {
    let head = checkpoints::intact(ledger, keys)?;
    let finding = find(&History::read(ledger)?, id)?.id();
    let mut entries = ledger.entries(None)?;
    // A run may have gone on since.
    entries.retain(|entry| entry.seq <= head.size);
    let leaves: Leaves = (ledger.leaves()?.into_iter())
        .take(usize::try_from(head.size)?)
        .collect();
    anyhow::ensure!(
        leaves.head(head.size) == Some(head),
        "the ledger was changed while it was read"
    );
    let mut whole = Story::default();
    for entry in &entries {
        whole
            .read(entry.seq, entry.at, &entry.kind, &entry.body)
            .map_err(anyhow::Error::msg)?;
    }
    let places = select::entries(&whole, &entries, &finding);
    if places.is_empty() {
        return Err(BadInput::new(
            format!("nothing was decided about `{finding}` yet"),
            "`holdpoint run` decides; a bundle shows what was decided",
        )
        .into());
    }
    let bundled = entries
        .iter()
        .filter(|entry| places.contains(&entry.seq))
        .map(|entry| BundledEntry::of(entry, &leaves, head.size))
        .collect::<Option<Vec<_>>>()
        .context("proving that entries are in the log")?;
    let mut bundle = Bundle {
        format: Bundle::FORMAT.to_owned(),
        key: key.verifier().to_string(),
        checkpoint: Checkpoint::sign(head, key)?.to_string(),
        envelope: Envelope::sign(&[], key),
        entries: bundled,
    };
    let (story, problems) = told(&bundle);
    if let Some(problem) = problems.into_iter().next() {
        anyhow::bail!(problem);
    }
    let checkpoint = Checkpoint {
        origin: key.verifier().name().to_owned(),
        head,
    };
    let version = BTreeMap::from([(PROGRAM.to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let statement = claim::statement(&story, &finding, &checkpoint, resources(&bundle), version)
        .context("the entries don't tell of a decision")?;
    bundle.envelope = Envelope::sign(&canonical_json(&statement)?, key);
    Ok(Exported { finding, bundle })
}

/// What was found out about a bundle.
#[derive(Debug)]
pub struct Verified {
    /// Part by part, in the order of [`Part`].
    pub checks: Vec<Checked>,
    /// The worst of them.
    pub verdict: Verdict,
    /// Whether the log's key came from outside of the bundle.
    pub key_given: bool,
    /// The statement, believed or not.
    pub statement: Option<Statement>,
    /// What the entries say, believed or not.
    pub story: Story,
}

/// Checks everything about a bundle: signatures, digests and proofs, that the statement says what the entries say, that
/// the decisions follow from them, that the people who approved did, and that what was merged is what was permitted.
///
/// `key` is the log's public key, and `approvers` are the people who may approve, as the auditor knows them; without
/// them, the bundle's own word is taken for both.
pub fn verify(bundle: &Bundle, key: Option<&VerifierKey>, approvers: Option<&Approvers>) -> Verified {
    let (mut checks, statement) = bundle.check(key);
    let (story, problems) = told(bundle);
    let pruned: Vec<u64> = bundle
        .entries
        .iter()
        .filter(|entry| entry.body.is_none())
        .map(|entry| entry.seq)
        .collect();
    if let Some(documents) = checks.iter_mut().find(|checked| checked.part == Part::Documents) {
        for problem in problems {
            documents.fail(problem);
        }
        for seq in &pruned {
            documents.unclear(format!("the record of entry {seq} was pruned: only its digest is left"));
        }
        // What people said is never pruned: somebody hides it.
        for entry in bundle.entries.iter().filter(|entry| entry.body.is_none()) {
            if !PRUNABLE.contains(&entry.kind.as_str()) {
                let (seq, kind) = (entry.seq, entry.kind.escape_debug());
                documents.fail(format!(
                    "the record of entry {seq} is left out, and `{kind}` is never pruned"
                ));
            }
        }
    }
    if let Some(statement) = &statement {
        checks.push(claims(bundle, &story, statement, !pruned.is_empty()));
    }
    checks.push(replay::decisions(&story));
    checks.push(people::approvals(&story, approvers));
    checks.push(people::merges(&story, approvers));
    checks.sort_by_key(|checked| checked.part);
    let verdict = checks
        .iter()
        .map(|checked| checked.verdict)
        .min()
        .unwrap_or(Verdict::Failed);
    Verified {
        checks,
        verdict,
        key_given: key.is_some(),
        statement,
        story,
    }
}

/// What the entries of a bundle say, and what is wrong with their form.
fn told(bundle: &Bundle) -> (Story, Vec<String>) {
    let mut story = Story {
        limit: Some(MAX_OF_KIND),
        ..Story::default()
    };
    let mut problems = Vec::new();
    for entry in &bundle.entries {
        let Some(body) = &entry.body else { continue };
        problems.extend(story.read(entry.seq, entry.at, &entry.kind, body).err());
    }
    (story, problems)
}

/// All that a statement rests on.
fn resources(bundle: &Bundle) -> Vec<Resource> {
    let entries = bundle.entries.iter().map(BundledEntry::resource);
    entries.chain([bundle.checkpoint_resource()]).collect()
}

/// The statement must be the one that the entries lead to.
fn claims(bundle: &Bundle, story: &Story, statement: &Statement, pruned: bool) -> Checked {
    let said = &statement.predicate;
    let mut checked = Checked::passed(Part::Claims, "the statement says what the entries say");
    let checkpoint = Note::parse(&bundle.checkpoint)
        .ok()
        .and_then(|note| Checkpoint::parse(note.unverified()).ok());
    let expected = checkpoint.and_then(|checkpoint| {
        let version = said.verifier.version.clone();
        claim::statement(story, &said.decision.finding, &checkpoint, resources(bundle), version)
    });
    let Some(expected) = expected else {
        let why = format!("the entries don't tell of a decision on `{}`", said.decision.finding);
        if pruned {
            checked.unclear(why);
        } else {
            checked.fail(why);
        }
        return checked;
    };
    let expects = &expected.predicate;
    for (what, same) in [
        ("subject", statement.subject == expected.subject),
        ("verifier", said.verifier == expects.verifier),
        ("time", said.time_verified == expects.time_verified),
        ("resource", said.resource_uri == expects.resource_uri),
        ("policy", said.policy == expects.policy),
        (
            "list of what it rests on",
            said.input_attestations == expects.input_attestations,
        ),
        ("result", said.verification_result == expects.verification_result),
        ("levels", said.verified_levels == expects.verified_levels),
        ("decision", said.decision == expects.decision),
    ] {
        let problem = format!("its {what} is not what the entries lead to");
        match (same, pruned) {
            (true, _) => {}
            (false, true) => checked.unclear(problem),
            (false, false) => checked.fail(problem),
        }
    }
    checked
}

#[cfg(test)]
mod tests;
