//! Bodies: JSON by its fields, text by its lines, all else by its bytes.

use std::collections::BTreeSet;

use super::format::Format;
use super::json::{self, Json, Layout};
use super::lists::{self, Alignment, Group};
use super::values::{self, Judged};
use super::{Context, Report, Response, show};

/// Most values of one answer that are compared.
const MAX_VALUES: usize = 400_000;

enum Body<'a> {
    None,
    Json(Json, Layout),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Body<'a> {
    fn of(response: &'a Response) -> Self {
        if response.body.is_empty() {
            return Self::None;
        }
        match (json::read(&response.body), std::str::from_utf8(&response.body)) {
            (Some((value, layout)), _) => Self::Json(value, layout),
            (None, Ok(text)) => Self::Text(text),
            (None, Err(_)) => Self::Bytes(&response.body),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::None => "no body",
            Self::Json(..) => "JSON",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

pub(super) fn compare(context: &Context<'_>, before: &[&Response], after: &Response, report: &mut Report) {
    let bodies: Vec<Body<'_>> = before.iter().map(|response| Body::of(response)).collect();
    let now = Body::of(after);
    let kinds: BTreeSet<&str> = bodies.iter().map(Body::kind).collect();
    if !kinds.contains(now.kind()) {
        let known: Vec<&str> = kinds.into_iter().collect();
        report.add(
            "body-kind",
            "$.body",
            format!("{} instead of {}", now.kind(), known.join(" or ")),
        );
        return;
    }
    match &now {
        Body::None => {}
        Body::Json(value, layout) => {
            let documents: Vec<(usize, &Json, &Layout)> = bodies
                .iter()
                .enumerate()
                .filter_map(|(run, body)| match body {
                    Body::Json(value, layout) => Some((run, value, layout)),
                    _ => None,
                })
                .collect();
            let group: Group<'_> = documents.iter().map(|(run, value, _)| (*run, *value)).collect();
            Walk { context, report }.value("$.body", &group, value);
            let first = documents.first().map(|(.., layout)| *layout);
            let stable = documents
                .iter()
                .all(|(.., layout)| first.is_some_and(|first| layout.agrees(first)));
            if stable && first.is_some_and(|first| !layout.agrees(first)) {
                let text = "the JSON is written with other blanks, line ends or escapes";
                report.add("body-layout", "$.body", text);
            }
        }
        Body::Text(text) => {
            let texts: Vec<&str> = bodies
                .iter()
                .filter_map(|body| match body {
                    Body::Text(text) => Some(*text),
                    _ => None,
                })
                .collect();
            lines(&texts, text, report);
        }
        Body::Bytes(bytes) => {
            let known: Vec<&[u8]> = bodies
                .iter()
                .filter_map(|body| match body {
                    Body::Bytes(bytes) => Some(*bytes),
                    _ => None,
                })
                .collect();
            let first = known.first().copied().unwrap_or_default();
            if known.iter().any(|other| *other != first) {
                report.gaps.push("a body of bytes differs from run to run".to_owned());
            } else if *bytes != first {
                report.add(
                    "body-bytes",
                    "$.body",
                    format!("{} other bytes instead of {}", bytes.len(), first.len()),
                );
            }
        }
    }
}

/// Text line by line, because what is noise in one line is none in the next.
fn lines(before: &[&str], after: &str, report: &mut Report) {
    let Some(first) = before.first() else { return };
    if before.contains(&after) {
        return;
    }
    if before.iter().all(|text| text == first) {
        report.add("body-text", "$.body", "the text is another one");
        return;
    }
    let split = |text: &str| -> Vec<String> { text.split('\n').map(str::to_owned).collect() };
    let known: Vec<Vec<String>> = before.iter().map(|text| split(text)).collect();
    let now = split(after);
    let counts: BTreeSet<usize> = known.iter().map(Vec::len).collect();
    if counts.len() > 1 {
        report
            .gaps
            .push("a text body has another number of lines in each run".to_owned());
        return;
    }
    if !counts.contains(&now.len()) {
        report.add("body-text", "$.body", "the text has another number of lines");
        return;
    }
    for (at, line) in now.iter().enumerate() {
        let examples = known.iter().filter_map(|lines| lines.get(at)).map(String::as_str);
        if Format::of(examples).is_some_and(|format| !format.accepts(line)) {
            report.add(
                "body-text",
                "$.body",
                format!("line {} of the text is another one", at + 1),
            );
            return;
        }
    }
}

/// Walks down the candidate's document beside those of the baseline.
struct Walk<'a, 'b> {
    context: &'a Context<'b>,
    report: &'a mut Report,
}

impl Walk<'_, '_> {
    // The recursion is bounded by the depth of the documents (128).
    fn value(&mut self, place: &str, before: &Group<'_>, after: &Json) {
        self.report.visited += 1;
        if self.report.visited > MAX_VALUES {
            let gap = format!("the body has more than {MAX_VALUES} values");
            if self.report.visited == MAX_VALUES + 1 {
                self.report.gaps.push(gap);
            }
            return;
        }
        let learnt = self.context.noise.at(self.context.operation, place);
        let same: Group<'_> = before
            .iter()
            .copied()
            .filter(|(_, known)| known.kind() == after.kind())
            .collect();
        if same.is_empty() {
            let known: BTreeSet<&str> = before.iter().map(|(_, known)| known.kind()).collect();
            if before.is_empty() || learnt.is_some_and(|learnt| learnt.kinds.contains(after.kind())) {
                return;
            }
            let only_null = known.len() == 1 && known.contains("null");
            let rule = if only_null || *after == Json::Null {
                "field-null"
            } else {
                "field-type"
            };
            let known: Vec<&str> = known.into_iter().collect();
            self.report.add(
                rule,
                place,
                format!("{} instead of {}", after.kind(), known.join(" or ")),
            );
            return;
        }
        match after {
            Json::Null => {}
            Json::Bool(_) => {
                let noisy = same.len() < before.len() || learnt.is_some_and(|learnt| learnt.noisy);
                if !noisy && !same.iter().any(|(_, known)| *known == after) {
                    self.judged(place, &same, after, Judged::Value(None));
                }
            }
            Json::Number(text) => {
                let judged = values::number(self.context, &scalars(&same), learnt, text);
                self.judged(place, &same, after, judged);
            }
            Json::Text(text) => {
                let judged = values::text(self.context, &scalars(&same), learnt, text);
                self.judged(place, &same, after, judged);
            }
            Json::Object(entries) => self.object(place, &same, entries),
            Json::List(items) => self.list(place, &same, items),
        }
    }

    fn judged(&mut self, place: &str, before: &Group<'_>, after: &Json, judged: Judged) {
        let shown = |value: &Json| show::value(place, value.scalar().unwrap_or_default());
        let old = before.first().map(|(_, known)| shown(known)).unwrap_or_default();
        let text = format!("{} instead of {old}", shown(after));
        match judged {
            Judged::Same => {}
            Judged::Value(Some(why)) => self.report.add("field-value", place, why),
            Judged::Value(None) => self.report.add("field-value", place, text),
            Judged::Format => self
                .report
                .add("field-format", place, format!("written another way: {text}")),
        }
    }

    fn object(&mut self, place: &str, before: &Group<'_>, after: &[(String, Json)]) {
        let mut names: BTreeSet<&str> = after.iter().map(|(name, _)| name.as_str()).collect();
        let orders: Vec<Vec<&str>> = before.iter().map(|(_, known)| keys(known)).collect();
        names.extend(orders.iter().flatten().copied());
        for name in names {
            let below = format!("{place}.{name}");
            let known: Group<'_> = before
                .iter()
                .filter_map(|(run, object)| Some((*run, object.get(name)?)))
                .collect();
            let learnt = self.context.noise.at(self.context.operation, &below);
            let optional = known.len() < before.len() || learnt.is_some_and(|learnt| learnt.optional);
            match after.iter().find(|(key, _)| key == name) {
                None if optional => {}
                None => self.report.add("field-removed", &below, "the field is gone"),
                Some((_, value)) if known.is_empty() => {
                    if !learnt.is_some_and(|learnt| learnt.optional) {
                        self.report
                            .add("field-added", &below, format!("a {} is new", value.kind()));
                    }
                }
                Some((_, value)) => self.value(&below, &known, value),
            }
        }
        let learnt = self.context.noise.at(self.context.operation, place);
        let now: Vec<&str> = after.iter().map(|(name, _)| name.as_str()).collect();
        if !learnt.is_some_and(|learnt| learnt.unordered) && orders.iter().all(|order| !agree(order, &now)) {
            self.report.add("key-order", place, "the keys come in another order");
        }
    }

    fn list(&mut self, place: &str, before: &Group<'_>, after: &[Json]) {
        let below = format!("{place}[]");
        let runs: Vec<usize> = before.iter().map(|(run, _)| *run).collect();
        let lists: Vec<&[Json]> = before
            .iter()
            .filter_map(|(_, known)| match known {
                Json::List(items) => Some(items.as_slice()),
                _ => None,
            })
            .collect();
        let learnt = self.context.noise.at(self.context.operation, place);
        let (resized, unordered) = learnt.map_or((false, false), |learnt| (learnt.resized, learnt.unordered));
        // Groups are numbered by list; clocks by run.
        let renumbered = |group: Group<'_>| -> Vec<usize> {
            let of = |list: usize| runs.get(list).copied().unwrap_or_default();
            group.into_iter().map(|(list, _)| of(list)).collect()
        };
        if let Alignment::Keyed { identity, orders } = lists::align(&lists)
            && let Some(now) = lists::keys(after, &identity)
            && let Some(first) = orders.first()
            && (now.iter().any(|key| first.contains(key)) || now.is_empty())
        {
            let (was, is): (BTreeSet<&String>, BTreeSet<&String>) = (first.iter().collect(), now.iter().collect());
            let (gone, new) = (was.difference(&is).count(), is.difference(&was).count());
            if gone + new > 0 && !resized {
                let text = format!("{gone} elements are gone and {new} are new, of {}", first.len());
                self.report.add("list-items", place, text);
            }
            let names: Vec<&str> = now.iter().map(String::as_str).collect();
            let stable = orders.iter().all(|order| order == first);
            if stable && !unordered && !agree(&first.iter().map(String::as_str).collect::<Vec<_>>(), &names) {
                self.report
                    .add("list-order", place, "the elements come in another order");
            }
            for (key, element) in now.iter().zip(after) {
                let known: Group<'_> = lists
                    .iter()
                    .zip(&orders)
                    .zip(&runs)
                    .filter_map(|((list, order), run)| {
                        let at = order.iter().position(|other| other == key)?;
                        Some((*run, list.get(at)?))
                    })
                    .collect();
                if !known.is_empty() {
                    self.value(&below, &known, element);
                }
            }
            return;
        }
        let lengths: BTreeSet<usize> = lists.iter().map(|list| list.len()).collect();
        let (shortest, longest) = (
            lengths.first().copied().unwrap_or_default(),
            lengths.last().copied().unwrap_or_default(),
        );
        let steady = lengths.len() == 1 && !resized;
        let in_length = match steady {
            true => after.len() == longest,
            // Lists that come and grow: twice as long, or half as long, is another matter.
            false => after.len() <= longest * 2 + 1 && after.len() * 2 + 1 >= shortest,
        };
        if !in_length {
            self.report.add(
                "list-items",
                place,
                format!("{} elements instead of {longest}", after.len()),
            );
        }
        if let Some(lost) = lists::lost_order(&lists, after) {
            self.report.add("list-order", place, lost);
        }
        for (at, element) in after.iter().enumerate() {
            let placed: Group<'_> = match steady && in_length {
                true => lists
                    .iter()
                    .enumerate()
                    .filter_map(|(list, items)| Some((list, items.get(at)?)))
                    .collect(),
                false => lists::merged(&lists),
            };
            let numbers = renumbered(placed.clone());
            let known: Group<'_> = numbers
                .into_iter()
                .zip(placed)
                .map(|(run, (_, value))| (run, value))
                .collect();
            if !known.is_empty() {
                self.value(&below, &known, element);
            }
        }
    }
}

fn keys(value: &Json) -> Vec<&str> {
    match value {
        Json::Object(entries) => entries.iter().map(|(name, _)| name.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// Whether what both lists hold comes in the same order in both.
fn agree(one: &[&str], other: &[&str]) -> bool {
    let (in_one, in_other): (BTreeSet<&str>, BTreeSet<&str>) =
        (one.iter().copied().collect(), other.iter().copied().collect());
    let left = one.iter().filter(|name| in_other.contains(*name));
    let right = other.iter().filter(|name| in_one.contains(*name));
    left.eq(right)
}

fn scalars<'a>(group: &Group<'a>) -> Vec<(usize, &'a str)> {
    group
        .iter()
        .filter_map(|(run, value)| Some((*run, value.scalar()?)))
        .collect()
}
