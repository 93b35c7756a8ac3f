//! `service.*`: what the catalogue says of the owners. With several owners, the worst value of
//! each fact; a value that could still be worse is unknown.

use holdpoint_schemas::fact::keys::service;
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::service::{Service, UpdateStrategy};
use std::collections::BTreeSet;

use super::Moment;
use crate::pipeline::owners::Owners;

const NO_OWNER: &str = "no catalogue entry owns what is touched";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let repo = &moment.finding.repo;
    match moment.estate.catalogue.known() {
        Err(why) => facts.set_unknown(service::KNOWN, why.clone()),
        Ok(_) if moment.owners.known() => {
            let names: Vec<&str> = moment
                .owners
                .services
                .iter()
                .map(|service| service.id.as_str())
                .collect();
            facts.set(
                service::KNOWN,
                moment.fact(true, sources(moment.owners), Some(names.join(", "))),
            );
        }
        Ok(_) => {
            let note = format!(
                "no catalogue entry owns `{repo}` ({})",
                moment.owners.unowned.join(", ")
            );
            facts.set(service::KNOWN, moment.fact(false, "the catalogue", Some(note)));
        }
    }
    if !moment.owners.known() {
        let why = moment.estate.catalogue.known().err().map_or(NO_OWNER, String::as_str);
        for id in [
            service::TIER.id(),
            service::SYSTEMS.id(),
            service::TEAMS.id(),
            service::DATA_CLASSES.id(),
            service::COMPLIANCE_SCOPES.id(),
            service::CUSTOMER_FACING.id(),
            service::PRODUCTION.id(),
            service::ENVIRONMENT.id(),
            service::INTERNET_FACING.id(),
            service::REPLICAS.id(),
            service::UPDATE_STRATEGY.id(),
        ] {
            facts.insert_unknown(id, why);
        }
        return;
    }
    tier(moment, facts);
    names(moment, facts, service::SYSTEMS, "its system", |service| {
        service.system.as_ref()
    });
    names(moment, facts, service::TEAMS, "which team owns it", |service| {
        service.owner.as_ref()
    });
    union(
        moment,
        facts,
        service::DATA_CLASSES,
        "what data it handles",
        |service| service.data_classes.as_ref(),
    );
    union(
        moment,
        facts,
        service::COMPLIANCE_SCOPES,
        "which standards' scope it is in",
        |service| service.compliance_scopes.as_ref(),
    );
    yes_no(
        moment,
        facts,
        service::CUSTOMER_FACING,
        "whether customers use it",
        |service| service.customer_facing,
    );
    yes_no(
        moment,
        facts,
        service::INTERNET_FACING,
        "whether requests from the internet reach it",
        |service| service.runtime.internet_facing,
    );
    instances(moment, facts);
    environment(moment, facts);
}

fn tier(moment: &Moment<'_>, facts: &mut FactSet) {
    let tiers: Option<Vec<u8>> = moment.owners.services.iter().map(|service| service.tier).collect();
    match tiers.and_then(|tiers| tiers.into_iter().min()) {
        Some(tier) => facts.set(
            service::TIER,
            moment.fact(i64::from(tier), sources(moment.owners), None),
        ),
        None => facts.set_unknown(
            service::TIER,
            silent(moment.owners, "its tier", |service| service.tier.is_none()),
        ),
    }
}

/// What each of the owners says in one word; unknown while one of them doesn't say.
fn names(
    moment: &Moment<'_>,
    facts: &mut FactSet,
    fact: Key<BTreeSet<String>>,
    what: &str,
    of: impl Fn(&Service) -> Option<&String>,
) {
    let names: Option<BTreeSet<String>> = moment
        .owners
        .services
        .iter()
        .map(|service| of(service).cloned())
        .collect();
    match names {
        Some(names) => facts.set(fact, moment.fact(names, sources(moment.owners), None)),
        None => facts.set_unknown(fact, silent(moment.owners, what, |service| of(service).is_none())),
    }
}

/// All that any of the owners has; unknown while one of them doesn't say.
fn union(
    moment: &Moment<'_>,
    facts: &mut FactSet,
    fact: Key<BTreeSet<String>>,
    what: &str,
    of: impl Fn(&Service) -> Option<&BTreeSet<String>>,
) {
    let sets: Option<Vec<&BTreeSet<String>>> = moment.owners.services.iter().map(|service| of(service)).collect();
    match sets {
        Some(sets) => {
            let union: BTreeSet<String> = sets.into_iter().flatten().cloned().collect();
            facts.set(fact, moment.fact(union, sources(moment.owners), None));
        }
        None => facts.set_unknown(fact, silent(moment.owners, what, |service| of(service).is_none())),
    }
}

/// Yes if one of the owners is known to; unknown while one of them doesn't say.
fn yes_no(
    moment: &Moment<'_>,
    facts: &mut FactSet,
    fact: Key<bool>,
    what: &str,
    of: impl Fn(&Service) -> Option<bool>,
) {
    let values: Vec<Option<bool>> = moment.owners.services.iter().map(|service| of(service)).collect();
    if values.contains(&Some(true)) {
        facts.set(fact, moment.fact(true, sources(moment.owners), None));
    } else if values.contains(&None) {
        facts.set_unknown(fact, silent(moment.owners, what, |service| of(service).is_none()));
    } else {
        facts.set(fact, moment.fact(false, sources(moment.owners), None));
    }
}

/// How the owners run: the fewest instances, and the strategy that interrupts most. What owns only an IaC
/// address runs too, and is restarted with it.
fn instances(moment: &Moment<'_>, facts: &mut FactSet) {
    let services = &moment.owners.services;
    let replicas: Option<Vec<u32>> = services.iter().map(|service| service.runtime.replicas).collect();
    match replicas.and_then(|replicas| replicas.into_iter().min()) {
        Some(fewest) => facts.set(
            service::REPLICAS,
            moment.fact(i64::from(fewest), sources(moment.owners), None),
        ),
        None => facts.set_unknown(
            service::REPLICAS,
            silent(moment.owners, "how many instances run", |service| {
                service.runtime.replicas.is_none()
            }),
        ),
    }
    let strategies: Vec<Option<UpdateStrategy>> =
        services.iter().map(|service| service.runtime.update_strategy).collect();
    if strategies.contains(&Some(UpdateStrategy::Recreate)) {
        facts.set(
            service::UPDATE_STRATEGY,
            moment.fact(UpdateStrategy::Recreate.as_str(), sources(moment.owners), None),
        );
    } else if strategies.contains(&None) {
        facts.set_unknown(
            service::UPDATE_STRATEGY,
            silent(moment.owners, "how instances are replaced", |service| {
                service.runtime.update_strategy.is_none()
            }),
        );
    } else {
        facts.set(
            service::UPDATE_STRATEGY,
            moment.fact(UpdateStrategy::Rolling.as_str(), sources(moment.owners), None),
        );
    }
}

fn environment(moment: &Moment<'_>, facts: &mut FactSet) {
    let reached = match moment.environments() {
        Ok(reached) => reached,
        Err(why) => {
            facts.set_unknown(service::PRODUCTION, why.clone());
            facts.set_unknown(service::ENVIRONMENT, why);
            return;
        }
    };
    let protected = &moment.estate.config.production_environments;
    let kinds: Vec<(&str, Option<bool>)> = reached
        .iter()
        .map(|(_, environment)| (*environment, is_production(environment, protected)))
        .collect();
    let production = kinds.iter().find(|(_, kind)| *kind == Some(true));
    let unclear = kinds.iter().find(|(_, kind)| kind.is_none());
    let most_protected = production
        .or(unclear)
        .or_else(|| kinds.first())
        .map_or("none", |(environment, _)| environment);
    let branch = &moment.finding.branch;
    let note = match most_protected {
        "none" => format!("`{branch}` is deployed nowhere"),
        environment => format!("`{branch}` is deployed to {environment}"),
    };
    match (production, unclear) {
        (None, Some((environment, _))) => facts.set_unknown(
            service::PRODUCTION,
            format!("{note}, and whether that is production isn't said (`production_environments`) nor clear from its name: `{environment}`"),
        ),
        _ => facts.set(
            service::PRODUCTION,
            moment.fact(production.is_some(), sources(moment.owners), Some(note)),
        ),
    }
    facts.set(
        service::ENVIRONMENT,
        moment.fact(most_protected.to_owned(), sources(moment.owners), None),
    );
}

/// Words in the names of environments that nobody but the team relies on.
const NOT_PRODUCTION: [&str; 18] = [
    "dev",
    "develop",
    "development",
    "test",
    "testing",
    "tests",
    "qa",
    "uat",
    "staging",
    "stage",
    "stg",
    "sandbox",
    "preview",
    "review",
    "integration",
    "ci",
    "local",
    "demo",
];
/// Words in the names of environments that others rely on, whatever the estate calls its own.
const PRODUCTION: [&str; 4] = ["production", "prod", "prd", "live"];

/// Whether an environment is production: the estate names it, or its name says so. A name that says neither may be.
fn is_production(environment: &str, protected: &[String]) -> Option<bool> {
    let name = environment.trim().to_lowercase();
    if protected.iter().any(|known| known.trim().to_lowercase() == name) {
        return Some(true);
    }
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    match (has(&PRODUCTION), has(&NOT_PRODUCTION)) {
        (false, true) => Some(false),
        (true, false) => Some(true),
        // `pre-production-test` and `blue` may be anything.
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use super::is_production;

    #[test]
    fn an_environment_is_production_unless_its_name_says_otherwise() {
        let protected = ["production".to_owned(), "blue".to_owned()];
        for (name, expected) in [
            ("production", Some(true)),
            ("Production", Some(true)),
            ("blue", Some(true)),
            ("prod", Some(true)),
            ("eu-prod", Some(true)),
            ("staging", Some(false)),
            ("eu-staging", Some(false)),
            ("green", None),
            ("test-prod", None),
            ("", None),
        ] {
            assert_eq!(is_production(name, &protected), expected, "{name}");
        }
    }
}
