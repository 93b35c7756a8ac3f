//! OpenAPI 2.0 (Swagger) as 3.0: what says the same is written in the newer way.

use serde_json::{Map, Value, json};

/// Media type where a description names none.
const ANY: &str = "application/json";
/// Keywords of a parameter or header that are its schema's in 3.0.
const OF_SCHEMA: [&str; 17] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
];
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// The description as OpenAPI 3.0. What isn't known, or of another shape than it should be, stays as it is: that it
/// isn't compared is told there.
pub(super) fn converted(root: &Value) -> Value {
    let text = |key: &str| root.get(key).and_then(Value::as_str);
    let list = |key: &str| -> Vec<&str> { root.get(key).map(texts).unwrap_or_default() };
    let (consumes, produces) = (list("consumes"), list("produces"));
    let named = |key: &str| root.get(key).and_then(Value::as_object);
    let mut out = json!({"openapi": "3.0.3"});
    for key in ["info", "tags", "security"] {
        if let Some(value) = root.get(key) {
            set(&mut out, key, value.clone());
        }
    }
    let base = text("basePath").unwrap_or_default();
    if let Some(host) = text("host") {
        let schemes = list("schemes");
        let schemes = if schemes.is_empty() { vec!["https"] } else { schemes };
        let servers = schemes
            .iter()
            .map(|scheme| json!({"url": format!("{scheme}://{host}{base}")}));
        set(&mut out, "servers", servers.collect());
    } else if !base.is_empty() {
        set(&mut out, "servers", json!([{"url": base}]));
    }
    let mut components = Map::new();
    let each = |map: Option<&Map<String, Value>>, convert: &dyn Fn(&Value) -> Value| -> Value {
        let entries = map.into_iter().flatten();
        entries
            .map(|(name, value)| (name.clone(), convert(value)))
            .collect::<Map<_, _>>()
            .into()
    };
    components.insert("schemas".to_owned(), each(named("definitions"), &schema));
    components.insert(
        "responses".to_owned(),
        each(named("responses"), &|it| response(it, &produces)),
    );
    components.insert(
        "securitySchemes".to_owned(),
        each(named("securityDefinitions"), &security),
    );
    let is_body = |parameter: &Value| ["body", "formData"].contains(&place(parameter));
    let shared: Map<String, Value> = named("parameters").cloned().unwrap_or_default();
    let plain: Map<String, Value> = shared
        .iter()
        .filter(|(_, parameter)| !is_body(parameter))
        .map(|(name, value)| (name.clone(), parameter(value)))
        .collect();
    components.insert("parameters".to_owned(), plain.into());
    set(&mut out, "components", components.into());
    let item = |item: &Value| path_item(item, &shared, &consumes, &produces);
    match (named("paths"), root.get("paths")) {
        (Some(paths), _) => set(&mut out, "paths", each(Some(paths), &item)),
        (None, Some(other)) => set(&mut out, "paths", other.clone()),
        (None, None) => {}
    }
    out
}

fn set(out: &mut Value, key: &str, value: Value) {
    if let Some(map) = out.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn place(parameter: &Value) -> &str {
    parameter.get("in").and_then(Value::as_str).unwrap_or_default()
}

/// A reference with the places of OpenAPI 3.
fn reference(text: &str) -> String {
    let renamed = [
        ("#/definitions/", "#/components/schemas/"),
        ("#/parameters/", "#/components/parameters/"),
        ("#/responses/", "#/components/responses/"),
    ];
    let found = renamed.iter().find_map(|(old, new)| {
        let (file, rest) = text.split_once(old)?;
        // Another file isn't converted.
        file.is_empty().then(|| format!("{new}{rest}"))
    });
    found.unwrap_or_else(|| text.to_owned())
}

/// A schema: references, `x-nullable`, `type: file`.
fn schema(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("$ref", Value::String(text)) => drop(out.insert(key.clone(), reference(text).into())),
                    ("x-nullable", _) => drop(out.insert("nullable".to_owned(), inner.clone())),
                    ("type", Value::String(kind)) if kind == "file" => {
                        out.insert("type".to_owned(), "string".into());
                        out.insert("format".to_owned(), "binary".into());
                    }
                    ("default" | "enum" | "example", _) => drop(out.insert(key.clone(), inner.clone())),
                    _ => drop(out.insert(key.clone(), schema(inner))),
                }
            }
            out.into()
        }
        Value::Array(list) => list.iter().map(schema).collect(),
        other => other.clone(),
    }
}

/// The schema that a parameter or header of 2.0 is itself.
fn own_schema(value: &Value) -> Value {
    let keys = OF_SCHEMA.into_iter();
    let picked: Map<String, Value> = keys
        .filter_map(|key| Some((key.to_owned(), value.get(key)?.clone())))
        .collect();
    schema(&picked.into())
}

fn parameter(value: &Value) -> Value {
    if let Some(text) = value.get("$ref").and_then(Value::as_str) {
        return json!({"$ref": reference(text)});
    }
    let entries = value.as_object().into_iter().flatten();
    let kept = entries.filter(|(key, _)| !OF_SCHEMA.contains(&key.as_str()) && *key != "collectionFormat");
    let mut out: Value = kept
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into();
    set(&mut out, "schema", own_schema(value));
    let (style, explode) = match value.get("collectionFormat").and_then(Value::as_str) {
        Some("ssv") => ("spaceDelimited", false),
        Some("tsv") => ("tabDelimited", false),
        Some("pipes") => ("pipeDelimited", false),
        Some("multi") => ("form", true),
        _ if value.get("type").and_then(Value::as_str) == Some("array") => match place(value) {
            "path" | "header" => ("simple", false),
            _ => ("form", false),
        },
        _ => return out,
    };
    set(&mut out, "style", style.into());
    set(&mut out, "explode", explode.into());
    out
}

fn content(media: &[&str], schema: Option<Value>) -> Value {
    let media = if media.is_empty() { &[ANY][..] } else { media };
    let entry = schema.map_or_else(|| json!({}), |schema| json!({"schema": schema}));
    let entries = media.iter().map(|name| ((*name).to_owned(), entry.clone()));
    entries.collect::<Map<_, _>>().into()
}

fn response(value: &Value, produces: &[&str]) -> Value {
    if let Some(text) = value.get("$ref").and_then(Value::as_str) {
        return json!({"$ref": reference(text)});
    }
    let mut out = json!({"description": value.get("description").cloned().unwrap_or_default()});
    if let Some(body) = value.get("schema") {
        set(&mut out, "content", content(produces, Some(schema(body))));
    }
    if let Some(headers) = value.get("headers").and_then(Value::as_object) {
        let headers = headers.iter().map(|(name, header)| {
            let mut out = json!({"schema": own_schema(header)});
            if let Some(format) = header.get("collectionFormat") {
                set(&mut out, "collectionFormat", format.clone());
            }
            (name.clone(), out)
        });
        set(&mut out, "headers", headers.collect::<Map<_, _>>().into());
    }
    out
}

fn security(value: &Value) -> Value {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "basic" => json!({"type": "http", "scheme": "basic"}),
        "oauth2" => {
            let flow = match text("flow") {
                "application" => "clientCredentials",
                "accessCode" => "authorizationCode",
                other => other,
            };
            let mut described = json!({"scopes": value.get("scopes").cloned().unwrap_or_default()});
            for key in ["authorizationUrl", "tokenUrl"] {
                if let Some(url) = value.get(key) {
                    set(&mut described, key, url.clone());
                }
            }
            json!({"type": "oauth2", "flows": {flow: described}})
        }
        _ => value.clone(),
    }
}

fn path_item(item: &Value, shared: &Map<String, Value>, consumes: &[&str], produces: &[&str]) -> Value {
    let parameters = |value: &Value| -> Vec<Value> {
        let list = value
            .get("parameters")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let resolved = list.into_iter().map(|parameter| {
            let name = parameter
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|text| text.strip_prefix("#/parameters/"));
            name.and_then(|name| shared.get(name)).cloned().unwrap_or(parameter)
        });
        resolved.collect()
    };
    let of_item = parameters(item);
    let mut out = Map::new();
    for (key, value) in item.as_object().into_iter().flatten() {
        let converted = match key.as_str() {
            "$ref" => value
                .as_str()
                .map_or_else(|| value.clone(), |text| reference(text).into()),
            "parameters" if value.is_array() => of_item
                .iter()
                .filter(|it| !["body", "formData"].contains(&place(it)))
                .map(parameter)
                .collect(),
            method if METHODS.contains(&method) => {
                let mut all = of_item.clone();
                all.extend(parameters(value));
                operation(value, &parameters(value), &all, consumes, produces)
            }
            _ => value.clone(),
        };
        out.insert(key.clone(), converted);
    }
    out.into()
}

fn operation(value: &Value, own: &[Value], all: &[Value], consumes: &[&str], produces: &[&str]) -> Value {
    let media = |key: &str, otherwise: &[&str]| -> Vec<String> {
        let own = value.get(key).map(texts);
        own.unwrap_or_else(|| otherwise.to_vec())
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let (consumes, produces) = (media("consumes", consumes), media("produces", produces));
    let (consumes, produces): (Vec<&str>, Vec<&str>) = (
        consumes.iter().map(String::as_str).collect(),
        produces.iter().map(String::as_str).collect(),
    );
    let mut out = Map::new();
    for (key, inner) in value.as_object().into_iter().flatten() {
        let converted = match key.as_str() {
            "consumes" | "produces" => continue,
            "parameters" if inner.is_array() => own
                .iter()
                .filter(|it| !["body", "formData"].contains(&place(it)))
                .map(parameter)
                .collect(),
            "responses" if inner.is_object() => {
                let entries = inner.as_object().into_iter().flatten();
                let entries = entries.map(|(status, it)| (status.clone(), response(it, &produces)));
                entries.collect::<Map<_, _>>().into()
            }
            _ => inner.clone(),
        };
        out.insert(key.clone(), converted);
    }
    let required = |it: &Value| it.get("required") == Some(&Value::Bool(true));
    if let Some(body) = all.iter().find(|it| place(it) == "body") {
        let content = content(&consumes, body.get("schema").map(schema));
        out.insert(
            "requestBody".to_owned(),
            json!({"required": required(body), "content": content}),
        );
    }
    let fields: Vec<&Value> = all.iter().filter(|it| place(it) == "formData").collect();
    if !fields.is_empty() {
        let name = |it: &Value| it.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let properties: Map<String, Value> = fields.iter().map(|it| (name(it), own_schema(it))).collect();
        let asked: Vec<String> = fields.iter().filter(|it| required(it)).map(|it| name(it)).collect();
        let has_file = fields
            .iter()
            .any(|it| it.get("type").and_then(Value::as_str) == Some("file"));
        let by_kind = if has_file {
            "multipart/form-data"
        } else {
            "application/x-www-form-urlencoded"
        };
        let media = if consumes.is_empty() { vec![by_kind] } else { consumes };
        let schema = json!({"type": "object", "properties": properties, "required": asked});
        let mut content = content(&media, Some(schema));
        let lists = fields
            .iter()
            .filter_map(|it| Some((name(it), json!({"collectionFormat": it.get("collectionFormat")?}))));
        let lists: Map<String, Value> = lists.collect();
        let media = content
            .as_object_mut()
            .into_iter()
            .flatten()
            .filter(|_| !lists.is_empty());
        for (_, entry) in media {
            set(entry, "encoding", lists.clone().into());
        }
        let body = json!({"required": !asked.is_empty(), "content": content});
        out.insert("requestBody".to_owned(), body);
    }
    out.into()
}
