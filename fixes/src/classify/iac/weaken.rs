//! Which changes within a Terraform resource open something up, or can't be understood.

use std::net::IpAddr;

use crate::classify::hcl::{Block, Body};
use crate::classify::polarity;

/// Values that a setting may be given by name: all of them protect.
const SAFE_VALUES: [(&str, &[&str]); 15] = [
    ("acl", &["private"]),
    ("status", &["Enabled"]),
    ("sse_algorithm", &["aws:kms", "aws:kms:dsse", "AES256"]),
    ("http_tokens", &["required"]),
    ("image_tag_mutability", &["IMMUTABLE"]),
    ("viewer_protocol_policy", &["https-only", "redirect-to-https"]),
    ("origin_protocol_policy", &["https-only"]),
    ("protocol", &["HTTPS", "TLS"]),
    ("min_tls_version", &["TLS1_2", "TLS1_3", "1.2", "1.3"]),
    ("minimum_tls_version", &["1.2", "1.3"]),
    (
        "minimum_protocol_version",
        &["TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021"],
    ),
    ("tls_version", &["1.2", "1.3"]),
    (
        "ssl_policy",
        &[
            "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "ELBSecurityPolicy-TLS13-1-3-2021-06",
        ],
    ),
    ("public_network_access", &["Disabled"]),
    ("mfa_configuration", &["ON"]),
];
/// Blocks that protect by being there.
const PROTECTIVE_BLOCKS: [&str; 6] = [
    "versioning",
    "logging",
    "server_side_encryption_configuration",
    "encryption_configuration",
    "access_logs",
    "point_in_time_recovery",
];
/// Blocks that open something by being there.
const OPENING_BLOCKS: [&str; 4] = ["ingress", "egress", "lifecycle", "public_ip"];
/// Numbers that open a range of ports when they move apart.
const PORTS: [&str; 4] = ["from_port", "to_port", "port", "node_port"];

/// Refuses what weakens a resource; the error continues the sentence "`path` …".
pub(super) fn check(address: &str, before: &Body, after: &Body) -> Result<(), String> {
    body(&[], before, after).map_err(|(place, why)| format!("{why} with `{}` of `{address}`", place.join(".")))
}

type Fault = (Vec<String>, &'static str);

fn body(path: &[String], before: &Body, after: &Body) -> Result<(), Fault> {
    let inner = |name: &str| [path, &[name.to_owned()]].concat();
    for (name, new) in &after.attributes {
        let old = before.attributes.get(name);
        if old != Some(new) {
            attribute(&inner(name), old.map(Vec::as_slice), new)?;
        }
    }
    for (name, old) in before
        .attributes
        .iter()
        .filter(|(name, _)| !after.attributes.contains_key(*name))
    {
        removed(&inner(name), old)?;
    }
    blocks(path, &before.blocks, &after.blocks)
}

fn blocks(path: &[String], before: &[Block], after: &[Block]) -> Result<(), Fault> {
    let at = |block: &Block| [path, std::slice::from_ref(&block.kind)].concat();
    let gone: Vec<&Block> = before.iter().filter(|block| !after.contains(block)).collect();
    let come: Vec<&Block> = after.iter().filter(|block| !before.contains(block)).collect();
    let kept = |blocks: &[Block], others: &[Block]| -> Vec<Block> {
        let same = blocks.iter().filter(|block| others.contains(block));
        same.map(|block| Block {
            kind: block.kind.clone(),
            labels: block.labels.clone(),
            body: Body::default(),
        })
        .collect()
    };
    if kept(before, after) != kept(after, before) {
        return Err((path.to_vec(), "changes the order of blocks"));
    }
    let same_kind = |blocks: &[&Block]| -> Vec<String> { blocks.iter().map(|block| block.kind.clone()).collect() };
    if gone.len() == come.len() && same_kind(&gone) == same_kind(&come) {
        for (old, new) in gone.into_iter().zip(come) {
            if old.labels != new.labels {
                return Err((at(old), "changes the labels"));
            }
            body(&at(old), &old.body, &new.body)?;
        }
        return Ok(());
    }
    for block in gone {
        let guards = block.kind == "lifecycle" && block.body.attributes.contains_key("prevent_destroy");
        if guards || !OPENING_BLOCKS.contains(&block.kind.as_str()) {
            return Err((at(block), "may give protection up"));
        }
    }
    for block in come {
        if !PROTECTIVE_BLOCKS.contains(&block.kind.as_str()) {
            return Err((at(block), "adds a block that may open something"));
        }
        body(&at(block), &Body::default(), &block.body)?;
    }
    Ok(())
}

/// Whether a token names something elsewhere, or computes.
fn refers(token: &str) -> bool {
    let number = token.parse::<f64>().is_ok();
    token.contains("${")
        || token.contains("%{")
        || token.starts_with("<<")
        || (token.starts_with(|c: char| c.is_alphabetic() || c == '_') && !number && !matches!(token, "true" | "false"))
}

fn attribute(path: &[String], before: Option<&[String]>, after: &[String]) -> Result<(), Fault> {
    let fault = |why| Err((path.to_vec(), why));
    let old = before.unwrap_or_default();
    if let ([new], true) = (after, old.len() <= 1) {
        let last = old.first().map(String::as_str);
        return match scalar(path, last, new) {
            true => Ok(()),
            false => fault("may open something, or can't be understood,"),
        };
    }
    // A list or a document may only narrow.
    if before.is_some() && narrows(old, after) {
        return Ok(());
    }
    fault("may open something, or can't be understood,")
}

/// Whether one plain value may take the place of another (or of the default).
fn scalar(path: &[String], before: Option<&str>, after: &str) -> bool {
    let name = path.last().map(String::as_str).unwrap_or_default();
    if refers(after) || PORTS.contains(&name) {
        return false;
    }
    if matches!(after, "true" | "false") {
        let known = polarity::knows(path) && !matches!(before, Some(old) if refers(old));
        return known && !polarity::weakens_switch(path, after == "true");
    }
    if let Ok(new) = after.parse::<f64>() {
        return match before.map(str::parse::<f64>) {
            Some(Ok(old)) => polarity::knows_number(path) && !polarity::weakens_number(path, old, new),
            Some(Err(_)) => false,
            // Whether a first value is safer than the default depends on the default.
            None => false,
        };
    }
    let Some(new) = unquoted(after) else { return false };
    let old = before.and_then(unquoted);
    if let Some((_, values)) = SAFE_VALUES.iter().find(|(known, _)| *known == name) {
        let place = |value| values.iter().position(|known| *known == value);
        return place(new).is_some_and(|new| {
            old.and_then(place)
                .is_none_or(|old| name == "sse_algorithm" || new >= old)
        });
    }
    if name.ends_with("engine_version") {
        return old.is_some_and(|old| upward(old, new));
    }
    old.is_some_and(|old| covers(old, new))
}

fn removed(path: &[String], old: &[String]) -> Result<(), Fault> {
    let plain = match old {
        [one] if one == "true" => !polarity::weakens_switch(path, false),
        _ => false,
    };
    let name = path.last().map(String::as_str).unwrap_or_default();
    // What an ignored drift hid is what Terraform will write again.
    if plain || (name == "ignore_changes" && path.iter().any(|part| part == "lifecycle")) {
        return Ok(());
    }
    Err((path.to_vec(), "may give protection up"))
}

fn unquoted(token: &str) -> Option<&str> {
    token.strip_prefix('"')?.strip_suffix('"')
}

/// Dotted numbers, the new ones higher.
fn upward(old: &str, new: &str) -> bool {
    let numbers = |text: &str| {
        text.split('.')
            .map(|part| part.parse::<u64>().ok())
            .collect::<Option<Vec<_>>>()
    };
    numbers(old).zip(numbers(new)).is_some_and(|(old, new)| new > old)
}

/// Whether everything that the new text allows was allowed by the old one: the same, a wildcard's
/// part, or a network within the network.
fn covers(old: &str, new: &str) -> bool {
    if old == new {
        return true;
    }
    if let (Some(old), Some(new)) = (network(old), network(new)) {
        return within(new, old);
    }
    // Only an action of the same service: a wildcard in a resource or a name says less.
    match old.strip_suffix('*') {
        Some(start) => {
            start.ends_with(':') && new.starts_with(start) && new.len() > start.len() && !new.contains(['*', '?'])
        }
        None => false,
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let (address, bits) = (address.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?);
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

fn within(inner: (IpAddr, u8), outer: (IpAddr, u8)) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width.saturating_sub(u32::from(outer.1));
        a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
    };
    inner.1 >= outer.1
        && match (inner.0, outer.0) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
}

/// Whether two expressions are the same but for texts and flat lists of texts, each of which the
/// old one covers. Where something is denied, less is more: then nothing may change.
fn narrows(before: &[String], after: &[String]) -> bool {
    let denies = |tokens: &[String]| {
        tokens.iter().any(|token| {
            matches!(
                token.as_str(),
                "\"Deny\"" | "NotAction" | "NotResource" | "NotPrincipal" | "Condition"
            )
        })
    };
    if denies(before) || denies(after) {
        return false;
    }
    let ((old_frame, old), (new_frame, new)) = (frame(before), frame(after));
    let fits = |(old, new): (&Vec<&str>, &Vec<&str>)| {
        new.iter().all(|new| old.iter().any(|old| covers(old, new)))
            && (new.is_empty() == old.is_empty() || old.len() > 1)
    };
    old_frame == new_frame && old.len() == new.len() && old.iter().zip(&new).all(fits)
}

/// The expression without its texts and flat lists, and these in order.
fn frame(tokens: &[String]) -> (Vec<&str>, Vec<Vec<&str>>) {
    let (mut frame, mut groups) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        let end = rest.iter().position(|token| token == "]").filter(|_| token == "[");
        let flat = end.and_then(|end| {
            let inner = rest.get(..end)?;
            let plain =
                |token: &&String| matches!(token.as_str(), "," | "\n") || (unquoted(token).is_some() && !refers(token));
            inner
                .iter()
                .all(|token| plain(&token))
                .then(|| (end, inner.iter().filter_map(|token| unquoted(token)).collect()))
        });
        match (flat, unquoted(token).filter(|_| !refers(token))) {
            (Some((end, list)), _) => {
                frame.push("[]");
                groups.push(list);
                at += end + 1;
            }
            (None, Some(text)) => {
                frame.push("\"\"");
                groups.push(vec![text]);
            }
            (None, None) => frame.push(token.as_str()),
        }
        at += 1;
    }
    frame.retain(|token| *token != "\n");
    (frame, groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::hcl;

    fn allowed(before: &str, after: &str) -> bool {
        check("a.b", &hcl::parse(before).unwrap(), &hcl::parse(after).unwrap()).is_ok()
    }

    #[test]
    fn narrowing_and_switching_protection_on_pass() {
        for (before, after) in [
            ("storage_encrypted = false\n", "storage_encrypted = true\n"),
            ("", "deletion_protection = true\n"),
            ("publicly_accessible = true\n", "publicly_accessible = false\n"),
            ("retention_in_days = 7\n", "retention_in_days = 30\n"),
            ("cidr_blocks = [\"0.0.0.0/0\"]\n", "cidr_blocks = [\"10.0.0.0/8\"]\n"),
            (
                "policy = jsonencode({ Action = [\"kms:*\"] })\n",
                "policy = jsonencode({ Action = [\"kms:Decrypt\"] })\n",
            ),
            ("acl = \"public-read\"\n", "acl = \"private\"\n"),
            ("engine_version = \"14.9\"\n", "engine_version = \"14.10\"\n"),
            ("", "versioning {\n  enabled = true\n}\n"),
            ("lifecycle {\n  ignore_changes = [ingress]\n}\n", ""),
        ] {
            assert!(allowed(before, after), "{before} {after}");
        }
    }

    #[test]
    fn widening_and_switching_protection_off_do_not() {
        for (before, after) in [
            ("storage_encrypted = true\n", "storage_encrypted = false\n"),
            ("storage_encrypted = true\n", ""),
            ("storage_encrypted = true\n", "storage_encrypted = var.x\n"),
            ("retention_in_days = 30\n", "retention_in_days = 1\n"),
            ("cidr_blocks = [\"10.0.0.0/8\"]\n", "cidr_blocks = [\"0.0.0.0/0\"]\n"),
            ("cidr_blocks = [\"10.0.0.0/8\"]\n", "cidr_blocks = [\"11.0.0.0/9\"]\n"),
            (
                "cidr_blocks = [\"10.0.0.0/8\"]\n",
                "cidr_blocks = [\"10.0.0.0/8\", \"::/0\"]\n",
            ),
            (
                "policy = jsonencode({ Action = [\"kms:Decrypt\"] })\n",
                "policy = jsonencode({ Action = [\"kms:*\"] })\n",
            ),
            (
                "policy = jsonencode({ Resource = [\"*\"] })\n",
                "policy = jsonencode({ Resource = [\"x\"] })\n",
            ),
            (
                "policy = jsonencode({ Effect = \"Deny\", Action = [\"a:*\"] })\n",
                "policy = jsonencode({ Effect = \"Deny\", Action = [\"a:b\"] })\n",
            ),
            ("acl = \"private\"\n", "acl = \"public-read\"\n"),
            ("deletion_window_in_days = 30\n", "deletion_window_in_days = 7\n"),
            ("", "deletion_window_in_days = 7\n"),
            (
                "readonly_root_filesystem = true\n",
                "readonly_root_filesystem = false\n",
            ),
            ("encryption_context = 3\n", "encryption_context = 4\n"),
            ("to_port = 443\n", "to_port = 65535\n"),
            ("", "ingress {\n  from_port = 0\n}\n"),
            ("versioning {\n  enabled = true\n}\n", ""),
            ("lifecycle {\n  prevent_destroy = true\n}\n", ""),
            ("role = \"a\"\n", "role = \"b\"\n"),
            ("min_tls_version = \"TLS1_3\"\n", "min_tls_version = \"TLS1_2\"\n"),
        ] {
            assert!(!allowed(before, after), "{before} {after}");
        }
    }
}
