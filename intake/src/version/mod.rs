//! The order of versions, as each ecosystem defines it.
//!
//! Crates do it where one follows its ecosystem's tool to the letter (`pep440_rs`, `rpm-version`). The `semver` crate is
//! not among them: it refuses numbers beyond 64 bits and the spellings with two or four numbers that advisories hold.
//! Every order here is a total preorder over what it accepts; the tests check that.

mod alpine;
mod debian;
mod dotted;
mod ecosystem;
mod maven;
mod number;
mod packagist;
mod pypi;
mod rubygems;
mod triple;

use std::cmp::Ordering;

pub use ecosystem::Ecosystem;

/// Longest version in bytes: real ones stay below 100, and this bounds what one comparison costs.
const MAX_VERSION_BYTES: usize = 512;

/// Order of two versions by the rules of their ecosystem; `None` when one of them isn't a version there.
#[must_use]
pub fn compare(ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.trim(), b.trim());
    let good = |text: &str| !text.is_empty() && text.len() <= MAX_VERSION_BYTES && !text.contains(char::is_whitespace);
    if !good(a) || !good(b) {
        return None;
    }
    match ecosystem {
        Ecosystem::PyPi => pypi::compare(a, b),
        Ecosystem::Npm
        | Ecosystem::CratesIo
        | Ecosystem::Go
        | Ecosystem::Hex
        | Ecosystem::Swift
        | Ecosystem::GitHubActions => triple::compare(&triple::SEMVER, a, b),
        Ecosystem::Pub => triple::compare(&triple::PUB, a, b),
        Ecosystem::NuGet => triple::compare(&triple::NUGET, a, b),
        Ecosystem::Maven => maven::compare(a, b),
        Ecosystem::RubyGems => rubygems::compare(a, b),
        Ecosystem::Packagist => packagist::compare(a, b),
        Ecosystem::Cran | Ecosystem::Hackage => dotted::compare(a, b),
        Ecosystem::Deb(_) => debian::compare(a, b),
        Ecosystem::Apk(_) => alpine::compare(a, b),
        Ecosystem::Rpm(_) => {
            let is_version = |text: &str| text.contains(|c: char| c.is_ascii_alphanumeric());
            (is_version(a) && is_version(b)).then(|| rpm_version::rpm_evr_compare(a, b))
        }
    }
}

/// Lowest first, without doubles; what can't be compared comes last, in its order.
#[must_use]
pub fn sorted_versions(ecosystem: Ecosystem, versions: Vec<String>) -> Vec<String> {
    let is_version = |version: &String| compare(ecosystem, version, version).is_some();
    let (mut good, rest): (Vec<String>, Vec<String>) = versions.into_iter().partition(is_version);
    good.sort_by(|a, b| compare(ecosystem, a, b).unwrap_or(Ordering::Equal));
    good.dedup();
    good.extend(rest);
    good
}

#[cfg(test)]
mod tests;
