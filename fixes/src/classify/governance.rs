//! Files that govern how changes are made: a fix that touches one wants a human, whatever else.

/// Whether a path is a governance file: policies, controls, rollout, owners, CI.
pub(super) fn is_governance(path: &str) -> bool {
    // Case folded: on some file systems these are the same files.
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let folders = || path.split('/').rev().skip(1);
    matches!(
        name,
        "codeowners"
            | ".holdpoint.yaml"
            | ".holdpoint.yml"
            | "holdpoint.yaml"
            | "controls.yaml"
            | "rollout.yaml"
            | "calendar.yaml"
            | "jenkinsfile"
    ) || name.starts_with(".gitlab-ci")
        || name.starts_with("azure-pipelines")
        || name.ends_with(".cedar")
        || folders().any(|folder| matches!(folder, ".github" | ".gitlab" | ".circleci" | ".buildkite" | "policies"))
}

#[cfg(test)]
mod tests {
    use super::is_governance;

    #[test]
    fn governance_files_are_known_wherever_they_lie() {
        for path in [
            ".github/workflows/ci.yml",
            "CODEOWNERS",
            "docs/CODEOWNERS",
            ".gitlab-ci.yml",
            "azure-pipelines.yml",
            "ci/Jenkinsfile",
            ".holdpoint.yaml",
            "policies/a.txt",
            "x/policies/b",
            "controls.yaml",
            "x/rollout.yaml",
            "calendar.yaml",
            "a.cedar",
            ".GitHub/x",
        ] {
            assert!(is_governance(path), "{path}");
        }
        for path in [
            "src/policies.py",
            "config/a.yaml",
            "github/x",
            "controls.yaml.md",
            ".githubx/a",
        ] {
            assert!(!is_governance(path), "{path}");
        }
    }
}
