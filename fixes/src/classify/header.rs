//! A call that sets a security header to a literal is added or changed.

mod value;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use holdpoint_schemas::fix::{FileChange, FixKind};
use regex::{Captures, Regex};

use super::environment::Language;
use super::tokens::{self, Kind};
use super::{FileView, Part};

/// Headers that only restrict what a browser or cache does with a response. `Content-Type` and
/// CORS headers are not among them: clients read those.
const SECURITY_HEADERS: [&str; 14] = [
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "x-permitted-cross-domain-policies",
    "x-download-options",
    "content-security-policy",
    "content-security-policy-report-only",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-embedder-policy",
    "cross-origin-resource-policy",
    "cache-control",
];

/// The whole of a line that sets a header to a plain literal.
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let quoted = r#"(?:"([^"\\`$]*)"|'([^'\\`$]*)')"#;
    let method = "setHeader|set_header|send_header|addHeader|add_header|insert_header|append_header|header";
    let receiver = r"[A-Za-z_][\w.]*";
    Regex::new(&format!(
        r"^\s*(?:(?:{receiver})?\.(?:{method})\(\s*\(?\s*{quoted}\s*,\s*{quoted}\s*\)?\s*\)|{receiver}\.(?:headers|Header\(\))\.(?:set|Set)\(\s*{quoted}\s*,\s*{quoted}\s*\)|{receiver}\.headers\[\s*{quoted}\s*\]\s*=\s*{quoted})\s*;?\s*$"
    ))
    .ok()
});

/// Name (lower case) and value of the security header that a line sets.
fn header_of(line: &str) -> Option<(String, String)> {
    let captures: Captures<'_> = CALL.as_ref()?.captures(line)?;
    let mut texts = captures.iter().skip(1).flatten().map(|text| text.as_str());
    let (name, value) = (texts.next()?.to_ascii_lowercase(), texts.next()?);
    let balanced = line.matches('(').count() == line.matches(')').count();
    let printable = value.chars().all(|c| !c.is_control());
    (balanced && printable && SECURITY_HEADERS.contains(&name.as_str())).then(|| (name, value.to_owned()))
}

/// Whether the change has to do with headers at all: then our reason is the better one to give.
pub(super) fn mentions(change: &FileChange) -> bool {
    change
        .added
        .iter()
        .any(|(_, line)| line.to_ascii_lowercase().contains("header"))
}

/// Endings of source code that answers requests.
const CODE: [&str; 16] = [
    "py", "js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx", "go", "rs", "java", "kt", "rb", "php", "cs",
];

pub(super) fn read(view: &FileView<'_>) -> Result<Part, String> {
    let ending = view.path().rsplit_once('.').map_or("", |(_, ending)| ending);
    if !CODE.contains(&ending) {
        return Err("changes a header in a file that is no known code".to_owned());
    }
    let (_, after) = view.both()?;
    let (added, removed) = (set_by(&view.change.added)?, set_by(&view.change.removed)?);
    if let Some(lost) = removed.keys().find(|name| !added.contains_key(*name)) {
        return Err(format!("no longer sets the header `{lost}`"));
    }
    if added.is_empty() {
        return Err("sets no header".to_owned());
    }
    for (name, (line, value)) in &added {
        let old = removed.get(name);
        if !value::is_no_weaker(name, old.map(|(_, value)| value.as_str()), value) {
            return Err(format!(
                "gives the header `{name}` a value that doesn't protect, or less than before"
            ));
        }
        // A call that moves elsewhere, behind a return for instance, may never be made.
        if old.is_some_and(|(old, _)| {
            unchanged_before(&view.change.removed, *old) != unchanged_before(&view.change.added, *line)
        }) {
            return Err(format!("moves where the header `{name}` is set"));
        }
        if set_otherwise(view, after, name, value) {
            return Err(format!(
                "sets the header `{name}` to another value than the rest of the file"
            ));
        }
    }
    let all: Vec<&str> = after.lines().collect();
    for (number, _) in view.change.added.iter().filter(|(_, line)| is_statement(line)) {
        if comes_too_late(&all, *number) {
            return Err("sets a header where it is never sent".to_owned());
        }
    }
    if Language::of(view.path()) == Language::Python {
        check_statements(view, after)?;
    } else {
        let lines: Vec<&str> = after.lines().collect();
        for (number, _) in view.change.added.iter().filter(|(_, line)| is_statement(line)) {
            if !follows_a_whole_statement(&lines, *number) {
                return Err("sets a header in a place that could change the flow of control".to_owned());
            }
        }
    }
    let names: Vec<&str> = added.keys().map(String::as_str).collect();
    Ok(Part {
        kind: FixKind::SecurityHeader,
        because: format!("only sets the response header `{}`", names.join("`, `")),
        upgrades: Vec::new(),
    })
}

type Headers = BTreeMap<String, (u32, String)>;

/// The headers that these lines set, with line and value; lines that do anything else are an error.
fn set_by(lines: &[(u32, String)]) -> Result<Headers, String> {
    let mut found = BTreeMap::new();
    for (number, line) in lines.iter().filter(|(_, line)| !line.trim().is_empty()) {
        let (name, value) = header_of(line).ok_or("changes more than calls that set a security header to a literal")?;
        if found.insert(name.clone(), (*number, value)).is_some() {
            return Err(format!("sets `{name}` twice"));
        }
    }
    Ok(found)
}

/// Lines before this one that are the same on both sides.
fn unchanged_before(changed: &[(u32, String)], line: u32) -> usize {
    let earlier = changed.iter().filter(|(number, _)| *number < line).count();
    usize::try_from(line).unwrap_or(0).saturating_sub(earlier)
}

/// Whether an unchanged line names the header with another value: which call wins can't be told.
fn set_otherwise(view: &FileView<'_>, after: &str, name: &str, value: &str) -> bool {
    let is_added = |number: u32| view.change.added.iter().any(|(added, _)| *added == number);
    let mut others = (1..).zip(after.lines()).filter(|(number, _)| !is_added(*number));
    others.any(|(_, line)| line.to_ascii_lowercase().contains(name) && !line.contains(value))
}

/// In Python each added line must be a statement: within brackets it would be part of another.
fn check_statements(view: &FileView<'_>, after: &str) -> Result<(), String> {
    let program = tokens::read(view.path(), after).ok_or("can't be read as tokens for sure")?;
    for (number, _) in view.change.added.iter().filter(|(_, line)| !line.trim().is_empty()) {
        let starts = |line: u32| {
            let at = program.tokens.partition_point(|token| token.line < line);
            program.tokens.get(at).is_none_or(|token| token.kind == Kind::Layout)
        };
        if !starts(*number) || !starts(number + 1) {
            return Err("sets a header within another statement".to_owned());
        }
    }
    Ok(())
}

/// Statements after which the rest of a block is never run.
const LEAVES: [&str; 7] = ["return", "raise", "throw", "break", "continue", "panic(", "panic!("];
/// Calls after which headers are already on their way.
const SENDS: [&str; 8] = [
    "end_headers(",
    "flushHeaders(",
    "writeHead(",
    "WriteHeader(",
    ".end(",
    ".send(",
    ".json(",
    "wfile.write(",
];

/// Whether an earlier line of the same block leaves it or sends the answer, or whether the line
/// parts an `else` from what it belongs to.
fn comes_too_late(lines: &[&str], number: u32) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let index = usize::try_from(number).unwrap_or(0).saturating_sub(1);
    let own = lines.get(index).map_or(0, |line| depth(line));
    let earlier = lines.get(..index).unwrap_or_default().iter().rev();
    let block = earlier
        .filter(|line| !line.trim().is_empty())
        .take_while(|line| depth(line) >= own);
    let late = |line: &&str| {
        let text = line.trim_start_matches(['}', ' ', '\t']);
        (depth(line) == own && LEAVES.iter().any(|word| text.starts_with(word)))
            || SENDS.iter().any(|call| text.contains(call))
    };
    let mut later = lines
        .get(index + 1..)
        .unwrap_or_default()
        .iter()
        .map(|line| line.trim());
    let parts = later.find(|line| !line.is_empty()).is_some_and(|line| {
        ["else", "elif", "catch", "except", "finally"]
            .iter()
            .any(|word| line.starts_with(word))
    });
    parts || block.into_iter().any(late)
}

/// Whether a line is a statement of its own, not one call of a chain (`.insert_header(…)`).
fn is_statement(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('.')
}

/// Whether the line before ends a statement or opens a block. After a bare `if (denied)` a new
/// line would become its body, and the old body would always run.
fn follows_a_whole_statement(lines: &[&str], number: u32) -> bool {
    let index = usize::try_from(number).unwrap_or(0).saturating_sub(1);
    let earlier = lines.get(..index).unwrap_or_default().iter().rev();
    match earlier
        .map(|line| line.trim())
        .find(|line| !line.is_empty() && !line.starts_with("//"))
    {
        None => false,
        Some(line) if line.contains("//") || line.contains("/*") || line.contains("*/") => false,
        Some(line) => line.ends_with([';', '{', '}']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_with_literals_are_recognised() {
        for line in [
            "        self.send_header(\"X-Content-Type-Options\", \"nosniff\")",
            "  res.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');",
            "resp.headers[\"X-Frame-Options\"] = \"DENY\"",
            "headers.headers.set(\"Referrer-Policy\", \"no-referrer\");",
            "w.Header().Set(\"X-Frame-Options\", \"DENY\")",
            "    .insert_header((\"X-Frame-Options\", \"DENY\"))",
        ] {
            assert!(header_of(line).is_some(), "{line}");
        }
    }

    #[test]
    fn computed_values_and_other_headers_are_not() {
        for line in [
            "self.send_header(\"X-Frame-Options\", value)",
            "self.send_header(name, \"DENY\")",
            "self.send_header(\"X-Frame-Options\", f\"{x}\")",
            "self.send_header(\"X-Frame-Options\", \"a\" + b())",
            "res.setHeader(\"X-Frame-Options\", `DENY`);",
            "res.setHeader(\"X-Frame-Options\", \"DENY\"); run();",
            "res.setHeader(\"X-Frame-Options\", \"DENY\") || run()",
            "res.setHeader(\"X-Frame-Options\", \"DENY\\r\\nSet-Cookie: a\");",
            "self.send_header(\"Content-Type\", \"text/html\")",
            "self.send_header(\"Access-Control-Allow-Origin\", \"*\")",
            "run().headers[\"X-Frame-Options\"] = \"DENY\"",
            "# self.send_header(\"X-Frame-Options\", \"DENY\")",
            "self.send_header((\"X-Frame-Options\", \"DENY\")",
        ] {
            assert_eq!(header_of(line), None, "{line}");
        }
    }
}
