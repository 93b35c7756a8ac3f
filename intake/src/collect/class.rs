//! Which kind of thing was found, from the rule's metadata, its CWEs, its id and the file.

use holdpoint_schemas::finding::{FindingClass, Location};

use super::{Draft, is_advisory_id};

/// Weaknesses that are credentials in the source: use of hard-coded credentials, password, key.
const SECRET_CWES: [&str; 3] = ["CWE-798", "CWE-259", "CWE-321"];
/// Parts of a rule id that say the same.
const SECRET_WORDS: [&str; 5] = [
    "secret",
    "hardcoded_password",
    "hardcoded-password",
    "api-key",
    "private-key",
];
/// Scanners that look for nothing else.
const SECRET_SCANNERS: [&str; 4] = ["gitleaks", "trufflehog", "detect-secrets", "ggshield"];
const IAC_ENDINGS: [&str; 5] = [".tf", ".tf.json", ".tfvars", ".bicep", ".hcl"];
const CONFIG_ENDINGS: [&str; 9] = [
    ".yaml",
    ".yml",
    ".toml",
    ".ini",
    ".cfg",
    ".conf",
    ".properties",
    ".env",
    ".json",
];

/// A class that a rule's metadata declares by name.
pub fn from_metadata(name: &str) -> Option<FindingClass> {
    match name.trim().to_ascii_lowercase().as_str() {
        "secret" => Some(FindingClass::Secret),
        "iac" => Some(FindingClass::Iac),
        "config" => Some(FindingClass::Config),
        "code" => Some(FindingClass::Code),
        _ => None,
    }
}

/// The class of a draft. What looks like a secret is one, whatever else is declared: that only
/// hides more.
pub fn of(draft: &Draft, cwes: &[String], location: Option<&Location>) -> FindingClass {
    if draft.class == Some(FindingClass::Drift) {
        return FindingClass::Drift;
    }
    if draft.component.is_some() {
        return FindingClass::Dependency;
    }
    let rule = draft.rule.to_ascii_lowercase();
    let scanner = draft.scanner.to_ascii_lowercase();
    if cwes.iter().any(|c| SECRET_CWES.contains(&c.as_str()))
        || SECRET_WORDS.iter().any(|word| rule.contains(word))
        || SECRET_SCANNERS.contains(&scanner.as_str())
    {
        return FindingClass::Secret;
    }
    if let Some(declared) = draft.class {
        return declared;
    }
    if is_advisory_id(&draft.rule) {
        return FindingClass::Dependency;
    }
    let Some(path) = location.map(|l| l.path.to_ascii_lowercase()) else {
        return FindingClass::Other;
    };
    let name = path.rsplit('/').next().unwrap_or(&path);
    if IAC_ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.contains("dockerfile") {
        FindingClass::Iac
    } else if CONFIG_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        FindingClass::Config
    } else {
        FindingClass::Code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(rule: &str, path: &str, cwes: &[&str], declared: Option<FindingClass>) -> FindingClass {
        let mut draft = Draft::new("semgrep", rule, "");
        draft.class = declared;
        let cwes: Vec<String> = cwes.iter().map(|c| (*c).to_owned()).collect();
        of(
            &draft,
            &cwes,
            Some(&Location {
                path: path.to_owned(),
                line: None,
            }),
        )
    }

    #[test]
    fn metadata_then_file_decides_and_a_secret_is_a_secret() {
        assert_eq!(class("x", "a.py", &[], None), FindingClass::Code);
        assert_eq!(class("x", "main.tf", &[], None), FindingClass::Iac);
        assert_eq!(class("x", "config/a.yaml", &[], None), FindingClass::Config);
        assert_eq!(
            class("x", "a.py", &[], Some(FindingClass::Config)),
            FindingClass::Config
        );
        assert_eq!(
            class("x", "main.tf", &["CWE-798"], Some(FindingClass::Iac)),
            FindingClass::Secret
        );
        assert_eq!(class("smtp-secret", "a.js", &[], None), FindingClass::Secret);
        assert_eq!(class("CVE-2021-44228", "a.jar", &[], None), FindingClass::Dependency);
    }

    #[test]
    fn an_unknown_declared_class_is_none() {
        assert_eq!(from_metadata("drift"), None);
        assert_eq!(from_metadata("Secret "), Some(FindingClass::Secret));
    }
}
