//! Cookies that an answer sets (RFC 6265 §4.1): names, values and each attribute, which says who gets it back.

use std::collections::{BTreeMap, BTreeSet};

use super::values::{self, Judged};
use super::{Context, Report, Response};

/// Most cookies of one answer that are compared.
const MAX_COOKIES: usize = 200;

struct Cookie<'a> {
    value: &'a str,
    /// Lower-case name → value; empty for flags.
    attributes: BTreeMap<String, &'a str>,
}

struct Jar<'a> {
    names: Vec<&'a str>,
    cookies: BTreeMap<&'a str, Cookie<'a>>,
}

fn read(response: &Response) -> Jar<'_> {
    let mut jar = Jar {
        names: Vec::new(),
        cookies: BTreeMap::new(),
    };
    for line in response
        .headers
        .get("set-cookie")
        .into_iter()
        .flatten()
        .take(MAX_COOKIES)
    {
        let mut parts = line.split(';').map(str::trim);
        let pair = parts.next().unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let attributes = parts.filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_ascii_lowercase(), value.trim())
        });
        let cookie = Cookie {
            value: value.trim(),
            attributes: attributes.collect(),
        };
        jar.names.push(name.trim());
        jar.cookies.insert(name.trim(), cookie);
    }
    jar
}

pub(super) fn compare(context: &Context<'_>, before: &[&Response], after: &Response, report: &mut Report) {
    let jars: Vec<Jar<'_>> = before.iter().map(|response| read(response)).collect();
    let now = read(after);
    let names: BTreeSet<&str> = jars
        .iter()
        .chain([&now])
        .flat_map(|jar| jar.cookies.keys().copied())
        .collect();
    for name in names {
        let place = format!("$.header.set-cookie.{name}");
        let known: Vec<(usize, &Cookie<'_>)> = jars
            .iter()
            .enumerate()
            .filter_map(|(run, jar)| Some((run, jar.cookies.get(name)?)))
            .collect();
        match now.cookies.get(name) {
            None if known.len() == jars.len() => {
                report.add(
                    "cookie-removed",
                    &place,
                    format!("the cookie `{name}` is no longer set"),
                );
            }
            None => {}
            Some(_) if known.is_empty() => {
                report.add("cookie-added", &place, format!("the cookie `{name}` is new"));
            }
            Some(cookie) => one(context, name, &known, cookie, report),
        }
    }
    let first = jars.first().map(|jar| &jar.names);
    let stable = jars.iter().all(|jar| Some(&jar.names) == first);
    if stable && first.is_some_and(|first| *first != now.names && sorted(first) == sorted(&now.names)) {
        let text = "the cookies are set in another order";
        report.add("header-order", "$.header.set-cookie", text);
    }
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

fn one(context: &Context<'_>, name: &str, before: &[(usize, &Cookie<'_>)], after: &Cookie<'_>, report: &mut Report) {
    let place = format!("$.header.set-cookie.{name}");
    let known: Vec<(usize, &str)> = before.iter().map(|(run, cookie)| (*run, cookie.value)).collect();
    match values::text(context, &known, None, after.value) {
        Judged::Same => {}
        // Values of cookies are nobody's business.
        Judged::Value(_) => report.add("cookie-value", &place, format!("the cookie `{name}` has another value")),
        Judged::Format => report.add(
            "cookie-format",
            &place,
            format!("the cookie `{name}` is written another way"),
        ),
    }
    let attributes: BTreeSet<&String> = before
        .iter()
        .map(|(_, cookie)| *cookie)
        .chain([after])
        .flat_map(|cookie| cookie.attributes.keys())
        .collect();
    for attribute in attributes {
        let place = format!("{place}.{attribute}");
        let known: Vec<(usize, &str)> = before
            .iter()
            .filter_map(|(run, cookie)| Some((*run, *cookie.attributes.get(attribute)?)))
            .collect();
        let text = match after.attributes.get(attribute) {
            None if known.len() == before.len() => format!("the cookie `{name}` lost `{attribute}`"),
            Some(_) if known.is_empty() => format!("the cookie `{name}` gained `{attribute}`"),
            Some(now) => match values::text(context, &known, None, now) {
                Judged::Same => continue,
                _ => {
                    let old = known.first().map(|(_, text)| *text).unwrap_or_default();
                    format!("the cookie `{name}` has {attribute} `{now}` instead of `{old}`")
                }
            },
            None => continue,
        };
        report.add("cookie-attribute", &place, text);
    }
}
