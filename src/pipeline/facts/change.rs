//! `change.*`: the moment in which the change would land: calendars, teammates, controls, drift.

use holdpoint_schemas::Timestamp;
use holdpoint_schemas::control::{Control, ControlKind};
use holdpoint_schemas::fact::keys::change;
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::finding::FindingClass;
use jiff::SignedDuration;

use super::Moment;

/// How long a teammate's push counts as recent: a long weekend.
const RECENT: SignedDuration = SignedDuration::from_hours(72);

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    freeze(moment, facts);
    pushes(moment, facts);
    controls(moment, facts);
    drift(moment, facts);
}

fn freeze(moment: &Moment<'_>, facts: &mut FactSet) {
    const KEY: Key<bool> = change::FREEZE_ACTIVE;
    let calendar = match moment.estate.calendar.known() {
        Ok(calendar) => calendar,
        Err(why) => return facts.set_unknown(KEY, why.clone()),
    };
    let reached = moment.environments().unwrap_or_default();
    let services: Vec<&str> = if moment.owners.services.is_empty() {
        vec!["unknown"]
    } else {
        moment
            .owners
            .services
            .iter()
            .map(|service| service.id.as_str())
            .collect()
    };
    let covering = calendar.freezes.iter().find(|freeze| {
        services.iter().any(|service| {
            let environments: Vec<Option<&str>> = reached
                .iter()
                .filter(|(owner, _)| owner == service)
                .map(|(_, environment)| Some(*environment))
                .collect();
            let environments = if environments.is_empty() {
                vec![None]
            } else {
                environments
            };
            environments
                .into_iter()
                .any(|environment| freeze.covers(service, environment, moment.now))
        })
    });
    let source = moment.estate.config.calendar.as_deref().unwrap_or("calendar");
    let note = covering.map(|freeze| format!("the freeze `{}` ends {}", freeze.name, freeze.until));
    facts.set(KEY, moment.fact(covering.is_some(), source, note));
}

fn pushes(moment: &Moment<'_>, facts: &mut FactSet) {
    const KEY: Key<bool> = change::PUSHED_BY_OTHERS;
    let Some(mirror) = moment.mirror else {
        return facts.set_unknown(KEY, format!("the repo `{}` can't be read", moment.finding.repo));
    };
    let Some(head) = mirror.head(&moment.finding.branch) else {
        return facts.set_unknown(KEY, format!("there is no branch `{}`", moment.finding.branch));
    };
    let since = moment.now.checked_sub(RECENT).unwrap_or(Timestamp::MIN);
    // Without an end: what is on the branch was pushed before now, whatever date its committer gave it.
    let paths: Vec<String> = moment.paths().into_iter().map(str::to_owned).collect();
    match holdpoint_intake::activity::recent_pushes(&mirror.git, &head, &paths, since, Timestamp::MAX, &|commit| {
        moment.history.is_own_merge(commit)
    }) {
        Ok(pushes) => {
            let note = pushes.first().map(|push| {
                let short = push.commit.get(..10).unwrap_or(&push.commit);
                format!(
                    "{} pushed `{short}` ({}) to {} on {}",
                    push.author,
                    push.summary,
                    push.paths.join(", "),
                    push.at
                )
            });
            facts.set(KEY, moment.fact(!pushes.is_empty(), "the repo's history", note));
        }
        Err(error) => facts.set_unknown(KEY, format!("the repo's history can't be read: {error}")),
    }
}

fn controls(moment: &Moment<'_>, facts: &mut FactSet) {
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
    let source = moment.estate.config.controls.as_deref().unwrap_or("controls");
    for (key, kind) in rows {
        let touched: Vec<&Control> = file
            .controls
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

fn drift(moment: &Moment<'_>, facts: &mut FactSet) {
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
