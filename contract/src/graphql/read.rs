//! From the files of a side to one schema.

use apollo_parser::Parser;
use apollo_parser::cst::{self, CstNode, Definition};
use holdpoint_schemas::SourceError;
use std::collections::BTreeMap;

use super::schema::{Directive, Field, Input, Kind, Schema, Type, TypeRef};
use super::values::Value;
use crate::{ContractError, Gap, Sources};

/// Largest side, in bytes: the largest public schemas have below 5 MiB.
const MAX_BYTES: usize = 32 << 20;
/// Most words of a file.
const MAX_TOKENS: usize = 8_000_000;
/// Deepest nesting of types and values.
const MAX_DEPTH: usize = 100;
/// Ends of the names of files that hold a schema.
const ENDINGS: &[&str] = &[".graphql", ".graphqls", ".gql"];

/// Reads all files. Operations and fragments in them are no part of the schema.
pub(super) fn schema(sources: &dyn Sources) -> Result<Schema, ContractError> {
    let mut paths = sources.paths();
    paths.retain(|path| ENDINGS.iter().any(|ending| path.to_ascii_lowercase().ends_with(ending)));
    paths.sort();
    if paths.is_empty() {
        let error = SourceError::new(".", "there is no GraphQL schema");
        return Err(error.help("name a folder that holds `.graphql` files").into());
    }
    let mut schema = Schema::default();
    let mut bytes = 0;
    for path in paths {
        let text = sources.read(&path).map_err(|error| {
            SourceError::new(&path, error.to_string()).help("make the file readable, or leave it out of the folder")
        })?;
        bytes += text.len();
        if bytes > MAX_BYTES {
            let message = format!("the schema has more than {MAX_BYTES} bytes");
            return Err(SourceError::new(&path, message)
                .help("compare one schema at a time")
                .into());
        }
        read(&path, &text, &mut schema)?;
    }
    schema.complete();
    Ok(schema)
}

fn read(path: &str, text: &str, schema: &mut Schema) -> Result<(), ContractError> {
    let parser = Parser::new(text).recursion_limit(MAX_DEPTH).token_limit(MAX_TOKENS);
    let tree = parser.parse();
    // A file of comments alone is an empty schema, which the grammar doesn't know.
    let empty = tree.document().definitions().next().is_none();
    let mut errors = tree.errors().filter(|error| !(empty && error.is_eof()));
    if let Some(error) = errors.next() {
        let before = text.get(..error.index()).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let found = SourceError::new(path, error.message()).help("expected type definitions of GraphQL");
        return Err(crate::text::at(found, text, line, column).into());
    }
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let mut reader = Reader {
        path,
        schema,
        starts: starts.collect(),
    };
    for definition in tree.document().definitions() {
        reader.definition(&definition);
    }
    Ok(())
}

struct Reader<'a> {
    path: &'a str,
    schema: &'a mut Schema,
    /// Where the file's lines start.
    starts: Vec<usize>,
}

impl Reader<'_> {
    fn definition(&mut self, definition: &Definition) {
        match definition {
            Definition::OperationDefinition(_) | Definition::FragmentDefinition(_) => {}
            Definition::SchemaDefinition(found) => {
                self.schema.defined = true;
                self.roots(found.root_operation_type_definitions());
            }
            Definition::SchemaExtension(found) => self.roots(found.root_operation_type_definitions()),
            Definition::DirectiveDefinition(found) => self.directive(found),
            _ => self.ty(definition),
        }
    }

    fn roots(&mut self, roots: cst::CstChildren<cst::RootOperationTypeDefinition>) {
        for root in roots {
            let operation = root
                .operation_type()
                .map(|operation| operation.syntax().text().to_string());
            if let (Some(operation), Some(ty)) = (operation, root.named_type()) {
                self.schema.roots.insert(operation.trim().to_owned(), named(&ty));
            }
        }
    }

    fn directive(&mut self, found: &cst::DirectiveDefinition) {
        let locations = found.directive_locations().into_iter();
        let locations = locations.flat_map(|locations| locations.directive_locations());
        let directive = Directive {
            arguments: arguments(found.arguments_definition()),
            repeatable: found.repeatable_token().is_some(),
            locations: locations
                .filter_map(|location| Some(location.text()?.to_string()))
                .collect(),
        };
        let name = name(found.name());
        self.stands(format!("@{name}"), found.name().as_ref());
        if self.schema.directives.insert(name.clone(), directive).is_some() {
            self.twice(format!("@{name}"));
        }
    }

    /// Notes where a coordinate stands; of several places the first.
    fn stands(&mut self, coordinate: String, name: Option<&cst::Name>) {
        let Some(name) = name else { return };
        let at = usize::from(name.syntax().text_range().start());
        let line = self.starts.partition_point(|start| *start <= at);
        let place = (self.path.to_owned(), line);
        self.schema.places.entry(coordinate).or_insert(place);
    }

    /// Notes where a type and what it holds stand.
    fn places(&mut self, ty: &str, definition: &Definition) {
        self.stands(ty.to_owned(), definition.name().as_ref());
        // What it holds lies one level below, in the list of its fields or values; arguments lie deeper.
        for part in definition.syntax().children().flat_map(|list| list.children()) {
            let field = cst::FieldDefinition::cast(part.clone()).map(|field| field.name());
            let input = || cst::InputValueDefinition::cast(part.clone()).map(|input| input.name());
            let value = || cst::EnumValueDefinition::cast(part.clone()).map(|value| value.enum_value()?.name());
            if let Some(found) = field.or_else(input).or_else(value).flatten() {
                let coordinate = format!("{ty}.{}", found.text());
                self.stands(coordinate, Some(&found));
            }
        }
    }

    fn twice(&mut self, place: String) {
        let text = format!("it is declared twice; `{}` isn't the only file", self.path);
        self.schema.gaps.push(Gap { place, text });
    }

    /// A type, or an extension of one. What is extended and declared nowhere belongs to another schema of a
    /// federation; the extension is then all that this one says of it.
    fn ty(&mut self, definition: &Definition) {
        let name = name(definition.name());
        self.places(&name, definition);
        let mut read = Type::new(Kind::Scalar);
        match definition {
            Definition::ObjectTypeDefinition(found) => {
                object(
                    &mut read,
                    Kind::Object,
                    found.implements_interfaces(),
                    found.fields_definition(),
                );
            }
            Definition::ObjectTypeExtension(found) => {
                object(
                    &mut read,
                    Kind::Object,
                    found.implements_interfaces(),
                    found.fields_definition(),
                );
            }
            Definition::InterfaceTypeDefinition(found) => {
                object(
                    &mut read,
                    Kind::Interface,
                    found.implements_interfaces(),
                    found.fields_definition(),
                );
            }
            Definition::InterfaceTypeExtension(found) => {
                object(
                    &mut read,
                    Kind::Interface,
                    found.implements_interfaces(),
                    found.fields_definition(),
                );
            }
            Definition::UnionTypeDefinition(found) => union(&mut read, found.union_member_types()),
            Definition::UnionTypeExtension(found) => union(&mut read, found.union_member_types()),
            Definition::EnumTypeDefinition(found) => enumeration(&mut read, found.enum_values_definition()),
            Definition::EnumTypeExtension(found) => enumeration(&mut read, found.enum_values_definition()),
            Definition::InputObjectTypeDefinition(found) => {
                input(&mut read, found.input_fields_definition(), found.directives())
            }
            Definition::InputObjectTypeExtension(found) => {
                input(&mut read, found.input_fields_definition(), found.directives())
            }
            _ => {}
        }
        let extension = definition.is_extension_definition();
        match self.schema.types.get_mut(&name) {
            Some(known) if known.kind == read.kind => {
                known.fields.append(&mut read.fields);
                known.inputs.append(&mut read.inputs);
                known.interfaces.append(&mut read.interfaces);
                known.members.append(&mut read.members);
                known.values.append(&mut read.values);
                known.one_of |= read.one_of;
                if !extension && !self.schema.extended.remove(&name) {
                    self.twice(name);
                }
            }
            Some(_) => self.twice(name),
            None => {
                if extension {
                    self.schema.extended.insert(name.clone());
                }
                self.schema.types.insert(name, read);
            }
        }
    }
}

fn name(name: Option<cst::Name>) -> String {
    name.map(|name| name.text().to_string()).unwrap_or_default()
}

fn named(ty: &cst::NamedType) -> String {
    name(ty.name())
}

fn object(
    into: &mut Type,
    kind: Kind,
    interfaces: Option<cst::ImplementsInterfaces>,
    fields: Option<cst::FieldsDefinition>,
) {
    into.kind = kind;
    let interfaces = interfaces.into_iter().flat_map(|interfaces| interfaces.named_types());
    into.interfaces = interfaces.map(|ty| named(&ty)).collect();
    for field in fields.into_iter().flat_map(|fields| fields.field_definitions()) {
        let found = Field {
            ty: type_ref(field.ty()),
            arguments: arguments(field.arguments_definition()),
            deprecated: is_deprecated(field.directives()),
        };
        into.fields.insert(name(field.name()), found);
    }
}

fn union(into: &mut Type, members: Option<cst::UnionMemberTypes>) {
    into.kind = Kind::Union;
    let members = members.into_iter().flat_map(|members| members.named_types());
    into.members = members.map(|ty| named(&ty)).collect();
}

fn enumeration(into: &mut Type, values: Option<cst::EnumValuesDefinition>) {
    into.kind = Kind::Enum;
    for value in values.into_iter().flat_map(|values| values.enum_value_definitions()) {
        let text = name(value.enum_value().and_then(|value| value.name()));
        into.values.insert(text, is_deprecated(value.directives()));
    }
}

fn input(into: &mut Type, fields: Option<cst::InputFieldsDefinition>, directives: Option<cst::Directives>) {
    into.kind = Kind::Input;
    into.one_of = has(directives, "oneOf");
    let fields = fields.into_iter().flat_map(|fields| fields.input_value_definitions());
    into.inputs = inputs(fields);
}

fn arguments(arguments: Option<cst::ArgumentsDefinition>) -> BTreeMap<String, Input> {
    let found = arguments.into_iter();
    inputs(found.flat_map(|arguments| arguments.input_value_definitions()))
}

fn inputs(definitions: impl Iterator<Item = cst::InputValueDefinition>) -> BTreeMap<String, Input> {
    let input = |input: cst::InputValueDefinition| {
        let default = input.default_value().and_then(|default| default.value());
        let found = Input {
            ty: type_ref(input.ty()),
            default: default.as_ref().and_then(value),
        };
        (name(input.name()), found)
    };
    definitions.map(input).collect()
}

fn is_deprecated(directives: Option<cst::Directives>) -> bool {
    has(directives, "deprecated")
}

fn has(directives: Option<cst::Directives>, wanted: &str) -> bool {
    let mut found = directives.into_iter().flat_map(|directives| directives.directives());
    found.any(|directive| name(directive.name()) == wanted)
}

fn type_ref(ty: Option<cst::Type>) -> TypeRef {
    match ty {
        Some(cst::Type::NamedType(ty)) => TypeRef::Named(named(&ty)),
        Some(cst::Type::ListType(list)) => TypeRef::List(Box::new(type_ref(list.ty()))),
        Some(cst::Type::NonNullType(inner)) => {
            let list = inner.list_type().map(cst::Type::ListType);
            let named = inner.named_type().map(cst::Type::NamedType);
            TypeRef::NonNull(Box::new(type_ref(list.or(named))))
        }
        None => TypeRef::Named(String::new()),
    }
}

fn value(value: &cst::Value) -> Option<Value> {
    let written = || value.syntax().text().to_string().trim().to_owned();
    Some(match value {
        // No variable stands in a schema.
        cst::Value::Variable(_) => return None,
        cst::Value::StringValue(text) => Value::Text(String::from(text)),
        cst::Value::FloatValue(_) => Value::Float(written()),
        cst::Value::IntValue(_) => Value::Int(written()),
        cst::Value::BooleanValue(flag) => Value::Bool(flag.true_token().is_some()),
        cst::Value::NullValue(_) => Value::Null,
        cst::Value::EnumValue(found) => Value::Enum(name(found.name())),
        cst::Value::ListValue(list) => {
            Value::List(list.values().map(|item| self::value(&item)).collect::<Option<_>>()?)
        }
        cst::Value::ObjectValue(object) => {
            let member = |field: cst::ObjectField| Some((name(field.name()), self::value(&field.value()?)?));
            Value::Object(object.object_fields().map(member).collect::<Option<_>>()?)
        }
    })
}
