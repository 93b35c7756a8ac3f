//! What goes when an object is dropped, and what goes with it.

use sqlparser::ast::{ObjectType, Statement};

use super::apply::Run;
use super::columns::drop_column;
use super::schema::Kind;
use super::types::Type;

/// Schemas whose tables are named without them.
const MEANT: &[&str] = &["public", "dbo"];

/// A `DROP` of one object.
pub(super) struct Drop<'a> {
    pub object: ObjectType,
    pub name: &'a str,
    pub if_exists: bool,
    /// What depends on it goes, too.
    pub cascade: bool,
    pub statement: &'a Statement,
}

impl Run<'_> {
    pub(super) fn drop(&mut self, drop: &Drop<'_>) {
        let name = drop.name;
        let gone = match drop.object {
            ObjectType::Table => self.schema.tables.remove(name).is_some(),
            ObjectType::View | ObjectType::MaterializedView => self.schema.views.remove(name).is_some(),
            ObjectType::Type => {
                self.schema.enums.remove(name).is_some() || self.schema.notes.drop(&format!("type {name}"))
            }
            ObjectType::Index => {
                for table in self.schema.tables.values_mut() {
                    table
                        .constraints
                        .retain(|constraint| constraint.name.as_deref() != Some(name));
                }
                true
            }
            ObjectType::Schema => {
                self.drop_all_in(name, MEANT.contains(&name));
                if drop.cascade {
                    // Functions, sequences and others aren't kept by their schema.
                    self.note("", drop.statement, false, None);
                }
                true
            }
            ObjectType::Database => {
                self.drop_all_in(name, false);
                if !self.schema.tables.is_empty() {
                    // Which database holds the tables that are named without one can't be told.
                    self.note("", drop.statement, false, None);
                }
                true
            }
            _ => {
                self.note("", drop.statement, false, None);
                true
            }
        };
        if !gone && !drop.if_exists {
            self.gap(format!("`{name}` is dropped and created in no file"));
        }
        if gone && drop.cascade {
            self.drop_dependents(drop);
        }
    }

    pub(super) fn drop_domain(&mut self, name: &str, if_exists: bool, cascade: bool) {
        let gone = self.schema.domains.remove(name).is_some();
        self.schema.notes.drop(&format!("domain {name}"));
        if cascade {
            self.drop_columns_of(name);
        }
        if !gone && !if_exists {
            self.gap(format!("domain `{name}` is dropped and created in no file"));
        }
    }

    fn drop_all_in(&mut self, name: &str, meant: bool) {
        let below = format!("{name}.");
        let stays = |known: &str| !(known.starts_with(&below) || meant && !known.contains('.'));
        self.schema.tables.retain(|known, _| stays(known));
        self.schema.views.retain(|known, _| stays(known));
        self.schema.enums.retain(|known, _| stays(known));
        self.schema.domains.retain(|known, _| stays(known));
    }

    fn drop_dependents(&mut self, drop: &Drop<'_>) {
        match drop.object {
            ObjectType::Type => self.drop_columns_of(drop.name),
            ObjectType::Table => {
                let key = format!("-> {}", drop.name);
                let refers = |demand: &str| {
                    let rest = demand.rsplit_once(&key).map(|(_, rest)| rest);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('('))
                };
                for table in self.schema.tables.values_mut() {
                    table
                        .constraints
                        .retain(|known| known.kind != Kind::ForeignKey || !refers(&known.demand));
                }
                self.note_readers(drop);
            }
            ObjectType::View | ObjectType::MaterializedView => self.note_readers(drop),
            _ => {}
        }
    }

    fn drop_columns_of(&mut self, ty: &str) {
        for table in self.schema.tables.values_mut() {
            let of_type = |column: &Type| matches!(column, Type::Named(named) if named.eq_ignore_ascii_case(ty));
            let columns = table.columns.iter().filter(|(_, column)| of_type(&column.ty));
            let columns: Vec<String> = columns.map(|(name, _)| name.clone()).collect();
            for column in columns {
                drop_column(table, &column);
            }
        }
    }

    /// Views that seem to read what is dropped go with it; which do is not told from their text.
    fn note_readers(&mut self, drop: &Drop<'_>) {
        let name = drop.name.rsplit('.').next().unwrap_or(drop.name);
        let reads = |query: &str| {
            let mut words = query.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word.eq_ignore_ascii_case(name))
        };
        if self.schema.views.values().any(|view| reads(&view.query)) {
            self.note("", drop.statement, false, None);
        }
    }
}
