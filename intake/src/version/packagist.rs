//! Packagist: PHP's `version_compare`, which Composer uses.

use std::cmp::Ordering;

use super::number::Number;

/// What counts between the pre-releases and the patches: numbers, and the end of a version.
const NUMBER_RANK: i8 = 4;

enum Part<'a> {
    Number(Number<'a>),
    /// A word, by its rank.
    Word(i8),
    /// `#`, which stands for any number.
    AnyNumber,
}

/// Order of two versions.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (a, b) = (parts(&a)?, parts(&b)?);
    (0..a.len().max(b.len()))
        .map(|i| part_order(a.get(i), b.get(i)))
        .find(|order| order.is_ne())
        .or(Some(Ordering::Equal))
}

fn part_order(a: Option<&Part<'_>>, b: Option<&Part<'_>>) -> Ordering {
    match (a, b) {
        (Some(Part::Number(a)), Some(Part::Number(b))) => a.cmp(b),
        (None, Some(Part::Number(_))) => Ordering::Less,
        (Some(Part::Number(_)), None) => Ordering::Greater,
        _ => rank(a).cmp(&rank(b)),
    }
}

const fn rank(part: Option<&Part<'_>>) -> i8 {
    match part {
        Some(Part::Word(rank)) => *rank,
        Some(Part::Number(_) | Part::AnyNumber) | None => NUMBER_RANK,
    }
}

/// PHP looks only at how a word begins, in this order; an unknown word comes before all.
const WORDS: &[(&str, i8)] = &[
    ("dev", 0),
    ("alpha", 1),
    ("a", 1),
    ("beta", 2),
    ("b", 2),
    ("rc", 3),
    ("pl", 5),
    ("p", 5),
];

fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let class = |c: u8| match c {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'#' => Some(2),
        b'.' | b'-' | b'_' | b'+' | b'~' | b'/' => Some(3),
        _ => None,
    };
    let mut parts = Vec::new();
    for run in text.as_bytes().chunk_by(|a, b| class(*a) == class(*b)) {
        let run = std::str::from_utf8(run).ok()?;
        match class(*run.as_bytes().first()?)? {
            0 => parts.push(Part::Number(Number::parse(run)?)),
            1 => {
                let known = WORDS.iter().find(|(word, _)| run.starts_with(word));
                parts.push(Part::Word(known.map_or(-1, |(_, rank)| *rank)));
            }
            2 => parts.push(Part::AnyNumber),
            _ => {}
        }
    }
    (!parts.is_empty()).then_some(parts)
}
