//! What goes into an image, and how `mmdebstrap` is told. Pure.

use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::BootstrapError;
use crate::sandbox::{SANDBOX_UID, WORKSPACE_DIR};

/// Debian's release that is taken unless another is named.
pub const DEFAULT_SUITE: &str = "trixie";
/// Names of images begin with it.
const REPOSITORY: &str = "holdpoint/debian";
/// Longest name of a package or a suite, and longest address of a mirror.
const MAX_NAME_BYTES: usize = 200;
/// What a build never reads.
const LEFT_OUT: [&str; 4] = [
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/doc/*",
];

/// What an image can build and test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Toolchain {
    /// A shell, Git, Make and certificate authorities: part of every image.
    Base,
    /// Python with pip and venv.
    Python,
    /// Node.js with npm.
    Node,
    /// Rust with Cargo and a C compiler.
    Rust,
    /// A JDK with Maven.
    Java,
    /// Go with a C compiler.
    Go,
}

/// Each toolchain's name and Debian packages.
const TOOLCHAINS: [(Toolchain, &str, &[&str]); 6] = [
    (Toolchain::Base, "base", &["ca-certificates", "git", "make"]),
    (
        Toolchain::Python,
        "python",
        &["python3", "python3-pip", "python3-venv", "python-is-python3"],
    ),
    (Toolchain::Node, "node", &["nodejs", "npm"]),
    (
        Toolchain::Rust,
        "rust",
        &["cargo", "rustc", "gcc", "libc6-dev", "pkg-config"],
    ),
    (Toolchain::Java, "java", &["default-jdk-headless", "maven"]),
    (Toolchain::Go, "go", &["golang-go", "gcc", "libc6-dev"]),
];

impl Toolchain {
    /// Every toolchain.
    #[must_use]
    pub fn all() -> Vec<Self> {
        TOOLCHAINS.iter().map(|(toolchain, ..)| *toolchain).collect()
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    /// Its Debian packages.
    #[must_use]
    pub fn packages(self) -> &'static [&'static str] {
        self.row().map_or(&[], |(.., packages)| packages)
    }

    fn row(self) -> Option<&'static (Self, &'static str, &'static [&'static str])> {
        TOOLCHAINS.iter().find(|(toolchain, ..)| *toolchain == self)
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Toolchain {
    type Err = BootstrapError;

    fn from_str(text: &str) -> Result<Self, BootstrapError> {
        let known = || {
            Self::all()
                .iter()
                .map(|known| known.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        TOOLCHAINS
            .iter()
            .find(|(_, name, _)| *name == text)
            .map(|(toolchain, ..)| *toolchain)
            .ok_or_else(|| BootstrapError::BadToolchain {
                given: crate::text::one_line(text),
                known: known(),
            })
    }
}

/// What an image is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootstrapRequest {
    /// What it can build and test, besides [`Toolchain::Base`].
    pub toolchains: BTreeSet<Toolchain>,
    /// Further Debian packages.
    pub packages: BTreeSet<String>,
    /// Debian's release: a code name.
    pub suite: String,
    /// Address of a mirror; `mmdebstrap`'s own choice without one.
    pub mirror: Option<String>,
}

impl BootstrapRequest {
    /// These toolchains on [`DEFAULT_SUITE`].
    #[must_use]
    pub fn new(toolchains: impl IntoIterator<Item = Toolchain>) -> Self {
        Self {
            toolchains: toolchains.into_iter().collect(),
            packages: BTreeSet::new(),
            suite: DEFAULT_SUITE.to_owned(),
            mirror: None,
        }
    }

    fn toolchains(&self) -> BTreeSet<Toolchain> {
        self.toolchains.iter().copied().chain([Toolchain::Base]).collect()
    }

    /// All packages, sorted.
    #[must_use]
    pub fn all_packages(&self) -> BTreeSet<String> {
        let of_toolchains = self.toolchains().into_iter().flat_map(Toolchain::packages);
        of_toolchains
            .map(|name| (*name).to_owned())
            .chain(self.packages.iter().cloned())
            .collect()
    }

    /// The image's repository: the same for the same toolchains and packages, on every machine. Its tag
    /// is the suite.
    #[must_use]
    pub fn repository(&self) -> String {
        let mut name = REPOSITORY.to_owned();
        for toolchain in self.toolchains().into_iter().filter(|one| *one != Toolchain::Base) {
            name.push('-');
            name.push_str(toolchain.as_str());
        }
        if !self.packages.is_empty() {
            let all = self.packages.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            // A name for people can't hold them all (OCI distribution specification: `+` isn't allowed, either).
            name.push_str(&format!("-{:016x}", fnv(all.as_bytes())));
        }
        name
    }

    pub(super) fn check(&self) -> Result<(), BootstrapError> {
        let bad = |name: &str| BootstrapError::BadName(crate::text::one_line(name));
        if let Some(name) = self.packages.iter().find(|name| !is_package(name)) {
            return Err(bad(name));
        }
        if !is_suite(&self.suite) {
            return Err(bad(&self.suite));
        }
        match &self.mirror {
            Some(mirror) if !is_mirror(mirror) => Err(bad(mirror)),
            _ => Ok(()),
        }
    }

    /// The arguments of `mmdebstrap`(1); the archive goes to its standard output.
    pub(super) fn arguments(&self) -> Vec<String> {
        let packages = self.all_packages().into_iter().collect::<Vec<_>>().join(",");
        let mut arguments = vec![
            "--variant=minbase".to_owned(),
            "--format=tar".to_owned(),
            format!("--include={packages}"),
        ];
        arguments.extend(LEFT_OUT.map(|path| format!("--dpkgopt=path-exclude={path}")));
        arguments.extend(hooks().map(|hook| format!("--customize-hook={hook}")));
        arguments.extend([self.suite.clone(), "-".to_owned()]);
        arguments.extend(self.mirror.clone());
        arguments
    }

    /// The image's configuration, as instructions of a Dockerfile.
    pub(super) fn changes(&self, now: Timestamp) -> Vec<String> {
        let names = self.toolchains().into_iter().map(Toolchain::as_str).collect::<Vec<_>>();
        let packages = self.all_packages().into_iter().collect::<Vec<_>>();
        let label = |name: &str, value: &str| format!("LABEL holdpoint.image.{name}=\"{value}\"");
        vec![
            label("toolchains", &names.join(",")),
            label("packages", &packages.join(",")),
            label("suite", &self.suite),
            label("made", &now.to_string()),
            format!("USER {SANDBOX_UID}:{SANDBOX_UID}"),
            format!("WORKDIR {WORKSPACE_DIR}"),
            "ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8".to_owned(),
            "CMD [\"/bin/sh\"]".to_owned(),
        ]
    }
}

/// What is done to the tree before it is packed; `$1` is its folder.
fn hooks() -> [String; 3] {
    let user = format!("holdpoint:x:{SANDBOX_UID}:{SANDBOX_UID}:holdpoint:/tmp:/bin/sh");
    [
        format!("echo {user} >>\"$1/etc/passwd\" && echo holdpoint:x:{SANDBOX_UID}: >>\"$1/etc/group\""),
        format!(
            "mkdir -p \"$1/holdpoint\" \"$1{WORKSPACE_DIR}\" && chown {SANDBOX_UID}:{SANDBOX_UID} \"$1{WORKSPACE_DIR}\" \
             && chmod 1777 \"$1/tmp\" \"$1/var/tmp\""
        ),
        // No step may use them anyway; what isn't there needs no control.
        "find \"$1\" -xdev -type f -perm /6000 -exec chmod a-s {} +".to_owned(),
    ]
}

/// Debian Policy §5.6.1.
fn is_package(name: &str) -> bool {
    (2..=MAX_NAME_BYTES).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

fn is_suite(name: &str) -> bool {
    is_package(name) && !name.contains('+')
}

/// An address without a user name, because it would be seen in the list of processes.
fn is_mirror(address: &str) -> bool {
    let rest = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"));
    address.len() <= MAX_NAME_BYTES
        && rest.is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_alphanumeric())
                && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/:".contains(c))
        })
}

/// FNV-1a, 64 bits: a short name for a list, where nothing depends on nobody finding another with the same.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_has_the_same_name_whatever_the_order() {
        let one = BootstrapRequest::new([Toolchain::Node, Toolchain::Python]);
        let other = BootstrapRequest::new([Toolchain::Python, Toolchain::Base, Toolchain::Node]);
        assert_eq!(one.repository(), "holdpoint/debian-python-node");
        assert_eq!(one.repository(), other.repository());
        let mut more = one.clone();
        more.packages.insert("g++".to_owned());
        assert!(more.repository().starts_with("holdpoint/debian-python-node-"));
        assert!(!more.repository().contains('+'));
        assert_eq!(BootstrapRequest::new([]).repository(), "holdpoint/debian");
    }

    #[test]
    fn every_toolchain_is_found_by_its_name_and_has_packages() {
        for toolchain in Toolchain::all() {
            assert_eq!(toolchain.as_str().parse::<Toolchain>().unwrap(), toolchain);
            assert!(toolchain.packages().iter().all(|name| is_package(name)), "{toolchain}");
            assert!(!toolchain.packages().is_empty());
        }
        let error = "cobol".parse::<Toolchain>().unwrap_err().to_string();
        assert_eq!(
            error,
            "`cobol` is no toolchain; they are base, python, node, rust, java, go"
        );
    }

    #[test]
    fn the_archive_goes_to_standard_output_and_the_mirror_comes_last() {
        let mut request = BootstrapRequest::new([Toolchain::Node]);
        request.packages.insert("jq".to_owned());
        request.mirror = Some("http://mirror.example/debian".to_owned());
        request.check().unwrap();
        let arguments = request.arguments();
        assert!(
            arguments.contains(&"--include=ca-certificates,git,jq,make,nodejs,npm".to_owned()),
            "{arguments:?}"
        );
        assert!(arguments.ends_with(&[
            "trixie".to_owned(),
            "-".to_owned(),
            "http://mirror.example/debian".to_owned()
        ]));
    }

    #[test]
    fn names_that_would_be_options_or_more_than_one_are_refused() {
        for name in ["--hook-dir=x", "a,b", "a b", "A", "x", "a\"b", "", "a/b", "a\nb"] {
            let mut request = BootstrapRequest::new([]);
            request.packages.insert(name.to_owned());
            assert!(matches!(request.check(), Err(BootstrapError::BadName(_))), "{name:?}");
            let mut request = BootstrapRequest::new([]);
            request.suite = name.to_owned();
            assert!(request.check().is_err(), "{name:?}");
        }
        for mirror in [
            "--x",
            "file:///etc",
            "http://u:p@mirror.example",
            "http://m.example/ x",
            "deb http://m",
        ] {
            let mut request = BootstrapRequest::new([]);
            request.mirror = Some(mirror.to_owned());
            assert!(request.check().is_err(), "{mirror}");
        }
    }

    #[test]
    fn labels_say_what_is_in_it_and_when_it_was_made() {
        let changes = BootstrapRequest::new([Toolchain::Python]).changes(Timestamp::UNIX_EPOCH);
        for change in [
            "LABEL holdpoint.image.toolchains=\"base,python\"",
            "LABEL holdpoint.image.made=\"1970-01-01T00:00:00Z\"",
            "USER 10001:10001",
        ] {
            assert!(changes.iter().any(|line| line == change), "{changes:?}");
        }
    }
}
