//! Circuit breakers: too many fixes that broke something, in too short a time.

use std::collections::BTreeMap;

use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::rollout::{Breaker, Breakers, Halt, HaltScope};
use jiff::SignedDuration;

use super::AUTOMATION;
use super::track::Failure;

/// What is halted: what a person or an earlier run halted, and what trips now. What came before a person's word on a scope
/// no longer trips its breaker, and only a person resumes.
pub(super) fn halted(
    breakers: &Breakers,
    failures: &[Failure],
    said: &BTreeMap<HaltScope, (usize, Halt)>,
) -> BTreeMap<HaltScope, Halt> {
    let mut halted: BTreeMap<HaltScope, Halt> = said
        .iter()
        .filter(|(_, (_, halt))| halt.on)
        .map(|(scope, (_, halt))| (scope.clone(), halt.clone()))
        .collect();
    let mut by_remediator: BTreeMap<&Remediator, Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        by_remediator.entry(&failure.remediator).or_default().push(failure);
    }
    let scopes = by_remediator
        .into_iter()
        .map(|(remediator, failures)| {
            (
                HaltScope::Remediator(remediator.clone()),
                &breakers.remediator,
                failures,
            )
        })
        .chain([(HaltScope::Estate, &breakers.estate, failures.iter().collect())]);
    for (scope, breaker, failures) in scopes {
        let resumed = said.get(&scope).map(|(number, _)| *number);
        let counted: Vec<&Failure> = failures
            .into_iter()
            .filter(|failure| Some(failure.mark.number) > resumed)
            .collect();
        if let Some(last) = trips(breaker, &counted) {
            let what = match &scope {
                HaltScope::Estate => "fixes".to_owned(),
                HaltScope::Remediator(remediator) => format!("fixes of `{remediator}`"),
            };
            let reason = format!(
                "{} {what} were reverted or led to an incident within {} hours",
                breaker.failures, breaker.hours
            );
            halted.entry(scope.clone()).or_insert_with(|| Halt {
                scope,
                on: true,
                by: AUTOMATION.to_owned(),
                reason,
                at: last.mark.at,
            });
        }
    }
    halted
}

/// The failure with which so many fell within so many hours of each other, whatever the order in which they came on
/// record: a clock that went back hides none.
fn trips<'a>(breaker: &Breaker, failures: &[&'a Failure]) -> Option<&'a Failure> {
    let limit = usize::try_from(breaker.failures.max(1)).unwrap_or(usize::MAX);
    let span = SignedDuration::from_hours(breaker.hours.into());
    let mut sorted = failures.to_vec();
    sorted.sort_by_key(|failure| (failure.mark.at, failure.mark.number));
    sorted.windows(limit).find_map(|together| {
        let (first, last) = (together.first()?, together.last()?);
        (last.mark.at.duration_since(first.mark.at) <= span).then_some(*last)
    })
}
