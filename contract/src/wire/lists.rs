//! Lists: which element of one is which of another, and in what order they come.

use std::collections::{BTreeMap, BTreeSet};

use super::json::Json;

/// Names of fields that identify an element, first looked at.
const IDENTIFYING: [&str; 6] = ["id", "uuid", "key", "code", "name", "slug"];
/// Most elements of all runs that stand for each element where lists have different lengths.
const MAX_MERGED: usize = 64;
/// Chance that lists are in order by accident, above which order is taken for one: one in a million.
const CERTAIN: f64 = 1e6;

/// By what an element is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// Itself, a scalar.
    Whole,
    /// A field with a scalar.
    Field(String),
}

/// How the elements of several runs' lists belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Alignment {
    /// By what they are known by; each run's elements in their order.
    Keyed {
        identity: Identity,
        orders: Vec<Vec<String>>,
    },
    /// By their place.
    Placed,
    /// All are examples of one thing: the lists have different lengths.
    Merged,
}

/// One element of each run that has it, with the run's number.
pub(super) type Group<'a> = Vec<(usize, &'a Json)>;

pub(super) fn align(lists: &[&[Json]]) -> Alignment {
    if let Some((identity, orders)) = identity(lists) {
        return Alignment::Keyed { identity, orders };
    }
    match lists
        .windows(2)
        .all(|pair| pair.first().map(|l| l.len()) == pair.last().map(|l| l.len()))
    {
        true => Alignment::Placed,
        false => Alignment::Merged,
    }
}

fn identity(lists: &[&[Json]]) -> Option<(Identity, Vec<Vec<String>>)> {
    let first = lists.first().filter(|list| list.len() > 1)?;
    let candidates = match first.first()? {
        Json::Object(entries) => {
            let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
            let known = IDENTIFYING.into_iter().filter(|name| names.contains(name));
            let other = names.iter().copied().filter(|name| !IDENTIFYING.contains(name));
            known
                .chain(other)
                .map(|name| Identity::Field(name.to_owned()))
                .collect()
        }
        _ => vec![Identity::Whole],
    };
    candidates.into_iter().find_map(|identity| {
        let orders: Vec<Vec<String>> = lists.iter().map(|list| keys(list, &identity)).collect::<Option<_>>()?;
        let sets: BTreeSet<Vec<&String>> = orders
            .iter()
            .map(|order| {
                let mut sorted: Vec<&String> = order.iter().collect();
                sorted.sort();
                sorted
            })
            .collect();
        (sets.len() == 1).then_some((identity, orders))
    })
}

/// What each element is known by. `None`: not each is, or two are known by the same field.
pub(super) fn keys(list: &[Json], identity: &Identity) -> Option<Vec<String>> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::with_capacity(list.len());
    for element in list {
        let value = match identity {
            Identity::Whole => element,
            Identity::Field(name) => element.get(name)?,
        };
        let key = format!("{} {}", value.kind(), value.scalar()?);
        let times = seen.entry(key.clone()).or_default();
        *times += 1;
        if *times > 1 && *identity != Identity::Whole {
            return None;
        }
        found.push(format!("{key} {times}"));
    }
    Some(found)
}

/// The elements that belong together, as groups.
pub(super) fn groups<'a>(lists: &[&'a [Json]], alignment: &Alignment) -> Vec<Group<'a>> {
    match alignment {
        Alignment::Keyed { orders, .. } => {
            let mut groups: BTreeMap<&String, Group<'a>> = BTreeMap::new();
            for (run, (list, order)) in lists.iter().zip(orders).enumerate() {
                for (element, key) in list.iter().zip(order) {
                    groups.entry(key).or_default().push((run, element));
                }
            }
            groups.into_values().collect()
        }
        Alignment::Placed => {
            let longest = lists.iter().map(|list| list.len()).max().unwrap_or_default();
            let at = |place: usize| -> Group<'a> {
                let elements = lists.iter().enumerate();
                elements
                    .filter_map(|(run, list)| Some((run, list.get(place)?)))
                    .collect()
            };
            (0..longest).map(at).collect()
        }
        Alignment::Merged => vec![merged(lists)],
    }
}

/// All elements of all runs, in turn, as far as they are needed.
pub(super) fn merged<'a>(lists: &[&'a [Json]]) -> Group<'a> {
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or_default();
    let in_turn = (0..longest).flat_map(|place| {
        let elements = lists.iter().enumerate();
        elements.filter_map(move |(run, list)| Some((run, list.get(place)?)))
    });
    in_turn.take(MAX_MERGED).collect()
}

/// By what lists that are never the same are always in order; whether the candidate still is.
pub(super) fn lost_order(before: &[&[Json]], after: &[Json]) -> Option<String> {
    let certainty: f64 = before
        .iter()
        .map(|list| (1..=list.len().min(20)).map(|n| n as f64).product::<f64>())
        .product();
    if certainty < CERTAIN || after.len() < 3 {
        return None;
    }
    let names: Vec<Identity> = match after.first()? {
        Json::Object(entries) => entries.iter().map(|(name, _)| Identity::Field(name.clone())).collect(),
        _ => vec![Identity::Whole],
    };
    names.into_iter().find_map(|identity| {
        [false, true].into_iter().find_map(|down| {
            let ordered = before.iter().all(|list| in_order(list, &identity, down) == Some(true));
            let lost = ordered && in_order(after, &identity, down) == Some(false);
            lost.then(|| match &identity {
                Identity::Whole => "no longer in order".to_owned(),
                Identity::Field(name) => format!("no longer in the order of `{}`", super::show::shorten(name)),
            })
        })
    })
}

/// Whether a list is in order; `None`: it has nothing to be ordered by.
fn in_order(list: &[Json], identity: &Identity, down: bool) -> Option<bool> {
    let values: Vec<&Json> = list
        .iter()
        .map(|element| match identity {
            Identity::Whole => Some(element),
            Identity::Field(name) => element.get(name),
        })
        .collect::<Option<_>>()?;
    let mut moves = false;
    for pair in values.windows(2) {
        let [one, two] = pair else { continue };
        let order = match (one, two) {
            (Json::Number(one), Json::Number(two)) => {
                one.parse::<f64>().ok()?.partial_cmp(&two.parse::<f64>().ok()?)?
            }
            (Json::Text(one), Json::Text(two)) => one.cmp(two),
            _ => return None,
        };
        let order = if down { order.reverse() } else { order };
        moves |= order.is_ne();
        if order.is_gt() {
            return Some(false);
        }
    }
    // All the same is no order.
    moves.then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Json> {
        match super::super::json::read(text.as_bytes()).unwrap().0 {
            Json::List(items) => items,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn elements_are_known_by_what_is_unique_and_stays() {
        let (one, two) = (
            list(r#"[{"t":1,"id":"a"},{"t":2,"id":"b"}]"#),
            list(r#"[{"t":8,"id":"b"},{"t":9,"id":"a"}]"#),
        );
        let Alignment::Keyed { identity, orders } = align(&[&one, &two]) else {
            panic!("not keyed");
        };
        assert_eq!(identity, Identity::Field("id".to_owned()));
        assert_ne!(orders[0], orders[1]);
        let random = list(r#"[{"id":"x"},{"id":"y"}]"#);
        assert_eq!(align(&[&one, &random]), Alignment::Placed);
        assert_eq!(align(&[&one, &random[..1]]), Alignment::Merged);
    }

    #[test]
    fn an_order_that_is_surely_one_can_be_lost() {
        let runs = [list("[1,3,5,7,9,11]"), list("[2,4,5,6,7,8]"), list("[1,2,3,4,5,60]")];
        let before: Vec<&[Json]> = runs.iter().map(Vec::as_slice).collect();
        assert!(lost_order(&before, &list("[3,2,1]")).is_some());
        assert_eq!(lost_order(&before, &list("[1,2,2,3]")), None);
        assert_eq!(lost_order(&before[..1], &list("[3,2,1]")), None);
    }
}
