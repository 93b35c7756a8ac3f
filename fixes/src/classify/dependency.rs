//! Versions of dependencies move in manifests and lockfiles, and nothing else does.

mod cargo;
mod image;
mod json;
mod lines;
mod lock;
mod npm;
mod python;
mod requirements;
mod step;
mod xml;
mod yarn;

use holdpoint_schemas::fix::{DependencyScope, FixKind, Upgrade};

use super::{FileView, Part, Recogniser};

pub(super) const RECOGNISER: Recogniser = Recogniser {
    applies: |view| reader(view).is_some(),
    read,
};

const UNREADABLE: &str = "can't be parsed on both sides";

type Reader = fn(&FileView<'_>, &str, &str) -> Result<Vec<Upgrade>, String>;

fn reader(view: &FileView<'_>) -> Option<Reader> {
    match view.name() {
        "package.json" => Some(npm::manifest),
        "package-lock.json" | "npm-shrinkwrap.json" => Some(npm::lockfile),
        "Cargo.toml" => Some(cargo::manifest),
        "Cargo.lock" => Some(cargo::lockfile),
        "poetry.lock" | "uv.lock" => Some(python::toml_lock),
        "Pipfile.lock" => Some(python::pipfile_lock),
        "pyproject.toml" => Some(python::pyproject),
        "yarn.lock" => Some(yarn::yarn),
        "pnpm-lock.yaml" => Some(yarn::pnpm),
        "go.mod" => Some(lines::go_mod),
        "go.sum" => Some(lines::go_sum),
        "build.gradle" | "build.gradle.kts" => Some(lines::gradle),
        "gradle.lockfile" => Some(lines::gradle_lock),
        "libs.versions.toml" => Some(json::gradle_catalogue),
        "pom.xml" => Some(xml::maven),
        "Directory.Packages.props" => Some(xml::dotnet),
        "packages.lock.json" => Some(json::nuget_lock),
        "Gemfile" => Some(lines::gemfile),
        "Gemfile.lock" => Some(lines::gemfile_lock),
        "composer.json" => Some(json::composer),
        "composer.lock" => Some(json::composer_lock),
        name if requirements::is_one(view.path(), name) => Some(requirements::read),
        name if name.ends_with(".csproj") || name.ends_with(".fsproj") => Some(xml::dotnet),
        name if is_dockerfile(name) => Some(image::dockerfile),
        _ => None,
    }
}

/// Whether a file describes a container image.
pub(crate) fn is_dockerfile(name: &str) -> bool {
    ["Dockerfile", "Containerfile"]
        .iter()
        .any(|known| name == *known || name.starts_with(&format!("{known}.")))
        || name.ends_with(".dockerfile")
        || name.ends_with(".Dockerfile")
}

fn read(view: &FileView<'_>) -> Result<Part, String> {
    let (before, after) = view.both()?;
    let reader = reader(view).ok_or("is no manifest")?;
    let upgrades = reader(view, before, after)?;
    let Some(first) = upgrades.first() else {
        return Err("changes no version".to_owned());
    };
    for upgrade in &upgrades {
        let versions = upgrade.from.as_deref().zip(upgrade.to.as_deref());
        // A build of one's own, or of somebody else, may hide behind a local version.
        if versions.is_some_and(|(from, to)| to.contains('+') && !from.contains('+')) {
            return Err(format!("moves `{}` to a build of its version", upgrade.package));
        }
        // An image's tag is no plain version; its reader has looked at it.
        if versions.is_some_and(|(from, to)| upgrade.ecosystem != "oci" && step::is_backward(from, to)) {
            return Err(format!("moves `{}` back, or to a pre-release", upgrade.package));
        }
    }
    let show = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
    Ok(Part {
        kind: FixKind::DependencyUpgrade,
        because: match upgrades.len() {
            1 => format!(
                "only `{}` moves, from {} to {}",
                first.package,
                show(&first.from),
                show(&first.to)
            ),
            many => format!("only versions of {many} dependencies move"),
        },
        upgrades,
    })
}

/// One upgrade per package and step: a manifest and its lockfile tell the same one. Where they
/// differ in scope, it ships.
pub(super) fn merge(upgrades: impl Iterator<Item = Upgrade>) -> Vec<Upgrade> {
    let mut merged: Vec<Upgrade> = Vec::new();
    for upgrade in upgrades {
        let same = |other: &&mut Upgrade| {
            (&other.ecosystem, &other.package, &other.from, &other.to)
                == (&upgrade.ecosystem, &upgrade.package, &upgrade.from, &upgrade.to)
        };
        match merged.iter_mut().find(same) {
            Some(known) => known.scope = known.scope.max(upgrade.scope),
            None => merged.push(upgrade),
        }
    }
    merged
}

fn upgrade(ecosystem: &str, package: &str, from: &str, to: &str, scope: DependencyScope) -> Upgrade {
    Upgrade {
        package: package.to_owned(),
        ecosystem: ecosystem.to_owned(),
        from: Some(from.to_owned()),
        to: Some(to.to_owned()),
        step: step::between(from, to),
        scope,
        skipped: step::skipped(from, to),
    }
}

/// A plain version: digits and what may follow them, so no range, URL, path or alias.
fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.len() <= 64
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_' | '!'))
}

/// Splits a requirement such as `^1.2` into operator and version, where it is that simple.
fn range(text: &str) -> Option<(&str, &str)> {
    let operator = ["^", "~", "=", ">=", ""]
        .into_iter()
        .find(|operator| text.strip_prefix(operator).is_some_and(is_version))?;
    Some((operator, text.strip_prefix(operator)?))
}

/// A requirement whose version moves and whose operator stays.
fn moved_range<'a>(place: &str, before: &'a str, after: &'a str) -> Result<(&'a str, &'a str), String> {
    match (range(before), range(after)) {
        (Some((old, from)), Some((new, to))) if old == new => Ok((from, to)),
        // What it changes to isn't shown: a URL may hold a password.
        _ => Err(format!("changes `{place}` by more than a version")),
    }
}
