//! PyPI: PEP 440, and before all of its versions those from older days (`packaging.version.LegacyVersion`, which
//! setuptools documents under `parse_version`).

use pep440_rs::Version;
use std::cmp::Ordering;
use std::str::FromStr;

use super::number::Number;

/// Longest number that stays as it is: less than what 64 bits hold.
const MAX_DIGITS: usize = 18;

/// Order of two versions.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = shortened(a, b);
    match (Version::from_str(&a), Version::from_str(&b)) {
        (Ok(a), Ok(b)) => Some(a.cmp(&b)),
        (Ok(_), Err(_)) => legacy(&b).map(|_| Ordering::Greater),
        (Err(_), Ok(_)) => legacy(&a).map(|_| Ordering::Less),
        (Err(_), Err(_)) => Some(legacy(&a)?.cmp(&legacy(&b)?)),
    }
}

/// Both versions with their too long numbers replaced by shorter ones in the same order: the crate holds 64 bits.
fn shortened(a: &str, b: &str) -> (String, String) {
    let mut long: Vec<Number<'_>> = runs(a)
        .chain(runs(b))
        .filter(|run| is_long(run))
        .filter_map(Number::parse)
        .collect();
    long.sort_unstable();
    long.dedup();
    let shorten = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for run in runs(text) {
            match Number::parse(run)
                .filter(|_| is_long(run))
                .and_then(|n| long.binary_search(&n).ok())
            {
                Some(rank) => out.push_str(&(10_u64.pow(18) + rank as u64).to_string()),
                None => out.push_str(run),
            }
        }
        out
    };
    (shorten(a), shorten(b))
}

fn is_long(run: &str) -> bool {
    run.trim_start_matches('0').len() > MAX_DIGITS
}

/// The text cut between digits and others.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        // Digits are ASCII, so that every cut is between characters.
        .filter_map(|run| std::str::from_utf8(run).ok())
}

/// One part of a legacy version; words come before numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Word(String),
    /// The digits without leading zeros, by length and then by text: by value.
    Number(usize, String),
}

/// What the last part counts as, so that words before it in the alphabet are pre-releases.
const FINAL: &str = "final";
/// What a hyphen counts as.
const HYPHEN: &str = "final-";

/// `None` for what was no version even then: a lone word.
fn legacy(text: &str) -> Option<Vec<Part>> {
    if !text.contains(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-')) {
        return None;
    }
    let zero = Part::Number(0, String::new());
    let mut parts: Vec<Part> = Vec::new();
    let lower = text.to_ascii_lowercase();
    for piece in pieces(&lower).filter(|piece| *piece != ".").chain([FINAL]) {
        let word = match piece {
            "-" => HYPHEN,
            "pre" | "preview" | "rc" => "c",
            "dev" => "@",
            other => other,
        };
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = word.trim_start_matches('0');
            parts.push(Part::Number(digits.len(), digits.to_owned()));
            continue;
        }
        if word < FINAL {
            while parts.last() == Some(&Part::Word(HYPHEN.to_owned())) {
                parts.pop();
            }
        }
        while parts.last() == Some(&zero) {
            parts.pop();
        }
        parts.push(Part::Word(word.to_owned()));
    }
    Some(parts)
}

/// Digits, letters, each dot and hyphen by itself, and runs of anything else.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let class = |c: u8| match c {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'.' | b'-' => 2,
        _ => 3,
    };
    text.as_bytes()
        .chunk_by(move |a, b| class(*a) == class(*b) && class(*a) != 2)
        .filter_map(|run| std::str::from_utf8(run).ok())
}
