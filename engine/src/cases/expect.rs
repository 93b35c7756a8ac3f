//! What a case expects, compared with what a pack says.

use std::collections::BTreeSet;

use holdpoint_schemas::Level;
use holdpoint_schemas::decision::Bound;
use holdpoint_schemas::pack::{Answer, Case};

use crate::decide::Assessment;
use crate::policy::Pack;

/// The id of the bound that no policy permits.
pub(crate) const NO_PERMIT: &str = "no-permit";

/// A pack's answer by ids: all that a case can see of it but the words of the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome<'a> {
    /// How far.
    pub(crate) level: Level,
    /// Ids of what withholds the higher levels.
    pub(crate) bounds: BTreeSet<&'a str>,
    /// Ids of the policies that permit the level.
    pub(crate) permitted_by: BTreeSet<&'a str>,
    /// Ids of what withholds promotion.
    pub(crate) promote_bounds: BTreeSet<&'a str>,
    /// Ids of the policies that permit promotion.
    pub(crate) promote_permitted_by: BTreeSet<&'a str>,
}

impl<'a> Outcome<'a> {
    pub(crate) fn of(assessment: &'a Assessment) -> Self {
        let withholding = |bounds: &'a [Bound]| bounds.iter().map(|bound| bound.id.as_str()).collect();
        let permitting = |ids: &'a [String]| ids.iter().map(String::as_str).collect();
        Self {
            level: assessment.level,
            bounds: withholding(&assessment.bounds),
            permitted_by: permitting(&assessment.permitted_by),
            promote_bounds: withholding(&assessment.promote_bounds),
            promote_permitted_by: permitting(&assessment.promote_permitted_by),
        }
    }

    /// Whether it is what the case expects, its `reasons` aside.
    pub(crate) fn satisfies(&self, case: &Case) -> bool {
        let ids = |expected: &Option<Vec<String>>, got: &BTreeSet<&str>| {
            expected.as_ref().is_none_or(|ids| is_same(ids, got))
        };
        case.level.is_none_or(|level| level == self.level)
            && case.at_most.is_none_or(|level| self.level <= level)
            && case.at_least.is_none_or(|level| self.level >= level)
            && ids(&case.bounds, &self.bounds)
            && case.promote.is_none_or(|answer| answer == self.promote())
            && ids(&case.promote_bounds, &self.promote_bounds)
    }

    fn promote(&self) -> Answer {
        if self.promote_bounds.is_empty() {
            Answer::Permitted
        } else {
            Answer::Denied
        }
    }
}

fn is_same(expected: &[String], got: &BTreeSet<&str>) -> bool {
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    expected == *got
}

/// What isn't as expected, in plain words.
pub(super) fn failures(case: &Case, got: &Outcome<'_>, pack: &Pack) -> Vec<String> {
    let mut failures = Vec::new();
    let mut level = |wanted: Option<Level>, is_right: bool, how: &str| {
        if let (Some(wanted), false) = (wanted, is_right) {
            failures.push(format!("expected {how}{wanted}, got {}", got.level));
        }
    };
    level(case.level, case.level == Some(got.level), "");
    level(case.at_most, case.at_most >= Some(got.level), "at most ");
    level(case.at_least, case.at_least <= Some(got.level), "at least ");
    if let Some(expected) = &case.bounds {
        failures.extend(bounds("bounds", expected, &got.bounds, pack));
    }
    if let Some(expected) = case.promote.filter(|answer| *answer != got.promote()) {
        let word = |answer| match answer {
            Answer::Permitted => "permitted",
            Answer::Denied => "denied",
        };
        failures.push(format!(
            "expected promotion to be {}, but it is {}",
            word(expected),
            word(got.promote())
        ));
    }
    if let Some(expected) = &case.promote_bounds {
        failures.extend(bounds("promote_bounds", expected, &got.promote_bounds, pack));
    }
    failures
}

fn bounds(what: &str, expected: &[String], got: &BTreeSet<&str>, pack: &Pack) -> Option<String> {
    if is_same(expected, got) {
        return None;
    }
    let list = |ids: &mut dyn Iterator<Item = &str>| {
        let ids: Vec<String> = ids.map(|id| format!("`{id}`")).collect();
        if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        }
    };
    let mut text = format!(
        "expected {what} {}, got {}",
        list(&mut expected.iter().map(String::as_str)),
        list(&mut got.iter().copied())
    );
    let is_there = |id: &str| id == NO_PERMIT || pack.policy(id).is_some();
    if let Some(id) = expected.iter().find(|id| !is_there(id)) {
        text.push_str(&format!("; the pack has no policy `{id}`"));
    }
    Some(text)
}
