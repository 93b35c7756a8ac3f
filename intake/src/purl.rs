//! Package URLs (purl-spec) from the words that scanners use for ecosystems.

use holdpoint_schemas::finding::Component;

use crate::osv::Ecosystem;

/// What scanners call an ecosystem, a package manager or a kind of lockfile, in lower case, and its purl type.
const TYPES: &[(&str, &[&str])] = &[
    (
        "npm",
        &["npm", "yarn", "pnpm", "bun", "node-pkg", "javascript", "js", "node"],
    ),
    (
        "pypi",
        &[
            "pypi",
            "pip",
            "pipenv",
            "poetry",
            "uv",
            "python",
            "python-pkg",
            "setuptools",
            "conda-python",
        ],
    ),
    (
        "maven",
        &[
            "maven",
            "gradle",
            "sbt",
            "pom",
            "jar",
            "java",
            "java-archive",
            "mvn",
            "gradle-lockfile",
        ],
    ),
    (
        "golang",
        &[
            "go",
            "golang",
            "gomod",
            "gomodules",
            "golangdep",
            "govendor",
            "gobinary",
            "go-module",
        ],
    ),
    (
        "cargo",
        &["cargo", "crates.io", "rust", "rustbinary", "rust-binary", "rust-crate"],
    ),
    ("gem", &["rubygems", "gem", "bundler", "gemspec", "ruby"]),
    (
        "nuget",
        &["nuget", "dotnet-core", "dotnet", "packages-props", "paket", ".net"],
    ),
    (
        "composer",
        &["composer", "packagist", "php", "composer-vendor", "php-composer"],
    ),
    ("hex", &["hex", "erlang", "mix-lock", "elixir"]),
    ("pub", &["pub", "dart", "dart-pub"]),
    ("swift", &["swift", "swifturl", "swiftpm"]),
    ("cocoapods", &["cocoapods", "pod"]),
    ("conan", &["conan", "conancenter"]),
    ("conda", &["conda", "conda-pkg", "conda-environment"]),
    (
        "githubactions",
        &["githubactions", "github actions", "actions", "github-action"],
    ),
    ("hackage", &["hackage", "haskell"]),
    ("cran", &["cran", "r"]),
];

/// Families of operating systems and the purl type of their packages.
const SYSTEMS: &[(&str, &[&str])] = &[
    ("deb", &["debian", "ubuntu"]),
    ("apk", &["alpine", "wolfi", "chainguard"]),
    (
        "rpm",
        &[
            "redhat",
            "rhel",
            "centos",
            "fedora",
            "amazon",
            "amzn",
            "oracle",
            "rocky",
            "alma",
            "almalinux",
            "opensuse",
            "suse",
            "sles",
            "photon",
            "azurelinux",
            "mariner",
        ],
    ),
];

/// The purl type of an ecosystem by any of its names. OSV puts a release after `:`, which is left out.
pub fn kind(ecosystem: &str) -> Option<&'static str> {
    let word = ecosystem.trim().to_ascii_lowercase();
    let word = word.split(':').next().unwrap_or_default();
    let found = TYPES.iter().find(|(_, names)| names.contains(&word));
    found.map(|(kind, _)| *kind)
}

/// The purl of a package of an ecosystem by any of its names; `None` when the ecosystem isn't known.
pub fn package(ecosystem: &str, name: &str, version: Option<&str>) -> Option<String> {
    let kind = kind(ecosystem)?;
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let path = match kind {
        "pypi" => Ecosystem::PyPi.normal_name(name),
        // Maven names are `group:artifact`.
        "maven" => name.replacen(':', "/", 1),
        // purl-spec: the names of these types are in lower case.
        "golang" | "composer" | "hex" | "githubactions" => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    };
    Some(write(kind, &path, version))
}

/// The purl of a package of an operating system such as `debian:10` or `alpine 3.10`.
pub fn of_system(system: &str, name: &str, version: Option<&str>) -> Option<String> {
    let word = system.trim().to_ascii_lowercase();
    let family = word
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .filter(|family| !family.is_empty())?;
    let (kind, _) = SYSTEMS.iter().find(|(_, families)| families.contains(&family))?;
    (!name.trim().is_empty()).then(|| write(kind, &format!("{family}/{}", name.trim()), version))
}

fn write(kind: &str, path: &str, version: Option<&str>) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty()).map(encode);
    let path = parts.collect::<Vec<_>>().join("/");
    match version.map(str::trim).filter(|version| !version.is_empty()) {
        Some(version) => format!("pkg:{kind}/{path}@{}", encode(version)),
        None => format!("pkg:{kind}/{path}"),
    }
}

/// Percent-encoding of purl-spec: all but letters, digits and `.-_~:`.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A purl taken apart. Type and namespace are as written, percent-decoded; qualifiers and subpath are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    /// Type, in lower case.
    pub kind: String,
    /// Namespace and name, joined by `/`.
    pub path: String,
    /// Version.
    pub version: Option<String>,
}

impl Purl {
    /// Takes a purl apart; `None` when it isn't one.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split(['?', '#']).next()?;
        let (kind, rest) = rest.split_once('/')?;
        // A scope may be written with a bare `@`, so a version is what follows one after the last slash.
        let name_at = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (path, version) = match rest.rfind('@').filter(|at| *at > name_at) {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..).map(decode)),
            None => (rest, None),
        };
        let path = decode(path.trim_matches('/'));
        let path = match kind.to_ascii_lowercase().as_str() {
            "pypi" => Ecosystem::PyPi.normal_name(&path),
            "golang" | "composer" | "hex" | "deb" | "apk" | "rpm" | "githubactions" => path.to_ascii_lowercase(),
            _ => path,
        };
        (!kind.is_empty() && !path.is_empty()).then(|| Self {
            kind: kind.to_ascii_lowercase(),
            path,
            version: version.filter(|version| !version.is_empty()),
        })
    }

    /// The name as people write it: `group:artifact` for Maven, else namespace and name, without the distribution of a
    /// system's package.
    pub fn name(&self) -> String {
        match (self.kind.as_str(), self.path.rsplit_once('/')) {
            ("maven", Some((group, artifact))) => format!("{group}:{artifact}"),
            ("deb" | "apk" | "rpm", Some((_, name))) => name.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// Whether this names the other package. Without a version it names all of them (OpenVEX specification 0.2.0,
    /// "software identifiers").
    pub fn covers(&self, other: &Self) -> bool {
        let version = self.version.is_none() || self.version == other.version;
        self.kind == other.kind && self.path == other.path && version
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| {
                    char::from(*byte)
                        .to_digit(16)
                        .and_then(|value| u8::try_from(value).ok())
                };
                digit(high).zip(digit(low)).map(|(high, low)| (high * 16 + low, after))
            }
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A component of an ecosystem by any of its names.
pub fn component(ecosystem: &str, name: &str, version: Option<&str>) -> Component {
    Component {
        purl: package(ecosystem, name, version),
        name: name.to_owned(),
        version: version.map(str::to_owned).filter(|version| !version.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_are_written_as_the_specification_says() {
        for (ecosystem, name, version, wanted) in [
            ("PIP", "Flask_Login", "0.6", "pkg:pypi/flask-login@0.6"),
            ("npm", "@babel/core", "7.0.0", "pkg:npm/%40babel/core@7.0.0"),
            ("MAVEN", "log4j:log4j", "1.2", "pkg:maven/log4j/log4j@1.2"),
            (
                "Go",
                "github.com/Masterminds/x",
                "v2+incompatible",
                "pkg:golang/github.com/masterminds/x@v2%2Bincompatible",
            ),
            ("RUST", "time", "", "pkg:cargo/time"),
        ] {
            assert_eq!(package(ecosystem, name, Some(version)).as_deref(), Some(wanted));
        }
        assert_eq!(package("COBOL", "x", None), None);
        assert_eq!(package("npm", " ", None), None);
    }

    #[test]
    fn packages_of_a_system_have_its_family() {
        assert_eq!(
            of_system("debian:9.4", "apt", Some("1:1.4")).as_deref(),
            Some("pkg:deb/debian/apt@1:1.4")
        );
        assert_eq!(
            of_system("alpine 3.10", "musl", None).as_deref(),
            Some("pkg:apk/alpine/musl")
        );
        assert_eq!(of_system("plan9", "x", None), None);
        assert_eq!(of_system("", "x", None), None);
    }

    #[test]
    fn a_purl_is_taken_apart() {
        let purl = Purl::parse("pkg:npm/%40babel/core@7.0.0?x=y#z").unwrap();
        assert_eq!(
            (purl.name().as_str(), purl.version.as_deref()),
            ("@babel/core", Some("7.0.0"))
        );
        assert_eq!(Purl::parse("pkg:maven/g/a@1").unwrap().name(), "g:a");
        assert_eq!(Purl::parse("pkg:deb/debian/apt@1%2B2").unwrap().name(), "apt");
        assert_eq!(Purl::parse("pkg:npm/@s/n").unwrap().version, None);
        for text in ["", "npm/x", "pkg:npm", "pkg:/x", "pkg:npm/@1"] {
            assert!(Purl::parse(text).is_none_or(|purl| !purl.path.is_empty()), "{text}");
        }
    }

    #[test]
    fn a_purl_without_a_version_names_all_versions() {
        let any = Purl::parse("pkg:pypi/Urllib3").unwrap();
        let one = Purl::parse("pkg:pypi/urllib3@1.26.17").unwrap();
        assert!(any.covers(&one) && one.covers(&one) && !one.covers(&any));
        assert!(!any.covers(&Purl::parse("pkg:npm/urllib3").unwrap()));
    }
}
