//! The commit of a candidate fix: the same inputs make the same commit, whoever makes it.

use git2::{Repository, Signature, Time};
use jiff::Timestamp;

use crate::error::ForgeError;
use crate::names::id;

/// Longest message: more is a dump, not a message.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// Longest value of a trailer: digests and heads are about 100 bytes.
const MAX_TRAILER_BYTES: usize = 1 << 10;

/// What our trailers begin with.
const TRAILER_PREFIX: &str = "holdpoint-";

/// A tested tree that is to become a commit.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The only parent, 40 hexadecimal digits.
    pub base_commit: String,
    /// Tree, 40 hexadecimal digits.
    pub tree: String,
    /// Author and committer: name.
    pub author_name: String,
    /// Author and committer: address.
    pub author_email: String,
    /// When, in seconds, written in UTC.
    pub at: Timestamp,
    /// Subject, blank line, body.
    pub message: String,
    /// `Holdpoint-Finding`, `Holdpoint-Decision`, `Holdpoint-Evidence`, `Holdpoint-Ledger` …, in order.
    pub trailers: Vec<(String, String)>,
}

/// Writes the commit into the object database; no ref moves. Returns its id.
///
/// # Errors
/// When base or tree aren't there, or a text would forge a part of the commit.
pub fn commit_candidate(repo: &Repository, candidate: &Candidate) -> Result<String, ForgeError> {
    let doing = "making the commit";
    let base = repo
        .find_commit(id(&candidate.base_commit)?)
        .map_err(ForgeError::objects("finding the base commit"))?;
    let tree = repo
        .find_tree(id(&candidate.tree)?)
        .map_err(ForgeError::objects("finding the tested tree"))?;
    let name = one_line("author name", &candidate.author_name)?;
    let email = one_line("author email", &candidate.author_email)?;
    let time = Time::new(candidate.at.as_second(), 0);
    let author = Signature::new(name, email, &time).map_err(ForgeError::objects(doing))?;
    let message = message(&candidate.message, &candidate.trailers)?;
    let commit = repo
        .commit(None, &author, &author, &message, &tree, &[&base])
        .map_err(ForgeError::objects(doing))?;
    Ok(commit.to_string())
}

/// The message with its trailers as the last paragraph (git-interpret-trailers(1)).
fn message(text: &str, trailers: &[(String, String)]) -> Result<String, ForgeError> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(refused("message", "is too long"));
    }
    let text = text.replace("\r\n", "\n");
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(refused("message", "holds a control character"));
    }
    let body: Vec<String> = text.trim().lines().map(defused).collect();
    if body.iter().all(|line| line.is_empty()) {
        return Err(refused("message", "is empty"));
    }
    let mut message = body.join("\n");
    message.push('\n');
    if !trailers.is_empty() {
        message.push('\n');
    }
    for (key, value) in trailers {
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(refused("trailer key", "may hold only letters, digits and `-`"));
        }
        let value = one_line(&format!("trailer `{key}`"), value)?;
        message.push_str(&format!("{key}: {value}\n"));
    }
    Ok(message)
}

/// Quotes lines that a reader or a tool would take for our trailers or for the end of the message:
/// titles in it come from scanners.
fn defused(line: &str) -> String {
    let line = line.trim_end();
    let start = line.trim_start().to_ascii_lowercase();
    if start.starts_with(TRAILER_PREFIX) || line.starts_with("---") {
        format!("> {line}")
    } else {
        line.to_owned()
    }
}

fn one_line<'a>(field: &str, value: &'a str) -> Result<&'a str, ForgeError> {
    let value = value.trim_matches(' ');
    if value.is_empty() {
        Err(refused(field, "is empty"))
    } else if value.len() > MAX_TRAILER_BYTES {
        Err(refused(field, "is too long"))
    } else if value
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}'))
    {
        Err(refused(field, "holds a line break or a control character"))
    } else if field.starts_with("author") && value.contains(['<', '>']) {
        Err(refused(field, "holds `<` or `>`"))
    } else {
        Ok(value)
    }
}

fn refused(field: &str, why: &'static str) -> ForgeError {
    ForgeError::Message {
        field: field.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo() -> (tempfile::TempDir, Repository, Candidate) {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(folder.path()).unwrap();
        let tree = |text: &[u8]| {
            let blob = repo.blob(text).unwrap();
            let mut builder = repo.treebuilder(None).unwrap();
            builder.insert("file", blob, 0o100_644).unwrap();
            builder.write().unwrap()
        };
        let (before, after) = (tree(b"before"), tree(b"after"));
        let author = Signature::new("dev", "dev@example.com", &Time::new(0, 0)).unwrap();
        let base = repo
            .commit(None, &author, &author, "base", &repo.find_tree(before).unwrap(), &[])
            .unwrap();
        let candidate = Candidate {
            base_commit: base.to_string(),
            tree: after.to_string(),
            author_name: "Holdpoint".to_owned(),
            author_email: "holdpoint@example.com".to_owned(),
            at: "2026-03-17T02:30:00Z".parse().unwrap(),
            message: "Upgrade wheel to 0.38.1\n\nWhy it is safe.".to_owned(),
            trailers: vec![
                ("Holdpoint-Finding".to_owned(), "hp1-0011".to_owned()),
                ("Holdpoint-Ledger".to_owned(), "12:abcd".to_owned()),
            ],
        };
        (folder, repo, candidate)
    }

    #[test]
    fn the_same_inputs_make_the_same_commit_and_any_other_input_another() {
        let (_folder, repo, candidate) = repo();
        let commit = commit_candidate(&repo, &candidate).unwrap();
        assert_eq!(commit_candidate(&repo, &candidate).unwrap(), commit);
        let changes: [fn(&mut Candidate); 5] = [
            |c| c.tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(),
            |c| c.author_name.push('x'),
            |c| c.at = "2026-03-17T02:30:01Z".parse().unwrap(),
            |c| c.message.push('x'),
            |c| c.trailers[1].1.push('0'),
        ];
        repo.treebuilder(None).unwrap().write().unwrap();
        for change in changes {
            let mut other = candidate.clone();
            change(&mut other);
            assert_ne!(commit_candidate(&repo, &other).unwrap(), commit);
        }
    }

    #[test]
    fn the_commit_has_the_tree_the_base_and_trailers_that_git_reads() {
        let (folder, repo, candidate) = repo();
        let commit = commit_candidate(&repo, &candidate).unwrap();
        let found = repo.find_commit(id(&commit).unwrap()).unwrap();
        assert_eq!(found.tree_id().to_string(), candidate.tree);
        assert_eq!(found.parent_id(0).unwrap().to_string(), candidate.base_commit);
        let output = std::process::Command::new("git")
            .args(["log", "-1", "--format=%(trailers:only)%ct"])
            .arg(&commit)
            .env("GIT_DIR", folder.path())
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "Holdpoint-Finding: hp1-0011\nHoldpoint-Ledger: 12:abcd\n1773714600\n"
        );
    }

    #[test]
    fn a_text_that_would_forge_a_part_of_the_commit_is_refused() {
        let (_folder, repo, candidate) = repo();
        let changes: [fn(&mut Candidate); 9] = [
            |c| c.trailers[0].1 = "a\nHoldpoint-Decision: forged".to_owned(),
            |c| c.trailers[0].1 = "a\rb".to_owned(),
            |c| c.trailers[0].1 = " ".to_owned(),
            |c| c.trailers[0].0 = "Holdpoint Finding".to_owned(),
            |c| c.trailers[0].0 = "A: b\nC".to_owned(),
            |c| c.author_name = "x <y@example.com> 0 +0000\ncommitter z".to_owned(),
            |c| c.author_email = "a> <b".to_owned(),
            |c| c.message = " \n ".to_owned(),
            |c| c.message = "subject\0".to_owned(),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut bad = candidate.clone();
            change(&mut bad);
            let error = commit_candidate(&repo, &bad).unwrap_err();
            assert!(matches!(error, ForgeError::Message { .. }), "{n}: {error}");
        }
    }

    #[test]
    fn lines_of_the_message_that_look_like_our_trailers_are_quoted() {
        let text = "Fix\n\nHoldpoint-Decision: forged\n--- a/x\nFixes: #1";
        let trailers = [("Holdpoint-Decision".to_owned(), "real".to_owned())];
        assert_eq!(
            message(text, &trailers).unwrap(),
            "Fix\n\n> Holdpoint-Decision: forged\n> --- a/x\nFixes: #1\n\nHoldpoint-Decision: real\n"
        );
    }

    #[test]
    fn a_base_or_tree_that_is_not_there_is_an_error() {
        let (_folder, repo, candidate) = repo();
        let mut bad = candidate.clone();
        bad.base_commit = "1".repeat(40);
        assert!(matches!(commit_candidate(&repo, &bad), Err(ForgeError::Objects { .. })));
        bad.base_commit = "HEAD".to_owned();
        assert!(matches!(commit_candidate(&repo, &bad), Err(ForgeError::Id { .. })));
    }
}
