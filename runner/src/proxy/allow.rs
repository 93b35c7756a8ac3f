//! Which hosts may be reached. Pure: names only, no look-ups.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use thiserror::Error;

use super::ProxyError;
use super::address::is_link_local;

/// Longest name, and longest part of one (RFC 1035 §2.3.4).
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;
/// Ports of an entry that names none.
const WEB_PORTS: [u16; 2] = [443, 80];

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refusal {
    #[error("it names no host and port")]
    NoTarget,
    #[error("it hides a host behind a user name")]
    UserInfo,
    #[error("it is no plain host name")]
    BadName,
    #[error("it is not in `sandbox.prepare.hosts`")]
    NotListed,
    #[error("its `Host` header names another host")]
    OtherHost,
    #[error("its name leads to an address of this machine or of its network")]
    InternalAddress,
    #[error("it begins a connection that isn't TLS")]
    NotTls,
    #[error("its TLS handshake names another host")]
    OtherServerName,
    #[error("its TLS handshake hides the host's name")]
    HiddenServerName,
    #[error("the method {0} is not let through")]
    Method(&'static str),
    #[error("only `http://` and CONNECT are for a proxy")]
    Scheme,
    #[error("the transfer limit is used up")]
    Spent,
}

/// A host as it was asked for: a name in lower case, or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Host {
    Name(String),
    Address(IpAddr),
}

/// Where a request wants to go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) host: Host,
    pub(super) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if WEB_PORTS.contains(&self.port) {
            self.host.fmt(f)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Splits an authority (RFC 3986 §3.2) into its host and its port, where it names one.
pub(super) fn split(authority: &str) -> Result<(Host, Option<u16>), Refusal> {
    if authority.contains('@') {
        return Err(Refusal::UserInfo);
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(Refusal::BadName)?;
        let address: Ipv6Addr = address.parse().map_err(|_| Refusal::BadName)?;
        let port = match rest {
            "" => None,
            _ => Some(port(rest.strip_prefix(':').ok_or(Refusal::BadName)?)?),
        };
        return Ok((Host::Address(address.into()), port));
    }
    match authority.split_once(':') {
        None => Ok((host(authority)?, None)),
        Some((name, digits)) => Ok((host(name)?, Some(port(digits)?))),
    }
}

/// Reads where a request wants to go.
pub(super) fn target(authority: &str, default_port: Option<u16>) -> Result<Target, Refusal> {
    let (host, port) = split(authority)?;
    let port = port.or(default_port).ok_or(Refusal::NoTarget)?;
    Ok(Target { host, port })
}

fn port(digits: &str) -> Result<u16, Refusal> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if plain {
        digits.parse().map_err(|_| Refusal::BadName)
    } else {
        Err(Refusal::BadName)
    }
}

fn host(text: &str) -> Result<Host, Refusal> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let labels = |name: &str| name.split('.').all(is_label);
    let last = text.rsplit('.').next().unwrap_or_default();
    // `0x7f.1` and `2130706433` are addresses to a resolver (inet_aton(3)).
    let like_an_address =
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    if text.len() > MAX_NAME_BYTES || !labels(text) || like_an_address {
        return Err(Refusal::BadName);
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

/// Letters, digits, hyphens and underscores: international names are listed and asked for as `xn--…`.
/// An empty one would be a trailing dot, by which one host has two names.
fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// What an entry lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Host(Host),
    /// Every name below this one, not itself.
    Below(String),
}

/// One entry of `sandbox.prepare.hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pattern: Pattern,
    port: Option<u16>,
}

impl Entry {
    pub(super) fn parse(text: &str) -> Result<Self, ProxyError> {
        let bad = |why: &'static str| ProxyError::BadHost {
            entry: crate::text::one_line(text),
            why,
        };
        let below = text.strip_prefix("*.");
        let (host, port) = split(below.unwrap_or(text))
            .map_err(|_| bad("it must be `host`, `host:port` or `*.domain`, without a scheme or a path"))?;
        let pattern = match (below, host) {
            (Some(_), Host::Name(name)) if name.contains('.') => Pattern::Below(name),
            (Some(_), _) => return Err(bad("a pattern needs a domain of two parts at least")),
            (None, Host::Address(address)) if is_link_local(address) => {
                return Err(bad(
                    "link-local addresses, where clouds keep credentials, are never reached",
                ));
            }
            (None, host) => Pattern::Host(host),
        };
        let entry = Self { pattern, port };
        if entry.is_local() && port.is_none() {
            return Err(bad("an address or `localhost` needs a port"));
        }
        Ok(entry)
    }

    /// An address or `localhost`: what is internal and meant to be.
    fn is_local(&self) -> bool {
        match &self.pattern {
            Pattern::Host(Host::Address(_)) => true,
            Pattern::Host(Host::Name(name)) => name == "localhost",
            Pattern::Below(_) => false,
        }
    }

    pub(super) fn is_pattern(&self) -> bool {
        matches!(self.pattern, Pattern::Below(_))
    }

    pub(super) fn covers(&self, target: &Target) -> bool {
        let port = match self.port {
            Some(port) => port == target.port,
            None => WEB_PORTS.contains(&target.port),
        };
        port && match (&self.pattern, &target.host) {
            (Pattern::Host(listed), asked) => listed == asked,
            (Pattern::Below(domain), Host::Name(name)) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|above| above.len() > 1 && above.ends_with('.')),
            (Pattern::Below(_), Host::Address(_)) => false,
        }
    }
}

/// A target that is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Permit {
    /// Whether it may be an address of this machine or its network.
    pub(super) internal: bool,
}

/// The entries of `sandbox.prepare.hosts`.
#[derive(Debug, Clone, Default)]
pub(super) struct AllowList(Vec<Entry>);

impl AllowList {
    pub(super) fn parse(hosts: &[String]) -> Result<Self, ProxyError> {
        hosts
            .iter()
            .map(|host| Entry::parse(host))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(super) fn permit(&self, target: &Target) -> Result<Permit, Refusal> {
        self.0
            .iter()
            .find(|entry| entry.covers(target))
            .map(|entry| Permit {
                internal: entry.is_local(),
            })
            .ok_or(Refusal::NotListed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(hosts: &[&str]) -> AllowList {
        AllowList::parse(&hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn ask(list: &AllowList, authority: &str) -> Result<Permit, Refusal> {
        list.permit(&target(authority, Some(443))?)
    }

    #[test]
    fn a_host_is_let_through_on_its_ports_only() {
        let list = list(&["registry.example", "mirror.example:8443", "127.0.0.1:4873"]);
        for asked in [
            "registry.example:443",
            "registry.example:80",
            "REGISTRY.Example",
            "mirror.example:8443",
        ] {
            assert_eq!(ask(&list, asked), Ok(Permit { internal: false }), "{asked}");
        }
        assert_eq!(ask(&list, "127.0.0.1:4873"), Ok(Permit { internal: true }));
        for asked in [
            "registry.example:22",
            "mirror.example:443",
            "127.0.0.1:80",
            "a.registry.example",
            "registry.example.evil.example",
            "xregistry.example",
            "169.254.169.254",
            "[::1]:4873",
        ] {
            assert_eq!(ask(&list, asked), Err(Refusal::NotListed), "{asked}");
        }
    }

    #[test]
    fn a_pattern_is_for_names_below_it_and_for_nothing_else() {
        let list = list(&["*.example.org"]);
        for asked in ["a.example.org", "a.b.example.org"] {
            assert!(ask(&list, asked).is_ok(), "{asked}");
        }
        for asked in ["example.org", "aexample.org", "a.example.org.evil.example"] {
            assert_eq!(ask(&list, asked), Err(Refusal::NotListed), "{asked}");
        }
    }

    #[test]
    fn tricks_with_names_are_refused() {
        let list = list(&["registry.example"]);
        for (asked, why) in [
            ("registry.example@evil.example", Refusal::UserInfo),
            ("evil.example@registry.example", Refusal::UserInfo),
            ("registry.example.", Refusal::BadName),
            ("registry.example.:443", Refusal::BadName),
            (".registry.example", Refusal::BadName),
            ("registry..example", Refusal::BadName),
            ("registry.example:443:80", Refusal::BadName),
            ("registry.example:+443", Refusal::BadName),
            ("registry.example:0443", Refusal::BadName),
            ("registry.example:", Refusal::BadName),
            ("registry.example:70000", Refusal::BadName),
            ("regіstry.example", Refusal::BadName),
            ("registry.example/x", Refusal::BadName),
            ("registry.example\\@x", Refusal::UserInfo),
            ("0x7f.1", Refusal::NotListed),
            ("127.0.0.0x1", Refusal::BadName),
            ("2130706433", Refusal::BadName),
            ("127.1", Refusal::BadName),
            ("[::1", Refusal::BadName),
            ("[registry.example]:443", Refusal::BadName),
            ("", Refusal::BadName),
        ] {
            let refused = ask(&list, asked).unwrap_err();
            assert!(refused == why || refused == Refusal::BadName, "{asked}: {refused:?}");
        }
    }

    #[test]
    fn a_bad_entry_is_named() {
        for entry in [
            "https://registry.example",
            "registry.example/path",
            "*",
            "*.com",
            "*.127.0.0.1",
            "localhost",
            "127.0.0.1",
            "169.254.169.254:80",
            "[fe80::1]:80",
            "a b",
            "",
        ] {
            let error = Entry::parse(entry).unwrap_err().to_string();
            assert!(error.contains(&format!("`{entry}`")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn only_what_is_listed_passes_whatever_is_asked(asked in "[a-zA-Z0-9.:@\\[\\]/_*-]{0,24}") {
            let list = list(&["a.b", "*.c.d"]);
            if ask(&list, &asked).is_ok() {
                let name = asked.to_ascii_lowercase();
                let name = name.strip_suffix(":443").or_else(|| name.strip_suffix(":80")).unwrap_or(&name);
                prop_assert!(name == "a.b" || name.ends_with(".c.d"), "{asked}");
            }
        }
    }
}
