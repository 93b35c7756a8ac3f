//! RubyGems: `Gem::Version`.

use std::cmp::Ordering;

use super::number::Number;

/// One segment; words come before numbers, which makes them pre-releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Word(&'a str),
    Number(Number<'a>),
}

/// Order of two versions.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (segments(a)?, segments(b)?);
    let absent = Segment::Number(Number::ZERO);
    (0..a.len().max(b.len()))
        .map(|i| a.get(i).unwrap_or(&absent).cmp(b.get(i).unwrap_or(&absent)))
        .find(|order| order.is_ne())
        .or(Some(Ordering::Equal))
}

fn segments(text: &str) -> Option<Vec<Segment<'_>>> {
    let mut segments = Vec::new();
    for (index, part) in text.split('-').enumerate() {
        if index > 0 {
            segments.push(Segment::Word("pre"));
        }
        for section in part.split('.') {
            if section.is_empty() || !section.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return None;
            }
            let mut rest = section;
            while !rest.is_empty() {
                let (digits, after) = Number::split(rest);
                if let Some(number) = Number::parse(digits) {
                    segments.push(Segment::Number(number));
                    rest = after;
                } else {
                    let (word, after) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
                    segments.push(Segment::Word(word));
                    rest = after;
                }
            }
        }
    }
    if !matches!(segments.first(), Some(Segment::Number(_))) {
        return None;
    }
    // Zeros at the end of the numbers, and at the end of the whole, don't count.
    let zero = Segment::Number(Number::ZERO);
    let first_word = segments.iter().position(|s| matches!(s, Segment::Word(_)));
    let tail = segments.split_off(first_word.unwrap_or(segments.len()));
    while segments.last() == Some(&zero) {
        segments.pop();
    }
    segments.extend(tail);
    Some(segments)
}
