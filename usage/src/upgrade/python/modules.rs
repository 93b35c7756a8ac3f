//! Which files of a distribution are modules, and under which names.

use std::collections::BTreeMap;

use crate::upgrade::surface::{Floor, Surface};

/// Files and folders beside a distribution's packages, by custom of source archives.
const BESIDE: &[&str] = &[
    "tests",
    "test",
    "testing",
    "docs",
    "doc",
    "examples",
    "example",
    "benchmarks",
    "bench",
    "scripts",
    "tools",
    "build",
    "setup",
    "conftest",
    "noxfile",
    "tasks",
    "versioneer",
    "ci",
    "requirements",
    "dev",
    "utils",
    "packaging",
    "bin",
    "artwork",
    "src",
    "lib",
    "lib3",
    "ext",
    "bootstrap",
    "_build_meta",
    "fabfile",
    "runtests",
    "etc",
    "contrib",
];

/// Extras that are for whoever works on the package itself.
const FOR_AUTHORS: &[&str] = &[
    "dev", "test", "tests", "testing", "doc", "docs", "lint", "typing", "release",
];

/// One module of a distribution.
pub(super) struct Module<'a> {
    pub file: &'a str,
    pub text: Option<&'a str>,
    pub is_stub: bool,
    pub is_package: bool,
}

/// Version and floor, where the distribution's own metadata state them.
pub(super) fn metadata(files: &BTreeMap<&str, Option<&str>>, surface: &mut Surface) {
    let known = files.iter().find(|(path, _)| {
        path.ends_with(".dist-info/METADATA") || **path == "PKG-INFO" || path.ends_with(".egg-info/PKG-INFO")
    });
    let head = known.and_then(|(_, text)| *text).unwrap_or_default();
    for row in head.lines().take_while(|row| !row.is_empty()) {
        let Some((key, value)) = row.split_once(':') else {
            continue;
        };
        match key {
            "Version" => surface.version = Some(value.trim().to_owned()),
            "Provides-Extra" if !FOR_AUTHORS.contains(&value.trim()) => {
                surface.features.insert(value.trim().to_owned());
            }
            "Requires-Python" => surface.floors.push(Floor {
                runtime: "python".to_owned(),
                range: value.trim().to_owned(),
            }),
            _ => {}
        }
    }
    let entries = files.iter().find(|(path, _)| path.ends_with("-info/entry_points.txt"));
    let mut section = "";
    for row in entries.and_then(|(_, text)| *text).unwrap_or_default().lines() {
        match (row.trim().strip_prefix('['), row.split_once('=')) {
            (Some(name), _) => section = name.trim_end_matches(']'),
            (None, Some((name, _))) if section == "console_scripts" || section == "gui_scripts" => {
                surface.commands.insert(name.trim().to_owned());
            }
            // Other programs load what they find under such a name.
            (None, Some((name, _))) => {
                surface.commands.insert(format!("{section}: {}", name.trim()));
            }
            _ => {}
        }
    }
}

/// Modules by their path, each from the file that says most: source, then stubs; what is compiled says nothing.
pub(super) fn modules<'a>(files: &BTreeMap<&'a str, Option<&'a str>>) -> BTreeMap<Vec<String>, Module<'a>> {
    let is_source = files
        .keys()
        .any(|path| matches!(*path, "setup.py" | "pyproject.toml" | "PKG-INFO" | "setup.cfg"));
    let holds_packages = |prefix: &str| {
        let depth = prefix.matches('/').count();
        files.keys().any(|path| {
            path.starts_with(prefix) && path.ends_with("/__init__.py") && path.matches('/').count() == depth + 1
                || path.starts_with(prefix)
                    && !prefix.is_empty()
                    && path.ends_with(".py")
                    && path.matches('/').count() == depth
        })
    };
    let prefix = ["src/", "lib3/", "lib/"]
        .into_iter()
        .find(|prefix| is_source && holds_packages(prefix))
        .unwrap_or("");
    let mut found: BTreeMap<Vec<String>, Module<'a>> = BTreeMap::new();
    for (path, text) in files {
        let Some(inside) = path.strip_prefix(prefix) else {
            continue;
        };
        let Some((stem, ending)) = inside.rsplit_once('.') else {
            continue;
        };
        let (is_stub, is_native) = (ending == "pyi", matches!(ending, "so" | "pyd" | "pyx" | "dylib"));
        if !(ending == "py" || is_stub || is_native) {
            continue;
        }
        let mut names: Vec<String> = stem.split('/').map(str::to_owned).collect();
        if let Some(last) = names.last_mut().filter(|_| is_native)
            && let Some((name, _)) = last.split_once('.')
        {
            // `_speedups.cpython-311-x86_64-linux-gnu.so`
            *last = name.to_owned();
        }
        let is_package = names.last().is_some_and(|last| last == "__init__");
        if is_package {
            names.pop();
        }
        let Some(top) = names.first() else { continue };
        let beside = is_source && prefix.is_empty() && BESIDE.contains(&top.as_str());
        let top_is_package = files.contains_key(format!("{prefix}{top}/__init__.py").as_str());
        let is_identifier = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let is_test = names
            .iter()
            .skip(1)
            .any(|name| matches!(name.as_str(), "tests" | "test"));
        if beside || is_test || !names.iter().all(is_identifier) || (is_source && names.len() > 1 && !top_is_package) {
            continue;
        }
        let module = Module {
            file: path,
            text: if is_native { None } else { *text },
            is_stub,
            is_package,
        };
        let better = |known: &Module<'_>| known.text.is_none() || (known.is_stub && !is_stub && !is_native);
        if found.get(&names).is_none_or(better) {
            found.insert(names, module);
        }
    }
    found
}
