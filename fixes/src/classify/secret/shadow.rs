//! Whether a file gives the name of the environment (`os`, `process`, `env`, `ENV`) another meaning.

use crate::classify::environment::Language;
use crate::classify::tokens::{self, Kind, Token};

/// The name that a language reads its environment through, and what must follow it.
fn root(language: Language) -> Option<(&'static str, &'static [&'static str])> {
    Some(match language {
        Language::Python | Language::Go => ("os", &["."]),
        Language::JavaScript => ("process", &[".", "?."]),
        Language::Rust => ("env", &["::"]),
        Language::Ruby => ("ENV", &[".", "["]),
        Language::Other => return None,
    })
}

/// Whether any use of the name is more than a read through it; a file that can't be read as tokens
/// is read as text, comments and all.
pub(super) fn redefines(language: Language, path: &str, text: &str, is_import: impl Fn(&str) -> bool) -> bool {
    let Some((root, follow)) = root(language) else {
        return true;
    };
    let imports: Vec<u32> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| is_import(line) || is_plain_import(language, line, root))
        .map(|(number, _)| number)
        .collect();
    match tokens::read(path, text) {
        Some(program) => {
            let tokens: Vec<&Token> = program
                .tokens
                .iter()
                .filter(|token| token.kind != Kind::Layout && imports.binary_search(&token.line).is_err())
                .collect();
            let foreign = |token: &Token| {
                language == Language::Go
                    && token.kind == Kind::Text
                    && token.text.trim_end_matches('"').ends_with("/os")
            };
            let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
            tokens.iter().enumerate().any(|(at, token)| {
                let is_root = token.kind == Kind::Word && token.text == root;
                // `self.os` is another name.
                let is_field = at.checked_sub(1).is_some_and(|at| matches!(text(at), "." | "?."));
                let is_read = follow.contains(&text(at + 1)) && !matches!(text(at + 3), "=" | ":=");
                foreign(token) || (is_root && !is_field && !is_read)
            })
        }
        None => (1..)
            .zip(text.lines())
            .filter(|(number, _)| imports.binary_search(number).is_err())
            .any(|(_, line)| in_line(line, root, follow)),
    }
}

/// `import os, sys`, `use std::env;`: no other name, no other module.
fn is_plain_import(language: Language, line: &str, root: &str) -> bool {
    let line = line.trim();
    match language {
        Language::Python => {
            let names = line.strip_prefix("import ").unwrap_or_default();
            names.split(',').any(|name| name.trim() == root) && !names.contains(" as ")
        }
        Language::Rust => line.starts_with("use std::"),
        _ => false,
    }
}

fn in_line(line: &str, root: &str, follow: &[&str]) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let (before, rest) = (
            line.get(..at).unwrap_or_default(),
            line.get(at + root.len()..).unwrap_or_default(),
        );
        let alone = !before.ends_with(|c: char| word(c) || c == '.') && !rest.starts_with(word);
        let assigned = rest
            .trim_start_matches(|c: char| word(c) || c == '.')
            .trim_start()
            .strip_prefix('=')
            .is_some_and(|rest| !rest.starts_with('='));
        alone && (!follow.iter().any(|mark| rest.starts_with(mark)) || assigned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redefined(path: &str, text: &str) -> bool {
        redefines(Language::of(path), path, text, |_| false)
    }

    #[test]
    fn another_meaning_of_the_name_is_found() {
        for (path, text) in [
            ("a.py", "class os:\n    environ = evil\n"),
            ("a.py", "from evil import os\n"),
            ("a.py", "import evil as os\n"),
            ("a.py", "import os\nos.environ = evil\n"),
            ("a.py", "def f(os):\n    pass\n"),
            ("a.js", "const process = { env: evil };\n"),
            ("a.js", "import process from \"evil\";\n"),
            ("a.js", "process.env = evil;\n"),
            ("a.jsx", "function f(process) { return <a/>; }\n"),
            ("a.go", "package a\n\nimport \"evil/os\"\n"),
            ("a.go", "package a\n\nfunc f(os x) {}\n"),
            ("a.rs", "mod env { pub fn var() {} }\n"),
            ("a.rb", "ENV = {}\n"),
        ] {
            assert!(redefined(path, text), "{text}");
        }
        for (path, text) in [
            (
                "a.py",
                "import os, sys\n# the os is fine\nx = os.environ[\"A\"]\nos.path.join(a)\n",
            ),
            ("a.js", "const a = process.env.A;\nself.process = 1;\n"),
            ("a.rs", "use std::env;\nfn f() { env::var(\"A\"); }\n"),
            ("a.rb", "A = ENV.fetch(\"A\")\nB = ENV[\"B\"]\n"),
        ] {
            assert!(!redefined(path, text), "{text}");
        }
    }
}
