//! `package.json`: what can be loaded under which specifier, and how (Node.js documentation, "Packages").

use std::collections::BTreeMap;

use serde_json::Value;

use crate::upgrade::surface::{Floor, Surface};

/// Conditions under which a target may be chosen, those that say most of types first.
const CONDITIONS: &[&str] = &["types", "import", "require", "node", "default", "module", "browser"];
/// Deepest nesting of conditions.
const MAX_CONDITIONS: usize = 8;

type Files<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// The entries of a package: specifier and file. Notes version, floors and ways of loading in the surface.
pub(super) fn entries(package: &str, files: &Files<'_>, surface: &mut Surface) -> Vec<(String, String)> {
    let text = files.get("package.json").copied().flatten().unwrap_or_default();
    let json: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let word = |key: &str| json.get(key).and_then(Value::as_str);
    surface.version = word("version").map(str::to_owned);
    if let Some(range) = json.pointer("/engines/node").and_then(Value::as_str) {
        surface.floors.push(Floor {
            runtime: "node".to_owned(),
            range: range.to_owned(),
        });
    }
    let optional = |name: &str| {
        let meta = json.get("peerDependenciesMeta").and_then(|meta| meta.get(name));
        meta.and_then(|meta| meta.get("optional")).and_then(Value::as_bool) == Some(true)
    };
    for (name, range) in json
        .get("peerDependencies")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if !optional(name) {
            let range = range.as_str().unwrap_or_default();
            surface.peers.insert(name.clone(), range.to_owned());
        }
    }
    match json.get("bin") {
        Some(Value::String(_)) => {
            surface
                .commands
                .insert(package.rsplit('/').next().unwrap_or(package).to_owned());
        }
        Some(Value::Object(commands)) => surface.commands.extend(commands.keys().cloned()),
        _ => {}
    }
    surface.has_effects = json.get("sideEffects").and_then(Value::as_bool) != Some(false);
    let by_default = word("type") == Some("module");
    surface.loading.import = true;
    let main = word("main").unwrap_or("index.js");
    let mut found = Vec::new();
    match json.get("exports") {
        Some(exports) => {
            surface.loading.require =
                root(exports).is_some_and(|target| loads_by_require(target, by_default, files, 0));
            let keyed = exports
                .as_object()
                .filter(|map| map.keys().all(|key| key.starts_with('.')));
            match keyed {
                Some(map) => {
                    for (key, target) in map {
                        exported(package, key, target, files, &mut found);
                    }
                }
                None => exported(package, ".", exports, files, &mut found),
            }
            let types = word("types").or_else(|| word("typings"));
            // `types` beside `exports` holds for the main entry where `exports` names none.
            if let (Some(types), Some(entry)) = (types, found.iter_mut().find(|(name, _)| name == package))
                && !crate::language::only_types(&entry.1)
                && let Some(file) = file_of(types, true, files)
            {
                entry.1 = file;
            }
        }
        None => {
            let main = plain(main);
            surface.loading.require = !(main.ends_with(".mjs") || (by_default && !main.ends_with(".cjs")));
            let types = word("types").or_else(|| word("typings"));
            let file = types
                .and_then(|types| file_of(plain(types), true, files))
                .or_else(|| file_of(main, true, files));
            found.extend(file.map(|file| (package.to_owned(), file)));
            for path in files.keys() {
                let Some((stem, ending)) = path.rsplit_once('.') else {
                    continue;
                };
                if !matches!(ending, "js" | "cjs" | "mjs" | "json") || path.contains("node_modules/") {
                    continue;
                }
                let Some(file) = file_of(path, true, files) else {
                    continue;
                };
                found.push((format!("{package}/{path}"), file.clone()));
                if ending == "js" {
                    found.push((format!("{package}/{stem}"), file.clone()));
                }
                if let Some(folder) = stem.strip_suffix("/index") {
                    found.push((format!("{package}/{folder}"), file));
                }
            }
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

fn root(exports: &Value) -> Option<&Value> {
    match exports.as_object() {
        Some(map) if map.keys().any(|key| key.starts_with('.')) => map.get("."),
        _ => Some(exports),
    }
}

/// Whether `require` finds a CommonJS module.
fn loads_by_require(target: &Value, by_default: bool, files: &Files<'_>, depth: usize) -> bool {
    match target {
        Value::String(path) => {
            path.ends_with(".cjs") || (!path.ends_with(".mjs") && !is_module(plain(path), by_default, files))
        }
        Value::Array(list) => list
            .iter()
            .any(|target| loads_by_require(target, by_default, files, depth)),
        Value::Object(map) if depth < MAX_CONDITIONS => ["require", "node", "default"]
            .iter()
            .find_map(|condition| map.get(*condition))
            .is_some_and(|target| loads_by_require(target, by_default, files, depth + 1)),
        _ => false,
    }
}

/// Whether a `.js` file is an ES module: the nearest `package.json` above it says so.
fn is_module(path: &str, by_default: bool, files: &Files<'_>) -> bool {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/') {
        folder = above;
        let manifest = files.get(format!("{folder}/package.json").as_str()).copied().flatten();
        let json = manifest.and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let Some(json) = json {
            return json.get("type").and_then(Value::as_str) == Some("module");
        }
    }
    by_default
}

/// The file that says most of what a target offers: its types, then its code.
fn best(target: &Value, files: &Files<'_>, depth: usize) -> Option<String> {
    match target {
        Value::String(path) => file_of(plain(path), true, files),
        Value::Array(list) => list.iter().find_map(|target| best(target, files, depth)),
        Value::Object(map) if depth < MAX_CONDITIONS => CONDITIONS
            .iter()
            .filter_map(|condition| map.get(*condition))
            .find_map(|target| best(target, files, depth + 1)),
        _ => None,
    }
}

fn exported(package: &str, key: &str, target: &Value, files: &Files<'_>, found: &mut Vec<(String, String)>) {
    let name = key.trim_start_matches('.');
    if let Some((before, after)) = name.split_once('*') {
        // `"./*": "./lib/*.js"`: every file that fits.
        let mut open = vec![target];
        while let Some(target) = open.pop() {
            match target {
                Value::Object(map) => open.extend(CONDITIONS.iter().rev().filter_map(|condition| map.get(*condition))),
                Value::Array(list) => open.extend(list),
                Value::String(pattern) => {
                    let Some((head, tail)) = plain(pattern).split_once('*') else {
                        continue;
                    };
                    for path in files.keys() {
                        let middle = path.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
                        if let (Some(middle), Some(file)) = (middle, file_of(path, true, files)) {
                            found.push((format!("{package}{before}{middle}{after}"), file));
                        }
                    }
                }
                _ => {}
            }
        }
        return;
    }
    if let Some(file) = best(target, files, 0) {
        found.push((format!("{package}{name}"), file));
    }
}

fn plain(path: &str) -> &str {
    path.trim_start_matches("./").trim_start_matches('/')
}

/// The file that a path means: itself, with an ending, or the index of a folder; where `types`, its declarations first.
pub(super) fn file_of(path: &str, types: bool, files: &Files<'_>) -> Option<String> {
    let path = plain(path).trim_end_matches('/');
    let stem = [".js", ".mjs", ".cjs", ".jsx"]
        .iter()
        .find_map(|ending| path.strip_suffix(ending));
    let mut wanted: Vec<String> = Vec::new();
    if types {
        if let Some(stem) = stem {
            let own = if path.ends_with(".mjs") {
                "d.mts"
            } else if path.ends_with(".cjs") {
                "d.cts"
            } else {
                "d.ts"
            };
            wanted.extend([own, "d.ts"].iter().map(|ending| format!("{stem}.{ending}")));
        }
        wanted.extend(
            ["d.ts", "d.mts", "d.cts"]
                .iter()
                .map(|ending| format!("{path}.{ending}")),
        );
        wanted.push(format!("{path}/index.d.ts"));
    }
    wanted.push(path.to_owned());
    let endings = ["js", "cjs", "mjs", "json", "ts"];
    wanted.extend(endings.iter().map(|ending| format!("{path}.{ending}")));
    wanted.extend(endings.iter().map(|ending| format!("{path}/index.{ending}")));
    let mut found = wanted.into_iter().map(|path| path.trim_start_matches('/').to_owned());
    found.find(|path| files.contains_key(path.as_str()))
}
