//! What is wrong with files that people wrote: for a terminal, for machines, and as SARIF 2.1.0 for editors and CI.

use holdpoint_schemas::SourceError;
use miette::{GraphicalReportHandler, GraphicalTheme, NamedSource};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::{clean, clean_lines, count};

/// Most diagnostics that a terminal shows; the other forms have all.
const MAX_SHOWN: usize = 50;

/// The schema that SARIF logs name.
pub const SARIF_SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file can't be used.
    Error,
    /// It can, and someone should look.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing to tell about a file.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing, for machines: `policy`, `unknown-safe`, ….
    pub rule: &'static str,
    /// What, where, and what to do.
    pub error: SourceError,
}

/// A diagnostic for machines.
#[derive(Debug, Serialize)]
pub struct DiagnosticDocument<'a> {
    severity: Severity,
    rule: &'static str,
    message: &'a str,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    help: Option<&'a str>,
}

impl Diagnostic {
    /// A file of a pack that can't be used as it is.
    pub fn broken(error: &SourceError) -> Self {
        Self {
            severity: Severity::Error,
            rule: "policy",
            error: error.clone(),
        }
    }

    /// Its document.
    pub fn document(&self) -> DiagnosticDocument<'_> {
        DiagnosticDocument {
            severity: self.severity,
            rule: self.rule,
            message: &self.error.message,
            file: self.error.file(),
            line: self.error.position.map(|(line, _)| line),
            column: self.error.position.map(|(_, column)| column),
            help: self.error.help.as_deref(),
        }
    }
}

/// An error with its place in the file under a caret, and the help line.
pub fn with_caret(error: &SourceError, kind: &str) -> String {
    let error = &shown(error);
    let mut text = format!("{kind}: {}", error.one_line());
    if error.span.is_some() {
        text.push('\n');
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
        if handler.render_report(&mut text, error).is_err() {
            text.push_str(&error.message);
        }
    } else if let Some(help) = &error.help {
        let _ = write!(text, "\n  help: {help}");
    }
    text.trim_end().to_owned()
}

/// The error without what could move a cursor or begin a line of its own: all of it comes from files.
fn shown(error: &SourceError) -> SourceError {
    let text = clean_lines(error.source_code.inner());
    // Taking characters out would shift the place.
    let same = text.len() == error.source_code.inner().len();
    SourceError {
        message: clean(&error.message),
        source_code: NamedSource::new(clean(error.file()), text),
        span: error.span.filter(|_| same),
        help: error.help.as_deref().map(clean),
        position: error.position,
    }
}

/// All of them for a terminal, worst first; "" if there are none.
pub fn human(diagnostics: &[Diagnostic]) -> String {
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    shown.sort_by_key(|diagnostic| diagnostic.severity);
    let mut blocks: Vec<String> = shown
        .iter()
        .take(MAX_SHOWN)
        .map(|diagnostic| with_caret(&diagnostic.error, diagnostic.severity.as_str()))
        .collect();
    if let Some(more) = shown.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        blocks.push(format!("and {more} more; `--format json` has all"));
    }
    blocks.join("\n\n")
}

/// "2 errors, 1 warning", or "nothing to report".
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .filter_map(|severity| {
            let number = diagnostics.iter().filter(|d| d.severity == severity).count();
            (number > 0).then(|| count(number, severity.as_str(), &format!("{}s", severity.as_str())))
        })
        .collect();
    if parts.is_empty() {
        "nothing to report".to_owned()
    } else {
        parts.join(", ")
    }
}

/// A SARIF 2.1.0 log with one run.
pub fn sarif(diagnostics: &[Diagnostic]) -> Value {
    let rules: BTreeMap<&str, Value> = diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.rule, json!({ "id": diagnostic.rule })))
        .collect();
    let results: Vec<Value> = diagnostics.iter().map(sarif_result).collect();
    json!({
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "holdpoint policy check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            // Columns count characters (SARIF 2.1.0, 3.14.17).
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn sarif_result(diagnostic: &Diagnostic) -> Value {
    let error = &diagnostic.error;
    let mut physical = json!({ "artifactLocation": { "uri": uri(error.file()) } });
    if let (Some((line, column)), Some(object)) = (error.position, physical.as_object_mut()) {
        object.insert("region".to_owned(), json!({ "startLine": line, "startColumn": column }));
    }
    let text = match &error.help {
        Some(help) => format!("{}. Help: {help}", error.message),
        None => error.message.clone(),
    };
    json!({
        "ruleId": diagnostic.rule,
        "level": diagnostic.severity.as_str(),
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical }],
    })
}

/// A relative path as a URI reference (RFC 3986): what isn't unreserved or `/` is percent-encoded.
pub fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Diagnostic> {
        let text = "@id(\"x\")\nforbid (principal);\n";
        vec![
            Diagnostic {
                severity: Severity::Note,
                rule: "shadowed",
                error: SourceError::new("my pack/b.cedar", "never decides"),
            },
            Diagnostic {
                severity: Severity::Error,
                rule: "policy",
                error: SourceError::new("a.cedar", "unexpected token")
                    .at(text, 2, 9)
                    .help("look"),
            },
        ]
    }

    #[test]
    fn a_terminal_sees_the_worst_first_with_a_caret() {
        insta::assert_snapshot!(human(&samples()));
        assert_eq!(summary(&samples()), "1 error, 1 note");
        assert_eq!(summary(&[]), "nothing to report");
    }

    #[test]
    fn sarif_has_places_and_encoded_paths() {
        insta::assert_json_snapshot!(sarif(&samples()));
    }
}
