//! A schema: all type and directive definitions of a side, with their extensions merged in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::values::Value;
use crate::Gap;

/// A type as it is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeRef {
    Named(String),
    List(Box<TypeRef>),
    NonNull(Box<TypeRef>),
}

impl TypeRef {
    pub(super) const fn is_non_null(&self) -> bool {
        matches!(self, Self::NonNull(_))
    }

    /// The type inside of all lists.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.name(),
        }
    }
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

/// Kind of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

impl Kind {
    /// With its article.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "a Scalar type",
            Self::Object => "an Object type",
            Self::Interface => "an Interface type",
            Self::Union => "a Union type",
            Self::Enum => "an Enum type",
            Self::Input => "an Input type",
        }
    }
}

/// An argument or a field of an input type.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub ty: TypeRef,
    /// As written.
    pub default: Option<Value>,
}

/// A field of an object or an interface.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub ty: TypeRef,
    pub arguments: BTreeMap<String, Input>,
    pub deprecated: bool,
}

/// A type with all that its extensions add. Only what its kind has is filled.
#[derive(Debug, Clone)]
pub(super) struct Type {
    pub kind: Kind,
    pub fields: BTreeMap<String, Field>,
    pub inputs: BTreeMap<String, Input>,
    pub interfaces: BTreeSet<String>,
    pub members: BTreeSet<String>,
    /// Values, and whether they are deprecated.
    pub values: BTreeMap<String, bool>,
    /// Of an input type: exactly one field must be given (`@oneOf`).
    pub one_of: bool,
}

impl Type {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            fields: BTreeMap::new(),
            inputs: BTreeMap::new(),
            interfaces: BTreeSet::new(),
            members: BTreeSet::new(),
            values: BTreeMap::new(),
            one_of: false,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Directive {
    pub arguments: BTreeMap<String, Input>,
    pub repeatable: bool,
    pub locations: BTreeSet<String>,
}

/// Everything that was declared.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub types: BTreeMap<String, Type>,
    pub directives: BTreeMap<String, Directive>,
    /// Types by operation: `query`, `mutation`, `subscription`.
    pub roots: BTreeMap<String, String>,
    /// Whether `schema { … }` stands somewhere, which says all of the roots.
    pub defined: bool,
    /// Types of which only extensions were read so far.
    pub extended: BTreeSet<String>,
    /// File and line of each `Type`, `Type.member` and `@directive`.
    pub places: BTreeMap<String, (String, usize)>,
    pub gaps: Vec<Gap>,
}

/// Scalars that every schema may use without declaring them.
pub(super) const STANDARD_SCALARS: &[&str] = &["String", "Boolean", "Int", "Float", "ID"];

/// Name, type, and whether it must be given.
type StandardArgument = (&'static str, &'static str, bool);
/// Name, arguments and places.
type StandardDirective = (&'static str, &'static [StandardArgument], &'static [&'static str]);

/// Directives that every schema has (spec.graphql.org, "Type System", Directives).
const STANDARD_DIRECTIVES: &[StandardDirective] = &[
    (
        "skip",
        &[("if", "Boolean", true)],
        &["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
    ),
    (
        "include",
        &[("if", "Boolean", true)],
        &["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
    ),
    (
        "deprecated",
        &[("reason", "String", false)],
        &[
            "FIELD_DEFINITION",
            "ARGUMENT_DEFINITION",
            "INPUT_FIELD_DEFINITION",
            "ENUM_VALUE",
        ],
    ),
    ("specifiedBy", &[("url", "String", true)], &["SCALAR"]),
    ("oneOf", &[], &["INPUT_OBJECT"]),
];

impl Schema {
    /// Adds what every schema has, and finds references that lead nowhere.
    pub(super) fn complete(&mut self) {
        for (name, arguments, locations) in STANDARD_DIRECTIVES {
            let arguments = arguments.iter().map(|(name, ty, required)| {
                let named = TypeRef::Named((*ty).to_owned());
                let ty = if *required {
                    TypeRef::NonNull(Box::new(named))
                } else {
                    named
                };
                ((*name).to_owned(), Input { ty, default: None })
            });
            let directive = Directive {
                arguments: arguments.collect(),
                repeatable: false,
                locations: locations.iter().map(|&location| location.to_owned()).collect(),
            };
            self.directives.entry((*name).to_owned()).or_insert(directive);
        }
        // What a definition of the schema leaves out isn't there (spec.graphql.org, "Default Root Operation Type Names").
        let by_name = [
            ("query", "Query"),
            ("mutation", "Mutation"),
            ("subscription", "Subscription"),
        ];
        for (operation, name) in by_name.into_iter().filter(|_| !self.defined) {
            if self.types.get(name).is_some_and(|found| found.kind == Kind::Object) {
                self.roots.entry(operation.to_owned()).or_insert(name.to_owned());
            }
        }
        let mut used = self.references();
        // Introspection itself uses these two.
        used.extend(["String".to_owned(), "Boolean".to_owned()]);
        for name in used {
            if self.types.contains_key(&name) {
                continue;
            }
            if STANDARD_SCALARS.contains(&name.as_str()) {
                self.types.insert(name, Type::new(Kind::Scalar));
            } else {
                let text = "the type is used and declared in no file".to_owned();
                self.gaps.push(Gap { place: name, text });
            }
        }
    }

    /// Names of all types that something refers to.
    fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let inputs = |inputs: &BTreeMap<String, Input>, found: &mut BTreeSet<String>| {
            found.extend(inputs.values().map(|input| input.ty.name().to_owned()));
        };
        for ty in self.types.values() {
            for field in ty.fields.values() {
                found.insert(field.ty.name().to_owned());
                inputs(&field.arguments, &mut found);
            }
            inputs(&ty.inputs, &mut found);
            found.extend(ty.interfaces.iter().cloned());
            found.extend(ty.members.iter().cloned());
        }
        for directive in self.directives.values() {
            inputs(&directive.arguments, &mut found);
        }
        found.extend(self.roots.values().cloned());
        found
    }
}
