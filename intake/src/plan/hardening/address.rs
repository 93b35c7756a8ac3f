//! Ranges of IP addresses, alone or at the end of a rule (`tcp 443-443 10.0.0.0/8`).

use std::net::IpAddr;

/// Whether everything that `inner` names is also named by `outer`: the same text, or a range within a range of an equal
/// rule.
pub fn covers(outer: &str, inner: &str) -> bool {
    if outer == inner {
        return true;
    }
    let (outer_rule, outer) = outer.rsplit_once(' ').unwrap_or(("", outer));
    let (inner_rule, inner) = inner.rsplit_once(' ').unwrap_or(("", inner));
    match (range(outer), range(inner)) {
        (Some(outer), Some(inner)) => {
            let same_family = outer.bits == inner.bits;
            outer_rule == inner_rule && same_family && outer.prefix <= inner.prefix && outer.holds(inner.address)
        }
        _ => false,
    }
}

struct Range {
    /// The address in the lowest bits.
    address: u128,
    /// How many bits an address of its family has.
    bits: u32,
    /// How many of them are given.
    prefix: u32,
}

impl Range {
    fn holds(&self, address: u128) -> bool {
        let free = self.bits - self.prefix;
        let network = |address: u128| address.checked_shr(free).unwrap_or(0);
        network(self.address) == network(address)
    }
}

/// CIDR notation, or one address.
fn range(text: &str) -> Option<Range> {
    let (address, prefix) = text
        .split_once('/')
        .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let (address, bits) = match address.parse().ok()? {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
    (prefix <= bits).then_some(Range { address, bits, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_covers_what_lies_within_it() {
        for (outer, inner) in [
            ("10.0.0.0/8", "10.1.0.0/16"),
            ("10.0.0.0/8", "10.1.2.3"),
            ("0.0.0.0/0", "192.168.0.0/16"),
            ("::/0", "2001:db8::/32"),
            ("tcp 22 10.0.0.0/8", "tcp 22 10.1.0.0/16"),
            ("sg-1", "sg-1"),
        ] {
            assert!(covers(outer, inner), "{outer} {inner}");
            assert!(outer == inner || !covers(inner, outer), "{inner} {outer}");
        }
    }

    #[test]
    fn others_are_not_covered() {
        for (outer, inner) in [
            ("10.0.0.0/8", "11.0.0.0/16"),
            ("0.0.0.0/0", "::/0"),
            ("tcp 22 10.0.0.0/8", "tcp 23 10.1.0.0/16"),
            ("10.0.0.0/99", "10.0.0.0/16"),
            ("10.0.0.0/-1", "10.0.0.0/16"),
            ("sg-1", "sg-2"),
            ("", "10.0.0.0/16"),
        ] {
            assert!(!covers(outer, inner), "{outer} {inner}");
        }
    }
}
