//! Which keys and identities are the same human.

use holdpoint_schemas::people::{PeopleFile, Person, folded};
use ssh_key::HashAlg;
use ssh_key::public::KeyData;
use std::collections::{BTreeMap, BTreeSet};

use super::approvers::KeyLine;

/// SHA-256 fingerprint, as `ssh-keygen -l` shows it.
pub(super) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Something that belongs to one human. The order is that in which it names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// An entry of the people file, by its name.
    Entry(String),
    /// A key, by its fingerprint.
    Key(String),
    /// A name or address, in the form in which they are compared.
    Name(String),
}

impl Mark {
    fn text(&self) -> &str {
        match self {
            Self::Entry(text) | Self::Key(text) | Self::Name(text) => text,
        }
    }
}

/// Humans: what is linked directly or through each other is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Persons {
    of: BTreeMap<Mark, String>,
}

impl Persons {
    /// Links keys with the names on their line, names that fold to one form, and what an entry of the people file
    /// lists. A human is called by the first entry's name, else by the smallest fingerprint.
    pub(super) fn new(lines: &[KeyLine], people: &PeopleFile) -> Self {
        let mut links: BTreeMap<Mark, BTreeSet<Mark>> = BTreeMap::new();
        let mut link = |a: Mark, b: Mark| {
            links.entry(a.clone()).or_default().insert(b.clone());
            links.entry(b).or_default().insert(a);
        };
        for line in lines {
            for identity in &line.identities {
                link(Mark::Key(fingerprint(&line.key)), Mark::Name(folded(identity)));
            }
        }
        for person in &people.people {
            for identity in &person.identities {
                link(Mark::Entry(person.name.clone()), Mark::Name(folded(identity)));
            }
        }
        let mut of = BTreeMap::new();
        for start in links.keys() {
            if of.contains_key(start) {
                continue;
            }
            // Keys come in order, so the first mark that is met of a human is the one that names them.
            let mut open = vec![start];
            while let Some(mark) = open.pop() {
                if of.insert(mark.clone(), start.text().to_owned()).is_none() {
                    open.extend(links.get(mark).into_iter().flatten());
                }
            }
        }
        Self { of }
    }

    /// The human behind a key.
    pub(super) fn of_key(&self, key: &KeyData) -> String {
        self.of_mark(Mark::Key(fingerprint(key)))
    }

    /// The human behind a name or an address.
    pub(super) fn of_name(&self, name: &str) -> String {
        self.of_mark(Mark::Name(folded(name)))
    }

    /// The human of an entry of the people file.
    pub(super) fn of_entry(&self, person: &Person) -> String {
        self.of_mark(Mark::Entry(person.name.clone()))
    }

    fn of_mark(&self, mark: Mark) -> String {
        self.of.get(&mark).cloned().unwrap_or_else(|| mark.text().to_owned())
    }
}
