//! Types and formats: which values of the one are values of the other.

use std::collections::{BTreeMap, BTreeSet};

use super::view::View;
use crate::tree::{NodeId, Sym, word};

/// How a set of values stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Every value of the first is one of the second.
    Within,
    /// Where values travel as plain text, every value of the first reads as one of the second.
    AsText,
    /// Some value of the first isn't one of the second.
    Not,
}

/// What happened to type and format: how the old values fit into the new ones, and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeChange {
    /// Old values under the new type.
    pub(crate) forth: Fit,
    /// New values under the old type.
    pub(crate) back: Fit,
}

/// Formats whose values are values of another format (OpenAPI format registry; `bigint` is oasdiff's).
const FORMATS: [(&str, &str); 6] = [
    ("int32", "int64"),
    ("int32", "bigint"),
    ("int64", "bigint"),
    ("float", "double"),
    ("date", "date-time"),
    ("time", "date-time"),
];

/// Whether each type of the first set is one of the second; every integer is a number, and no type is any type.
fn contained(small: &BTreeSet<&str>, large: &BTreeSet<&str>) -> bool {
    let has = |name: &&str| large.contains(name) || (*name == "integer" && large.contains("number"));
    large.is_empty() || (!small.is_empty() && small.iter().all(has))
}

fn fit(from: &Side<'_>, to: &Side<'_>) -> Fit {
    let formats = match (from.format, to.format) {
        _ if to.types.is_empty() && !from.types.is_empty() => true,
        (_, None) => true,
        (Some(a), Some(b)) => a == b || FORMATS.contains(&(a, b)),
        (None, Some(_)) => false,
    };
    if !formats {
        return Fit::Not;
    }
    if contained(&from.types, &to.types) {
        return Fit::Within;
    }
    // Text carries anything: `1` is a number and a text.
    if to.types.contains("string") {
        Fit::AsText
    } else {
        Fit::Not
    }
}

struct Side<'v> {
    types: BTreeSet<&'v str>,
    format: Option<&'v str>,
}

impl<'v> Side<'v> {
    fn of(view: &View<'v>) -> Self {
        Self {
            types: effective(view),
            format: view.text(word::FORMAT),
        }
    }

    fn show(&self) -> String {
        let names = match self.types.is_empty() {
            true => "any type".to_owned(),
            false => self.types.iter().copied().collect::<Vec<_>>().join(" or "),
        };
        match self.format {
            Some(format) => format!("{names} ({})", format.escape_debug()),
            None => names,
        }
    }
}

/// Choices within choices that are looked into for types; what lies deeper may be of any type.
const MAX_CHOICES: usize = 8;

/// The types of a schema, or where it names none, of its alternatives, which may be choices themselves.
pub(super) fn effective<'v>(view: &View<'v>) -> BTreeSet<&'v str> {
    effective_within(view, MAX_CHOICES)
}

fn effective_within<'v>(view: &View<'v>, choices: usize) -> BTreeSet<&'v str> {
    let types = view.types();
    if !types.is_empty() || view.get(word::TYPE).is_some() || choices == 0 {
        return types;
    }
    let mut found = BTreeSet::new();
    for keyword in [word::ONE_OF, word::ANY_OF] {
        for schema in view.alternatives(keyword) {
            let types = effective_within(&View::one(view.bundle, schema), choices - 1);
            if types.is_empty() {
                return types;
            }
            found.extend(types);
        }
    }
    found
}

/// Formats that OpenAPI 3.1 writes as another keyword (OpenAPI 3.1 §4.7.14.3): format, keyword, its value.
const RENAMED: [(&str, Sym, &str); 2] = [
    ("binary", word::CONTENT_MEDIA_TYPE, "application/octet-stream"),
    ("byte", word::CONTENT_ENCODING, "base64"),
];

/// The keyword that one side writes instead of a format of the other.
pub(super) fn renamed_format(old: &View<'_>, new: &View<'_>) -> Option<Sym> {
    let moved = |from: &View<'_>, to: &View<'_>| {
        let mut rows = RENAMED.into_iter();
        rows.find(|(format, keyword, value)| {
            from.text(word::FORMAT) == Some(format)
                && from.get(*keyword).is_none()
                && to.text(*keyword) == Some(value)
                && to.get(word::FORMAT).is_none()
        })
    };
    moved(old, new)
        .or_else(|| moved(new, old))
        .map(|(_, keyword, _)| keyword)
}

/// Compares type and format; nothing where they are the same.
pub(super) fn compare(old: &View<'_>, new: &View<'_>) -> Option<(TypeChange, String)> {
    let renamed = renamed_format(old, new);
    let (mut old, mut new) = (Side::of(old), Side::of(new));
    if let Some(keyword) = renamed {
        (old.format, new.format) = (None, None);
        // Bytes need no type in 3.1.
        if keyword == word::CONTENT_MEDIA_TYPE && (old.types.is_empty() || new.types.is_empty()) {
            return None;
        }
    }
    if old.types == new.types && old.format == new.format {
        return None;
    }
    let change = TypeChange {
        forth: fit(&old, &new),
        back: fit(&new, &old),
    };
    // Every integer is a number: naming both says nothing more.
    if change.forth == Fit::Within && change.back == Fit::Within {
        return None;
    }
    Some((change, format!("the type was {}, is {}", old.show(), new.show())))
}

/// A schema that is a type, or a choice among schemas of one type each.
pub(super) struct Types<'v> {
    pub(super) types: BTreeSet<&'v str>,
    /// The schema of each type, where it is a choice.
    pub(super) members: BTreeMap<&'v str, NodeId>,
    /// Whether it is a choice.
    pub(super) is_choice: bool,
}

/// Keywords of a schema that says nothing but its type.
const MERE: [Sym; 6] = [
    word::TYPE,
    word::TITLE,
    word::DEFAULT,
    word::READ_ONLY,
    word::WRITE_ONLY,
    word::DEPRECATED,
];

/// Whether a schema says nothing but its type.
pub(super) fn is_mere(view: &View<'_>) -> bool {
    view.keywords().all(|keyword| MERE.contains(&keyword))
}

/// The types of a schema that is a type or a choice among such; nothing for other schemas. Of a choice each type has
/// one schema, or several that say nothing else.
pub(super) fn list_of_types<'v>(view: &View<'v>) -> Option<Types<'v>> {
    let complex = [word::NOT, word::PROPERTIES];
    if complex.into_iter().any(|keyword| view.get(keyword).is_some()) {
        return None;
    }
    let types = view.types();
    if !types.is_empty() {
        return Some(Types {
            types,
            members: BTreeMap::new(),
            is_choice: false,
        });
    }
    let mut members: BTreeMap<&str, NodeId> = BTreeMap::new();
    for keyword in [word::ONE_OF, word::ANY_OF] {
        for schema in view.alternatives(keyword) {
            let inner = View::one(view.bundle, schema);
            let nested = [word::PROPERTIES, word::ONE_OF, word::ANY_OF];
            if nested.into_iter().any(|keyword| inner.get(keyword).is_some()) {
                return None;
            }
            let mut types = inner.types().into_iter();
            let (Some(only), None) = (types.next(), types.next()) else {
                return None;
            };
            let twin = members.insert(only, schema);
            if twin.is_some_and(|twin| !is_mere(&inner) || !is_mere(&View::one(view.bundle, twin))) {
                return None;
            }
        }
    }
    (!members.is_empty()).then(|| Types {
        types: members.keys().copied().collect(),
        members,
        is_choice: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side<'v>(types: &[&'v str], format: Option<&'v str>) -> Side<'v> {
        Side {
            types: types.iter().copied().collect(),
            format,
        }
    }

    #[test]
    fn types_and_formats_fit_one_way_or_both() {
        for (from, to, expected) in [
            (side(&["integer"], None), side(&["number"], None), Fit::Within),
            (side(&["number"], None), side(&["integer"], None), Fit::Not),
            (
                side(&["integer"], Some("int32")),
                side(&["integer"], Some("int64")),
                Fit::Within,
            ),
            (
                side(&["integer"], Some("int64")),
                side(&["integer"], Some("int32")),
                Fit::Not,
            ),
            (side(&["string"], None), side(&["string"], Some("date")), Fit::Not),
            (side(&["string"], Some("date")), side(&["string"], None), Fit::Within),
            (side(&["string"], None), side(&[], None), Fit::Within),
            (side(&[], None), side(&["string"], None), Fit::AsText),
            (side(&["object"], None), side(&["string"], None), Fit::AsText),
            (side(&["string"], None), side(&["object"], None), Fit::Not),
            (side(&["string", "integer"], None), side(&["string"], None), Fit::AsText),
        ] {
            assert_eq!(fit(&from, &to), expected, "{} -> {}", from.show(), to.show());
        }
    }
}
