//! `graph.*`: what can be affected if the service breaks.

use holdpoint_engine::graph::BlastRadius;
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::fact::keys::graph;
use std::collections::BTreeSet;

use super::Moment;

const SOURCE: &str = "the service graph";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let ids = [
        graph::DEPENDENTS.id(),
        graph::MOST_CRITICAL_TIER.id(),
        graph::REACHES_CUSTOMERS.id(),
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
    let reaches: Vec<Option<bool>> = radii.iter().map(|radius| radius.reaches_customers).collect();
    if reaches.contains(&Some(true)) {
        facts.set(graph::REACHES_CUSTOMERS, moment.fact(true, SOURCE, None));
    } else if reaches.contains(&None) {
        facts.set_unknown(
            graph::REACHES_CUSTOMERS,
            "whether customers use a service that depends on it isn't known",
        );
    } else {
        facts.set(graph::REACHES_CUSTOMERS, moment.fact(false, SOURCE, None));
    }
}
