//! `Cargo.toml` and `Cargo.lock` (the Cargo book: specifying dependencies; the manifest format).

use toml::{Table, Value};

use super::Manifests;
use crate::package::Ecosystem;

const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

fn parse(text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| error.message().to_owned())
}

pub(super) fn manifest(folder: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    let table = parse(text)?;
    let package = table
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str);
    if let Some(name) = package {
        let library = table
            .get("lib")
            .and_then(|lib| lib.get("name"))
            .and_then(Value::as_str)
            .unwrap_or(name);
        into.own
            .push((Ecosystem::Cargo, library.replace('-', "_"), folder.to_owned()));
    }
    let targets = table
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values);
    let workspace = table.get("workspace").into_iter();
    let tables = std::iter::once(&table).chain(targets.chain(workspace).filter_map(Value::as_table));
    for table in tables {
        for section in SECTIONS {
            let Some(dependencies) = table.get(*section).and_then(Value::as_table) else {
                continue;
            };
            for (key, value) in dependencies {
                let own = value.get("path").is_some();
                let name = value.get("package").and_then(Value::as_str).unwrap_or(key);
                if name != key {
                    into.rename(Ecosystem::Cargo, name, &key.replace('-', "_"));
                }
                if !own {
                    into.declare(Ecosystem::Cargo, name);
                }
            }
        }
    }
    Ok(())
}

pub(super) fn lock(_: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    let table = parse(text)?;
    for package in table.get("package").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = package.get("name").and_then(Value::as_str) else {
            continue;
        };
        let first_party = package.get("source").is_none();
        let needs = package
            .get("dependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let needs = needs
            .filter_map(Value::as_str)
            .filter_map(|need| need.split(' ').next());
        into.locked(Ecosystem::Cargo, name, first_party, needs);
    }
    Ok(())
}
