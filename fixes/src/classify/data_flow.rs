//! Functions and variables whose flow of data a change touches, found by their declarations
//! around and on the changed lines. Best effort: an empty list says nothing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::FileView;

/// Most names that are listed.
const MAX_NAMES: usize = 200;
/// Most changed lines of a file that are looked at, and most lines above each.
const MAX_LINES: usize = 1_000;

/// Declarations of functions by file ending; the first group that matches is the name.
static FUNCTIONS: LazyLock<Vec<(&str, Option<Regex>)>> = LazyLock::new(|| {
    [
        ("py pyi", r"^\s*(?:async\s+)?def\s+(\w+)"),
        (
            "js mjs cjs ts mts cts jsx tsx",
            r"function\s*\*?\s*(\w+)|^\s*(?:export\s+)?(?:const|let|var)\s+(\w+)\s*=\s*(?:async\s*)?(?:function\b|\([^)]*\)[^=]*=>|\w+\s*=>)|^\s+(?:async\s+|static\s+|get\s+|set\s+|#)*([A-Za-z_$][\w$]*)\s*\([^)]*\)\s*\{",
        ),
        ("go", r"^func\s+(?:\([^)]*\)\s*)?(\w+)"),
        ("rs", r"\bfn\s+(\w+)"),
        ("rb", r"^\s*def\s+(?:self\.)?([\w?!]+)"),
        ("java kt cs", r"^\s*(?:(?:public|private|protected|internal|static|final|override|async|suspend|fun|abstract)\s+)+(?:[\w<>\[\], ?.]+\s+)?(\w+)\s*\("),
        ("php", r"function\s+(\w+)"),
    ]
    .into_iter()
    .map(|(endings, pattern)| (endings, Regex::new(pattern).ok()))
    .collect()
});

/// The target of an assignment or declaration.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:(?:export|public|private|protected|static|final|readonly|const|let|var|mut|pub|val)\s+)*(?:[A-Z][\w<>\[\]]*\s+)?([A-Za-z_$@][\w.$]*)\s*(?::\s*[\w<>\[\], &']+)?\s*(?::=|\+=|-=|\|\|=|\?\?=|=)(?:[^=>]|$)").ok()
});

/// Words that look like methods and aren't.
const KEYWORDS: [&str; 8] = ["if", "for", "while", "switch", "catch", "return", "function", "else"];

/// Names as `path: name`, over all changed source files.
pub(super) fn touched(views: &[FileView<'_>]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for view in views {
        let ending = view.path().rsplit_once('.').map_or("", |(_, ending)| ending);
        let known = FUNCTIONS
            .iter()
            .find(|(endings, _)| endings.split(' ').any(|known| known == ending));
        let Some((_, Some(functions))) = known else { continue };
        for (text, lines) in [(&view.before, &view.change.removed), (&view.after, &view.change.added)] {
            let text: Vec<&str> = text.as_deref().unwrap_or_default().lines().collect();
            for (number, _) in lines.iter().filter(|(_, line)| !line.trim().is_empty()).take(MAX_LINES) {
                names(functions, &text, *number, &mut |name| {
                    if found.len() < MAX_NAMES {
                        found.insert(format!("{}: {name}", view.path()));
                    }
                });
            }
        }
    }
    found.into_iter().collect()
}

fn names(functions: &Regex, text: &[&str], number: u32, note: &mut dyn FnMut(&str)) {
    let Some(index) = usize::try_from(number).ok().and_then(|number| number.checked_sub(1)) else {
        return;
    };
    let Some(line) = text.get(index) else { return };
    let depth = |line: &str| line.len() - line.trim_start().len();
    let function = |line: &str| {
        let name = functions
            .captures(line)?
            .iter()
            .skip(1)
            .flatten()
            .next()?
            .as_str()
            .to_owned();
        (!KEYWORDS.contains(&name.as_str())).then_some(name)
    };
    if let Some(found) = VARIABLE
        .as_ref()
        .and_then(|pattern| pattern.captures(line))
        .and_then(|found| found.get(1))
    {
        note(found.as_str());
    }
    let own = function(line);
    let around = || {
        let above = text.get(..index).unwrap_or_default().iter().rev().take(MAX_LINES);
        above
            .filter(|above| depth(above) < depth(line))
            .find_map(|above| function(above))
    };
    if let Some(name) = own.or_else(around) {
        note(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ending: &str, text: &str, line: u32) -> String {
        let (_, functions) = FUNCTIONS
            .iter()
            .find(|(endings, _)| endings.split(' ').any(|known| known == ending))
            .unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let mut found = Vec::new();
        names(functions.as_ref().unwrap(), &lines, line, &mut |name| {
            found.push(name.to_owned())
        });
        found.join(" ")
    }

    #[test]
    fn the_function_around_and_the_variable_on_a_line_are_found() {
        for (ending, text, line, expected) in [
            ("py", "def f(a):\n    if a:\n        b = g(a)\n", 3, "b f"),
            ("py", "X = 1\n", 1, "X"),
            ("js", "const f = async (a) => {\n  const b = a;\n};\n", 2, "b f"),
            ("ts", "class A {\n  m(a: string) {\n    return a;\n  }\n}\n", 3, "m"),
            ("go", "func (s *S) F(a int) {\n\tb := a\n}\n", 2, "b F"),
            ("rs", "pub fn f() {\n    let b = 1;\n}\n", 2, "b f"),
            ("rb", "def f\n  b = 1\nend\n", 2, "b f"),
            (
                "java",
                "class A {\n  public int f(int a) {\n    return a;\n  }\n}\n",
                3,
                "f",
            ),
        ] {
            assert_eq!(of(ending, text, line), expected, "{text}");
        }
        assert!(VARIABLE.is_some() && FUNCTIONS.iter().all(|(_, pattern)| pattern.is_some()));
    }
}
