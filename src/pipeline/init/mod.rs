//! A new estate: the files of an estate repo, with comments, that pass every check and run at once. What is there
//! already is never written over.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::BadInput;

/// Most repos of one call: more are easier written into the file.
const MAX_REPOS: usize = 500;

/// Files, their places in the estate, and their text. `@NAME@`, `@REPOS@` and `@SERVICES@` are filled in.
const FILES: &[(&str, &str)] = &[
    ("holdpoint.yaml", include_str!("templates/holdpoint.yaml")),
    ("catalogue/services.yaml", include_str!("templates/services.yaml")),
    ("controls.yaml", include_str!("templates/controls.yaml")),
    ("calendar.yaml", include_str!("templates/calendar.yaml")),
    ("rollout.yaml", include_str!("templates/rollout.yaml")),
    ("approvers", include_str!("templates/approvers")),
    ("policies/pack.yaml", include_str!("templates/pack.yaml")),
    (
        "policies/reintroduced.cedar",
        include_str!("templates/reintroduced.cedar"),
    ),
    ("policies/cases/reintroduced.yaml", include_str!("templates/cases.yaml")),
    // What the shipped packs' cases start from, too.
    (
        "policies/cases/ready.yaml",
        include_str!("../../../policies/platform/cases/ready.yaml"),
    ),
    ("fixes/README.md", include_str!("templates/fixes.md")),
    (".gitignore", include_str!("templates/gitignore")),
    ("README.md", include_str!("templates/README.md")),
];

/// Where the shipped cases begin to say what is known,
const READY: &str = "  ready:\n";
/// and what the scaffold's own rule asks for besides.
const READY_HERE: &str = "  ready:\n    finding.reintroduced: false\n";

/// A repo that the estate is to govern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// Its name in the estate.
    pub name: String,
    /// Its remote: a URL, or the absolute path of a folder.
    pub remote: String,
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    /// The estate's folder.
    pub folder: PathBuf,
    /// Files that were written, relative to it.
    pub written: Vec<String>,
    /// Files that were there and stay as they are.
    pub kept: Vec<String>,
}

/// The repos of remotes as people give them.
///
/// # Errors
/// When a remote holds a password, names no repo, or there are too many.
pub fn repos(remotes: &[String]) -> Result<Vec<Repo>, BadInput> {
    if remotes.len() > MAX_REPOS {
        return Err(BadInput::new(
            format!("{} repos, but at most {MAX_REPOS} are taken", remotes.len()),
            "add the others to `holdpoint.yaml`",
        ));
    }
    let mut names = BTreeSet::new();
    let mut repos = Vec::new();
    for given in remotes {
        let remote = absolute(given)?;
        let stem = name_of(&remote);
        if stem.is_empty() {
            return Err(BadInput::new(
                format!("`{given}` names no repo"),
                "give the URL or the folder of a git repo",
            ));
        }
        let mut name = stem.clone();
        let mut number = 2;
        while !names.insert(name.clone()) {
            name = format!("{stem}-{number}");
            number += 1;
        }
        repos.push(Repo { name, remote });
    }
    Ok(repos)
}

/// A path stays good wherever the estate is; a URL is kept, but never with a password in it.
fn absolute(given: &str) -> Result<String, BadInput> {
    if let Some((_, rest)) = given.split_once("://") {
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(BadInput::new(
                "a remote holds a password, which would end up in `holdpoint.yaml`",
                "leave it out, and let git's credential helper supply it",
            ));
        }
        return Ok(given.to_owned());
    }
    let path = Path::new(given);
    match path.canonicalize() {
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        // `git@host:team/repo.git`
        Err(_) if given.contains(':') => Ok(given.to_owned()),
        Err(error) => Err(BadInput::new(
            format!("there is no repo at `{given}`: {error}"),
            "give the URL or the folder of a git repo",
        )),
    }
}

/// The last part of a remote, with what a folder may be called by.
fn name_of(remote: &str) -> String {
    let last = remote
        .trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default();
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '-'
        }
    };
    let name: String = last.trim_end_matches(".git").chars().map(plain).collect();
    name.trim_start_matches(['.', '-']).to_owned()
}

/// Makes an estate in a folder.
///
/// # Errors
/// When a file can't be written.
pub fn make(folder: &Path, name: &str, repos: &[Repo]) -> Result<Made> {
    std::fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
    let mut made = Made {
        folder: folder.to_owned(),
        ..Made::default()
    };
    let (repos, services) = (repos_yaml(repos), services_yaml(repos));
    for (path, template) in FILES {
        let text = template
            .replace("@NAME@", &quoted(name))
            .replace("@REPOS@", &repos)
            .replace("@SERVICES@", &services)
            .replace(READY, READY_HERE);
        let place = folder.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("making `{}`", parent.display()))?;
        }
        let new = OpenOptions::new().write(true).create_new(true).open(&place);
        match new.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => made.written.push((*path).to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => made.kept.push((*path).to_owned()),
            Err(error) => return Err(error).with_context(|| format!("writing `{}`", place.display())),
        }
    }
    Ok(made)
}

/// A JSON string is one in YAML, too (YAML 1.2 §1.3), whatever is in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn repos_yaml(repos: &[Repo]) -> String {
    if repos.is_empty() {
        return "repos: []".to_owned();
    }
    let entry = |repo: &Repo| format!("  - name: {}\n    remote: {}", quoted(&repo.name), quoted(&repo.remote));
    format!("repos:\n{}", repos.iter().map(entry).collect::<Vec<_>>().join("\n"))
}

fn services_yaml(repos: &[Repo]) -> String {
    if repos.is_empty() {
        return "services: {}".to_owned();
    }
    let entry = |repo: &Repo| format!("  {}:\n    repo: {}", quoted(&repo.name), quoted(&repo.name));
    format!("services:\n{}", repos.iter().map(entry).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(remotes: &[&str]) -> Result<Vec<Repo>, BadInput> {
        repos(&remotes.iter().map(|remote| (*remote).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn repos_are_called_by_the_last_part_of_their_remote() {
        let names: Vec<String> = given(&[
            "https://git.example.com/shop/checkout.git",
            "git@git.example.com:shop/cart.git",
            "https://git.example.com/bank/checkout/",
            "ssh://git@git.example.com/.config",
        ])
        .unwrap()
        .into_iter()
        .map(|repo| repo.name)
        .collect();
        assert_eq!(names, ["checkout", "cart", "checkout-2", "config"]);
    }

    #[test]
    fn a_password_is_not_written_down_and_a_missing_folder_is_said() {
        for remote in [
            "https://bot:hunter2@git.example.com/shop.git",
            "nowhere/at/all",
            "https:///",
        ] {
            let error = given(&[remote]).unwrap_err();
            assert!(!error.message.contains("hunter2") && error.help.is_some(), "{error}");
        }
    }

    #[test]
    fn what_is_there_is_kept_and_a_second_call_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("README.md"), "ours").unwrap();
        let made = make(folder.path(), "shop", &[]).unwrap();
        assert_eq!(made.kept, ["README.md"]);
        assert_eq!(made.written.len(), FILES.len() - 1);
        assert_eq!(
            std::fs::read_to_string(folder.path().join("README.md")).unwrap(),
            "ours"
        );
        let again = make(folder.path(), "shop", &[]).unwrap();
        assert_eq!((again.written.len(), again.kept.len()), (0, FILES.len()));
    }

    #[test]
    fn a_name_of_any_letters_gives_an_estate_that_can_be_read() {
        for name in ["shop", "it's: a \"shop\"\n- # {}", "店", ""] {
            let folder = tempfile::tempdir().unwrap();
            let repos = given(&["https://git.example.com/a/b c.git"]).unwrap();
            make(folder.path(), name, &repos).unwrap();
            let (_, config) = crate::pipeline::estate::config(folder.path()).unwrap();
            assert_eq!((config.name.as_str(), config.repos[0].name.as_str()), (name, "b-c"));
        }
    }

    #[test]
    fn no_placeholder_is_left() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), "shop", &[]).unwrap();
        for (path, _) in FILES {
            let text = std::fs::read_to_string(folder.path().join(path)).unwrap();
            assert!(
                !["@NAME@", "@REPOS@", "@SERVICES@"]
                    .iter()
                    .any(|left| text.contains(left)),
                "{path}"
            );
        }
    }
}
