//! What people read of a proposal: the commit message and the pull request.

use holdpoint_engine::graph::BlastRadius;
use holdpoint_forge::pull_request::{EvidenceLine, PullRequest, Unknown};
use holdpoint_schemas::decision::Decision;
use holdpoint_schemas::evidence::EvidenceRecord;
use holdpoint_schemas::fact::{FactTable, keys};
use holdpoint_schemas::finding::RepoFinding;
use holdpoint_schemas::fix::{ChangeKind, Fix, FixKind};
use std::collections::BTreeSet;

use super::act::advice;

/// Longest subject line of a commit.
const MAX_SUBJECT: usize = 72;

/// The commit's message, without trailers.
pub fn commit_message(finding: &RepoFinding, fix: &Fix, decision: &Decision) -> String {
    let subject: String = fix
        .title
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_SUBJECT)
        .collect();
    let reported = &finding.finding;
    let why = decision.permitted_by.join("; ");
    format!(
        "{subject}\n\nResolves {} ({}, {}), reported by {}.\nDecided: {}. {why}",
        reported.title.trim_end_matches('.'),
        reported.rule,
        reported.severity.as_str(),
        reported.scanner,
        decision.level
    )
}

/// A finding in one sentence.
fn found(finding: &RepoFinding) -> String {
    let reported = &finding.finding;
    let place = reported.location.as_ref().map(|location| match location.line {
        Some(line) => format!(" at `{}:{line}`", location.path),
        None => format!(" at `{}`", location.path),
    });
    let place = place.unwrap_or_default();
    format!(
        "{} found `{}` ({}){place}: {}",
        reported.scanner,
        reported.rule,
        reported.severity.as_str(),
        reported.title
    )
}

/// The pull request's content.
pub fn pull_request(
    findings: &[&RepoFinding],
    fix: &Fix,
    decision: &Decision,
    evidence: &EvidenceRecord,
    blast: Option<&BlastRadius>,
    ledger_head: &str,
    table: &FactTable,
) -> PullRequest {
    let mut why: Vec<String> = findings.iter().map(|finding| found(finding)).collect();
    why.extend(decision.permitted_by.iter().cloned());
    why.extend(
        decision
            .bounds
            .iter()
            .map(|bound| format!("Not {} by itself: {}", bound.withholds, bound.reason)),
    );
    let evidence_lines = evidence.evidence.checks.iter().map(|(check, result)| EvidenceLine {
        check: check.to_string(),
        verdict: result.verdict.to_string(),
        summary: result.reason.clone(),
        detail: result.details.join("\n"),
    });
    PullRequest {
        title: fix.title.clone(),
        why,
        plan: plan(fix),
        diffstat: diffstat(fix),
        implications: implications(fix, decision),
        evidence: evidence_lines.collect(),
        blast_radius: blast_radius(decision, blast),
        unknowns: unknowns(decision, table),
        unlock: decision
            .bounds
            .iter()
            .filter_map(|bound| bound.unlock.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        rollback: vec![
            format!(
                "Revert the merge commit on `{}`; it brings back exactly the tree `{}`.",
                fix.target_branch, fix.base_tree
            ),
            if fix.classification.kind == FixKind::SecretToReference {
                "A rotated secret stays rotated: reverting would bring back a value that no longer works.".to_owned()
            } else {
                "Nothing outside the repo is changed by it.".to_owned()
            },
        ],
        rollback_commands: format!(
            "git revert --no-edit $(git log -1 --format=%H --grep 'Holdpoint-Fix: {}')",
            fix.id
        ),
        references: vec![
            (
                "Findings".to_owned(),
                findings
                    .iter()
                    .map(|finding| finding.id())
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            ("Decision".to_owned(), decision.id.to_string()),
            ("Fix".to_owned(), fix.id.to_string()),
            ("Remediator".to_owned(), fix.remediator.to_string()),
            ("Base commit".to_owned(), fix.base_commit.clone()),
            ("Tested tree".to_owned(), fix.candidate_tree.clone()),
            ("Sandbox".to_owned(), evidence.evidence.provenance()),
            ("Ledger head".to_owned(), ledger_head.to_owned()),
        ],
    }
}

fn plan(fix: &Fix) -> Vec<String> {
    let mut plan = vec![format!(
        "{} ({})",
        fix.classification.because,
        fix.classification.kind.as_str()
    )];
    plan.extend(fix.classification.upgrades.iter().map(|upgrade| {
        let (from, to) = (
            upgrade.from.as_deref().unwrap_or("nothing"),
            upgrade.to.as_deref().unwrap_or("nothing"),
        );
        format!(
            "`{}` from `{from}` to `{to}`: a {} step of a {} dependency",
            upgrade.package,
            upgrade.step.as_str(),
            upgrade.scope.as_str()
        )
    }));
    plan.push(format!(
        "Merging moves `{}` to exactly the tree that was tested.",
        fix.target_branch
    ));
    plan
}

fn diffstat(fix: &Fix) -> String {
    let line = |file: &holdpoint_schemas::fix::FileChange| {
        let kind = match file.kind {
            ChangeKind::Added => " (new)",
            ChangeKind::Modified => "",
            ChangeKind::Deleted => " (deleted)",
        };
        format!("{}{kind} | +{} -{}", file.path, file.added.len(), file.removed.len())
    };
    fix.files.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn implications(fix: &Fix, decision: &Decision) -> Vec<String> {
    let mut implications = Vec::new();
    if let Some(environment) = decision.facts.value(keys::service::ENVIRONMENT) {
        implications.push(format!("Merging reaches: {environment}."));
    }
    let notes = [
        keys::fix::VARIABLES_PROVISIONED.id(),
        keys::fix::CRITICAL_RESOURCE.id(),
        keys::fix::GOVERNANCE_FILES.id(),
        keys::change::FREEZE_ACTIVE.id(),
        keys::change::PUSHED_BY_OTHERS.id(),
    ];
    let noted = notes.iter().filter_map(|id| decision.facts.get(id)?.note.as_ref());
    implications.extend(noted.filter(|note| *note != "it reads no new variable").cloned());
    implications.extend(advice(Some(fix)));
    implications
}

fn blast_radius(decision: &Decision, blast: Option<&BlastRadius>) -> Vec<String> {
    match blast {
        None => Vec::new(),
        Some(blast) if blast.dependents.is_empty() => vec![format!(
            "Nothing that the catalogue knows depends on `{}`.",
            decision.service
        )],
        Some(blast) => blast
            .dependents
            .iter()
            .map(|dependent| {
                let tier = dependent.tier.map(|tier| format!(" (tier {tier})")).unwrap_or_default();
                let path: Vec<&str> = dependent
                    .path
                    .iter()
                    .map(holdpoint_schemas::service::ServiceId::as_str)
                    .collect();
                format!("{}{tier}: `{}`", dependent.name, path.join(" ← "))
            })
            .collect(),
    }
}

/// All that isn't known and that a policy could ask for, with who can supply it.
fn unknowns(decision: &Decision, table: &FactTable) -> Vec<Unknown> {
    let named: BTreeSet<&str> = decision
        .bounds
        .iter()
        .flat_map(|bound| bound.unknowns.iter().map(|unknown| unknown.id.as_str()))
        .collect();
    table
        .rows()
        .filter(|row| !row.id.starts_with("approval."))
        .filter_map(|row| decision.facts.unknown(table, row.id))
        .map(|unknown| {
            let fact = if named.contains(unknown.id.as_str()) {
                format!("{} (it holds this back)", unknown.id)
            } else {
                unknown.id
            };
            Unknown {
                fact: format!("{fact}: {}", unknown.why),
                resolver: unknown.resolver,
            }
        })
        .collect()
}
