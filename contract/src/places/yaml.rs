//! Keys of a YAML text in block style with their lines, told by their indentation; of flow style none are found.

use super::PARTS;

/// Calls `add` with the entries of [`PARTS`] (second argument empty) and their parts, each with its line from 1.
pub(super) fn keys(text: &str, add: &mut impl FnMut(&str, &str, usize)) {
    // Indentation of the entries, and of the parts of the last one, once seen.
    let (mut in_part, mut entries, mut parts, mut entry) = (false, None, None, String::new());
    for (line, content) in text.lines().enumerate().map(|(at, content)| (at + 1, content)) {
        let rest = content.trim_start_matches(' ');
        if rest.is_empty() || rest.starts_with('#') {
            continue;
        }
        let indent = content.len() - rest.len();
        if indent == 0 {
            in_part = key(rest).is_some_and(|key| PARTS.contains(&key));
            (entries, parts) = (None, None);
        } else if !in_part {
        } else if indent == *entries.get_or_insert(indent) {
            parts = None;
            entry = key(rest).unwrap_or_default().to_owned();
            if !entry.is_empty() {
                add(&entry, "", line);
            }
        } else if indent == *parts.get_or_insert(indent)
            && !entry.is_empty()
            && let Some(key) = key(rest)
        {
            add(&entry, key, line);
        }
    }
}

/// The key that a line begins with.
fn key(line: &str) -> Option<&str> {
    let quote = line.chars().next().filter(|first| matches!(first, '\'' | '"'));
    if let Some(quote) = quote {
        let (key, rest) = line.get(1..)?.split_once(quote)?;
        return rest.trim_start().starts_with(':').then_some(key);
    }
    let key = line
        .split_once(": ")
        .map(|(key, _)| key)
        .or_else(|| line.trim_end().strip_suffix(':'))?;
    (!key.starts_with(['-', '{', '['])).then(|| key.trim_end())
}
