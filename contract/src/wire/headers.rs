//! Headers: removed, added, another value, another way to write it, another order.

use std::collections::BTreeSet;

use super::values::{self, Judged};
use super::{Context, Report, Response, cookies, show};

/// Headers whose value follows from the body or the connection: that they come, and how they are written, counts.
const DERIVED: [&str; 8] = [
    "age",
    "content-length",
    "content-md5",
    "date",
    "digest",
    "etag",
    "keep-alive",
    "repr-digest",
];

pub(super) fn compare(context: &Context<'_>, before: &[&Response], after: &Response, report: &mut Report) {
    let names: BTreeSet<&String> = before
        .iter()
        .copied()
        .chain([after])
        .flat_map(|response| response.headers.keys())
        .collect();
    for name in names {
        if name == "set-cookie" {
            cookies::compare(context, before, after, report);
            continue;
        }
        let place = format!("$.header.{name}");
        let lines: Vec<(usize, &Vec<String>)> = before
            .iter()
            .enumerate()
            .filter_map(|(run, response)| Some((run, response.headers.get(name)?)))
            .collect();
        let learnt = context.noise.of_header(&place);
        let optional = lines.len() < before.len() || learnt.is_some_and(|learnt| learnt.optional);
        match after.headers.get(name) {
            None if optional => {}
            None => report.add("header-removed", &place, format!("`{name}` is gone")),
            Some(now) if lines.is_empty() => {
                if !learnt.is_some_and(|learnt| learnt.optional) {
                    let shown = show::value(&place, &now.join(", "));
                    report.add("header-added", &place, format!("`{name}` is new: {shown}"));
                }
            }
            Some(now) => values(context, name, &lines, now, report),
        }
    }
}

fn values(context: &Context<'_>, name: &str, before: &[(usize, &Vec<String>)], after: &[String], report: &mut Report) {
    let place = format!("$.header.{name}");
    let Some((_, first)) = before.first() else { return };
    if before.iter().any(|(_, lines)| lines.as_slice() == after) {
        return;
    }
    let counts: BTreeSet<usize> = before.iter().map(|(_, lines)| lines.len()).collect();
    if !counts.contains(&after.len()) {
        let text = format!("`{name}` comes {} times instead of {}", after.len(), first.len());
        report.add("header-value", &place, text);
        return;
    }
    let stable = before.iter().all(|(_, lines)| lines == first);
    if stable && parts(first) == parts(after) {
        report.add(
            "header-order",
            &place,
            format!("the values of `{name}` come in another order"),
        );
        return;
    }
    let learnt = context.noise.of_header(&place);
    let derived = DERIVED.contains(&name);
    for (at, now) in after.iter().enumerate() {
        let known: Vec<(usize, &str)> = before
            .iter()
            .filter_map(|(run, lines)| Some((*run, lines.get(at)?.as_str())))
            .collect();
        let shown = || {
            let old = known.first().map(|(_, text)| *text).unwrap_or_default();
            format!("{} instead of {}", show::value(&place, now), show::value(&place, old))
        };
        match values::text(context, &known, learnt, now) {
            Judged::Same => {}
            Judged::Value(_) if derived => {
                if !alike(&known, now) {
                    report.add(
                        "header-format",
                        &place,
                        format!("`{name}` is written another way: {}", shown()),
                    );
                }
            }
            Judged::Value(Some(why)) => report.add("header-value", &place, format!("`{name}`: {why}")),
            Judged::Value(None) => report.add("header-value", &place, format!("`{name}`: {}", shown())),
            Judged::Format if derived && alike(&known, now) => {}
            Judged::Format => {
                report.add(
                    "header-format",
                    &place,
                    format!("`{name}` is written another way: {}", shown()),
                );
            }
        }
    }
}

/// What the lines say, whatever its order.
fn parts(lines: &[String]) -> Vec<&str> {
    let mut parts: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split([',', ';']))
        .map(str::trim)
        .collect();
    parts.sort_unstable();
    parts
}

/// Whether a derived value is written as before: all digits, or the same marks around as many letters and digits.
fn alike(before: &[(usize, &str)], after: &str) -> bool {
    let sketch = |text: &str| -> (String, usize) {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let marks = text.chars().filter(|c| !c.is_ascii_alphanumeric()).collect();
        let length = text.chars().filter(char::is_ascii_alphanumeric).count();
        (
            if digits { "digits".to_owned() } else { marks },
            if digits { 0 } else { length },
        )
    };
    let weak = |text: &str| text.starts_with("W/");
    before
        .iter()
        .any(|(_, text)| sketch(text) == sketch(after) && weak(text) == weak(after))
}
