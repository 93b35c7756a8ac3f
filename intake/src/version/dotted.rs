//! CRAN (`package_version` of R) and Hackage (`Data.Version`): whole numbers, the longer of two alike is the greater.

use std::cmp::Ordering;

use super::number::Number;

/// Order of two versions.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.cmp(&parse(b)?))
}

fn parse(text: &str) -> Option<Vec<Number<'_>>> {
    text.split(['.', '-']).map(Number::parse).collect()
}
