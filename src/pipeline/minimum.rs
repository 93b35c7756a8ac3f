//! The facts without which an estate gets little from its pack.

use holdpoint_schemas::fact::{FactSet, FactTable};

/// What nobody in the estate supplies of the facts that a pack needs, for people: those that are unknown in all
/// of `decided`. Where nothing was decided, nothing is known to be missing. Evidence and approvals come from
/// the run and from people, not from the estate.
pub fn warnings<'a>(
    pack: &str,
    needed: &[String],
    table: &FactTable,
    decided: impl Iterator<Item = &'a FactSet> + Clone,
) -> Vec<String> {
    if decided.clone().next().is_none() {
        return Vec::new();
    }
    needed
        .iter()
        .filter(|id| !id.starts_with("evidence.") && !id.starts_with("approval."))
        .filter(|id| decided.clone().all(|facts| facts.get(id).is_none()))
        .map(|id| {
            let resolver = table
                .row(id)
                .map_or("the fact table has no such fact", |row| row.resolver);
            format!("pack `{pack}` needs `{id}` and nothing in this estate supplies it: {resolver}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::Timestamp;
    use holdpoint_schemas::fact::{Fact, keys};

    #[test]
    fn only_what_is_unknown_for_every_finding_is_told() {
        let mut frozen = FactSet::new();
        let fact = |value: bool| Fact {
            value,
            source: "test".to_owned(),
            observed_at: Timestamp::UNIX_EPOCH,
            note: None,
        };
        frozen.set(keys::change::FREEZE_ACTIVE, fact(true));
        let nothing = FactSet::new();
        let ids = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
        let needed = ids(&[
            "change.freeze_active",
            "service.tier",
            "evidence.test.verdict",
            "org.gone",
        ]);
        let told = warnings(
            "fintech",
            &needed,
            FactTable::shipped(),
            [&frozen, &nothing].into_iter(),
        );
        assert_eq!(
            told,
            [
                "pack `fintech` needs `service.tier` and nothing in this estate supplies it: the service's owner, in the catalogue (`catalog-info.yaml`)",
                "pack `fintech` needs `org.gone` and nothing in this estate supplies it: the fact table has no such fact",
            ]
        );
        assert!(warnings("fintech", &needed, FactTable::shipped(), std::iter::empty()).is_empty());
    }
}
