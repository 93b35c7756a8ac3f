//! Which paths a fix may touch: inside the repo, and never git's own files.

/// Longest path: what Linux accepts.
const MAX_PATH_BYTES: usize = 4096;

/// Longest name of a file or folder: what Linux's file systems hold.
const MAX_NAME_BYTES: usize = 255;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PathFault {
    /// Continues the sentence "`path` …".
    pub why: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

const RELATIVE: &str = "name files relative to the repo's root, as `git diff` does";
const GIT_FILES: &str = "git's own files are never part of a fix";
const PLAIN: &str = "rename the file; a fix may only touch plainly named files";

/// Checks a path that came from a patch or a foreign tree.
pub(crate) fn check(path: &str) -> Result<(), PathFault> {
    let fault = |why, help| Err(PathFault { why, help });
    if path.is_empty() {
        return fault("is an empty file name", RELATIVE);
    }
    if path.len() > MAX_PATH_BYTES {
        return fault("is longer than 4096 bytes", PLAIN);
    }
    if path.chars().any(is_hidden_char) {
        return fault("holds a control or invisible character", PLAIN);
    }
    if path.contains('\\') {
        return fault("holds a backslash", PLAIN);
    }
    let mut bytes = path.bytes();
    if path.starts_with('/') || (bytes.next().is_some_and(|b| b.is_ascii_alphabetic()) && bytes.next() == Some(b':')) {
        return fault("is an absolute path", RELATIVE);
    }
    for component in path.split('/') {
        match component {
            "" | "." => return fault("has an empty component", RELATIVE),
            ".." => return fault("leaves the repo", RELATIVE),
            _ if component.len() > MAX_NAME_BYTES => return fault("has a name longer than 255 bytes", PLAIN),
            _ if is_git_name(component) => return fault("belongs to git itself", GIT_FILES),
            _ => {}
        }
    }
    Ok(())
}

/// Control characters, and the code points that HFS+ ignores or that reorder or hide text.
fn is_hidden_char(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether some file system takes this name for `.git` or `.gitmodules`: NTFS ignores case,
/// trailing dots and spaces, and everything after a colon (a stream), and knows short names
/// (CVE-2014-9390, CVE-2019-1352).
fn is_git_name(component: &str) -> bool {
    let stem = component.split(':').next().unwrap_or_default();
    let stem = stem.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    matches!(stem.as_str(), ".git" | ".gitmodules")
        || stem
            .strip_prefix("git~")
            .or_else(|| stem.strip_prefix("gitmod~"))
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_fine() {
        for path in [
            "a",
            "src/main.rs",
            ".github/workflows/ci.yml",
            ".gitignore",
            "a b/ü.txt",
            "git/x",
            "digit~1",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_leave_the_repo_are_refused() {
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            "c:/x",
            "C:x",
            "a//b",
            "./a",
            "a/./b",
            "",
            "a/",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }

    #[test]
    fn every_spelling_of_git_own_folder_is_refused() {
        for path in [
            ".git/config",
            "x/.GIT/hooks/pre-commit",
            ".git./x",
            ".git /x",
            ".git. . /x",
            "git~1/config",
            "GIT~2/x",
            ".git::$INDEX_ALLOCATION/x",
            ".g\u{200c}it/config",
            ".gi\u{feff}t/x",
            ".gitmodules",
            "sub/.GitModules",
            "gitmod~1",
            ".git\\hooks\\x",
        ] {
            assert!(check(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for path in ["a\nb", "a\0b", "a\u{1b}[2Jb", "a\u{202e}txt.exe", "a\tb"] {
            assert!(check(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_very_long_path_is_refused() {
        assert!(check(&"a/".repeat(4000)).is_err());
    }
}
