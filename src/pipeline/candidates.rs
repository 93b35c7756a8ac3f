//! Candidate fixes: read, applied to the head of their branch, classified, and matched to the
//! findings that they resolve.

use anyhow::{Context, Result};
use holdpoint_fixes::apply::Applied;
use holdpoint_intake::plan::{Plan, read_plan};
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::finding::{Finding, Fingerprint, RepoFinding};
use holdpoint_schemas::fix::{FindingRef, Fix, FixPlan, FixRequest};
use holdpoint_schemas::{Digest, SourceError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::authors;
use super::estate::{Estate, read_bytes, read_text};
use super::findings::as_problem;
use super::history::History;
use super::mirror::Mirror;
use super::redact::redact;

/// Folders of candidate fixes that one estate may hold.
const MAX_FIXES: usize = 50_000;

/// Candidate fixes, and what couldn't be used.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Fixes, in the order of their folders.
    pub fixes: Vec<Fix>,
    /// Refused ones: each harms only itself.
    pub problems: Vec<SourceError>,
}

/// Reads `<fixes>/<remediator>/<name>/fix.yaml` of the estate. The folder, which the estate's
/// owners write, says who the remediator is; the patch can't.
///
/// # Errors
/// When the folder can't be listed.
pub fn read(
    estate: &Estate,
    mirrors: &BTreeMap<String, Mirror>,
    findings: &BTreeMap<String, RepoFinding>,
    history: &History,
) -> Result<Candidates> {
    let mut candidates = Candidates::default();
    let Some(folder) = &estate.config.fixes else {
        return Ok(candidates);
    };
    for remediator in subfolders(&estate.root, folder)? {
        if !is_plain(&remediator) || remediator == NO_REMEDIATOR {
            let named = SourceError::new(
                format!("{folder}/{}", remediator.escape_debug()),
                "can't be the name of a remediator",
            );
            candidates
                .problems
                .push(named.help("use letters, digits, `-`, `_` and `.`, and not `none`: that stands for no fix"));
            continue;
        }
        for name in subfolders(&estate.root, &format!("{folder}/{remediator}"))? {
            let base = format!("{folder}/{remediator}/{name}");
            match read_one(estate, mirrors, findings, history, &remediator, &base) {
                Ok(fix) => candidates.fixes.push(fix),
                Err(error) => candidates
                    .problems
                    .push(as_problem(&format!("{base}/fix.yaml"), &error)),
            }
            anyhow::ensure!(
                candidates.fixes.len() <= MAX_FIXES,
                "`{folder}` holds more than {MAX_FIXES} candidate fixes"
            );
        }
    }
    Ok(candidates)
}

/// What policies call the remediator while there is no fix.
const NO_REMEDIATOR: &str = "none";

fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn subfolders(root: &Path, folder: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).with_context(|| format!("listing `{folder}`"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn read_one(
    estate: &Estate,
    mirrors: &BTreeMap<String, Mirror>,
    findings: &BTreeMap<String, RepoFinding>,
    history: &History,
    remediator: &str,
    folder: &str,
) -> Result<Fix> {
    let file = format!("{folder}/fix.yaml");
    let request = holdpoint_intake::estate::read_fix_request(&file, &read_text(&estate.root, &file)?)?;
    let refused = |message: String| SourceError::new(&file, message);
    let mirror = mirrors
        .get(&request.repo)
        .ok_or_else(|| refused(format!("the estate has no repo `{}` that can be read", request.repo)))?;
    let base_commit = mirror
        .head(&request.base)
        .ok_or_else(|| refused(format!("the repo `{}` has no branch `{}`", request.repo, request.base)))?;
    let source = change_source(estate, mirror, folder, &request)?;
    let resolves = resolve(&request, findings, history).map_err(|reference| {
        refused(format!(
            "resolves `{}` of `{}`, which no report of `{}` has",
            reference.rule, reference.scanner, request.repo
        ))
        .help("name the finding's scanner and rule as its report does, and its path, purl, alias or address")
    })?;
    // Who proposes it and what it claims to resolve are part of what a fix is: else a second folder
    // with the same change would claim more findings on the evidence of the first.
    let claims: BTreeSet<&str> = resolves.iter().map(Fingerprint::as_str).collect();
    let claims: Vec<&str> = claims.into_iter().collect();
    let id = Digest::of_parts([
        request.repo.as_bytes(),
        request.base.as_bytes(),
        source.identity().as_slice(),
        remediator.as_bytes(),
        claims.join(",").as_bytes(),
    ]);
    if let (Some(known), true) = (history.fixes.get(&id), history.merges.contains_key(&id)) {
        return Ok(known.clone());
    }
    let applied = source.apply(mirror, &base_commit)?;
    let authors = source.authors(mirror, &base_commit);
    let read = |tree: &str, path: &str| mirror.text(tree, path);
    let classification =
        holdpoint_fixes::classify::classify(&applied.files, &|path| read(&applied.base_tree, path), &|path| {
            read(&applied.candidate_tree, path)
        });
    let title = request.title.clone().unwrap_or_else(|| classification.because.clone());
    let about: Vec<&Finding> = findings
        .values()
        .chain(history.findings.values())
        .filter(|finding| {
            finding.repo == request.repo
                && finding.branch == request.base
                && resolves.contains(&finding.finding.fingerprint)
        })
        .map(|finding| &finding.finding)
        .collect();
    let minimal = holdpoint_fixes::minimal::minimal(&applied.files, &classification, &about);
    let mut fix = Fix {
        id,
        repo: request.repo,
        target_branch: request.base,
        base_commit,
        base_tree: applied.base_tree,
        candidate_tree: applied.candidate_tree,
        diff: applied.diff,
        diff_text: applied.diff_text,
        remediator: Remediator(remediator.to_owned()),
        title,
        resolves,
        files: applied.files,
        classification,
        authors,
        received_at: None,
        minimal,
        plan: request
            .plan
            .as_deref()
            .map(|plan| plan_of(estate, &format!("{folder}/{plan}"))),
    };
    redact(&mut fix, findings.values());
    Ok(fix)
}

/// The plan that came with a fix. One that can't be read says nothing good and harms no one else.
fn plan_of(estate: &Estate, file: &str) -> FixPlan {
    let read = || -> Result<Plan> { Ok(read_plan(file, &read_bytes(&estate.root, file)?)?) };
    match read() {
        Ok(plan) => FixPlan {
            file: file.to_owned(),
            destroys: plan
                .summary
                .destroys
                .iter()
                .chain(&plan.summary.replaces)
                .cloned()
                .collect(),
            touches: plan.changes.iter().map(|change| change.address.clone()).collect(),
            critical: plan.critical_changes().map(|change| change.address.clone()).collect(),
            gaps: plan.gaps,
        },
        Err(error) => FixPlan {
            file: file.to_owned(),
            gaps: vec![as_problem(file, &error).one_line()],
            ..FixPlan::default()
        },
    }
}

/// Where a change comes from.
enum ChangeSource {
    Patch { file: String, bytes: Vec<u8> },
    Commit(String),
}

impl ChangeSource {
    fn identity(&self) -> Vec<u8> {
        match self {
            Self::Patch { bytes, .. } => bytes.clone(),
            Self::Commit(commit) => commit.as_bytes().to_vec(),
        }
    }

    /// Who wrote it, as far as it says: a claim, which can only take somebody's independence away.
    fn authors(&self, mirror: &Mirror, base_commit: &str) -> Vec<String> {
        match self {
            Self::Patch { bytes, .. } => authors::of_patch(bytes),
            Self::Commit(commit) => authors::of_commits(&mirror.git, base_commit, commit),
        }
    }

    fn apply(&self, mirror: &Mirror, base_commit: &str) -> Result<Applied> {
        Ok(match self {
            Self::Patch { file, bytes } => {
                let patch = holdpoint_fixes::patch::read_patch(file, bytes)?;
                holdpoint_fixes::apply::apply_patch(&mirror.git, base_commit, &patch)?
            }
            Self::Commit(commit) => holdpoint_fixes::apply::from_commit(&mirror.git, base_commit, commit)?,
        })
    }
}

fn change_source(estate: &Estate, mirror: &Mirror, folder: &str, request: &FixRequest) -> Result<ChangeSource> {
    if let Some(patch) = &request.patch {
        let file = format!("{folder}/{patch}");
        return Ok(ChangeSource::Patch {
            bytes: read_bytes(&estate.root, &file)?,
            file,
        });
    }
    let branch = request.branch.as_deref().unwrap_or_default();
    let commit = mirror.head(branch).ok_or_else(|| {
        SourceError::new(
            format!("{folder}/fix.yaml"),
            format!("the repo `{}` has no branch `{branch}`", request.repo),
        )
    })?;
    Ok(ChangeSource::Commit(commit))
}

fn resolve<'r>(
    request: &'r FixRequest,
    findings: &BTreeMap<String, RepoFinding>,
    history: &History,
) -> Result<Vec<Fingerprint>, &'r FindingRef> {
    request
        .resolves
        .iter()
        .map(|reference| {
            findings
                .values()
                .chain(history.findings.values())
                .find(|finding| {
                    finding.repo == request.repo && finding.branch == request.base && matches(reference, finding)
                })
                .map(|finding| finding.finding.fingerprint.clone())
                .ok_or(reference)
        })
        .collect()
}

/// Whether a reference points at a finding: scanner and rule (or an alias), and every other field
/// that it gives.
pub fn matches(reference: &FindingRef, finding: &RepoFinding) -> bool {
    let finding = &finding.finding;
    let is_rule = reference.rule == finding.rule || finding.aliases.contains(&reference.rule);
    let is_path = reference
        .path
        .as_ref()
        .is_none_or(|path| finding.location.as_ref().is_some_and(|location| location.path == *path));
    let is_purl = reference.purl.as_ref().is_none_or(|purl| {
        finding
            .component
            .as_ref()
            .is_some_and(|component| component.purl.as_ref() == Some(purl))
    });
    let is_alias = reference
        .alias
        .as_ref()
        .is_none_or(|alias| *alias == finding.rule || finding.aliases.contains(alias));
    let is_address = reference
        .address
        .as_ref()
        .is_none_or(|address| finding.iac_address.as_ref() == Some(address));
    let is_reported = (reference.scanner == finding.scanner && is_rule)
        || finding.details.also.iter().any(|source| {
            let is_rule = source.rule == reference.rule || finding.aliases.contains(&reference.rule);
            source.scanner == reference.scanner && is_rule
        });
    is_reported && is_path && is_purl && is_alias && is_address
}
