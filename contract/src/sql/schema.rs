//! What a database looks like after all files of a side ran. Names that aren't quoted are in lower case.

use std::collections::{BTreeMap, BTreeSet};

use super::domains::Domain;
use super::notes::Notes;
use super::types::Type;
use crate::Gap;

#[derive(Debug, Default)]
pub(super) struct Schema {
    pub tables: BTreeMap<String, Table>,
    pub views: BTreeMap<String, View>,
    /// Types that list their values.
    pub enums: BTreeMap<String, Vec<String>>,
    /// Types with demands.
    pub domains: BTreeMap<String, Domain>,
    /// What is compared by its text alone.
    pub notes: Notes,
    pub gaps: Vec<Gap>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// The query as text.
    pub query: String,
    /// Names of its columns, where they can be told from the query alone.
    pub columns: Option<BTreeSet<String>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub columns: BTreeMap<String, Column>,
    pub constraints: Vec<Constraint>,
    /// How text is held and compared in columns that don't say it.
    pub collation: Option<String>,
    /// Names that it had in the same files.
    pub was: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub ty: Type,
    pub not_null: bool,
    pub default: Option<String>,
    /// The database gives the value itself: an identity, a serial, a generated column.
    pub generated: bool,
    /// The database always gives the value: a row that gives it is refused.
    pub always: bool,
    /// What the value is computed of, or is set to when the row changes.
    pub computed: Option<String>,
    /// How its text is held and compared.
    pub collation: Option<String>,
    pub was: BTreeSet<String>,
}

impl Column {
    /// Whether a row that doesn't give it is refused.
    pub(super) const fn must_be_given(&self) -> bool {
        self.not_null && self.default.is_none() && !self.generated
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    PrimaryKey,
    Unique,
    Check,
    ForeignKey,
}

/// A constraint; two are the same when they demand the same, whatever their names.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    pub kind: Kind,
    pub name: Option<String>,
    pub columns: Vec<String>,
    /// What it demands, for comparison and for people: columns, expression, target.
    pub demand: String,
    /// When it is checked, and what happens to rows that refer to one that goes; empty: as usual.
    pub manner: String,
}

impl Constraint {
    /// The name that it goes by; PostgreSQL makes one up where none is given.
    pub(super) fn names(&self, table: &str) -> Vec<String> {
        let table = table.rsplit('.').next().unwrap_or(table);
        let columns = self.columns.join("_");
        let made_up = match self.kind {
            Kind::PrimaryKey => format!("{table}_pkey"),
            Kind::Unique => format!("{table}_{columns}_key"),
            Kind::Check => format!("{table}_{columns}_check"),
            Kind::ForeignKey => format!("{table}_{columns}_fkey"),
        };
        self.name.clone().map_or_else(|| vec![made_up], |name| vec![name])
    }
}

impl Table {
    pub(super) fn set_not_null(&mut self, columns: &[String]) {
        for name in columns {
            if let Some(column) = self.columns.get_mut(name) {
                column.not_null = true;
            }
        }
    }

    pub(super) fn rename_column(&mut self, old: &str, new: &str) -> bool {
        let Some(mut column) = self.columns.remove(old) else {
            return false;
        };
        column.was.insert(old.to_owned());
        self.columns.insert(new.to_owned(), column);
        for constraint in &mut self.constraints {
            let plain = constraint.demand == constraint.columns.join(", ");
            for name in constraint.columns.iter_mut().filter(|name| *name == old) {
                new.clone_into(name);
            }
            if plain && (constraint.kind == Kind::PrimaryKey || constraint.kind == Kind::Unique) {
                constraint.demand = constraint.columns.join(", ");
            }
        }
        true
    }
}
