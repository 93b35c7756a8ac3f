//! Values in messages: short, on one line, and never a secret.

/// Most characters of a value that are shown.
const SHOWN: usize = 48;
/// Parts of a name that say that its value is nobody's business.
const SECRET_WORDS: [&str; 12] = [
    "auth",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "key",
    "passw",
    "pin",
    "secret",
    "session",
    "signature",
    "token",
];

/// The start of a text.
pub(super) fn shorten(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

/// A value at a place, or that it is not shown.
pub(super) fn value(place: &str, text: &str) -> String {
    match is_secret(place) {
        true => format!("({} characters, not shown)", text.chars().count()),
        false => format!("`{}`", shorten(text)),
    }
}

/// Whether the name of a place says that it holds a secret.
fn is_secret(place: &str) -> bool {
    let name = place
        .rsplit(['.', '['])
        .find(|part| !part.is_empty() && *part != "]")
        .unwrap_or_default()
        .to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown_and_long_values_are_cut() {
        assert_eq!(value("$.body.access_token", "abc"), "(3 characters, not shown)");
        assert_eq!(value("$.body.apiKeys[]", "abc"), "(3 characters, not shown)");
        assert_eq!(value("$.body.name", "a\nb"), "`a\\nb`");
        assert_eq!(value("$.body.name", &"x".repeat(100)).chars().count(), SHOWN + 3);
    }
}
