//! `pom.xml`, and .NET's project files and central package lists.

use holdpoint_schemas::fix::{DependencyScope, Upgrade};
use roxmltree::{Document, Node, ParsingOptions};

use super::{UNREADABLE, is_version, upgrade};
use crate::classify::FileView;

/// Most nodes of a document.
const MAX_NODES: u32 = 500_000;
/// Deepest nesting: no real manifest comes near.
const MAX_DEPTH: usize = 64;

fn parse(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|_| UNREADABLE.to_owned())
}

pub(super) fn maven(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (parse(before)?, parse(after)?);
    let mut upgrades = Vec::new();
    walk(
        before.root_element(),
        after.root_element(),
        0,
        &mut upgrades,
        maven_version,
    )?;
    Ok(upgrades)
}

pub(super) fn dotnet(_: &FileView<'_>, before: &str, after: &str) -> Result<Vec<Upgrade>, String> {
    let (before, after) = (parse(before)?, parse(after)?);
    let mut upgrades = Vec::new();
    walk(
        before.root_element(),
        after.root_element(),
        0,
        &mut upgrades,
        dotnet_version,
    )?;
    Ok(upgrades)
}

/// The package whose version this element's text or attribute is.
type Owner = fn(Node<'_, '_>, Option<&str>) -> Option<(String, DependencyScope, &'static str)>;

/// Goes through both trees at once: elements, attributes and texts must agree but for versions.
fn walk(
    old: Node<'_, '_>,
    new: Node<'_, '_>,
    depth: usize,
    found: &mut Vec<Upgrade>,
    owner: Owner,
) -> Result<(), String> {
    let name = old.tag_name().name();
    if old.tag_name() != new.tag_name() || depth > MAX_DEPTH {
        return Err("changes its structure".to_owned());
    }
    let mut note = |attribute: Option<&str>, from: &str, to: &str| {
        let (from, to) = (from.trim(), to.trim());
        if from == to {
            return Ok(());
        }
        match owner(new, attribute).filter(|_| is_version(from) && is_version(to)) {
            Some((package, scope, ecosystem)) => {
                found.push(upgrade(ecosystem, &package, from, to, scope));
                Ok(())
            }
            None => Err(format!("changes `{name}`, which is no version of a dependency")),
        }
    };
    if old.attributes().count() != new.attributes().count() {
        return Err(format!("changes the attributes of `{name}`"));
    }
    for (old, new) in old.attributes().zip(new.attributes()) {
        if (old.namespace(), old.name()) != (new.namespace(), new.name()) {
            return Err(format!("changes the attributes of `{name}`"));
        }
        note(Some(old.name()), old.value(), new.value())?;
    }
    let children = |node: Node<'_, '_>| node.children().filter(Node::is_element).count();
    if children(old) != children(new) {
        return Err(format!("adds or removes an element of `{name}`"));
    }
    let text = |node: Node<'_, '_>| -> String {
        node.children()
            .filter(Node::is_text)
            .filter_map(|node| node.text())
            .collect()
    };
    note(None, &text(old), &text(new))?;
    let elements = |node| Node::children(&node).filter(Node::is_element);
    for (old, new) in elements(old).zip(elements(new)) {
        walk(old, new, depth + 1, found, owner)?;
    }
    Ok(())
}

fn child<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.children()
        .find(|child| child.tag_name().name() == name)?
        .text()
        .map(str::trim)
}

fn maven_version(node: Node<'_, '_>, attribute: Option<&str>) -> Option<(String, DependencyScope, &'static str)> {
    let (parent, name) = (node.parent()?, node.tag_name().name());
    if attribute.is_some() {
        return None;
    }
    match (parent.tag_name().name(), name) {
        ("dependency" | "parent" | "plugin" | "extension", "version") => {
            let package = format!(
                "{}:{}",
                child(parent, "groupId").unwrap_or("org.apache.maven.plugins"),
                child(parent, "artifactId")?
            );
            let dev = child(parent, "scope") == Some("test");
            Some((
                package,
                if dev {
                    DependencyScope::Dev
                } else {
                    DependencyScope::Runtime
                },
                "maven",
            ))
        }
        ("properties", property) => {
            let stem = property
                .strip_suffix(".version")
                .or(property.strip_suffix("-version"))
                .or(property.strip_prefix("version."))?;
            // These choose a language or the repo's own version.
            let own = matches!(
                stem,
                "java" | "project" | "revision" | "kotlin" | "scala" | "maven.compiler"
            );
            (!own).then(|| (stem.to_owned(), DependencyScope::Runtime, "maven"))
        }
        _ => None,
    }
}

fn dotnet_version(node: Node<'_, '_>, attribute: Option<&str>) -> Option<(String, DependencyScope, &'static str)> {
    let reference = |node: Node<'_, '_>| {
        let known = matches!(
            node.tag_name().name(),
            "PackageReference" | "PackageVersion" | "GlobalPackageReference"
        );
        known.then(|| {
            node.attribute("Include")
                .or(node.attribute("Update"))
                .map(str::to_owned)
        })?
    };
    let package = match attribute {
        Some("Version") => reference(node)?,
        None if node.tag_name().name() == "Version" => reference(node.parent()?)?,
        _ => return None,
    };
    Some((package, DependencyScope::Runtime, "nuget"))
}
