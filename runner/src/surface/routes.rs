//! Routes that a service answers.

use super::Entry;
use super::source::{Source, closing, dotted};
use crate::code::{Kind, Token};

/// Verbs as methods of an application or router: Flask, FastAPI, Express, Fastify, Koa, Gin, chi, actix, ASP.NET.
const VERBS: [&str; 12] = [
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "all",
    "any",
    "route",
    "websocket",
    "handle",
];
/// Other calls whose first text is a path.
const CALLS: [&str; 19] = [
    "add_url_rule",
    "add_api_route",
    "add_route",
    "api_route",
    "path",
    "re_path",
    "url",
    "HandleFunc",
    "Handle",
    "HandlerFunc",
    "MapGet",
    "MapPost",
    "MapPut",
    "MapDelete",
    "MapPatch",
    "MapHub",
    "resource",
    "match",
    "mount",
];
/// Annotations of Spring, JAX-RS, Nest, ASP.NET, actix and Rocket, in lower case.
const ANNOTATIONS: [&str; 25] = [
    "requestmapping",
    "getmapping",
    "postmapping",
    "putmapping",
    "deletemapping",
    "patchmapping",
    "path",
    "get",
    "post",
    "put",
    "delete",
    "patch",
    "head",
    "options",
    "all",
    "route",
    "httpget",
    "httppost",
    "httpput",
    "httpdelete",
    "httppatch",
    "sse",
    "websocketgateway",
    "controller",
    "messagemapping",
];
/// What calls with a verb's name are made on when they ask others for something instead of answering.
const CLIENTS: [&str; 14] = [
    "requests", "httpx", "session", "client", "axios", "http", "fetch", "cache", "redis", "config", "params",
    "headers", "environ", "os",
];

/// Routes by verb and path.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    if source.is_test() {
        return Vec::new();
    }
    let tokens = source.tokens();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Word
            && let Some((verb, path)) = route(&tokens, index, source)
        {
            found.push(Entry::new(token.line, format!("{} {path}", verb.to_ascii_uppercase())));
        }
    }
    found
}

/// The verb and path of the route that is declared at this word.
pub(super) fn route<'a>(tokens: &[Token<'a>], index: usize, source: &Source<'_>) -> Option<(&'a str, String)> {
    let word = tokens.get(index)?;
    let before = index.checked_sub(1).and_then(|at| tokens.get(at));
    let lower = word.text.to_ascii_lowercase();
    let curly = source.ends_with(&[".java", ".kt", ".ts", ".js", ".cs", ".rs", ".groovy", ".scala", ".php"]);
    let annotated = curly
        && (before.is_some_and(|before| before.is("@"))
            || before.is_some_and(|before| before.is("[")) && source.ends_with(&[".cs", ".rs"]));
    let open = index + 1;
    if annotated && ANNOTATIONS.contains(&lower.as_str()) {
        let has_list = tokens.get(open).is_some_and(|token| token.is("("));
        let path = if has_list {
            text_in(tokens, open).unwrap_or_default()
        } else {
            ""
        };
        return Some((word.text, path.to_owned()));
    }
    // Rails: `get "/x", to: …` without parentheses.
    if source.name() == "routes.rb"
        && (VERBS.contains(&word.text) || matches!(word.text, "resources" | "resource" | "match"))
    {
        let argument = tokens
            .get(index + 1)
            .filter(|token| !token.is("("))
            .or_else(|| tokens.get(index + 2))?;
        let named = if argument.is(":") {
            tokens.get(index + 2)?
        } else {
            argument
        };
        return matches!(named.kind, Kind::Text | Kind::Word).then(|| (word.text, named.text.to_owned()));
    }
    if !tokens.get(open)?.is("(") {
        return None;
    }
    let first = tokens.get(open + 1)?;
    let path_like = first.kind == Kind::Text
        && (first.text.starts_with('/') || first.text.is_empty() || first.text.starts_with('^') || first.text == "*");
    let method = before.is_some_and(|before| before.is("."));
    if method && VERBS.contains(&lower.as_str()) {
        let name = dotted(tokens, index);
        let owner = name.split('.').rev().nth(1).unwrap_or_default().to_ascii_lowercase();
        let decorates = name_start(tokens, index, &name).is_some_and(|before| before.is("@"));
        if path_like && (decorates || !CLIENTS.iter().any(|client| owner.contains(client))) {
            let verb = methods(tokens, open).unwrap_or(word.text);
            return Some((verb, first.text.to_owned()));
        }
    }
    let django =
        source.name() == "urls.py" && matches!(word.text, "path" | "re_path" | "url") && first.kind == Kind::Text;
    if django
        || (CALLS.contains(&word.text)
            && path_like
            && (method || !matches!(word.text, "path" | "url" | "match" | "resource" | "mount")))
    {
        return Some((word.text, first.text.to_owned()));
    }
    None
}

fn name_start<'a, 'b>(tokens: &'b [Token<'a>], end: usize, name: &str) -> Option<&'b Token<'a>> {
    let length = name.split('.').count() * 2 - 1;
    tokens.get(end.checked_sub(length)?)
}

/// The verb in `methods=["POST"]` or of what is called inside, such as axum's `.route("/x", post(f))`.
fn methods<'a>(tokens: &[Token<'a>], open: usize) -> Option<&'a str> {
    let list = tokens.get(open..closing(tokens, open))?;
    let named = list.iter().position(|token| token.is_word("methods"));
    if let Some(at) = named {
        return list
            .get(at..)?
            .iter()
            .find(|token| token.kind == Kind::Text)
            .map(|token| token.text);
    }
    list.windows(2).find_map(|pair| match pair {
        [verb, open] if open.is("(") && VERBS.contains(&verb.text) => Some(verb.text),
        _ => None,
    })
}

fn text_in<'a>(tokens: &[Token<'a>], open: usize) -> Option<&'a str> {
    let list = tokens.get(open..closing(tokens, open))?;
    list.iter()
        .find(|token| token.kind == Kind::Text)
        .map(|token| token.text)
}
