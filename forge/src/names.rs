//! Names that go into refs and command lines: refused unless they can only be what they should be.

use crate::error::{ForgeError, printable};

/// What the name of every branch that we make and withdraw starts with, so that publishing and
/// closing can't touch anybody else's.
pub const BRANCH_PREFIX: &str = "holdpoint/";

/// Longest branch name: it becomes a path on every clone's disk.
const MAX_BRANCH_BYTES: usize = 200;

/// The full ref of a branch (git-check-ref-format(1), and nothing that reads as an option).
pub(crate) fn branch_ref(name: &str) -> Result<String, ForgeError> {
    let refused = |why| ForgeError::Branch {
        name: printable(name),
        why,
    };
    let full = format!("refs/heads/{name}");
    if name.is_empty() {
        Err(refused("it is empty"))
    } else if name.len() > MAX_BRANCH_BYTES {
        Err(refused("it is too long"))
    } else if name.starts_with('-') {
        Err(refused("it starts with `-`"))
    } else if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        Err(refused("it holds a blank or a control character"))
    } else if name.contains("..") {
        Err(refused("it holds `..`"))
    } else if name == "HEAD" || name == "@" || name.starts_with("refs/") {
        Err(refused("it would be read as another ref"))
    } else if !git2::Reference::is_valid_name(&full) {
        Err(refused("git does not allow it"))
    } else {
        Ok(full)
    }
}

/// As [`branch_ref`], for the branches that are ours.
pub(crate) fn our_branch_ref(name: &str) -> Result<String, ForgeError> {
    let full = branch_ref(name)?;
    if name.starts_with(BRANCH_PREFIX) {
        Ok(full)
    } else {
        Err(ForgeError::Branch {
            name: printable(name),
            why: "branches of fixes start with `holdpoint/`",
        })
    }
}

/// A full object id.
pub(crate) fn id(text: &str) -> Result<git2::Oid, ForgeError> {
    let bad = || ForgeError::Id { id: printable(text) };
    if text.len() != 40 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(bad());
    }
    git2::Oid::from_str(text).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_branch_names_are_taken() {
        for name in ["main", "release/2026.1", "holdpoint/fix-1", "é", "a@b"] {
            assert_eq!(branch_ref(name).unwrap(), format!("refs/heads/{name}"));
        }
    }

    #[test]
    fn names_that_could_be_something_else_are_refused() {
        let long = "x".repeat(201);
        for name in [
            "",
            "-f",
            "--upload-pack=x",
            "a..b",
            "../x",
            "a b",
            "a\nb",
            "a\u{7f}",
            "a\0b",
            "a:b",
            "a~1",
            "a^",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.",
            "a@{1}",
            "@",
            "HEAD",
            "refs/heads/a",
            &long,
        ] {
            assert!(matches!(branch_ref(name), Err(ForgeError::Branch { .. })), "{name:?}");
        }
    }

    #[test]
    fn an_error_about_a_name_is_printable() {
        let error = branch_ref("a\u{1b}[31m\nb").unwrap_err().to_string();
        assert!(!error.chars().any(char::is_control), "{error:?}");
    }

    #[test]
    fn only_our_own_branches_can_be_published_or_closed() {
        assert!(our_branch_ref("main").unwrap_err().to_string().contains("`holdpoint/`"));
        assert!(our_branch_ref("holdpoint/").is_err());
        assert!(our_branch_ref("holdpoint/fix").is_ok());
    }

    #[test]
    fn ids_are_full() {
        assert!(id(&"a".repeat(40)).is_ok());
        for bad in [
            "",
            "abc",
            &"A".repeat(40),
            &"a".repeat(41),
            "-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }
}
