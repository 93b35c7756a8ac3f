//! Alpine and its relatives: apk-tools 3 (`version.c`), and for what it calls invalid an order that stays total: the part
//! that can't be read comes before its absence, and what it says doesn't count.

use std::cmp::Ordering;

use super::number::Number;

/// One token; its place in this list is its order, and [`Token::End`] or [`Token::Unreadable`] closes every version.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    /// `_alpha` 0, `_beta` 1, `_pre` 2, `_rc` 3.
    PreSuffix(usize),
    Unreadable,
    /// A dot that no number follows.
    Gap,
    End,
    Revision(Number<'a>),
    Commit(&'a str),
    SuffixNumber(Number<'a>),
    /// `_cvs` 0, `_svn` 1, `_git` 2, `_hg` 3, `_p` 4.
    PostSuffix(usize),
    Letter(u8),
    /// A number with a leading zero counts as text, as after a decimal point: 1.05 comes before 1.5.
    Fraction(&'a str),
    Number(Number<'a>),
}

const PRE_SUFFIXES: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST_SUFFIXES: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// Order of two versions.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(tokens(a)?.cmp(&tokens(b)?))
}

/// `None` for what doesn't begin like a version: a word of more than one letter, or a sign.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut start = text.bytes();
    match (start.next()?, start.next()) {
        (b'0'..=b'9' | b'.', _) => {}
        (b'a'..=b'z', second) if second.is_none_or(|b| !b.is_ascii_alphabetic()) => {}
        _ => return None,
    }
    let (first, mut rest) = Number::take(text);
    let mut tokens = vec![Token::Number(first)];
    loop {
        let (token, after) = next(tokens.last(), rest);
        let ends = matches!(token, Token::End | Token::Unreadable);
        tokens.push(token);
        if ends {
            return Some(tokens);
        }
        rest = after;
    }
}

/// The token at the start of the text, after the given one, and what follows it.
fn next<'a>(before: Option<&Token<'_>>, text: &'a str) -> (Token<'a>, &'a str) {
    let in_numbers = matches!(before, Some(Token::Number(_) | Token::Fraction(_) | Token::Gap));
    let in_letter = matches!(before, Some(Token::Letter(_)));
    let in_suffix = matches!(before, Some(Token::PreSuffix(_) | Token::PostSuffix(_)));
    let in_suffixes = in_suffix || matches!(before, Some(Token::SuffixNumber(_)));
    let unreadable = (Token::Unreadable, "");
    let Some(first) = text.bytes().next() else {
        return (Token::End, "");
    };
    let after_first = text.get(1..).unwrap_or_default();
    match first {
        b'.' if in_numbers => match Number::split(after_first) {
            ("", rest) => (Token::Gap, rest),
            (digits, rest) => (number(digits), rest),
        },
        b'a'..=b'z' if in_numbers => (Token::Letter(first), after_first),
        b'0'..=b'9' if in_suffix => {
            let (number, rest) = Number::take(text);
            (Token::SuffixNumber(number), rest)
        }
        b'0'..=b'9' if in_letter => {
            let (digits, rest) = Number::split(text);
            (number(digits), rest)
        }
        b'_' if in_numbers || in_letter || in_suffixes => suffix(after_first).unwrap_or(unreadable),
        b'~' if in_numbers || in_letter || in_suffixes => {
            let end = after_first
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(after_first.len());
            let (commit, rest) = after_first.split_at(end);
            (Token::Commit(commit), rest)
        }
        b'-' if !matches!(before, Some(Token::Revision(_))) => match text.strip_prefix("-r").map(Number::take) {
            Some((revision, rest)) if rest.is_empty() || rest.starts_with('-') => (Token::Revision(revision), rest),
            _ => unreadable,
        },
        _ => unreadable,
    }
}

fn number(digits: &str) -> Token<'_> {
    if digits.starts_with('0') {
        Token::Fraction(digits)
    } else {
        Token::Number(Number::take(digits).0)
    }
}

fn suffix(text: &str) -> Option<(Token<'_>, &str)> {
    let among = |names: &[&str]| {
        names
            .iter()
            .enumerate()
            .find_map(|(rank, name)| text.strip_prefix(name).map(|rest| (rank, rest)))
    };
    let pre = among(&PRE_SUFFIXES).map(|(rank, rest)| (Token::PreSuffix(rank), rest));
    pre.or_else(|| among(&POST_SUFFIXES).map(|(rank, rest)| (Token::PostSuffix(rank), rest)))
}
