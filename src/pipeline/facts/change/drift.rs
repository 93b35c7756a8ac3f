//! Who made a live change that a fix would undo.

use holdpoint_schemas::fact::keys::change;
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::finding::FindingClass;

use super::super::Moment;

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    const KEY: Key<bool> = change::DRIFT_EXPLAINED;
    let finding = &moment.finding.finding;
    if finding.class != FindingClass::Drift {
        facts.set(
            KEY,
            moment.fact(true, &finding.scanner, Some("it isn't drift".to_owned())),
        );
        return;
    }
    let address = finding.iac_address.as_deref().unwrap_or("this resource");
    let file = match moment.estate.controls.known() {
        Ok(file) => file,
        Err(why) => return facts.set_unknown(KEY, why.clone()),
    };
    match file.drift_actors.get(address) {
        Some(actor) => {
            let source = moment.estate.config.controls.as_deref().unwrap_or("controls");
            facts.set(
                KEY,
                moment.fact(true, source, Some(format!("{actor} changed `{address}`"))),
            );
        }
        None => facts.set_unknown(
            KEY,
            format!("nobody has recorded who changed `{address}` by hand, or why"),
        ),
    }
}
