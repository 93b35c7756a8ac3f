//! Types as they are written, compared as far as their text says.

use super::{Effect, What};

/// Which way values of the type go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Types {
    /// The client hands them over: a type that takes more is fine.
    Taken,
    /// The client gets them: a type that gives less is fine.
    Given,
}

/// Types of which no value is one of another's, per family of spellings.
const PLAIN: &[&[&str]] = &[
    &["string", "str", "String", "&str"],
    &["bytes", "Uint8Array", "Buffer", "&[u8]"],
    &[
        "number", "int", "float", "u8", "u16", "u32", "u64", "usize", "i32", "i64", "f64", "bigint",
    ],
    &["boolean", "bool"],
    &["None", "null", "undefined", "void", "()"],
    &["list", "Array", "Vec"],
    &["dict", "Map", "HashMap"],
    &["Promise", "Awaitable", "Coroutine"],
];

/// Alternatives of a union, each in one spelling.
fn parts(text: &str) -> Vec<String> {
    let mut plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\''))
        .collect();
    for (from, to) in [
        ("typing_extensions.", ""),
        ("typing.", ""),
        ("collections.abc.", ""),
        ("cabc.", ""),
        ("_t.", ""),
        ("t.", ""),
        ("List[", "list["),
        ("Dict[", "dict["),
        ("Tuple[", "tuple["),
        ("Set[", "set["),
        ("Type[", "type["),
        ("Text", "str"),
    ] {
        // Only whole words: `dict.` must not lose its `t.`.
        plain = replace_word(&plain, from, to);
    }
    let (mut found, mut open) = (Vec::new(), vec![plain]);
    while let Some(part) = open.pop() {
        let inner = |name: &str| {
            part.strip_prefix(name)
                .and_then(|rest| rest.strip_suffix(']'))
                .filter(|i| balanced(i))
        };
        if let Some(inner) = inner("Optional[") {
            found.push("None".to_owned());
            open.push(inner.to_owned());
        } else if let Some(inner) = inner("Union[") {
            open.extend(split(inner, ','));
        } else {
            let alternatives = split(&part, '|');
            if alternatives.len() > 1 {
                open.extend(alternatives);
            } else {
                found.push(part);
            }
        }
        if found.len() + open.len() > 200 {
            break;
        }
    }
    found.retain(|part| !part.is_empty());
    found.sort();
    found.dedup();
    found
}

fn replace_word(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let inside = out
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
        out.push_str(if inside { from } else { to });
        rest = after.get(from.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn balanced(text: &str) -> bool {
    let mut depth = 0i32;
    text.chars().all(|c| {
        depth += match c {
            '[' | '(' | '<' | '{' => 1,
            ']' | ')' | '>' | '}' => -1,
            _ => 0,
        };
        depth >= 0
    }) && depth == 0
}

/// Splits where no bracket is open.
pub(super) fn split(text: &str, at: char) -> Vec<String> {
    let (mut found, mut depth, mut part) = (Vec::new(), 0i32, String::new());
    for c in text.chars() {
        depth += match c {
            '[' | '(' | '<' | '{' => 1,
            ']' | ')' | '>' | '}' => -1,
            _ => 0,
        };
        if c == at && depth <= 0 {
            found.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    found.push(part);
    found
}

fn family(part: &str) -> Option<usize> {
    let head = part.split(['[', '<']).next().unwrap_or(part);
    PLAIN.iter().position(|family| family.contains(&head))
}

/// What becomes of values when a type changes. Types that only one side states say nothing.
pub(super) fn compare_types(old: Option<&str>, new: Option<&str>, way: Types) -> Effect {
    let (Some(old), Some(new)) = (old, new) else {
        return Effect::None;
    };
    if old == new {
        return Effect::None;
    }
    let (before, now) = (parts(old), parts(new));
    let anything = |parts: &[String]| {
        parts
            .iter()
            .any(|p| matches!(p.as_str(), "Any" | "any" | "unknown" | "object"))
    };
    let (narrow, wide) = match way {
        Types::Taken => (&before, &now),
        Types::Given => (&now, &before),
    };
    if anything(wide) || narrow.iter().all(|part| wide.contains(part)) {
        return Effect::None;
    }
    let text = format!("was `{old}`, and is `{new}`");
    let families = |parts: &[String]| parts.iter().map(|part| family(part)).collect::<Option<Vec<_>>>();
    match (families(&before), families(&now)) {
        (Some(before), Some(now)) if before.iter().all(|family| !now.contains(family)) => {
            Effect::breaks(What::Type, &text)
        }
        _ => Effect::unclear(What::Type, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_same_type_are_the_same() {
        for (old, new) in [
            ("Optional[str]", "str | None"),
            ("t.Union[str, bytes]", "bytes | str"),
            ("typing.List[int]", "list[int]"),
            ("\"Response\"", "Response"),
        ] {
            assert_eq!(
                compare_types(Some(old), Some(new), Types::Taken),
                Effect::None,
                "{old} {new}"
            );
            assert_eq!(
                compare_types(Some(old), Some(new), Types::Given),
                Effect::None,
                "{old} {new}"
            );
        }
    }

    #[test]
    fn what_is_taken_may_widen_and_what_is_given_may_narrow() {
        assert_eq!(
            compare_types(Some("str"), Some("str | bytes"), Types::Taken),
            Effect::None
        );
        assert_ne!(
            compare_types(Some("str"), Some("str | bytes"), Types::Given),
            Effect::None
        );
        assert_eq!(
            compare_types(Some("str | bytes"), Some("str"), Types::Given),
            Effect::None
        );
    }

    #[test]
    fn plain_types_that_share_no_value_break() {
        let effect = compare_types(Some("str"), Some("int"), Types::Taken);
        assert!(matches!(effect, Effect::Breaks { what: What::Type, .. }), "{effect:?}");
        let effect = compare_types(Some("Foo"), Some("Bar"), Types::Taken);
        assert!(matches!(effect, Effect::Unclear { .. }), "{effect:?}");
    }
}
