//! `requirements.txt`, `pyproject.toml` (PEP 621, PEP 735, Poetry), `poetry.lock` and `uv.lock`.

use toml::{Table, Value};

use super::Manifests;
use crate::package::Ecosystem;

/// The name at the start of a requirement (PEP 508).
fn name(requirement: &str) -> Option<&str> {
    let requirement = requirement.trim();
    let end = requirement
        .find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(requirement.len());
    requirement.get(..end).filter(|name| !name.is_empty())
}

pub(super) fn requirements(_: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.starts_with('-') {
            // `-r other.txt`, `-e .`: what they bring isn't followed.
            if !line.starts_with("--hash") && !line.starts_with("--index") && !line.starts_with("-c") {
                into.partial.insert(Ecosystem::Pypi);
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            match name(line) {
                Some(name) => into.declare(Ecosystem::Pypi, name),
                None => {
                    into.partial.insert(Ecosystem::Pypi);
                }
            }
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| error.message().to_owned())
}

fn declare_all(list: Option<Value>, into: &mut Manifests) {
    match list {
        Some(Value::Array(list)) => {
            for requirement in &list {
                if let Some(name) = requirement.as_str().and_then(name) {
                    into.declare(Ecosystem::Pypi, name);
                }
            }
        }
        Some(Value::Table(table)) => {
            for key in table.keys().filter(|key| *key != "python") {
                into.declare(Ecosystem::Pypi, key);
            }
        }
        _ => {}
    }
}

/// `pyproject.toml`: what declares dependencies is taken out, what is left may mention them.
pub(super) fn project(_: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    let mut table = parse(text)?;
    if let Some(Value::Table(project)) = table.get_mut("project") {
        declare_all(project.remove("dependencies"), into);
        if let Some(Value::Table(extras)) = project.remove("optional-dependencies") {
            extras.into_iter().for_each(|(_, list)| declare_all(Some(list), into));
        }
        if project
            .get("dynamic")
            .is_some_and(|dynamic| dynamic.to_string().contains("dependencies"))
        {
            into.partial.insert(Ecosystem::Pypi);
        }
        for key in ["name", "description", "keywords"] {
            project.remove(key);
        }
    }
    if let Some(Value::Table(groups)) = table.remove("dependency-groups") {
        groups.into_iter().for_each(|(_, list)| declare_all(Some(list), into));
    }
    if let Some(Value::Table(poetry)) = table.get_mut("tool").and_then(|tool| tool.get_mut("poetry")) {
        declare_all(poetry.remove("dependencies"), into);
        declare_all(poetry.remove("dev-dependencies"), into);
        for key in ["name", "description", "keywords"] {
            poetry.remove(key);
        }
        if let Some(Value::Table(groups)) = poetry.remove("group") {
            for (_, mut group) in groups {
                declare_all(
                    group.as_table_mut().and_then(|group| group.remove("dependencies")),
                    into,
                );
            }
        }
    }
    into.mentions.push(table.to_string());
    Ok(())
}

/// `poetry.lock` and `uv.lock`, extras included: a package that offers an extra loads what is in it.
pub(super) fn lock(_: &str, text: &str, into: &mut Manifests) -> Result<(), String> {
    let table = parse(text)?;
    for package in table.get("package").and_then(Value::as_array).into_iter().flatten() {
        let Some(own_name) = package.get("name").and_then(Value::as_str) else {
            continue;
        };
        let source = package.get("source").and_then(Value::as_table);
        let first_party = source.is_some_and(|source| {
            ["virtual", "editable"].iter().any(|key| source.contains_key(*key))
                || source.get("type").and_then(Value::as_str) == Some("directory")
        });
        let mut needs: Vec<String> = Vec::new();
        match package.get("dependencies") {
            Some(Value::Table(table)) => needs.extend(table.keys().cloned()),
            Some(Value::Array(list)) => {
                let names = list.iter().filter_map(|item| item.get("name").and_then(Value::as_str));
                needs.extend(names.map(str::to_owned));
            }
            _ => {}
        }
        for key in ["extras", "optional-dependencies"] {
            for list in package
                .get(key)
                .and_then(Value::as_table)
                .into_iter()
                .flat_map(Table::values)
            {
                for item in list.as_array().into_iter().flatten() {
                    let text = item.as_str().or_else(|| item.get("name").and_then(Value::as_str));
                    needs.extend(text.and_then(name).map(str::to_owned));
                }
            }
        }
        into.locked(Ecosystem::Pypi, own_name, first_party, needs.iter().map(String::as_str));
    }
    Ok(())
}
