//! What no running service loads: documents, tests, CI, owners.

use super::{Changed, Needs};

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    let name = changed.name().to_ascii_lowercase();
    let folders: Vec<String> = changed.folders().map(str::to_ascii_lowercase).collect();
    let within = |known: &[&str]| folders.iter().any(|folder| known.contains(&folder.as_str()));
    let document = matches!(changed.ending(), "md" | "rst" | "adoc")
        || matches!(
            name.as_str(),
            "license" | "notice" | "changelog" | "authors" | "codeowners" | ".gitignore" | ".editorconfig"
        );
    if document {
        return Some(Needs::none("is read by people, not by a service"));
    }
    let stem = name.split('.').next().unwrap_or_default();
    let test = within(&["test", "tests", "__tests__", "spec", "testdata", "fixtures"])
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || name.contains(".test.")
        || name.contains(".spec.")
        || name == "conftest.py";
    if test {
        return Some(Needs::none("is loaded by tests only"));
    }
    let ci = within(&[".github", ".gitlab", ".circleci", ".buildkite"])
        || name.starts_with(".gitlab-ci")
        || name == "jenkinsfile";
    ci.then(|| Needs::none("is read by CI only"))
}
