//! `graph.*`: what can be affected if the service breaks.

use holdpoint_engine::graph::BlastRadius;
use holdpoint_schemas::fact::keys::graph;
use holdpoint_schemas::fact::{FactSet, Key};
use std::collections::BTreeSet;

use super::Moment;

const SOURCE: &str = "the service graph";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let ids = [
        graph::DEPENDENTS.id(),
        graph::MOST_CRITICAL_TIER.id(),
        graph::REACHES_CUSTOMERS.id(),
        graph::REACHES_REVENUE.id(),
    ];
    if let Err(why) = moment.estate.catalogue.known() {
        ids.iter().for_each(|id| facts.insert_unknown(id, why.clone()));
        return;
    }
    let radii: Option<Vec<BlastRadius>> = moment
        .owners
        .services
        .iter()
        .map(|service| moment.estate.graph.blast_radius(&service.id))
        .collect();
    let Some(radii) = radii.filter(|radii| !radii.is_empty() && moment.owners.known()) else {
        ids.iter()
            .for_each(|id| facts.insert_unknown(id, "no catalogue entry owns what is touched"));
        return;
    };
    let dependents: BTreeSet<&str> = radii
        .iter()
        .flat_map(|radius| radius.dependents.iter().map(|dependent| dependent.id.as_str()))
        .collect();
    let note = (!dependents.is_empty()).then(|| dependents.iter().copied().collect::<Vec<_>>().join(", "));
    facts.set(
        graph::DEPENDENTS,
        moment.fact(i64::try_from(dependents.len()).unwrap_or(i64::MAX), SOURCE, note),
    );

    let tiers: Option<Vec<u8>> = radii.iter().map(|radius| radius.most_critical_tier).collect();
    match tiers.and_then(|tiers| tiers.into_iter().min()) {
        Some(tier) => facts.set(graph::MOST_CRITICAL_TIER, moment.fact(i64::from(tier), SOURCE, None)),
        None => facts.set_unknown(
            graph::MOST_CRITICAL_TIER,
            "the tier of a service that depends on it isn't known",
        ),
    }
    let reaches = |fact: Key<bool>, of: fn(&BlastRadius) -> Option<bool>, unknown: &str, facts: &mut FactSet| {
        let answers: Vec<Option<bool>> = radii.iter().map(of).collect();
        if answers.contains(&Some(true)) {
            facts.set(fact, moment.fact(true, SOURCE, None));
        } else if answers.contains(&None) {
            facts.set_unknown(fact, unknown);
        } else {
            facts.set(fact, moment.fact(false, SOURCE, None));
        }
    };
    reaches(
        graph::REACHES_CUSTOMERS,
        |radius| radius.reaches_customers,
        "whether customers use a service that depends on it isn't known",
        facts,
    );
    reaches(
        graph::REACHES_REVENUE,
        |radius| radius.reaches_revenue,
        "whether revenue stops while it or a service that depends on it is down isn't known",
        facts,
    );
}
