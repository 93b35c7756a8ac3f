//! From a name to an address that may be connected to: looked up once, checked, and then connected
//! to by address, so that a second answer of the name server changes nothing (DNS rebinding).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

use super::allow::{Host, Permit, Refusal, Target};

/// For one look-up.
const LOOK_UP: Duration = Duration::from_secs(15);
/// For one connection.
const CONNECT: Duration = Duration::from_secs(15);
/// Addresses of one name that are tried.
const MAX_TRIED: usize = 4;
/// Azure's metadata and DNS service has a public address.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unreached {
    /// It may not be had.
    Refused(Refusal),
    /// The network or the host failed; a later try may do better.
    Fault(String),
}

/// Connects to a target that is listed.
pub(super) async fn connect(target: &Target, permit: Permit) -> Result<TcpStream, Unreached> {
    let addresses = addresses(target).await?;
    // One internal address among public ones is no slip of a name server.
    if !addresses.iter().all(|address| may_reach(address.ip(), permit)) {
        return Err(Unreached::Refused(Refusal::InternalAddress));
    }
    let mut last = "its name has no address".to_owned();
    for address in addresses.into_iter().take(MAX_TRIED) {
        match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Small records of handshakes should not wait; a socket without the option works, too.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => last = format!("no connection within {} s", CONNECT.as_secs()),
        }
    }
    Err(Unreached::Fault(last))
}

async fn addresses(target: &Target) -> Result<Vec<SocketAddr>, Unreached> {
    let name = match &target.host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, target.port)]),
        Host::Name(name) => name,
    };
    let found = tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((name.as_str(), target.port))).await;
    match found {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(Unreached::Fault(format!("its name can't be looked up: {error}"))),
        Err(_) => Err(Unreached::Fault(format!(
            "its name was not looked up within {} s",
            LOOK_UP.as_secs()
        ))),
    }
}

fn may_reach(address: IpAddr, permit: Permit) -> bool {
    if permit.internal {
        !is_link_local(address)
    } else {
        is_public(address)
    }
}

/// Link-local addresses, under which clouds keep metadata and credentials: never reached.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address == AZURE_WIRE_SERVER,
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_link_local(inner.into()),
            None => address.is_unicast_link_local(),
        },
    }
}

/// Whether an address is no one of this machine, of its network or of its cloud, as far as the
/// special-purpose registries of IANA (RFC 6890) tell.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && (64..128).contains(&second);
            let benchmarks = first == 198 && (18..20).contains(&second);
            let protocols = address.octets().starts_with(&[192, 0, 0]);
            !(first == 0
                || first >= 224
                || shared
                || benchmarks
                || protocols
                || address.is_loopback()
                || address.is_private()
                || is_link_local(address.into()))
        }
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_public(inner.into()),
            // Global unicast, without Teredo and 6to4, which are ways to other addresses.
            None => {
                let [first, second, ..] = address.segments();
                first & 0xe000 == 0x2000 && first != 0x2002 && !(first == 0x2001 && second == 0)
            }
        },
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped (RFC 4291 §2.5.5.2) or by NAT64 (RFC 6052 §2.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(inner) = address.to_ipv4_mapped() {
        return Some(inner);
    }
    let [prefix, second, 0, 0, 0, 0, _, _] = address.segments() else {
        return None;
    };
    let [.., a, b, c, d] = address.octets();
    (prefix == 0x64 && second == 0xff9b).then(|| Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machine_the_network_and_the_cloud_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:1::",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn metadata_stays_out_of_reach_even_where_internal_addresses_are_meant() {
        let internal = Permit { internal: true };
        for address in ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "168.63.129.16"] {
            assert!(!may_reach(address.parse().unwrap(), internal), "{address}");
        }
        assert!(may_reach("127.0.0.1".parse().unwrap(), internal));
        assert!(may_reach("10.0.0.7".parse().unwrap(), internal));
    }

    #[tokio::test]
    async fn a_listed_name_that_leads_to_this_machine_is_refused() {
        // `localhost` stands in for any name whose owner points it at an internal address.
        let target = Target {
            host: Host::Name("localhost".to_owned()),
            port: 1,
        };
        let refused = connect(&target, Permit { internal: false }).await;
        assert!(
            matches!(refused, Err(Unreached::Refused(Refusal::InternalAddress))),
            "{refused:?}"
        );
    }
}
