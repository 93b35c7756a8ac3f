//! Credentials of registries: read from Holdpoint's own environment, added to what goes out, and
//! never seen on the sandbox's side of the proxy.

use holdpoint_schemas::estate::PrepareConfig;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use std::collections::BTreeMap;

use super::ProxyError;
use super::allow::{AllowList, Entry, Host, Target, target};

/// Port of a credential's host that names none: it is never sent without TLS.
const TLS_PORT: u16 = 443;

/// A header that one host gets.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    header: HeaderName,
    /// Marked as sensitive, so that `Debug` doesn't show it.
    value: HeaderValue,
}

impl Credential {
    /// Replaces whatever the sandbox sent to identify itself.
    pub(super) fn put_on(&self, headers: &mut HeaderMap) {
        for stripped in [&AUTHORIZATION, &COOKIE, &self.header] {
            headers.remove(stripped);
        }
        headers.insert(self.header.clone(), self.value.clone());
    }

    /// The header's value and, of `Bearer abc` or `Basic abc`, the part after the scheme.
    pub(super) fn secrets(&self) -> Vec<Vec<u8>> {
        let value = self.value.as_bytes();
        let token = value.split(|byte| *byte == b' ').next_back().unwrap_or(value);
        let mut secrets = vec![value.to_vec(), token.to_vec()];
        secrets.retain(|secret| !secret.is_empty());
        secrets.dedup();
        secrets
    }
}

/// Credentials by the host that gets them.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials(BTreeMap<Target, Credential>);

impl Credentials {
    /// Reads them all; one that is missing is an error now, and no puzzling answer of a registry later.
    pub(super) fn read(
        config: &PrepareConfig,
        allow: &AllowList,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ProxyError> {
        let mut all = BTreeMap::new();
        for (name, source) in &config.credentials {
            let shown = || crate::text::one_line(name);
            let bad = |why| ProxyError::BadCredential { host: shown(), why };
            if Entry::parse(name)?.is_pattern() {
                return Err(bad("a credential is for one host, not for a pattern"));
            }
            let asked = target(name, Some(TLS_PORT)).map_err(|_| bad("it is no host"))?;
            if allow.permit(&asked).is_err() {
                return Err(bad("its host is not in `sandbox.prepare.hosts`"));
            }
            let header = HeaderName::from_bytes(source.header.as_bytes()).map_err(|_| bad("its header is none"))?;
            let value = variable(&source.env).ok_or_else(|| ProxyError::NoCredential {
                host: shown(),
                variable: crate::text::one_line(&source.env),
            })?;
            let mut value =
                HeaderValue::from_str(value.trim()).map_err(|_| bad("its value can't be part of a header"))?;
            if value.is_empty() {
                return Err(bad("its value is empty"));
            }
            value.set_sensitive(true);
            all.insert(asked, Credential { header, value });
        }
        Ok(Self(all))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The credential of an `http://` request, and where it goes instead: to the same host by TLS.
    pub(super) fn of(&self, host: &Host, port: Option<u16>) -> Option<(Target, &Credential)> {
        let target = Target {
            host: host.clone(),
            port: port.filter(|port| *port != 80).unwrap_or(TLS_PORT),
        };
        let credential = self.0.get(&target)?;
        Some((target, credential))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::estate::CredentialConfig;

    fn config(host: &str, header: &str) -> PrepareConfig {
        PrepareConfig {
            hosts: vec!["registry.example".to_owned(), "*.example.org".to_owned()],
            credentials: BTreeMap::from([(
                host.to_owned(),
                CredentialConfig {
                    header: header.to_owned(),
                    env: "TOKEN".to_owned(),
                },
            )]),
            scripts: false,
        }
    }

    fn read(config: &PrepareConfig, value: Option<&str>) -> Result<Credentials, ProxyError> {
        let allow = AllowList::parse(&config.hosts).unwrap();
        Credentials::read(config, &allow, &|_| value.map(str::to_owned))
    }

    #[test]
    fn a_credential_replaces_what_the_sandbox_sent_and_is_never_printed() {
        let credentials = read(&config("registry.example", "X-Key"), Some("s3cret\n")).unwrap();
        assert!(!format!("{credentials:?}").contains("s3cret"));
        let host = Host::Name("registry.example".to_owned());
        let (target, credential) = credentials.of(&host, Some(80)).unwrap();
        assert_eq!(target.port, 443);
        let mut headers = HeaderMap::new();
        headers.append("x-key", "forged".parse().unwrap());
        headers.append("x-key", "forged too".parse().unwrap());
        headers.append("authorization", "forged".parse().unwrap());
        credential.put_on(&mut headers);
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-key"], "s3cret");
        assert!(credentials.of(&host, Some(8080)).is_none());
        assert!(credentials.of(&Host::Name("a.example.org".to_owned()), None).is_none());
    }

    #[test]
    fn a_credential_that_cannot_be_used_says_so_without_its_value() {
        let refused = |host: &str, header: &str, value| {
            let error = read(&config(host, header), value).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
            error
        };
        assert!(refused("registry.example", "X-Key", None).contains("`TOKEN`"));
        assert!(refused("registry.example", "X-Key", Some("s3cret\u{1}")).contains("header"));
        assert!(refused("registry.example", "X Key", Some("s3cret")).contains("header"));
        assert!(refused("registry.example", "X-Key", Some(" ")).contains("empty"));
        assert!(refused("other.example", "X-Key", Some("s3cret")).contains("hosts"));
        assert!(refused("*.example.org", "X-Key", Some("s3cret")).contains("pattern"));
    }
}
