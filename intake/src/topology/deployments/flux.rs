//! Flux: a `GitRepository` names URL and branch; each `Kustomization` of it deploys a folder to an environment.

use serde_json::Value;
use std::collections::BTreeMap;

use super::super::document::Document;
use super::super::part::id;
use super::names::{Revision, environment_in, repo, revision, without_environment};
use super::{Deployments, Target};

pub fn read(documents: &[Document<'_>], into: &mut Deployments) {
    let mut repos: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    let all = || {
        documents
            .iter()
            .flat_map(|document| document.yaml().iter().map(|value| (document.name, value)))
            .filter(|(_, value)| text(value, "/apiVersion").contains("toolkit.fluxcd.io/"))
    };
    for (_, value) in all().filter(|(_, value)| text(value, "/kind") == "GitRepository") {
        repos.insert(
            (text(value, "/metadata/namespace"), text(value, "/metadata/name")),
            value,
        );
    }
    for (file, value) in all().filter(|(_, value)| text(value, "/kind") == "Kustomization") {
        if text(value, "/spec/sourceRef/kind") != "GitRepository" {
            continue;
        }
        let name = text(value, "/metadata/name");
        let own = text(value, "/metadata/namespace");
        let named = text(value, "/spec/sourceRef/namespace");
        let space = if named.is_empty() { own } else { named };
        let source = repos.get(&(space, text(value, "/spec/sourceRef/name")));
        let places = [
            text(value, "/spec/path"),
            text(value, "/spec/targetNamespace"),
            name,
            file,
        ];
        let found = places.iter().find_map(|place| environment_in(place));
        let target_namespace = text(value, "/spec/targetNamespace");
        let Some(environment) = found.or(Some(target_namespace).filter(|name| !name.is_empty())) else {
            into.skip(file, &format!("`{name}` says not which environment it is for"));
            continue;
        };
        let Some(source) = source else {
            into.skip(file, &format!("the git repository of `{name}` isn't in these files"));
            let target = Target {
                service: id(&without_environment(name)),
                repo: None,
            };
            into.claim(target, environment, None, file);
            continue;
        };
        let target = Target {
            service: id(&without_environment(name)),
            repo: Some(repo(text(source, "/spec/url"))),
        };
        let fixed = ["tag", "semver", "commit", "name"]
            .iter()
            .any(|key| !text(source, &format!("/spec/ref/{key}")).is_empty());
        match revision(text(source, "/spec/ref/branch")) {
            _ if fixed => into.skip(file, &format!("`{name}` follows tags or a commit, not a branch")),
            Revision::Branch(branch) => into.claim(target, environment, Some(&branch), file),
            // Without a reference Flux takes `master`, whatever the repo's default branch is.
            Revision::Unknown if source.pointer("/spec/ref").is_none() => {
                into.claim(target, environment, Some("master"), file);
            }
            Revision::Unknown | Revision::Fixed => into.claim(target, environment, None, file),
        }
    }
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}
