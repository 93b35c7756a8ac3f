//! `org.*`: what the organisation itself says of the owners, in `facts.d`.

use holdpoint_intake::estate::SuppliedFact;
use holdpoint_schemas::Timestamp;
use holdpoint_schemas::fact::{Fact, FactSet, FactValue};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::Moment;

/// How far ahead `observed` may be: where it is written, it is a day later than in UTC at most.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn collect(moment: &Moment<'_>, facts: &mut FactSet) {
    let owners: Vec<&str> = moment
        .owners
        .services
        .iter()
        .map(|service| service.id.as_str())
        .collect();
    for supplied in &moment.estate.org_facts {
        let id = &supplied.fact.id;
        if !moment.owners.known() {
            facts.insert_unknown(id, "no catalogue entry owns what is touched");
            continue;
        }
        match read(supplied, &owners, moment.now) {
            Ok(fact) => facts.insert(id, fact),
            Err(why) => facts.insert_unknown(id, why),
        }
    }
}

/// The fact of these services together, or why it isn't known.
fn read(supplied: &SuppliedFact, owners: &[&str], now: Timestamp) -> Result<Fact, String> {
    let SuppliedFact { fact, file, unusable } = supplied;
    if let Some(why) = unusable {
        return Err(why.clone());
    }
    let observed_at = match fact.observed {
        None => now,
        Some(day) => day
            .to_zoned(TimeZone::UTC)
            .map_err(|error| format!("`{file}` says that it was observed on {day}: {error}"))?
            .timestamp(),
    };
    if observed_at.duration_since(now) > AHEAD {
        return Err(format!(
            "`{file}` says that it was observed on {observed_at}, which is yet to come"
        ));
    }
    let mut values: Vec<(&str, &FactValue)> = Vec::new();
    for owner in owners {
        let value = fact.values.get(*owner).or(fact.default.as_ref());
        values.push((
            owner,
            value.ok_or_else(|| format!("`{file}` says nothing of `{owner}`"))?,
        ));
    }
    let (_, first) = values.first().ok_or("nobody owns what is touched")?;
    let differ = values.iter().any(|(_, value)| value != first);
    let each = || {
        let each: Vec<String> = values
            .iter()
            .map(|(owner, value)| format!("`{owner}`: {value}"))
            .collect();
        each.join(", ")
    };
    let value = if differ {
        let all: Vec<&FactValue> = values.iter().map(|(_, value)| *value).collect();
        fact.worst(&all)
            .ok_or_else(|| format!("the services that own what is touched differ ({})", each()))?
    } else {
        first
    };
    Ok(Fact {
        value: value.clone(),
        source: file.clone(),
        observed_at,
        note: differ.then(|| format!("the worst of {}", each())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-05T12:00:00Z";

    fn ask(yaml: &str, owners: &[&str]) -> Result<Fact, String> {
        let text = format!("facts:\n  - {{doc: A fact., resolver: us, {yaml}}}\n");
        let org = holdpoint_intake::estate::read_org_facts(&[("facts.d/a.yaml", &text)], None).unwrap();
        read(&org.facts[0], owners, NOW.parse().unwrap())
    }

    #[test]
    fn a_value_counts_for_its_service_and_the_default_for_the_others() {
        let yaml = "id: org.a, type: bool, default: false, values: {payments: true}";
        let fact = ask(yaml, &["payments"]).unwrap();
        assert_eq!((fact.value, fact.source.as_str()), (true.into(), "facts.d/a.yaml"));
        assert_eq!(fact.observed_at, NOW.parse().unwrap());
        assert_eq!(ask(yaml, &["ledger"]).unwrap().value, false.into());
    }

    #[test]
    fn a_service_without_a_value_or_default_is_unknown_even_beside_others() {
        let yaml = "id: org.a, type: bool, values: {payments: true}";
        for owners in [["ledger"].as_slice(), &["payments", "ledger"]] {
            assert!(ask(yaml, owners).unwrap_err().contains("says nothing of `ledger`"));
        }
    }

    #[test]
    fn services_that_differ_are_unknown_unless_an_order_says_which_is_worst() {
        let both = ["payments", "ledger"];
        let values = "values: {payments: full, ledger: none}";
        let ordered = format!("id: org.a, type: [none, part, full], best: full, {values}");
        let worst = ask(&ordered, &both).unwrap();
        assert_eq!(worst.value, "none".into());
        assert!(worst.note.unwrap().contains("`payments`: full, `ledger`: none"));
        let unordered = format!("id: org.a, type: [none, part, full], {values}");
        assert!(ask(&unordered, &both).unwrap_err().contains("differ"));
        let number = "id: org.a, type: long, values: {payments: 1, ledger: 2}";
        assert!(ask(number, &both).is_err());
        assert_eq!(ask(number, &["ledger"]).unwrap().value, 2.into());
    }

    #[test]
    fn a_day_yet_to_come_does_not_keep_a_fact_fresh() {
        let on = |day: &str| {
            ask(
                &format!("id: org.a, type: bool, observed: {day}, ttl_days: 7, default: true"),
                &["a"],
            )
        };
        assert_eq!(
            on("2026-11-01").unwrap().observed_at,
            "2026-11-01T00:00:00Z".parse().unwrap()
        );
        assert!(on("2026-11-06").is_ok(), "it may be tomorrow there already");
        assert!(on("2026-11-07").unwrap_err().contains("yet to come"));
    }
}
