//! What manifests and lockfiles say of a repo's dependencies: one file per ecosystem, one line in [`READERS`].

mod cargo;
mod go;
mod java;
mod npm;
mod python;

use std::collections::{BTreeMap, BTreeSet};

use crate::bounds::MAX_MANIFEST_BYTES;
use crate::package::{Ecosystem, Package, loaded_by_others, normalised};

/// What all manifests of a repo say.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    /// Declared packages, by normalised name.
    declared: BTreeMap<Ecosystem, BTreeSet<String>>,
    /// Ecosystems of which some manifest says that it doesn't list everything.
    partial: BTreeSet<Ecosystem>,
    /// Who depends on whom: package, its users (normalised), from lockfiles.
    users: BTreeMap<Ecosystem, BTreeMap<String, BTreeSet<String>>>,
    /// Other names under which a package is imported.
    renames: BTreeMap<(Ecosystem, String), Vec<String>>,
    /// First-party packages: name and folder.
    pub own: Vec<(Ecosystem, String, String)>,
    /// Words of scripts and settings, where a package could be named without an import.
    pub mentions: Vec<String>,
    /// Commands that npm scripts run.
    pub commands: BTreeSet<String>,
    /// What couldn't be read, with the ecosystem that it is about.
    pub problems: Vec<(Ecosystem, String)>,
}

/// Reads a file (folder, text) into what is known; `Err` says what is wrong with it.
type Reader = fn(&str, &str, &mut Manifests) -> Result<(), String>;

const READERS: &[(&str, Ecosystem, Reader)] = &[
    ("Cargo.toml", Ecosystem::Cargo, cargo::manifest),
    ("Cargo.lock", Ecosystem::Cargo, cargo::lock),
    ("package.json", Ecosystem::Npm, npm::manifest),
    ("package-lock.json", Ecosystem::Npm, npm::lock),
    ("npm-shrinkwrap.json", Ecosystem::Npm, npm::lock),
    ("go.mod", Ecosystem::Golang, go::manifest),
    ("pyproject.toml", Ecosystem::Pypi, python::project),
    ("poetry.lock", Ecosystem::Pypi, python::lock),
    ("uv.lock", Ecosystem::Pypi, python::lock),
    ("pom.xml", Ecosystem::Maven, java::pom),
];

/// Manifests whose dependencies aren't read, and lockfiles whose text would only be mistaken for mentions.
const UNREAD: &[(&str, Option<Ecosystem>)] = &[
    ("Pipfile", Some(Ecosystem::Pypi)),
    ("setup.cfg", Some(Ecosystem::Pypi)),
    ("environment.yml", Some(Ecosystem::Pypi)),
    ("build.gradle", Some(Ecosystem::Maven)),
    ("build.gradle.kts", Some(Ecosystem::Maven)),
    ("build.sbt", Some(Ecosystem::Maven)),
    ("Pipfile.lock", None),
    ("yarn.lock", None),
    ("pnpm-lock.yaml", None),
    ("bun.lock", None),
    ("go.sum", None),
    ("gradle.lockfile", None),
    ("pdm.lock", None),
];

/// npm packages whose imports compilers write.
const INSERTED: &[&str] = &[
    "tslib",
    "core-js",
    "regenerator-runtime",
    "@babel/runtime",
    "@swc/helpers",
    "babel-runtime",
];

impl Manifests {
    /// Reads a file if it is a manifest or a lockfile; whether it was one.
    pub fn read(&mut self, path: &str, text: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let lists = name.contains("requirements") || name.contains("constraints") || folder.ends_with("requirements");
        let requirements = lists && (name.ends_with(".txt") || name.ends_with(".in"));
        let row = READERS.iter().find(|(known, _, _)| *known == name).copied();
        let row = if requirements {
            Some((name, Ecosystem::Pypi, python::requirements as Reader))
        } else {
            row
        };
        if let Some((_, ecosystem, reader)) = row {
            let result = if text.len() > MAX_MANIFEST_BYTES {
                Err(format!("more than {MAX_MANIFEST_BYTES} bytes"))
            } else {
                reader(folder, text, self)
            };
            if let Err(problem) = result {
                self.problems
                    .push((ecosystem, format!("`{path}` can't be read: {problem}")));
            }
            return true;
        }
        let unread = UNREAD.iter().find(|(known, _)| *known == name);
        if let Some((_, Some(ecosystem))) = unread {
            self.partial.insert(*ecosystem);
        }
        unread.is_some()
    }

    fn declare(&mut self, ecosystem: Ecosystem, name: &str) {
        self.declared
            .entry(ecosystem)
            .or_default()
            .insert(normalised(ecosystem, name));
    }

    fn rename(&mut self, ecosystem: Ecosystem, name: &str, import_name: &str) {
        let key = (ecosystem, normalised(ecosystem, name));
        self.renames.entry(key).or_default().push(import_name.to_owned());
    }

    /// Notes a package of a lockfile, and whom it depends on. First-party packages are no users.
    fn locked<'a>(
        &mut self,
        ecosystem: Ecosystem,
        name: &str,
        first_party: bool,
        needs: impl IntoIterator<Item = &'a str>,
    ) {
        let name = normalised(ecosystem, name);
        let users = self.users.entry(ecosystem).or_default();
        users.entry(name.clone()).or_default();
        for needed in needs {
            let users = users.entry(normalised(ecosystem, needed)).or_default();
            if !first_party {
                users.insert(name.clone());
            }
        }
    }

    /// Names under which manifests say that a package is imported.
    pub fn renames(&self, package: &Package) -> &[String] {
        let key = (package.ecosystem, normalised(package.ecosystem, &package.name));
        self.renames.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Whether some manifest declares it.
    pub fn declares(&self, package: &Package) -> bool {
        let name = normalised(package.ecosystem, &package.name);
        self.declared
            .get(&package.ecosystem)
            .is_some_and(|names| names.contains(&name))
    }

    /// A crate by whose name it is likely to hold the macros of another: `serde_derive` of `serde`.
    fn companion(&self, ecosystem: Ecosystem, name: &str) -> Option<&String> {
        let names = self
            .declared
            .get(&ecosystem)
            .filter(|_| ecosystem == Ecosystem::Cargo)?;
        names
            .iter()
            .find(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('_')))
    }

    /// Why something else than the repo's own source could load the package; `None` when nothing can.
    pub fn other_users(&self, package: &Package) -> Option<String> {
        match package.used_by_others {
            Some(true) => return Some("other dependencies use it".to_owned()),
            Some(false) => return None,
            None => {}
        }
        if let Some((_, problem)) = self
            .problems
            .iter()
            .find(|(ecosystem, _)| *ecosystem == package.ecosystem)
        {
            return Some(problem.clone());
        }
        let name = normalised(package.ecosystem, &package.name);
        if package.ecosystem == Ecosystem::Pypi && loaded_by_others(&name) {
            return Some(format!("frameworks and servers load `{}` by themselves", package.name));
        }
        if package.ecosystem == Ecosystem::Npm && INSERTED.contains(&name.as_str()) {
            return Some("compilers insert calls of it".to_owned());
        }
        if let Some(companion) = self.companion(package.ecosystem, &name) {
            return Some(format!("macros of `{companion}` may use it"));
        }
        if let Some(users) = self.users.get(&package.ecosystem).and_then(|users| users.get(&name)) {
            return users.first().map(|user| format!("`{user}` depends on it too"));
        }
        let alone = self
            .declared
            .get(&package.ecosystem)
            .is_some_and(|names| names.len() == 1 && names.contains(&name));
        if alone && !self.partial.contains(&package.ecosystem) {
            return None;
        }
        Some("no lockfile that was read says whether other dependencies use it".to_owned())
    }
}
