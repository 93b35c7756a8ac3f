//! Who made a live change that a fix would undo: what people recorded, then what audit logs show.

use holdpoint_intake::drift::{Actor, ActorKind, CloudResource, actors_for, changed_by_human};
use holdpoint_schemas::fact::keys::change;
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::finding::FindingClass;

use super::super::Moment;

const EXPLAINED: Key<bool> = change::DRIFT_EXPLAINED;
const BY_HUMAN: Key<bool> = change::DRIFT_BY_HUMAN;

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let finding = &moment.finding.finding;
    if finding.class != FindingClass::Drift {
        let note = Some("it isn't drift".to_owned());
        facts.set(EXPLAINED, moment.fact(true, &finding.scanner, note.clone()));
        facts.set(BY_HUMAN, moment.fact(false, &finding.scanner, note));
        return;
    }
    let Some(address) = finding.iac_address.as_deref() else {
        facts.set_unknown(EXPLAINED, "the finding doesn't say which resource drifted");
        facts.set_unknown(BY_HUMAN, "the finding doesn't say which resource drifted");
        return;
    };
    let file = match moment.estate.controls.known() {
        Ok(file) => file,
        Err(why) => {
            facts.set_unknown(EXPLAINED, why.clone());
            facts.set_unknown(BY_HUMAN, why.clone());
            return;
        }
    };
    // Whoever is recorded answers for the change, and is a person or acts for one.
    if let Some(actor) = file.drift_actors.get(address) {
        let source = moment.estate.config.controls.as_deref().unwrap_or("controls");
        let note = Some(format!("{actor} changed `{address}`"));
        facts.set(EXPLAINED, moment.fact(true, source, note.clone()));
        facts.set(BY_HUMAN, moment.fact(true, source, note));
        return;
    }
    audited(moment, address, facts);
}

fn audited(moment: &Moment<'_>, address: &str, facts: &mut FactSet) {
    let logs = match moment.estate.audit_logs.known() {
        Ok(logs) => logs,
        Err(why) => {
            facts.set_unknown(EXPLAINED, why.clone());
            facts.set_unknown(BY_HUMAN, why.clone());
            return;
        }
    };
    let nobody = format!("nobody has recorded who changed `{address}` by hand, or why");
    let actors: Vec<Actor> = resource(moment, address).map_or_else(Vec::new, |resource| actors_for(logs, &resource));
    let Some(latest) = actors.first() else {
        let why = if logs.is_empty() {
            nobody
        } else {
            format!("{nobody}, and no audit log shows it")
        };
        facts.set_unknown(EXPLAINED, why.clone());
        facts.set_unknown(BY_HUMAN, why);
        return;
    };
    let note = format!(
        "{} ({}) by `{}` at {}, event {}",
        latest.what,
        latest.kind.as_str(),
        latest.name,
        latest.at,
        latest.event_id
    );
    match latest.kind {
        ActorKind::Unknown => facts.set_unknown(EXPLAINED, format!("what `{}` is isn't known: {note}", latest.name)),
        ActorKind::Human | ActorKind::Automation => {
            facts.set(EXPLAINED, moment.fact(true, "audit logs", Some(note.clone())));
        }
    }
    match changed_by_human(&actors) {
        Some(true) => {
            let codify = format!("{note}; to keep it, write the live values into the code");
            facts.set(BY_HUMAN, moment.fact(true, "audit logs", Some(codify)));
        }
        // Logs that begin after the change was made show only what came later.
        Some(false) => facts.set_unknown(
            BY_HUMAN,
            format!("the logs show only automation, and may not reach back to the change: {note}"),
        ),
        None => facts.set_unknown(BY_HUMAN, note),
    }
}

/// The drifted resource as clouds know it: from the plan that shows the drift, else from a Terraform state.
fn resource(moment: &Moment<'_>, address: &str) -> Option<CloudResource> {
    let of_plan = moment
        .estate
        .plans
        .iter()
        .filter(|plan| plan.repo == moment.finding.repo && plan.branch == moment.finding.branch)
        .find_map(|plan| plan.plan.drift.iter().find(|drift| drift.address == address))
        .map(CloudResource::from);
    of_plan.or_else(|| {
        let states = moment.estate.terraform_states.iter();
        states.filter_map(|state| state.at(address)).next().cloned()
    })
}
