//! Small wrong changes of lines that a fix changed: tests that are worth something notice one of them.
//! One mutator per kind; they work on tokens and not on syntax trees, so some mutants don't compile,
//! which a check in front of the tests tells.

use std::ops::RangeInclusive;

use super::SourceTree;
use super::language::{Language, Words, language};

/// A file with one wrong line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: u32,
    /// What was done, for people.
    pub what: &'static str,
    /// The file's whole text.
    pub text: String,
}

/// Makes another line of one; `None`: it has nothing to change.
type Mutator = fn(&str, Words) -> Option<String>;

/// Every mutator, those first that tests notice most often.
const MUTATORS: [(&str, Mutator); 7] = [
    ("a comparison turned round", compare),
    ("an operator exchanged", operate),
    ("a word or constant turned round", word),
    ("a number changed", number),
    ("another variable read", variable),
    ("a text changed", literal),
    ("the line deleted", delete),
];

/// At most so many mutants of these lines, spread over the lines: each line's first, then each line's second …
#[must_use]
pub fn mutants(tree: &SourceTree<'_>, path: &str, lines: &[RangeInclusive<u32>], most: usize) -> Vec<Mutant> {
    let (Some(text), Some(language)) = (tree.text(path), language(path)) else {
        return Vec::new();
    };
    let mut of_lines: Vec<_> = lines
        .iter()
        .flat_map(Clone::clone)
        .map(|line| of_line(text, path, language, line).into_iter())
        .collect();
    let mut all = Vec::new();
    while all.len() < most {
        let before = all.len();
        all.extend(of_lines.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            break;
        }
    }
    all.truncate(most);
    all
}

fn of_line(text: &str, path: &str, language: &Language, number: u32) -> Vec<Mutant> {
    let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
    let Some(line) = text.lines().nth(at).filter(|line| language.is_code(line)) else {
        return Vec::new();
    };
    MUTATORS
        .iter()
        .filter_map(|(what, mutate)| {
            let changed = mutate(line, language.words)?;
            Some(Mutant {
                path: path.to_owned(),
                line: number,
                what,
                text: with_line(text, at, &changed),
            })
        })
        .collect()
}

fn with_line(text: &str, at: usize, line: &str) -> String {
    text.lines()
        .enumerate()
        .flat_map(|(index, old)| [if index == at { line } else { old }, "\n"])
        .collect()
}

/// The first of these tokens, exchanged. Tokens stand between blanks, so that `->`, `<T>` and `&mut` don't count.
fn exchange(line: &str, pairs: &[(&str, &str)]) -> Option<String> {
    let code = code_part(line);
    pairs
        .iter()
        .filter_map(|(from, to)| code.find(&format!(" {from} ")).map(|at| (at, from, to)))
        .min_by_key(|(at, ..)| *at)
        .map(|(at, from, to)| {
            let (front, back) = line.split_at(at + 1);
            format!("{front}{to}{}", back.get(from.len()..).unwrap_or_default())
        })
}

fn compare(line: &str, _: Words) -> Option<String> {
    exchange(
        line,
        &[
            ("==", "!="),
            ("!=", "=="),
            ("===", "!=="),
            ("!==", "==="),
            ("<", ">="),
            (">=", "<"),
            (">", "<="),
            ("<=", ">"),
            ("not in", "in"),
            ("in", "not in"),
            ("is not", "is"),
        ]
        .into_iter()
        .filter(|(from, _)| *from != "in" || line.trim_start().starts_with("if "))
        .collect::<Vec<_>>(),
    )
}

fn operate(line: &str, _: Words) -> Option<String> {
    exchange(
        line,
        &[
            ("+", "-"),
            ("-", "+"),
            ("*", "+"),
            ("/", "*"),
            ("%", "*"),
            ("&&", "||"),
            ("||", "&&"),
            ("and", "or"),
            ("or", "and"),
            ("+=", "-="),
            ("-=", "+="),
        ],
    )
}

fn word(line: &str, words: Words) -> Option<String> {
    let (pairs, not): (&[(&str, &str)], &str) = match words {
        Words::Python => (&[("True", "False"), ("False", "True")], "not "),
        Words::C => (&[("true", "false"), ("false", "true")], "!"),
    };
    let code = code_part(line);
    for (from, to) in pairs {
        if let Some(at) = find_word(code, from) {
            let (front, back) = line.split_at(at);
            return Some(format!("{front}{to}{}", back.get(from.len()..).unwrap_or_default()));
        }
    }
    // `if x` becomes `if not x`; a condition that is turned round already loses its `not`.
    let at = code.find("if ")? + 3;
    let opening = code.get(at..)?.chars().take_while(|c| *c == '(').count();
    let at = at + opening;
    let (front, back) = line.split_at_checked(at)?;
    if back.starts_with("let ") || find_word(code, "if").is_none() {
        return None;
    }
    Some(match (back.strip_prefix(not), words) {
        (Some(rest), _) => format!("{front}{rest}"),
        (None, Words::Python) => {
            let (condition, rest) = back.rsplit_once(':')?;
            format!("{front}not ({condition}):{rest}")
        }
        (None, Words::C) if opening > 0 => format!("{front}!{back}"),
        (None, Words::C) => {
            let (condition, rest) = back.rsplit_once(" {")?;
            format!("{front}!({condition}) {{{rest}")
        }
    })
}

fn number(line: &str, _: Words) -> Option<String> {
    let code = code_part(line);
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let (at, digits) = code
        .char_indices()
        .filter(|(_, c)| c.is_ascii_digit())
        .find_map(|(at, _)| {
            let front = code.get(..at)?.chars().next_back();
            let digits: String = code.get(at..)?.chars().take_while(char::is_ascii_digit).collect();
            let back = code.get(at + digits.len()..)?.chars().next();
            (!front.is_some_and(inside) && !back.is_some_and(inside) && digits.len() < 16).then_some((at, digits))
        })?;
    let more = digits.parse::<u64>().ok()? + 1;
    let (front, back) = line.split_at(at);
    Some(format!("{front}{more}{}", back.get(digits.len()..)?))
}

/// Where a program reads its environment; the variable's name follows.
const READS: [&str; 10] = [
    "process.env.",
    "environ[\"",
    "environ['",
    "environ.get(\"",
    "environ.get('",
    "getenv(\"",
    "getenv('",
    "env::var(\"",
    "ENV[\"",
    "ENV['",
];

fn variable(line: &str, _: Words) -> Option<String> {
    let at = READS
        .iter()
        .filter_map(|read| Some(line.find(read)? + read.len()))
        .min()?;
    let (front, back) = line.split_at_checked(at)?;
    back.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        .then(|| format!("{front}HOLDPOINT_NO_{back}"))
}

/// The first literal that isn't empty gets another beginning.
fn literal(line: &str, _: Words) -> Option<String> {
    // What begins in front of any literal is a comment.
    let at = code_part(line).len();
    let quote = line.get(at..)?.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = line.get(at + 1..)?;
    let end = inside.find(quote)?;
    (end > 0).then(|| {
        let (front, back) = line.split_at(at + 1);
        format!("{front}x{back}")
    })
}

/// Only a statement that others don't depend on for their syntax.
fn delete(line: &str, words: Words) -> Option<String> {
    let code = line.trim();
    let indent = line.get(..line.len() - line.trim_start().len())?;
    let whole = code.matches(['(', '[', '{']).count() == code.matches([')', ']', '}']).count();
    match words {
        Words::Python if whole && !code.ends_with([':', ',', '\\', '(']) => Some(format!("{indent}pass")),
        Words::C if whole && code.ends_with(';') && !code.starts_with("let ") && !code.starts_with("const ") => {
            Some(String::new())
        }
        _ => None,
    }
}

/// The part of a line in front of its first string or comment.
fn code_part(line: &str) -> &str {
    let end = line.find(['"', '\'', '`', '#']).unwrap_or(line.len());
    let end = line.find("//").map_or(end, |comment| comment.min(end));
    line.get(..end).unwrap_or_default()
}

fn find_word(code: &str, word: &str) -> Option<usize> {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).find(|at| {
        let front = code.get(..*at).and_then(|front| front.chars().next_back());
        let back = code.get(at + word.len()..).and_then(|back| back.chars().next());
        !front.is_some_and(letter) && !back.is_some_and(letter)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::fake::tree;

    fn changed(path: &str, line: &str) -> Vec<String> {
        let tar = tree(&[(path, line)]);
        let tree = SourceTree::read(&tar).unwrap();
        let found = mutants(&tree, path, &[1..=1], 9);
        found
            .into_iter()
            .map(|mutant| mutant.text.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn each_kind_of_line_has_its_mutants() {
        for (path, line, expected) in [
            ("a.py", "if a < b:", &["if a >= b:", "if not (a < b):"][..]),
            (
                "a.py",
                "    return a + 1",
                &["    return a - 1", "    return a + 2", "    pass"],
            ),
            (
                "a.py",
                "if not ok and x in y:",
                &["if not ok and x not in y:", "if not ok or x in y:", "if ok and x in y:"],
            ),
            ("a.py", "verify = True", &["verify = False", "pass"]),
            ("a.js", "if (a === b) {", &["if (a !== b) {", "if (!a === b) {"]),
            ("a.rs", "    if a && b {", &["    if a || b {", "    if !(a && b) {"]),
            ("a.rs", "    check(a)?;", &[""]),
            ("a.rs", "    let limit = 10;", &["    let limit = 11;"]),
            ("a.py", "x = \"a < b\"", &["x = \"xa < b\"", "pass"]),
            (
                "a.js",
                "const t = process.env.TOKEN;",
                &["const t = process.env.HOLDPOINT_NO_TOKEN;"],
            ),
            (
                "a.py",
                "t = os.environ[\"TOKEN\"]",
                &[
                    "t = os.environ[\"HOLDPOINT_NO_TOKEN\"]",
                    "t = os.environ[\"xTOKEN\"]",
                    "pass",
                ],
            ),
            ("a.js", "f(); // it's", &[]),
            ("a.py", "# if a < b", &[]),
        ] {
            assert_eq!(changed(path, line), expected, "{line}");
        }
    }

    #[test]
    fn they_are_bounded_and_spread_over_the_lines() {
        let text = "a = b < 1\n".repeat(100);
        let tar = tree(&[("a.py", &text)]);
        let tree = SourceTree::read(&tar).unwrap();
        let found = mutants(&tree, "a.py", &[3..=4, 90..=99], 5);
        assert_eq!(
            found.iter().map(|mutant| mutant.line).collect::<Vec<_>>(),
            [3, 4, 90, 91, 92]
        );
    }
}
