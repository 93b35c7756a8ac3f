//! Variables in values: Compose's interpolation, and files of `NAME=value`.
//!
//! A variable that nobody gives stays in the text between two control characters, so that its *name* can still
//! be read: `http://${CART_HOST}:8080` says which service is called, whatever its address is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Values by name.
pub type Variables = BTreeMap<String, String>;

const OPEN: char = '\u{1}';
const CLOSE: char = '\u{2}';
/// Deepest nesting of `${A:-${B:-…}}`.
const MAX_NESTING: usize = 8;
/// Longest text that interpolation makes: a variable may hold long text and occur often.
const MAX_TEXT: usize = 64 << 10;

/// A variable that nobody gives, as it stands in a text.
pub fn open(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// Whether a variable in it isn't given.
pub fn is_open(text: &str) -> bool {
    text.contains(OPEN)
}

/// The variable's name, where the text is nothing but one that isn't given.
pub fn open_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    (!name.contains([OPEN, CLOSE])).then_some(name)
}

/// Fills variables in, in Compose's syntax (Compose specification, "Interpolation"): `$NAME`, `${NAME}`,
/// `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`, `${NAME:?message}`; `$$` is a dollar sign.
pub fn interpolate(text: &str, given: &Variables) -> String {
    // The marks themselves never come from a file.
    if !text.contains('$') {
        return text.replace([OPEN, CLOSE], "");
    }
    fill(&text.replace([OPEN, CLOSE], ""), given, 0)
}

fn fill(text: &str, given: &Variables, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        if out.len() > MAX_TEXT {
            return out;
        }
        out.push_str(rest.get(..dollar).unwrap_or_default());
        rest = rest.get(dollar + 1..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let Some(end) = closing(after) else {
                out.push_str("${");
                rest = after;
                continue;
            };
            if depth < MAX_NESTING {
                out.push_str(&braced(after.get(..end).unwrap_or_default(), given, depth));
            }
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            let name = name_at(rest);
            if name.is_empty() {
                out.push('$');
            } else {
                out.push_str(&value_of(name, given));
            }
            rest = rest.get(name.len()..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

fn braced(inside: &str, given: &Variables, depth: usize) -> String {
    let name = name_at(inside);
    let operator = inside.get(name.len()..).unwrap_or_default();
    let value = given.get(name);
    let full = value.filter(|value| !value.is_empty());
    let text = |after: &str| fill(after, given, depth + 1);
    let set = || value_of(name, given);
    if let Some(default) = operator.strip_prefix(":-") {
        full.map_or_else(|| text(default), |_| set())
    } else if let Some(default) = operator.strip_prefix('-') {
        value.map_or_else(|| text(default), |_| set())
    } else if let Some(other) = operator.strip_prefix(":+") {
        full.map_or_else(String::new, |_| text(other))
    } else if let Some(other) = operator.strip_prefix('+') {
        value.map_or_else(String::new, |_| text(other))
    } else {
        set()
    }
}

fn value_of(name: &str, given: &Variables) -> String {
    given.get(name).cloned().unwrap_or_else(|| open(name))
}

fn name_at(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Where the brace that is open at the beginning closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (place, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(place),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Reads a file of `NAME=value` lines (Compose specification, "env_file"). A value may use names that come before
/// it. `None` where a line is none.
pub fn read(text: &str) -> Option<Variables> {
    let mut variables = Variables::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let name = name.trim();
        let is_name = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if name.is_empty() || !is_name {
            return None;
        }
        let value = value.trim();
        let quoted = |quote: char| value.strip_prefix(quote).and_then(|value| value.split(quote).next());
        let value = if let Some(literal) = quoted('\'') {
            literal.to_owned()
        } else {
            let plain = value.split(" #").next().unwrap_or(value).trim();
            interpolate(quoted('"').unwrap_or(plain), &variables)
        };
        variables.insert(name.to_owned(), value);
    }
    Some(variables)
}

/// Fills `$(NAME)` in, as Kubernetes does in `env`, `command` and `args`.
pub fn expand(text: &str, given: &Variables) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("$(") {
        let (before, after) = rest.split_at(start);
        out.push_str(before);
        let after = after.get(2..).unwrap_or_default();
        let Some((name, following)) = after.split_once(')') else {
            rest = after;
            break;
        };
        if out.len() < MAX_TEXT {
            let _ = write!(out, "{}", value_of(name, given));
        }
        rest = following;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_variable_is_filled_in() {
        let given = Variables::from([("A".to_owned(), "a".to_owned()), ("E".to_owned(), String::new())]);
        for (text, wanted) in [
            ("$A-${A}", "a-a"),
            ("${E:-x}${E-y}", "x"),
            ("${N:-${M:-deep}}", "deep"),
            ("${A:+set}${N:+set}", "set"),
            ("${A:?must}", "a"),
            ("$$A", "$A"),
            ("http://${H}:${P:-80}", "http://\u{1}H\u{2}:80"),
            ("${", "${"),
            ("$", "$"),
        ] {
            assert_eq!(interpolate(text, &given), wanted, "{text}");
        }
    }

    #[test]
    fn nesting_and_growth_are_bounded() {
        let deep = format!("{}x{}", "${A:-".repeat(5_000), "}".repeat(5_000));
        assert!(interpolate(&deep, &Variables::new()).len() < 100);
        let given = Variables::from([("A".to_owned(), "x".repeat(1_000))]);
        assert!(interpolate(&"$A".repeat(100_000), &given).len() < MAX_TEXT + 2_000);
    }

    #[test]
    fn files_of_variables_use_what_comes_before() {
        let read = read("# c\nexport HOST=cart # x\nADDR=\"${HOST}:80\"\nRAW='$HOST'\n").unwrap();
        assert_eq!(read["ADDR"], "cart:80");
        assert_eq!(read["RAW"], "$HOST");
        assert!(super::read("a: b\n").is_none());
    }

    #[test]
    fn kubernetes_variables_are_filled_in() {
        let given = Variables::from([("H".to_owned(), "db".to_owned())]);
        assert_eq!(expand("$(H):1 $(N) $(", &given), "db:1 \u{1}N\u{2} ");
    }
}
