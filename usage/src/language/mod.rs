//! The languages that are read: one file each, and one line in [`LANGUAGES`].

mod go;
mod java;
mod javascript;
mod python;
mod rust;

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
