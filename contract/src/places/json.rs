//! Keys of a JSON text with their lines. The text is known to be JSON; of one that isn't, less is found.

use super::PARTS;

/// What the scan is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Map,
    List,
}

/// Calls `add` with the entries of [`PARTS`] (second argument empty) and their parts, each with its line from 1.
pub(super) fn keys(text: &str, add: &mut impl FnMut(&str, &str, usize)) {
    let bytes = text.as_bytes();
    let (mut at, mut line) = (0, 1);
    let mut open: Vec<In> = Vec::new();
    // Whether the next text is a key, and whether the outermost key is one of a part.
    let (mut is_key, mut in_part, mut entry) = (false, false, String::new());
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\n' => line += 1,
            b'{' | b'[' => {
                is_key = *byte == b'{';
                open.push(if is_key { In::Map } else { In::List });
            }
            b'}' | b']' => {
                open.pop();
                is_key = false;
            }
            b',' => is_key = open.last() == Some(&In::Map),
            b'"' => {
                let Some(end) = end_of_text(bytes, at + 1) else { return };
                if is_key && open.len() <= 3 {
                    let key = text.get(at..=end).unwrap_or_default();
                    let key: String = serde_json::from_str(key).unwrap_or_default();
                    match open.len() {
                        1 => in_part = PARTS.contains(&key.as_str()),
                        2 if in_part => {
                            add(&key, "", line);
                            entry = key;
                        }
                        3 if in_part => add(&entry, &key, line),
                        _ => {}
                    }
                }
                is_key = false;
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Where the quotation mark stands that ends a text.
fn end_of_text(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}
