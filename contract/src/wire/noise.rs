//! What differs from run to run on the baseline. All requests of one operation learn together: a value that
//! happened to be the same in each run of one request has shown at another what it is.

use std::collections::{BTreeMap, BTreeSet};

use super::format::{Format, NumberFormat};
use super::json::{self, Json};
use super::lists::{self, Alignment};
use super::{Reply, Transcript};

/// Most examples that are kept of one place.
const MAX_EXAMPLES: usize = 64;
/// Places that are kept in mind; a document with more has no two requests alike anyway.
const MAX_PLACES: usize = 50_000;
/// Noisy places that are listed.
const MAX_LISTED: usize = 200;

/// What was learnt of one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Learnt {
    /// It was different in two runs of one request.
    pub(super) noisy: bool,
    /// It was there in one run of a request and not in another.
    pub(super) optional: bool,
    /// A list's elements, or an object's keys, came in different orders.
    pub(super) unordered: bool,
    /// A list had different lengths.
    pub(super) resized: bool,
    /// JSON types that came there in different runs of one request.
    pub(super) kinds: BTreeSet<&'static str>,
    /// Texts that came there.
    pub(super) texts: BTreeSet<String>,
    /// Numbers that came there.
    pub(super) numbers: BTreeSet<String>,
    /// How the texts are written, where it is noisy.
    pub(super) format: Option<Format>,
    /// How the numbers are written, where it is noisy.
    pub(super) number_format: Option<NumberFormat>,
}

impl Learnt {
    const fn is_noise(&self) -> bool {
        self.noisy || self.optional || self.unordered || self.resized
    }
}

/// Noise by operation and place. Headers learn across operations: their place is under the empty one.
#[derive(Debug, Clone, Default)]
pub(super) struct Noise {
    places: BTreeMap<String, BTreeMap<String, Learnt>>,
    count: usize,
}

impl Noise {
    pub(super) fn learn(operations: &[String], baseline: &[Transcript]) -> Self {
        let mut noise = Self::default();
        for (at, operation) in operations.iter().enumerate() {
            let responses: Vec<_> = baseline
                .iter()
                .filter_map(|run| run.get(at).and_then(Reply::response))
                .collect();
            let names: BTreeSet<&String> = responses.iter().flat_map(|response| response.headers.keys()).collect();
            for name in names {
                let values: Vec<Option<&Vec<String>>> =
                    responses.iter().map(|response| response.headers.get(name)).collect();
                noise.header(name, &values);
            }
            let bodies: Vec<Json> = responses
                .iter()
                .filter_map(|response| json::read(&response.body).map(|(value, _)| value))
                .collect();
            if bodies.len() == responses.len() {
                noise.node(operation, "$.body", &bodies.iter().collect::<Vec<_>>());
            }
        }
        for learnt in noise
            .places
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .filter(|learnt| learnt.noisy)
        {
            learnt.format = Format::of(learnt.texts.iter().map(String::as_str));
            learnt.number_format = NumberFormat::of(learnt.numbers.iter().map(String::as_str));
        }
        noise
    }

    /// What was learnt of a place in a body.
    pub(super) fn at(&self, operation: &str, place: &str) -> Option<&Learnt> {
        self.places.get(operation)?.get(place)
    }

    /// What was learnt of a header.
    pub(super) fn of_header(&self, place: &str) -> Option<&Learnt> {
        self.at("", place)
    }

    /// Noisy places, for people: some, in order.
    pub(super) fn places(&self) -> Vec<String> {
        let named = self.places.iter().flat_map(|(operation, places)| {
            let noisy = places.iter().filter(|(_, learnt)| learnt.is_noise());
            noisy.map(move |(place, _)| format!("{operation} {place}").trim_start().to_owned())
        });
        named.take(MAX_LISTED).collect()
    }

    fn entry(&mut self, operation: &str, place: &str) -> Option<&mut Learnt> {
        let known = self.at(operation, place).is_some();
        if !known && self.count >= MAX_PLACES {
            return None;
        }
        self.count += usize::from(!known);
        let places = self.places.entry(operation.to_owned()).or_default();
        Some(places.entry(place.to_owned()).or_default())
    }

    fn header(&mut self, name: &str, values: &[Option<&Vec<String>>]) {
        let optional = values.iter().any(Option::is_none);
        let first = values.iter().flatten().next();
        let noisy = values.iter().flatten().any(|lines| Some(lines) != first);
        if let Some(learnt) = self.entry("", &format!("$.header.{name}")) {
            learnt.optional |= optional;
            learnt.noisy |= noisy;
            for line in values.iter().flatten().flat_map(|lines| lines.iter()) {
                remember(&mut learnt.texts, line);
            }
        }
    }

    /// Learns of one place from what each run had there. The recursion is bounded by the documents' depth.
    fn node(&mut self, operation: &str, place: &str, samples: &[&Json]) {
        let Some(first) = samples.first() else { return };
        let kinds: BTreeSet<&'static str> = samples.iter().map(|sample| sample.kind()).collect();
        let noisy = samples.iter().any(|sample| sample != first);
        let Some(learnt) = self.entry(operation, place) else {
            return;
        };
        if kinds.len() > 1 {
            learnt.kinds.extend(kinds);
        }
        for sample in samples {
            match sample {
                Json::Text(text) => remember(&mut learnt.texts, text),
                Json::Number(text) => remember(&mut learnt.numbers, text),
                _ => {}
            }
        }
        learnt.noisy |= noisy && samples.iter().any(|sample| sample.scalar().is_some());
        let objects: Vec<&Json> = samples
            .iter()
            .copied()
            .filter(|sample| sample.kind() == "object")
            .collect();
        let lists: Vec<&[Json]> = samples
            .iter()
            .filter_map(|sample| match sample {
                Json::List(items) => Some(items.as_slice()),
                _ => None,
            })
            .collect();
        self.objects(operation, place, &objects);
        self.lists(operation, place, &lists);
    }

    fn objects(&mut self, operation: &str, place: &str, objects: &[&Json]) {
        let entries: Vec<&Vec<(String, Json)>> = objects
            .iter()
            .filter_map(|object| match object {
                Json::Object(entries) => Some(entries),
                _ => None,
            })
            .collect();
        let keys = |entries: &[(String, Json)]| -> Vec<String> { entries.iter().map(|(key, _)| key.clone()).collect() };
        let orders: BTreeSet<Vec<String>> = entries.iter().map(|entries| keys(entries)).collect();
        let all: BTreeSet<&String> = orders.iter().flatten().collect();
        // Orders of different keys say nothing about orders of the same.
        let mut sorted: BTreeSet<Vec<&String>> = BTreeSet::new();
        for order in &orders {
            let mut order: Vec<&String> = order.iter().collect();
            order.sort();
            if !sorted.insert(order)
                && let Some(learnt) = self.entry(operation, place)
            {
                learnt.unordered = true;
            }
        }
        for key in all {
            let below = format!("{place}.{key}");
            let samples: Vec<&Json> = objects.iter().filter_map(|object| object.get(key)).collect();
            if samples.len() < objects.len()
                && let Some(learnt) = self.entry(operation, &below)
            {
                learnt.optional = true;
            }
            self.node(operation, &below, &samples);
        }
    }

    fn lists(&mut self, operation: &str, place: &str, all: &[&[Json]]) {
        if all.is_empty() {
            return;
        }
        let below = format!("{place}[]");
        let alignment = lists::align(all);
        let resized = matches!(alignment, Alignment::Merged);
        let unordered = match &alignment {
            Alignment::Keyed { orders, .. } => orders.windows(2).any(|pair| pair.first() != pair.last()),
            _ => false,
        };
        if (resized || unordered)
            && let Some(learnt) = self.entry(operation, place)
        {
            learnt.resized |= resized;
            learnt.unordered |= unordered;
        }
        for group in lists::groups(all, &alignment) {
            let samples: Vec<&Json> = group.iter().map(|(_, sample)| *sample).collect();
            self.node(operation, &below, &samples);
        }
    }
}

fn remember(examples: &mut BTreeSet<String>, text: &str) {
    if examples.len() < MAX_EXAMPLES {
        examples.insert(text.to_owned());
    }
}
