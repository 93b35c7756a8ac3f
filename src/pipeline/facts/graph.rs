//! `graph.*`: what can be affected if the service breaks.

use holdpoint_engine::graph::BlastRadius;
use holdpoint_schemas::fact::FactSet;
use std::collections::BTreeSet;

use super::Moment;

const SOURCE: &str = "the service graph";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let ids = [
        "graph.dependents",
        "graph.most_critical_tier",
        "graph.reaches_customers",
        "graph.reaches_revenue",
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
    facts.insert(
        "graph.dependents",
        moment.fact(i64::try_from(dependents.len()).unwrap_or(i64::MAX), SOURCE, note),
    );

    let tiers: Option<Vec<u8>> = radii.iter().map(|radius| radius.most_critical_tier).collect();
    match tiers.and_then(|tiers| tiers.into_iter().min()) {
        Some(tier) => facts.insert("graph.most_critical_tier", moment.fact(i64::from(tier), SOURCE, None)),
        None => facts.insert_unknown(
            "graph.most_critical_tier",
            "the tier of a service that depends on it isn't known",
        ),
    }
    let reaches = |id: &str, of: fn(&BlastRadius) -> Option<bool>, unknown: &str, facts: &mut FactSet| {
        let answers: Vec<Option<bool>> = radii.iter().map(of).collect();
        if answers.contains(&Some(true)) {
            facts.insert(id, moment.fact(true, SOURCE, None));
        } else if answers.contains(&None) {
            facts.insert_unknown(id, unknown);
        } else {
            facts.insert(id, moment.fact(false, SOURCE, None));
        }
    };
    reaches(
        "graph.reaches_customers",
        |radius| radius.reaches_customers,
        "whether customers use a service that depends on it isn't known",
        facts,
    );
    reaches(
        "graph.reaches_revenue",
        |radius| radius.reaches_revenue,
        "whether revenue stops while it or a service that depends on it is down isn't known",
        facts,
    );
}
