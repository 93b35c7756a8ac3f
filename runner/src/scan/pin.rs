//! What pins a scanner: its version and its rules.

use holdpoint_schemas::Digest;
use std::fs;
use std::path::{Path, PathBuf};

use crate::text::one_line;

/// Rule files read: the largest public rule sets have a few thousand.
const MAX_FILES: usize = 50_000;
/// Bytes of rules.
const MAX_BYTES: u64 = 512 << 20;
/// Deepest folder of rules.
const MAX_DEPTH: usize = 32;

/// Keeps scanners from asking the network for news, which has none and lets them wait.
pub(super) const QUIET: &[(&str, &str)] = &[
    ("SEMGREP_ENABLE_VERSION_CHECK", "0"),
    ("SEMGREP_SEND_METRICS", "off"),
    ("TRIVY_SKIP_VERSION_CHECK", "true"),
    ("GRYPE_CHECK_FOR_APP_UPDATE", "false"),
];

/// How a scanner is asked for its version: by the first word of its command, if that is a plain one.
pub(super) fn version_command(command: &str) -> Option<String> {
    let word = command.split_whitespace().next()?;
    let plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    let shell = matches!(
        word,
        "cd" | "set" | "export" | "if" | "for" | "test" | "exec" | "env" | "sh" | "bash" | "echo"
    );
    (plain && !shell).then(|| format!("{word} --version"))
}

/// The version out of what a scanner says: the first word that starts with digits and a dot, else its first line.
pub(super) fn version(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let numbered = |word: &&str| {
        let digits = word.trim_start_matches('v');
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.')
    };
    let word = text
        .split_whitespace()
        .find(numbered)
        .map(|word| word.trim_end_matches([',', ')', ';']));
    one_line(word.unwrap_or_else(|| text.trim()))
}

/// Digest of a scanner's command and of every file in its folder of rules.
///
/// # Errors
/// When the folder can't be read or holds too much, one line for people.
pub(super) fn rules(command: &str, folder: Option<&Path>) -> Result<Digest, String> {
    let mut parts = vec![command.as_bytes().to_vec()];
    if let Some(folder) = folder {
        let mut files = Vec::new();
        gather(folder, 0, &mut files).map_err(|error| format!("its rules can't be read: {error}"))?;
        files.sort();
        let mut bytes = 0_u64;
        for file in &files {
            let content = fs::read(file).map_err(|error| format!("its rules can't be read: {error}"))?;
            bytes = bytes.saturating_add(content.len() as u64);
            if files.len() > MAX_FILES || bytes > MAX_BYTES {
                return Err(format!(
                    "its rules have more than {MAX_FILES} files or {MAX_BYTES} bytes"
                ));
            }
            let name = file.strip_prefix(folder).unwrap_or(file);
            parts.push(name.as_os_str().as_encoded_bytes().to_vec());
            parts.push(content);
        }
    }
    Ok(Digest::of_parts(parts.iter().map(Vec::as_slice)))
}

fn gather(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if depth > MAX_DEPTH || files.len() > MAX_FILES {
        return Err(std::io::Error::other("too many files"));
    }
    if folder.is_file() {
        files.push(folder.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, depth + 1, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_scanners_say() {
        assert_eq!(
            version(b"holdpoint-bandit 1.8.6\n  python version = 3.11.2 (main)\n"),
            "1.8.6"
        );
        assert_eq!(version(b"1.170.1\n"), "1.170.1");
        assert_eq!(version(b"Version: v0.5.1, x\n"), "v0.5.1");
        assert_eq!(version(b"seven\n"), "seven");
        assert_eq!(version(b""), "");
    }

    #[test]
    fn only_a_plain_first_word_is_asked() {
        assert_eq!(version_command("bandit -r .").as_deref(), Some("bandit --version"));
        assert_eq!(version_command("cd x && bandit"), None);
        assert_eq!(version_command("A=1 bandit"), None);
        assert_eq!(version_command("$(x)"), None);
    }

    #[test]
    fn a_changed_renamed_or_added_rule_changes_the_digest() {
        let folder = tempfile::tempdir().unwrap();
        let digest = || rules("x", Some(folder.path())).unwrap();
        let mut seen = vec![digest()];
        fs::write(folder.path().join("a"), "1").unwrap();
        seen.push(digest());
        fs::write(folder.path().join("a"), "2").unwrap();
        seen.push(digest());
        fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
        seen.push(digest());
        seen.push(rules("y", Some(folder.path())).unwrap());
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5);
        assert!(rules("x", Some(Path::new("/nonexistent"))).is_err());
    }
}
