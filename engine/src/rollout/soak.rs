//! Soaking: the same change first proves itself in a less protected ring.

use std::collections::BTreeSet;

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fix::Fix;

use super::days_after;
use super::track::TrackRecord;

/// What a fix changes, in names that the same change has elsewhere too: each package with its new version, or the kind
/// of the fix.
#[must_use]
pub fn subjects(fix: &Fix) -> BTreeSet<String> {
    let upgrades = &fix.classification.upgrades;
    if upgrades.is_empty() {
        return [fix.classification.kind.as_str().to_owned()].into();
    }
    let name = |upgrade: &holdpoint_schemas::fix::Upgrade| match &upgrade.to {
        Some(to) => format!("pkg:{}/{}@{to}", upgrade.ecosystem, upgrade.package),
        None => format!("pkg:{}/{}", upgrade.ecosystem, upgrade.package),
    };
    upgrades.iter().map(name).collect()
}

/// What a fix must have gone through before it reaches an environment, and what of it is missing.
pub(super) enum Soaked {
    /// It has, or the environment is the first ring.
    Yes,
    /// Nobody can tell which ring it reaches.
    Unknown,
    /// These haven't been in the ring before for so long.
    Missing { ring: String, subjects: Vec<String> },
}

/// Whether each subject has been in the ring before `environment` for `days`, and nothing went wrong with it there since.
pub(super) fn soaked(
    rings: &[String],
    environment: Option<&str>,
    subjects: &BTreeSet<String>,
    days: u32,
    track: &TrackRecord,
    now: Timestamp,
) -> Soaked {
    let Some(place) = environment.and_then(|environment| rings.iter().position(|ring| ring == environment)) else {
        return Soaked::Unknown;
    };
    let Some(ring) = place.checked_sub(1).and_then(|place| rings.get(place)) else {
        return Soaked::Yes;
    };
    let missing: Vec<String> = subjects
        .iter()
        .filter(|subject| !has_soaked(ring, subject, days, track, now))
        .cloned()
        .collect();
    if missing.is_empty() {
        Soaked::Yes
    } else {
        Soaked::Missing {
            ring: ring.clone(),
            subjects: missing,
        }
    }
}

fn has_soaked(ring: &str, subject: &str, days: u32, track: &TrackRecord, now: Timestamp) -> bool {
    let there = || {
        let trials = track.trials().iter();
        trials.filter(|trial| {
            trial.outcome.environment.as_deref() == Some(ring) && trial.outcome.subjects.contains(subject)
        })
    };
    let went_wrong = there().filter_map(|trial| Some(trial.failed?.0.number)).max();
    let mut stood = there().filter_map(super::track::Trial::stands);
    stood.any(|mark| Some(mark.number) > went_wrong && days_after(mark.at, days) <= now)
}
