//! Whether the people who approved did, and whether what was merged is what they or the policies permitted.

use holdpoint_ledger::approval::{self, ApprovalError, Approvers};
use holdpoint_ledger::bundle::{Checked, Part};
use holdpoint_schemas::approval::{SignedApproval, Verb};
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::fact::FactValue;
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::{Digest, Level, Timestamp};
use std::collections::BTreeSet;

use super::story::{Story, Told, people};
use crate::pipeline::act::AUTO_APPLY;
use crate::pipeline::approvals::EMERGENCY;
use crate::pipeline::record::MergeRecord;

/// Checks every approval and refusal in a story against who could approve: the file that was recorded then, or one that
/// the auditor has.
pub fn approvals(story: &Story, own: Option<&Approvers>) -> Checked {
    if story.approvals.is_empty() {
        return Checked::passed(Part::Approvals, "nobody approved or declined it");
    }
    let mut checked = Checked::passed(Part::Approvals, String::new());
    let mut good = Vec::new();
    for told in &story.approvals {
        let statement = &told.record.statement;
        let which = format!("{} by {}", noun(statement.verb), statement.by);
        match recorded(story, told, own) {
            Err(why) => checked.unclear(format!("{which}: {why}")),
            // As it was when it was recorded: what became of it later is the merge's matter.
            Ok(approvers) => match approval::verify(&told.record, &approvers, told.at) {
                Ok(_) => good.push(format!("{} on {}", which, statement.at)),
                Err(error) => checked.fail(format!("{which}: {error}")),
            },
        }
    }
    checked.says = match (good.as_slice(), own) {
        ([], _) => "signatures of those who approved".to_owned(),
        (good, None) => format!("signed as recorded approvers: {}", good.join(", ")),
        (good, Some(_)) => format!("signed as approvers of your file: {}", good.join(", ")),
    };
    checked
}

const fn noun(verb: Verb) -> &'static str {
    match verb {
        Verb::Approve => "approval",
        Verb::Decline => "refusal",
    }
}

fn recorded(story: &Story, told: &Told<SignedApproval>, own: Option<&Approvers>) -> Result<Approvers, String> {
    match (own, story.approvers_at(told.seq)) {
        (Some(own), _) => Ok(own.clone()),
        (None, Some(record)) => people(&record.record),
        (None, None) => Err("the file of approvers wasn't recorded then; give one with `--approvers`".to_owned()),
    }
}

/// Checks that each merge is of the tree that was tested, and was permitted: by the policies alone, or by them and the
/// people who approved.
pub fn merges(story: &Story, own: Option<&Approvers>) -> Checked {
    if story.merges.is_empty() {
        return Checked::passed(Part::Merge, "nothing was merged");
    }
    let mut checked = Checked::passed(Part::Merge, String::new());
    let mut says = Vec::new();
    for merge in &story.merges {
        let record = &merge.record;
        let tested = match &record.stack {
            None => "whose tree is the one that was tested".to_owned(),
            Some(stack) => format!(
                "one of {} fixes that were tested as one, with the tree {}",
                stack.fixes.len(),
                stack.tree
            ),
        };
        says.push(format!(
            "{}@{} moved to {}, {tested}, by {}",
            record.repo, record.branch, record.commit, record.by
        ));
        let Some(decision) = story.decision(&record.decision) else {
            checked.unclear("the decision that permitted it isn't in the bundle");
            continue;
        };
        let Some(fix) = story.fix_of(decision) else {
            checked.unclear("the fix that was merged isn't in the bundle");
            continue;
        };
        for problem in differences(record, &fix.record, &decision.record) {
            checked.fail(problem);
        }
        if !story
            .intents
            .iter()
            .any(|intent| intent.seq < merge.seq && intent.record == *record)
        {
            checked.fail("no intent to merge was on record before it");
        }
        if record.by == AUTO_APPLY {
            automatic(story, merge, &decision.record, &mut checked);
        } else {
            by_people(story, merge, &fix.record, own, &mut checked);
        }
    }
    checked.says = says.join("; ");
    checked
}

/// Where the merge differs from the fix that was decided on.
fn differences(merge: &MergeRecord, fix: &Fix, decision: &Decision) -> Vec<String> {
    // In a stack the commit holds the fixes below as well; what it has of its own is the decided change, whose diff
    // and base the decision names.
    let (tree, base) = match &merge.stack {
        None => (merge.tree == fix.candidate_tree, &merge.base),
        Some(stack) => (stack.fixes.contains(&fix.id), &stack.base),
    };
    [
        (
            "tree",
            tree && Some(&fix.candidate_tree) == decision.inputs.tree.as_ref(),
        ),
        (
            "base",
            *base == fix.base_commit && Some(base) == decision.inputs.base.as_ref(),
        ),
        ("repo", merge.repo == fix.repo && merge.repo == decision.repo),
        (
            "branch",
            merge.branch == fix.target_branch && merge.branch == decision.branch,
        ),
        ("fix", merge.fix == fix.id && Some(&merge.fix) == decision.fix.as_ref()),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(what, _)| format!("the {what} that was merged is not the one that was decided on"))
    .collect()
}

/// A merge that nobody was asked about: the decision and the gate must both have permitted it.
fn automatic(story: &Story, merge: &Told<MergeRecord>, decision: &Decision, checked: &mut Checked) {
    if decision.level != Level::AutoApply {
        checked.fail(format!(
            "it was merged without asking, and its level is {}",
            decision.level
        ));
    }
    match story.gate_of(&merge.record.fix, merge.seq) {
        None => checked.fail("no decision of the moment of merge is on record"),
        Some(gate) if gate.record.level != Level::AutoApply => checked.fail(format!(
            "it was merged without asking, and at that moment its level was {}",
            gate.record.level
        )),
        Some(_) => {}
    }
}

/// A merge that people approved: the policies must have permitted it, and each of those people.
fn by_people(story: &Story, merge: &Told<MergeRecord>, fix: &Fix, own: Option<&Approvers>, checked: &mut Checked) {
    if merge.record.by.ends_with(EMERGENCY) {
        checked.unclear("it took an emergency override, which a bundle can't check: look at the ledger itself");
        return;
    }
    let permission = story.permission_of(&merge.record.fix, merge.seq);
    match permission {
        None => checked.unclear("what the policies said right before it wasn't recorded"),
        Some(permission) if !permission.record.permission.permitted => {
            checked.fail("the policies withheld it right before it was merged");
        }
        Some(permission) => {
            let facts = &permission.record.facts;
            let verified = facts.get("approval.verified").map(|fact| &fact.value);
            if verified != Some(&FactValue::Bool(true)) {
                checked.fail("the policies were asked without a verified approval");
            }
        }
    }
    let (counted, refused) = counted(story, fix, merge, own);
    let named: BTreeSet<&str> = merge.record.by.split(", ").collect();
    for name in named.iter().filter(|name| !counted.contains(**name)) {
        let why = refused
            .iter()
            .find(|(by, _)| by == name)
            .map_or("there is none", |(_, why)| why);
        checked.fail(format!(
            "it is said to be approved by {name}, whose approval doesn't count: {why}"
        ));
    }
}

/// Whose approvals counted at a merge, and why others' didn't.
fn counted(
    story: &Story,
    fix: &Fix,
    merge: &Told<MergeRecord>,
    own: Option<&Approvers>,
) -> (BTreeSet<String>, Vec<(String, String)>) {
    let mut counted = BTreeSet::new();
    let mut refused = Vec::new();
    let of_fix = |told: &&Told<SignedApproval>| told.seq < merge.seq && told.record.statement.fix == fix.id;
    for told in story.approvals.iter().filter(of_fix) {
        let statement = &told.record.statement;
        let by = statement.by.clone();
        let verified = recorded(story, told, own)
            .and_then(|approvers| counts(&told.record, &approvers, merge.at).map_err(|error| error.to_string()));
        if let Err(why) = verified {
            refused.push((by, why));
            continue;
        }
        let binding = &statement.binding;
        let is_bound = binding.tree == merge.record.tree
            && binding.base == merge.record.base
            && binding.repo == merge.record.repo
            && binding.target_branch == merge.record.branch
            && binding.diff == fix.diff
            && same_rules(story, merge, &binding.policies, &binding.schema);
        match statement.verb {
            Verb::Decline => counted.clear(),
            Verb::Approve if is_bound => drop(counted.insert(by)),
            Verb::Approve => refused.push((by, "it is bound to something else than what was merged".to_owned())),
        }
    }
    (counted, refused)
}

fn counts(approval: &SignedApproval, approvers: &Approvers, at: Timestamp) -> Result<(), ApprovalError> {
    approval::verify(approval, approvers, at).map(drop)
}

/// Whether the policies that an approval is bound to are those that were asked right before the merge.
fn same_rules(story: &Story, merge: &Told<MergeRecord>, policies: &Digest, schema: &Digest) -> bool {
    story
        .permission_of(&merge.record.fix, merge.seq)
        .is_none_or(|told| told.record.policies == *policies && told.record.schema == *schema)
}
