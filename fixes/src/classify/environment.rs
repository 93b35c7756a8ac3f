//! Reads of environment variables in source text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::FileView;

/// Source languages whose reads of the environment are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    JavaScript,
    Rust,
    Ruby,
    Go,
    /// Anything else: only counted for new variables.
    Other,
}

impl Language {
    pub(super) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, end)| end) {
            Some("py") => Self::Python,
            Some("js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx") => Self::JavaScript,
            Some("rs") => Self::Rust,
            Some("rb") => Self::Ruby,
            Some("go") => Self::Go,
            _ => Self::Other,
        }
    }

    /// A read that yields the variable or fails: no fallback.
    pub(super) fn lookup(self) -> Option<&'static Regex> {
        LOOKUPS.iter().find(|(language, _)| *language == self)?.1.as_ref()
    }
}

type Pattern = LazyLock<Option<Regex>>;

/// Patterns are constants; a test proves that each compiles.
static LOOKUPS: LazyLock<Vec<(Language, Option<Regex>)>> = LazyLock::new(|| {
    let name = "(?P<name>[A-Za-z_][A-Za-z0-9_]*)";
    [
        (
            Language::Python,
            format!(r#"os\.environ\[(?:"{name}"|'(?P<b>[A-Za-z_]\w*)')\]|os\.environ\.get\((?:"(?P<c>[A-Za-z_]\w*)"|'(?P<d>[A-Za-z_]\w*)')\)|os\.getenv\((?:"(?P<e>[A-Za-z_]\w*)"|'(?P<f>[A-Za-z_]\w*)')\)"#),
        ),
        (
            Language::JavaScript,
            format!(r#"process\.env\.{name}|process\.env\[(?:"(?P<b>[A-Za-z_]\w*)"|'(?P<c>[A-Za-z_]\w*)')\]"#),
        ),
        (
            Language::Rust,
            format!(r#"(?:std::)?env::var\("{name}"\)(?:\.expect\("[^"\\]*"\)|\.unwrap\(\)|\?)?"#),
        ),
        (
            Language::Ruby,
            format!(r#"ENV\[(?:"{name}"|'(?P<b>[A-Za-z_]\w*)')\]|ENV\.fetch\((?:"(?P<c>[A-Za-z_]\w*)"|'(?P<d>[A-Za-z_]\w*)')\)"#),
        ),
        (Language::Go, format!(r#"os\.Getenv\("{name}"\)"#)),
    ]
    .into_iter()
    .map(|(language, pattern)| (language, Regex::new(&pattern).ok()))
    .collect()
});

/// Any read of the environment, in whatever language, with or without a fallback.
static ANY_READ: Pattern = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?: process\.env\. | import\.meta\.env\. ) (?P<a>[A-Za-z_]\w*)
        | (?: process\.env | os\.environ | ENV | \$_ENV | \$_SERVER ) \[ \s* ["'] (?P<b>[A-Za-z_]\w*) ["']
        | (?: os\.environ\.(?:get|pop|setdefault) | os\.getenv | getenv | os\.(?:Getenv|LookupEnv) | ENV\.fetch
            | env::var(?:_os)? | env::remove_var | option_env! | env! | System\.getenv | Environment\.GetEnvironmentVariable ) \( \s* ["'] (?P<c>[A-Za-z_]\w*) ["']
        "#,
    )
    .ok()
});

/// The variable that a match names, whichever alternative matched.
pub(super) fn variable(captures: &regex::Captures<'_>) -> Option<String> {
    captures
        .iter()
        .skip(1)
        .flatten()
        .next()
        .map(|name| name.as_str().to_owned())
}

/// All variables that a text reads.
pub(super) fn variables(text: &str) -> BTreeSet<String> {
    let reads = ANY_READ
        .as_ref()
        .into_iter()
        .flat_map(|pattern| pattern.captures_iter(text));
    reads.filter_map(|captures| variable(&captures)).collect()
}

/// Variables that the changed files read after the change and none of them read before.
pub(super) fn new_variables(views: &[FileView<'_>]) -> Vec<String> {
    let side = |text: &Option<String>| text.as_deref().map(variables).unwrap_or_default();
    let before: BTreeSet<String> = views.iter().flat_map(|view| side(&view.before)).collect();
    let after: BTreeSet<String> = views.iter().flat_map(|view| side(&view.after)).collect();
    after.difference(&before).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(ANY_READ.is_some());
        for (language, pattern) in LOOKUPS.iter() {
            assert!(pattern.is_some(), "{language:?}");
        }
    }

    #[test]
    fn reads_are_found_in_each_language() {
        let text = "process.env.A; process.env['B'] os.environ[\"C\"] os.environ.get('D', 'x') os.getenv(\"E\") \
                    std::env::var(\"F\") getenv(\"G\") ENV[\"H\"] ENV.fetch('I') os.Getenv(\"J\") System.getenv(\"K\")";
        let names: Vec<String> = variables(text).into_iter().collect();
        assert_eq!(names.join(""), "ABCDEFGHIJK");
    }
}
