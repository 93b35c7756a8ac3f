//! What rows must meet: keys, conditions, unique indexes.

use sqlparser::ast::{
    ConstraintCharacteristics, CreateIndex, DeferrableInitial, Expr, ForeignKeyConstraint, Ident, IndexColumn,
    ObjectName, ReferentialAction, TableConstraint,
};

use super::columns::{ident, idents, name_of};
use super::schema::{Constraint, Kind, Table};

fn indexed(columns: &[IndexColumn]) -> String {
    let name = |column: &IndexColumn| match &column.column.expr {
        Expr::Identifier(name) => ident(name),
        expression => expression.to_string().to_lowercase(),
    };
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The columns of a table that an expression names.
fn mentioned(table: &Table, expression: &str) -> Vec<String> {
    let words = expression.split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut found: Vec<String> = Vec::new();
    for word in words {
        let column = table.columns.keys().find(|column| column.eq_ignore_ascii_case(word));
        if let Some(column) = column.filter(|column| !found.contains(column)) {
            found.push(column.clone());
        }
    }
    found
}

pub(super) fn target(table: &ObjectName, columns: &[Ident]) -> String {
    let (table, columns) = (name_of(table), idents(columns).join(", "));
    if columns.is_empty() {
        table
    } else {
        format!("{table}({columns})")
    }
}

/// When a constraint is checked, where that isn't at once.
pub(super) fn timing(characteristics: Option<ConstraintCharacteristics>) -> String {
    let Some(said) = characteristics else {
        return String::new();
    };
    let deferred = said.initially == Some(DeferrableInitial::Deferred);
    match (said.deferrable, deferred) {
        (_, true) => "deferred".to_owned(),
        (Some(true), false) => "deferrable".to_owned(),
        _ => String::new(),
    }
}

/// What a foreign key does with rows whose target goes or changes, and when it is checked.
pub(super) fn actions(key: &ForeignKeyConstraint) -> String {
    let mut said = Vec::new();
    for (event, action) in [("delete", &key.on_delete), ("update", &key.on_update)] {
        if let Some(action) = action.as_ref().filter(|action| **action != ReferentialAction::NoAction) {
            said.push(format!("on {event} {}", action.to_string().to_lowercase()));
        }
    }
    said.extend(key.match_kind.as_ref().map(|kind| kind.to_string().to_lowercase()));
    said.push(timing(key.characteristics));
    said.retain(|word| !word.is_empty());
    said.join(", ")
}

/// The demand of a unique index: on columns, on expressions, on rows that meet a condition.
pub(super) fn add_unique_index(table: &mut Table, index: &CreateIndex) {
    let mut demand = indexed(&index.columns);
    let mut columns = mentioned(table, &demand);
    if index.nulls_distinct == Some(false) {
        demand.push_str(" nulls not distinct");
    }
    if let Some(predicate) = &index.predicate {
        columns.extend(mentioned(table, &predicate.to_string()));
        demand.push_str(&format!(" where {predicate}"));
    }
    table.constraints.push(Constraint {
        kind: Kind::Unique,
        name: index.name.as_ref().map(name_of),
        demand,
        columns,
        manner: String::new(),
    });
}

/// Adds a constraint; false if it is made of what the table hasn't.
pub(super) fn add_constraint(table: &mut Table, constraint: &TableConstraint) -> bool {
    let (kind, name, columns, demand, manner) = match constraint {
        TableConstraint::Unique(unique) => {
            let demand = indexed(&unique.columns);
            let name = unique.name.as_ref().or(unique.index_name.as_ref());
            let columns = mentioned(table, &demand);
            (Kind::Unique, name, columns, demand, timing(unique.characteristics))
        }
        TableConstraint::PrimaryKey(key) => {
            let demand = indexed(&key.columns);
            let columns = mentioned(table, &demand);
            table.set_not_null(&columns);
            let name = key.name.as_ref();
            (Kind::PrimaryKey, name, columns, demand, timing(key.characteristics))
        }
        TableConstraint::ForeignKey(key) if key.characteristics.is_some_and(|said| said.enforced == Some(false)) => {
            return true;
        }
        TableConstraint::ForeignKey(key) => {
            let columns = idents(&key.columns);
            let to = target(&key.foreign_table, &key.referred_columns);
            let demand = format!("{} -> {to}", columns.join(", "));
            (Kind::ForeignKey, key.name.as_ref(), columns, demand, actions(key))
        }
        TableConstraint::Check(check) if check.enforced == Some(false) => return true,
        TableConstraint::Check(check) => {
            let demand = check.expr.to_string();
            (Kind::Check, check.name.as_ref(), Vec::new(), demand, String::new())
        }
        TableConstraint::Exclude(exclude) => {
            let mut nameless = exclude.clone();
            (nameless.name, nameless.characteristics) = (None, None);
            let demand = nameless.to_string();
            let columns = mentioned(table, &demand);
            (
                Kind::Check,
                exclude.name.as_ref(),
                columns,
                demand,
                timing(exclude.characteristics),
            )
        }
        TableConstraint::PrimaryKeyUsingIndex(using) => return key_of_index(table, &ident(&using.index_name)),
        // The index demands it already.
        TableConstraint::UniqueUsingIndex(_) => return true,
        TableConstraint::Index(_) | TableConstraint::FulltextOrSpatial(_) => return true,
    };
    table.constraints.push(Constraint {
        kind,
        name: name.map(ident),
        columns,
        demand,
        manner,
    });
    true
}

/// Makes a unique index the primary key.
fn key_of_index(table: &mut Table, index: &str) -> bool {
    let named = |known: &&mut Constraint| known.name.as_deref() == Some(index);
    let Some(constraint) = table.constraints.iter_mut().find(named) else {
        return false;
    };
    constraint.kind = Kind::PrimaryKey;
    let columns = constraint.columns.clone();
    table.set_not_null(&columns);
    true
}

pub(super) fn drop_constraint(table: &mut Table, table_name: &str, name: &str) -> bool {
    let before = table.constraints.len();
    table
        .constraints
        .retain(|constraint| !constraint.names(table_name).iter().any(|known| known == name));
    table.constraints.len() < before
}
