//! What applying a change does to infrastructure, and what a drift's fix would undo.

use holdpoint_intake::plan::undoes_hardening;
use holdpoint_schemas::fact::keys::change;
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::finding::FindingClass;
use holdpoint_schemas::fix::Fix;

use super::Moment;

/// Endings of files from which infrastructure is made.
const INFRASTRUCTURE: [&str; 6] = [".tf", ".tf.json", ".tfvars", ".tfvars.json", ".bicep", ".hcl"];

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    if let Some(fix) = moment.fix {
        destroys(moment, fix, facts);
    }
    hardening(moment, facts);
}

fn destroys(moment: &Moment<'_>, fix: &Fix, facts: &mut FactSet) {
    const KEY: Key<bool> = change::DESTROYS_RESOURCES;
    let classification = &fix.classification;
    if !classification.iac_removed.is_empty() {
        let note = format!("the diff removes {}", classification.iac_removed.join(", "));
        return facts.set(KEY, moment.fact(true, "computed from the diff", Some(note)));
    }
    if let Some(plan) = fix.plan.as_ref().filter(|plan| !plan.destroys.is_empty()) {
        let note = format!("the plan destroys or replaces {}", plan.destroys.join(", "));
        return facts.set(KEY, moment.fact(true, &plan.file, Some(note)));
    }
    let is_infrastructure = |path: &str| INFRASTRUCTURE.iter().any(|ending| path.ends_with(ending));
    let touched = fix.files.iter().any(|file| is_infrastructure(&file.path));
    if !touched && classification.iac_addresses.is_empty() {
        let note = Some("it touches no infrastructure code".to_owned());
        return facts.set(KEY, moment.fact(false, "computed from the diff", note));
    }
    let Some(plan) = &fix.plan else {
        return facts.set_unknown(KEY, "no plan of the candidate came with it");
    };
    let author = &fix.remediator.0;
    if !moment.estate.config.plan_authors.contains(author) {
        return facts.set_unknown(
            KEY,
            format!("the plan comes from `{author}`, which isn't among the estate's `plan_authors`"),
        );
    }
    if let Some(gap) = plan.gaps.first() {
        return facts.set_unknown(KEY, format!("the plan leaves something open: {gap}"));
    }
    let missing: Vec<&str> = classification
        .iac_addresses
        .iter()
        .map(String::as_str)
        .filter(|address| !plan.touches.iter().any(|planned| is_of(planned, address)))
        .collect();
    // A plan that doesn't speak of what the diff changes may be another change's plan.
    if classification.iac_addresses.is_empty() || !missing.is_empty() {
        let what = if missing.is_empty() {
            "which resources the diff changes can't be told".to_owned()
        } else {
            format!("the plan says nothing of {}", missing.join(", "))
        };
        return facts.set_unknown(KEY, what);
    }
    facts.set(
        KEY,
        moment.fact(
            false,
            &plan.file,
            Some("the plan changes in place what the diff touches".to_owned()),
        ),
    );
}

/// Whether a planned address is an instance of the resource that the code declares, in whatever module.
fn is_of(planned: &str, declared: &str) -> bool {
    let bare = planned.split('[').next().unwrap_or(planned);
    bare == declared || bare.strip_suffix(declared).is_some_and(|module| module.ends_with('.'))
}

fn hardening(moment: &Moment<'_>, facts: &mut FactSet) {
    const KEY: Key<bool> = change::UNDOES_HARDENING;
    let finding = &moment.finding.finding;
    if finding.class != FindingClass::Drift {
        let note = Some("it isn't drift".to_owned());
        return facts.set(KEY, moment.fact(false, &finding.scanner, note));
    }
    let Some(address) = finding.iac_address.as_deref() else {
        return facts.set_unknown(KEY, "the finding doesn't say which resource drifted");
    };
    let drift = moment
        .estate
        .plans
        .iter()
        .filter(|plan| plan.repo == moment.finding.repo && plan.branch == moment.finding.branch)
        .find_map(|plan| Some((plan, plan.plan.drift.iter().find(|drift| drift.address == address)?)));
    let Some((plan, drift)) = drift else {
        return facts.set_unknown(KEY, format!("no plan that can be read shows how `{address}` drifted"));
    };
    match undoes_hardening(drift) {
        Some(undoes) => {
            let note = format!("{} of `{address}` differs", drift.attributes.join(", "));
            facts.set(KEY, moment.fact(undoes, &plan.file, Some(note)));
        }
        None => facts.set_unknown(
            KEY,
            format!(
                "whether the live {} of `{address}` is the safer one isn't known",
                drift.attributes.join(", ")
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn an_instance_in_a_module_is_the_declared_resource() {
        assert!(is_of("aws_db_instance.ledger", "aws_db_instance.ledger"));
        assert!(is_of("module.db.aws_db_instance.ledger[0]", "aws_db_instance.ledger"));
        assert!(is_of("aws_db_instance.ledger[\"a.b\"]", "aws_db_instance.ledger"));
        assert!(!is_of("aws_db_instance.old_ledger", "aws_db_instance.ledger"));
        assert!(!is_of("aws_db_instance.ledger2", "aws_db_instance.ledger"));
    }
}
