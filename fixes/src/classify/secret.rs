//! A literal becomes a read of the environment: on the same assignment, and nothing else.

mod credential;
mod shadow;

use std::sync::LazyLock;

use holdpoint_schemas::fix::FixKind;
use regex::Regex;

use std::collections::BTreeMap;

use super::environment::{Language, variable, variables};
use super::{FileView, Part};

/// What may stand before the literal: an assignment to a plain target, or a key of a map.
static TARGET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)^\s*(?:
            (?:(?:export|const|let|var|static|pub|final|private|public|readonly|mut)\s+)*
            [A-Za-z_$][\w.$]* (?:\[\s*["'][\w-]+["']\s*\])? (?:\s*:\s*(?:&\s*)?(?:'static\s+)?\w+)? \s*:?=\s*
            | ["']?[A-Za-z_][\w-]*["']?\s*:\s*
        )$"#,
    )
    .ok()
});

/// A plain, non-empty string literal: no prefix, no interpolation.
static LITERAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^(?:"(?:[^"\\\n]|\\.)+"|'(?:[^'\\\n]|\\.)+'|`[^`$\\\n]+`)$"#).ok());

/// Imports that a read of the environment needs; they run nothing of the repo's.
fn is_import(language: Language, line: &str) -> bool {
    let line = line.trim().trim_end_matches(';');
    match language {
        Language::Python => line == "import os",
        Language::JavaScript => matches!(
            line,
            "import process from \"node:process\""
                | "import process from 'node:process'"
                | "const process = require(\"node:process\")"
                | "const process = require('node:process')"
        ),
        Language::Rust => line == "use std::env",
        Language::Go => matches!(line, "\"os\"" | "import \"os\""),
        Language::Ruby | Language::Other => false,
    }
}

pub(super) fn read(view: &FileView<'_>) -> Result<Part, String> {
    let language = Language::of(view.path());
    let logic = || "changes program logic".to_owned();
    let lookup = language.lookup().ok_or_else(logic)?;
    let used = |line: &&(u32, String)| !line.1.trim().is_empty();
    let removed: Vec<&str> = view
        .change
        .removed
        .iter()
        .filter(used)
        .map(|(_, line)| line.as_str())
        .collect();
    let added: Vec<&str> = view
        .change
        .added
        .iter()
        .filter(used)
        .map(|(_, line)| line.as_str())
        .filter(|line| !is_import(language, line))
        .collect();
    if removed.is_empty() || removed.len() != added.len() {
        return Err(logic());
    }
    let text = view.after.as_deref().unwrap_or_default();
    if shadow::redefines(language, view.path(), text, |line| is_import(language, line)) {
        return Err("gives the environment's name another meaning".to_owned());
    }
    let known = variables(view.before.as_deref().unwrap_or_default());
    let mut literals: BTreeMap<String, &str> = BTreeMap::new();
    for (old, new) in removed.iter().zip(&added) {
        let name = replaced(language, lookup, old, new).ok_or_else(logic)?;
        if known.contains(&name) {
            return Err(format!(
                "reads `{name}`, which means something else in this file already"
            ));
        }
        let target = target(lookup, new).ok_or_else(logic)?;
        let literal = literal(lookup, old, new).ok_or_else(logic)?;
        let credential = credential::is_named_so(&target) || credential::looks_so(literal);
        if !credential || !credential::is_named_so(&name) && !credential::looks_so(literal) {
            return Err(format!("reads `{name}`, which is no secret"));
        }
        if !credential::correspond(&target, &name) {
            return Err(format!("reads `{name}` into something of another name"));
        }
        if literals
            .insert(name.clone(), literal)
            .is_some_and(|other| other != literal)
        {
            return Err(format!("reads `{name}` in the place of two different literals"));
        }
    }
    let names: Vec<String> = literals.into_keys().collect();
    Ok(Part {
        kind: FixKind::SecretToReference,
        because: format!(
            "a literal becomes a read of `{}` on the same assignment",
            names.join("`, `")
        ),
        upgrades: Vec::new(),
    })
}

/// The name that is assigned to: the last of a dotted one, or the key.
fn target(lookup: &Regex, new: &str) -> Option<String> {
    let prefix = new.get(..lookup.find(new)?.start())?;
    let prefix = prefix.trim_end().trim_end_matches([':', '=']).trim_end();
    // A type may stand behind the name: `TOKEN: &str`.
    let named = prefix.split_once(':').map_or(prefix, |(name, _)| name);
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
    let mut names = named.split(|c: char| !is_word(c)).filter(|name| !name.is_empty());
    names.next_back().map(str::to_owned)
}

/// The literal without its quotes.
fn literal<'a>(lookup: &Regex, old: &'a str, new: &str) -> Option<&'a str> {
    let whole = lookup.find(new)?;
    let literal = old
        .strip_prefix(new.get(..whole.start())?)?
        .strip_suffix(new.get(whole.end()..)?)?;
    literal.get(1..literal.len().checked_sub(1)?)
}

/// The variable, when the two lines differ only in a literal that becomes its read.
fn replaced(language: Language, lookup: &Regex, old: &str, new: &str) -> Option<String> {
    let captures = lookup.captures(new)?;
    let whole = captures.get(0)?;
    let (prefix, suffix) = (new.get(..whole.start())?, new.get(whole.end()..)?);
    let literal = old.strip_prefix(prefix)?.strip_suffix(suffix)?;
    let ends = matches!(suffix.trim_end(), "" | ";" | ",");
    // In other languages than JavaScript a back-quoted text is no literal, in Rust a single quote
    // starts a character.
    let quoted = match literal.chars().next()? {
        '"' => true,
        '\'' => matches!(language, Language::Python | Language::JavaScript | Language::Ruby),
        _ => language == Language::JavaScript,
    };
    // A quoted Ruby literal may interpolate.
    let plain = language != Language::Ruby || !literal.contains("#{");
    let fits = TARGET.as_ref()?.is_match(prefix) && LITERAL.as_ref()?.is_match(literal);
    (ends && quoted && plain && fits).then(|| variable(&captures)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str, old: &str, new: &str) -> Option<String> {
        let language = Language::of(path);
        replaced(language, language.lookup().unwrap(), old, new)
    }

    #[test]
    fn a_literal_that_becomes_a_reference_is_recognised() {
        for (path, old, new) in [
            (
                "a.js",
                "const SMTP_TOKEN = \"abc\";",
                "const SMTP_TOKEN = process.env.SMTP_TOKEN;",
            ),
            ("a.ts", "  token: 'abc',", "  token: process.env[\"SMTP_TOKEN\"],"),
            ("a.py", "TOKEN = \"abc\"", "TOKEN = os.environ[\"SMTP_TOKEN\"]"),
            ("a.py", "self.t = 'abc'", "self.t = os.environ.get('SMTP_TOKEN')"),
            (
                "a.rs",
                "    let t = \"abc\";",
                "    let t = std::env::var(\"SMTP_TOKEN\").unwrap();",
            ),
            ("a.rb", "T = \"abc\"", "T = ENV.fetch(\"SMTP_TOKEN\")"),
            ("a.go", "\tt := \"abc\"", "\tt := os.Getenv(\"SMTP_TOKEN\")"),
        ] {
            assert_eq!(line(path, old, new).as_deref(), Some("SMTP_TOKEN"), "{new}");
        }
    }

    #[test]
    fn anything_besides_is_logic() {
        for (path, old, new) in [
            ("a.js", "const A = \"x\";", "const A = process.env.A || \"x\";"),
            ("a.js", "const A = \"x\";", "const A = process.env.A ?? 'y';"),
            ("a.js", "const A = \"x\";", "const B = process.env.A;"),
            ("a.js", "const A = \"x\";", "const A = process.env.A; run();"),
            ("a.js", "const A = \"x\" + f();", "const A = process.env.A + f();"),
            ("a.js", "const A = `x${y}`;", "const A = process.env.A;"),
            ("a.js", "const A = load();", "const A = process.env.A;"),
            ("a.js", "run(\"x\");", "run(process.env.A);"),
            ("a.js", "if (t === \"x\") {", "if (t === process.env.A) {"),
            ("a.js", "const A = \"\";", "const A = process.env.A;"),
            ("a.py", "A = \"x\"", "A = os.environ.get(\"A\", \"x\")"),
            ("a.py", "A = b\"x\"", "A = os.environ[\"A\"]"),
            ("a.py", "A = f\"{x}\"", "A = os.environ[\"A\"]"),
            ("a.py", "A = \"x\"", "A = os.environ[\"A\"]  # was x"),
            (
                "a.rs",
                "let a = \"x\";",
                "let a = std::env::var(\"A\").unwrap_or(\"x\".into());",
            ),
            ("a.rb", "A = \"#{x}\"", "A = ENV[\"A\"]"),
        ] {
            assert_eq!(line(path, old, new), None, "{new}");
        }
    }
}
