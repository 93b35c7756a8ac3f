//! Ecosystems: names, package URLs and the order of versions.

use std::cmp::Ordering;
use std::str::FromStr;

/// An ecosystem whose lockfiles are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Python packages.
    PyPi,
    /// JavaScript packages.
    Npm,
    /// Rust crates.
    CratesIo,
}

impl Ecosystem {
    /// From OSV's spelling; an ecosystem may have a suffix after `:`.
    pub fn from_osv(name: &str) -> Option<Self> {
        match name.split(':').next()? {
            "PyPI" => Some(Self::PyPi),
            "npm" => Some(Self::Npm),
            "crates.io" => Some(Self::CratesIo),
            _ => None,
        }
    }

    /// The name by which packages are compared: PEP 503 for Python, as it is elsewhere.
    pub fn normal_name(self, name: &str) -> String {
        match self {
            Self::PyPi => {
                let lower = name.to_ascii_lowercase();
                lower
                    .split(['-', '_', '.'])
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("-")
            }
            Self::Npm | Self::CratesIo => name.to_owned(),
        }
    }

    /// Package URL (purl-spec). The `@` of an npm scope is percent-encoded.
    pub fn purl(self, name: &str, version: Option<&str>) -> String {
        let kind = match self {
            Self::PyPi => "pypi",
            Self::Npm => "npm",
            Self::CratesIo => "cargo",
        };
        let name = self.normal_name(name).replace('@', "%40");
        match version {
            Some(version) => format!("pkg:{kind}/{name}@{}", version.replace('+', "%2B")),
            None => format!("pkg:{kind}/{name}"),
        }
    }
}

/// Order of two versions; `None` when one of them isn't a version.
pub fn compare(ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
    match ecosystem {
        Ecosystem::PyPi => {
            let parse = |text: &str| pep440_rs::Version::from_str(text).ok();
            Some(parse(a)?.cmp(&parse(b)?))
        }
        Ecosystem::Npm | Ecosystem::CratesIo => Some(semver(a)?.cmp_precedence(&semver(b)?)),
    }
}

/// OSV writes SemVer without a leading `v`, and sometimes without the last numbers.
fn semver(text: &str) -> Option<semver::Version> {
    let text = text.trim().trim_start_matches('v');
    let full = |suffix: &str| semver::Version::parse(&format!("{text}{suffix}")).ok();
    full("").or_else(|| full(".0")).or_else(|| full(".0.0"))
}

/// Lowest first, without doubles; what can't be compared comes last, in its order.
pub fn sorted_versions(ecosystem: Ecosystem, versions: Vec<String>) -> Vec<String> {
    let is_version = |version: &String| compare(ecosystem, version, version).is_some();
    let (mut good, rest): (Vec<String>, Vec<String>) = versions.into_iter().partition(is_version);
    good.sort_by(|a, b| compare(ecosystem, a, b).unwrap_or(Ordering::Equal));
    good.dedup();
    good.extend(rest);
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_their_ecosystem_says() {
        assert_eq!(compare(Ecosystem::PyPi, "1.0rc1", "1.0"), Some(Ordering::Less));
        assert_eq!(compare(Ecosystem::PyPi, "1.0.post1", "1.0"), Some(Ordering::Greater));
        assert_eq!(compare(Ecosystem::Npm, "1.0.0-rc.1", "1.0.0"), Some(Ordering::Less));
        assert_eq!(compare(Ecosystem::Npm, "1.10.0", "1.9"), Some(Ordering::Greater));
        assert_eq!(
            compare(Ecosystem::CratesIo, "1.0.0+a", "1.0.0+b"),
            Some(Ordering::Equal)
        );
        assert_eq!(compare(Ecosystem::CratesIo, "latest", "1.0.0"), None);
    }

    #[test]
    fn purls_are_normalised() {
        assert_eq!(
            Ecosystem::PyPi.purl("Flask_Login", Some("0.6")),
            "pkg:pypi/flask-login@0.6"
        );
        assert_eq!(
            Ecosystem::Npm.purl("@babel/core", Some("7.0.0")),
            "pkg:npm/%40babel/core@7.0.0"
        );
    }

    #[test]
    fn versions_are_sorted_and_doubles_go() {
        let versions = ["2.0", "x", "1.10", "1.9", "2.0"].map(str::to_owned).to_vec();
        assert_eq!(sorted_versions(Ecosystem::PyPi, versions), ["1.9", "1.10", "2.0", "x"]);
    }
}
