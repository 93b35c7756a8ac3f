//! What the TypeScript compiler says of an npm package: the JSON that `declarations.cjs` of the runner prints.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::signature::{Parameter, ParameterKind, Signature};
use super::surface::{Item, Kind, ScopeId, Surface};
use crate::language::Language;

/// Deepest nesting of members that is read.
const MAX_DEPTH: usize = 20;
/// Most bytes of a report.
const MAX_REPORT_BYTES: usize = 128 << 20;

#[derive(Deserialize)]
struct Report {
    version: Option<String>,
    declared: bool,
    exports: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    kind: String,
    file: String,
    line: u32,
    #[serde(rename = "type")]
    ty: String,
    calls: Vec<Call>,
    news: Vec<Call>,
    members: Vec<Entry>,
}

#[derive(Deserialize)]
struct Call {
    generics: Vec<String>,
    parameters: Vec<Given>,
    returns: String,
}

#[derive(Deserialize)]
struct Given {
    name: String,
    optional: bool,
    rest: bool,
    #[serde(rename = "type")]
    ty: String,
}

/// Reads the report of one version. It holds declarations of the main entry only, so what it says goes beside what the
/// package's files say.
///
/// # Errors
/// What isn't such a report, in words for people.
pub fn read_typescript(package: &str, text: &str, version: &str) -> Result<Surface, String> {
    if text.len() > MAX_REPORT_BYTES {
        return Err(format!("it printed more than {MAX_REPORT_BYTES} bytes"));
    }
    let report: Report = serde_json::from_str(text)
        .map_err(|error| format!("what the compiler's report says can't be read: {error}"))?;
    if !report.declared {
        return Err("the package declares no types".to_owned());
    }
    let mut surface = Surface::new(Language::JavaScript, package, &format!("typescript {version}"));
    surface.declares_only = true;
    surface.version = report.version;
    let Some(root) = surface.add_scope(0, package, false) else {
        return Err("it is too large".to_owned());
    };
    surface.define(0, package, Item::new(Kind::Module(root), "", 1));
    for entry in &report.exports {
        define(&mut surface, root, entry, 0);
    }
    Ok(surface)
}

fn define(surface: &mut Surface, scope: ScopeId, entry: &Entry, depth: usize) {
    if depth > MAX_DEPTH {
        return surface.gaps.push("it is nested too deep".to_owned());
    }
    let is_class = matches!(entry.kind.as_str(), "class" | "interface" | "enum");
    let kind = if is_class || entry.kind == "namespace" {
        let Some(id) = surface.add_scope(scope, &entry.name, is_class) else {
            return;
        };
        for member in &entry.members {
            define(surface, id, member, depth + 1);
        }
        if let (Some(made), Some(scope)) = (joined(&entry.news), surface.scopes.get_mut(id)) {
            scope.constructor = Some(made);
        }
        if is_class { Kind::Class(id) } else { Kind::Module(id) }
    } else {
        match (entry.kind.as_str(), joined(&entry.calls)) {
            ("function", Some(made)) => Kind::Function(made),
            ("type", _) => Kind::Type(entry.ty.clone()),
            _ => Kind::Value(Some(entry.ty.clone())),
        }
    };
    surface.define(scope, &entry.name, Item::new(kind, &entry.file, entry.line));
}

/// One signature for all overloads: the last, qualified by the others.
fn joined(calls: &[Call]) -> Option<Signature> {
    let (last, others) = calls.split_last()?;
    let text = |call: &Call| {
        let parameters = call
            .parameters
            .iter()
            .map(|p| format!("{}: {}", p.name, p.ty))
            .collect::<Vec<_>>();
        format!("({}) => {}", parameters.join(", "), call.returns)
    };
    let parameters = last.parameters.iter().map(|given| Parameter {
        name: given.name.clone(),
        kind: if given.rest {
            ParameterKind::Rest
        } else {
            ParameterKind::Positional
        },
        required: !given.optional && !given.rest,
        default: None,
        ty: Some(given.ty.clone()),
    });
    Some(Signature {
        parameters: parameters.collect(),
        returns: Some(last.returns.clone()),
        is_async: false,
        gives: None,
        never_made: false,
        overloads: BTreeSet::new(),
        qualifiers: last.generics.iter().cloned().chain(others.iter().map(text)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upgrade::{Bump, difference};

    fn surface(parameters: &str) -> Surface {
        let text = format!(
            r#"{{"version":"1.0.0","declared":true,"exports":[{{"name":"f","kind":"function","file":"index.d.ts","line":1,
            "type":"x","calls":[{{"generics":[],"parameters":[{parameters}],"returns":"void"}}],"news":[],"members":[]}}]}}"#
        );
        read_typescript("pkg", &text, "5.9.3").unwrap()
    }

    #[test]
    fn reports_of_two_versions_are_compared() {
        let one = r#"{"name":"a","optional":false,"rest":false,"type":"string"}"#;
        let two = r#"{"name":"a","optional":false,"rest":false,"type":"string"},{"name":"b","optional":true,"rest":false,"type":"number"}"#;
        assert_eq!(difference(&surface(one), &surface(one)).bump, Bump::None);
        let changed = difference(&surface(two), &surface(one));
        assert_eq!(changed.changes[0].symbol, "pkg.f");
        assert!(read_typescript("pkg", r#"{"declared":false,"exports":[]}"#, "5").is_err());
    }
}
