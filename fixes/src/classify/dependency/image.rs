//! Base images in a Dockerfile: the tag of a `FROM` moves, and its digest with it.

use std::sync::LazyLock;

use holdpoint_schemas::fix::{DependencyScope, Upgrade};
use regex::Regex;

use super::{step, upgrade};
use crate::classify::FileView;

static FROM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?i:FROM)\s+(?P<platform>--platform=\S+\s+)?(?P<name>[a-z0-9][a-z0-9./_-]*(?::[0-9]+/[a-z0-9./_-]+)?):(?P<version>v?[0-9]+(?:\.[0-9]+)*)(?P<flavour>[-.][\w.-]*)?(?:@sha256:(?P<digest>[0-9a-f]{64}))?(?P<stage>\s+(?i:AS)\s+\S+)?\s*$").ok()
});

struct Image {
    name: String,
    version: String,
    tag: String,
    digest: Option<String>,
    /// Platform, flavour but for its numbers' values, stage: what must stay.
    rest: String,
}

fn image(line: &str) -> Option<Image> {
    let found = FROM.as_ref()?.captures(line)?;
    let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
    // Numbers may move within a flavour, but not come or go: `slim` isn't `slim1`.
    let mut flavour = String::new();
    for c in part("flavour")
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
    {
        if c != '0' || !flavour.ends_with('0') {
            flavour.push(c);
        }
    }
    Some(Image {
        name: part("name").to_owned(),
        version: part("version").to_owned(),
        tag: format!("{}{}", part("version"), part("flavour")),
        digest: found.name("digest").map(|digest| digest.as_str().to_owned()),
        rest: format!("{}|{flavour}|{}", part("platform").trim(), part("stage").trim()),
    })
}

pub(super) fn dockerfile(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    if before.contains("<<") || after.contains("<<") || after.to_lowercase().contains("escape=") {
        return Err("holds texts over several lines".to_owned());
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if old.len() != new.len() {
        return Err("adds or removes an instruction".to_owned());
    }
    let mut upgrades = Vec::new();
    let mut previous = "";
    for (old, new) in old.into_iter().zip(new) {
        let continued = previous.trim_end().ends_with('\\');
        previous = new;
        if old == new {
            continue;
        }
        let other = "changes more than the tag of a base image";
        let (Some(from), Some(to)) = (image(old), image(new)) else {
            return Err(other.to_owned());
        };
        if continued || from.name != to.name || from.rest != to.rest {
            return Err(other.to_owned());
        }
        if from.tag == to.tag {
            return Err(format!("changes the digest of `{}` but not its tag", from.name));
        }
        let moves = match (&from.digest, &to.digest) {
            (None, None) => true,
            (Some(from), Some(to)) => from != to,
            _ => false,
        };
        if !moves {
            return Err(format!("moves `{}`, but its digest doesn't move with it", from.name));
        }
        let plain = |version: &str| version.trim_start_matches('v').to_owned();
        let (low, high) = (plain(&from.version), plain(&to.version));
        let mut upgrade = upgrade("oci", &from.name, &from.tag, &to.tag, DependencyScope::Runtime);
        upgrade.step = step::between(&low, &high);
        upgrade.skipped = step::skipped(&low, &high);
        if step::is_backward(&low, &high) {
            return Err(format!("moves `{}` back", from.name));
        }
        upgrades.push(upgrade);
    }
    Ok(upgrades)
}
