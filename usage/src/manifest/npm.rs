//! `package.json` and `package-lock.json` (npm's documentation of both).

use serde_json::{Map, Value};

use super::Manifests;
use crate::package::Ecosystem;

const SECTIONS: &[&str] = &[
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

fn object<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value
        .get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

pub(super) fn manifest(folder: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if let Some(name) = json.get("name").and_then(Value::as_str) {
        into.own.push((Ecosystem::Npm, name.to_owned(), folder.to_owned()));
    }
    for section in SECTIONS {
        for (name, range) in object(&json, section) {
            // `"x": "npm:lodash@4"`: `x` is lodash.
            let alias = range.as_str().and_then(|range| range.strip_prefix("npm:"));
            match alias.map(|alias| {
                alias
                    .rsplit_once('@')
                    .filter(|(name, _)| !name.is_empty())
                    .map_or(alias, |(n, _)| n)
            }) {
                Some(real) => {
                    into.declare(Ecosystem::Npm, real);
                    into.rename(Ecosystem::Npm, real, name);
                }
                None => into.declare(Ecosystem::Npm, name),
            }
        }
    }
    for (_, script) in object(&json, "scripts") {
        let script = script.as_str().unwrap_or_default();
        into.mentions.push(script.to_owned());
        for command in script.split(['&', '|', ';']) {
            let is_setting = |word: &&str| word.contains('=') || matches!(*word, "cross-env" | "env");
            into.commands.extend(
                command
                    .split_whitespace()
                    .find(|word| !is_setting(word))
                    .map(str::to_owned),
            );
        }
    }
    // Settings of tools (`babel`, `jest`, `eslintConfig`) name plugins.
    for (key, value) in json.as_object().into_iter().flat_map(Map::iter) {
        let known = SECTIONS.contains(&key.as_str())
            || matches!(
                key.as_str(),
                "name" | "scripts" | "description" | "overrides" | "resolutions" | "keywords"
            );
        if !known {
            into.mentions.push(value.to_string());
        }
    }
    Ok(())
}

pub(super) fn lock(_: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (path, package) in object(&json, "packages") {
        let name = path.rsplit_once("node_modules/").map(|(_, name)| name);
        let real = package.get("name").and_then(Value::as_str).or(name);
        let needs = SECTIONS.iter().filter(|section| **section != "devDependencies");
        let needs = needs
            .flat_map(|section| object(package, section))
            .map(|(name, _)| name.as_str());
        into.locked(Ecosystem::Npm, real.unwrap_or_default(), name.is_none(), needs);
    }
    if json.get("packages").is_none() {
        // lockfileVersion 1: a tree of `dependencies`, each with what it `requires`.
        let mut open: Vec<&Value> = vec![&json];
        while let Some(level) = open.pop() {
            for (name, package) in object(level, "dependencies") {
                into.locked(
                    Ecosystem::Npm,
                    name,
                    false,
                    object(package, "requires").map(|(name, _)| name.as_str()),
                );
                open.push(package);
            }
        }
    }
    Ok(())
}
