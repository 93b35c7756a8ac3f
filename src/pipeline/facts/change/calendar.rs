//! What the calendar says: freezes, change windows, and hours in which a disturbance hurts most.

use holdpoint_intake::calendar::{Calendar, Kind, Occurrence, Reading, WindowReading};
use holdpoint_schemas::fact::keys::change;
use holdpoint_schemas::fact::{FactSet, Key};
use jiff::SignedDuration;

use super::super::Moment;

/// How far ahead the next safe window is looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A service in an environment that a merge reaches; `None`: which ones isn't known.
type Scope<'a> = (&'a str, Option<&'a str>);

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let calendar = match moment.estate.calendar.known() {
        Ok(calendar) => calendar,
        Err(why) => {
            for key in [
                change::FREEZE_ACTIVE,
                change::WINDOW_OPEN,
                change::BUSINESS_WINDOW_ACTIVE,
            ] {
                facts.set_unknown(key, why.clone());
            }
            return;
        }
    };
    let scope = scope(moment);
    freeze(moment, calendar, &scope, facts);
    window(moment, calendar, &scope, facts);
    business(moment, calendar, &scope, facts);
    misaddressed(moment, calendar, facts);
}

/// An entry that applies now and names a service that no catalogue has may mean this one: then what it would say
/// isn't known, unless something else says it already.
fn misaddressed(moment: &Moment<'_>, calendar: &Calendar, facts: &mut FactSet) {
    let (Ok(catalogue), Ok(listed)) = (
        moment.estate.catalogue.known(),
        calendar.upcoming(moment.now, SignedDuration::from_secs(1)),
    ) else {
        return;
    };
    for entry in listed.iter().filter(|entry| entry.next.from <= moment.now) {
        let is_known = |name: &String| {
            name.trim() == "*"
                || catalogue
                    .services
                    .iter()
                    .any(|service| service.id.as_str().eq_ignore_ascii_case(name.trim()))
        };
        let Some(stray) = entry.services.iter().find(|name| !is_known(name)) else {
            continue;
        };
        let why = format!("`{}` names the service `{stray}`, which no catalogue has", entry.name);
        match entry.kind {
            Kind::Freeze if facts.value(change::FREEZE_ACTIVE) == Some(false) => {
                facts.set_unknown(change::FREEZE_ACTIVE, why);
            }
            Kind::Business if facts.value(change::BUSINESS_WINDOW_ACTIVE) == Some(false) => {
                facts.set_unknown(change::BUSINESS_WINDOW_ACTIVE, why);
            }
            _ => {}
        }
    }
}

/// The owners, each in every environment that the branch is deployed to; a service that isn't deployed, or nobody
/// knows where, in an unknown one.
fn scope<'a>(moment: &'a Moment<'_>) -> Vec<Scope<'a>> {
    let reached = moment.environments().unwrap_or_default();
    if moment.owners.services.is_empty() {
        return vec![("unknown", None)];
    }
    let mut scope: Vec<Scope<'a>> = Vec::new();
    for service in &moment.owners.services {
        let id = service.id.as_str();
        let before = scope.len();
        scope.extend(
            reached
                .iter()
                .filter(|(owner, _)| *owner == id)
                .map(|(_, environment)| (id, Some(*environment))),
        );
        if scope.len() == before {
            scope.push((id, None));
        }
    }
    scope
}

fn source(moment: &Moment<'_>) -> String {
    moment
        .estate
        .config
        .calendar
        .as_deref()
        .unwrap_or("calendar")
        .to_owned()
}

/// The first of the readings that is active, or a reason why one can't be told.
fn any_active(readings: impl Iterator<Item = Reading>) -> Result<Option<Occurrence>, String> {
    let mut unknown = None;
    for reading in readings {
        match reading {
            Reading::Active(occurrence) => return Ok(Some(occurrence)),
            Reading::Inactive => {}
            Reading::Unknown(why) => unknown = Some(why),
        }
    }
    unknown.map_or(Ok(None), Err)
}

fn freeze(moment: &Moment<'_>, calendar: &Calendar, scope: &[Scope<'_>], facts: &mut FactSet) {
    const KEY: Key<bool> = change::FREEZE_ACTIVE;
    let readings = scope
        .iter()
        .map(|(service, environment)| calendar.freeze_at(service, *environment, moment.now));
    match any_active(readings) {
        Ok(active) => {
            let note = active
                .as_ref()
                .map(|freeze| format!("the freeze `{}` ends {}", freeze.name, freeze.span.until));
            facts.set(KEY, moment.fact(active.is_some(), source(moment), note));
        }
        Err(why) => facts.set_unknown(KEY, why),
    }
}

fn window(moment: &Moment<'_>, calendar: &Calendar, scope: &[Scope<'_>], facts: &mut FactSet) {
    const KEY: Key<bool> = change::WINDOW_OPEN;
    let mut note = "no window restricts it".to_owned();
    for (service, environment) in scope {
        match calendar.window_open_at(service, *environment, moment.now) {
            WindowReading::Unrestricted => {}
            WindowReading::Open(window) => note = format!("the window `{}` ends {}", window.name, window.span.until),
            WindowReading::Closed => {
                let next = next_safe(moment, calendar, scope);
                let note = format!("no window of `{service}` is open; {next}");
                return facts.set(KEY, moment.fact(false, source(moment), Some(note)));
            }
            WindowReading::Unknown(why) => return facts.set_unknown(KEY, why),
        }
    }
    facts.set(KEY, moment.fact(true, source(moment), Some(note)));
}

/// Business hours of the owners where they are deployed, and of everything that depends on them anywhere.
fn business(moment: &Moment<'_>, calendar: &Calendar, scope: &[Scope<'_>], facts: &mut FactSet) {
    const KEY: Key<bool> = change::BUSINESS_WINDOW_ACTIVE;
    let dependents = moment.dependents();
    let affected: Vec<Scope<'_>> = scope
        .iter()
        .copied()
        .chain(dependents.iter().map(|id| (id.as_str(), None)))
        .collect();
    let readings = affected
        .iter()
        .map(|(service, environment)| calendar.business_at(service, *environment, moment.now));
    match any_active(readings) {
        Ok(None) => facts.set(KEY, moment.fact(false, source(moment), None)),
        Ok(Some(hours)) => {
            let next = next_safe(moment, calendar, &affected);
            let note = format!("`{}` ends {}; {next}", hours.name, hours.span.until);
            facts.set(KEY, moment.fact(true, source(moment), Some(note)));
        }
        Err(why) => facts.set_unknown(KEY, why),
    }
}

/// When it could go in by the calendar, for people.
fn next_safe(moment: &Moment<'_>, calendar: &Calendar, scope: &[Scope<'_>]) -> String {
    match calendar.next_safe(moment.now, scope, HORIZON) {
        Ok(Some(span)) => format!("the next safe window is {} to {}", span.from, span.until),
        Ok(None) => format!("there is no safe window in the next {} days", HORIZON.as_hours() / 24),
        Err(why) => format!("the next safe window isn't known: {why}"),
    }
}
