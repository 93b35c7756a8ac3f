//! A call that sets a security header to a literal is added or changed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use holdpoint_schemas::fix::{FileChange, FixKind};
use regex::{Captures, Regex};

use super::environment::Language;
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

/// Name (lower case) of the security header that a line sets.
fn header_of(line: &str) -> Option<String> {
    let captures: Captures<'_> = CALL.as_ref()?.captures(line)?;
    let mut texts = captures.iter().skip(1).flatten().map(|text| text.as_str());
    let (name, value) = (texts.next()?.to_ascii_lowercase(), texts.next()?);
    let balanced = line.matches('(').count() == line.matches(')').count();
    let printable = value.chars().all(|c| !c.is_control());
    (balanced && printable && SECURITY_HEADERS.contains(&name.as_str())).then_some(name)
}

/// Whether the change has to do with headers at all: then our reason is the better one to give.
pub(super) fn mentions(change: &FileChange) -> bool {
    change
        .added
        .iter()
        .any(|(_, line)| line.to_ascii_lowercase().contains("header"))
}

pub(super) fn read(view: &FileView<'_>) -> Result<Part, String> {
    let (_, after) = view.both()?;
    let mut names = [BTreeSet::new(), BTreeSet::new()];
    let [added, removed] = &mut names;
    for (lines, found) in [(&view.change.added, &mut *added), (&view.change.removed, &mut *removed)] {
        for (_, line) in lines.iter().filter(|(_, line)| !line.trim().is_empty()) {
            let name = header_of(line).ok_or("changes more than calls that set a security header to a literal")?;
            if !found.insert(name.clone()) {
                return Err(format!("sets `{name}` twice"));
            }
        }
    }
    if let Some(lost) = removed.difference(added).next() {
        return Err(format!("no longer sets the header `{lost}`"));
    }
    if added.is_empty() {
        return Err("sets no header".to_owned());
    }
    if Language::of(view.path()) != Language::Python {
        let lines: Vec<&str> = after.lines().collect();
        for (number, _) in view.change.added.iter().filter(|(_, line)| is_statement(line)) {
            if !follows_a_whole_statement(&lines, *number) {
                return Err("sets a header in a place that could change the flow of control".to_owned());
            }
        }
    }
    let names: Vec<&str> = added.iter().map(String::as_str).collect();
    Ok(Part {
        kind: FixKind::SecurityHeader,
        because: format!("only sets the response header `{}`", names.join("`, `")),
        upgrades: Vec::new(),
    })
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
