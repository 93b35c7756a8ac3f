//! What must hold between the values of an estate file, beyond its shape.

use holdpoint_schemas::control::Control;
use holdpoint_schemas::estate::{ContractsFile, ControlsFile, EstateConfig, ProvisionedVariables, RepoSettings};
use holdpoint_schemas::fix::FixRequest;
use holdpoint_schemas::{SourceError, Timestamp};
use std::collections::BTreeSet;

use crate::error::SourceResult;

/// A file whose values are checked.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl File<'_> {
    /// An error at the last line that holds `value` after `key`; the last, since of two equal ones
    /// the later is the surplus one.
    pub(super) fn wrong<T>(&self, key: &str, value: &str, message: String, help: &str) -> SourceResult<T> {
        let mut error = SourceError::new(self.name, message).help(help);
        let place = self.text.lines().enumerate().filter_map(|(index, line)| {
            let after = line.find(key)? + key.len();
            let at = after + line.get(after..)?.find(value)?;
            Some((index + 1, line.get(..at)?.chars().count() + 1))
        });
        if let Some((line, column)) = place.last() {
            error = error.at(self.text, line, column);
        }
        Err(Box::new(error))
    }

    /// Refuses a name that occurs twice, or is empty.
    pub(super) fn unique<'a>(&self, key: &str, what: &str, names: impl Iterator<Item = &'a str>) -> SourceResult<()> {
        let mut seen = BTreeSet::new();
        for name in names {
            if name.trim().is_empty() {
                return self.wrong(key, name, format!("{what} without a name"), "give it a name");
            }
            if !seen.insert(name) {
                let message = format!("{what} `{name}` is there twice");
                return self.wrong(key, name, message, "give each its own name, or drop one");
            }
        }
        Ok(())
    }

    /// Refuses a path that leads out of the folder it is relative to.
    fn inside(&self, key: &str, path: &str) -> SourceResult<()> {
        let absolute = path.starts_with('/') || path.starts_with('\\') || path.get(1..2) == Some(":");
        let climbs = path.split(['/', '\\']).any(|part| part == "..");
        if path.is_empty() || absolute || climbs || path.contains('\0') {
            let message = format!("the path `{path}` leads elsewhere; a path below this folder was expected");
            return self.wrong(key, path, message, "write a relative path without `..`");
        }
        Ok(())
    }

    fn before(&self, what: &str, from: Timestamp, until: Timestamp) -> SourceResult<()> {
        if from < until {
            return Ok(());
        }
        let message = format!("{what} ends at {until}, before it begins at {from}");
        self.wrong(":", &until.to_string(), message, "swap the two times, or correct one")
    }
}

pub fn estate(name: &str, text: &str, estate: &EstateConfig) -> SourceResult<()> {
    let file = File { name, text };
    file.unique("name:", "the repo", estate.repos.iter().map(|repo| repo.name.as_str()))?;
    for repo in &estate.repos {
        if repo.name.contains(['/', '\\']) || repo.name.starts_with('.') {
            let message = format!("the repo name `{}` isn't a plain name", repo.name);
            return file.wrong(
                "name:",
                &repo.name,
                message,
                "use letters, digits and `-`: folders are named after it",
            );
        }
        for report in &repo.reports {
            file.inside("path:", &report.path)?;
        }
        for scanner in &repo.scanners {
            if !estate.scanners.contains_key(scanner) {
                let known: Vec<&str> = estate.scanners.keys().map(String::as_str).collect();
                let message = format!(
                    "the repo `{}` names the scanner `{scanner}`, which isn't there",
                    repo.name
                );
                return file.wrong("", scanner, message, &format!("scanners here: {}", known.join(", ")));
            }
        }
    }
    for (scanner, config) in &estate.scanners {
        if config.run.is_some() == config.builtin.is_some() {
            let message = format!("the scanner `{scanner}` needs exactly one of `run` and `builtin`");
            return file.wrong(
                "",
                scanner,
                message,
                "give a command to run, or the name of a built-in scanner",
            );
        }
        if let Some(rules) = &config.rules {
            file.inside("rules:", rules)?;
        }
    }
    if estate.production_environments.is_empty() {
        let message = "no environment is named as a production environment".to_owned();
        return file.wrong(
            "production_environments",
            "",
            message,
            "leave the field out for `production`",
        );
    }
    Ok(())
}

/// A control as it is compared: ids, addresses and repos without space around them, and the path in git's
/// spelling, empty for the whole repo.
pub fn plain_control(mut control: Control) -> Control {
    for text in [&mut control.id, &mut control.repo] {
        *text = text.trim().to_owned();
    }
    let trimmed = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    control.address = control.address.and_then(trimmed);
    control.path = control.path.map(|path| plain_path(&path));
    control
}

fn plain_path(path: &str) -> String {
    let path = path.trim().replace('\\', "/");
    // One that leads elsewhere keeps its beginning, so that it is refused.
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    match parts.collect::<Vec<_>>().as_slice() {
        ["*" | "**"] => String::new(),
        parts => format!("{root}{}", parts.join("/")),
    }
}

/// Checks the controls, and brings them into the form in which they are compared.
pub fn controls(name: &str, text: &str, controls: &mut ControlsFile) -> SourceResult<()> {
    let file = File { name, text };
    for control in &controls.controls {
        if let Some(path) = &control.path {
            file.inside("path:", path.trim())?;
            if plain_path(path).contains('*') {
                let message = format!("the path `{path}` is a pattern; a file or a folder was expected");
                return file.wrong(
                    "path:",
                    path,
                    message,
                    "name a file or a folder, or write `.` for the whole repo",
                );
            }
        }
    }
    for control in &mut controls.controls {
        *control = plain_control(control.clone());
    }
    file.unique(
        "id:",
        "the control",
        controls.controls.iter().map(|control| control.id.as_str()),
    )?;
    for control in &controls.controls {
        file.before(&format!("the control `{}`", control.id), control.since, control.until)?;
        if control.address.is_none() && control.path.is_none() {
            let message = format!(
                "the control `{}` is about nothing: `address` or `path` was expected",
                control.id
            );
            return file.wrong(
                "id:",
                &control.id,
                message,
                "name the resource address or the path that it holds",
            );
        }
    }
    Ok(())
}

pub fn contracts(name: &str, text: &str, contracts: &ContractsFile) -> SourceResult<()> {
    let file = File { name, text };
    contracts
        .contracts
        .iter()
        .filter_map(|contract| contract.interactions.as_ref())
        .try_for_each(|path| file.inside("interactions:", path))
}

pub fn variables(name: &str, text: &str, variables: &ProvisionedVariables) -> SourceResult<()> {
    let file = File { name, text };
    for variable in variables
        .environments
        .values()
        .flat_map(|services| services.values())
        .flatten()
    {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if variable.is_empty() || !variable.chars().all(plain) {
            // What stands there may be a value, so it isn't repeated.
            let message = "a variable's name was expected, of letters, digits, `_`, `-` and `.`".to_owned();
            return File {
                name: file.name,
                text: "",
            }
            .wrong("", "", message, "list names only, never values");
        }
    }
    Ok(())
}

pub fn repo_settings(name: &str, text: &str, settings: &RepoSettings) -> SourceResult<()> {
    let file = File { name, text };
    let Some(contract) = &settings.contract else {
        return Ok(());
    };
    for (kind, path) in contract.declared() {
        file.inside(&format!("{kind}:"), path)?;
    }
    for rule in &contract.rules {
        if rule.reason.trim().is_empty() {
            let message = format!("`{}` is seen otherwise without a reason", rule.rule);
            return file.wrong("reason:", "", message, "say why, for whoever reads the report");
        }
    }
    match &contract.serve {
        Some(serve) if !serve.ready.starts_with('/') => {
            let message = format!("`ready` is `{}`; a path that begins with `/` was expected", serve.ready);
            file.wrong(
                "ready:",
                &serve.ready,
                message,
                "write the path only, without host and port",
            )
        }
        Some(serve) if serve.port == 0 => file.wrong(
            "port:",
            "0",
            "port 0 can't be called".to_owned(),
            "write the port that the command listens on",
        ),
        _ => Ok(()),
    }
}

pub fn fix_request(name: &str, text: &str, request: &FixRequest) -> SourceResult<()> {
    let file = File { name, text };
    match (&request.patch, &request.branch) {
        (Some(patch), None) if patch.is_empty() || patch.contains(['/', '\\', '\0']) || patch.starts_with('.') => {
            let message = format!("`{patch}` isn't a plain file name");
            file.wrong(
                "patch:",
                patch,
                message,
                "put the patch beside this file and write its name only",
            )
        }
        (Some(_), None) | (None, Some(_)) if request.resolves.is_empty() => {
            let message = "the fix resolves nothing".to_owned();
            file.wrong("resolves", "", message, "list the findings that it resolves")
        }
        (None, Some(branch)) if branch.is_empty() || branch.starts_with('-') || branch.contains("..") => {
            let message = format!("`{branch}` isn't a branch name");
            file.wrong(
                "branch:",
                branch,
                message,
                "write the branch as git shows it, without `refs/heads/`",
            )
        }
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (Some(_), Some(_)) => {
            let message = "both `patch` and `branch`; exactly one of them was expected".to_owned();
            file.wrong("branch", ":", message, "drop one of them")
        }
        (None, None) => {
            let message = "neither `patch` nor `branch`; exactly one of them was expected".to_owned();
            file.wrong("repo", ":", message, "name the patch file beside this one, or a branch")
        }
    }
}
