//! Argo CD: `Application` and `ApplicationSet` (`argoproj.io/v1alpha1`). `targetRevision` is the branch; without one
//! it is the repo's default branch, which the manifest doesn't name.

use serde_json::{Map, Value};

use super::super::document::Document;
use super::super::part::id;
use super::names::{Revision, environment_in, repo, revision, without_environment};
use super::{Deployments, Target};

/// Most applications that one set is written out to.
const MAX_ELEMENTS: usize = 1_000;

pub fn read(documents: &[Document<'_>], into: &mut Deployments) {
    for document in documents {
        for value in document.yaml() {
            let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
            if !text("/apiVersion").starts_with("argoproj.io/") {
                continue;
            }
            match text("/kind") {
                "Application" => application(value, document.name, into),
                "ApplicationSet" => set(value, document.name, into),
                _ => {}
            }
        }
    }
}

fn application(value: &Value, file: &str, into: &mut Deployments) {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let name = text("/metadata/name");
    let destination = text("/spec/destination/namespace");
    let sources = value.pointer("/spec/sources").and_then(Value::as_array);
    let sources = sources.into_iter().flatten().chain(value.pointer("/spec/source"));
    for source in sources {
        let part = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default();
        if source.get("chart").is_some() || source.get("ref").is_some() {
            continue;
        }
        let labels = ["/metadata/labels/environment", "/metadata/labels/env"].map(text);
        let labelled = labels.into_iter().find(|label| !label.is_empty());
        let places = [part("path"), destination, name, text("/spec/destination/name")];
        let found = places.iter().find_map(|place| environment_in(place));
        let environment = labelled.or(found).unwrap_or(destination);
        if environment.is_empty() || environment.contains("{{") {
            into.skip(file, &format!("`{name}` says not which environment it is for"));
            continue;
        }
        let target = Target {
            service: id(&without_environment(name)).filter(|id| !id.0.contains("{{")),
            repo: Some(repo(part("repoURL"))).filter(|repo| !repo.is_empty() && !repo.contains("{{")),
        };
        match revision(part("targetRevision")) {
            Revision::Branch(branch) => into.claim(target, environment, Some(&branch), file),
            Revision::Unknown => into.claim(target, environment, None, file),
            Revision::Fixed => into.skip(file, &format!("`{name}` follows tags or a commit, not a branch")),
        }
    }
}

/// Writes a set out for the elements of its `list` generators; of other generators the manifest doesn't say what
/// they find.
fn set(value: &Value, file: &str, into: &mut Deployments) {
    let Some(template) = value.pointer("/spec/template") else {
        return;
    };
    let list = |path: &str| value.pointer(path).and_then(Value::as_array).into_iter().flatten();
    let elements = list("/spec/generators")
        .filter_map(|generator| generator.pointer("/list/elements")?.as_array())
        .flatten()
        .filter_map(Value::as_object);
    let mut written = 0;
    for element in elements.take(MAX_ELEMENTS) {
        application(&fill(template, element, 0), file, into);
        written += 1;
    }
    if written == 0 {
        application(template, file, into);
    }
}

/// Fills `{{key}}` and `{{.key}}` in.
fn fill(value: &Value, element: &Map<String, Value>, depth: usize) -> Value {
    match value {
        Value::String(text) if text.contains("{{") => Value::String(fill_text(text, element)),
        Value::Array(list) if depth < 32 => list.iter().map(|value| fill(value, element, depth + 1)).collect(),
        Value::Object(map) if depth < 32 => map
            .iter()
            .map(|(key, value)| (key.clone(), fill(value, element, depth + 1)))
            .collect(),
        other => other.clone(),
    }
}

fn fill_text(text: &str, element: &Map<String, Value>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((inside, following)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        let key = inside.trim().trim_start_matches('.');
        match element.get(key).and_then(Value::as_str) {
            Some(value) => out.push_str(value),
            None => out.push_str(&format!("{{{{{inside}}}}}")),
        }
        rest = following;
    }
    out.push_str(rest);
    out
}
