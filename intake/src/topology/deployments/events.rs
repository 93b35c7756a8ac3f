//! Records of deployments as JSON: our own rows `[{service, environment, branch, at}]`, and the answer of GitHub's
//! deployments API (`GET /repos/{owner}/{repo}/deployments`).

use serde::Deserialize;

use super::super::document::Document;
use super::super::part::id;
use super::names::{Revision, plain_branch, repo, revision};
use super::{Deployments, Target};
use crate::error::SourceResult;

#[derive(Deserialize)]
struct Row {
    service: String,
    environment: String,
    branch: Option<String>,
    repo: Option<String>,
}

#[derive(Deserialize)]
struct GitHubRow {
    #[serde(rename = "ref")]
    reference: String,
    environment: String,
    repository_url: Option<String>,
}

pub fn read(documents: &[Document<'_>], into: &mut Deployments) {
    for document in documents {
        let Some(outline) = document.outline().filter(|outline| outline.is_array) else {
            continue;
        };
        if !outline.has_inner("", "environment") {
            continue;
        }
        let result = if outline.has_inner("", "ref") {
            github(document, into)
        } else if outline.has_inner("", "service") {
            own(document, into)
        } else {
            continue;
        };
        if let Err(error) = result {
            into.unreadable.push(*error);
        }
    }
}

fn own(document: &Document<'_>, into: &mut Deployments) -> SourceResult<()> {
    for row in document.json::<Vec<Row>>("deployments: service, environment and branch")? {
        let Some(service) = id(&row.service) else {
            into.skip(document.name, "a deployment without a service");
            continue;
        };
        let target = Target {
            service: Some(service),
            repo: row.repo.as_deref().map(repo),
        };
        let branch = row.branch.as_deref().and_then(plain_branch);
        into.claim(target, &row.environment, branch, document.name);
    }
    Ok(())
}

fn github(document: &Document<'_>, into: &mut Deployments) -> SourceResult<()> {
    for row in document.json::<Vec<GitHubRow>>("deployments of GitHub")? {
        // `https://api…/repos/owner/name`: owner and name are the last two.
        let url = row.repository_url.unwrap_or_default();
        let name = url.split_once("/repos/").map(|(_, name)| repo(name));
        let target = Target {
            service: None,
            repo: name,
        };
        let commit = row.reference.len() >= 40 && row.reference.chars().all(|c| c.is_ascii_hexdigit());
        match revision(&row.reference) {
            // A commit is of some branch.
            _ if commit => into.claim(target, &row.environment, None, document.name),
            Revision::Branch(branch) => into.claim(target, &row.environment, Some(&branch), document.name),
            Revision::Unknown => into.claim(target, &row.environment, None, document.name),
            Revision::Fixed => into.skip(document.name, "a deployment of a tag, not of a branch"),
        }
    }
    Ok(())
}
