//! Reads the name of the server out of the first bytes of a TLS connection (RFC 8446 §4.1.2,
//! RFC 6066 §3), so that a tunnel to one host can't carry a connection to another one behind the
//! same front. Pure.

use super::allow::{Host, Refusal};

/// A ClientHello with post-quantum key shares and long tickets has a few kilobytes.
pub(super) const MAX_HELLO_BYTES: usize = 32 << 10;
const RECORD_HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const EXTENSION_SERVER_NAME: u16 = 0;
/// Encrypted ClientHello (RFC 9849): the name that can be read may not be the one that is meant.
const EXTENSION_ENCRYPTED_HELLO: u16 = 0xfe0d;
const NAME_TYPE_HOST: u8 = 0;

/// Whether these first bytes begin a TLS connection to this host. `Ok(false)`: more are needed.
pub(super) fn names(bytes: &[u8], host: &Host) -> Result<bool, Refusal> {
    let Some(hello) = handshake(bytes)? else {
        return if bytes.len() > MAX_HELLO_BYTES {
            Err(Refusal::NotTls)
        } else {
            Ok(false)
        };
    };
    let named = server_name(&hello)?;
    match (host, named) {
        (Host::Name(asked), Some(named)) if named.eq_ignore_ascii_case(asked.as_bytes()) => Ok(true),
        // "Literal IPv4 and IPv6 addresses are not permitted" as server names (RFC 6066 §3).
        (Host::Address(_), None) => Ok(true),
        (_, None) => Err(Refusal::HiddenServerName),
        (_, Some(_)) => Err(Refusal::OtherServerName),
    }
}

/// The body of the ClientHello, put together out of its records. `None`: not all of it is there.
fn handshake(bytes: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let mut rest = Reader(bytes);
    let mut message = Vec::new();
    loop {
        if let Some(&kind) = message.first()
            && kind != CLIENT_HELLO
        {
            return Err(Refusal::NotTls);
        }
        if let Some(body) = message.get(1..).and_then(|after| Reader(after).vector(3)) {
            return Ok(Some(body.to_vec()));
        }
        match rest.0 {
            [] => return Ok(None),
            [RECORD_HANDSHAKE] | [RECORD_HANDSHAKE, 3, ..] => {}
            _ => return Err(Refusal::NotTls),
        }
        let Some(fragment) = rest.take(3).and_then(|_| rest.vector(2)) else {
            return Ok(None);
        };
        if fragment.is_empty() {
            return Err(Refusal::NotTls);
        }
        message.extend_from_slice(fragment);
    }
}

fn server_name(hello: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let extensions = |mut hello: Reader<'_>| {
        hello.take(2 + 32)?;
        hello.vector(1)?;
        hello.vector(2)?;
        hello.vector(1)?;
        // A hello of TLS 1.2 may have no extensions at all.
        if hello.0.is_empty() {
            return Some(Vec::new());
        }
        let mut all = Vec::new();
        let mut list = Reader(hello.vector(2)?);
        while !list.0.is_empty() {
            all.push((list.number(2)?, list.vector(2)?.to_vec()));
        }
        Some(all)
    };
    let mut named = None;
    for (kind, content) in extensions(Reader(hello)).ok_or(Refusal::NotTls)? {
        if usize::from(EXTENSION_ENCRYPTED_HELLO) == kind {
            return Err(Refusal::HiddenServerName);
        }
        if usize::from(EXTENSION_SERVER_NAME) == kind {
            // Two names, or two extensions, and ours may not be the one that the server takes.
            if named.is_some() {
                return Err(Refusal::OtherServerName);
            }
            named = Some(only_host(Reader(&content)).ok_or(Refusal::OtherServerName)?);
        }
    }
    Ok(named)
}

fn only_host(mut content: Reader<'_>) -> Option<Vec<u8>> {
    let mut list = Reader(content.vector(2)?);
    let [NAME_TYPE_HOST] = list.take(1)? else {
        return None;
    };
    let name = list.vector(2)?.to_vec();
    (list.0.is_empty() && content.0.is_empty()).then_some(name)
}

/// Takes from the front; `None` when that isn't there.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        Some(
            self.take(bytes)?
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        )
    }

    fn vector(&mut self, length_bytes: usize) -> Option<&'a [u8]> {
        let mut ahead = Reader(self.0);
        let length = ahead.number(length_bytes)?;
        let content = ahead.take(length)?;
        self.0 = ahead.0;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vector(length_bytes: usize, content: &[u8]) -> Vec<u8> {
        let length = content.len().to_be_bytes();
        [&length[length.len() - length_bytes..], content].concat()
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &vector(2, content)].concat()
    }

    fn sni(name: &str) -> Vec<u8> {
        let entry = [&[0][..], &vector(2, name.as_bytes())].concat();
        extension(0, &vector(2, &entry))
    }

    fn hello(extensions: &[Vec<u8>]) -> Vec<u8> {
        let body = [
            &[3, 3][..],
            &[7; 32],
            &vector(1, &[1; 32]),
            &vector(2, &[0x13, 1]),
            &vector(1, &[0]),
            &vector(2, &extensions.concat()),
        ]
        .concat();
        [&[1][..], &vector(3, &body)].concat()
    }

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&[22, 3, 1][..], &vector(2, part)].concat();
        message.chunks(size).flat_map(record).collect()
    }

    fn host(name: &str) -> Host {
        Host::Name(name.to_owned())
    }

    #[test]
    fn the_named_server_is_the_one_that_was_asked_for() {
        let other = extension(43, &[2, 3, 4]);
        for size in [1, 5, 1000] {
            let bytes = records(&hello(&[other.clone(), sni("Registry.example")]), size);
            assert_eq!(names(&bytes, &host("registry.example")), Ok(true));
            assert_eq!(names(&bytes, &host("evil.example")), Err(Refusal::OtherServerName));
            for cut in 0..bytes.len() {
                assert_eq!(names(&bytes[..cut], &host("registry.example")), Ok(false), "{cut}");
            }
        }
    }

    #[test]
    fn a_name_that_cannot_be_read_is_refused() {
        let registry = host("registry.example");
        let ask = |extensions: &[Vec<u8>]| names(&records(&hello(extensions), 1000), &registry);
        assert_eq!(ask(&[]), Err(Refusal::HiddenServerName));
        assert_eq!(
            ask(&[sni("registry.example"), extension(0xfe0d, b"x")]),
            Err(Refusal::HiddenServerName)
        );
        assert_eq!(
            ask(&[sni("registry.example"), sni("evil.example")]),
            Err(Refusal::OtherServerName)
        );
        let two = [
            &[0][..],
            &vector(2, b"registry.example"),
            &[0],
            &vector(2, b"evil.example"),
        ]
        .concat();
        assert_eq!(ask(&[extension(0, &vector(2, &two))]), Err(Refusal::OtherServerName));
        let address = Host::Address("127.0.0.1".parse().unwrap());
        assert_eq!(names(&records(&hello(&[]), 1000), &address), Ok(true));
    }

    #[test]
    fn what_is_not_tls_is_refused_at_once() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"SSH-2.0-x\r\n",
            &[22, 2],
            &[22, 3, 1, 0, 0],
            &[22, 3, 1, 0, 1, 2],
        ] {
            assert_eq!(names(bytes, &host("a.example")), Err(Refusal::NotTls), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_taken_for_a_hello_by_chance(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_ne!(names(&bytes, &host("a.example")), Ok(true));
        }
    }
}
