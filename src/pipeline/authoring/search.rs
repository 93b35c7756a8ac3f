//! Facts on which a pack goes far, so that a case shows what one policy changes.

use holdpoint_engine::decide::{Assessment, assess};
use holdpoint_engine::policy::Pack;
use holdpoint_schemas::fact::{Action, Fact, FactSet, FactType, FactValue};
use std::collections::{BTreeMap, BTreeSet};

/// Values by fact id.
pub(super) type Facts = BTreeMap<String, FactValue>;

/// How often the search starts anew. The first start finds it for packs of plain conditions.
const STARTS: usize = 6;
/// Rounds over all facts of one start.
const ROUNDS: usize = 4;
/// Most times that a pack is asked; what was found by then is good enough for an example.
const MAX_ASKED: usize = 20_000;

/// Facts as a pack is asked about them.
pub(super) fn fact_set(facts: &Facts) -> FactSet {
    let mut set = FactSet::new();
    for (id, value) in facts {
        let fact = Fact {
            value: value.clone(),
            source: "case".to_owned(),
            observed_at: holdpoint_schemas::Timestamp::UNIX_EPOCH,
            note: None,
        };
        set.insert(id, fact);
    }
    set
}

/// Values of the facts that the packs read for `actions` for which `score` is highest, with `fixed` as
/// they are; some facts may stay unknown. A hill climb from a few starts: it finds the best for packs as people write them, and is for
/// examples only.
pub(super) fn search(packs: &[&Pack], actions: &[Action], fixed: &Facts, score: impl Fn(&FactSet) -> i64) -> Facts {
    let open = open_facts(packs, actions, fixed);
    let mut asked = 0;
    let mut best: Option<(i64, Facts)> = None;
    for start in 0..STARTS {
        let mut facts = fixed.clone();
        for (index, (id, values)) in open.iter().enumerate() {
            // The first start takes each first value, the others mix them.
            let choice = (start * (index + start)) % values.len().max(1);
            if let Some(value) = values.get(choice) {
                facts.insert((*id).to_owned(), value.clone());
            }
        }
        let mut reached = score(&fact_set(&facts));
        for _ in 0..ROUNDS {
            let before = reached;
            for (id, values) in &open {
                for value in values.iter().map(Some).chain([None]) {
                    let old = set(&mut facts, id, value.cloned());
                    let now = score(&fact_set(&facts));
                    asked += 1;
                    if now > reached {
                        reached = now;
                    } else {
                        set(&mut facts, id, old);
                    }
                }
            }
            if reached == before || asked > MAX_ASKED {
                break;
            }
        }
        if best.as_ref().is_none_or(|(best, _)| reached > *best) {
            best = Some((reached, facts));
        }
        if asked > MAX_ASKED {
            break;
        }
    }
    best.map_or_else(|| fixed.clone(), |(_, facts)| facts)
}

/// Sets a fact, or makes it unknown; gives what it was.
fn set(facts: &mut Facts, id: &str, value: Option<FactValue>) -> Option<FactValue> {
    match value {
        Some(value) => facts.insert(id.to_owned(), value),
        None => facts.remove(id),
    }
}

/// The facts that may vary, with the values that make a difference to the packs.
fn open_facts<'a>(packs: &[&'a Pack], actions: &[Action], fixed: &Facts) -> Vec<(&'a str, Vec<FactValue>)> {
    let read = |pack: &&'a Pack| {
        let pack = *pack;
        actions.iter().flat_map(move |action| pack.facts_read(*action))
    };
    let ids: BTreeSet<&str> = packs.iter().flat_map(read).collect();
    let literals = Literals::of(packs);
    let row = |id: &str| packs.first().and_then(|pack| pack.fact_table().row(id));
    ids.into_iter()
        .filter(|id| !fixed.contains_key(*id))
        .filter_map(|id| Some((id, literals.values(row(id)?.fact_type))))
        .collect()
}

/// How far a pack goes: the level first, then how little withholds the next; with the promotion's
/// where that is what it is about.
pub(super) fn distance(assessment: &Assessment, promote: bool) -> i64 {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX / 1000);
    let levels = 1000 * assessment.level as i64 - count(assessment.bounds.len());
    if promote {
        levels - 10 * count(assessment.promote_bounds.len())
    } else {
        levels
    }
}

/// Without the facts that make no difference to what `outcome` says.
pub(super) fn smallest<T: PartialEq>(facts: Facts, keep: &str, outcome: impl Fn(&Facts) -> T) -> Facts {
    let wanted = outcome(&facts);
    let mut kept = facts.clone();
    for id in facts.keys().filter(|id| *id != keep) {
        let mut fewer = kept.clone();
        fewer.remove(id);
        if outcome(&fewer) == wanted {
            kept = fewer;
        }
    }
    kept
}

/// What a pack says of some facts.
pub(super) fn ask(pack: &Pack, facts: &Facts) -> Assessment {
    assess(pack, &fact_set(facts))
}

/// Words and numbers that a pack's policies compare with.
struct Literals {
    words: BTreeSet<String>,
    numbers: BTreeSet<i64>,
}

impl Literals {
    fn of(packs: &[&Pack]) -> Self {
        let mut words = BTreeSet::new();
        let mut numbers = BTreeSet::from([0, 1]);
        for (_, policy) in packs.iter().flat_map(|pack| pack.cedar()) {
            let text = policy.to_string();
            // Every second part of a text that is split at its quotes is quoted. Annotations are among
            // them; a value more to try does no harm.
            for (index, part) in text.split('"').enumerate() {
                if index % 2 == 1 {
                    words.insert(part.to_owned());
                    continue;
                }
                let digits = part
                    .split(|c: char| !c.is_ascii_digit())
                    .filter_map(|word| word.parse::<i64>().ok());
                numbers.extend(digits.flat_map(|number| [number.saturating_sub(1), number, number.saturating_add(1)]));
            }
        }
        Self { words, numbers }
    }

    fn values(&self, fact_type: FactType) -> Vec<FactValue> {
        /// More words would make the search long: an example doesn't need them.
        const MAX_WORDS: usize = 30;
        let words = || self.words.iter().filter(|word| !word.contains(' ')).take(MAX_WORDS);
        match fact_type {
            FactType::Bool => vec![true.into(), false.into()],
            FactType::Long => self.numbers.iter().copied().map(FactValue::Long).collect(),
            FactType::Word(words) => words.iter().map(|word| (*word).into()).collect(),
            FactType::Text => words().map(|word| word.as_str().into()).chain(["any".into()]).collect(),
            FactType::Set => {
                let single = words().map(|word| FactValue::Set([word.clone()].into()));
                [FactValue::Set(BTreeSet::new())].into_iter().chain(single).collect()
            }
        }
    }
}
