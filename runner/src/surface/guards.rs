//! Authentication, authorisation and validation that guard something.

use std::collections::BTreeSet;

use super::Entry;
use super::routes;
use super::source::{Source, joined};
use crate::code::{Kind, Token};

/// Tokens before a guard that are looked through for what it guards.
const MAX_LOOK: usize = 2_000;
/// What a guard guards that belongs to no route and no function.
const FILE: &str = "the file";
/// Parts of names that guard, in lower case and without `_` and `-`.
const WORDS: [&str; 34] = [
    "loginrequired",
    "permissionrequired",
    "permissionsrequired",
    "requireauth",
    "requirelogin",
    "requirerole",
    "requirepermission",
    "requiresauth",
    "authrequired",
    "isauthenticated",
    "authenticated",
    "authenticate",
    "authorize",
    "authorise",
    "rolesallowed",
    "rolesrequired",
    "preauthorize",
    "postauthorize",
    "secured",
    "useguards",
    "authguard",
    "jwtrequired",
    "verifytoken",
    "verifyjwt",
    "verifysignature",
    "checkpermission",
    "checkauth",
    "ensureauth",
    "csrfprotect",
    "ratelimit",
    "helmet",
    "hmac.compare",
    "comparedigest",
    "fullcleaned",
];
/// Names that validate, whole.
const VALIDATORS: [&str; 13] = [
    "Valid",
    "Validated",
    "NotNull",
    "NotBlank",
    "validate",
    "is_valid",
    "full_clean",
    "sanitize",
    "escape",
    "validateBody",
    "validationResult",
    "constant_time_eq",
    "timingSafeEqual",
];
/// Settings that turn a protection off: all of their texts stand together in a statement, without white space.
const OFF: &[(&str, &str)] = &[
    ("verify=false", "TLS certificates aren't checked"),
    ("rejectunauthorized:false", "TLS certificates aren't checked"),
    ("rejectunauthorized=false", "TLS certificates aren't checked"),
    ("insecureskipverify:true", "TLS certificates aren't checked"),
    ("danger_accept_invalid_certs(true", "TLS certificates aren't checked"),
    ("danger_accept_invalid_hostnames(true", "TLS host names aren't checked"),
    ("node_tls_reject_unauthorized", "TLS certificates aren't checked"),
    ("_create_unverified_context", "TLS certificates aren't checked"),
    ("cert_none", "TLS certificates aren't checked"),
    ("check_hostname=false", "TLS host names aren't checked"),
    ("noophostnameverifier", "TLS host names aren't checked"),
    ("permitall", "everybody is let in"),
    ("@anonymousallowed", "everybody is let in"),
    ("allowanonymous", "everybody is let in"),
    ("allowany", "everybody is let in"),
    ("web.ignoring(", "everybody is let in"),
    ("csrf_exempt", "no CSRF protection"),
    ("csrf().disable(", "no CSRF protection"),
    ("csrf.disable(", "no CSRF protection"),
    ("csrf::disable", "no CSRF protection"),
    ("csrf->csrf.disable", "no CSRF protection"),
    ("skip_before_action", "a filter is skipped"),
    ("skip_forgery_protection", "no CSRF protection"),
    ("wtf_csrf_enabled=false", "no CSRF protection"),
    ("ignoreantiforgerytoken", "no CSRF protection"),
    ("access-control-allow-origin\",\"*", "any origin may call (CORS)"),
    ("access-control-allow-origin\":\"*", "any origin may call (CORS)"),
    ("access-control-allow-origin\"]=\"*", "any origin may call (CORS)"),
    ("allow_origins=[\"*", "any origin may call (CORS)"),
    ("origins=\"*", "any origin may call (CORS)"),
    ("origin:\"*", "any origin may call (CORS)"),
    ("origin:true", "any origin may call (CORS)"),
    ("origins=\"*", "any origin may call (CORS)"),
    ("allowedorigins(\"*", "any origin may call (CORS)"),
    ("@crossorigin", "other origins may call (CORS)"),
    ("allowanyorigin(", "any origin may call (CORS)"),
    ("cors_allow_all_origins=true", "any origin may call (CORS)"),
    ("cors_origin_allow_all=true", "any origin may call (CORS)"),
    ("allowallorigins:true", "any origin may call (CORS)"),
    ("corslayer::permissive(", "any origin may call (CORS)"),
    ("cors::permissive(", "any origin may call (CORS)"),
    ("httponly=false", "scripts may read the cookie"),
    ("httponly:false", "scripts may read the cookie"),
    ("sethttponly(false", "scripts may read the cookie"),
    ("session_cookie_httponly=false", "scripts may read the cookie"),
    ("secure=false", "the cookie goes over plain HTTP"),
    ("secure:false", "the cookie goes over plain HTTP"),
    ("setsecure(false", "the cookie goes over plain HTTP"),
    ("cookie_secure=false", "the cookie goes over plain HTTP"),
    ("samesite=\"none", "the cookie goes with requests of other sites"),
    ("samesite:\"none", "the cookie goes with requests of other sites"),
    ("debug=true", "debugging is on"),
    ("allowed_hosts=[\"*", "any host name is served"),
    ("autoescape=false", "templates don't escape"),
    ("noent:true", "XML entities are followed"),
    ("algorithms=[\"none", "tokens needn't be signed"),
    ("verify_signature\":false", "tokens needn't be signed"),
    ("ignoreexpiration:true", "tokens never expire"),
    ("stricthostkeychecking=no", "SSH host keys aren't checked"),
    ("autoaddpolicy", "SSH host keys aren't checked"),
    ("insecureignorehostkey", "SSH host keys aren't checked"),
];

/// Guards, each with what it guards.
pub(super) fn entries(source: &Source<'_>) -> Vec<Entry> {
    if source.is_test() || !is_code(source) {
        return Vec::new();
    }
    let tokens = source.tokens();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let defined = index.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(declares);
        if token.kind != Kind::Word || !guards(&tokens, index) || defined || is_import(&tokens, index) {
            continue;
        }
        let subject = subject(&tokens, index, source);
        let entry = Entry::new(token.line, format!("{} of {subject}", token.text));
        // A file that was renamed is the same in the key, and another one in what stands in for it.
        let subject = if subject == FILE {
            format!("`{}`", source.path)
        } else {
            subject
        };
        let validates = VALIDATORS.contains(&token.text);
        let sort = if validates { "validation" } else { "authentication" };
        found.push(entry.class(format!("{sort} of {subject}")));
    }
    found
}

fn is_code(source: &Source<'_>) -> bool {
    source.ends_with(&[
        ".py", ".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".java", ".kt", ".go", ".rs", ".rb", ".cs", ".php",
        ".scala",
    ])
}

fn declares(token: &Token<'_>) -> bool {
    token.kind == Kind::Word
        && matches!(
            token.text,
            "def" | "function" | "class" | "fn" | "func" | "fun" | "const" | "let" | "var" | "interface"
        )
}

/// Whether a token stands in a line that imports: at its start is what says so, or `require` is called in it.
fn is_import(tokens: &[Token<'_>], index: usize) -> bool {
    let line = tokens.get(index).map(|token| token.line);
    let start = tokens.partition_point(|token| Some(token.line) < line);
    let mut own = tokens.iter().skip(start).take_while(|token| Some(token.line) == line);
    let first = own.clone().next().map_or("", |token| token.text);
    matches!(first, "import" | "from" | "using" | "use" | "export") || own.any(|token| token.is_word("require"))
}

fn guards(tokens: &[Token<'_>], index: usize) -> bool {
    let Some(token) = tokens.get(index) else { return false };
    let plain: String = token
        .text
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    if WORDS.iter().any(|word| plain.contains(word)) {
        return true;
    }
    let called = tokens.get(index + 1).is_some_and(|next| next.is("("));
    let annotated = index
        .checked_sub(1)
        .and_then(|at| tokens.get(at))
        .is_some_and(|before| before.is("@"));
    VALIDATORS.contains(&token.text) && (called || annotated)
}

/// What a guard at this place guards: the route of its statement, else the next function, else the one around it.
fn subject(tokens: &[Token<'_>], index: usize, source: &Source<'_>) -> String {
    let annotated = index
        .checked_sub(1)
        .and_then(|at| tokens.get(at))
        .is_some_and(|before| before.is("@") || before.is("["));
    let names = |at: usize| name(tokens, at, source);
    // The annotations of one declaration stand together, in any order.
    let near = || {
        (index.saturating_sub(40)..index)
            .rev()
            .find_map(|at| routes::route(tokens, at, source))
    };
    let ahead = || (index..index + 40).find_map(|at| routes::route(tokens, at, source));
    if annotated {
        let next = (index..tokens.len().min(index + 200)).find_map(names);
        return next
            .or_else(|| ahead().map(|(_, path)| format!("`{path}`")))
            .unwrap_or_else(|| FILE.to_owned());
    }
    let line = tokens.get(index).map(|token| token.line);
    let on_line = (0..index)
        .rev()
        .take_while(|at| tokens.get(*at).map(|token| token.line) == line);
    if let Some((_, path)) = on_line.filter_map(|at| routes::route(tokens, at, source)).next() {
        return format!("`{path}`");
    }
    let wrapped = near().filter(|_| !(0..index).rev().take(40).any(|at| names(at).is_some()));
    if let Some((_, path)) = wrapped {
        return format!("`{path}`");
    }
    (0..index)
        .rev()
        .take(MAX_LOOK)
        .find_map(names)
        .unwrap_or_else(|| FILE.to_owned())
}

/// The name that is declared at this token.
fn name(tokens: &[Token<'_>], at: usize, source: &Source<'_>) -> Option<String> {
    let token = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let part = source.code.as_ref().and_then(|code| code.parts.get(at));
    let after_keyword = at
        .checked_sub(1)
        .and_then(|before| tokens.get(before))
        .is_some_and(declares);
    (after_keyword || part.is_some_and(|part| part.declared)).then(|| format!("`{}`", token.text))
}

/// All that a guard in this file could guard.
pub(super) fn subjects(source: &Source<'_>) -> BTreeSet<String> {
    let tokens = source.tokens();
    let mut all = BTreeSet::from([format!("`{}`", source.path)]);
    for index in 0..tokens.len() {
        all.extend(name(&tokens, index, source));
        if let Some((_, path)) = routes::route(&tokens, index, source) {
            all.insert(format!("`{path}`"));
        }
    }
    all
}

/// Settings that turn a protection off.
pub(super) fn turned_off(source: &Source<'_>) -> Vec<Entry> {
    if source.is_test() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for statement in source.statements() {
        let text = joined(&statement).replace(' ', "").to_ascii_lowercase();
        for (mark, what) in OFF {
            if let Some(at) = text.find(mark) {
                // `insecure=false` is not `secure=false`.
                let whole = !text
                    .get(..at)
                    .is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric()) && !mark.starts_with('@'));
                let line = statement.first().map_or(1, |token| token.line);
                if whole {
                    found.push(
                        Entry::new(line, format!("{mark} {text}"))
                            .class(*mark)
                            .shown(format!("{what} (`{mark}`)")),
                    );
                }
            }
        }
    }
    found
}
