//! Numbers, a pre-release and a build: Semantic Versioning 2.0.0 and its relatives NuGet and Pub.
//!
//! Read leniently, as advisories write them: a leading `v`, absent last numbers (zero), leading zeros, a pre-release
//! without its hyphen (npm's "loose" form).

use std::cmp::Ordering;

use super::number::Number;

/// What an ecosystem does differently.
pub struct Rules {
    /// How many numbers count.
    numbers: usize,
    /// Whether further numbers, and all after them, are part of the build; else they make it no version.
    more_is_build: bool,
    ignore_case: bool,
    /// Whether builds are ordered, an absent one first.
    build_counts: bool,
}

/// Semantic Versioning: npm, crates.io, Go, Hex, Swift.
pub const SEMVER: Rules = Rules {
    numbers: 3,
    more_is_build: true,
    ignore_case: false,
    build_counts: false,
};

/// NuGet's `NuGetVersion`: a fourth number, and words in any case.
pub const NUGET: Rules = Rules {
    numbers: 4,
    more_is_build: false,
    ignore_case: true,
    build_counts: false,
};

/// Dart's `pub_semver`, in which the build is ordered.
pub const PUB: Rules = Rules {
    numbers: 3,
    more_is_build: true,
    ignore_case: false,
    build_counts: true,
};

/// A version; its fields in the order in which they count.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Version<'a> {
    numbers: Vec<Number<'a>>,
    /// `false` sorts before `true`: a pre-release comes before its release.
    is_release: bool,
    pre_release: Vec<Identifier<'a>>,
    build: Vec<Identifier<'a>>,
}

/// Numbers come before words (SemVer 2.0.0, item 11).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(Number<'a>),
    Word(&'a str),
}

/// Order of two versions.
pub fn compare(rules: &Rules, a: &str, b: &str) -> Option<Ordering> {
    if rules.ignore_case {
        let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
        return Some(parse(rules, &a)?.cmp(&parse(rules, &b)?));
    }
    Some(parse(rules, a)?.cmp(&parse(rules, b)?))
}

fn parse<'a>(rules: &Rules, text: &'a str) -> Option<Version<'a>> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (text, build) = text.split_once('+').map_or((text, None), |(text, b)| (text, Some(b)));
    let (numbers, rest) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len()),
    );
    let mut numbers: Vec<Number<'_>> = numbers.split('.').map(Number::parse).collect::<Option<_>>()?;
    let has_more = numbers.len() > rules.numbers;
    if has_more && !rules.more_is_build {
        return None;
    }
    numbers.resize(rules.numbers, Number::ZERO);
    let pre_release = if has_more || rest.is_empty() {
        Vec::new()
    } else {
        identifiers(rest.strip_prefix('-').unwrap_or(rest))?
    };
    Some(Version {
        numbers,
        is_release: pre_release.is_empty(),
        pre_release,
        build: match build.filter(|_| rules.build_counts) {
            Some(build) => identifiers(build)?,
            None => Vec::new(),
        },
    })
}

fn identifiers(text: &str) -> Option<Vec<Identifier<'_>>> {
    text.split('.')
        .map(|part| {
            let word = !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            match Number::parse(part) {
                Some(number) => Some(Identifier::Number(number)),
                None => word.then_some(Identifier::Word(part)),
            }
        })
        .collect()
}
