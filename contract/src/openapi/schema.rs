//! Schemas: what a value may be, under the direction that it travels in.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::{self, KEYWORDS, Place, Restricts};
use super::shape::Shape;
use super::{Comparison, Level};

/// Deepest nesting that is compared; the comparison recurses.
const MAX_DEPTH: usize = 100;

/// One place of a schema: the schema's role, where it is, how deep.
#[derive(Clone)]
struct At {
    place: Place,
    location: String,
    depth: usize,
}

impl At {
    fn below(&self, step: &str) -> Self {
        Self {
            place: self.place.below(),
            location: format!("{}{step}", self.location),
            depth: self.depth + 1,
        }
    }
}

impl Comparison<'_> {
    /// Compares two schemas from their root.
    pub(super) fn root(&mut self, place: Place, base: &Value, revision: &Value, location: &str) {
        self.seen.clear();
        let at = At {
            place,
            location: format!("{location} $"),
            depth: 0,
        };
        self.schema(base, revision, &at);
    }

    fn schema(&mut self, base: &Value, revision: &Value, at: &At) {
        if at.depth > MAX_DEPTH {
            self.push(
                rules::INCOMPLETE,
                Level::Error,
                &at.location,
                "nested too deeply to be compared".to_owned(),
            );
            return;
        }
        let (base_document, revision_document) = (self.base, self.revision);
        if let (Some(old), Some(new)) = (base_document.resolve(base).1, revision_document.resolve(revision).1)
            && !self.seen.insert((old.to_owned(), new.to_owned()))
        {
            return;
        }
        let (old, new) = (Shape::of(base_document, base), Shape::of(revision_document, revision));
        if !self.types(&old, &new, at) {
            return;
        }
        self.values(&old, &new, at);
        self.keywords(&old, &new, at);
        self.properties(&old, &new, at);
        for (keyword, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let (Some(old), Some(new)) = (old.get(keyword), new.get(keyword))
                && old.is_object()
                && new.is_object()
            {
                self.schema(old, new, &at.below(step));
            }
        }
        self.alternatives("oneOf", "one-of", &old, &new, at);
        self.alternatives("anyOf", "any-of", &old, &new, at);
    }

    /// Compares type, format and nullability; says whether it is worth looking further.
    fn types(&mut self, old: &Shape<'_>, new: &Shape<'_>, at: &At) -> bool {
        match (old.nullable(), new.nullable()) {
            // Where anything goes, the type tells the whole change.
            _ if old.is_free() || new.is_free() => {}
            (false, true) => self.report_schema(at.place, "became-nullable", &at.location, "null became possible"),
            (true, false) => {
                self.report_schema(at.place, "became-not-nullable", &at.location, "null became impossible")
            }
            _ => {}
        }
        let (before, after) = (old.types(), new.types());
        let show = |types: &BTreeSet<&str>, format: Option<&str>| {
            let names = if types.is_empty() {
                "any".to_owned()
            } else {
                types.iter().copied().collect::<Vec<_>>().join(" or ")
            };
            format.map_or(names.clone(), |format| format!("{names} ({format})"))
        };
        // Alternatives tell the type where there is none.
        let has_alternatives =
            |shape: &Shape<'_>| ["oneOf", "anyOf"].iter().any(|key| shape.alternatives(key).is_some());
        if has_alternatives(old) != has_alternatives(new) {
            return true;
        }
        let verdict = match compare_types(&before, &after) {
            Verdict::Same => compare_formats(old.format(), new.format()),
            other => other,
        };
        let what = match verdict {
            Verdict::Same => return true,
            Verdict::Wider => "type-generalized",
            Verdict::Narrower => "type-specialized",
            Verdict::Other => "type-changed",
        };
        let text = format!(
            "the type was {}, is {}",
            show(&before, old.format()),
            show(&after, new.format())
        );
        self.report_schema(at.place, what, &at.location, text);
        verdict != Verdict::Other
    }

    fn values(&mut self, old: &Shape<'_>, new: &Shape<'_>, at: &At) {
        match (old.values(), new.values()) {
            (None, Some(_)) => self.report_schema(at.place, "became-enum", &at.location, "values are listed now"),
            (Some(_), None) => {
                self.report_schema(at.place, "enum-removed", &at.location, "values aren't listed any more")
            }
            (Some(before), Some(after)) => {
                for value in before.iter().filter(|value| !after.contains(value)) {
                    self.report_schema(
                        at.place,
                        "enum-value-removed",
                        &at.location,
                        format!("`{value}` is gone"),
                    );
                }
                for value in after.iter().filter(|value| !before.contains(value)) {
                    self.report_schema(at.place, "enum-value-added", &at.location, format!("`{value}` is new"));
                }
            }
            (None, None) => {}
        }
    }

    fn keywords(&mut self, old: &Shape<'_>, new: &Shape<'_>, at: &At) {
        for (keyword, name, restricts) in KEYWORDS {
            let is_bound = matches!(restricts, Restricts::UpperBound | Restricts::LowerBound);
            let words = if is_bound {
                ("set", "unset")
            } else {
                ("added", "removed")
            };
            let (suffix, text) = match (old.get(keyword), new.get(keyword)) {
                (None, Some(after)) => (words.0, format!("`{keyword}` is new: `{after}`")),
                (Some(before), None) => (words.1, format!("`{keyword}` was `{before}`, is gone")),
                (Some(before), Some(after)) if before != after => {
                    let order = before.as_f64().zip(after.as_f64()).and_then(|(a, b)| a.partial_cmp(&b));
                    let suffix = match order {
                        Some(Ordering::Equal) => continue,
                        Some(Ordering::Less) if is_bound => "increased",
                        Some(Ordering::Greater) if is_bound => "decreased",
                        _ => "changed",
                    };
                    (suffix, format!("`{keyword}` was `{before}`, is `{after}`"))
                }
                _ => continue,
            };
            self.report_schema(at.place, &format!("{name}-{suffix}"), &at.location, text);
        }
    }

    fn properties(&mut self, old: &Shape<'_>, new: &Shape<'_>, at: &At) {
        let (before, after) = (old.properties(), new.properties());
        let (was_required, is_required) = (old.required(), new.required());
        let is_request = at.place.is_request();
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let inner = at.below(&format!(".{name}"));
            let required = (was_required.contains(name), is_required.contains(name));
            match (before.get(name), after.get(name)) {
                (Some(old), Some(new)) => {
                    let travels = travels(&Shape::of(self.base, old), is_request)
                        && travels(&Shape::of(self.revision, new), is_request);
                    if required.0 != required.1 {
                        let side = if is_request { "request" } else { "response" };
                        let word = if required.1 { "required" } else { "optional" };
                        let rule = format!("{side}-property-became-{word}");
                        self.report_if(travels, &rule, &inner.location, &format!("`{name}` became {word}"));
                    }
                    if travels {
                        self.schema(old, new, &inner);
                    }
                }
                (Some(old), None) => {
                    let rule = match (is_request, required.0) {
                        (true, _) => "request-property-removed",
                        (false, true) => "response-required-property-removed",
                        (false, false) => "response-optional-property-removed",
                    };
                    let travels = travels(&Shape::of(self.base, old), is_request);
                    self.report_if(travels, rule, &inner.location, &format!("`{name}` is gone"));
                }
                (None, Some(new)) => {
                    let shape = Shape::of(self.revision, new);
                    let rule = match (is_request, required.1, shape.get("default").is_some()) {
                        (true, true, false) => "new-required-request-property",
                        (true, true, true) => "new-required-request-property-with-default",
                        (true, false, _) => "new-optional-request-property",
                        (false, true, _) => "response-required-property-added",
                        (false, false, _) => "response-optional-property-added",
                    };
                    let travels = travels(&shape, is_request);
                    self.report_if(travels, rule, &inner.location, &format!("`{name}` is new"));
                }
                (None, None) => {}
            }
        }
    }

    /// Reports by the table where the property travels in this direction, else as information.
    fn report_if(&mut self, travels: bool, rule: &str, location: &str, text: &str) {
        match travels {
            true => self.report(rule, location, text),
            false => self.push(
                rule,
                Level::Info,
                location,
                format!("{text}, but it isn't sent in this direction"),
            ),
        }
    }

    fn alternatives(&mut self, keyword: &str, name: &str, old: &Shape<'_>, new: &Shape<'_>, at: &At) {
        let (before, after) = (old.alternatives(keyword), new.alternatives(keyword));
        let (Some(before), Some(after)) = (before, after) else {
            match (before, after) {
                (None, Some(_)) => self.report_schema(at.place, "became-one-of", &at.location, "alternatives are new"),
                (Some(_), None) => {
                    self.report_schema(at.place, "no-longer-one-of", &at.location, "alternatives are gone")
                }
                _ => {}
            }
            return;
        };
        // Null is told as nullability.
        let is_null = |schema: &&Value| schema.get("type") == Some(&Value::from("null"));
        let mut gone: Vec<&Value> = before.iter().filter(|schema| !is_null(schema)).collect();
        let mut fresh: Vec<&Value> = after.iter().filter(|schema| !is_null(schema)).collect();
        let mut pairs = Vec::new();
        gone.retain(|old| match fresh.iter().position(|new| new == old) {
            Some(found) => {
                pairs.push((*old, fresh.remove(found)));
                false
            }
            None => true,
        });
        // Unnamed alternatives that changed are taken in their order.
        let unnamed = |schema: &&Value| schema.get("$ref").is_none();
        if gone.len() == fresh.len() && gone.iter().chain(&fresh).all(unnamed) {
            pairs.extend(gone.drain(..).zip(fresh.drain(..)));
        }
        for (index, (old, new)) in pairs.into_iter().enumerate() {
            self.schema(old, new, &at.below(&format!("({name} {})", index + 1)));
        }
        for schema in gone {
            self.report_schema(
                at.place,
                &format!("{name}-removed"),
                &at.location,
                format!("{} is gone", label(schema)),
            );
        }
        for schema in fresh {
            self.report_schema(
                at.place,
                &format!("{name}-added"),
                &at.location,
                format!("{} is new", label(schema)),
            );
        }
    }
}

/// Whether a property is sent in this direction: `readOnly` ones aren't in requests, `writeOnly`
/// ones aren't in responses.
fn travels(shape: &Shape<'_>, is_request: bool) -> bool {
    !shape.flag(if is_request { "readOnly" } else { "writeOnly" })
}

fn label(schema: &Value) -> String {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => format!("`{}`", reference.rsplit('/').next().unwrap_or(reference)),
        None => "an alternative".to_owned(),
    }
}

/// How the set of possible values moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    Wider,
    Narrower,
    Other,
}

fn compare_types(before: &BTreeSet<&str>, after: &BTreeSet<&str>) -> Verdict {
    // No type is any type; every integer is a number.
    let within = |small: &BTreeSet<&str>, large: &BTreeSet<&str>| {
        let has = |name: &&str| large.contains(name) || (*name == "integer" && large.contains("number"));
        large.is_empty() || (!small.is_empty() && small.iter().all(has))
    };
    match (within(before, after), within(after, before)) {
        (true, true) => Verdict::Same,
        (true, false) => Verdict::Wider,
        (false, true) => Verdict::Narrower,
        (false, false) => Verdict::Other,
    }
}

fn compare_formats(before: Option<&str>, after: Option<&str>) -> Verdict {
    match (before, after) {
        (a, b) if a == b => Verdict::Same,
        (None, _) | (Some("int64"), Some("int32")) | (Some("double"), Some("float")) => Verdict::Narrower,
        (_, None) | (Some("int32"), Some("int64")) | (Some("float"), Some("double")) => Verdict::Wider,
        _ => Verdict::Other,
    }
}
