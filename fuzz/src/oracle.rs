//! The promises that many parsers share.

use holdpoint_schemas::SourceError;
use holdpoint_schemas::finding::Finding;

/// Longest message of an error, in characters. What a message quotes of a file must be cut short.
const MAX_MESSAGE: usize = 2_000;
/// Longest title of a finding in characters, its `…` included.
const MAX_TITLE: usize = 301;

/// Asks twice: the answer must be the same. Gives it.
pub fn twice<T: PartialEq>(ask: impl Fn() -> T) -> T {
    let first = ask();
    assert!(first == ask(), "two answers to one question");
    first
}

/// As [`twice`], for what can only be printed.
pub fn prints_alike<T: std::fmt::Debug>(ask: impl Fn() -> T) -> T {
    let first = ask();
    assert!(
        format!("{first:?}") == format!("{:?}", ask()),
        "two answers to one question"
    );
    first
}

/// An error from a file says where, or what to do, in bounded words; its place lies in the text.
pub fn helpful(error: &SourceError) {
    let line = error.one_line();
    assert!(!error.message.trim().is_empty(), "an error without words");
    assert!(
        error.position.is_some() || error.help.is_some(),
        "neither a place nor help: {line}"
    );
    assert!(
        error.position.is_none_or(|(line, column)| line > 0 && column > 0),
        "a place before the first: {line}"
    );
    let text = error.source_code.inner();
    let offset = error.span.map_or(0, |span| span.offset());
    assert!(text.is_char_boundary(offset), "a place inside of a character: {line}");
    let length = error.message.chars().count();
    assert!(length <= MAX_MESSAGE, "a message of {length} characters");
}

/// The value, if there is one; the error must be helpful.
pub fn good<T>(result: Result<T, Box<SourceError>>) -> Option<T> {
    result.inspect_err(|error| helpful(error)).ok()
}

/// What is shown of a finding is bounded, and holds nothing that a terminal would obey.
pub fn bounded(finding: &Finding) {
    let shown = [&finding.title, &finding.rule, &finding.scanner];
    for text in shown {
        assert!(
            !text.chars().any(char::is_control),
            "a control character in {text:?} of {:?}",
            finding.rule
        );
        assert!(
            text.chars().count() <= MAX_TITLE,
            "{} characters in a finding's field",
            text.chars().count()
        );
    }
    assert!(
        finding.location.as_ref().is_none_or(|place| place.line != Some(0)),
        "lines begin at 1"
    );
    assert!(
        finding.details.cvss_tenths.is_none_or(|score| score <= 100),
        "a CVSS score above ten"
    );
}
