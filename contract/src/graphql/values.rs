//! Values in a schema: as written, and as a client sees them by introspection.

use std::collections::BTreeMap;

use super::schema::{Kind, Schema, TypeRef};

/// Deepest default that is followed: an input type may have a default of its own type.
const MAX_DEPTH: usize = 32;

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A whole number as written.
    Int(String),
    Float(String),
    Text(String),
    Enum(String),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

/// The value that a default stands for, with the defaults of input fields filled in and a lone item made a list
/// (spec.graphql.org, "Input Coercion"); none where it doesn't fit the type, and then there is no default.
pub(super) fn coerce(value: &Value, ty: &TypeRef, schema: &Schema) -> Option<Value> {
    coerce_within(value, ty, schema, MAX_DEPTH)
}

fn coerce_within(value: &Value, ty: &TypeRef, schema: &Schema, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    match (ty, value) {
        (TypeRef::NonNull(_), Value::Null) => None,
        (TypeRef::NonNull(inner), value) => coerce_within(value, inner, schema, depth),
        (_, Value::Null) => Some(Value::Null),
        (TypeRef::List(inner), Value::List(items)) => {
            let items = items.iter().map(|item| coerce_within(item, inner, schema, depth));
            items.collect::<Option<Vec<Value>>>().map(Value::List)
        }
        (TypeRef::List(inner), item) => Some(Value::List(vec![coerce_within(item, inner, schema, depth)?])),
        (TypeRef::Named(name), value) => named(value, name, schema, depth),
    }
}

fn named(value: &Value, name: &str, schema: &Schema, depth: usize) -> Option<Value> {
    let fits = match (name, value) {
        ("Int", Value::Int(_)) | ("Float", Value::Int(_) | Value::Float(_)) => true,
        ("String", Value::Text(_)) | ("Boolean", Value::Bool(_)) | ("ID", Value::Text(_)) => true,
        ("ID", Value::Int(number)) => return Some(Value::Text(number.clone())),
        ("Int" | "Float" | "String" | "Boolean" | "ID", _) => false,
        _ => {
            let Some(found) = schema.types.get(name) else {
                return Some(value.clone());
            };
            match (found.kind, value) {
                (Kind::Enum, Value::Enum(name)) => found.values.contains_key(name),
                (Kind::Input, Value::Object(members)) => {
                    let mut filled = BTreeMap::new();
                    for (name, field) in &found.inputs {
                        let given = members.get(name).or(field.default.as_ref());
                        match given {
                            Some(given) => {
                                filled.insert(name.clone(), coerce_within(given, &field.ty, schema, depth)?);
                            }
                            None if field.ty.is_non_null() => return None,
                            None => {}
                        }
                    }
                    return Some(Value::Object(filled));
                }
                (kind, _) => kind == Kind::Scalar,
            }
        }
    };
    fits.then(|| value.clone())
}

/// How introspection prints a value of a type.
pub(super) fn printed(value: &Value, ty: &TypeRef, schema: &Schema) -> String {
    match (value, ty) {
        (value, TypeRef::NonNull(inner)) => printed(value, inner, schema),
        (Value::List(items), ty) => {
            let item_type = if let TypeRef::List(inner) = ty { inner } else { ty };
            let items: Vec<String> = items.iter().map(|item| printed(item, item_type, schema)).collect();
            format!("[{}]", items.join(", "))
        }
        (Value::Object(members), ty) => {
            let fields = schema.types.get(ty.name()).map(|found| &found.inputs);
            let member = |(name, value): (&String, &Value)| {
                let field = fields.and_then(|fields| fields.get(name));
                let of_field = field.map_or(ty, |field| &field.ty);
                format!("{name}: {}", printed(value, of_field, schema))
            };
            let members: Vec<String> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        (Value::Null, _) => "null".to_owned(),
        (Value::Bool(value), _) => value.to_string(),
        (Value::Int(number), _) => number.clone(),
        // `1.0`, `1e0` and `1` are one number.
        (Value::Float(number), _) => number
            .parse::<f64>()
            .map_or_else(|_| number.clone(), |number| number.to_string()),
        (Value::Text(text), TypeRef::Named(name)) if name == "ID" && is_whole(text) => text.clone(),
        (Value::Text(text), _) => quoted(text),
        (Value::Enum(name), _) => name.clone(),
    }
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'))
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
