//! Hosts that are talked to.

use super::Entry;
use super::source::Source;
use crate::code::{Kind, Lang, lex};

/// Names that are no hosts but ids of formats, or never leave the machine (RFC 2606, RFC 6761).
const NOT_HOSTS: [&str; 17] = [
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "[::1]",
    "example.com",
    "example.org",
    "example.net",
    "www.w3.org",
    "schemas.xmlsoap.org",
    "schemas.android.com",
    "schemas.microsoft.com",
    "json-schema.org",
    "xmlns.com",
    "maven.apache.org",
    "www.sitemaps.org",
    "purl.org",
    "json.schemastore.org",
];
const NOT_DOMAINS: [&str; 5] = [".example", ".invalid", ".test", ".localhost", ".example.com"];
/// Lockfiles: their hosts are the registry's, which `prepare` may reach or not.
const LOCKS: [&str; 10] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "cargo.lock",
    "poetry.lock",
    "uv.lock",
    "gemfile.lock",
    "go.sum",
    "composer.lock",
];
const SCHEMES: [&str; 8] = [
    "https://", "http://", "ws://", "wss://", "ftp://", "ftps://", "grpc://", "tcp://",
];

/// Hosts in URLs outside of comments.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    if source.is_test()
        || LOCKS.contains(&source.name().as_str())
        || source.ends_with(&[".txt", ".svg", ".adoc", "license"])
    {
        return Vec::new();
    }
    let mut found: Vec<Entry> = Vec::new();
    let mut texts: Vec<(u32, &str)> = Vec::new();
    let lang = Lang::of(source.path);
    if lang.blocks || lang.indented {
        let text = |token: &crate::code::Token<'_>| token.kind == Kind::Text;
        let tokens = lex(source.text, lang);
        texts.extend(tokens.into_iter().filter(text).map(|token| (token.line, token.text)));
    } else {
        texts.extend(source.lines());
    }
    for (line, text) in texts {
        for host in hosts(text) {
            if !found.iter().any(|entry| entry.key == host) {
                found.push(Entry::new(line, host));
            }
        }
    }
    found
}

fn hosts(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.match_indices("://") {
        let scheme = SCHEMES
            .iter()
            .any(|scheme| lower.get(..at + 3).is_some_and(|before| before.ends_with(scheme)));
        let Some(rest) = lower.get(at + 3..).filter(|_| scheme) else {
            continue;
        };
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ':' | '[' | ']')))
            .unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = if host.starts_with('[') {
            host
        } else {
            host.split(':').next().unwrap_or_default()
        };
        let host = host.trim_end_matches('.');
        let known = NOT_HOSTS.contains(&host) || NOT_DOMAINS.iter().any(|domain| host.ends_with(domain));
        if host.contains(['.', ':']) && !known {
            found.push(host.to_owned());
        }
    }
    found
}
