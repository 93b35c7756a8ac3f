//! `finding.*` over time: what the ledger saw of it in earlier runs.

use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::fact::keys::finding;

use super::Moment;
use crate::pipeline::time::{Course, breached};

const LEDGER: &str = "the ledger";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    // What no earlier run saw is first seen now.
    let course = moment.history.times.of(&moment.finding.id());
    // That it is back is recorded while this run goes on.
    let back = course.is_some_and(|course| course.gone.is_some());
    let age = course.filter(|_| !back).map_or(0, |course| course.age_days(moment.now));
    // The same in the run that sees it first and in one at the same moment after it: both decide alike.
    let first_seen = course.map_or(moment.now, |course| course.first_seen);
    let note = Some(format!("first seen at {first_seen}"));
    facts.set(finding::AGE_DAYS, moment.fact(age, LEDGER, note));
    let returned = back || course.is_some_and(|course| course.returns > 0);
    let since = |course: &Course| if back { moment.now } else { course.open_since };
    let note = course
        .filter(|_| returned)
        .map(|course| format!("it came back, last at {}", since(course)));
    facts.set(finding::REINTRODUCED, moment.fact(returned, LEDGER, note));
    let severity = moment.finding.finding.severity;
    match moment.estate.config.slas.get(&severity) {
        None => facts.set_unknown(
            finding::SLA_BREACHED,
            format!(
                "the estate doesn't say how long a finding of severity {} may be open",
                severity.as_str()
            ),
        ),
        Some(sla) => {
            let late = course.is_some_and(|course| breached(since(course), moment.now, *sla));
            let note = Some(format!(
                "{} may be open for {sla}, and it is for {age}d",
                severity.as_str()
            ));
            facts.set(finding::SLA_BREACHED, moment.fact(late, LEDGER, note));
        }
    }
}
