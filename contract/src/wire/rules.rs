//! The rules, as data.

use crate::{Level, Rule};

struct Row {
    id: &'static str,
    level: Level,
    explanation: &'static str,
    opposite: &'static str,
}

const fn row(id: &'static str, level: Level, explanation: &'static str, opposite: &'static str) -> Row {
    Row {
        id,
        level,
        explanation,
        opposite,
    }
}

use Level::{Error, Info, Warning};

/// What can differ × how. Levels are those of places that no consumer pins.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("no-answer", Error, "The connection breaks, or what comes back is not HTTP, where there was an answer before.", "answer-new"),
    row("answer-new", Info, "There is an answer where there was none before.", "no-answer"),
    row("status", Warning, "The status code is another one (RFC 9110 §15).", "status"),
    row("status-server-error", Error, "The server fails (5xx) where it answered before.", "status"),
    row("header-removed", Warning, "A header that always came is gone.", "header-added"),
    row("header-added", Info, "A header comes that never did.", "header-removed"),
    row("header-value", Warning, "A header has another value.", "header-value"),
    row("header-format", Warning, "A header's value is written another way: another length, letter case, kind of token or date.", "header-format"),
    row("header-order", Warning, "The same values of a header come in another order, which counts for repeated headers (RFC 9110 §5.3).", "header-order"),
    row("cookie-removed", Warning, "A cookie is no longer set.", "cookie-added"),
    row("cookie-added", Info, "A cookie is set that never was.", "cookie-removed"),
    row("cookie-value", Warning, "A cookie has another value.", "cookie-value"),
    row("cookie-format", Warning, "A cookie's value is written another way.", "cookie-format"),
    row("cookie-attribute", Warning, "An attribute of a cookie (Path, Domain, Secure, HttpOnly, SameSite, Max-Age …) is new, gone or another (RFC 6265 §4.1).", "cookie-attribute"),
    row("body-kind", Warning, "The body is of another kind: JSON, text, bytes or none.", "body-kind"),
    row("body-text", Warning, "A text body has other lines.", "body-text"),
    row("body-bytes", Warning, "A body of bytes is another one.", "body-bytes"),
    row("body-layout", Info, "The same JSON is written with other blanks, line ends or escapes.", "body-layout"),
    row("field-removed", Warning, "A field of a JSON body is gone.", "field-added"),
    row("field-added", Info, "A field of a JSON body is new.", "field-removed"),
    row("field-null", Warning, "A field is null where it never was, or no longer null.", "field-null"),
    row("field-type", Warning, "A field has another JSON type.", "field-type"),
    row("field-value", Warning, "A field has another value.", "field-value"),
    row("field-format", Warning, "A field's value is written another way: another kind of date, number, id, letter case or length.", "field-format"),
    row("key-order", Warning, "The keys of an object come in another order: no JSON parser minds (RFC 8259 §4), but signatures and text comparisons do.", "key-order"),
    row("list-order", Warning, "The elements of a list come in another order.", "list-order"),
    row("list-items", Warning, "A list has other elements, or another number of them.", "list-items"),
];

/// All rules of the wire oracle, in the order in which they are explained.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let rule = |row: &Row| Rule {
        kind: "wire",
        id: row.id.to_owned(),
        level: row.level,
        explanation: row.explanation.to_owned(),
        opposite: Some(row.opposite.to_owned()),
    };
    ROWS.iter().map(rule).collect()
}

/// How bad a rule is where no consumer pins the place; one that isn't listed is an error.
pub(super) fn level(id: &str) -> Level {
    ROWS.iter().find(|row| row.id == id).map_or(Error, |row| row.level)
}

pub(super) fn is_status(id: &str) -> bool {
    id.starts_with("status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_explained_and_has_its_opposite() {
        for rule in rules() {
            assert!(rule.explanation.ends_with('.'), "{}", rule.id);
            let opposite = rule.opposite.unwrap();
            assert!(ROWS.iter().any(|row| row.id == opposite), "{opposite}");
        }
    }
}
