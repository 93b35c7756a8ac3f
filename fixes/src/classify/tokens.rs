//! Tokens of source text, so that two layouts of one program can be told from two programs.
//!
//! Each language has a file here: how its literals start and end, and where white space counts.
//! Whatever is ambiguous without a full parser (a slash that may divide or open a pattern, a
//! template within a template) makes the file unreadable, and an unreadable file is logic.

mod go;
mod java;
mod javascript;
mod json;
mod python;
mod rust;
mod scan;

/// What a token is, as far as layout rules need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Name, keyword or number.
    Word,
    /// Text, character or pattern literal, as it is written.
    Text,
    /// Operator or bracket.
    Mark,
    /// White space that the language gives a meaning.
    Layout,
}

/// One token that the program is made of.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: Kind,
    pub text: String,
    /// 1-based line on which it starts.
    pub line: u32,
    /// Column on which it starts, in bytes from 0.
    pub column: usize,
}

/// A comment: no token, but it may speak to a tool.
#[derive(Debug, Clone)]
struct Comment {
    text: String,
    line: u32,
    /// Tokens before it.
    at: usize,
}

/// A file as tokens.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub tokens: Vec<Token>,
    comments: Vec<Comment>,
    /// Numbers of blank lines: a build constraint counts only before one.
    blank: Vec<u32>,
}

/// How a language is read.
struct Language {
    endings: &'static [&'static str],
    line_comments: &'static [&'static str],
    /// `/* … */`, and whether it nests.
    block_comments: Option<bool>,
    operators: &'static [&'static str],
    /// Length of the literal that the text starts with; `Err` when that can't be told.
    literal: fn(&str, Option<&Token>) -> Result<Option<usize>, Ambiguous>,
    /// Adds the tokens that white space makes, drops those that say nothing.
    layout: fn(Program, &str) -> Option<Program>,
}

/// Text that only a full parser can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ambiguous;

const LANGUAGES: [&Language; 6] = [
    &python::LANGUAGE,
    &javascript::LANGUAGE,
    &go::LANGUAGE,
    &rust::LANGUAGE,
    &java::LANGUAGE,
    &json::LANGUAGE,
];

fn language(path: &str) -> Option<&'static Language> {
    let (_, ending) = path.rsplit_once('.')?;
    LANGUAGES.into_iter().find(|known| known.endings.contains(&ending))
}

/// Whether a file is in a language whose tokens are known.
pub(super) fn knows(path: &str) -> bool {
    language(path).is_some()
}

/// The tokens of a file; `None` when its language isn't known or it can't be read for sure.
pub(super) fn read(path: &str, text: &str) -> Option<Program> {
    let language = language(path)?;
    (language.layout)(scan::scan(language, text)?, text)
}

/// Whether comments count when two programs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// All must stay as they are.
    All,
    /// Only those that speak to a tool must stay.
    Directives,
}

/// Whether two texts are one program; the error continues the sentence "`path` …".
pub(super) fn same(path: &str, before: &str, after: &str, comments: Comments) -> Result<(), String> {
    let unreadable = "can't be read as tokens for sure";
    let (before, after) = (
        read(path, before).ok_or(unreadable)?,
        read(path, after).ok_or(unreadable)?,
    );
    let texts = |program: &Program| -> Vec<(bool, String)> {
        let plain = |token: &Token| (token.kind == Kind::Layout, token.text.clone());
        program.tokens.iter().map(plain).collect()
    };
    if texts(&before) != texts(&after) {
        return Err("changes program logic".to_owned());
    }
    if before.directives() != after.directives() {
        return Err("changes or moves a comment that speaks to a tool".to_owned());
    }
    let plain = |program: &Program| -> Vec<(String, usize)> {
        let shown = |comment: &Comment| (comment.text.clone(), comment.at);
        program.comments.iter().map(shown).collect()
    };
    if comments == Comments::All && plain(&before) != plain(&after) {
        return Err("changes a comment".to_owned());
    }
    Ok(())
}

/// Beginnings and parts of comments that tools read, lower case.
const DIRECTIVES: [&str; 40] = [
    "#!",
    "noqa",
    "nosec",
    "nosem",
    "nolint",
    "nosonar",
    "type:",
    "pylint",
    "pragma",
    "fmt:",
    "isort:",
    "coding",
    "eslint",
    "@ts-",
    "istanbul",
    "prettier-ignore",
    "biome-ignore",
    "webpack",
    "sourcemappingurl",
    "global ",
    "jshint",
    "@flow",
    "go:",
    "+build",
    "#include",
    "export ",
    "noinspection",
    "checkstyle",
    "lgtm",
    "codeql",
    "__pure__",
    "__no_side_effects__",
    "@jsx",
    "<reference",
    "<amd-",
    "//line ",
    "/*line ",
    "vim:",
    // Examples in documentation that are run as tests.
    "```",
    ">>>",
];

/// A directive with the tokens that its place gives it: those of its own line and of the next.
/// Some count only on the first lines of a file.
type Directive = (String, [[usize; 2]; 3], bool, u32);

impl Program {
    fn directives(&self) -> Vec<Directive> {
        let speaks = |comment: &&Comment| {
            let text = comment.text.to_lowercase();
            // `// +kubebuilder:rbac`, and Rust's documentation, whose indented lines are tests.
            let marker = text.trim_start_matches(['/', '*', '#', ' ', '\t']).starts_with('+');
            let documents = text.starts_with("///") || text.starts_with("//!");
            marker
                || documents
                || DIRECTIVES.iter().any(|word| text.contains(word))
                || text.contains("coverage")
                || text.contains("ignore")
        };
        // Where the tokens of a line start and end: they stand in the order of their lines.
        let on = |line: u32| -> [usize; 2] {
            [line, line + 1].map(|line| self.tokens.partition_point(|token| token.line < line))
        };
        let place = |comment: &Comment| {
            let end = comment.line + u32::try_from(comment.text.matches('\n').count()).unwrap_or(0);
            let near = [[comment.at, comment.at], on(comment.line), on(end + 1)];
            (
                comment.text.clone(),
                near,
                self.blank.binary_search(&(end + 1)).is_ok(),
                comment.line.min(3),
            )
        };
        self.comments.iter().filter(speaks).map(place).collect()
    }

    /// Takes out the tokens at these places, lowest first, and moves the comments along.
    fn without(mut self, gone: &[usize]) -> Self {
        for comment in &mut self.comments {
            comment.at -= gone.partition_point(|at| *at < comment.at);
        }
        let mut at = 0;
        self.tokens.retain(|_| {
            at += 1;
            gone.binary_search(&(at - 1)).is_err()
        });
        self
    }

    /// Drops the last comma of a list that has another one: `(a, b,)` is `(a, b)`, but `(a,)`
    /// isn't `(a)`. `spare` says by the two tokens before an opening bracket that what is in it must
    /// stay as it is.
    fn without_last_commas(self, spare: fn(Option<&Token>, Option<&Token>) -> bool) -> Self {
        let mut gone = Vec::new();
        // Per open bracket: commas seen, and whether it is spared.
        let mut open: Vec<(usize, bool)> = Vec::new();
        for (at, token) in self
            .tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| token.kind == Kind::Mark)
        {
            let earlier = |by: usize| at.checked_sub(by).and_then(|at| self.tokens.get(at));
            match token.text.as_str() {
                "(" | "[" | "{" => {
                    let spared = open.last().is_some_and(|(_, spared)| *spared) || spare(earlier(2), earlier(1));
                    open.push((0, spared));
                }
                "," => {
                    if let Some((commas, _)) = open.last_mut() {
                        *commas += 1;
                    }
                }
                ")" | "]" | "}" => {
                    let is_comma = |by: usize| earlier(by).is_some_and(|token| token.text == ",");
                    let last = open.pop().is_some_and(|(commas, spared)| commas > 1 && !spared);
                    if last && is_comma(1) && !is_comma(2) {
                        gone.push(at - 1);
                    }
                }
                _ => {}
            }
        }
        self.without(&gone)
    }

    /// Writes simple quoted texts with one kind of quotes.
    fn with_one_quote(mut self) -> Self {
        for token in self.tokens.iter_mut().filter(|token| token.kind == Kind::Text) {
            let inner = token.text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            if let Some(inner) = inner.filter(|inner| !inner.contains(['\\', '"', '\'', '\n'])) {
                token.text = format!("\"{inner}\"");
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
