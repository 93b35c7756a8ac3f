//! GitHub Actions workflows: jobs with an `environment`, and the branches whose pushes start them.

use serde_json::Value;
use std::collections::BTreeSet;

use super::super::document::Document;
use super::names::plain_branch;
use super::{Deployments, Target};

const FOLDER: &str = ".github/workflows/";

/// What starts a workflow.
enum Start<'a> {
    /// Pushes to these branches; `None` for a pattern, or for any branch.
    Branches(BTreeSet<Option<&'a str>>),
    /// Nothing that a merge is.
    Otherwise,
}

pub fn read(documents: &[Document<'_>], into: &mut Deployments) {
    for document in documents {
        let Some(place) = document.name.find(FOLDER) else {
            continue;
        };
        let before = document.name.get(..place).unwrap_or_default().trim_end_matches('/');
        let repo = before
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty() && *name != ".");
        for value in document.yaml() {
            workflow(value, document.name, repo, into);
        }
    }
}

fn workflow(value: &Value, file: &str, repo: Option<&str>, into: &mut Deployments) {
    let start = value.get("on").map_or(Start::Otherwise, start);
    for (name, job) in value.get("jobs").and_then(Value::as_object).into_iter().flatten() {
        let environment = job.get("environment").and_then(|environment| {
            environment
                .as_str()
                .or_else(|| environment.get("name").and_then(Value::as_str))
        });
        let Some(environment) = environment else { continue };
        if environment.contains("${{") {
            into.skip(file, &format!("the environment of `{name}` is only known when it runs"));
            continue;
        }
        let target = || Target {
            service: None,
            repo: repo.map(str::to_owned),
        };
        let condition = job.get("if").and_then(Value::as_str).unwrap_or_default();
        let wanted = branches_of_condition(condition);
        match &start {
            Start::Otherwise => into.skip(file, &format!("`{name}` isn't started by a push to a branch")),
            Start::Branches(_) if !wanted.is_empty() => {
                for branch in wanted {
                    into.claim(target(), environment, Some(branch), file);
                }
            }
            Start::Branches(branches) => {
                for branch in branches {
                    into.claim(target(), environment, *branch, file);
                }
            }
        }
    }
}

fn start(on: &Value) -> Start<'_> {
    let any = || Start::Branches(BTreeSet::from([None]));
    match on {
        Value::String(event) if event == "push" => any(),
        Value::Array(events) if events.iter().any(|event| event.as_str() == Some("push")) => any(),
        Value::Object(events) => {
            let mut branches = BTreeSet::new();
            for event in ["push", "workflow_run"] {
                let Some(filter) = events.get(event) else { continue };
                let named = filter.get("branches").map(|named| match named {
                    Value::Array(list) => list.as_slice(),
                    one => std::slice::from_ref(one),
                });
                match named {
                    Some(named) => branches.extend(named.iter().filter_map(Value::as_str).map(plain_branch)),
                    // Tags alone leave branches out; without any filter all branches start it.
                    None if filter.get("tags").is_some() && filter.get("branches-ignore").is_none() => {}
                    None => {
                        branches.insert(None);
                    }
                }
            }
            if branches.is_empty() {
                Start::Otherwise
            } else {
                Start::Branches(branches)
            }
        }
        _ => Start::Otherwise,
    }
}

/// Branches that an `if` compares with: `github.ref == 'refs/heads/main'`, `github.ref_name == 'main'`. None where it
/// says anything that could let others through.
fn branches_of_condition(condition: &str) -> BTreeSet<&str> {
    let condition = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
    let mut found = BTreeSet::new();
    for alternative in condition.split("||") {
        let branch = alternative.split("&&").find_map(|term| {
            let term = term.trim().trim_matches(['(', ')', ' ']);
            let (left, right) = term.split_once("==")?;
            let (left, right) = (left.trim(), right.trim().trim_matches(['\'', '"']));
            let branch = match left {
                "github.ref" => right.strip_prefix("refs/heads/")?,
                "github.ref_name" => right,
                _ => return None,
            };
            plain_branch(branch)
        });
        match branch {
            Some(branch) => found.insert(branch),
            None => return BTreeSet::new(),
        };
    }
    found
}
