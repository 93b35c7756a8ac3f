//! Which remotes we speak to.

use std::path::Path;

use crate::error::{ForgeError, printable};

/// A remote: an absolute path, an `https` or `ssh` URL, or `host:path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote(String);

impl Remote {
    /// Checks a remote before it goes into a command line.
    ///
    /// # Errors
    /// When it could be read as an option or a command, carries a password, or is of a kind that
    /// isn't spoken; and when it is a path and nothing is there.
    pub fn parse(text: &str) -> Result<Self, ForgeError> {
        let refused = |why| ForgeError::Remote {
            remote: printable(&without_password(text)),
            why,
        };
        if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(refused("it is empty, starts with `-` or holds a control character"));
        }
        if text.contains("::") {
            return Err(refused("remote helpers (`name::…`) can run anything"));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            if !matches!(scheme, "https" | "ssh" | "file") {
                return Err(refused("only `https`, `ssh` and paths are spoken"));
            }
            let authority = rest.split('/').next().unwrap_or_default();
            let user = authority.rsplit_once('@').map(|(user, _)| user);
            if user.is_some_and(|user| scheme != "ssh" || user.contains(':')) {
                // It would show in every list of processes; with `https` even a bare name is a token.
                return Err(refused("it holds a password: use an SSH key"));
            }
            if authority.starts_with('-') {
                return Err(refused("its host starts with `-`"));
            }
        } else if Path::new(text).is_absolute() {
            if !Path::new(text).join("HEAD").is_file() && !Path::new(text).join(".git").exists() {
                return Err(ForgeError::NoRemote {
                    remote: printable(text),
                });
            }
        } else if !text.split('/').next().is_some_and(|host| host.contains(':')) {
            return Err(refused("a path must be absolute"));
        }
        Ok(Self(text.to_owned()))
    }

    /// For a command line.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text with anything between `://` and `@` left out: for messages.
fn without_password(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('@') {
            Some((_, host)) => format!("{scheme}://…@{host}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_ssh_paths_are_taken() {
        for remote in [
            "https://git.example.com/team/payments.git",
            "ssh://git@git.example.com:2222/team/payments.git",
            "git@git.example.com:team/payments.git",
        ] {
            assert_eq!(Remote::parse(remote).unwrap().as_str(), remote);
        }
    }

    #[test]
    fn a_remote_that_could_run_something_or_leak_is_refused() {
        for remote in [
            "",
            "--upload-pack=touch /tmp/x",
            "-oProxyCommand=x:y",
            "ext::sh -c true",
            "fd::3",
            "git://example.com/x",
            "http://example.com/x",
            "ssh://-oProxyCommand=x/y",
            "https://example.com/\nx",
            "relative/path",
        ] {
            assert!(
                matches!(Remote::parse(remote), Err(ForgeError::Remote { .. })),
                "{remote}"
            );
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for remote in [
            "https://bot:s3cret@example.com/x",
            "https://s3cret@example.com/x",
            "ssh://git:s3cret@example.com/x",
        ] {
            let error = Remote::parse(remote).unwrap_err().to_string();
            assert!(error.contains("password") && !error.contains("s3cret"), "{error}");
        }
    }
}
