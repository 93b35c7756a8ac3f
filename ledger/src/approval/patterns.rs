//! Pattern lists of OpenSSH (ssh_config(5), PATTERNS).

/// OpenSSH's pattern list: a `!pattern` that matches refuses, whatever else does.
pub(super) fn in_pattern_list(patterns: &[String], text: &str) -> bool {
    let refused = patterns
        .iter()
        .filter_map(|p| p.strip_prefix('!'))
        .any(|p| matches_pattern(p.as_bytes(), text.as_bytes()));
    !refused && patterns.iter().any(|p| matches_pattern(p.as_bytes(), text.as_bytes()))
}

/// `*` and `?`, and nothing else (ssh_config(5), PATTERNS). Row by row over the text, so that no
/// pattern takes more than pattern × text steps.
fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    // `reached[i]`: the pattern so far can stand for the first `i` bytes.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut open = false;
        for (index, slot) in next.iter_mut().enumerate() {
            let before = index.checked_sub(1);
            let from_before = before.and_then(|i| reached.get(i)).copied().unwrap_or(false);
            let byte = before.and_then(|i| text.get(i));
            *slot = match symbol {
                b'*' => {
                    open |= reached.get(index).copied().unwrap_or(false);
                    open
                }
                b'?' => from_before,
                literal => from_before && byte == Some(literal),
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_openssh() {
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        for (patterns, text, expected) in [
            ("holdpoint-*", "holdpoint-approval", true),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("*,!holdpoint-approval", "holdpoint-approval", false),
            ("git", "gi", false),
        ] {
            assert_eq!(in_pattern_list(&list(patterns), text), expected, "{patterns} {text}");
        }
    }
}
