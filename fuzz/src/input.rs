//! How one run of bytes becomes several files.

/// Most files of one input: more of them find nothing that these don't.
const MAX_FILES: usize = 12;

/// The files of an input: each begins with a line `=== NAME`. Without such a line it is one file.
///
/// Text, so that a person can write a seed, and a byte that changes stays in its file.
pub fn files<'a>(data: &'a [u8], name: &'a str) -> Vec<(&'a str, &'a [u8])> {
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    let mut rest = data;
    let Some(mut head) = next_head(rest).filter(|head| head.start == 0) else {
        return vec![(name, data)];
    };
    while files.len() < MAX_FILES {
        rest = rest.get(head.end..).unwrap_or_default();
        let next = next_head(rest);
        let end = next.as_ref().map_or(rest.len(), |next| next.start);
        files.push((head.name, rest.get(..end).unwrap_or_default()));
        let Some(next) = next else { break };
        head = next;
    }
    files
}

/// As [`files`], without those that are no UTF-8.
pub fn texts<'a>(data: &'a [u8], name: &'a str) -> Vec<(&'a str, &'a str)> {
    let files = files(data, name).into_iter();
    files
        .filter_map(|(name, bytes)| Some((name, std::str::from_utf8(bytes).ok()?)))
        .collect()
}

struct Head<'a> {
    name: &'a str,
    start: usize,
    end: usize,
}

fn next_head(data: &[u8]) -> Option<Head<'_>> {
    let mut at = 0;
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let name = line
            .strip_prefix(b"=== ")
            .and_then(|name| std::str::from_utf8(name).ok());
        if let Some(name) = name {
            return Some(Head {
                name: name.trim(),
                start: at,
                end: at + line.len(),
            });
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_one_file_or_several() {
        assert_eq!(files(b"a\n=== b\n", "x"), [("x", b"a\n=== b\n".as_slice())]);
        assert_eq!(
            files(b"=== a/b.yaml\nx: 1\n=== c\n\xff", "x"),
            [("a/b.yaml", b"x: 1\n".as_slice()), ("c", b"\xff")]
        );
        assert_eq!(texts(b"=== a\n\xff\n=== c\ny", "x"), [("c", "y")]);
    }
}
