//! What orders findings: EPSS, KEV, CVSS, versions.

use holdpoint_intake::priority::{CveId, rating, read_epss, read_kev};
use holdpoint_intake::version::{Ecosystem, compare, sorted_versions};
use std::cmp::Ordering;

use crate::oracle::{good, prints_alike, twice};

/// EPSS scores as CSV.
pub fn epss(data: &[u8]) {
    let id = CveId::parse("CVE-2021-44228");
    let score = twice(|| {
        let epss = good(read_epss("epss.csv", data))?;
        Some((epss.len(), id.and_then(|id| epss.score_bp(id))))
    });
    let score = score.and_then(|(_, score)| score);
    assert!(score.is_none_or(|score| score <= 10_000), "a chance above one");
}

/// CISA's catalogue of known exploited vulnerabilities.
pub fn kev(data: &[u8]) {
    prints_alike(|| good(read_kev("kev.json", data)).map(|kev| (kev.len(), kev.is_empty())));
}

/// A CVSS vector of any version a line.
pub fn cvss(data: &[u8]) {
    for line in String::from_utf8_lossy(data).lines().take(20) {
        let rating = prints_alike(|| rating(line));
        assert!(rating.is_none_or(|rating| rating.tenths <= 100), "a score above ten");
    }
}

/// The ecosystems with an order of their own.
const ECOSYSTEMS: [Ecosystem; 17] = [
    Ecosystem::PyPi,
    Ecosystem::Npm,
    Ecosystem::CratesIo,
    Ecosystem::Go,
    Ecosystem::Maven,
    Ecosystem::NuGet,
    Ecosystem::RubyGems,
    Ecosystem::Packagist,
    Ecosystem::Hex,
    Ecosystem::Pub,
    Ecosystem::Swift,
    Ecosystem::GitHubActions,
    Ecosystem::Cran,
    Ecosystem::Hackage,
    Ecosystem::Deb("debian"),
    Ecosystem::Apk("alpine"),
    Ecosystem::Rpm("redhat"),
];

/// Up to three versions, a line each: in every ecosystem they have one order.
pub fn versions(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let versions: Vec<&str> = text.lines().take(3).collect();
    for ecosystem in ECOSYSTEMS {
        let order: Vec<Vec<Option<Ordering>>> = versions
            .iter()
            .map(|a| versions.iter().map(|b| compare(ecosystem, a, b)).collect())
            .collect();
        let order = |a: usize, b: usize| order.get(a)?.get(b).copied()?;
        let named = |index: usize| versions.get(index).copied().unwrap_or_default();
        let places = 0..versions.len();
        for (a, b) in places.clone().flat_map(|a| places.clone().map(move |b| (a, b))) {
            assert!(
                order(a, b) == order(b, a).map(Ordering::reverse)
                    && (a != b || order(a, a).is_none_or(Ordering::is_eq)),
                "{ecosystem:?}: {:?} and {:?} have two orders",
                named(a),
                named(b)
            );
            for c in places.clone() {
                let (Some(ab), Some(bc), Some(ac)) = (order(a, b), order(b, c), order(a, c)) else {
                    continue;
                };
                let follows = match (ab, bc) {
                    (Ordering::Equal, other) | (other, Ordering::Equal) => ac == other,
                    (one, other) => one != other || ac == one,
                };
                assert!(
                    follows,
                    "{ecosystem:?}: {:?}, {:?}, {:?} go round in a circle",
                    named(a),
                    named(b),
                    named(c)
                );
            }
        }
        let list = || versions.iter().map(|version| (*version).to_owned()).collect::<Vec<_>>();
        let sorted = twice(|| sorted_versions(ecosystem, list()));
        assert!(sorted.len() <= versions.len(), "versions out of nothing");
    }
}
