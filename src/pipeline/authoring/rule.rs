//! A condition on one fact: which of its values are safe.

use holdpoint_schemas::fact::{FactRow, FactType, FactValue};
use std::collections::BTreeSet;

use super::yaml::quoted;

/// Most characters of a value.
const MAX_VALUE_CHARS: usize = 100;

/// When a fact is safe. An unknown fact never is.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The fact.
    pub row: FactRow,
    safe: Safe,
}

#[derive(Debug, Clone)]
enum Safe {
    /// One of these.
    OneOf(Vec<FactValue>),
    /// A number within these, both included.
    Within(Option<i64>, Option<i64>),
    /// A set with nothing but these words.
    Only(BTreeSet<String>),
    /// A set with none of these words.
    Without(BTreeSet<String>),
}

impl Rule {
    /// The condition that `safe` and `without` say about a fact: values, bounds such as `>=2` for a
    /// number, and for a set the words that it may hold or must not.
    ///
    /// # Errors
    /// What is wrong with a value, in plain words.
    pub fn parse(row: FactRow, safe: &[String], without: &[String]) -> Result<Self, String> {
        let parsed = match (row.fact_type, without) {
            (FactType::Set, []) => Safe::Only(words(safe)?),
            (FactType::Set, _) if safe.is_empty() => Safe::Without(words(without)?),
            (FactType::Set, _) => return Err("a set is safe either by what it holds or by what it doesn't".to_owned()),
            (_, [_, ..]) => return Err(format!("`{}` is no set: say which values are safe", row.id)),
            (FactType::Long, _) => number(&row, safe)?,
            (kind, _) => {
                let values: Result<Vec<FactValue>, String> = safe.iter().map(|text| value(&row, kind, text)).collect();
                Safe::OneOf(values?)
            }
        };
        let rule = Self { row, safe: parsed };
        if rule.sample(true).is_none() || rule.sample(false).is_none() {
            return Err(format!("`{}` would be always or never safe: that is no rule", row.id));
        }
        Ok(rule)
    }

    /// The condition in Cedar: that the fact is known and safe.
    pub fn cedar(&self) -> String {
        let id = self.row.id;
        let fact = format!("context.{id}");
        let list = |words: &BTreeSet<String>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
        let safe = match &self.safe {
            Safe::OneOf(values) => match values.as_slice() {
                [FactValue::Bool(true)] => fact,
                [FactValue::Bool(false)] => format!("!{fact}"),
                [one] => format!("{fact} == {}", literal(one)),
                several => {
                    let all: Vec<String> = several.iter().map(literal).collect();
                    format!("[{}].contains({fact})", all.join(", "))
                }
            },
            Safe::Within(low, high) => {
                let low = low.map(|low| format!("{fact} >= {low}"));
                let high = high.map(|high| format!("{fact} <= {high}"));
                low.into_iter().chain(high).collect::<Vec<_>>().join(" && ")
            }
            Safe::Only(words) if words.is_empty() => format!("{fact}.isEmpty()"),
            Safe::Only(words) => format!("[{}].containsAll({fact})", list(words)),
            Safe::Without(words) => format!("!{fact}.containsAny([{}])", list(words)),
        };
        format!("context has {id} && {safe}")
    }

    /// A value that is safe, or one that isn't; `None` if there is none.
    pub fn sample(&self, safe: bool) -> Option<FactValue> {
        self.candidates().into_iter().find(|value| self.holds(value) == safe)
    }

    fn holds(&self, value: &FactValue) -> bool {
        match (&self.safe, value) {
            (Safe::OneOf(values), value) => values.contains(value),
            (Safe::Within(low, high), FactValue::Long(number)) => {
                low.is_none_or(|low| *number >= low) && high.is_none_or(|high| *number <= high)
            }
            (Safe::Only(words), FactValue::Set(set)) => set.is_subset(words),
            (Safe::Without(words), FactValue::Set(set)) => set.is_disjoint(words),
            _ => false,
        }
    }

    /// Values on both sides of the condition, where there are two sides.
    fn candidates(&self) -> Vec<FactValue> {
        const OTHER: &str = holdpoint_engine::mutate::OTHER_WORD;
        let set = |words: &[&str]| FactValue::Set(words.iter().map(|word| (*word).to_owned()).collect());
        match (self.row.fact_type, &self.safe) {
            (FactType::Bool, _) => vec![true.into(), false.into()],
            (FactType::Word(words), _) => words.iter().map(|word| (*word).into()).collect(),
            (FactType::Text, Safe::OneOf(values)) => values.iter().cloned().chain([OTHER.into()]).collect(),
            (FactType::Long, Safe::OneOf(values)) => {
                let others = (0..).map(FactValue::Long).take(values.len() + 1);
                values.iter().cloned().chain(others).collect()
            }
            (FactType::Long, Safe::Within(low, high)) => {
                let around = |edge: &i64| [*edge, edge.saturating_sub(1), edge.saturating_add(1)];
                let edges = low.iter().chain(high).flat_map(around);
                edges.map(FactValue::Long).collect()
            }
            (FactType::Set, Safe::Only(words) | Safe::Without(words)) => {
                let single = words.iter().map(|word| set(&[word]));
                single.chain([set(&[OTHER]), set(&[])]).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn literal(value: &FactValue) -> String {
    match value {
        FactValue::Bool(yes) => yes.to_string(),
        FactValue::Long(number) => number.to_string(),
        FactValue::String(text) => quoted(text),
        FactValue::Set(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("[{}]", words.join(", "))
        }
    }
}

fn words(texts: &[String]) -> Result<BTreeSet<String>, String> {
    texts.iter().map(|text| word(text)).collect()
}

fn word(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    let usable =
        !trimmed.is_empty() && trimmed.chars().count() <= MAX_VALUE_CHARS && !trimmed.chars().any(char::is_control);
    if usable {
        Ok(trimmed.to_owned())
    } else {
        Err(format!(
            "a value of 1 to {MAX_VALUE_CHARS} characters without line breaks is expected"
        ))
    }
}

fn value(row: &FactRow, kind: FactType, text: &str) -> Result<FactValue, String> {
    let word = word(text)?;
    let value = match (kind, word.as_str()) {
        (FactType::Bool, "true" | "yes") => true.into(),
        (FactType::Bool, "false" | "no") => false.into(),
        (_, word) => FactValue::from(word),
    };
    if kind.accepts(&value) {
        Ok(value)
    } else {
        Err(format!("`{word}`, but `{}` is {}", row.id, kind.describe()))
    }
}

fn number(row: &FactRow, safe: &[String]) -> Result<Safe, String> {
    let refuse = |text: &str| format!("`{text}`, but `{}` is a whole number: say `2`, `>=2`, `<5` …", row.id);
    let (mut lows, mut highs, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let never = |text: &str| {
        format!(
            "`{text}` is never true: no whole number is beyond {}",
            text.trim_start_matches(['<', '>']).trim()
        )
    };
    for text in safe.iter().map(|text| text.trim()) {
        let digits = text.trim_start_matches(['<', '>', '=']);
        let number: i64 = digits.trim().parse().map_err(|_| refuse(text))?;
        match text.strip_suffix(digits).unwrap_or_default() {
            "" | "=" | "==" => values.push(FactValue::Long(number)),
            ">=" => lows.push(number),
            ">" => lows.push(number.checked_add(1).ok_or_else(|| never(text))?),
            "<=" => highs.push(number),
            "<" => highs.push(number.checked_sub(1).ok_or_else(|| never(text))?),
            _ => return Err(refuse(text)),
        }
    }
    match (values.as_slice(), lows.as_slice(), highs.as_slice()) {
        (_, [_, _, ..], _) => Err(format!("`{}` has several lower bounds: say one", row.id)),
        (_, _, [_, _, ..]) => Err(format!("`{}` has several upper bounds: say one", row.id)),
        ([], [], [high]) => Ok(Safe::Within(None, Some(*high))),
        ([], [low], []) => Ok(Safe::Within(Some(*low), None)),
        ([], [low], [high]) => Ok(Safe::Within(Some(*low), Some(*high))),
        ([_, ..], [], []) => Ok(Safe::OneOf(values)),
        _ => Err(format!("either values or bounds of `{}` are expected", row.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::fact::row;

    fn cedar(id: &str, safe: &[&str], without: &[&str]) -> Result<String, String> {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let rule = Rule::parse(*row(id).unwrap(), &own(safe), &own(without))?;
        assert!(rule.sample(true) != rule.sample(false));
        Ok(rule.cedar())
    }

    #[test]
    fn a_condition_has_the_form_of_its_facts_type() {
        for (id, safe, without, expected) in [
            (
                "change.freeze_active",
                vec!["no"],
                vec![],
                "context has change.freeze_active && !context.change.freeze_active",
            ),
            (
                "fix.class",
                vec!["mechanical"],
                vec![],
                "context has fix.class && context.fix.class == \"mechanical\"",
            ),
            (
                "fix.upgrade_step",
                vec!["none", "patch"],
                vec![],
                "context has fix.upgrade_step && [\"none\", \"patch\"].contains(context.fix.upgrade_step)",
            ),
            (
                "service.tier",
                vec![">=2"],
                vec![],
                "context has service.tier && context.service.tier >= 2",
            ),
            (
                "fix.files",
                vec![">0", "<5"],
                vec![],
                "context has fix.files && context.fix.files >= 1 && context.fix.files <= 4",
            ),
            (
                "service.data_classes",
                vec![],
                vec!["cardholder"],
                "context has service.data_classes && !context.service.data_classes.containsAny([\"cardholder\"])",
            ),
            (
                "service.data_classes",
                vec!["public"],
                vec![],
                "context has service.data_classes && [\"public\"].containsAll(context.service.data_classes)",
            ),
        ] {
            assert_eq!(cedar(id, &safe, &without).unwrap(), expected);
        }
    }

    #[test]
    fn what_the_fact_never_is_or_always_is_is_refused() {
        for (id, safe, expected) in [
            (
                "fix.class",
                vec!["mecanical"],
                "`mecanical`, but `fix.class` is one of `mechanical`, `logic`",
            ),
            (
                "fix.class",
                vec!["mechanical", "logic"],
                "`fix.class` would be always or never safe: that is no rule",
            ),
            (
                "service.tier",
                vec!["high"],
                "`high`, but `service.tier` is a whole number: say `2`, `>=2`, `<5` …",
            ),
            (
                "service.tier",
                vec!["2", ">=3"],
                "either values or bounds of `service.tier` are expected",
            ),
            (
                "service.tier",
                vec![">=5", ">=1"],
                "`service.tier` has several lower bounds: say one",
            ),
            (
                "service.tier",
                vec!["<5", "<=9", ">1"],
                "`service.tier` has several upper bounds: say one",
            ),
            (
                "service.tier",
                vec![">9223372036854775807"],
                "`>9223372036854775807` is never true: no whole number is beyond 9223372036854775807",
            ),
            (
                "service.tier",
                vec!["<-9223372036854775808"],
                "`<-9223372036854775808` is never true: no whole number is beyond -9223372036854775808",
            ),
            (
                "service.tier",
                vec![">=5", "<=1"],
                "`service.tier` would be always or never safe: that is no rule",
            ),
            (
                "change.freeze_active",
                vec!["maybe"],
                "`maybe`, but `change.freeze_active` is yes or no",
            ),
            (
                "change.freeze_active",
                vec![],
                "`change.freeze_active` would be always or never safe: that is no rule",
            ),
        ] {
            assert_eq!(cedar(id, &safe, &[]).unwrap_err(), expected);
        }
    }
}
