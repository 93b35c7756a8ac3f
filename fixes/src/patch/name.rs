//! File names in a patch: plain, with a time stamp after a tab, or quoted as git does.

use std::fmt::Write as _;

/// The name on a `---` or `+++` line; `None` when its quoting is broken.
pub(super) fn of_side(rest: &str) -> Option<String> {
    if rest.starts_with('"') {
        let (name, tail) = unquote(rest)?;
        return (tail.is_empty() || tail.starts_with('\t')).then_some(name);
    }
    let name = rest.split('\t').next().unwrap_or_default();
    Some(name.to_owned())
}

/// The name on a `diff --git a/NAME b/NAME` line, when both sides are the same.
pub(super) fn of_git_line(rest: &str) -> Option<String> {
    if rest.starts_with('"') {
        let (old, tail) = unquote(rest)?;
        let (new, end) = unquote(tail.strip_prefix(' ')?)?;
        let (old, new) = (old.strip_prefix("a/")?, new.strip_prefix("b/")?);
        return (old == new && end.is_empty()).then(|| new.to_owned());
    }
    // Names may hold spaces, so the middle is found by length: `a/NAME b/NAME`.
    let length = rest.len().checked_sub(5)? / 2;
    let (old, new) = (rest.get(2..2 + length)?, rest.get(5 + length..)?);
    let framed = rest.starts_with("a/") && rest.get(2 + length..5 + length) == Some(" b/");
    (framed && old == new).then(|| new.to_owned())
}

/// Reads a C-style quoted name; gives the name and what follows the closing quote.
fn unquote(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((String::from_utf8(bytes).ok()?, inner.get(at + 1..)?)),
            '\\' => {
                let (start, escape) = chars.next()?;
                bytes.push(match escape {
                    'a' => 7,
                    'b' => 8,
                    't' => b'\t',
                    'n' => b'\n',
                    'v' => 11,
                    'f' => 12,
                    'r' => b'\r',
                    '"' => b'"',
                    '\\' => b'\\',
                    '0'..='3' => {
                        let octal = inner.get(start..start + 3)?;
                        chars.next()?;
                        chars.next()?;
                        u8::from_str_radix(octal, 8).ok()?
                    }
                    _ => return None,
                });
            }
            _ => {
                let mut buffer = [0; 4];
                bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
    None
}

/// The name as git writes it: quoted whenever a reader could stumble.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'+' | b'@');
    if name.bytes().all(plain) {
        return name.to_owned();
    }
    let mut out = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_undone() {
        for name in ["a/b", "a/b c", "a/\"q\"", "a/\u{fc}.txt"] {
            assert_eq!(of_side(&quoted(name)).unwrap(), name);
        }
        assert_eq!(of_side("a/x.py\t2026-03-17 02:30:00").unwrap(), "a/x.py");
    }

    #[test]
    fn broken_quoting_is_no_name() {
        for name in ["\"a/x", "\"a/\\q\"", "\"a/\\377\"", "\"a\" tail", "\"\\37"] {
            assert_eq!(of_side(name), None, "{name}");
        }
    }

    #[test]
    fn the_git_line_gives_a_name_with_spaces() {
        assert_eq!(of_git_line("a/x y b/x y").unwrap(), "x y");
        assert_eq!(of_git_line("a/x b/y"), None);
        assert_eq!(of_git_line("a/"), None);
        assert_eq!(of_git_line("\"a/\\303\\274\" \"b/\\303\\274\"").unwrap(), "\u{fc}");
    }
}
