//! Tokens into statements, without what a formatter adds or takes away.

use std::ops::Range;

use super::Lang;
use super::lex::{Kind, Token, lex};

/// Longest statement, in tokens: longer ones are tables of data, of which each line stands for itself.
const MAX_STATEMENT: usize = 400;
/// Largest file that is taken apart, in bytes: a larger one was written by a machine.
const MAX_BYTES: usize = 2 << 20;
/// Deepest nesting of brackets that is looked through for the one that a closing one belongs to.
const MAX_LOOK: usize = 64;
/// Longest block that is compared as a whole, in tokens.
const MAX_BLOCK: usize = 20_000;
/// What opens a compound statement in Python.
const COMPOUND: [&str; 13] = [
    "if", "elif", "else", "for", "while", "with", "try", "except", "finally", "def", "class", "async", "match",
];
/// Words before `(…) {` that aren't the name of a function.
const CONTROL: [&str; 14] = [
    "if",
    "for",
    "while",
    "switch",
    "catch",
    "synchronized",
    "try",
    "using",
    "lock",
    "function",
    "return",
    "foreach",
    "func",
    "fn",
];

/// A token of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// The token.
    pub(crate) token: Token<'a>,
    /// Its statement's number.
    statement: usize,
    /// Whether it is the name that its statement declares.
    pub(crate) declared: bool,
}

impl Part<'_> {
    /// Whether it stands for the same: the same text, or both are names that are declared there.
    pub(crate) fn like(&self, other: &Self) -> bool {
        (self.declared && other.declared) || self.identical(other)
    }

    /// Whether it is the same text.
    pub(crate) fn identical(&self, other: &Self) -> bool {
        self.token.kind == other.token.kind && self.token.text == other.token.text
    }
}

/// A source file in statements.
#[derive(Debug)]
pub(crate) struct Code<'a> {
    /// Its tokens, without those that formatters add.
    pub(crate) parts: Vec<Part<'a>>,
    /// The parts of each statement.
    statements: Vec<Range<usize>>,
    indented: bool,
}

/// Where a line's code lies, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// What is on the line itself.
    pub(crate) line: Range<usize>,
    /// The statements that the line is part of.
    pub(crate) whole: Range<usize>,
}

impl<'a> Code<'a> {
    /// Takes a file apart; `None` if it is too large.
    pub(crate) fn of(text: &'a str, lang: Lang) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let tokens = lex(text, lang);
        let brackets = brackets(&tokens, lang);
        let numbers = number(&tokens, &brackets, lang);
        let kept = kept(&tokens, &brackets, &numbers, lang);
        let mut parts: Vec<Part<'a>> = Vec::with_capacity(tokens.len());
        let declared = declared(&tokens, &brackets, &numbers, lang);
        for (index, token) in tokens.iter().enumerate() {
            if kept.get(index) == Some(&true) {
                parts.push(Part {
                    token: *token,
                    statement: numbers.get(index).copied().unwrap_or_default(),
                    declared: declared.get(index) == Some(&true),
                });
            }
        }
        let mut statements: Vec<Range<usize>> = Vec::new();
        let mut last = None;
        for (index, part) in parts.iter_mut().enumerate() {
            match statements.last_mut() {
                Some(range) if last == Some(part.statement) => range.end = index + 1,
                _ => statements.push(index..index + 1),
            }
            last = Some(part.statement);
            part.statement = statements.len() - 1;
        }
        Some(Self {
            parts,
            statements,
            indented: lang.indented,
        })
    }

    /// Where a line's code lies (1-based); `None` if there is no code on it.
    pub(crate) fn span(&self, line: u32) -> Option<Span> {
        let from = self.parts.partition_point(|part| part.token.end_line < line);
        let to = self.parts.partition_point(|part| part.token.line <= line);
        if from >= to {
            return None;
        }
        let statement = |index: usize| self.statements.get(self.parts.get(index)?.statement).cloned();
        Some(Span {
            line: from..to,
            whole: statement(from)?.start..statement(to - 1)?.end,
        })
    }

    /// The end of the block that the statement before this part opens, or of that statement where it opens none.
    pub(crate) fn block_end(&self, whole: &Range<usize>) -> usize {
        if self.indented {
            let column = |range: &Range<usize>| self.parts.get(range.start).map(|part| part.token.column);
            let Some(number) = self.parts.get(whole.end.saturating_sub(1)).map(|part| part.statement) else {
                return whole.end;
            };
            let own = self.statements.get(number).and_then(column);
            let inner = self
                .statements
                .iter()
                .skip(number + 1)
                .take_while(|range| column(range) > own);
            return inner.last().map_or(whole.end, |range| range.end);
        }
        if !whole
            .end
            .checked_sub(1)
            .and_then(|last| self.parts.get(last))
            .is_some_and(|part| part.token.is("{"))
        {
            return whole.end;
        }
        let mut depth = 1_usize;
        for (index, part) in self.parts.iter().enumerate().skip(whole.end).take(MAX_BLOCK) {
            if part.token.is("{") {
                depth += 1;
            } else if part.token.is("}") {
                depth -= 1;
                if depth == 0 {
                    return index + 1;
                }
            }
        }
        self.parts.len()
    }

    /// Each statement, as its parts.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &[Part<'a>]> {
        self.statements.iter().filter_map(|range| self.parts.get(range.clone()))
    }
}

/// What a bracket is, and where its counterpart.
#[derive(Debug, Clone, Copy, Default)]
struct Bracket {
    /// Index of the other one.
    other: Option<usize>,
    /// Whether it opens or closes a block of statements.
    block: bool,
    /// Innermost bracket around the token.
    around: Option<usize>,
}

fn brackets(tokens: &[Token<'_>], lang: Lang) -> Vec<Bracket> {
    let mut all = vec![Bracket::default(); tokens.len()];
    let mut open: Vec<usize> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let is_mark = token.kind == Kind::Mark;
        if is_mark && matches!(token.text, ")" | "]" | "}") {
            let pair = match token.text {
                ")" => "(",
                "]" => "[",
                _ => "{",
            };
            // What doesn't fit belongs to text that we misread: the nearest that fits is closed.
            let fits = (0..open.len()).rev().take(MAX_LOOK).find(|depth| {
                open.get(*depth)
                    .and_then(|at| tokens.get(*at))
                    .is_some_and(|token| token.text == pair)
            });
            if let Some(at) = fits.and_then(|depth| open.drain(depth..).next()) {
                let block = all.get(at).is_some_and(|bracket| bracket.block);
                set(&mut all, at, |bracket| bracket.other = Some(index));
                set(&mut all, index, |bracket| {
                    bracket.other = Some(at);
                    bracket.block = block;
                });
            }
            set(&mut all, index, |bracket| bracket.around = open.last().copied());
            continue;
        }
        set(&mut all, index, |bracket| bracket.around = open.last().copied());
        if is_mark && matches!(token.text, "(" | "[" | "{") {
            if token.text == "{" && lang.blocks && !is_literal(tokens, index) {
                set(&mut all, index, |bracket| bracket.block = true);
            }
            open.push(index);
        }
    }
    all
}

fn set(all: &mut [Bracket], index: usize, change: impl FnOnce(&mut Bracket)) {
    if let Some(bracket) = all.get_mut(index) {
        change(bracket);
    }
}

/// Whether the `{` at this place starts a value instead of a block.
fn is_literal(tokens: &[Token<'_>], index: usize) -> bool {
    let Some(before) = index.checked_sub(1).and_then(|at| tokens.get(at)) else {
        return false;
    };
    match before.kind {
        Kind::Mark => matches!(before.text, "(" | "," | "=" | ":" | "[" | "?" | "&" | "|"),
        Kind::Word => matches!(before.text, "return" | "in" | "of" | "yield" | "await"),
        Kind::Text => false,
    }
}

/// The number of each token's statement.
fn number(tokens: &[Token<'_>], brackets: &[Bracket], lang: Lang) -> Vec<usize> {
    let mut numbers = Vec::with_capacity(tokens.len());
    let (mut current, mut start) = (0, 0);
    for (index, token) in tokens.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|at| Some((tokens.get(at)?, brackets.get(at)?)));
        if let (Some((before, bracket)), Some(own)) = (before, brackets.get(index)) {
            let closes = own.other.is_some_and(|other| other < index) && !own.block;
            let inside = closes
                || own
                    .around
                    .and_then(|at| brackets.get(at))
                    .is_some_and(|around| !around.block);
            let new_line = token.line > before.end_line;
            let block_edge = (bracket.block && matches!(before.text, "{" | "}")) || (own.block && token.is("}"));
            let too_long = index - start >= MAX_STATEMENT && new_line;
            let ends = if inside && lang.brackets_join {
                block_edge
            } else {
                block_edge
                    || before.is(";")
                    || (before.is(":") && lang.indented && tokens.get(start).is_some_and(is_compound))
                    || (new_line && lang.newline_ends && !token.joined && !goes_on(before, token, lang))
            };
            if ends || too_long {
                current += 1;
                start = index;
            }
        }
        numbers.push(current);
    }
    numbers
}

fn is_compound(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && COMPOUND.contains(&token.text)
}

/// Whether the statement goes on over the line's end because of an operator there.
fn goes_on(before: &Token<'_>, next: &Token<'_>, lang: Lang) -> bool {
    let operator = |token: &Token<'_>, marks: &str| token.kind == Kind::Mark && marks.contains(token.text);
    lang.operators_join && (operator(next, ".?:*/%&|^=<>+,") || operator(before, ",=&|?+*<.") || before.is("-"))
}

/// Which tokens a formatter neither adds nor takes away.
fn kept(tokens: &[Token<'_>], brackets: &[Bracket], numbers: &[usize], lang: Lang) -> Vec<bool> {
    let mut kept = vec![true; tokens.len()];
    let mut drop = |index: usize| {
        if let Some(keep) = kept.get_mut(index) {
            *keep = false;
        }
    };
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        if token.is(",")
            && lang.brackets_join
            && next.is_some_and(|next| matches!(next.text, ")" | "]" | "}") && next.kind == Kind::Mark)
        {
            let opener = brackets.get(index + 1).and_then(|bracket| bracket.other);
            if opener.is_some_and(|at| !is_tuple(tokens, at)) {
                drop(index);
            }
        } else if token.is(";") && lang.newline_ends && lang.brackets_join {
            let inside = brackets
                .get(index)
                .and_then(|own| own.around)
                .and_then(|at| tokens.get(at));
            if !inside.is_some_and(|around| around.is("(")) {
                drop(index);
            }
        } else if token.is("(")
            && let Some(close) = superfluous(index, tokens, brackets, numbers, lang)
        {
            drop(index);
            drop(close);
        }
    }
    kept
}

/// Whether a `(` starts a tuple, in which the last comma means something: it follows no name and no call.
fn is_tuple(tokens: &[Token<'_>], open: usize) -> bool {
    let before = open.checked_sub(1).and_then(|at| tokens.get(at));
    tokens.get(open).is_some_and(|token| token.is("("))
        && !before.is_some_and(|before| match before.kind {
            Kind::Word => !matches!(
                before.text,
                "return" | "in" | "yield" | "assert" | "and" | "or" | "not" | "is"
            ),
            Kind::Mark => matches!(before.text, ")" | "]"),
            Kind::Text => false,
        })
}

/// The closing one of parentheses that only hold a wrapped value together, as Python's formatters write them.
fn superfluous(
    open: usize,
    tokens: &[Token<'_>],
    brackets: &[Bracket],
    numbers: &[usize],
    lang: Lang,
) -> Option<usize> {
    let own = brackets.get(open)?;
    let close = own.other?;
    let before = tokens.get(open.checked_sub(1)?)?;
    let after_value =
        before.is("=") || matches!(before.text, "return" | "assert" | "yield") && before.kind == Kind::Word;
    let ends = numbers
        .get(close + 1)
        .is_none_or(|next| Some(next) != numbers.get(close));
    if !lang.indented || own.around.is_some() || !after_value || !ends || close == open + 1 {
        return None;
    }
    let plain = |index: usize| {
        let token = tokens.get(index);
        let direct = brackets.get(index).is_some_and(|bracket| bracket.around == Some(open));
        !(direct && token.is_some_and(|token| token.is(",") || token.is_word("for") || token.is_word("yield")))
    };
    (open + 1..close).all(plain).then_some(close)
}

/// Which tokens are names that their statement declares.
fn declared(tokens: &[Token<'_>], brackets: &[Bracket], numbers: &[usize], lang: Lang) -> Vec<bool> {
    let mut declared = vec![false; tokens.len()];
    let mut mark = |index: Option<usize>| {
        if let Some(name) = index.and_then(|index| declared.get_mut(index)) {
            *name = true;
        }
    };
    for (index, token) in tokens.iter().enumerate() {
        let name_next = tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Word);
        let keyword = matches!(token.text, "def" | "class") && lang.indented
            || matches!(token.text, "function" | "fn" | "func" | "fun" | "class") && lang.blocks;
        if token.kind == Kind::Word && keyword && name_next {
            mark(Some(index + 1));
        }
        // `name(…) {`, with a return type or what it throws between: methods.
        let block = token.is("{") && brackets.get(index).is_some_and(|bracket| bracket.block);
        if block && let Some(name) = method(index, tokens, brackets, numbers) {
            mark(Some(name));
        }
    }
    declared
}

fn method(block: usize, tokens: &[Token<'_>], brackets: &[Bracket], numbers: &[usize]) -> Option<usize> {
    let number = numbers.get(block)?;
    let close = (0..block)
        .rev()
        .take_while(|index| numbers.get(*index) == Some(number))
        .take(16)
        .find(|index| tokens.get(*index).is_some_and(|token| token.is(")")))?;
    let name = brackets.get(close)?.other?.checked_sub(1)?;
    let token = tokens.get(name)?;
    let called = name
        .checked_sub(1)
        .and_then(|at| tokens.get(at))
        .is_some_and(|before| before.is("."));
    (token.kind == Kind::Word && !CONTROL.contains(&token.text) && !called && numbers.get(name) == Some(number))
        .then_some(name)
}
