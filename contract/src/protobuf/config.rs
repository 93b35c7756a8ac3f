//! What buf's own configuration says of breaking changes (buf.build/docs/configuration), where somebody wants to
//! follow it. A comparison doesn't look for it by itself: it is a file of the repo, and a fix may not say which of
//! its own changes count.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::SourceError;
use serde::Deserialize;
use serde_json::Value;

use super::checks::Finding;
use super::model::File;
use super::table::{REPLACED, RULES, categories};
use crate::ContractError;
use crate::text::read_value;

/// Version of the configuration; it decides which rules there are, and their categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// `v1beta1`.
    V1Beta1,
    /// `v1`: what buf takes where there is no configuration.
    #[default]
    V1,
    /// `v2`, which has three rules more.
    V2,
}

/// The `breaking` section of a `buf.yaml`. What it doesn't use or ignores is told as information, not dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProtobufConfig {
    /// Version.
    pub version: Version,
    /// Rules and categories that count; empty: all do.
    pub used: Vec<String>,
    /// Rules and categories that don't.
    pub except: Vec<String>,
    /// Folders that paths are relative to, beside the one that is compared.
    pub roots: Vec<String>,
    /// Files and folders whose changes don't count.
    pub ignore: Vec<String>,
    /// The same, for one rule or category.
    pub ignore_only: BTreeMap<String, Vec<String>>,
    /// Whether packages such as `a.v1beta1` may break.
    pub ignore_unstable_packages: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    version: Option<String>,
    build: Build,
    breaking: Breaking,
}

/// Only `v1beta1` has roots.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Build {
    roots: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Breaking {
    r#use: Vec<String>,
    except: Vec<String>,
    ignore: Vec<String>,
    ignore_only: BTreeMap<String, Vec<String>>,
    ignore_unstable_packages: bool,
}

impl ProtobufConfig {
    /// Reads the text of a `buf.yaml`; `file` is its name, for errors.
    ///
    /// # Errors
    /// When it is no YAML, or the section isn't what buf documents, or it names a rule or category that there isn't.
    pub fn parse(file: &str, text: &str) -> Result<Self, ContractError> {
        const HELP: &str = "expected a `buf.yaml` with a section `breaking`";
        let value: Value = read_value(file, text)?;
        let written: Written =
            serde_json::from_value(value).map_err(|error| SourceError::new(file, error.to_string()).help(HELP))?;
        let version = match written.version.as_deref() {
            Some("v1beta1") => Version::V1Beta1,
            Some("v2") => Version::V2,
            Some("v1") | None => Version::V1,
            Some(other) => {
                let message = format!("`{other}` is no version of this file");
                return Err(SourceError::new(file, message).help("`v1beta1`, `v1` or `v2`").into());
            }
        };
        let breaking = written.breaking;
        let names = breaking
            .r#use
            .iter()
            .chain(&breaking.except)
            .chain(breaking.ignore_only.keys());
        for name in names {
            if expand(name, version).is_none() {
                let message = format!("`{name}` is no rule or category for breaking changes");
                return Err(SourceError::new(file, message)
                    .help("see `buf config ls-breaking-rules`")
                    .into());
            }
        }
        Ok(Self {
            version,
            used: breaking.r#use,
            except: breaking.except,
            roots: written.build.roots,
            ignore: breaking.ignore,
            ignore_only: breaking.ignore_only,
            ignore_unstable_packages: breaking.ignore_unstable_packages,
        })
    }

    /// Which rules count.
    pub(super) fn rules(&self) -> BTreeSet<&'static str> {
        let all = |names: &[String]| -> BTreeSet<&'static str> {
            names
                .iter()
                .filter_map(|name| expand(name, self.version))
                .flatten()
                .collect()
        };
        let mut found = if self.used.is_empty() {
            RULES.iter().map(|rule| rule.id).collect()
        } else {
            all(&self.used)
        };
        for rule in all(&self.except) {
            found.remove(rule);
        }
        found
    }

    /// Whether a finding doesn't count, for where it is.
    pub(super) fn ignores(&self, finding: &Finding<'_>) -> bool {
        let of_rule: Vec<&String> = self
            .ignore_only
            .iter()
            .filter(|(name, _)| expand(name, self.version).is_some_and(|rules| rules.contains(&finding.rule)))
            .flat_map(|(_, paths)| paths)
            .collect();
        let within = |file: &File, path: &str| {
            let below_root = |root: &String| holds(&format!("{}/{path}", root.trim_end_matches('/')), &file.path);
            holds(path, &file.path) || self.roots.iter().any(below_root)
        };
        let ignored = |file: &File| {
            self.ignore.iter().any(|path| within(file, path))
                || of_rule.iter().any(|path| within(file, path))
                || (self.ignore_unstable_packages && is_unstable(&file.package))
        };
        [finding.file, finding.base_file].into_iter().flatten().any(ignored)
    }
}

/// The rules that a name stands for: a category, a rule, or one of the past.
fn expand(name: &str, version: Version) -> Option<Vec<&'static str>> {
    if let Some((_, rules)) = REPLACED.iter().find(|(old, _)| *old == name) {
        return Some(rules.to_vec());
    }
    if let Some(rule) = RULES.iter().find(|rule| rule.id == name) {
        return Some(vec![rule.id]);
    }
    let of_category: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.id)
        .filter(|id| categories(id, version).contains(&name))
        .collect();
    (!of_category.is_empty()).then_some(of_category)
}

/// Whether a path is the other or a folder above it.
fn holds(outer: &str, path: &str) -> bool {
    let outer = outer.trim_start_matches("./").trim_end_matches('/');
    outer == "."
        || path
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the last part of a package is a version that isn't stable: `v1beta1`, `v1p1alpha`, `v1test`.
fn is_unstable(package: &str) -> bool {
    let Some((_, last)) = package.rsplit_once('.') else {
        return false;
    };
    let Some(version) = last.strip_prefix('v') else {
        return false;
    };
    let number = |text: &str| text.parse::<u32>().is_ok_and(|number| number > 0);
    if let Some((major, _)) = version.split_once("test") {
        return number(major);
    }
    let level = match (version.contains("alpha"), version.contains("beta")) {
        (true, false) => "alpha",
        (false, true) => "beta",
        _ => return false,
    };
    let Some((release, minor)) = version.split_once(level) else {
        return false;
    };
    let release_fits = match release.split_once('p') {
        Some((major, patch)) => number(major) && number(patch),
        None => number(release),
    };
    release_fits && (minor.is_empty() || number(minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_packages_tell_whether_they_may_break() {
        for package in ["a.v1beta1", "a.v1alpha", "a.b.v2p1beta3", "a.v1test", "a.v1testfoo"] {
            assert!(is_unstable(package), "{package}");
        }
        for package in [
            "a",
            "v1beta1",
            "a.v1",
            "a.beta",
            "a.vbeta1",
            "a.v0beta1",
            "a.v1alpha1beta1",
            "a.v1betaX",
        ] {
            assert!(!is_unstable(package), "{package}");
        }
    }

    #[test]
    fn paths_are_ignored_by_folder_and_by_file() {
        for (outer, path, expected) in [
            ("a/c", "a/c/1.proto", true),
            ("a/c/", "a/c/1.proto", true),
            ("./a", "a/1.proto", true),
            ("a/c", "a/cc/1.proto", false),
            ("1.proto", "1.proto", true),
            ("1.proto", "a/1.proto", false),
        ] {
            assert_eq!(holds(outer, path), expected, "{outer} {path}");
        }
    }

    #[test]
    fn a_section_is_read_and_unknown_rules_are_errors() {
        let text = "version: v1\nbreaking:\n  use: [FILE]\n  except: [FIELD_SAME_LABEL]\n  ignore: [a]\n  \
                    ignore_only:\n    ENUM_NO_DELETE: [b]\n  ignore_unstable_packages: true\n";
        let config = ProtobufConfig::parse("buf.yaml", text).unwrap();
        assert_eq!(config.version, Version::V1);
        let rules = config.rules();
        assert!(rules.contains("FIELD_SAME_TYPE"));
        for gone in ["FIELD_SAME_CARDINALITY", "EXTENSION_NO_DELETE", "PACKAGE_NO_DELETE"] {
            assert!(!rules.contains(gone), "{gone}");
        }
        for wrong in ["breaking:\n  use: [NOPE]\n", "version: v9\n", "breaking: 1\n", "a: [\n"] {
            let error = ProtobufConfig::parse("buf.yaml", wrong).unwrap_err();
            assert!(error.one_line().starts_with("buf.yaml"), "{}", error.one_line());
        }
        assert_eq!(
            ProtobufConfig::parse("buf.yaml", "version: v2\n").unwrap().version,
            Version::V2
        );
    }
}
