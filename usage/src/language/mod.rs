//! The languages that are read: one file each, and one line in [`LANGUAGES`].

mod go;
mod java;
mod javascript;
mod javascript_gateway;
mod python;
mod python_implied;
mod rust;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::walk::Grammar;

/// A language whose source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Python 3.
    Python,
    /// JavaScript and TypeScript, with JSX.
    JavaScript,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Java.
    Java,
}

impl Language {
    /// The name that people use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Java => "java",
        }
    }
}

struct Row {
    language: Language,
    endings: &'static [&'static str],
    grammar: &'static dyn Grammar,
}

const LANGUAGES: &[Row] = &[
    Row {
        language: Language::Python,
        endings: &["py", "pyw"],
        grammar: &python::Python,
    },
    Row {
        language: Language::JavaScript,
        endings: &["js", "mjs", "cjs", "jsx"],
        grammar: &javascript::JAVASCRIPT,
    },
    Row {
        language: Language::JavaScript,
        endings: &["ts", "mts", "cts"],
        grammar: &javascript::TYPESCRIPT,
    },
    Row {
        language: Language::JavaScript,
        endings: &["tsx"],
        grammar: &javascript::TSX,
    },
    Row {
        language: Language::Rust,
        endings: &["rs"],
        grammar: &rust::Rust,
    },
    Row {
        language: Language::Go,
        endings: &["go"],
        grammar: &go::Go,
    },
    Row {
        language: Language::Java,
        endings: &["java"],
        grammar: &java::Java,
    },
];

/// Endings of files that can use a language's packages but aren't read.
const UNREAD: &[(Language, &[&str])] = &[
    (Language::Python, &["ipynb", "pyx", "pxd", "pxi", "mako", "xsh"]),
    (
        Language::JavaScript,
        &[
            "vue", "svelte", "astro", "mdx", "coffee", "ls", "html", "htm", "ejs", "pug", "hbs", "res", "marko",
        ],
    ),
    (Language::Rust, &["rs.in", "rs.hbs", "rs.j2"]),
    (Language::Go, &["tmpl", "gotmpl", "templ", "gohtml"]),
    (
        Language::Java,
        &[
            "kt", "kts", "scala", "groovy", "clj", "jsp", "jspx", "ftl", "jar", "class", "aj",
        ],
    ),
];

fn ending(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.rsplit_once('.').map(|(_, ending)| ending)
}

impl Language {
    /// The language of a source file, by its name; `None` for what isn't source that is read.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        of_path(path).map(|(language, _)| language)
    }
}

/// The language of a file, by its name.
pub(crate) fn of_path(path: &str) -> Option<(Language, &'static dyn Grammar)> {
    let ending = ending(path)?;
    LANGUAGES
        .iter()
        .find(|row| row.endings.contains(&ending))
        .map(|row| (row.language, row.grammar))
}

/// The language whose packages a file could use although the file isn't read.
pub(crate) fn unread(path: &str) -> Option<Language> {
    let name = path.rsplit('/').next()?;
    UNREAD
        .iter()
        .find(|(_, endings)| {
            endings
                .iter()
                .any(|e| name.strip_suffix(e).is_some_and(|rest| rest.ends_with('.')))
        })
        .map(|(language, _)| *language)
}

/// The text with the line ends that the language knows, byte for byte as long: Python, JavaScript and Java end a
/// line, and with it a comment, at a lone CR too; JavaScript also at U+2028 and U+2029.
pub(crate) fn as_it_is_run(language: Language, text: &str) -> Cow<'_, str> {
    let ends = matches!(language, Language::Python | Language::JavaScript | Language::Java);
    let wide = language == Language::JavaScript && text.contains(['\u{2028}', '\u{2029}']);
    if !ends || !(wide || text.contains('\r')) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<String> = text.split("\r\n").map(|part| part.replace('\r', "\n")).collect();
    let text = lines.join("\r\n");
    let three = if wide { "\n  " } else { return Cow::Owned(text) };
    Cow::Owned(text.replace(['\u{2028}', '\u{2029}'], three))
}

/// Why Python reads other text than the bytes say: a declared encoding (PEP 263) that isn't UTF-8 or ASCII.
pub(crate) fn other_encoding(language: Language, text: &str) -> Option<String> {
    let lines = text
        .split(['\n', '\r', '\u{c}'])
        .filter(|_| language == Language::Python)
        .take(4);
    lines.filter(|line| line.contains('#')).find_map(|line| {
        let (_, rest) = line
            .split_once("coding")
            .and_then(|(_, rest)| rest.split_at_checked(1))?;
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || "-_.".contains(*c))
            .collect();
        let plain = name.to_ascii_lowercase().replace('_', "-");
        let declared = line.contains("coding:") || line.contains("coding=");
        let known = matches!(
            plain.as_str(),
            "utf-8" | "utf8" | "utf-8-unix" | "ascii" | "us-ascii" | "utf-8-sig"
        );
        (declared && !known).then(|| format!("it is encoded as `{name}`"))
    })
}

/// Whether a file is a type declaration, of which nothing is left when the program runs.
pub(crate) fn only_types(path: &str) -> bool {
    path.ends_with(".d.ts") || path.ends_with(".d.mts") || path.ends_with(".d.cts")
}

/// Whether a file belongs to somebody else's code that is kept in the repo.
pub(crate) fn vendored(path: &str) -> bool {
    let folders = [
        "node_modules",
        "vendor",
        "third_party",
        "site-packages",
        ".venv",
        "venv",
        "bower_components",
    ];
    let mut parts = path.split('/').rev().skip(1);
    parts.any(|part| folders.contains(&part)) || path.ends_with(".min.js")
}

/// Whether a file holds tests, by the customs of its language.
pub(crate) fn is_test(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let name = parts.next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    parts.any(|part| {
        matches!(
            part,
            "test" | "tests" | "__tests__" | "testing" | "spec" | "specs" | "e2e" | "benches"
        )
    }) || name.contains(".test.")
        || name.contains(".spec.")
        || stem == "conftest"
        || stem == "tests"
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || (name.ends_with(".java") && (stem.ends_with("Test") || stem.ends_with("Tests") || stem.ends_with("IT")))
}
