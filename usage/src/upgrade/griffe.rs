//! What `griffe dump` says of a Python package.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::signature::{Parameter, ParameterKind, Signature};
use super::surface::{Item, Kind, Ref, ScopeId, Surface};
use crate::language::Language;

/// Deepest nesting of modules, classes and expressions that is read.
const MAX_DEPTH: usize = 60;
/// Most bytes of a dump: the largest packages have some tens of megabytes.
const MAX_DUMP_BYTES: usize = 128 << 20;

/// Reads a dump of one package (`griffe dump NAME`, griffe 1 and 2). It holds declarations only, so what it says goes
/// beside what the source says.
///
/// # Errors
/// What isn't such a dump, in words for people.
pub fn read_griffe(package: &str, text: &str, version: &str) -> Result<Surface, String> {
    if text.len() > MAX_DUMP_BYTES {
        return Err(format!("it printed more than {MAX_DUMP_BYTES} bytes"));
    }
    let json: Value =
        serde_json::from_str(text).map_err(|error| format!("what griffe printed can't be read: {error}"))?;
    let packages = json
        .as_object()
        .filter(|packages| !packages.is_empty())
        .ok_or("griffe printed no package")?;
    let mut surface = Surface::new(Language::Python, package, &format!("griffe {version}"));
    surface.declares_only = true;
    let roots: Vec<&str> = packages.keys().map(String::as_str).collect();
    for (name, module) in packages {
        member(&mut surface, 0, name, module, &roots, 0);
    }
    Ok(surface)
}

fn members(of: &Value) -> Vec<(String, &Value)> {
    match of.get("members") {
        Some(Value::Object(map)) => map.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|member| Some((word(member, "name")?.to_owned(), member)))
            .collect(),
        _ => Vec::new(),
    }
}

fn word<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of.get(key).and_then(Value::as_str)
}

fn member(surface: &mut Surface, scope: ScopeId, name: &str, json: &Value, roots: &[&str], depth: usize) {
    if depth > MAX_DEPTH {
        return surface.gaps.push("it is nested too deep".to_owned());
    }
    let kind = match word(json, "kind") {
        Some("module") => {
            let Some(id) = surface.add_scope(scope, name, false) else {
                return;
            };
            for (name, inner) in members(json) {
                member(surface, id, &name, inner, roots, depth + 1);
            }
            Kind::Module(id)
        }
        Some("class") => match class(surface, scope, name, json, roots, depth) {
            Some(id) => Kind::Class(id),
            None => return,
        },
        Some("alias") => {
            let target = word(json, "target_path").unwrap_or_default();
            let path: Vec<String> = target.split('.').map(str::to_owned).collect();
            let inside = path.first().is_some_and(|first| roots.contains(&first.as_str()));
            let target = if inside {
                Ref::Absolute(path)
            } else {
                Ref::Elsewhere(target.to_owned())
            };
            if name.ends_with('*') {
                if let Some(scope) = surface.scopes.get_mut(scope) {
                    scope.stars.push(target);
                }
                return;
            }
            Kind::Alias(target)
        }
        Some("function") => {
            let in_class = surface.scope(scope).is_some_and(|scope| scope.is_class);
            let made = signature(json, in_class);
            if name == "__init__"
                && let Some(scope) = surface.scopes.get_mut(scope)
            {
                scope.constructor = Some(made.clone());
            }
            Kind::Function(made)
        }
        Some("attribute") => Kind::Value(json.get("annotation").and_then(|ty| expression(ty, 0))),
        Some("type alias") => Kind::Type(json.get("value").and_then(|ty| expression(ty, 0)).unwrap_or_default()),
        _ => Kind::Opaque("griffe says nothing of it".to_owned()),
    };
    let line = json
        .get("lineno")
        .and_then(Value::as_u64)
        .and_then(|line| u32::try_from(line).ok())
        .unwrap_or(0);
    let file = word(json, "filepath").unwrap_or_default();
    surface.define(scope, name, Item::new(kind, file, line));
}

fn class(
    surface: &mut Surface,
    scope: ScopeId,
    name: &str,
    json: &Value,
    roots: &[&str],
    depth: usize,
) -> Option<ScopeId> {
    let id = surface.add_scope(scope, name, true)?;
    let bases = json.get("bases").and_then(Value::as_array).into_iter().flatten();
    let bases: Vec<Ref> = bases
        .map(|base| {
            let text = expression(base, 0).unwrap_or_default();
            let plain = text.split('[').next().unwrap_or(&text);
            Ref::Local(scope, plain.split('.').map(str::to_owned).collect())
        })
        .collect();
    if let Some(scope) = surface.scopes.get_mut(id) {
        scope.bases = bases;
    }
    for (name, inner) in members(json) {
        member(surface, id, &name, inner, roots, depth + 1);
    }
    Some(id)
}

fn decorators(json: &Value) -> Vec<String> {
    let list = json.get("decorators").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|decorator| expression(decorator.get("value")?, 0))
        .collect()
}

fn signature(json: &Value, in_class: bool) -> Signature {
    let decorators = decorators(json);
    let is_static = decorators.iter().any(|decorator| decorator == "staticmethod");
    let is_async = json
        .get("labels")
        .and_then(Value::as_array)
        .is_some_and(|labels| labels.iter().any(|l| l == "async"));
    let list = json.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let parameters = list.skip(usize::from(in_class && !is_static)).filter_map(|parameter| {
        let kind = match word(parameter, "kind")? {
            "positional-only" => ParameterKind::Positional,
            "keyword-only" => ParameterKind::Keyword,
            "variadic positional" => ParameterKind::Rest,
            "variadic keyword" => ParameterKind::KeywordRest,
            _ => ParameterKind::Either,
        };
        let default = parameter.get("default").and_then(|default| expression(default, 0));
        let ends = matches!(kind, ParameterKind::Rest | ParameterKind::KeywordRest);
        Some(Parameter {
            name: word(parameter, "name")?.to_owned(),
            kind,
            required: default.is_none() && !ends,
            default: default.filter(|_| !ends),
            ty: parameter.get("annotation").and_then(|ty| expression(ty, 0)),
        })
    });
    Signature {
        parameters: parameters.collect(),
        returns: json.get("returns").and_then(|ty| expression(ty, 0)),
        is_async,
        gives: None,
        never_made: false,
        overloads: BTreeSet::new(),
        qualifiers: decorators
            .into_iter()
            .filter(|decorator| !matches!(decorator.as_str(), "staticmethod" | "classmethod" | "abstractmethod"))
            .collect(),
    }
}

/// The text of an expression; `None` for none.
fn expression(json: &Value, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return Some("…".to_owned());
    }
    let inner = |value: &Value| expression(value, depth + 1).unwrap_or_default();
    let list = |values: &Value, by: &str| {
        let parts = values.as_array().into_iter().flatten();
        parts.map(inner).collect::<Vec<_>>().join(by)
    };
    match json {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(of) => Some(object(of, &inner, &list)),
        other => Some(other.to_string()),
    }
}

fn object(of: &Map<String, Value>, inner: &dyn Fn(&Value) -> String, list: &dyn Fn(&Value, &str) -> String) -> String {
    if let Some(values) = of.get("values").filter(|_| !of.contains_key("operator")) {
        return list(values, ".");
    }
    if let (Some(left), Some(slice)) = (of.get("left"), of.get("slice")) {
        return format!("{}[{}]", inner(left), inner(slice));
    }
    if let (Some(left), Some(operator), Some(right)) = (of.get("left"), of.get("operator"), of.get("right")) {
        return format!("{} {} {}", inner(left), inner(operator), inner(right));
    }
    if let Some(elements) = of.get("elements") {
        return list(elements, ", ");
    }
    match of.get("name") {
        Some(name) => inner(name),
        None => Value::Object(of.clone()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::Found;

    #[test]
    fn a_dump_becomes_a_surface() {
        let text = r#"{"pkg":{"kind":"module","name":"pkg","members":{
            "f":{"kind":"function","name":"f","lineno":3,"parameters":[
                {"name":"a","kind":"positional or keyword","annotation":{"cls":"ExprSubscript",
                  "left":{"cls":"ExprAttribute","values":[{"name":"t"},{"name":"Optional"}]},"slice":{"name":"str"}},"default":null},
                {"name":"b","kind":"keyword-only","annotation":null,"default":"1"}],"returns":null},
            "C":{"kind":"class","name":"C","bases":[],"members":{"g":{"kind":"function","name":"g",
                "parameters":[{"name":"self","kind":"positional or keyword","annotation":null,"default":null}]}}},
            "h":{"kind":"alias","name":"h","target_path":"pkg.f"}}}}"#;
        let surface = read_griffe("pkg", text, "2.4.1").unwrap();
        let find = |path: &str| surface.find(&path.split('.').map(str::to_owned).collect::<Vec<_>>());
        let Found::Thing { item, .. } = find("pkg.h") else {
            panic!("{surface:?}")
        };
        let Kind::Function(made) = &item.kind else {
            panic!("{item:?}")
        };
        assert_eq!(made.parameters[0].ty.as_deref(), Some("t.Optional[str]"));
        assert!(made.parameters[0].required && !made.parameters[1].required);
        assert!(
            matches!(find("pkg.C.g"), Found::Thing { item: Item { kind: Kind::Function(g), .. }, .. } if g.parameters.is_empty())
        );
        assert_eq!(surface.read_by, "griffe 2.4.1");
        assert!(read_griffe("pkg", "[]", "2").is_err());
    }
}
