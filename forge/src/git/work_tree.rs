//! A person's own work tree: one file of it is committed in their name, and nothing else.
//!
//! Git runs with their configuration here, as if they had typed the command, but without hooks.

use std::path::{Path, PathBuf};

use super::command::{Output, run_as_user};
use crate::error::ForgeError;

/// The work tree that a folder lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkTree {
    folder: PathBuf,
}

/// Who git says commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `user.name`.
    pub name: String,
    /// `user.email`.
    pub email: String,
}

/// How a file stands to the commit that is checked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// As committed.
    Clean,
    /// Changed since, staged or not, or in conflict.
    Changed,
    /// Git doesn't keep it.
    Untracked,
}

/// Whether a commit is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// As git is configured to sign (`gpg.format`, `user.signingkey`); fails where it can't.
    Configured,
    /// Not signed, whatever is configured.
    Unsigned,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its id, 40 hexadecimal digits.
    pub id: String,
    /// The branch that it is on; `None` where no branch is checked out.
    pub branch: Option<String>,
}

impl WorkTree {
    /// The work tree that a folder lies in; `None` when it lies in none.
    ///
    /// # Errors
    /// When git can't tell: it isn't installed, or refuses a repository of somebody else.
    pub fn of(folder: &Path) -> Result<Option<Self>, ForgeError> {
        let doing = "looking for a work tree";
        let output = run_as_user(folder, doing, ["rev-parse", "--is-inside-work-tree"])?;
        match output.stdout.trim() {
            "true" => Ok(Some(Self {
                folder: folder.to_owned(),
            })),
            "false" => Ok(None),
            _ if output.stderr.contains("not a git repository") => Ok(None),
            _ => Err(output.failed(doing)),
        }
    }

    /// How a file of the folder stands to the commit that is checked out.
    ///
    /// # Errors
    /// When git fails.
    pub fn state(&self, file: &str) -> Result<FileState, ForgeError> {
        let doing = "looking at the file";
        if !self
            .any(doing, &["ls-files", "--error-unmatch", "--", file])?
            .status
            .success()
        {
            return Ok(FileState::Untracked);
        }
        let status = self.run(doing, &["status", "--porcelain=v1", "-z", "--", file])?;
        Ok(if status.stdout.is_empty() {
            FileState::Clean
        } else {
            FileState::Changed
        })
    }

    /// Whether git is told which key to sign with. OpenPGP's own choice by address isn't counted:
    /// whether it finds a key shows only when it signs.
    ///
    /// # Errors
    /// When git's configuration can't be read.
    pub fn has_key(&self) -> Result<bool, ForgeError> {
        for name in ["user.signingkey", "gpg.ssh.defaultKeyCommand"] {
            let output = self.any("reading git's configuration", &["config", "--get", name])?;
            if output.status.success() && !output.stdout.trim().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Commits a file of the folder as it is now, and nothing else: what is staged of other files stays
    /// staged.
    ///
    /// # Errors
    /// When git can't sign or refuses: during a merge, say, or when the file is as it was.
    pub fn commit(&self, file: &str, subject: &str, body: &str, signing: Signing) -> Result<Committed, ForgeError> {
        let doing = "committing";
        let sign = match signing {
            Signing::Configured => "--gpg-sign",
            Signing::Unsigned => "--no-gpg-sign",
        };
        let (subject, body) = (format!("--message={subject}"), format!("--message={body}"));
        self.run(
            doing,
            &[
                "commit",
                "--quiet",
                "--no-verify",
                "--no-edit",
                "--no-status",
                // A reason may begin with `#`.
                "--cleanup=whitespace",
                sign,
                &subject,
                &body,
                "--only",
                "--",
                file,
            ],
        )?;
        let id = self.run(doing, &["rev-parse", "--verify", "HEAD"])?;
        let branch = self.any(doing, &["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        Ok(Committed {
            id: id.stdout.trim().to_owned(),
            branch: branch.status.success().then(|| branch.stdout.trim().to_owned()),
        })
    }

    fn any(&self, doing: &'static str, arguments: &[&str]) -> Result<Output, ForgeError> {
        run_as_user(&self.folder, doing, arguments)
    }

    fn run(&self, doing: &'static str, arguments: &[&str]) -> Result<Output, ForgeError> {
        let output = self.any(doing, arguments)?;
        if output.status.success() {
            Ok(output)
        } else {
            Err(output.failed(doing))
        }
    }
}

/// Who git says commits in a folder, by configuration or environment; `None` when neither says.
///
/// # Errors
/// When git can't be run.
pub fn identity(folder: &Path) -> Result<Option<Identity>, ForgeError> {
    let output = run_as_user(folder, "asking who commits", ["var", "GIT_COMMITTER_IDENT"])?;
    // `Ana Lopez <ana@x.example> 1763792400 +0000`
    let said = output.stdout.trim().split_once(" <").and_then(|(name, rest)| {
        let (email, _) = rest.split_once('>')?;
        Some((name.trim().to_owned(), email.trim().to_owned()))
    });
    Ok(said
        .filter(|(name, email)| output.status.success() && !name.is_empty() && !email.is_empty())
        .map(|(name, email)| Identity { name, email }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use tempfile::TempDir;

    fn git(folder: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn repository() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        git(path, &["init", "--quiet", "--initial-branch=main"]);
        git(path, &["config", "user.name", "Ana"]);
        git(path, &["config", "user.email", "ana@x.example"]);
        std::fs::write(path.join("a.yaml"), "old\n").unwrap();
        std::fs::write(path.join("b.yaml"), "old\n").unwrap();
        git(path, &["add", "."]);
        git(
            path,
            &["-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "Start"],
        );
        folder
    }

    #[test]
    fn one_file_is_committed_and_what_is_staged_stays_staged() {
        let folder = repository();
        let path = folder.path();
        let hook = path.join(".git/hooks/pre-commit");
        std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
        Command::new("chmod").arg("+x").arg(&hook).status().unwrap();
        std::fs::write(path.join("b.yaml"), "staged\n").unwrap();
        git(path, &["add", "b.yaml"]);
        let tree = WorkTree::of(path).unwrap().unwrap();
        assert_eq!(tree.state("a.yaml").unwrap(), FileState::Clean);
        assert_eq!(tree.state("b.yaml").unwrap(), FileState::Changed);
        assert_eq!(tree.state("c.yaml").unwrap(), FileState::Untracked);
        std::fs::write(path.join("a.yaml"), "new\n").unwrap();
        let made = tree
            .commit("a.yaml", "# A subject", "-S is no option here", Signing::Unsigned)
            .unwrap();
        assert_eq!(made.branch.as_deref(), Some("main"));
        assert_eq!(
            git(path, &["show", "--name-only", "--format=%s", &made.id]),
            "# A subject\n\na.yaml"
        );
        assert_eq!(git(path, &["diff", "--cached", "--name-only"]), "b.yaml");
    }

    #[test]
    fn nothing_is_committed_of_a_file_as_it_was_or_without_a_key() {
        let folder = repository();
        let path = folder.path();
        let tree = WorkTree::of(path).unwrap().unwrap();
        let head = git(path, &["rev-parse", "HEAD"]);
        assert!(tree.commit("a.yaml", "s", "b", Signing::Unsigned).is_err());
        git(path, &["config", "gpg.format", "ssh"]);
        git(path, &["config", "user.signingkey", "/nonexistent/key"]);
        std::fs::write(path.join("a.yaml"), "new\n").unwrap();
        let error = tree.commit("a.yaml", "s", "b", Signing::Configured).unwrap_err();
        assert!(matches!(error, ForgeError::Git { .. }), "{error}");
        assert_eq!(git(path, &["rev-parse", "HEAD"]), head);
    }

    #[test]
    fn who_commits_is_what_is_configured() {
        let folder = repository();
        let identity = identity(folder.path()).unwrap().unwrap();
        assert_eq!(
            (identity.name.as_str(), identity.email.as_str()),
            ("Ana", "ana@x.example")
        );
    }

    #[test]
    fn a_folder_outside_of_all_repositories_has_no_work_tree() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(WorkTree::of(folder.path()).unwrap(), None);
    }
}
