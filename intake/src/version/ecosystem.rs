//! Ecosystems: their names in OSV, in package URLs, and how their packages are named.

/// An ecosystem of packages. Distributions carry their namespace in package URLs, for example `Deb("ubuntu")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Python packages.
    PyPi,
    /// JavaScript packages.
    Npm,
    /// Rust crates.
    CratesIo,
    /// Go modules.
    Go,
    /// Java packages, named `group:artifact`.
    Maven,
    /// .NET packages.
    NuGet,
    /// Ruby gems.
    RubyGems,
    /// PHP packages.
    Packagist,
    /// Elixir and Erlang packages.
    Hex,
    /// Dart packages.
    Pub,
    /// Swift packages, named by URL.
    Swift,
    /// GitHub Actions.
    GitHubActions,
    /// R packages.
    Cran,
    /// Haskell packages.
    Hackage,
    /// Debian and Ubuntu packages.
    Deb(&'static str),
    /// Alpine, Wolfi and Chainguard packages.
    Apk(&'static str),
    /// Packages of Red Hat, SUSE and their relatives.
    Rpm(&'static str),
}

/// Ecosystem, its name in OSV (schema 1.7, "Defined Ecosystems"), its type in package URLs (purl-spec).
const NAMES: &[(Ecosystem, &str, &str)] = &[
    (Ecosystem::PyPi, "PyPI", "pypi"),
    (Ecosystem::Npm, "npm", "npm"),
    (Ecosystem::CratesIo, "crates.io", "cargo"),
    (Ecosystem::Go, "Go", "golang"),
    (Ecosystem::Maven, "Maven", "maven"),
    (Ecosystem::NuGet, "NuGet", "nuget"),
    (Ecosystem::RubyGems, "RubyGems", "gem"),
    (Ecosystem::Packagist, "Packagist", "composer"),
    (Ecosystem::Hex, "Hex", "hex"),
    (Ecosystem::Pub, "Pub", "pub"),
    (Ecosystem::Swift, "SwiftURL", "swift"),
    (Ecosystem::GitHubActions, "GitHub Actions", "github"),
    (Ecosystem::Cran, "CRAN", "cran"),
    (Ecosystem::Hackage, "Hackage", "hackage"),
    (Ecosystem::Deb("debian"), "Debian", "deb"),
    (Ecosystem::Deb("ubuntu"), "Ubuntu", "deb"),
    (Ecosystem::Apk("alpine"), "Alpine", "apk"),
    (Ecosystem::Apk("alpaquita"), "Alpaquita", "apk"),
    (Ecosystem::Apk("chainguard"), "Chainguard", "apk"),
    (Ecosystem::Apk("wolfi"), "Wolfi", "apk"),
    (Ecosystem::Rpm("redhat"), "Red Hat", "rpm"),
    (Ecosystem::Rpm("almalinux"), "AlmaLinux", "rpm"),
    (Ecosystem::Rpm("rocky-linux"), "Rocky Linux", "rpm"),
    (Ecosystem::Rpm("opensuse"), "openSUSE", "rpm"),
    (Ecosystem::Rpm("suse"), "SUSE", "rpm"),
    (Ecosystem::Rpm("mageia"), "Mageia", "rpm"),
    (Ecosystem::Rpm("openeuler"), "openEuler", "rpm"),
];

impl Ecosystem {
    /// From OSV's spelling; an ecosystem may have a suffix after `:`, as in `Debian:12`.
    #[must_use]
    pub fn from_osv(name: &str) -> Option<Self> {
        let name = name.split(':').next()?;
        NAMES
            .iter()
            .find(|(_, osv, _)| *osv == name)
            .map(|(ecosystem, ..)| *ecosystem)
    }

    /// From the type and the namespace of a package URL. All distributions of one package format order alike, so that an
    /// unknown namespace still has an order.
    #[must_use]
    pub fn from_purl(kind: &str, namespace: Option<&str>) -> Option<Self> {
        let mut of_kind = NAMES
            .iter()
            .filter(|(.., purl)| *purl == kind)
            .map(|(ecosystem, ..)| *ecosystem);
        let named = of_kind.clone().find(|ecosystem| ecosystem.namespace() == namespace);
        named.or_else(|| of_kind.next())
    }

    /// Whether advisories differ by release of a distribution.
    #[must_use]
    pub const fn is_distribution(self) -> bool {
        self.namespace().is_some()
    }

    const fn namespace(self) -> Option<&'static str> {
        match self {
            Self::Deb(namespace) | Self::Apk(namespace) | Self::Rpm(namespace) => Some(namespace),
            _ => None,
        }
    }

    /// The name by which packages are compared: PEP 503 for Python, without case where the registry ignores it.
    #[must_use]
    pub fn normal_name(self, name: &str) -> String {
        match self {
            Self::PyPi => {
                let lower = name.to_ascii_lowercase();
                let parts = lower.split(['-', '_', '.']).filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>().join("-")
            }
            Self::NuGet | Self::Packagist | Self::GitHubActions | Self::Hex => name.to_ascii_lowercase(),
            _ => name.to_owned(),
        }
    }

    /// Package URL (purl-spec). The `@` of an npm scope is percent-encoded.
    #[must_use]
    pub fn purl(self, name: &str, version: Option<&str>) -> String {
        let kind = NAMES
            .iter()
            .find(|(e, ..)| *e == self)
            .map_or("generic", |(.., purl)| *purl);
        let name = match self {
            Self::Maven => name.replacen(':', "/", 1),
            Self::NuGet => name.to_owned(),
            _ => self.normal_name(name),
        };
        let namespace = self.namespace().map(|n| format!("{n}/")).unwrap_or_default();
        let name = name.replace('@', "%40");
        match version {
            Some(version) => format!("pkg:{kind}/{namespace}{name}@{}", version.replace('+', "%2B")),
            None => format!("pkg:{kind}/{namespace}{name}"),
        }
    }
}
