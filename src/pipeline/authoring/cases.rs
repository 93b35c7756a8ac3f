//! The cases that a new rule is written with: where it decides, where it doesn't, and while its fact
//! is unknown.

use holdpoint_engine::decide::{Assessment, assess};
use holdpoint_engine::policy::Pack;
use holdpoint_schemas::fact::{Action, FactSet};
use holdpoint_schemas::pack::{Answer, Case, CaseFile, NamedFacts};
use std::collections::BTreeMap;

use super::Rule;
use super::search::{Facts, ask, distance, fact_set, search, smallest};

/// What the cases are about.
pub(super) struct About<'a> {
    pub(super) id: &'a str,
    /// The pack with the rule.
    pub(super) pack: &'a Pack,
    pub(super) actions: &'a [Action],
}

/// Where a case's facts differ from the named ones, and how it is called.
struct Variant {
    name: String,
    given: Facts,
    unknown: Vec<String>,
}

impl About<'_> {
    /// Of a rule on one fact. `withholds`: it is a forbid.
    pub(super) fn rule(&self, rule: &Rule, withholds: bool) -> CaseFile {
        let id = rule.row.id;
        let is = |safe: bool| {
            let value = rule.sample(safe);
            let words = value.as_ref().map_or_else(String::new, ToString::to_string);
            let given: Facts = value.map(|value| (id.to_owned(), value)).into_iter().collect();
            (given, format!("{id} is {words}"))
        };
        let ((safe, is_safe), (unsafe_, is_unsafe)) = (is(true), is(false));
        let own = self.id;
        // A permit shows best where nothing else permits, a forbid where nothing else forbids.
        let alone = |facts: &FactSet| {
            if withholds {
                self.alone_with(facts, &unsafe_)
            } else if assess(self.pack, facts).permitted_by == [own] {
                FAR
            } else {
                0
            }
        };
        let ready = self.ready(&[self.pack], &safe, alone);
        let variants = if withholds {
            [
                (format!("{own} withholds when {is_unsafe}"), unsafe_),
                (format!("{own} says nothing when {is_safe}"), safe),
            ]
        } else {
            [
                (format!("{own} permits when {is_safe}"), safe),
                (format!("{own} says nothing when {is_unsafe}"), unsafe_),
            ]
        };
        let does = if withholds { "withholds" } else { "says nothing" };
        let unknown = Variant {
            name: format!("{own} {does} while {id} is unknown"),
            given: Facts::new(),
            unknown: vec![id.to_owned()],
        };
        let variants = variants.map(|(name, given)| Variant {
            name,
            given,
            unknown: Vec::new(),
        });
        self.file(ready, id, variants.into_iter().chain([unknown]).collect())
    }

    /// Of an inherited forbid that the pack keeps but where a fact is known and safe.
    pub(super) fn exempted(&self, inherited: &Pack, rule: &Rule) -> CaseFile {
        let (own, id) = (self.id, rule.row.id);
        let given = |safe: bool| -> Facts {
            let value = rule.sample(safe);
            value.map(|value| (id.to_owned(), value)).into_iter().collect()
        };
        // Facts that the exception is for: what was inherited withholds, and the pack doesn't.
        let ready = self.ready(&[self.pack, inherited], &given(true), |facts| {
            let was = if withheld(inherited, facts, own) { FAR } else { 0 };
            was + self.alone_with(facts, &given(false))
        });
        let word = |safe: bool| rule.sample(safe).map_or_else(String::new, |value| value.to_string());
        let variants = vec![
            Variant {
                name: format!("{own} withholds no longer when {id} is {}", word(true)),
                given: given(true),
                unknown: Vec::new(),
            },
            Variant {
                name: format!("{own} withholds when {id} is {}", word(false)),
                given: given(false),
                unknown: Vec::new(),
            },
            Variant {
                name: format!("{own} withholds while {id} is unknown"),
                given: Facts::new(),
                unknown: vec![id.to_owned()],
            },
        ];
        self.file(ready, id, variants)
    }

    /// Of an inherited forbid that the pack drops.
    pub(super) fn dropped(&self, inherited: &Pack) -> CaseFile {
        let own = self.id;
        let reads = inherited
            .policy(own)
            .map(|policy| policy.facts.clone())
            .unwrap_or_default();
        let matters: Vec<String> = reads.into_iter().collect();
        let facts = |wanted: bool| {
            let found = self.ready(&[self.pack, inherited], &Facts::new(), |facts| {
                if withheld(inherited, facts, own) == wanted {
                    FAR
                } else {
                    0
                }
            });
            let outcome = |facts: &Facts| {
                let set = fact_set(facts);
                let now = assess(self.pack, &set);
                (withheld(inherited, &set, own), now.level, ids(&now.bounds))
            };
            smallest(found, "", outcome)
        };
        let (held, free) = (facts(true), facts(false));
        let differs = |id: &&String| held.get(*id) != free.get(*id);
        let given: Facts = free
            .keys()
            .filter(differs)
            .filter_map(|id| Some((id.clone(), free.get(id)?.clone())))
            .collect();
        let variants = vec![
            Variant {
                name: format!("{own} withholds no longer"),
                given: Facts::new(),
                unknown: Vec::new(),
            },
            Variant {
                name: format!("{own} never withheld this"),
                given,
                unknown: Vec::new(),
            },
            Variant {
                name: format!("what {own} read is unknown"),
                given: Facts::new(),
                unknown: matters.iter().filter(|id| held.contains_key(*id)).cloned().collect(),
            },
        ];
        self.write(held, variants)
    }

    /// The less withholds besides the rule itself once some facts are others, the higher.
    fn alone_with(&self, facts: &FactSet, others: &Facts) -> i64 {
        let mut facts = facts.clone();
        for (id, fact) in fact_set(others).known() {
            facts.insert(id, fact.clone());
        }
        let answer = assess(self.pack, &facts);
        let all = answer.bounds.len() + answer.promote_bounds.len();
        -i64::try_from(all).unwrap_or(i64::MAX / 4)
    }

    /// Facts on which the pack goes furthest, with some given, of those that `packs` read.
    fn ready(&self, packs: &[&Pack], fixed: &Facts, bonus: impl Fn(&FactSet) -> i64) -> Facts {
        search(packs, &self.actions(), fixed, |facts| {
            distance(&assess(self.pack, facts), self.is_about_promotion()) + bonus(facts)
        })
    }

    fn is_about_promotion(&self) -> bool {
        self.actions.contains(&Action::Promote)
    }

    /// The actions whose facts matter: the ladder's, and promotion if the rule is about it.
    fn actions(&self) -> Vec<Action> {
        let promote = self.is_about_promotion().then_some(Action::Promote);
        [Action::Suggest, Action::AutoApply]
            .into_iter()
            .chain(promote)
            .collect()
    }

    /// Drops what makes no difference to any of the cases, and writes them.
    fn file(&self, ready: Facts, keep: &str, variants: Vec<Variant>) -> CaseFile {
        let outcome = |facts: &Facts| -> Vec<Case> {
            let assess = |variant: &Variant| self.case(facts, variant);
            variants.iter().map(assess).collect()
        };
        let ready = smallest(ready, keep, outcome);
        self.write(ready, variants)
    }

    fn write(&self, ready: Facts, variants: Vec<Variant>) -> CaseFile {
        let cases = variants.iter().map(|variant| self.case(&ready, variant)).collect();
        let named = NamedFacts {
            from: None,
            given: ready,
        };
        CaseFile {
            facts: BTreeMap::from([(self.facts_name(), named)]),
            cases,
        }
    }

    fn facts_name(&self) -> String {
        format!("{}-ready", self.id)
    }

    /// A case, with what the pack says of it.
    fn case(&self, ready: &Facts, variant: &Variant) -> Case {
        let mut facts = ready.clone();
        facts.extend(variant.given.clone());
        facts.retain(|id, _| !variant.unknown.contains(id));
        let assessment = ask(self.pack, &facts);
        let given = variant
            .given
            .iter()
            .filter(|(id, value)| ready.get(*id) != Some(*value));
        let promotion = self.is_about_promotion().then(|| promote(&assessment));
        Case {
            name: variant.name.clone(),
            from: Some(self.facts_name()),
            given: given.map(|(id, value)| (id.clone(), value.clone())).collect(),
            unknown: variant.unknown.clone(),
            level: Some(assessment.level),
            bounds: Some(ids(&assessment.bounds)),
            promote: promotion.as_ref().map(|(answer, _)| *answer),
            promote_bounds: promotion.map(|(_, bounds)| bounds),
            ..Case::default()
        }
    }
}

fn promote(assessment: &Assessment) -> (Answer, Vec<String>) {
    let answer = if assessment.promote_bounds.is_empty() {
        Answer::Permitted
    } else {
        Answer::Denied
    };
    (answer, ids(&assessment.promote_bounds))
}

/// Ids of bounds, each once.
fn ids(bounds: &[holdpoint_schemas::decision::Bound]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for bound in bounds {
        if !ids.contains(&bound.id) {
            ids.push(bound.id.clone());
        }
    }
    ids
}

/// More than any distance: what a search must reach first.
const FAR: i64 = 100_000;

/// Whether the policy `id` withholds a level or the promotion.
fn withheld(pack: &Pack, facts: &FactSet, id: &str) -> bool {
    let answer = assess(pack, facts);
    let mut bounds = answer.bounds.iter().chain(&answer.promote_bounds);
    bounds.any(|bound| bound.id == id)
}
