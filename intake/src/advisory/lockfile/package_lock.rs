//! npm's `package-lock.json`, lockfile versions 2 and 3.

use holdpoint_schemas::SourceError;
use holdpoint_schemas::fix::DependencyScope;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, HashMap};

use super::{Lockfile, Package, line_number};
use crate::error::SourceResult;
use crate::osv::Ecosystem;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    lockfile_version: u32,
    packages: Option<BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    /// The real name, where it is installed under an alias.
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    link: bool,
    /// Whether only development needs it.
    #[serde(default)]
    dev: bool,
    #[serde(default, flatten)]
    declared: Declared,
}

/// What the root declares, by kind.
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
struct Declared {
    dependencies: BTreeMap<String, IgnoredAny>,
    dev_dependencies: BTreeMap<String, IgnoredAny>,
    optional_dependencies: BTreeMap<String, IgnoredAny>,
    peer_dependencies: BTreeMap<String, IgnoredAny>,
}

impl Declared {
    /// Whether the package installed at this key is one that the root declares.
    fn declares(&self, key: &str) -> bool {
        let kinds = [
            &self.dependencies,
            &self.dev_dependencies,
            &self.optional_dependencies,
            &self.peer_dependencies,
        ];
        key.strip_prefix("node_modules/")
            .is_some_and(|name| kinds.iter().any(|kind| kind.contains_key(name)))
    }
}

impl Entry {
    const fn scope(&self) -> Option<DependencyScope> {
        Some(if self.dev {
            DependencyScope::Dev
        } else {
            DependencyScope::Runtime
        })
    }
}

pub fn read(path: &str, text: &str) -> SourceResult<Lockfile> {
    let document: Document = crate::json::parse(path, text, "an npm lockfile")?;
    let Some(packages) = document.packages else {
        let message = format!(
            "lockfile version {}, but 2 or 3 was expected",
            document.lockfile_version
        );
        return Err(Box::new(
            SourceError::new(path, message).help("run `npm install` with npm 7 or later"),
        ));
    };
    let lines = lines_of_keys(text);
    let root = packages.get("").map(|root| root.declared.clone());
    let mut lockfile = Lockfile::default();
    for (key, entry) in packages {
        // Only what is installed from elsewhere: the root, workspaces and links are the repo's own.
        let Some((_, folder)) = key.rsplit_once("node_modules/").filter(|_| !entry.link) else {
            continue;
        };
        let scope = entry.scope();
        let name = entry.name.unwrap_or_else(|| folder.to_owned());
        match entry.version {
            Some(version) => lockfile.packages.push(Package {
                ecosystem: Ecosystem::Npm,
                name,
                version,
                line: lines.get(key.as_str()).copied(),
                scope,
                direct: root.as_ref().map(|root| root.declares(&key)),
            }),
            None => lockfile.skipped.push(format!("`{name}` has no version")),
        }
    }
    Ok(lockfile)
}

/// Lines of the keys under `packages`, as npm writes them: one on each line.
fn lines_of_keys(text: &str) -> HashMap<&str, u32> {
    let keys = text.lines().enumerate().filter_map(|(index, line)| {
        let key = line.trim_start().strip_prefix('"')?.split('"').next()?;
        key.contains("node_modules/")
            .then(|| Some((key, line_number(index)?)))?
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_read_with_their_lines() {
        let text = r#"{
  "lockfileVersion": 3,
  "packages": {
    "": {"name": "me", "version": "1.0.0"},
    "node_modules/@s/a": {"version": "1.2.3"},
    "node_modules/b/node_modules/c": {"version": "2.0.0", "dev": true},
    "node_modules/alias": {"name": "real", "version": "3.0.0"},
    "node_modules/ws": {"resolved": "packages/ws", "link": true},
    "packages/ws": {"version": "0.1.0"}
  }
}"#;
        let lockfile = read("package-lock.json", text).unwrap();
        let read: Vec<_> = lockfile
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.line))
            .collect();
        assert_eq!(
            read,
            [
                ("@s/a", "1.2.3", Some(5)),
                ("real", "3.0.0", Some(7)),
                ("c", "2.0.0", Some(6))
            ]
        );
    }

    #[test]
    fn an_old_or_cut_off_lockfile_is_refused() {
        let old = read("package-lock.json", r#"{"lockfileVersion":1,"dependencies":{}}"#).unwrap_err();
        assert!(old.message.contains("lockfile version 1"), "{}", old.message);
        let cut = read("package-lock.json", "{\"lockfileVersion\":3,\n\"packages\":{").unwrap_err();
        assert_eq!(cut.position.map(|p| p.0), Some(2));
    }
}
