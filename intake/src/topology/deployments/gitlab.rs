//! GitLab CI (`.gitlab-ci.yml`): jobs with an `environment`, and the branches that `rules` or `only` let them run on.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use super::super::document::{Document, base, folder};
use super::names::plain_branch;
use super::{Deployments, Target};

/// Longest chain of `extends`.
const MAX_EXTENDS: usize = 8;

pub fn read(documents: &[Document<'_>], into: &mut Deployments) {
    for document in documents {
        let name = base(document.name);
        if !name.ends_with(".gitlab-ci.yml") && !name.ends_with(".gitlab-ci.yaml") {
            continue;
        }
        let repo = base(folder(document.name));
        let repo = Some(repo).filter(|repo| !repo.is_empty() && *repo != ".");
        for jobs in document.yaml().iter().filter_map(Value::as_object) {
            for (name, job) in jobs.iter().filter(|(name, _)| !name.starts_with('.')) {
                read_job(jobs, name, job, document.name, repo, into);
            }
        }
    }
}

fn read_job(
    jobs: &Map<String, Value>,
    name: &str,
    job: &Value,
    file: &str,
    repo: Option<&str>,
    into: &mut Deployments,
) {
    let Some(environment) = inherited(jobs, job, "environment") else {
        return;
    };
    let action = environment.get("action").and_then(Value::as_str).unwrap_or("start");
    let named = environment
        .as_str()
        .or_else(|| environment.get("name").and_then(Value::as_str));
    // Other actions stop it, or only look at it.
    let Some(environment) = named.filter(|_| action == "start") else {
        return;
    };
    if environment.contains('$') {
        into.skip(file, &format!("the environment of `{name}` is only known when it runs"));
        return;
    }
    let branches = match (inherited(jobs, job, "rules"), inherited(jobs, job, "only")) {
        (Some(rules), _) => of_rules(rules),
        (None, Some(only)) => of_only(only),
        (None, None) => BTreeSet::from([None]),
    };
    if branches.is_empty() {
        into.skip(file, &format!("`{name}` doesn't run on a branch"));
    }
    for branch in branches {
        let target = Target {
            service: None,
            repo: repo.map(str::to_owned),
        };
        into.claim(target, environment, branch, file);
    }
}

/// A key of a job, or of the jobs that it extends, the last of them first.
fn inherited<'a>(jobs: &'a Map<String, Value>, job: &'a Value, key: &str) -> Option<&'a Value> {
    let mut job = job;
    for _ in 0..MAX_EXTENDS {
        if let Some(value) = job.get(key) {
            return Some(value);
        }
        let extends = job.get("extends")?;
        let base = extends.as_str().or_else(|| extends.as_array()?.last()?.as_str())?;
        job = jobs.get(base)?;
    }
    None
}

fn of_rules(rules: &Value) -> BTreeSet<Option<&str>> {
    let mut found = BTreeSet::new();
    for rule in rules.as_array().into_iter().flatten() {
        if rule.get("when").and_then(Value::as_str) == Some("never") {
            continue;
        }
        let condition = rule.get("if").and_then(Value::as_str).unwrap_or_default();
        for alternative in condition.split("||") {
            // Tags and merge requests are no branches.
            if !alternative.contains("$CI_COMMIT_TAG") && !alternative.contains("merge_request") {
                found.insert(branch_of(alternative));
            }
        }
    }
    found
}

/// The branch that `$CI_COMMIT_BRANCH == "main"` names; `None` for the default branch, patterns and anything else.
fn branch_of(condition: &str) -> Option<&str> {
    condition.split("&&").find_map(|term| {
        let (left, right) = term.split_once("==")?;
        let quoted = right.trim().trim_matches([')', ' ']);
        let branch = quoted.trim_matches(['"', '\'']);
        let left = left.trim().trim_matches(['(', ' ']);
        let is_branch = matches!(left, "$CI_COMMIT_BRANCH" | "$CI_COMMIT_REF_NAME");
        plain_branch(branch).filter(|_| is_branch && quoted != branch)
    })
}

fn of_only(only: &Value) -> BTreeSet<Option<&str>> {
    let refs = only.get("refs").unwrap_or(only);
    let list = refs
        .as_array()
        .into_iter()
        .flatten()
        .chain(Some(refs).filter(|refs| refs.is_string()));
    let mut found: BTreeSet<Option<&str>> = list
        .filter_map(Value::as_str)
        .filter(|name| {
            !matches!(
                *name,
                "tags" | "merge_requests" | "schedules" | "web" | "api" | "triggers"
            )
        })
        .map(|name| plain_branch(name).filter(|name| *name != "branches" && !name.starts_with('/')))
        .collect();
    if refs.as_object().is_some() {
        found.insert(None);
    }
    found
}
