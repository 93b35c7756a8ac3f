//! `finding.*`: what the scanner said.

use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::fact::keys::finding;

use super::Moment;

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let finding = &moment.finding.finding;
    facts.set(
        finding::SEVERITY,
        moment.fact(finding.severity.as_str(), &finding.scanner, None),
    );
    facts.set(
        finding::CLASS,
        moment.fact(finding.class.as_str(), &finding.scanner, None),
    );
}
