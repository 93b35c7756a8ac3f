//! Packages that a fix brings in, from the lockfiles and manifests of both trees.

mod formats;

use holdpoint_schemas::finding::{Component, Finding, FindingClass, FindingDetails, Fingerprint, Location, Severity};
use std::collections::{BTreeMap, BTreeSet};

use super::suppression::SCANNER;
use crate::files::{self, FileText, Files};
use crate::text::one_line;

/// Rule of these findings.
pub const RULE: &str = "new-dependency";
/// Packages named; a fix that brings in more is one to look at anyway.
const MAX_FOUND: usize = 1_000;

/// What became of the packages.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Packages that weren't used before, as findings.
    pub(super) added: Vec<Finding>,
    /// Packages in other versions than before, for people.
    pub(super) upgraded: Vec<String>,
    /// Files that name packages and can't be read, for people.
    pub(super) unread: Vec<String>,
}

/// A package in a file: ecosystem, name.
type Name = (&'static str, String);

/// Compares the packages of both trees. One that was anywhere in the base isn't new; one that `resolves` names is
/// what the fix is about.
pub(super) fn change(base: &dyn Files, candidate: &dyn Files, resolves: &[Finding]) -> Change {
    let mut change = Change::default();
    let changed = files::changed(base, candidate);
    if !changed.iter().any(|path| formats::of(path).is_some()) {
        return change;
    }
    let mut known: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    for path in base.paths() {
        let Some(format) = formats::of(path) else { continue };
        match base.file(path) {
            FileText::Text(text) => {
                for package in (format.read)(text) {
                    known
                        .entry((format.ecosystem, package.name))
                        .or_default()
                        .insert(package.version);
                }
            }
            FileText::Unreadable(why) if changed.contains(path) => {
                change.unread.push(format!("{} of the base: {why}", one_line(path)));
            }
            FileText::Unreadable(_) | FileText::Absent => {}
        }
    }
    let targets: BTreeSet<String> = resolves
        .iter()
        .filter_map(|finding| Some(finding.component.as_ref()?.name.to_ascii_lowercase()))
        .collect();
    let mut seen = BTreeSet::new();
    for path in changed {
        let Some(format) = formats::of(path) else { continue };
        let text = match candidate.file(path) {
            FileText::Text(text) => text,
            FileText::Unreadable(why) => {
                change.unread.push(format!("{}: {why}", one_line(path)));
                continue;
            }
            FileText::Absent => continue,
        };
        for package in (format.read)(text) {
            let name = (format.ecosystem, package.name.clone());
            let versions = known.get(&name);
            if versions.is_some_and(|versions| versions.contains(&package.version))
                || !seen.insert((name.clone(), package.version.clone()))
            {
                continue;
            }
            let shown = one_line(&format!("{}@{}", package.name, package.version));
            if versions.is_some() || targets.contains(&package.name.to_ascii_lowercase()) {
                change
                    .upgraded
                    .push(format!("other version: {shown} in {}", one_line(path)));
            } else if seen.insert((name, String::new())) {
                change.added.push(finding(path, format.ecosystem, package, &shown));
            }
        }
    }
    change.added.truncate(MAX_FOUND);
    change
}

fn finding(path: &str, ecosystem: &str, package: formats::Package, shown: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint::of([RULE, ecosystem, &package.name]),
        scanner: SCANNER.to_owned(),
        rule: RULE.to_owned(),
        title: format!("new dependency `{shown}`"),
        severity: Severity::Low,
        class: FindingClass::Dependency,
        cwes: Vec::new(),
        aliases: Vec::new(),
        component: Some(Component {
            purl: Some(format!("pkg:{ecosystem}/{}", package.name)),
            version: Some(package.version.clone()).filter(|version| !version.is_empty()),
            name: package.name,
        }),
        location: Some(Location {
            path: path.to_owned(),
            line: package.line,
        }),
        iac_address: None,
        fixed_versions: Vec::new(),
        details: FindingDetails::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::move_tests::tree;
    use super::*;

    fn new_in(path: &str, before: &str, after: &str) -> Vec<String> {
        let change = change(&tree(&[(path, before)]), &tree(&[(path, after)]), &[]);
        assert!(change.unread.is_empty());
        change.added.into_iter().map(|finding| finding.title).collect()
    }

    #[test]
    fn a_package_that_was_not_there_is_a_finding_in_every_format() {
        for (path, before, after) in [
            (
                "requirements.txt",
                "a==1\n",
                "a==2\nNew_Pkg[x]==1.0 ; python_version > '3'\n",
            ),
            (
                "Cargo.lock",
                "[[package]]\nname = \"a\"\nversion = \"1\"\n",
                "[[package]]\nname = \"a\"\nversion = \"2\"\n\n[[package]]\nname = \"new-pkg\"\nversion = \"1.0\"\n",
            ),
            ("uv.lock", "", "[[package]]\nname = \"new-pkg\"\nversion = \"1.0\"\n"),
            (
                "package-lock.json",
                "{}",
                "{\n\"packages\": {\n\"\": {\n\"version\": \"9\"\n},\n\"node_modules/a/node_modules/new-pkg\": {\n\"version\": \"1.0\",\n\"dependencies\": { \"x\": \"1\" }\n}\n}\n}\n",
            ),
            (
                "yarn.lock",
                "a@^1:\n  version \"1\"\n",
                "a@^1:\n  version \"2\"\n\n\"new-pkg@^1.0, new-pkg@~1\":\n  version \"1.0\"\n",
            ),
            (
                "pnpm-lock.yaml",
                "packages:\n  a@1:\n    resolution: {}\n",
                "packages:\n  a@1:\n    resolution: {}\n  'new-pkg@1.0':\n    resolution: {}\n",
            ),
            (
                "go.mod",
                "require (\n\ta v1\n)\n",
                "require (\n\ta v2\n\tnew-pkg 1.0 // indirect\n)\n",
            ),
            (
                "Gemfile.lock",
                "GEM\n  specs:\n    a (1)\n",
                "GEM\n  specs:\n    a (2)\n      b (> 1)\n    new-pkg (1.0)\n",
            ),
            (
                "pom.xml",
                "<a/>",
                "<dependency>\n<groupId>g</groupId>\n<artifactId>new-pkg</artifactId>\n<version>1.0</version>\n</dependency>\n",
            ),
            (
                "build.gradle",
                "",
                "dependencies {\n  implementation 'g:new-pkg:1.0'\n}\n",
            ),
            (
                "a.csproj",
                "",
                "<PackageReference Include=\"new-pkg\" Version=\"1.0\" />\n",
            ),
            (
                "composer.lock",
                "{}",
                "{\n\"packages\": [\n{\n\"name\": \"v/new-pkg\",\n\"version\": \"1.0\"\n}\n]\n}\n",
            ),
        ] {
            let found = new_in(path, before, after);
            assert_eq!(found.len(), 1, "{path}: {found:?}");
            assert!(
                found[0].contains("new-pkg") && found[0].ends_with("1.0`"),
                "{path}: {found:?}"
            );
        }
    }

    #[test]
    fn another_version_is_named_and_is_no_finding() {
        let base = tree(&[("requirements.txt", "urllib3==1.26.17\n")]);
        let after = tree(&[("requirements.txt", "urllib3==1.26.18\n")]);
        let change = change(&base, &after, &[]);
        assert!(change.added.is_empty());
        assert_eq!(change.upgraded, ["other version: urllib3@1.26.18 in requirements.txt"]);
    }
}
