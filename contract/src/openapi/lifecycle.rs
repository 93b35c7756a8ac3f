//! What the life of operations and parameters means for their clients.

use super::Comparison;
use crate::lifecycle::{Life, Stability, Sunset};
use crate::tree::NodeId;

/// Ids of the rules about one kind of thing.
struct Ids {
    deprecated: &'static str,
    with_sunset: &'static str,
    missing: &'static str,
    unreadable: &'static str,
    too_small: &'static str,
    reactivated: &'static str,
    sunset_deleted: &'static str,
    changed_too_small: &'static str,
    changed_unreadable: &'static str,
}

const OPERATION: Ids = Ids {
    deprecated: "endpoint-deprecated",
    with_sunset: "endpoint-deprecated-with-sunset",
    missing: "api-deprecated-sunset-missing",
    unreadable: "api-deprecated-sunset-parse",
    too_small: "api-sunset-date-too-small",
    reactivated: "endpoint-reactivated",
    sunset_deleted: "sunset-deleted",
    changed_too_small: "api-sunset-date-changed-too-small",
    changed_unreadable: "api-path-sunset-parse",
};

const PARAMETER: Ids = Ids {
    deprecated: "request-parameter-deprecated",
    with_sunset: "request-parameter-deprecated",
    missing: "request-parameter-deprecated-sunset-missing",
    unreadable: "request-parameter-sunset-parse",
    too_small: "request-parameter-sunset-date-too-small",
    reactivated: "request-parameter-reactivated",
    sunset_deleted: "request-parameter-sunset-deleted",
    changed_too_small: "request-parameter-sunset-date-changed-too-small",
    changed_unreadable: "request-parameter-sunset-parse",
};

impl Comparison<'_> {
    /// Tells what happened to an operation's life; says whether clients may rely on the rest.
    pub(super) fn operation_life(&mut self, before: NodeId, after: NodeId) -> bool {
        let was = Life::of(&self.graph.base.tree, before);
        let is = Life::of(&self.graph.revision.tree, after);
        for life in [&was, &is] {
            if life.stability.is_none() && !self.graph.alignment.same(before, after) {
                self.report(
                    "api-invalid-stability-level",
                    "operation",
                    "`x-stability-level` isn't a known one",
                );
            }
        }
        if let (Some(old), Some(new)) = (was.stability, is.stability)
            && old != new
        {
            let rule = if new < old {
                "api-stability-decreased"
            } else {
                "api-stability-increased"
            };
            self.report(
                rule,
                "operation",
                format!("it was {}, is {}", old.as_str(), new.as_str()),
            );
        }
        self.life(&was, &is, is.stability, &OPERATION, "operation");
        !is.stability.is_some_and(Stability::is_loose)
    }

    pub(super) fn parameter_life(&mut self, before: NodeId, after: NodeId, location: &str) {
        let was = Life::of(&self.graph.base.tree, before);
        let is = Life::of(&self.graph.revision.tree, after);
        self.life(&was, &is, is.stability, &PARAMETER, location);
    }

    /// A parameter that is gone: whether that was announced.
    pub(super) fn parameter_removed(&mut self, parameter: NodeId, location: &str) {
        let life = Life::of(&self.graph.base.tree, parameter);
        let (rule, text) = match (life.deprecated, &life.sunset) {
            (false, _) => ("request-parameter-removed", "the parameter is gone".to_owned()),
            (true, Sunset::Unreadable(text)) => {
                let text = format!("it is gone, and its last day `{}` can't be read", text.escape_debug());
                ("request-parameter-sunset-parse", text)
            }
            (true, Sunset::On(day)) if self.policy.today.is_some_and(|today| today < *day) => (
                "request-parameter-removed-before-sunset",
                "it is gone before its last day".to_owned(),
            ),
            (true, sunset) => {
                if *sunset != Sunset::None && self.policy.today.is_none() {
                    self.gap(format!(
                        "whether the last day of {location} has passed isn't known, and it is gone"
                    ));
                }
                let text = "the parameter is gone; it was deprecated".to_owned();
                ("request-parameter-removed-with-deprecation", text)
            }
        };
        self.report(rule, location, text);
    }

    fn life(&mut self, was: &Life, is: &Life, stability: Option<Stability>, ids: &Ids, location: &str) {
        let days = match stability {
            Some(Stability::Stable) => self.policy.stable_days,
            Some(Stability::Beta) => self.policy.beta_days,
            _ => 0,
        };
        let days = i64::from(days);
        let left = |sunset: &Sunset| match (sunset, self.policy.today) {
            (Sunset::On(day), Some(today)) => Some(day.since(today)),
            _ => None,
        };
        let told = match (was.deprecated, is.deprecated) {
            (true, false) => Some((ids.reactivated, "it isn't deprecated any more".to_owned())),
            (false, true) => Some(match &is.sunset {
                Sunset::None if days > 0 => (ids.missing, "it is deprecated without a last day".to_owned()),
                Sunset::None => (ids.deprecated, "it is deprecated".to_owned()),
                Sunset::Unreadable(text) => {
                    let text = format!("it is deprecated, and `{}` is no date", text.escape_debug());
                    (ids.unreadable, text)
                }
                Sunset::On(_) if left(&is.sunset).is_some_and(|left| left < days) => {
                    let text = format!("it is deprecated, and its last day comes in less than {days} days");
                    (ids.too_small, text)
                }
                Sunset::On(_) => (ids.with_sunset, "it is deprecated and has a last day".to_owned()),
            }),
            (true, true) if was.sunset != is.sunset => match (&was.sunset, &is.sunset) {
                (Sunset::None, _) => None,
                (_, Sunset::None) => Some((
                    ids.sunset_deleted,
                    "it is deprecated but has no last day any more".to_owned(),
                )),
                (Sunset::On(old), Sunset::On(new)) => {
                    let soon = left(&is.sunset).is_none_or(|left| left < days);
                    let text = format!("its last day comes {} days sooner", old.since(*new));
                    (new < old && soon).then_some((ids.changed_too_small, text))
                }
                _ => Some((ids.changed_unreadable, "its last day can't be read".to_owned())),
            },
            _ => None,
        };
        if let Some((rule, text)) = told {
            self.report(rule, location, text);
        }
    }
}
