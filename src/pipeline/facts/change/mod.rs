//! `change.*`: the moment in which the change would land: calendars, teammates, controls, drift.

mod calendar;
mod controls;
mod drift;
mod people;

use holdpoint_schemas::fact::FactSet;

use super::Moment;

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    calendar::collect(moment, facts);
    people::collect(moment, facts);
    controls::collect(moment, facts);
    drift::collect(moment, facts);
}
