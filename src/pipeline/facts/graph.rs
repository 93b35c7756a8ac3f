//! `graph.*`: what can be affected if the service breaks.

use holdpoint_engine::graph::{BlastRadius, ComplianceScopes, Exposure, SinglePoint};
use holdpoint_schemas::fact::keys::graph;
use holdpoint_schemas::fact::{FactSet, Key};
use holdpoint_schemas::service::ServiceId;
use std::collections::BTreeSet;

use super::Moment;

const SOURCE: &str = "the service graph";

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let ids = [
        graph::DEPENDENTS.id(),
        graph::MOST_CRITICAL_TIER.id(),
        graph::REACHES_CUSTOMERS.id(),
        graph::REACHES_REVENUE.id(),
        graph::EXPOSED.id(),
        graph::SINGLE_POINT_OF_FAILURE.id(),
        graph::IN_CYCLE.id(),
        graph::COMPLIANCE_SCOPES.id(),
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
    let in_cycle = radii.iter().any(|radius| radius.in_cycle);
    facts.set(graph::IN_CYCLE, moment.fact(in_cycle, SOURCE, None));
    exposure(moment, facts);
    single_point(moment, facts);
    scopes(moment, facts);
}

fn path(ids: &[ServiceId]) -> String {
    ids.iter().map(ServiceId::as_str).collect::<Vec<_>>().join(" → ")
}

fn exposure(moment: &Moment<'_>, facts: &mut FactSet) {
    let found: Vec<Exposure> = moment
        .owners
        .services
        .iter()
        .filter_map(|service| moment.estate.graph.exposure(&service.id))
        .collect();
    if let Some(exposed) = found.iter().find(|exposure| exposure.exposed == Some(true)) {
        let note = Some(path(&exposed.path));
        facts.set(graph::EXPOSED, moment.fact(true, SOURCE, note));
    } else if let Some(maybe) = found.iter().find(|exposure| exposure.exposed.is_none()) {
        let first = maybe.path.first().map_or("a service", ServiceId::as_str);
        facts.set_unknown(
            graph::EXPOSED,
            format!(
                "whether the internet reaches `{first}` isn't known: {}",
                path(&maybe.path)
            ),
        );
    } else {
        facts.set(graph::EXPOSED, moment.fact(false, SOURCE, None));
    }
}

fn single_point(moment: &Moment<'_>, facts: &mut FactSet) {
    let found: Vec<SinglePoint> = moment
        .owners
        .services
        .iter()
        .filter_map(|service| moment.estate.graph.single_point_of_failure(&service.id))
        .collect();
    if let Some(point) = found.iter().find(|point| point.single == Some(true)) {
        let names = |ids: &[ServiceId]| ids.iter().map(ServiceId::as_str).collect::<Vec<_>>().join(", ");
        let who = if point.consumers.is_empty() {
            "users from outside".to_owned()
        } else {
            names(&point.consumers)
        };
        let note = format!("without it {who} can't reach {}", names(&point.providers));
        facts.set(graph::SINGLE_POINT_OF_FAILURE, moment.fact(true, SOURCE, Some(note)));
    } else if found.iter().any(|point| point.single.is_none()) {
        facts.set_unknown(
            graph::SINGLE_POINT_OF_FAILURE,
            "whether users from outside come in through it isn't known",
        );
    } else {
        facts.set(graph::SINGLE_POINT_OF_FAILURE, moment.fact(false, SOURCE, None));
    }
}

fn scopes(moment: &Moment<'_>, facts: &mut FactSet) {
    let found: Vec<ComplianceScopes> = moment
        .owners
        .services
        .iter()
        .filter_map(|service| moment.estate.graph.compliance_scopes(&service.id))
        .collect();
    let silent: BTreeSet<&str> = found
        .iter()
        .flat_map(|scopes| &scopes.unknown)
        .map(ServiceId::as_str)
        .collect();
    if silent.is_empty() {
        let all: BTreeSet<String> = found.iter().filter_map(ComplianceScopes::all).flatten().collect();
        facts.set(graph::COMPLIANCE_SCOPES, moment.fact(all, SOURCE, None));
    } else {
        let names = silent.into_iter().collect::<Vec<_>>().join(", ");
        facts.set_unknown(
            graph::COMPLIANCE_SCOPES,
            format!("nobody says in which standards' scope {names} is"),
        );
    }
}
