//! The estate's own files.

use holdpoint_intake::calendar::{Calendar, add_freeze};
use holdpoint_intake::cases::{CaseText, read_cases};
use holdpoint_intake::controls::{add_control, expire_control};
use holdpoint_intake::estate;
use holdpoint_schemas::control::{Control, ControlKind, Freeze};
use holdpoint_schemas::fact::FactTable;
use holdpoint_schemas::rollout::Rollout;
use jiff::{SignedDuration, Timestamp};

use crate::input::texts;
use crate::oracle::{good, helpful, prints_alike};

/// A day to ask for: in the years that seeds are about.
const NOW: Timestamp = Timestamp::constant(1_773_700_000, 0);

/// `calendar.yaml` and the iCalendar files that it names.
pub fn calendar(data: &[u8]) {
    let texts = texts(data, "calendar.yaml");
    let Some((_, text)) = texts.first() else { return };
    ask(text, &texts);
    let freeze = Freeze {
        name: "Added".to_owned(),
        services: vec!["*".to_owned()],
        environments: Vec::new(),
        from: NOW,
        until: Timestamp::MAX,
    };
    if let Some(new) = good(add_freeze("calendar.yaml", text, &freeze)) {
        assert!(new.len() > text.len(), "nothing was added");
    }
}

/// One iCalendar file.
pub fn icalendar(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for means in ["freeze", "window"] {
        let calendar = format!("ics:\n  - {{file: a.ics, means: {means}, services: ['*'], zone: Europe/Berlin}}\n");
        ask(&calendar, &[("a.ics", text)]);
    }
}

/// One recurrence rule.
pub fn rrule(data: &[u8]) {
    let rule = String::from_utf8_lossy(data);
    let rule = serde_json::Value::from(rule.lines().next().unwrap_or_default());
    for list in ["windows", "business"] {
        let text = format!(
            "{list}:\n  - {{name: x, services: ['*'], rrule: {rule}, start: '2026-01-05T22:00', duration: 4h, \
             zone: America/New_York}}\n"
        );
        ask(&text, &[]);
    }
}

fn ask(text: &str, files: &[(&str, &str)]) {
    let ics = |name: &str| {
        let file = files.iter().find(|(known, _)| *known == name);
        file.map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| "no such file".to_owned())
    };
    prints_alike(|| {
        let calendar = good(Calendar::read("calendar.yaml", text, &ics))?;
        let scope = [("shop", Some("production")), ("accounts", None)];
        let freeze = calendar.freeze_at("shop", Some("production"), NOW);
        let business = calendar.business_at("shop", None, NOW);
        let window = calendar.window_open_at("accounts", Some("staging"), NOW);
        let safe = calendar.next_safe(NOW, &scope, SignedDuration::from_hours(24 * 90));
        if let Ok(Some(span)) = &safe {
            assert!(
                span.from >= NOW && span.from < span.until,
                "a safe time that isn't ahead"
            );
        }
        let upcoming = calendar.upcoming(NOW, SignedDuration::from_hours(24 * 30));
        Some((freeze, business, window, safe, upcoming.map(|listed| listed.len())))
    });
}

/// `controls.yaml`: what is added or ended reads back, and nothing else changes.
pub fn control_edit(data: &[u8]) {
    let texts = texts(data, "controls.yaml");
    let Some((_, text)) = texts.first() else { return };
    // The second file is what a person types.
    let typed = texts.get(1).map_or("hold: #1", |(_, typed)| typed.trim());
    let control = Control {
        id: "added".to_owned(),
        kind: ControlKind::BreakGlass,
        repo: typed.to_owned(),
        address: None,
        path: Some("infra".to_owned()),
        owner: "mara".to_owned(),
        reason: typed.to_owned(),
        protects: None,
        since: NOW,
        until: Timestamp::MAX,
    };
    let before = good(estate::read_controls("controls.yaml", text)).map_or_else(Vec::new, |file| file.controls);
    let Some(new) = good(add_control("controls.yaml", text, &control)) else {
        return;
    };
    let read = estate::read_controls("controls.yaml", &new).map_or_else(|_| Vec::new(), |file| file.controls);
    assert!(
        read.split_last()
            .is_some_and(|(last, rest)| *last == control && rest == before),
        "what was added doesn't read back"
    );
    let later = Timestamp::constant(1_900_000_000, 0);
    let ended = expire_control("controls.yaml", &new, "added", later);
    if let Some(ended) = good(ended) {
        let read = estate::read_controls("controls.yaml", &ended).map_or_else(|_| Vec::new(), |file| file.controls);
        let last = read.last();
        assert!(last.is_some_and(|last| last.until == later), "what was ended goes on");
    }
}

/// The files of an estate repo, each read as every kind.
pub fn estate(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    prints_alike(|| good(estate::read_estate("holdpoint.yaml", text)));
    prints_alike(|| good(estate::read_controls("controls.yaml", text)));
    prints_alike(|| good(estate::read_contracts("contracts.yaml", text)));
    prints_alike(|| good(estate::read_rollout("rollout.yaml", text)));
    prints_alike(|| good(estate::read_variables("variables.yaml", text)));
    prints_alike(|| good(estate::read_repo_settings(".holdpoint.yaml", text)));
    prints_alike(|| good(estate::read_fix_request("fix.yaml", text)));
}

/// `rollout.yaml`: what is accepted never starts above its ceiling, and is the same when it is written and read again.
pub fn rollout(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    prints_alike(|| good(estate::read_rollout("rollout.yaml", text)));
    let Some(file) = good(estate::read_rollout("rollout.yaml", text)) else {
        return;
    };
    for lane in &file.lanes {
        assert!(lane.stage <= lane.ceiling(), "a lane starts above its ceiling");
    }
    let json = serde_json::to_string(&file).unwrap_or_default();
    assert!(
        serde_json::from_str::<Rollout>(&json).is_ok_and(|again| again == file),
        "it isn't read as it was written"
    );
    let known = estate::KnownNames {
        environments: ["production".to_owned()].into(),
        ..estate::KnownNames::default()
    };
    good(estate::check_rollout_names("rollout.yaml", text, &file, &known));
}

/// Facts of an organisation.
pub fn org_facts(data: &[u8]) {
    let texts = texts(data, "facts.d/a.yaml");
    prints_alike(|| good(estate::read_org_facts(&texts, None)));
}

/// Cases of a policy pack.
pub fn policy_cases(data: &[u8]) {
    let cases: Vec<CaseText> = texts(data, "cases/a.yaml")
        .into_iter()
        .map(|(path, text)| CaseText {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .collect();
    let read = || read_cases(&cases, &[], FactTable::shipped());
    if let Err(errors) = prints_alike(read) {
        assert!(!errors.is_empty(), "wrong without a reason");
        errors.iter().for_each(helpful);
    }
}
