//! What changed between two schemas.

use std::collections::BTreeSet;

use super::schema::{Column, Constraint, Kind, Schema, Table};
use super::table::level;
use super::types::{Step, Type};
use crate::Change;

pub(super) struct Comparison<'a> {
    old: &'a Schema,
    new: &'a Schema,
    pub changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(old: &'a Schema, new: &'a Schema) -> Self {
        Self {
            old,
            new,
            changes: Vec::new(),
        }
    }

    fn add(&mut self, rule: &str, table: &str, place: &str, text: String) {
        self.changes.push(Change {
            rule: rule.to_owned(),
            level: level(rule),
            operation: String::new(),
            path: table.to_owned(),
            location: place.to_owned(),
            text,
            line: None,
            file: None,
            in_base: false,
            categories: Vec::new(),
        });
    }

    pub(super) fn run(&mut self) {
        self.tables();
        self.views();
        self.enums();
    }

    fn tables(&mut self) {
        let (old, new) = (self.old, self.new);
        let mut seen = BTreeSet::new();
        for (name, before) in &old.tables {
            let renamed = || new.tables.iter().find(|(_, table)| table.was.contains(name));
            if let Some(after) = new.tables.get(name) {
                seen.insert(name);
                self.table(name, before, after);
            } else if let Some((other, after)) = renamed().filter(|(other, _)| !old.tables.contains_key(*other)) {
                seen.insert(other);
                self.add(
                    "TABLE_RENAMED",
                    name,
                    "",
                    format!("table `{name}` was renamed to `{other}`"),
                );
                self.table(other, before, after);
            } else {
                self.add("TABLE_DROPPED", name, "", format!("table `{name}` was dropped"));
            }
        }
        for name in new.tables.keys().filter(|name| !seen.contains(name)) {
            self.add("TABLE_ADDED", name, "", format!("table `{name}` was added"));
        }
    }

    fn table(&mut self, table: &str, old: &Table, new: &Table) {
        let mut seen = BTreeSet::new();
        for (name, before) in &old.columns {
            let renamed = || new.columns.iter().find(|(_, column)| column.was.contains(name));
            if let Some(after) = new.columns.get(name) {
                seen.insert(name);
                self.column(table, name, before, after);
            } else if let Some((other, after)) = renamed().filter(|(other, _)| !old.columns.contains_key(*other)) {
                seen.insert(other);
                let text = format!("column `{name}` was renamed to `{other}`");
                self.add("COLUMN_RENAMED", table, name, text);
                self.column(table, other, before, after);
            } else {
                self.add("COLUMN_DROPPED", table, name, format!("column `{name}` was dropped"));
            }
        }
        for (name, column) in new.columns.iter().filter(|(name, _)| !seen.contains(name)) {
            if column.must_be_given() {
                let text = format!("column `{name}` was added, which must be given");
                self.add("REQUIRED_COLUMN_ADDED", table, name, text);
            } else {
                self.add("COLUMN_ADDED", table, name, format!("column `{name}` was added"));
            }
        }
        self.collation(table, "", old.collation.as_ref(), new.collation.as_ref());
        self.constraints(table, old, new);
        self.manners(table, old, new);
    }

    fn column(&mut self, table: &str, name: &str, old: &Column, new: &Column) {
        let rule = match old.ty.step_to(&new.ty) {
            Step::Same => None,
            Step::Longer => Some("COLUMN_LENGTHENED"),
            Step::Wider => Some("COLUMN_WIDENED"),
            Step::Narrower => Some("COLUMN_NARROWED"),
            Step::Filled => Some("COLUMN_PADDING_CHANGED"),
            Step::Other => Some("COLUMN_TYPE_CHANGED"),
        };
        if let (Type::Enum(before), Type::Enum(after)) | (Type::Set(before), Type::Set(after)) = (&old.ty, &new.ty) {
            self.values(table, name, before, after);
        } else if let Some(rule) = rule {
            let (before, after) = (old.ty.shown(), new.ty.shown());
            let text = format!("column `{name}` changed from {before} to {after}");
            self.add(rule, table, name, text);
        }
        match (old.not_null, new.not_null) {
            (false, true) if new.must_be_given() => {
                let text = format!("column `{name}` may no longer be null and has no default");
                self.add("NOT_NULL_ADDED", table, name, text);
            }
            (false, true) => {
                let text = format!("column `{name}` may no longer be null");
                self.add("NOT_NULL_ADDED_WITH_DEFAULT", table, name, text);
            }
            (true, false) => self.add("NOT_NULL_DROPPED", table, name, format!("column `{name}` may be null")),
            _ => {}
        }
        self.collation(table, name, old.collation.as_ref(), new.collation.as_ref());
        if old.computed != new.computed && old.always == new.always {
            let text = format!("column `{name}` is computed otherwise");
            self.add("COMPUTED_CHANGED", table, name, text);
        }
        self.always(table, name, old, new);
        self.default(table, name, old, new);
    }

    fn collation(&mut self, table: &str, name: &str, old: Option<&String>, new: Option<&String>) {
        if old != new {
            let shown = |said: Option<&String>| said.map_or("the usual one", String::as_str).to_owned();
            let (old, new) = (shown(old), shown(new));
            let text = format!("the collation or character set changed from {old} to {new}");
            self.add("COLLATION_CHANGED", table, name, text);
        }
    }

    fn always(&mut self, table: &str, name: &str, old: &Column, new: &Column) {
        match (old.always, new.always) {
            (false, true) => {
                let text = format!("the database gives column `{name}` itself, always");
                self.add("ALWAYS_GENERATED_ADDED", table, name, text);
            }
            (true, false) => {
                let text = format!("column `{name}` may be given");
                self.add("ALWAYS_GENERATED_DROPPED", table, name, text);
            }
            _ => {}
        }
    }

    fn default(&mut self, table: &str, name: &str, old: &Column, new: &Column) {
        let given = |column: &Column| column.default.is_some() || column.generated;
        match (&old.default, &new.default) {
            (Some(before), Some(after)) if before != after => {
                let text = format!("the default of column `{name}` changed from {before} to {after}");
                self.add("DEFAULT_CHANGED", table, name, text);
            }
            _ if given(old) && !given(new) && (!old.always || new.not_null) => {
                let required = new.must_be_given();
                let rule = if required {
                    "REQUIRED_DEFAULT_DROPPED"
                } else {
                    "DEFAULT_DROPPED"
                };
                self.add(rule, table, name, format!("column `{name}` lost its default"));
            }
            _ if !given(old) && given(new) && !new.always => {
                self.add("DEFAULT_ADDED", table, name, format!("column `{name}` has a default"));
            }
            _ => {}
        }
    }

    fn constraints(&mut self, table: &str, old: &Table, new: &Table) {
        let of = |table: &Table, kind: Kind| -> BTreeSet<String> {
            let wanted = |constraint: &&Constraint| constraint.kind == kind;
            let found = table.constraints.iter().filter(wanted);
            found.map(|constraint| constraint.demand.clone()).collect()
        };
        let (before, after) = (of(old, Kind::PrimaryKey), of(new, Kind::PrimaryKey));
        if before != after {
            let shown = |keys: &BTreeSet<String>| match keys.first() {
                Some(key) => format!("({key})"),
                None => "none".to_owned(),
            };
            let text = format!("the primary key changed from {} to {}", shown(&before), shown(&after));
            self.add("PRIMARY_KEY_CHANGED", table, "", text);
        }
        // A column that came with the change brings its own demands; those on the row are told with it.
        for (kind, rule, what) in [
            (Kind::Unique, "UNIQUE", "a unique constraint on"),
            (Kind::Check, "CHECK", "the condition"),
            (Kind::ForeignKey, "FOREIGN_KEY", "the foreign key"),
        ] {
            let (before, after) = (of(old, kind), of(new, kind));
            for demand in after.difference(&before) {
                let on_new = |constraint: &Constraint| {
                    constraint.demand == *demand
                        && !constraint.columns.is_empty()
                        && constraint
                            .columns
                            .iter()
                            .all(|column| !old.columns.contains_key(column))
                };
                let renamed = new.columns.values().any(|column| !column.was.is_empty());
                if new.constraints.iter().any(on_new) && !renamed {
                    continue;
                }
                self.add(
                    &format!("{rule}_ADDED"),
                    table,
                    demand,
                    format!("{what} `{demand}` was added"),
                );
            }
            for demand in before.difference(&after) {
                let on_gone = |constraint: &Constraint| {
                    constraint.demand == *demand
                        && !constraint.columns.is_empty()
                        && constraint
                            .columns
                            .iter()
                            .any(|column| !new.columns.contains_key(column))
                };
                if old.constraints.iter().any(on_gone) {
                    continue;
                }
                self.add(
                    &format!("{rule}_DROPPED"),
                    table,
                    demand,
                    format!("{what} `{demand}` was dropped"),
                );
            }
        }
    }

    /// Constraints that demand the same, and act otherwise.
    fn manners(&mut self, table: &str, old: &Table, new: &Table) {
        for before in &old.constraints {
            let alike = |after: &&Constraint| after.kind == before.kind && after.demand == before.demand;
            let after = new.constraints.iter().find(alike);
            if let Some(after) = after.filter(|after| after.manner != before.manner) {
                let shown = |manner: &str| if manner.is_empty() { "as usual" } else { manner }.to_owned();
                let (demand, old, new) = (&before.demand, shown(&before.manner), shown(&after.manner));
                let text = format!("the constraint `{demand}` acts otherwise: {old}, now {new}");
                self.add("CONSTRAINT_CHANGED", table, demand, text);
            }
        }
    }

    fn values(&mut self, path: &str, place: &str, old: &[String], new: &[String]) {
        for value in old.iter().filter(|value| !new.contains(value)) {
            self.add(
                "ENUM_VALUE_REMOVED",
                path,
                place,
                format!("value `{value}` was removed"),
            );
        }
        for value in new.iter().filter(|value| !old.contains(value)) {
            self.add("ENUM_VALUE_ADDED", path, place, format!("value `{value}` was added"));
        }
    }

    fn views(&mut self) {
        let (old, new) = (self.old, self.new);
        for (name, before) in &old.views {
            match new.views.get(name) {
                None => self.add("VIEW_DROPPED", name, "", format!("view `{name}` was dropped")),
                Some(after) if before != after => {
                    let gone: Vec<&String> = match (&before.columns, &after.columns) {
                        (Some(before), Some(after)) => before.difference(after).collect(),
                        _ => Vec::new(),
                    };
                    for column in &gone {
                        let text = format!("column `{column}` of view `{name}` is gone");
                        self.add("VIEW_COLUMN_DROPPED", name, column, text);
                    }
                    if !gone.is_empty() {
                        continue;
                    }
                    self.add("VIEW_CHANGED", name, "", format!("view `{name}` is defined otherwise"));
                }
                Some(_) => {}
            }
        }
        for name in new.views.keys().filter(|name| !old.views.contains_key(*name)) {
            self.add("VIEW_ADDED", name, "", format!("view `{name}` was added"));
        }
    }

    fn enums(&mut self) {
        let (old, new) = (self.old, self.new);
        for (name, before) in &old.enums {
            match new.enums.get(name) {
                None => self.add("ENUM_DROPPED", name, "", format!("type `{name}` was dropped")),
                Some(after) => self.values(name, "", before, after),
            }
        }
        for name in new.enums.keys().filter(|name| !old.enums.contains_key(*name)) {
            self.add("ENUM_ADDED", name, "", format!("type `{name}` was added"));
        }
    }
}
