//! Debian and Ubuntu: `deb-version(7)`, the order that dpkg keeps.

use std::cmp::Ordering;

use super::number::Number;

/// `[epoch:]upstream[-revision]`.
struct Version<'a> {
    epoch: Number<'a>,
    upstream: &'a str,
    revision: &'a str,
}

/// Order of two versions.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    let order = a.epoch.cmp(&b.epoch);
    Some(
        order
            .then_with(|| part_order(a.upstream, b.upstream))
            .then_with(|| part_order(a.revision, b.revision)),
    )
}

fn parse(text: &str) -> Option<Version<'_>> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (Number::parse(epoch)?, rest),
        None => (Number::ZERO, text),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".+-:~".contains(&b);
    let good = upstream.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(allowed);
    good.then_some(Version {
        epoch,
        upstream,
        revision,
    })
}

/// Turn by turn: what isn't digits by character, then digits by value. An absent revision is `0`.
fn part_order(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_text, a_rest) = a.split_at(a.find(|c: char| c.is_ascii_digit()).unwrap_or(a.len()));
        let (b_text, b_rest) = b.split_at(b.find(|c: char| c.is_ascii_digit()).unwrap_or(b.len()));
        let order = text_order(a_text, b_text);
        if order.is_ne() {
            return order;
        }
        let (a_number, b_number);
        (a_number, a) = Number::take(a_rest);
        (b_number, b) = Number::take(b_rest);
        let order = a_number.cmp(&b_number);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// `~` before the end, the end before letters, letters before all else.
fn text_order(a: &str, b: &str) -> Ordering {
    let weight = |byte: Option<u8>| match byte {
        None => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(other) => i32::from(other) + 256,
    };
    let (mut a, mut b) = (a.bytes(), b.bytes());
    loop {
        let (x, y) = (a.next(), b.next());
        let order = weight(x).cmp(&weight(y));
        if order.is_ne() || (x.is_none() && y.is_none()) {
            return order;
        }
    }
}
