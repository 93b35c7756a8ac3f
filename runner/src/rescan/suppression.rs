//! What a fix hides instead of mending: marks in the source that make a scanner look away, and its own settings.

use holdpoint_schemas::finding::{Finding, FindingClass, FindingDetails, Fingerprint, Location, Severity};
use std::collections::{BTreeMap, BTreeSet};

use crate::code::{Code, Lang};
use crate::files::{self, FileText, Files};
use crate::text::one_line;

/// Rule of these findings.
pub const RULE: &str = "suppression-added";
/// Who reports what the scanners don't.
pub(super) const SCANNER: &str = "holdpoint";
/// Suppressions named; more than that is one anyway.
const MAX_FOUND: usize = 1_000;

/// Marks in the source, in lower case and without white space, and who obeys them.
const MARKS: &[(&str, &str)] = &[
    ("#nosec", "bandit, gosec"),
    ("//nosec", "gosec"),
    ("#nosemgrep", "semgrep"),
    ("//nosemgrep", "semgrep"),
    ("nosemgrep:", "semgrep"),
    ("eslint-disable", "eslint"),
    ("@ts-ignore", "typescript"),
    ("@ts-nocheck", "typescript"),
    ("biome-ignore", "biome"),
    ("#[allow(", "rustc, clippy"),
    ("#![allow(", "rustc, clippy"),
    ("#[expect(", "rustc, clippy"),
    ("@suppresswarnings", "javac"),
    ("@suppressfbwarnings", "spotbugs"),
    ("@suppress(", "kotlin"),
    ("#pragmawarningdisable", "roslyn"),
    ("[suppressmessage(", "roslyn"),
    ("nosonar", "sonarqube"),
    ("nolint", "golangci-lint"),
    ("#lint:ignore", "staticcheck"),
    ("//lint:ignore", "staticcheck"),
    ("checkov:skip", "checkov"),
    ("tfsec:ignore", "tfsec"),
    ("trivy:ignore", "trivy"),
    ("kics-scanignore", "kics"),
    ("#ts:skip", "terrascan"),
    ("hadolintignore", "hadolint"),
    ("shellcheckdisable=", "shellcheck"),
    ("pylint:disable", "pylint"),
    ("ruff:noqa", "ruff"),
    ("gitleaks:allow", "gitleaks"),
    ("trufflehog:ignore", "trufflehog"),
    ("pragma:allowlist", "detect-secrets"),
    ("ggignore", "ggshield"),
    ("brakeman:ignore", "brakeman"),
    ("rubocop:disable", "rubocop"),
    ("phpcs:ignore", "phpcs"),
    ("codeql[", "codeql"),
    ("lgtm[", "codeql"),
    ("deepcode ignore", "snyk"),
    ("zizmor:ignore", "zizmor"),
    ("snyk:ignore", "snyk"),
];

/// Files that are nothing but settings of scanners: every line that is added to them counts.
const SETTINGS: &[(&str, &str)] = &[
    (".trivyignore", "trivy"),
    (".trivyignore.yaml", "trivy"),
    ("trivy.yaml", "trivy"),
    (".semgrepignore", "semgrep"),
    (".semgrep.yml", "semgrep"),
    (".semgrep.yaml", "semgrep"),
    (".bandit", "bandit"),
    ("bandit.yaml", "bandit"),
    ("bandit.yml", "bandit"),
    ("osv-scanner.toml", "osv-scanner"),
    (".snyk", "snyk"),
    ("audit-ci.json", "audit-ci"),
    ("audit-ci.jsonc", "audit-ci"),
    (".nsprc", "better-npm-audit"),
    (".gitleaksignore", "gitleaks"),
    (".gitleaks.toml", "gitleaks"),
    (".secrets.baseline", "detect-secrets"),
    (".gitguardian.yaml", "ggshield"),
    (".checkov.yaml", "checkov"),
    (".checkov.yml", "checkov"),
    (".checkov.baseline", "checkov"),
    ("tfsec.yml", "tfsec"),
    ("tfsec.yaml", "tfsec"),
    (".tfsec.yml", "tfsec"),
    ("kics.config", "kics"),
    (".grype.yaml", "grype"),
    (".grype.yml", "grype"),
    ("deny.toml", "cargo-deny"),
    ("audit.toml", "cargo-audit"),
    ("sonar-project.properties", "sonarqube"),
    (".eslintignore", "eslint"),
    (".eslintrc", "eslint"),
    (".eslintrc.js", "eslint"),
    (".eslintrc.json", "eslint"),
    (".golangci.yml", "golangci-lint"),
    (".golangci.yaml", "golangci-lint"),
    ("brakeman.ignore", "brakeman"),
    ("dependency-check-suppressions.xml", "dependency-check"),
    ("suppressions.xml", "dependency-check"),
    ("zizmor.yml", "zizmor"),
    (".hadolint.yaml", "hadolint"),
    (".flake8", "flake8"),
    ("codeql-config.yml", "codeql"),
    ("ruff.toml", "ruff"),
    (".ruff.toml", "ruff"),
    (".pylintrc", "pylint"),
    ("pylintrc", "pylint"),
    ("eslint.config.js", "eslint"),
    ("eslint.config.mjs", "eslint"),
    ("eslint.config.cjs", "eslint"),
    ("eslint.config.ts", "eslint"),
    (".eslintrc.cjs", "eslint"),
    (".eslintrc.yml", "eslint"),
    (".eslintrc.yaml", "eslint"),
    ("biome.json", "biome"),
    ("biome.jsonc", "biome"),
    (".safety-policy.yml", "safety"),
    (".safety-policy.yaml", "safety"),
    (".pip-audit.toml", "pip-audit"),
    ("brakeman.yml", "brakeman"),
    (".brakeman.yml", "brakeman"),
    ("spotbugs-exclude.xml", "spotbugs"),
    ("findbugs-exclude.xml", "spotbugs"),
    (".tflint.hcl", "tflint"),
    ("terrascan.toml", "terrascan"),
    ("bearer.yml", "bearer"),
    ("bearer.yaml", "bearer"),
    ("bearer.ignore", "bearer"),
    (".bearer.yml", "bearer"),
    ("kics.yaml", "kics"),
    ("kics.yml", "kics"),
    ("kics.json", "kics"),
    ("kics.toml", "kics"),
    (".rubocop.yml", "rubocop"),
    (".rubocop_todo.yml", "rubocop"),
    ("phpcs.xml", "phpcs"),
    ("phpstan.neon", "phpstan"),
    ("psalm.xml", "psalm"),
    (".trufflehog.yml", "trufflehog"),
    (".trufflehogignore", "trufflehog"),
    (".grype.json", "grype"),
    (".syft.yaml", "syft"),
    (".kube-linter.yaml", "kube-linter"),
    (".kubescape.yaml", "kubescape"),
    (".shellcheckrc", "shellcheck"),
    (".zizmor.yml", "zizmor"),
    (".cfnlintrc", "cfn-lint"),
    (".cfnlintrc.yaml", "cfn-lint"),
    (".ansible-lint", "ansible-lint"),
    (".yamllint", "yamllint"),
    (".retireignore", "retire.js"),
    (".retireignore.json", "retire.js"),
    (".auditrc", "npm audit"),
    (".iyarc", "improved-yarn-audit"),
    ("osv-scanner.yaml", "osv-scanner"),
    (".gitleaks.yml", "gitleaks"),
    (".gitguardian.yml", "ggshield"),
    (".hadolint.yml", "hadolint"),
    (".codeclimate.yml", "codeclimate"),
    (".sonarcloud.properties", "sonarqube"),
    (".checkov-baseline", "checkov"),
    (".prowler", "prowler"),
];

/// Folders that hold nothing but a scanner's rules and settings.
const SETTINGS_FOLDERS: &[(&str, &str)] = &[
    (".semgrep", "semgrep"),
    (".gitleaks", "gitleaks"),
    (".codeql", "codeql"),
];

/// Sections of shared files that are settings of scanners: the file, how the section starts, and whose it is.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("pyproject.toml", "[tool.bandit", "bandit"),
    ("pyproject.toml", "[tool.ruff", "ruff"),
    ("pyproject.toml", "[tool.pylint", "pylint"),
    ("pyproject.toml", "[tool.semgrep", "semgrep"),
    ("setup.cfg", "[bandit", "bandit"),
    ("setup.cfg", "[flake8", "flake8"),
    ("tox.ini", "[bandit", "bandit"),
    ("tox.ini", "[flake8", "flake8"),
    ("package.json", "\"eslintconfig\"", "eslint"),
    ("package.json", "\"overrides\"", "npm audit"),
    ("package.json", "\"resolutions\"", "yarn audit"),
    ("package.json", "\"pnpm\"", "pnpm audit"),
    ("package.json", "\"auditconfig\"", "pnpm audit"),
    ("pom.xml", "<suppressionfile", "dependency-check"),
];

/// Lines of shared files that are settings of scanners: the file, how the line starts, and whose it is.
const LINES: &[(&str, &str, &str)] = &[
    (".npmrc", "audit", "npm audit"),
    (".yarnrc.yml", "npmaudit", "yarn audit"),
    ("pnpm-workspace.yaml", "auditconfig", "pnpm audit"),
];

/// One suppression.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// What it is and what it covers: equal ones are one that moved.
    key: (String, String),
    path: String,
    line: u32,
    whose: &'static str,
    shown: String,
}

/// Suppressions that the candidate has and the base hasn't, as findings. One that moved with its code is none.
/// An override of a package that `resolves` names is how npm pins a fix, and none either.
pub(super) fn added(base: &dyn Files, candidate: &dyn Files, resolves: &[Finding]) -> Vec<Finding> {
    let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut new = Vec::new();
    for path in files::changed(base, candidate) {
        for entry in entries(path, base.file(path)) {
            *known.entry(entry.key).or_default() += 1;
        }
        new.extend(entries(path, candidate.file(path)));
    }
    let targets: BTreeSet<&str> = resolves
        .iter()
        .filter_map(|finding| Some(finding.component.as_ref()?.name.as_str()))
        .collect();
    let pins_target =
        |entry: &Entry| entry.whose.ends_with(" audit") && entry.shown.split('"').any(|part| targets.contains(part));
    new.retain(|entry| match known.get_mut(&entry.key) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => !pins_target(entry),
    });
    new.into_iter().take(MAX_FOUND).map(finding).collect()
}

fn finding(entry: Entry) -> Finding {
    Finding {
        fingerprint: Fingerprint::of([RULE, &entry.path, &entry.key.0, &entry.key.1]),
        scanner: SCANNER.to_owned(),
        rule: RULE.to_owned(),
        title: format!("`{}` makes {} look away", entry.shown, entry.whose),
        severity: Severity::Medium,
        class: FindingClass::Config,
        cwes: Vec::new(),
        aliases: Vec::new(),
        component: None,
        location: Some(Location {
            path: entry.path,
            line: Some(entry.line),
        }),
        iac_address: None,
        fixed_versions: Vec::new(),
        details: FindingDetails::default(),
    }
}

fn entries(path: &str, file: FileText<'_>) -> Vec<Entry> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let by_name = SETTINGS.iter().find(|(file, _)| *file == name);
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let by_folder = || {
        let mut known = SETTINGS_FOLDERS.iter();
        known.find(|(folder, _)| folders.split('/').any(|part| part == *folder))
    };
    let settings = by_name.or_else(by_folder).map(|(_, whose)| *whose);
    let text = match file {
        FileText::Text(text) => text,
        FileText::Absent => return Vec::new(),
        // What can't be read could be anything; of a scanner's settings that isn't good enough.
        FileText::Unreadable(why) => {
            let unread = settings.map(|whose| entry(path, 1, whose, why, String::new()));
            return unread.into_iter().collect();
        }
    };
    if let Some(whose) = settings {
        return lines(text)
            .filter(|(_, line)| !is_comment(line))
            .map(|(number, line)| entry(path, number, whose, line, name.clone()))
            .collect();
    }
    let mut found = sections(path, &name, text);
    for (_, start, whose) in LINES.iter().filter(|(file, ..)| *file == name) {
        let set = lines(text).filter(|(_, line)| line.trim_start().to_ascii_lowercase().starts_with(start));
        found.extend(set.map(|(number, line)| entry(path, number, whose, line, (*start).to_owned())));
    }
    let mut code: Option<Option<Code<'_>>> = None;
    for (number, line) in lines(text) {
        let Some(whose) = mark(line) else { continue };
        let code = code.get_or_insert_with(|| Code::of(text, Lang::of(path)));
        found.push(entry(
            path,
            number,
            whose,
            line_mark(line),
            covered(code.as_ref(), number),
        ));
    }
    found
}

fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//") || line.starts_with(';')
}

fn entry(path: &str, line: u32, whose: &'static str, shown: &str, covers: String) -> Entry {
    let shown = one_line(shown.trim());
    Entry {
        key: (squeezed(&shown), covers),
        path: path.to_owned(),
        line,
        whose,
        shown,
    }
}

fn squeezed(line: &str) -> String {
    line.chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Who looks away because of this line.
fn mark(line: &str) -> Option<&'static str> {
    // Most lines have none of the letters that every mark has.
    if !line.contains(['#', '/', '@', '[', '*', '-', ';', '<']) {
        return None;
    }
    let squeezed = squeezed(line);
    if let Some(codes) = squeezed
        .split_once("noqa")
        .filter(|(before, _)| before.ends_with('#'))
        .map(|(_, after)| after)
    {
        return hides_security(codes).then_some("flake8, ruff");
    }
    MARKS
        .iter()
        .find(|(mark, _)| squeezed.contains(&mark.replace(' ', "")))
        .map(|(_, whose)| *whose)
}

/// Whether a `noqa` with these codes hides more than style: without codes, or with one of flake8-bandit's (`S…`).
fn hides_security(codes: &str) -> bool {
    codes.strip_prefix(':').is_none_or(|codes| {
        codes
            .split(',')
            .any(|code| code.starts_with('s') && code.get(1..2).is_none_or(|digit| ("0"..="9").contains(&digit)))
    })
}

/// The comment that holds the mark, without the code before it.
fn line_mark(line: &str) -> &str {
    let start = ["# ", "#", "//", "/*", "<!--", "--", "@", "["]
        .iter()
        .filter_map(|start| line.find(start))
        .min();
    start.and_then(|at| line.get(at..)).unwrap_or(line)
}

/// The code that a mark covers: its line's statement, or the next one.
fn covered(code: Option<&Code<'_>>, line: u32) -> String {
    let Some(code) = code else { return String::new() };
    let next = || {
        let after = code
            .parts
            .get(code.parts.partition_point(|part| part.token.line <= line))?;
        code.span(after.token.line)
    };
    let parts = code
        .span(line)
        .or_else(next)
        .and_then(|span| code.parts.get(span.whole));
    parts
        .into_iter()
        .flatten()
        .map(|part| if part.declared { "" } else { part.token.text })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Lines of the sections that are a scanner's.
fn sections(path: &str, name: &str, text: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    for (_, start, whose) in SECTIONS.iter().filter(|(file, ..)| *file == name) {
        let (mut inside, mut depth) = (false, 0_i64);
        for (number, line) in lines(text) {
            let lower = line.trim_start().to_ascii_lowercase();
            let starts = lower.starts_with(start);
            // An INI section ends with the next one, a JSON object with its brace.
            if inside
                && !starts
                && ((start.starts_with('[') && lower.starts_with('[')) || (depth <= 0 && !start.starts_with('[')))
            {
                inside = false;
            }
            if starts {
                (inside, depth) = (true, 0);
            }
            if inside {
                let count = |mark: char| i64::try_from(line.matches(mark).count()).unwrap_or(i64::MAX);
                depth = depth.saturating_add(count('{')).saturating_sub(count('}'));
                if !is_comment(line)
                    && squeezed(line).chars().any(char::is_alphanumeric)
                    && !(starts && !start.starts_with('<') && !line.contains(':'))
                {
                    found.push(entry(path, number, whose, line, (*start).to_owned()));
                }
            }
        }
    }
    // A section's own first line says nothing yet.
    found.retain(|entry| !entry.shown.ends_with('{'));
    found
}

#[cfg(test)]
mod tests {
    use super::super::move_tests::tree;
    use super::super::tests::finding;
    use super::*;
    use holdpoint_schemas::finding::Component;

    fn lines_added(path: &str, before: &str, after: &str) -> Vec<String> {
        let found = added(&tree(&[(path, before)]), &tree(&[(path, after)]), &[]);
        found.into_iter().map(|finding| finding.title).collect()
    }

    #[test]
    fn each_mark_that_a_fix_adds_is_found() {
        for (path, before, after) in [
            ("a.py", "eval(x)\n", "eval(x)  # nosec B307\n"),
            ("a.py", "eval(x)\n", "eval(x)  # noqa: S307\n"),
            ("a.py", "eval(x)\n", "eval(x)  # NOQA\n"),
            ("a.js", "eval(x)\n", "// nosemgrep: a.b\neval(x)\n"),
            ("a.js", "eval(x)\n", "/* eslint-disable */\neval(x)\n"),
            ("a.rs", "f();\n", "#[allow(unsafe_code)]\nf();\n"),
            ("A.java", "f();\n", "@SuppressWarnings(\"all\")\nf();\n"),
            ("A.java", "f();\n", "f(); // NOSONAR\n"),
            ("a.tf", "a = 1\n", "a = 1 #tfsec:ignore:x\n"),
            ("a.tf", "a = 1\n", "#checkov:skip=CKV_1:fine\na = 1\n"),
            ("a.tf", "a = 1\n", "#trivy:ignore:AVD-1\na = 1\n"),
            ("x/.trivyignore", "", "CVE-2024-1\n"),
            ("ruff.toml", "", "ignore = [\"S\"]\n"),
            (".semgrep/own.yml", "", "rules: []\n"),
            (".npmrc", "", "audit=false\n"),
            ("eslint.config.js", "", "export default [];\n"),
            (".semgrepignore", "tests/\n", "tests/\nsrc/\n"),
            (
                "pyproject.toml",
                "[tool.bandit]\nskips = []\n",
                "[tool.bandit]\nskips = [\"B307\"]\n",
            ),
            (
                "setup.cfg",
                "[bandit]\n[x]\na = 1\n",
                "[bandit]\nskips: B101\n[x]\na = 2\n",
            ),
            (
                "package.json",
                "{\n\"a\": 1\n}\n",
                "{\n\"overrides\": {\n\"left-pad\": \"1.0.0\"\n},\n\"a\": 1\n}\n",
            ),
        ] {
            assert_eq!(lines_added(path, before, after).len(), 1, "{path}: {after}");
        }
    }

    #[test]
    fn what_was_there_moved_with_its_code_or_is_about_style_is_not_new() {
        let base = tree(&[("a.py", "import x\n\ndef f():\n    eval(x)  # nosec\n"), ("b.py", "")]);
        let moved = tree(&[
            ("a.py", "import x\n"),
            ("b.py", "def g():\n  eval(\n    x\n  )  #nosec\n"),
        ]);
        assert_eq!(added(&base, &moved, &[]), []);
        assert!(lines_added("a.py", "f(x)\n", "f(x)  # noqa: E501\n").is_empty());
        assert!(lines_added("a.py", "f(x)\n", "nosec = f(x)\n").is_empty());
        assert!(lines_added("setup.cfg", "[bandit]\n[x]\n", "[bandit]\n[x]\na = 1\n").is_empty());
    }

    #[test]
    fn a_mark_moved_to_other_code_is_new() {
        assert_eq!(
            lines_added("a.py", "f(x)  # nosec\neval(x)\n", "f(x)\neval(x)  # nosec\n").len(),
            1
        );
    }

    #[test]
    fn an_override_of_the_package_to_be_fixed_is_the_fix() {
        let mut vulnerable = finding("GHSA-1", "a", 1);
        vulnerable.component = Some(Component {
            purl: None,
            name: "left-pad".to_owned(),
            version: None,
        });
        let base = tree(&[("package.json", "{\n}\n")]);
        let after = tree(&[("package.json", "{\n\"overrides\": {\n\"left-pad\": \"1.0.1\"\n}\n}\n")]);
        assert_eq!(added(&base, &after, &[vulnerable]), []);
    }
}
