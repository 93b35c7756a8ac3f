//! Languages, as far as comments, mutants and syntax checks need them. One entry per language.

/// What is known of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// Name, for people.
    pub name: &'static str,
    /// Endings of its files.
    pub endings: &'static [&'static str],
    /// What a line that is only a comment begins with.
    pub comments: &'static [&'static str],
    /// How it writes tokens that a mutant changes.
    pub words: Words,
    /// Command that says whether a file, or the whole repo, is still valid. `{}`: the file.
    pub check: Option<&'static str>,
    /// Statement that ends the run of whatever comes to it, for compiled languages.
    pub stop: Option<&'static str>,
}

/// Which family of words and operators it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// `and`, `not`, `True`.
    Python,
    /// `&&`, `!`, `true`.
    C,
}

const C_COMMENTS: &[&str] = &["//", "/*", "*/", "* "];

/// Every language that is known.
const LANGUAGES: [Language; 7] = [
    Language {
        name: "Python",
        endings: &["py"],
        comments: &["#"],
        words: Words::Python,
        check: Some("python3 -m py_compile {}"),
        stop: None,
    },
    Language {
        name: "JavaScript",
        endings: &["js", "mjs", "cjs"],
        comments: C_COMMENTS,
        words: Words::C,
        check: Some("node --check {}"),
        stop: None,
    },
    Language {
        name: "TypeScript",
        endings: &["ts", "tsx", "mts", "cts", "jsx"],
        comments: C_COMMENTS,
        words: Words::C,
        check: None,
        stop: None,
    },
    Language {
        name: "Rust",
        endings: &["rs"],
        comments: C_COMMENTS,
        words: Words::C,
        check: Some("cargo test --no-run"),
        stop: Some("panic!();"),
    },
    Language {
        name: "Go",
        endings: &["go"],
        comments: C_COMMENTS,
        words: Words::C,
        check: Some("go vet ./..."),
        stop: Some("panic(0)"),
    },
    Language {
        name: "Java",
        endings: &["java", "kt"],
        comments: C_COMMENTS,
        words: Words::C,
        check: None,
        stop: None,
    },
    Language {
        name: "C, C++, C#, PHP",
        endings: &["c", "cc", "cpp", "cxx", "h", "hpp", "cs", "php"],
        comments: C_COMMENTS,
        words: Words::C,
        check: None,
        stop: None,
    },
];

/// The language of a file, by its ending.
#[must_use]
pub fn language(path: &str) -> Option<&'static Language> {
    let (_, ending) = path.rsplit_once('.')?;
    LANGUAGES.iter().find(|language| language.endings.contains(&ending))
}

impl Language {
    /// Whether a line holds code: it isn't blank, only a comment, or only brackets.
    #[must_use]
    pub fn is_code(&self, line: &str) -> bool {
        let line = line.trim();
        line.chars()
            .any(|c| !matches!(c, '{' | '}' | '(' | ')' | '[' | ']' | ';' | ','))
            && line != "*"
            && !self.comments.iter().any(|comment| line.starts_with(comment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_brackets_are_no_code() {
        let rust = language("src/lib.rs").unwrap();
        for line in ["", "  // why", "});", "/* a", "* b", "*/"] {
            assert!(!rust.is_code(line), "{line}");
        }
        for line in ["*a += 1;", "return b", "let c = { 1 };"] {
            assert!(rust.is_code(line), "{line}");
        }
        assert!(language("README.md").is_none());
    }
}
