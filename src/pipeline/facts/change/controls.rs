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
    if !control.repo.trim().eq_ignore_ascii_case(&moment.finding.repo) {
        return false;
    }
    let by_address = control.address.as_deref().is_some_and(|held| {
        let touched = moment.addresses();
        touched.iter().any(|address| is_same_resource(address, held))
    });
    let by_path = control
        .path
        .as_deref()
        .is_some_and(|held| moment.paths().iter().any(|path| holds(held, path)));
    by_address || by_path
}

/// Whether a control's path holds a path of the repo: itself, or a folder above it. Spelling doesn't matter, and a
/// pattern holds all below its fixed beginning: a control that holds too much is noticed, one that holds nothing isn't.
fn holds(held: &str, path: &str) -> bool {
    let held = held.trim().replace('\\', "/").to_lowercase();
    let fixed = held.split('*').next().unwrap_or_default();
    let is_pattern = fixed.len() < held.len();
    let parts: Vec<&str> = fixed
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    let path = path.to_lowercase();
    let mut of_path = path.split('/');
    for (index, part) in parts.iter().enumerate() {
        // The last part of a pattern may end within a name.
        let open = is_pattern && index + 1 == parts.len() && !fixed.ends_with('/');
        match of_path.next() {
            Some(own) if own == *part || (open && own.starts_with(part)) => {}
            _ => return false,
        }
    }
    true
}

/// Whether two addresses may mean one resource: with or without modules, indices, case.
fn is_same_resource(touched: &str, held: &str) -> bool {
    let bare = |address: &str| {
        let text = address.trim().to_lowercase();
        let text = text
            .split('[')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".*")
            .to_owned();
        let parts: Vec<&str> = text.split('.').collect();
        parts.get(parts.len().saturating_sub(2)..).unwrap_or_default().join(".")
    };
    bare(touched) == bare(held)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_it_is_spelt_a_path_holds_what_is_below_it() {
        for held in [
            "cfg",
            "cfg/",
            "./cfg",
            ".",
            "./",
            "cfg//a.json",
            "cfg/./a.json",
            "CFG/a.json",
            "cfg\\a.json",
            " cfg/a.json",
            "*",
            "cfg/*",
            "**/a.json",
            "c*",
        ] {
            assert!(holds(held, "cfg/a.json"), "{held}");
        }
        for held in ["cf", "cfg/a", "cfg/b.json", "cfg/a.json/x", "d*"] {
            assert!(!holds(held, "cfg/a.json"), "{held}");
        }
    }

    #[test]
    fn an_address_is_the_same_resource_in_any_module_and_instance() {
        for held in [
            "aws_x.g",
            "module.a.aws_x.g",
            "aws_x.g[0]",
            "aws_x.g.*",
            "AWS_X.g",
            " aws_x.g",
        ] {
            assert!(is_same_resource("aws_x.g", held), "{held}");
        }
        assert!(!is_same_resource("aws_x.g", "aws_x.h") && !is_same_resource("aws_x.g", "aws_y.g"));
    }
}
