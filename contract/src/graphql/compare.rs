//! What changed between two schemas, as graphql-js tells it.

use std::collections::BTreeMap;

use super::schema::{Directive, Field, Input, Kind, STANDARD_SCALARS, Schema, Type, TypeRef};
use super::table::level;
use super::values::{coerce, printed};
use crate::Change;

/// Two schemas under comparison.
pub(super) struct Comparison<'a> {
    old: &'a Schema,
    new: &'a Schema,
    pub changes: Vec<Change>,
}

/// An argument or a field of an input type that is on both sides.
struct Given<'a> {
    old: &'a Input,
    new: &'a Input,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(old: &'a Schema, new: &'a Schema) -> Self {
        Self {
            old,
            new,
            changes: Vec::new(),
        }
    }

    pub(super) fn run(&mut self) {
        self.roots();
        let (old, new) = (self.old, self.new);
        for (name, ty) in &old.types {
            match new.types.get(name) {
                Some(other) => self.ty(name, ty, other),
                None if STANDARD_SCALARS.contains(&name.as_str()) => {
                    let text = format!("Standard scalar {name} was removed because it is not referenced anymore.");
                    self.add("TYPE_REMOVED", name, text);
                }
                None => self.add("TYPE_REMOVED", name, format!("{name} was removed.")),
            }
        }
        for name in new.types.keys().filter(|name| !old.types.contains_key(*name)) {
            self.add("TYPE_ADDED", name, format!("{name} was added."));
        }
        for (name, directive) in &old.directives {
            match new.directives.get(name) {
                Some(other) => self.directive(name, directive, other),
                None => self.add("DIRECTIVE_REMOVED", &format!("@{name}"), format!("{name} was removed.")),
            }
        }
        for name in new.directives.keys().filter(|name| !old.directives.contains_key(*name)) {
            self.add("DIRECTIVE_ADDED", &format!("@{name}"), format!("{name} was added."));
        }
    }

    /// A change at a coordinate: `Type`, `Type.field`, `Type.field(argument:)`, `@directive(argument:)`.
    fn add(&mut self, rule: &str, coordinate: &str, text: String) {
        let ty = coordinate.split(['.', '(']).next().unwrap_or(coordinate);
        self.changes.push(Change {
            rule: rule.to_owned(),
            level: level(rule),
            operation: String::new(),
            path: ty.to_owned(),
            location: coordinate.to_owned(),
            text,
            line: None,
            file: None,
            in_base: false,
            categories: Vec::new(),
        });
    }

    fn roots(&mut self) {
        let (old, new) = (self.old, self.new);
        for (operation, before) in &old.roots {
            match new.roots.get(operation) {
                Some(after) if after == before => {}
                Some(after) => {
                    let text = format!("The {operation} type changed from {before} to {after}.");
                    self.add("ROOT_TYPE_CHANGED", before, text);
                }
                // That the type is gone says it already.
                None if !new.types.contains_key(before) => {}
                None => self.add(
                    "ROOT_TYPE_REMOVED",
                    before,
                    format!("{before} is no longer the {operation} type."),
                ),
            }
        }
        for (operation, after) in new.roots.iter().filter(|(name, _)| !old.roots.contains_key(*name)) {
            self.add("ROOT_TYPE_ADDED", after, format!("{after} is the {operation} type."));
        }
    }

    fn ty(&mut self, name: &str, old: &Type, new: &Type) {
        if old.kind != new.kind {
            let (before, after) = (old.kind.as_str(), new.kind.as_str());
            self.add(
                "TYPE_CHANGED_KIND",
                name,
                format!("{name} changed from {before} to {after}."),
            );
            return;
        }
        match old.kind {
            Kind::Scalar => {}
            Kind::Enum => self.values(name, old, new),
            Kind::Union => {
                for member in new.members.difference(&old.members) {
                    let text = format!("{member} was added to union type {name}.");
                    self.add("TYPE_ADDED_TO_UNION", name, text);
                }
                for member in old.members.difference(&new.members) {
                    let text = format!("{member} was removed from union type {name}.");
                    self.add("TYPE_REMOVED_FROM_UNION", name, text);
                }
            }
            Kind::Input => self.inputs(name, old, new),
            Kind::Object | Kind::Interface => {
                self.fields(name, old, new);
                for interface in new.interfaces.difference(&old.interfaces) {
                    let text = format!("{interface} added to interfaces implemented by {name}.");
                    self.add("IMPLEMENTED_INTERFACE_ADDED", name, text);
                }
                for interface in old.interfaces.difference(&new.interfaces) {
                    let text = format!("{name} no longer implements interface {interface}.");
                    self.add("IMPLEMENTED_INTERFACE_REMOVED", name, text);
                }
            }
        }
    }

    fn values(&mut self, name: &str, old: &Type, new: &Type) {
        for (value, deprecated) in &new.values {
            let place = format!("{name}.{value}");
            match old.values.get(value) {
                Some(before) => self.deprecation(&place, *before, *deprecated),
                None => self.add(
                    "VALUE_ADDED_TO_ENUM",
                    &place,
                    format!("{value} was added to enum type {name}."),
                ),
            }
        }
        for value in old.values.keys().filter(|value| !new.values.contains_key(*value)) {
            let text = format!("{value} was removed from enum type {name}.");
            self.add("VALUE_REMOVED_FROM_ENUM", &format!("{name}.{value}"), text);
        }
    }

    fn deprecation(&mut self, place: &str, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.add("DEPRECATION_ADDED", place, format!("{place} is deprecated.")),
            (true, false) => self.add(
                "DEPRECATION_REMOVED",
                place,
                format!("{place} is no longer deprecated."),
            ),
            _ => {}
        }
    }

    fn inputs(&mut self, ty: &str, old: &Type, new: &Type) {
        match (old.one_of, new.one_of) {
            (false, true) => self.add(
                "ONE_OF_ADDED",
                ty,
                format!("Input type {ty} takes exactly one of its fields."),
            ),
            (true, false) => self.add(
                "ONE_OF_REMOVED",
                ty,
                format!("Input type {ty} takes several of its fields."),
            ),
            _ => {}
        }
        for (name, field) in &new.inputs {
            if old.inputs.contains_key(name) {
                continue;
            }
            let (rule, what) = if is_required(field, self.new) {
                ("REQUIRED_INPUT_FIELD_ADDED", "A required")
            } else {
                ("OPTIONAL_INPUT_FIELD_ADDED", "An optional")
            };
            let text = format!("{what} field {name} on input type {ty} was added.");
            self.add(rule, &format!("{ty}.{name}"), text);
        }
        for (name, before) in &old.inputs {
            let place = format!("{ty}.{name}");
            let Some(after) = new.inputs.get(name) else {
                self.add("FIELD_REMOVED", &place, format!("{place} was removed."));
                continue;
            };
            let safe = is_safe_input(&before.ty, &after.ty);
            self.changed_type(
                "FIELD",
                &place,
                (&before.ty, &after.ty),
                safe,
                &format!("{place} changed type"),
            );
            let given = Given {
                old: before,
                new: after,
            };
            if let (true, Some(text)) = (safe, self.default_change(&given)) {
                self.add("INPUT_FIELD_DEFAULT_VALUE_CHANGE", &place, format!("{place} {text}."));
                self.became_required("INPUT_FIELD", &place, &given);
            }
        }
    }

    fn changed_type(&mut self, what: &str, place: &str, types: (&TypeRef, &TypeRef), safe: bool, text: &str) {
        let (before, after) = types;
        if before == after {
            return;
        }
        let rule = if safe {
            format!("{what}_CHANGED_KIND_SAFE")
        } else {
            format!("{what}_CHANGED_KIND")
        };
        self.add(&rule, place, format!("{text} from {before} to {after}."));
    }

    fn fields(&mut self, ty: &str, old: &Type, new: &Type) {
        for (name, before) in &old.fields {
            let place = format!("{ty}.{name}");
            let Some(after) = new.fields.get(name) else {
                self.add("FIELD_REMOVED", &place, format!("{place} was removed."));
                continue;
            };
            self.arguments(&place, before, after);
            let safe = is_safe_output(&before.ty, &after.ty);
            self.changed_type(
                "FIELD",
                &place,
                (&before.ty, &after.ty),
                safe,
                &format!("{place} changed type"),
            );
            self.deprecation(&place, before.deprecated, after.deprecated);
        }
        for name in new.fields.keys().filter(|name| !old.fields.contains_key(*name)) {
            let place = format!("{ty}.{name}");
            self.add("FIELD_ADDED", &place, format!("{place} was added."));
        }
    }

    fn arguments(&mut self, field: &str, old: &Field, new: &Field) {
        for (name, before) in &old.arguments {
            let place = format!("{field}({name}:)");
            let text = format!("{field} arg {name}");
            let Some(after) = new.arguments.get(name) else {
                self.add("ARG_REMOVED", &place, format!("{text} was removed."));
                continue;
            };
            let safe = is_safe_input(&before.ty, &after.ty);
            let types = (&before.ty, &after.ty);
            self.changed_type("ARG", &place, types, safe, &format!("{text} has changed type"));
            let given = Given {
                old: before,
                new: after,
            };
            if let (true, Some(change)) = (safe, self.default_change(&given)) {
                let added = change.starts_with(ADDED);
                let rule = if added {
                    "ARG_DEFAULT_VALUE_ADDED"
                } else {
                    "ARG_DEFAULT_VALUE_CHANGE"
                };
                self.add(rule, &place, format!("{text} {change}."));
                self.became_required("ARG", &place, &given);
            }
        }
        for (name, argument) in new
            .arguments
            .iter()
            .filter(|(name, _)| !old.arguments.contains_key(*name))
        {
            let (rule, what) = if is_required(argument, self.new) {
                ("REQUIRED_ARG_ADDED", "A required")
            } else {
                ("OPTIONAL_ARG_ADDED", "An optional")
            };
            let text = format!("{what} arg {name} on {field} was added.");
            self.add(rule, &format!("{field}({name}:)"), text);
        }
    }

    /// What lost its default and may not be null must be given.
    fn became_required(&mut self, what: &str, place: &str, given: &Given<'_>) {
        if is_required(given.new, self.new) && !is_required(given.old, self.old) {
            self.add(
                &format!("{what}_BECAME_REQUIRED"),
                place,
                format!("{place} must be given."),
            );
        }
    }

    /// How a default changed, in the values that introspection shows.
    fn default_change(&self, given: &Given<'_>) -> Option<String> {
        let shown = |input: &Input, schema: &Schema| {
            let value = coerce(input.default.as_ref()?, &input.ty, schema)?;
            Some(printed(&value, &input.ty, schema))
        };
        match (shown(given.old, self.old), shown(given.new, self.new)) {
            (Some(_), None) => Some("defaultValue was removed".to_owned()),
            (None, Some(after)) => Some(format!("{ADDED} {after}")),
            (Some(before), Some(after)) if before != after => {
                Some(format!("has changed defaultValue from {before} to {after}"))
            }
            _ => None,
        }
    }

    fn directive(&mut self, name: &str, old: &Directive, new: &Directive) {
        let place = format!("@{name}");
        let argument = |argument: &String| format!("@{name}({argument}:)");
        let only = |one: &BTreeMap<String, Input>, other: &BTreeMap<String, Input>| -> Vec<(String, Input)> {
            let missing = one.iter().filter(|(name, _)| !other.contains_key(*name));
            missing.map(|(name, input)| (name.clone(), input.clone())).collect()
        };
        for (added, input) in only(&new.arguments, &old.arguments) {
            let (rule, what) = if is_required(&input, self.new) {
                ("REQUIRED_DIRECTIVE_ARG_ADDED", "A required")
            } else {
                ("OPTIONAL_DIRECTIVE_ARG_ADDED", "An optional")
            };
            let text = format!("{what} arg {added} on directive {name} was added.");
            self.add(rule, &argument(&added), text);
        }
        for (removed, _) in only(&old.arguments, &new.arguments) {
            let text = format!("{removed} was removed from {name}.");
            self.add("DIRECTIVE_ARG_REMOVED", &argument(&removed), text);
        }
        match (old.repeatable, new.repeatable) {
            (true, false) => {
                let text = format!("Repeatable flag was removed from {name}.");
                self.add("DIRECTIVE_REPEATABLE_REMOVED", &place, text);
            }
            (false, true) => {
                let text = format!("Repeatable flag was added to {name}.");
                self.add("DIRECTIVE_REPEATABLE_ADDED", &place, text);
            }
            _ => {}
        }
        for location in old.locations.difference(&new.locations) {
            let text = format!("{location} was removed from {name}.");
            self.add("DIRECTIVE_LOCATION_REMOVED", &place, text);
        }
        for location in new.locations.difference(&old.locations) {
            let text = format!("{location} was added to {name}.");
            self.add("DIRECTIVE_LOCATION_ADDED", &place, text);
        }
    }
}

/// How the text of a default that is new begins.
const ADDED: &str = "has defaultValue";

/// Whether it must be given: it may be neither null nor left out.
fn is_required(input: &Input, schema: &Schema) -> bool {
    let default = input.default.as_ref();
    input.ty.is_non_null() && default.and_then(|value| coerce(value, &input.ty, schema)).is_none()
}

/// Whether answers of the new type are answers of the old one: it may promise more.
fn is_safe_output(old: &TypeRef, new: &TypeRef) -> bool {
    match (old, new) {
        (TypeRef::NonNull(old), TypeRef::NonNull(new)) | (TypeRef::List(old), TypeRef::List(new)) => {
            is_safe_output(old, new)
        }
        (TypeRef::NonNull(_), _) => false,
        (old, TypeRef::NonNull(new)) => is_safe_output(old, new),
        (TypeRef::Named(old), TypeRef::Named(new)) => old == new,
        _ => false,
    }
}

/// Whether all that could be given can still be given: it may demand less.
fn is_safe_input(old: &TypeRef, new: &TypeRef) -> bool {
    match (old, new) {
        (TypeRef::NonNull(old), TypeRef::NonNull(new)) | (TypeRef::List(old), TypeRef::List(new)) => {
            is_safe_input(old, new)
        }
        (_, TypeRef::NonNull(_)) => false,
        (TypeRef::NonNull(old), new) => is_safe_input(old, new),
        (TypeRef::Named(old), TypeRef::Named(new)) => old == new,
        _ => false,
    }
}
