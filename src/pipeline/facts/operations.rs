//! `change.*_needed`: what has to happen so that the change takes effect, and whether the service can answer
//! meanwhile.

use holdpoint_schemas::fact::keys::{change, service};
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::fix::OperationNeed;

use super::Moment;

const SOURCE: &str = "computed from the diff";

/// Reads `service.replicas` and `service.update_strategy`, so it must come after their collector.
pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let Some(fix) = moment.fix else { return };
    let operations = &fix.classification.operations;
    let needs: [(Key<bool>, &OperationNeed); 3] = [
        (change::RESTART_NEEDED, &operations.restart),
        (change::REBOOT_NEEDED, &operations.reboot),
        (change::MIGRATION_NEEDED, &operations.migration),
    ];
    for (key, need) in needs {
        let because = (!need.because.is_empty()).then(|| need.because.clone());
        match need.needed {
            Some(needed) => facts.set(key, moment.fact(needed, SOURCE, because)),
            None => facts.set_unknown(key, because.unwrap_or_else(|| "the diff doesn't tell".to_owned())),
        }
    }
    downtime(moment, facts);
}

/// A restart is no downtime where several instances are replaced one after the other. A reboot or a migration
/// may stop all of them: whether it does can't be told from here.
fn downtime(moment: &Moment<'_>, facts: &mut FactSet) {
    const KEY: Key<bool> = change::DOWNTIME_NEEDED;
    let restart = facts.value(change::RESTART_NEEDED);
    let replicas = facts.value(service::REPLICAS);
    let strategy = facts.value(service::UPDATE_STRATEGY);
    let one_stops_all = match (replicas, strategy) {
        (Some(..=1), _) => Some("one instance runs, and it restarts".to_owned()),
        (_, Some("recreate")) => Some("all instances stop before new ones start".to_owned()),
        _ => None,
    };
    let quiet = [change::REBOOT_NEEDED, change::MIGRATION_NEEDED]
        .iter()
        .all(|key| facts.value(*key) == Some(false));
    match (restart, one_stops_all) {
        (Some(false), _) if quiet => facts.set(
            KEY,
            moment.fact(false, SOURCE, Some("nothing has to be restarted".to_owned())),
        ),
        (Some(true), Some(why)) => facts.set(KEY, moment.fact(true, SOURCE, Some(why))),
        (Some(true), None) if quiet && replicas.is_some() && strategy == Some("rolling") => facts.set(
            KEY,
            moment.fact(
                false,
                SOURCE,
                replicas.map(|replicas| format!("{replicas} instances are replaced one after the other")),
            ),
        ),
        (Some(true), None) if quiet => facts.set_unknown(
            KEY,
            "it restarts the service, and how many instances run and how they are replaced isn't known",
        ),
        (None, _) => facts.set_unknown(KEY, "whether it restarts the service isn't known"),
        _ => facts.set_unknown(
            KEY,
            "whether a reboot or a migration interrupts the service isn't known",
        ),
    }
}
