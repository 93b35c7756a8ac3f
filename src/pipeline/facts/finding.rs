//! `finding.*`: what the scanner said.

use holdpoint_schemas::fact::FactSet;

use super::Moment;

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let finding = &moment.finding.finding;
    facts.insert(
        "finding.severity",
        moment.fact(finding.severity.as_str(), &finding.scanner, None),
    );
    facts.insert(
        "finding.class",
        moment.fact(finding.class.as_str(), &finding.scanner, None),
    );
}
