//! What isn't compared but may matter: functions, triggers, rights, statements that run code. It is noted by its text;
//! where the texts of the two sides differ, that is a gap, and where they are the same nothing changed.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::Schema;
use crate::Gap;

/// Longest piece of a statement that a gap shows, in characters.
const MAX_SHOWN: usize = 60;

/// A statement that is compared by its text alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// In one layout and spelling.
    pub text: String,
    pub place: String,
    /// The table that it concerns: on a table that the other side hasn't, it concerns nobody.
    pub table: Option<String>,
    /// It only adds what nobody could use before: alone, it harms no one.
    pub adds: bool,
}

/// What was done to each object, in order. Statements whose object isn't known share one name, the empty one.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<String, Vec<Note>>);

impl Notes {
    pub(super) fn push(&mut self, key: &str, note: Note) {
        self.0.entry(key.to_owned()).or_default().push(note);
    }

    /// Changes an object, by a name that may be shorter than the one it was made by.
    pub(super) fn change(&mut self, key: &str, note: Note) {
        let known = self.only(key);
        self.push(known.as_deref().unwrap_or(key), note);
    }

    /// What it says holds from here on, until another says otherwise.
    pub(super) fn switch(&mut self, key: &str, note: Note) {
        let last = self.0.get(key).and_then(|notes| notes.last());
        if last.is_none_or(|last| last.text != note.text) {
            self.push(key, note);
        }
    }

    /// Defines the object anew, whatever it was.
    pub(super) fn replace(&mut self, key: &str, note: Note) {
        self.0.insert(key.to_owned(), vec![note]);
    }

    /// Forgets the object; false if it isn't known, or could be one of several.
    pub(super) fn drop(&mut self, key: &str) -> bool {
        self.only(key).is_some_and(|key| self.0.remove(&key).is_some())
    }

    /// The only object of this name: a function is found without its parameters, a trigger without its table.
    fn only(&self, key: &str) -> Option<String> {
        if key.is_empty() || self.0.contains_key(key) {
            return Some(key.to_owned());
        }
        let head = key.split('(').next().unwrap_or(key).trim_end();
        let named = |known: &&String| {
            let rest = known.strip_prefix(head);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['(', ' ']))
        };
        let mut found = self.0.keys().filter(named);
        match (found.next(), found.next()) {
            (Some(key), None) => Some(key.clone()),
            _ => None,
        }
    }
}

/// A gap for each note that stands on one side only, or elsewhere in the order.
pub(super) fn gaps(old: &Schema, new: &Schema) -> Vec<Gap> {
    let keys: BTreeSet<&String> = old.notes.0.keys().chain(new.notes.0.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let (before, after) = (shared(old, new, key), shared(new, old, key));
        let same = before
            .iter()
            .zip(&after)
            .take_while(|(before, after)| before.text == after.text)
            .count();
        let (gone, come) = (before.get(same..).unwrap_or(&[]), after.get(same..).unwrap_or(&[]));
        let is_new = before.is_empty() && after.first().is_some_and(|note| note.adds);
        if gone.is_empty() && (is_new || come.iter().all(|note| note.adds)) {
            continue;
        }
        found.extend(gone.iter().map(|note| gap(note, "only the base has")));
        found.extend(come.iter().map(|note| gap(note, "only the revision has")));
    }
    found
}

/// The notes of a side on what the other side has, too.
fn shared<'a>(side: &'a Schema, other: &Schema, key: &str) -> Vec<&'a Note> {
    let met = |note: &&Note| {
        let known = |table: &String| side.tables.contains_key(table) && !other.tables.contains_key(table);
        !note.table.as_ref().is_some_and(known)
    };
    side.notes.0.get(key).into_iter().flatten().filter(met).collect()
}

fn gap(note: &Note, who: &str) -> Gap {
    let mut shown: String = note.text.chars().take(MAX_SHOWN).collect();
    if shown.len() < note.text.len() {
        shown.push_str(" …");
    }
    Gap {
        place: note.place.clone(),
        text: format!("{who} `{shown}`, and what it does isn't compared"),
    }
}
