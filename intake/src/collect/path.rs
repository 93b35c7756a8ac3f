//! Paths as scanners write them, made relative to the repo.

use crate::report::SourceLines;

/// Folders that the repo is mounted at when a scanner runs in a container or a CI runner.
const MOUNTS: [&str; 5] = ["workspace/repo", "github/workspace", "workspace", "src", "repo"];
/// Longest path that is kept.
const MAX_PATH: usize = 1024;

/// The path relative to the repo's root with `/`, or `None` when it leads out of the repo.
///
/// An absolute path is taken from a known mount; else the longest tail that the source knows is
/// the one; else the leading `/` is dropped, so that people still see what was reported.
///
/// Some tools escape a URI that was escaped before: it is read so unless the source has a file of the literal name.
pub fn in_repo(reported: &str, source: &dyn SourceLines) -> Option<String> {
    let once = decode(reported.trim());
    let twice = decode(&once);
    if twice == once {
        return below_root(&once, source);
    }
    let literal = below_root(&once, source).filter(|path| source.line(path, 1).is_some());
    literal.or_else(|| below_root(&twice, source))
}

fn below_root(decoded: &str, source: &dyn SourceLines) -> Option<String> {
    let unified = decoded.replace('\\', "/");
    let without_scheme = unified.strip_prefix("file:").unwrap_or(&unified);
    let without_drive = match without_scheme.trim_start_matches('/').split_once(':') {
        Some((drive, rest)) if drive.len() == 1 && rest.starts_with('/') => rest,
        _ => without_scheme,
    };
    let absolute = without_drive.starts_with('/');
    let path = normalise(without_drive)?;
    if path.is_empty() || path.len() > MAX_PATH || path.contains('\0') {
        return None;
    }
    if absolute {
        Some(below_mount(&path, source))
    } else {
        Some(path)
    }
}

fn below_mount(path: &str, source: &dyn SourceLines) -> String {
    let below = |mount: &&str| path.strip_prefix(*mount)?.strip_prefix('/').map(str::to_owned);
    if let Some(known) = MOUNTS
        .iter()
        .filter_map(below)
        .find(|tail| source.line(tail, 1).is_some())
    {
        return known;
    }
    let mut tail = path;
    loop {
        if source.line(tail, 1).is_some() {
            return tail.to_owned();
        }
        match tail.split_once('/') {
            Some((_, shorter)) => tail = shorter,
            None => break,
        }
    }
    MOUNTS.iter().find_map(below).unwrap_or_else(|| path.to_owned())
}

/// Drops empty and `.` parts and resolves `..`; `None` when that leads above the root.
fn normalise(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Percent-decoding (RFC 3986), for URIs in SARIF. What isn't a valid escape stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).map(|(h, l)| (h * 16 + l, after)),
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Only(&'static str);
    impl SourceLines for Only {
        fn line(&self, path: &str, _: u32) -> Option<String> {
            (path == self.0).then(String::new)
        }
    }

    #[test]
    fn paths_become_relative_to_the_repo() {
        let none = Only("");
        for (reported, wanted) in [
            ("./a/b.py", "a/b.py"),
            ("/workspace/repo/a.py", "a.py"),
            ("file:///github/workspace/a%20b.py", "a b.py"),
            ("a%2520b.py", "a b.py"),
            ("a\\b.py", "a/b.py"),
            ("a/../b.py", "b.py"),
            ("C:\\x\\a.py", "x/a.py"),
            ("/vagrant/app.go", "vagrant/app.go"),
        ] {
            assert_eq!(in_repo(reported, &none).as_deref(), Some(wanted), "{reported}");
        }
    }

    #[test]
    fn an_absolute_path_is_matched_with_the_source() {
        assert_eq!(
            in_repo("/home/me/app/src/a.py", &Only("src/a.py")).as_deref(),
            Some("src/a.py")
        );
        assert_eq!(in_repo("a%2520b", &Only("a%20b")).as_deref(), Some("a%20b"));
        assert_eq!(in_repo("/src/a.py", &Only("src/a.py")).as_deref(), Some("src/a.py"));
    }

    #[test]
    fn a_path_out_of_the_repo_is_refused() {
        for reported in [
            "../a.py",
            "a/../../b",
            "",
            ".",
            "%2e%2e/a",
            "%252e%252e/a",
            "/..",
            "file:///../x",
        ] {
            assert_eq!(in_repo(reported, &Only("")), None, "{reported}");
        }
        assert_eq!(in_repo(&"a/".repeat(2000), &Only("")), None);
    }
}
