//! What people hold: break-glass changes, compensating controls, hands-off.

use holdpoint_intake::controls::merged;
use holdpoint_schemas::control::{Control, ControlKind};
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::fact::keys::change;

use super::super::Moment;

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let rows = [
        (change::REVERTS_BREAK_GLASS, ControlKind::BreakGlass),
        (change::TOUCHES_COMPENSATING_CONTROL, ControlKind::Compensating),
        (change::TOUCHES_HANDS_OFF, ControlKind::HandsOff),
    ];
    let file = match moment.estate.controls.known() {
        Ok(file) => file,
        Err(why) => {
            rows.iter().for_each(|(key, _)| facts.set_unknown(*key, why.clone()));
            return;
        }
    };
    // Commits, comments and tags of the repo claim too; an entry of the file replaces one of the same id.
    let derived = match moment.derived_controls() {
        Ok(derived) => derived,
        Err(why) => {
            rows.iter().for_each(|(key, _)| facts.set_unknown(*key, why.clone()));
            return;
        }
    };
    let all = merged(file.controls.clone(), derived);
    let source = moment.estate.config.controls.as_deref().unwrap_or("controls");
    for (key, kind) in rows {
        let touched: Vec<&Control> = all
            .iter()
            .filter(|control| control.kind == kind && control.active(moment.now) && touches(moment, control))
            .collect();
        let note = (!touched.is_empty()).then(|| {
            touched
                .iter()
                .map(|control| describe(control))
                .collect::<Vec<_>>()
                .join("; ")
        });
        facts.set(key, moment.fact(!touched.is_empty(), source, note));
    }
}

/// While a control is active, whatever changes what it holds counts as undoing it: telling a
/// harmless change from a revert is a human's call.
fn touches(moment: &Moment<'_>, control: &Control) -> bool {
    if control.repo != moment.finding.repo {
        return false;
    }
    let by_address = control
        .address
        .as_deref()
        .is_some_and(|address| moment.addresses().contains(&address));
    let by_path = control.path.as_deref().is_some_and(|held| {
        let held = held.trim_end_matches('/');
        moment
            .paths()
            .iter()
            .any(|path| *path == held || path.strip_prefix(held).is_some_and(|rest| rest.starts_with('/')))
    });
    by_address || by_path
}

fn describe(control: &Control) -> String {
    let on = control
        .address
        .as_deref()
        .or(control.path.as_deref())
        .unwrap_or(&control.repo);
    let protects = control
        .protects
        .as_ref()
        .map(|what| format!("; it protects {what}"))
        .unwrap_or_default();
    format!(
        "{} control `{}` on `{on}`, held by {} until {}: {}{protects}",
        control.kind.as_str(),
        control.id,
        control.owner,
        control.until,
        control.reason.trim_end_matches('.')
    )
}
