//! Pact's matching rules: which rule applies at a place of a message.

use serde_json::{Map, Value};

use super::matcher::Matcher;

/// Deepest rule path: deeper ones are no rules that people wrote.
const MAX_STEPS: usize = 64;
/// Most rules of one message.
const MAX_RULES: usize = 2_000;

/// Part of a message that a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    /// Body.
    Body,
    /// Headers.
    Header,
    /// Path of a request.
    Path,
    /// Query parameters.
    Query,
    /// Status of a response.
    Status,
    /// Something that isn't compared by rule here (metadata).
    Other,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A key.
    Name(String),
    /// An index of a list.
    Index(usize),
    /// Any key or index; only in rules.
    Any,
}

/// The rule that applies at a place.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    category: Category,
    path: Vec<Step>,
    /// Its matchers.
    pub matchers: Vec<Matcher>,
    /// Whether one of them is enough.
    pub any: bool,
    /// Whether it was inherited from a place further up: sizes then don't apply.
    pub inherited: bool,
}

/// All rules of a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    /// Reads rules of version 2 (`$.body.a: {match}`) or 3 (`body: {$.a: {matchers}}`).
    pub(super) fn read(rules: Option<&Value>) -> Result<Self, String> {
        let Some(rules) = rules.filter(|rules| !rules.is_null()) else {
            return Ok(Self::default());
        };
        let map = rules.as_object().ok_or("expected an object of matching rules")?;
        let mut found = Vec::new();
        for (key, value) in map {
            match key.strip_prefix('$') {
                Some(path) => found.push(version_2(path, value)?),
                None => version_3(key, value, &mut found)?,
            }
            if found.len() > MAX_RULES {
                return Err(format!("more than {MAX_RULES} matching rules"));
            }
        }
        Ok(Self(found))
    }

    /// Reads rules of a body alone, as the variants of a list have them: `$.a: {matchers}`.
    pub(super) fn of_body(rules: &Value, depth: usize) -> Result<Self, String> {
        let mut found = Vec::new();
        let map = rules.as_object().ok_or("expected an object of matching rules")?;
        for (path, value) in map {
            let map = value
                .as_object()
                .ok_or_else(|| format!("matching rule `{path}` is no object"))?;
            let steps = parse_path(path.strip_prefix('$').unwrap_or(path))?;
            found.push(listed(Category::Body, steps, map, depth)?);
        }
        if found.len() > MAX_RULES {
            return Err(format!("more than {MAX_RULES} matching rules"));
        }
        Ok(Self(found))
    }

    /// The rule for a place: of all whose path is a prefix of it the most specific one (exact
    /// steps weigh 2, wildcards 1; a longer path weighs more).
    pub(super) fn best(&self, category: Category, place: &[Step]) -> Option<Rule> {
        let candidates = self.0.iter().filter(|rule| rule.category == category);
        let weighed = candidates.filter_map(|rule| Some((weight(&rule.path, place)?, rule)));
        let (_, rule) = weighed.max_by_key(|(weight, rule)| (rule.path.len(), *weight))?;
        Some(Rule {
            inherited: rule.path.len() < place.len(),
            ..rule.clone()
        })
    }
}

fn weight(rule: &[Step], place: &[Step]) -> Option<usize> {
    if rule.len() > place.len() {
        return None;
    }
    rule.iter()
        .zip(place)
        .map(|(rule, step)| match (rule, step) {
            (Step::Any, _) => Some(1),
            (rule, step) if rule == step => Some(2),
            // XML rules count children of one name by position: `$.animals.0`.
            (Step::Name(name), Step::Index(index)) if *name == index.to_string() => Some(2),
            _ => None,
        })
        .try_fold(0, |sum, weight| Some(sum + weight?))
}

fn version_2(path: &str, value: &Value) -> Result<Rule, String> {
    let mut steps = parse_path(path)?;
    let category = match steps.first() {
        Some(Step::Name(name)) => category(name),
        _ => Category::Other,
    };
    if !steps.is_empty() {
        steps.remove(0);
    }
    rule(category, steps, std::slice::from_ref(value), false, 0)
}

fn version_3(key: &str, value: &Value, found: &mut Vec<Rule>) -> Result<(), String> {
    let category = category(key);
    let map = value
        .as_object()
        .ok_or_else(|| format!("matching rule `{key}` is no object"))?;
    if map.contains_key("matchers") {
        found.push(listed(category, Vec::new(), map, 0)?);
        return Ok(());
    }
    for (path, value) in map {
        let map = value
            .as_object()
            .ok_or_else(|| format!("matching rule `{path}` is no object"))?;
        let steps = match path.strip_prefix('$') {
            Some(rest) => parse_path(rest)?,
            None => vec![Step::Name(path.clone())],
        };
        found.push(listed(category, steps, map, 0)?);
    }
    Ok(())
}

fn listed(category: Category, steps: Vec<Step>, map: &Map<String, Value>, depth: usize) -> Result<Rule, String> {
    let matchers = map
        .get("matchers")
        .and_then(Value::as_array)
        .ok_or("expected a list `matchers`")?;
    let any = map
        .get("combine")
        .and_then(Value::as_str)
        .is_some_and(|how| how.eq_ignore_ascii_case("or"));
    rule(category, steps, matchers, any, depth)
}

fn rule(category: Category, mut path: Vec<Step>, matchers: &[Value], any: bool, depth: usize) -> Result<Rule, String> {
    if category == Category::Header {
        for step in &mut path {
            if let Step::Name(name) = step {
                name.make_ascii_lowercase();
            }
        }
    }
    Ok(Rule {
        category,
        path,
        matchers: matchers
            .iter()
            .map(|matcher| Matcher::read_at(matcher, depth))
            .collect::<Result<_, _>>()?,
        any,
        inherited: false,
    })
}

fn category(name: &str) -> Category {
    match name {
        "body" => Category::Body,
        "header" | "headers" => Category::Header,
        "path" => Category::Path,
        "query" => Category::Query,
        "status" => Category::Status,
        _ => Category::Other,
    }
}

/// Reads what follows the `$`: `.name`, `['name']`, `[0]`, `[*]`, `.*`.
fn parse_path(text: &str) -> Result<Vec<Step>, String> {
    let broken = || format!("matching rule path `${text}` can't be read");
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if steps.len() >= MAX_STEPS {
            return Err(broken());
        }
        if let Some(inner) = rest.strip_prefix('[') {
            let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let (name, after) = match quote {
                Some(quote) => inner.get(1..).and_then(|inner| inner.split_once(&format!("{quote}]"))),
                None => inner.split_once(']'),
            }
            .ok_or_else(broken)?;
            steps.push(match (quote, name) {
                (Some(_), name) => Step::Name(name.to_owned()),
                (None, "*") => Step::Any,
                (None, number) => Step::Index(number.parse().map_err(|_| broken())?),
            });
            rest = after;
        } else {
            let inner = rest.strip_prefix('.').ok_or_else(broken)?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let (name, after) = inner.split_at(end);
            steps.push(match name {
                "" => return Err(broken()),
                "*" => Step::Any,
                name => Step::Name(name.to_owned()),
            });
            rest = after;
        }
    }
    Ok(steps)
}

/// A place as people write it: `$.body.items[0].id`.
pub(super) fn show(root: &str, place: &[Step]) -> String {
    let mut out = root.to_owned();
    for step in place {
        match step {
            Step::Name(name)
                if name
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '#')) =>
            {
                out.push('.');
                out.push_str(name);
            }
            Step::Name(name) => out.push_str(&format!("['{name}']")),
            Step::Index(index) => out.push_str(&format!("[{index}]")),
            Step::Any => out.push_str("[*]"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_in_both_notations() {
        let name = |name: &str| Step::Name(name.to_owned());
        assert_eq!(
            parse_path(".a['b c'][0][*].*").unwrap(),
            [name("a"), name("b c"), Step::Index(0), Step::Any, Step::Any]
        );
        for broken in ["a", ".", "[", "[x]", "['a]", ".a..b", &".a".repeat(100)] {
            assert!(parse_path(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_most_specific_rule_wins_and_says_when_it_is_inherited() {
        let rules = serde_json::json!({"$.body.a": {"match": "type"}, "$.body.a[*].b": {"match": "integer"}});
        let rules = Rules::read(Some(&rules)).unwrap();
        let place = parse_path(".a[3].b").unwrap();
        let best = rules.best(Category::Body, &place).unwrap();
        assert!(!best.inherited && best.path.len() == 3);
        assert!(
            rules
                .best(Category::Body, &parse_path(".a[3].c").unwrap())
                .unwrap()
                .inherited
        );
        assert!(rules.best(Category::Body, &parse_path(".x").unwrap()).is_none());
    }

    #[test]
    fn rules_that_are_no_rules_are_errors() {
        for rules in [
            serde_json::json!([]),
            serde_json::json!({"body": 1}),
            serde_json::json!({"body": {"$.a": {"matchers": 1}}}),
            serde_json::json!({"$.body.a": {"match": "regex"}}),
            serde_json::json!({"$.body..a": {"match": "type"}}),
        ] {
            assert!(Rules::read(Some(&rules)).is_err(), "{rules}");
        }
    }
}
