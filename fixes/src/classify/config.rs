//! A flag in a configuration file gets safer: same keys, same structure, same types. A flag whose
//! safe direction isn't known is logic.

use std::collections::BTreeMap;

use holdpoint_schemas::fix::FixKind;

use super::hardening;
use super::node::{Difference, Node};
use super::polarity::words;
use super::{FileView, Part, Recogniser};

pub(super) const RECOGNISER: Recogniser = Recogniser {
    applies: |view| Format::of(view.path()).is_some(),
    read,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Yaml,
    Toml,
    Ini,
    Properties,
}

impl Format {
    fn of(path: &str) -> Option<Self> {
        Some(match path.rsplit_once('.')?.1 {
            "json" => Self::Json,
            "yaml" | "yml" => Self::Yaml,
            "toml" => Self::Toml,
            "ini" | "cfg" => Self::Ini,
            "properties" => Self::Properties,
            _ => return None,
        })
    }

    fn parse(self, text: &str) -> Option<Node> {
        match self {
            Self::Json => Node::json(text),
            Self::Yaml => Node::yaml(text),
            Self::Toml => Node::toml(text),
            Self::Ini | Self::Properties => lines(text, self),
        }
    }
}

/// Files that steer tools, builds or deployments: their words have effects of their own.
const TOOL_FILES: [&str; 45] = [
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "tsconfig.json",
    "jsconfig.json",
    "composer.json",
    "deno.json",
    "cargo.toml",
    "pyproject.toml",
    "poetry.toml",
    "rustfmt.toml",
    "clippy.toml",
    "deny.toml",
    "build.toml",
    "netlify.toml",
    "fly.toml",
    "tox.ini",
    "setup.cfg",
    "pytest.ini",
    "mypy.ini",
    "gradle.properties",
    "gradle-wrapper.properties",
    "catalog-info.yaml",
    "pnpm-lock.yaml",
    "serverless.yml",
    "buildspec.yml",
    "skaffold.yaml",
    "taskfile.yml",
    "mkdocs.yml",
    "renovate.json",
    "lerna.json",
    "nx.json",
    "turbo.json",
    "angular.json",
    "vercel.json",
    "firebase.json",
    "tslint.json",
    "babel.config.json",
    "sonar-project.properties",
    "cloudbuild.yaml",
    "appspec.yml",
    "bitbucket-pipelines.yml",
    "buildkite.yml",
    "gradle-daemon-jvm.properties",
    "cdk.json",
];

/// Keys at the top of documents that aren't configuration: deployments, API descriptions, builds.
const FOREIGN_KEYS: [&str; 25] = [
    "apiVersion",
    "AWSTemplateFormatVersion",
    "Resources",
    "openapi",
    "swagger",
    "asyncapi",
    "services",
    "jobs",
    "pipeline",
    "$schema",
    "Statement",
    "resource",
    "provider",
    "module",
    "variable",
    "locals",
    "hosts",
    "tasks",
    "steps",
    "stages",
    "scripts",
    "dependencies",
    "plugins",
    "rules",
    "runtime",
];

/// Words in a key that say its value is run, loaded or connected to.
const ACTIVE_WORDS: [&str; 36] = [
    "command",
    "cmd",
    "exec",
    "execute",
    "script",
    "scripts",
    "hook",
    "hooks",
    "shell",
    "entrypoint",
    "args",
    "image",
    "url",
    "uri",
    "host",
    "hostname",
    "endpoint",
    "address",
    "path",
    "file",
    "dir",
    "directory",
    "module",
    "plugin",
    "plugins",
    "handler",
    "class",
    "loader",
    "import",
    "include",
    "extends",
    "uses",
    "run",
    "role",
    "user",
    "eval",
];

/// Words in a key that say its number or text is more than a setting; a switch beside them is one.
const SENSITIVE_WORDS: [&str; 20] = [
    "port",
    "ports",
    "bind",
    "listen",
    "password",
    "passwd",
    "secret",
    "secrets",
    "token",
    "credential",
    "credentials",
    "apikey",
    "key",
    "origin",
    "origins",
    "permission",
    "permissions",
    "acl",
    "cidr",
    "scope",
];

fn read(view: &FileView<'_>) -> Result<Part, String> {
    let format = Format::of(view.path()).ok_or("is no configuration file")?;
    let hidden = view.path().split('/').any(|part| part.starts_with('.'));
    let name = view.name().to_ascii_lowercase();
    if hidden || TOOL_FILES.contains(&name.as_str()) || name.contains("compose") {
        return Err("steers a tool or a deployment".to_owned());
    }
    let (before, after) = view.both()?;
    check_lines(view, format)?;
    let unreadable = "can't be parsed on both sides";
    let (before, after) = (
        format.parse(before).ok_or(unreadable)?,
        format.parse(after).ok_or(unreadable)?,
    );
    if !matches!(before, Node::Map(_)) {
        return Err("is no plain configuration: it isn't made of keys".to_owned());
    }
    if let Some(key) = FOREIGN_KEYS.iter().find(|key| before.get(key).is_some()) {
        return Err(format!("is no plain configuration: it has the key `{key}`"));
    }
    let differences = before.differences(&after)?;
    if differences.is_empty() {
        return Err("changes no value".to_owned());
    }
    for difference in &differences {
        check_value(difference)?;
    }
    let keys: Vec<String> = differences
        .iter()
        .map(|difference| format!("`{}`", difference.place()))
        .collect();
    Ok(Part {
        kind: FixKind::ConfigFlag,
        because: format!("only the value of {} changes", keys.join(", ")),
        upgrades: Vec::new(),
    })
}

/// What a parser doesn't show: comments, and YAML's tags, anchors and block texts.
fn check_lines(view: &FileView<'_>, format: Format) -> Result<(), String> {
    let change = view.change;
    if change.removed.len() != change.added.len() {
        return Err("adds or removes lines".to_owned());
    }
    for ((_, old), (_, new)) in change.removed.iter().zip(&change.added) {
        let comment = |line: &str| match format {
            Format::Json => None,
            Format::Ini => line.find(['#', ';']).and_then(|at| line.get(at..).map(str::to_owned)),
            _ => line.find('#').and_then(|at| line.get(at..).map(str::to_owned)),
        };
        if comment(old) != comment(new) {
            return Err("changes a comment".to_owned());
        }
        if format == Format::Yaml && new.contains(['!', '&', '*', '|', '>']) {
            return Err("uses a tag, an anchor or a block text".to_owned());
        }
    }
    Ok(())
}

fn check_value(difference: &Difference<'_>) -> Result<(), String> {
    let place = difference.place();
    let is_switch = matches!(difference.after, Node::Bool(_));
    // Of a switch's own name every word is known, or it isn't called safer.
    let own = difference.path.len().saturating_sub(usize::from(is_switch));
    let active = difference
        .path
        .iter()
        .take(own)
        .flat_map(|key| words(key))
        .find(|word| ACTIVE_WORDS.contains(&word.as_str()));
    let sensitive = difference
        .path
        .iter()
        .flat_map(|key| words(key))
        .find(|word| !is_switch && SENSITIVE_WORDS.contains(&word.as_str()));
    if let Some(word) = active.or(sensitive) {
        return Err(format!("changes `{place}`: a `{word}` is more than a flag"));
    }
    let path = &difference.path;
    let hardens = match (difference.before, difference.after) {
        (Node::Bool(_), Node::Bool(on)) => hardening::switch(path, *on),
        (Node::Integer(before), Node::Integer(after)) => hardening::number(path, number(*before), number(*after)),
        (Node::Float(before), Node::Float(after)) => hardening::number(path, *before, *after),
        (Node::Text(before), Node::Text(after)) if is_word(before) && is_word(after) => {
            hardening::word(path, before, after)
        }
        _ => return Err(format!("changes `{place}` to or from a text that is no plain word")),
    };
    if !hardens {
        return Err(format!("may weaken `{place}`: it isn't known that this makes it safer"));
    }
    Ok(())
}

/// Near enough to tell more from less.
#[expect(clippy::cast_precision_loss, reason = "only the order counts")]
fn number(value: i128) -> f64 {
    value as f64
}

/// A word as enumerations use it; no path, URL, host, command line or pattern.
fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && text.len() <= 32
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// `key = value` lines with `[sections]`; anything finer (continuations, indentation) is unreadable.
fn lines(text: &str, format: Format) -> Option<Node> {
    let mut sections: BTreeMap<String, Node> = BTreeMap::new();
    let mut section = String::new();
    for line in text.lines() {
        if line.ends_with('\\') || (line.starts_with([' ', '\t']) && !line.trim().is_empty()) {
            return None;
        }
        let line = line.trim();
        let comment = line.starts_with(['#', ';', '!']);
        if line.is_empty() || comment {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            if format == Format::Properties {
                return None;
            }
            section = name.strip_suffix(']')?.to_owned();
            if sections.insert(section.clone(), Node::Map(BTreeMap::new())).is_some() {
                return None;
            }
            continue;
        }
        let (key, value) = line.split_once(['=', ':'])?;
        let entry = sections
            .entry(section.clone())
            .or_insert_with(|| Node::Map(BTreeMap::new()));
        let Node::Map(map) = entry else { return None };
        if map.insert(key.trim().to_owned(), scalar(value.trim())).is_some() {
            return None;
        }
    }
    Some(Node::Map(sections))
}

fn scalar(text: &str) -> Node {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Node::Bool(true),
        "false" | "no" | "off" => Node::Bool(false),
        _ => match (text.parse(), text.parse::<f64>()) {
            (Ok(number), _) => Node::Integer(number),
            (_, Ok(number)) if number.is_finite() => Node::Float(number),
            _ => Node::Text(text.to_owned()),
        },
    }
}
