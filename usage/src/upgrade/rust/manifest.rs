//! `Cargo.toml`: what a crate is called, needs and can be asked for (Cargo reference, "The Manifest Format").

use std::collections::BTreeSet;

use super::Reader;
use crate::upgrade::surface::Floor;

impl Reader<'_> {
    /// The library's name and file; notes version, floor, features and dependencies.
    pub(super) fn manifest(&mut self, package: &str) -> (String, String) {
        let text = self.files.get("Cargo.toml").copied().flatten().unwrap_or_default();
        let table: toml::Table = text.parse().unwrap_or_default();
        let word = |[section, key]: [&str; 2]| {
            let value = table.get(section)?.get(key)?;
            value.as_str().map(str::to_owned)
        };
        self.surface.version = word(["package", "version"]);
        if let Some(range) = word(["package", "rust-version"]) {
            self.surface.floors.push(Floor {
                runtime: "rust".to_owned(),
                range,
            });
        } else if let Some(range) = word(["package", "edition"]).and_then(|edition| first_with(&edition)) {
            self.surface.floors.push(Floor {
                runtime: "rust".to_owned(),
                range: range.to_owned(),
            });
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names = table.get(section).and_then(toml::Value::as_table);
            self.others.extend(
                names
                    .into_iter()
                    .flat_map(|names| names.keys())
                    .map(|name| name.replace('-', "_")),
            );
        }
        let targets = table.get("target").and_then(toml::Value::as_table);
        for target in targets.into_iter().flat_map(|targets| targets.values()) {
            let names = target.get("dependencies").and_then(toml::Value::as_table);
            self.others.extend(
                names
                    .into_iter()
                    .flat_map(|names| names.keys())
                    .map(|name| name.replace('-', "_")),
            );
        }
        for (name, on) in table
            .get("features")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
        {
            if name == "default" {
                let on = on.as_array().into_iter().flatten().filter_map(toml::Value::as_str);
                self.surface
                    .features
                    .extend(on.map(|feature| format!("default:{feature}")));
            } else {
                self.surface.features.insert(name.clone());
            }
        }
        for (name, how) in table
            .get("dependencies")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
        {
            let version = how.as_str().or_else(|| how.get("version")?.as_str());
            if let Some(version) = version {
                self.surface.needs.insert(name.replace('-', "_"), version.to_owned());
            }
        }
        self.implicit_features(&table);
        let name = word(["lib", "name"])
            .or_else(|| word(["package", "name"]))
            .unwrap_or_else(|| package.to_owned());
        let file = word(["lib", "path"]).unwrap_or_else(|| "src/lib.rs".to_owned());
        (name.replace('-', "_"), file)
    }

    /// Optional dependencies are features of their name, unless a feature asks for them by `dep:` (Cargo reference,
    /// "Features").
    fn implicit_features(&mut self, table: &toml::Table) {
        let features = table.get("features").and_then(toml::Value::as_table);
        let asked: BTreeSet<&str> = features
            .into_iter()
            .flat_map(|features| features.values())
            .filter_map(toml::Value::as_array)
            .flatten()
            .filter_map(|on| on.as_str()?.strip_prefix("dep:"))
            .collect();
        let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
        for (name, how) in dependencies.into_iter().flatten() {
            if how.get("optional").and_then(toml::Value::as_bool) == Some(true) && !asked.contains(name.as_str()) {
                self.surface.features.insert(name.clone());
            }
        }
    }
}

/// The compiler that first knew an edition (Rust edition guide).
fn first_with(edition: &str) -> Option<&'static str> {
    match edition {
        "2018" => Some("1.31"),
        "2021" => Some("1.56"),
        "2024" => Some("1.85"),
        _ => None,
    }
}
