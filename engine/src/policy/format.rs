//! The one layout of policies: Cedar's own formatter, with comments kept.

use cedar_policy_formatter::{Config, policies_str_to_pretty};
use holdpoint_schemas::SourceError;

use super::compile::{at, located};
use super::{PolicySource, shape};

/// Longest line that the formatter aims at, in characters.
const LINE_WIDTH: usize = 100;
/// Spaces of one level of nesting.
const INDENT: isize = 4;
/// Rounds until the layout must stay as it is. One is enough for all that we know of.
const MAX_ROUNDS: usize = 3;

/// Lays out the policies of a file. What it gives, it gives back unchanged.
///
/// # Errors
/// When the text isn't Cedar, is too large or nested too deep, or when a comment would be lost.
pub fn format(source: &PolicySource) -> Result<String, Box<SourceError>> {
    shape::check(&source.text).map_err(|too_much| Box::new(at(source, too_much.offset, too_much.message)))?;
    // Cedar's parser recurses without looking at the stack, so it gets one that is large enough.
    stacker::grow(shape::STACK_BYTES, || {
        let mut formatted = once(source, &source.text)?;
        for _ in 0..MAX_ROUNDS {
            let again = once(source, &formatted)?;
            if again == formatted {
                return Ok(formatted);
            }
            formatted = again;
        }
        Err(unable(source, "its layout doesn't settle"))
    })
}

fn once(source: &PolicySource, text: &str) -> Result<String, Box<SourceError>> {
    let config = Config {
        line_width: LINE_WIDTH,
        indent_width: INDENT,
    };
    let formatted = policies_str_to_pretty(text, &config).map_err(|report| {
        // The formatter's own words are about its parser; Cedar's say what is wrong and where.
        match source.text.parse::<cedar_policy::PolicySet>() {
            Err(errors) => Box::new(located(source, &errors, None)),
            Ok(_) => unable(source, &report.to_string()),
        }
    })?;
    if comments(&formatted) == comments(text) {
        Ok(formatted)
    } else {
        Err(unable(source, "a comment would be lost"))
    }
}

fn unable(source: &PolicySource, why: &str) -> Box<SourceError> {
    let message = format!("can't be formatted: {why}");
    Box::new(SourceError::new(&source.path, message).help("move comments to lines of their own before a policy"))
}

/// The comments of a text, in order.
fn comments(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((start, byte)) = bytes.next() {
        match byte {
            b'"' => shape::skip_string(&mut bytes),
            b'/' if bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                let end = bytes.by_ref().find(|(_, byte)| *byte == b'\n');
                let end = end.map_or(text.len(), |(offset, _)| offset);
                found.push(text.get(start..end).unwrap_or_default().trim_end());
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> Result<String, String> {
        let source = PolicySource {
            path: "p.cedar".to_owned(),
            text: text.to_owned(),
        };
        format(&source).map_err(|error| error.one_line())
    }

    #[test]
    fn the_layout_is_cedars_and_comments_stay() {
        let text = "// why\n@id(\"a\") @reason(\"b // c\")\nforbid(principal,action,resource)// here\nunless{context has fix.class&&context.fix.class==\"mechanical\"};\n// end";
        let once = formatted(text).unwrap();
        assert_eq!(comments(&once), ["// why", "// here", "// end"]);
        assert_eq!(formatted(&once).unwrap(), once);
        assert!(
            once.contains("{ context has fix.class && context.fix.class == \"mechanical\" };"),
            "{once}"
        );
    }

    #[test]
    fn what_is_not_cedar_is_refused_with_its_place() {
        assert_eq!(
            formatted("permit (principal, action);\nforbid (").unwrap_err(),
            "p.cedar:2:9: unexpected end of input"
        );
        let deep = format!("permit (principal, action, resource) when {{ {} true", "(".repeat(100));
        assert!(formatted(&deep).unwrap_err().contains("nested deeper than 32"));
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "packs are folders of files, and only tests read them"
    )]
    fn the_shipped_packs_are_formatted() {
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
        let mut folders = vec![packs];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "cedar") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert_eq!(formatted(&text).as_deref(), Ok(text.as_str()), "{}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 20);
    }
}
