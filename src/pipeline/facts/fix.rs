//! `fix.*`: what is computed from the diff, and whether what it newly needs is there.

use holdpoint_schemas::fact::keys::fix;
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::fix::{DependencyScope, Fix, UpgradeStep};
use std::collections::BTreeSet;

use super::Moment;

const SOURCE: &str = "computed from the diff";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let Some(fix) = moment.fix else { return };
    let classification = &fix.classification;
    let because = Some(classification.because.clone());
    facts.set(
        fix::CLASS,
        moment.fact(classification.kind.class().as_str(), SOURCE, because.clone()),
    );
    facts.set(fix::KIND, moment.fact(classification.kind.as_str(), SOURCE, because));
    facts.set(
        fix::FILES,
        moment.fact(i64::try_from(fix.files.len()).unwrap_or(i64::MAX), SOURCE, None),
    );

    let step = classification.upgrades.iter().map(|upgrade| upgrade.step).max();
    let moves: Vec<String> = classification
        .upgrades
        .iter()
        .map(|upgrade| {
            format!(
                "{} {} → {}",
                upgrade.package,
                upgrade.from.as_deref().unwrap_or("(new)"),
                upgrade.to.as_deref().unwrap_or("(gone)")
            )
        })
        .collect();
    let note = (!moves.is_empty()).then(|| moves.join(", "));
    facts.set(
        fix::UPGRADE_STEP,
        moment.fact(step.map_or("none", UpgradeStep::as_str), SOURCE, note),
    );
    let scope = classification.upgrades.iter().map(|upgrade| upgrade.scope).max();
    facts.set(
        fix::UPGRADE_SCOPE,
        moment.fact(scope.map_or("none", DependencyScope::as_str), SOURCE, None),
    );

    let ecosystems: BTreeSet<String> = classification
        .upgrades
        .iter()
        .map(|upgrade| upgrade.ecosystem.clone())
        .collect();
    facts.set(fix::ECOSYSTEMS, moment.fact(ecosystems, SOURCE, None));
    facts.set(
        fix::GOVERNANCE_FILES,
        moment.fact(
            !classification.governance_files.is_empty(),
            SOURCE,
            list(&classification.governance_files),
        ),
    );
    facts.set(
        fix::CRITICAL_RESOURCE,
        moment.fact(
            !classification.critical_resources.is_empty(),
            SOURCE,
            list(&classification.critical_resources),
        ),
    );
    skipped(moment, fix, facts);
    match fix.minimal {
        Some(minimal) => facts.set(fix::MINIMAL, moment.fact(minimal, SOURCE, beside(fix))),
        None => facts.set_unknown(
            fix::MINIMAL,
            "what its findings are about and what it touches can't be compared",
        ),
    }
    variables(moment, fix, facts);
}

/// What people need to hear of a fix that touches more.
fn beside(fix: &Fix) -> Option<String> {
    let paths: Vec<String> = fix.files.iter().map(|file| file.path.clone()).collect();
    (fix.minimal == Some(false)).then(|| format!("it touches {}", list(&paths).unwrap_or_default()))
}

fn skipped(moment: &Moment<'_>, fix: &Fix, facts: &mut FactSet) {
    let upgrades = &fix.classification.upgrades;
    let skipped: Option<Vec<u32>> = upgrades.iter().map(|upgrade| upgrade.skipped).collect();
    match skipped {
        Some(skipped) => facts.set(
            fix::VERSIONS_SKIPPED,
            moment.fact(i64::from(skipped.into_iter().max().unwrap_or(0)), SOURCE, None),
        ),
        None => facts.set_unknown(fix::VERSIONS_SKIPPED, "the versions of an upgrade can't be compared"),
    }
}

fn list(items: &[String]) -> Option<String> {
    (!items.is_empty()).then(|| {
        items
            .iter()
            .map(|item| format!("`{item}`"))
            .collect::<Vec<_>>()
            .join(", ")
    })
}

fn variables(moment: &Moment<'_>, fix: &Fix, facts: &mut FactSet) {
    const KEY: Key<bool> = fix::VARIABLES_PROVISIONED;
    let needed = &fix.classification.new_variables;
    if needed.is_empty() {
        facts.set(
            KEY,
            moment.fact(true, SOURCE, Some("it reads no new variable".to_owned())),
        );
        return;
    }
    let names = list(needed).unwrap_or_default();
    let provisioned = match moment.estate.environments.known() {
        Ok(provisioned) => provisioned,
        Err(why) => return facts.set_unknown(KEY, format!("it newly reads {names}, and {why}")),
    };
    let reached = match moment.environments() {
        Ok(reached) => reached,
        Err(why) => return facts.set_unknown(KEY, format!("it newly reads {names}, and {why}")),
    };
    let source = moment
        .estate
        .config
        .environments
        .as_deref()
        .unwrap_or("environments")
        .to_owned();
    let mut missing = Vec::new();
    for (service, environment) in reached {
        let Some(there) = provisioned
            .environments
            .get(environment)
            .and_then(|services| services.get(service))
        else {
            return facts.set_unknown(
                KEY,
                format!("it newly reads {names}, and `{source}` doesn't list what `{service}` has in {environment}"),
            );
        };
        missing.extend(
            needed
                .iter()
                .filter(|name| !there.contains(name))
                .map(|name| format!("`{name}` isn't provisioned for `{service}` in {environment}")),
        );
    }
    let note = if missing.is_empty() {
        format!("{names} is provisioned")
    } else {
        missing.join(", ")
    };
    facts.set(KEY, moment.fact(missing.is_empty(), source, Some(note)));
}
