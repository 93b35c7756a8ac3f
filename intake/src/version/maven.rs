//! Maven: the "Version Order Specification" of its POM reference, which `ComparableVersion` implements.

use std::cmp::Ordering;

use super::number::Number;

/// One token, in its order; [`Token::Nothing`] also stands for each token that a shorter version lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    /// `alpha` 0, `beta` 1, `milestone` 2, `rc` 3, `snapshot` 4.
    Before(u8),
    /// `final`, `ga`, `release`.
    Nothing,
    ServicePack,
    Word(&'a str),
    /// A number after a hyphen or a letter.
    HyphenNumber(Number<'a>),
    /// A number after a dot.
    DotNumber(Number<'a>),
}

impl Token<'_> {
    /// Whether it may be left out at the end.
    fn is_null(&self) -> bool {
        matches!(
            self,
            Self::Nothing | Self::HyphenNumber(Number::ZERO) | Self::DotNumber(Number::ZERO)
        )
    }

    /// Whether what stands before it is an end: a hyphen or a word follows, and a dot before a word counts as a hyphen.
    fn begins_section(&self) -> bool {
        !matches!(self, Self::DotNumber(_))
    }
}

/// Order of two versions.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (a, b) = (parse(&a)?, parse(&b)?);
    let nothing = Token::Nothing;
    (0..a.len().max(b.len()))
        .map(|i| a.get(i).unwrap_or(&nothing).cmp(b.get(i).unwrap_or(&nothing)))
        .find(|order| order.is_ne())
        .or(Some(Ordering::Equal))
}

/// `None` for what is a range or an unresolved property.
fn parse(text: &str) -> Option<Vec<Token<'_>>> {
    if text.contains(['[', ']', '(', ')', ',', '$', '{', '}']) {
        return None;
    }
    let mut tokens = Vec::new();
    let mut after_hyphen = false;
    for section in text.split_inclusive(['.', '-']) {
        let (body, separator) = match section.strip_suffix(['.', '-']) {
            Some(body) => (body, section.ends_with('-')),
            None => (section, false),
        };
        section_tokens(body, after_hyphen, &mut tokens);
        after_hyphen = separator;
    }
    // From the end: what is null before an end goes; the first token stays.
    for index in (1..tokens.len()).rev() {
        let at_end = tokens.get(index + 1).is_none_or(Token::begins_section);
        if at_end && tokens.get(index).is_some_and(Token::is_null) {
            tokens.remove(index);
        }
    }
    Some(tokens)
}

/// Tokens of what stands between separators: a change between digits and letters separates like a hyphen.
fn section_tokens<'a>(body: &'a str, after_hyphen: bool, tokens: &mut Vec<Token<'a>>) {
    let mut hyphen = after_hyphen;
    let mut rest = body;
    if rest.is_empty() {
        tokens.push(number(Number::ZERO, hyphen));
    }
    while !rest.is_empty() {
        let (digits, after) = Number::split(rest);
        if let Some(value) = Number::parse(digits) {
            tokens.push(number(value, hyphen));
            rest = after;
        } else {
            let (word, after) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
            tokens.push(qualifier(word, !after.is_empty()));
            rest = after;
        }
        hyphen = true;
    }
}

const fn number(value: Number<'_>, after_hyphen: bool) -> Token<'_> {
    if after_hyphen {
        Token::HyphenNumber(value)
    } else {
        Token::DotNumber(value)
    }
}

/// `a`, `b` and `m` are short forms only right before a digit.
fn qualifier(word: &str, before_digit: bool) -> Token<'_> {
    match word {
        "alpha" => Token::Before(0),
        "beta" => Token::Before(1),
        "milestone" => Token::Before(2),
        "a" if before_digit => Token::Before(0),
        "b" if before_digit => Token::Before(1),
        "m" if before_digit => Token::Before(2),
        "rc" | "cr" => Token::Before(3),
        "snapshot" => Token::Before(4),
        "final" | "ga" | "release" => Token::Nothing,
        "sp" => Token::ServicePack,
        other => Token::Word(other),
    }
}
