//! `service.*`: what the catalogue says of the owners. With several owners, the worst value of
//! each fact; a value that could still be worse is unknown.

use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::service::Service;
use std::collections::BTreeSet;

use super::Moment;
use crate::pipeline::owners::Owners;

const NO_OWNER: &str = "no catalogue entry owns what is touched";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let repo = &moment.finding.repo;
    match moment.estate.catalogue.known() {
        Err(why) => facts.insert_unknown("service.known", why.clone()),
        Ok(_) if moment.owners.known() => {
            let names: Vec<&str> = moment
                .owners
                .services
                .iter()
                .map(|service| service.id.as_str())
                .collect();
            facts.insert(
                "service.known",
                moment.fact(true, sources(moment.owners), Some(names.join(", "))),
            );
        }
        Ok(_) => {
            let note = format!(
                "no catalogue entry owns `{repo}` ({})",
                moment.owners.unowned.join(", ")
            );
            facts.insert("service.known", moment.fact(false, "the catalogue", Some(note)));
        }
    }
    if !moment.owners.known() {
        for id in [
            "service.tier",
            "service.data_classes",
            "service.compliance_scopes",
            "service.customer_facing",
            "service.production",
            "service.environment",
        ] {
            facts.insert_unknown(id, NO_OWNER);
        }
        return;
    }
    tier(moment, facts);
    union(
        moment,
        facts,
        "service.data_classes",
        "what data it handles",
        |service| service.data_classes.as_ref(),
    );
    union(
        moment,
        facts,
        "service.compliance_scopes",
        "which standards' scope it is in",
        |service| service.compliance_scopes.as_ref(),
    );
    customer_facing(moment, facts);
    environment(moment, facts);
}

fn tier(moment: &Moment<'_>, facts: &mut FactSet) {
    let tiers: Option<Vec<u8>> = moment.owners.services.iter().map(|service| service.tier).collect();
    match tiers.and_then(|tiers| tiers.into_iter().min()) {
        Some(tier) => facts.insert(
            "service.tier",
            moment.fact(i64::from(tier), sources(moment.owners), None),
        ),
        None => facts.insert_unknown(
            "service.tier",
            silent(moment.owners, "its tier", |service| service.tier.is_none()),
        ),
    }
}

/// All that any of the owners has; unknown while one of them doesn't say.
fn union(
    moment: &Moment<'_>,
    facts: &mut FactSet,
    id: &str,
    what: &str,
    of: impl Fn(&Service) -> Option<&BTreeSet<String>>,
) {
    let sets: Option<Vec<&BTreeSet<String>>> = moment.owners.services.iter().map(|service| of(service)).collect();
    match sets {
        Some(sets) => {
            let union: BTreeSet<String> = sets.into_iter().flatten().cloned().collect();
            facts.insert(id, moment.fact(union, sources(moment.owners), None));
        }
        None => facts.insert_unknown(id, silent(moment.owners, what, |service| of(service).is_none())),
    }
}

fn customer_facing(moment: &Moment<'_>, facts: &mut FactSet) {
    let values: Vec<Option<bool>> = moment
        .owners
        .services
        .iter()
        .map(|service| service.customer_facing)
        .collect();
    if values.contains(&Some(true)) {
        facts.insert(
            "service.customer_facing",
            moment.fact(true, sources(moment.owners), None),
        );
    } else if values.contains(&None) {
        facts.insert_unknown(
            "service.customer_facing",
            silent(moment.owners, "whether customers use it", |service| {
                service.customer_facing.is_none()
            }),
        );
    } else {
        facts.insert(
            "service.customer_facing",
            moment.fact(false, sources(moment.owners), None),
        );
    }
}

fn environment(moment: &Moment<'_>, facts: &mut FactSet) {
    let reached = match moment.environments() {
        Ok(reached) => reached,
        Err(why) => {
            facts.insert_unknown("service.production", why.clone());
            facts.insert_unknown("service.environment", why);
            return;
        }
    };
    let protected = &moment.estate.config.production_environments;
    let production = reached
        .iter()
        .find(|(_, environment)| protected.iter().any(|name| name == environment));
    let most_protected = production
        .or_else(|| reached.first())
        .map_or("none", |(_, environment)| environment);
    let branch = &moment.finding.branch;
    let note = match most_protected {
        "none" => format!("`{branch}` is deployed nowhere"),
        environment => format!("`{branch}` is deployed to {environment}"),
    };
    facts.insert(
        "service.production",
        moment.fact(production.is_some(), sources(moment.owners), Some(note)),
    );
    facts.insert(
        "service.environment",
        moment.fact(most_protected, sources(moment.owners), None),
    );
}

fn sources(owners: &Owners<'_>) -> String {
    let mut sources: Vec<&str> = owners.services.iter().map(|service| service.source.as_str()).collect();
    sources.dedup();
    sources.join(", ")
}

fn silent(owners: &Owners<'_>, what: &str, is_silent: impl Fn(&Service) -> bool) -> String {
    let silent: Vec<String> = owners
        .services
        .iter()
        .filter(|service| is_silent(service))
        .map(|service| format!("`{}`", service.id))
        .collect();
    format!("the catalogue entry of {} doesn't say {what}", silent.join(", "))
}
