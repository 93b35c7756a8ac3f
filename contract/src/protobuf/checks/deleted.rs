//! Declarations that are gone from their file, or from their package.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checks, Finding, quoted};
use crate::protobuf::index::{In, Index, nested_name};
use crate::protobuf::model::{File, Message};

/// A kind of declaration: its word, and the rules for its file and for its package.
struct Kind {
    word: &'static str,
    of_file: &'static str,
    of_package: &'static str,
    /// Whether it stands below messages, and whether the package needs another of the kind to be looked at: buf
    /// skips packages that have lost all their enums, extensions or messages, but not those that lost all services.
    nested: bool,
}

const ENUM: Kind = Kind {
    word: "enum",
    of_file: "ENUM_NO_DELETE",
    of_package: "PACKAGE_ENUM_NO_DELETE",
    nested: true,
};
const EXTENSION: Kind = Kind {
    word: "extension",
    of_file: "EXTENSION_NO_DELETE",
    of_package: "PACKAGE_EXTENSION_NO_DELETE",
    nested: true,
};
const MESSAGE: Kind = Kind {
    word: "message",
    of_file: "MESSAGE_NO_DELETE",
    of_package: "PACKAGE_MESSAGE_NO_DELETE",
    nested: true,
};
const SERVICE: Kind = Kind {
    word: "service",
    of_file: "SERVICE_NO_DELETE",
    of_package: "PACKAGE_SERVICE_NO_DELETE",
    nested: false,
};

/// Full name, file and line of each declaration of a kind.
type Places<'a> = Vec<(&'a str, &'a File, usize)>;

impl<'a> Checks<'a> {
    pub(super) fn deleted(&mut self) {
        fn places<'a, T>(all: &BTreeMap<&'a str, In<'a, T>>, line: impl Fn(&T) -> usize) -> Places<'a> {
            all.iter()
                .map(|(name, found)| (*name, found.file, line(found.item)))
                .collect()
        }
        let (old, new) = (&self.base, &self.revision);
        let mut found = Vec::new();
        for (kind, before, after) in [
            (
                ENUM,
                places(&old.enums, |item| item.line),
                places(&new.enums, |item| item.line),
            ),
            (
                EXTENSION,
                places(&old.extensions, |item| item.line),
                places(&new.extensions, |item| item.line),
            ),
            (
                MESSAGE,
                places(&old.messages, |item| item.line),
                places(&new.messages, |item| item.line),
            ),
            (
                SERVICE,
                places(&old.services, |item| item.line),
                places(&new.services, |item| item.line),
            ),
        ] {
            deleted(&kind, &before, &after, new, &mut found);
        }
        self.findings.append(&mut found);
    }
}

fn deleted<'a>(
    kind: &Kind,
    before: &Places<'a>,
    after: &Places<'a>,
    revision: &Index<'a>,
    found: &mut Vec<Finding<'a>>,
) {
    let by_file: BTreeSet<(&str, &str)> = after
        .iter()
        .map(|(name, file, _)| (file.path.as_str(), nested_name(file, name)))
        .collect();
    let by_package: BTreeSet<(&str, &str)> = after
        .iter()
        .map(|(name, file, _)| (file.package.as_str(), nested_name(file, name)))
        .collect();
    let packages: BTreeSet<&str> = by_package.iter().map(|(package, _)| *package).collect();
    for &(full_name, base_file, base_line) in before {
        let name = nested_name(base_file, full_name);
        let file = revision.files.get(base_file.path.as_str()).copied();
        let parents = surviving_parents(revision, base_file, name);
        let parent = parents
            .iter()
            .find(|parent| parent.file.path == base_file.path && kind.nested);
        let finding = |rule, parent: Option<&In<'a, Message>>, text| Finding {
            rule,
            file: parent.map(|parent| parent.file).or(file),
            base_file: Some(base_file),
            line: parent
                .map(|parent| parent.item.line)
                .or(Some(base_line).filter(|line| *line > 0)),
            location: full_name.to_owned(),
            text,
        };
        if file.is_some() && !by_file.contains(&(base_file.path.as_str(), name)) {
            let text = format!(
                "Previously present {} {} was deleted from file.",
                kind.word,
                quoted(name)
            );
            found.push(finding(kind.of_file, parent, text));
        }
        let package = base_file.package.as_str();
        let looked_at = if kind.nested {
            packages.contains(package)
        } else {
            revision.packages.contains_key(package)
        };
        if looked_at && !by_package.contains(&(package, name)) {
            let (word, name, package) = (kind.word, quoted(name), quoted(package));
            let text = format!("Previously present {word} {name} was deleted from package {package}.");
            // Of a message, what is left of it in the package is looked for in all files.
            let anywhere = parents.first().filter(|_| kind.word == MESSAGE.word && file.is_some());
            found.push(finding(kind.of_package, anywhere.or(parent), text));
        }
    }
}

/// The messages around a name that the revision still has, the innermost first.
fn surviving_parents<'a>(revision: &Index<'a>, file: &File, name: &str) -> Vec<In<'a, Message>> {
    let mut found = Vec::new();
    let mut rest = name;
    while let Some((outer, _)) = rest.rsplit_once('.') {
        let full_name = if file.package.is_empty() {
            outer.to_owned()
        } else {
            format!("{}.{outer}", file.package)
        };
        found.extend(revision.messages.get(full_name.as_str()));
        rest = outer;
    }
    found
}
