//! Columns and constraints of a table, and what changes one.

use sqlparser::ast::{
    AlterColumnOperation, ColumnDef, ColumnOption, DataType, Expr, GeneratedAs, Ident, IndexColumn, ObjectName,
    TableConstraint,
};

use super::schema::{Column, Constraint, Kind, Table};
use super::types::Type;

/// A name in one spelling: in lower case where it isn't quoted, without the schema that is meant anyway.
pub(super) fn name_of(name: &ObjectName) -> String {
    let parts: Vec<String> = name
        .0
        .iter()
        .map(|part| part.as_ident().map_or_else(|| part.to_string(), ident))
        .collect();
    let joined = parts.join(".");
    let meant = joined.strip_prefix("public.").or_else(|| joined.strip_prefix("dbo."));
    meant.map(str::to_owned).unwrap_or(joined)
}

pub(super) fn ident(ident: &Ident) -> String {
    match ident.quote_style {
        // MySQL and T-SQL quote names that they compare without regard to case.
        Some('"') => ident.value.clone(),
        _ => ident.value.to_lowercase(),
    }
}

pub(super) fn idents(names: &[Ident]) -> Vec<String> {
    names.iter().map(ident).collect()
}

pub(super) fn indexed(columns: &[IndexColumn]) -> Vec<String> {
    let name = |column: &IndexColumn| match &column.column.expr {
        Expr::Identifier(name) => ident(name),
        expression => expression.to_string().to_lowercase(),
    };
    columns.iter().map(name).collect()
}

pub(super) fn add_column(table: &mut Table, definition: &ColumnDef) {
    let name = ident(&definition.name);
    let column = column_of(
        table,
        &name,
        &definition.data_type,
        definition
            .options
            .iter()
            .map(|option| (option.name.as_ref().map(ident), &option.option)),
    );
    table.columns.insert(name, column);
}

/// MySQL's way to say all of a column anew; constraints on it stay.
pub(super) fn redefine(table: &mut Table, name: &str, data_type: &DataType, options: &[ColumnOption]) -> bool {
    let Some(was) = table.columns.get(name).map(|column| column.was.clone()) else {
        return false;
    };
    let mut column = column_of(table, name, data_type, options.iter().map(|option| (None, option)));
    column.was = was;
    table.columns.insert(name.to_owned(), column);
    true
}

pub(super) fn column_of<'a>(
    table: &mut Table,
    name: &str,
    data_type: &DataType,
    options: impl Iterator<Item = (Option<String>, &'a ColumnOption)>,
) -> Column {
    let serial = matches!(data_type, DataType::Custom(name, _) if name.to_string().to_lowercase().contains("serial"));
    let mut column = Column {
        ty: Type::of(data_type),
        not_null: serial,
        default: None,
        generated: serial,
        always: false,
        was: std::collections::BTreeSet::new(),
    };
    for (constraint_name, option) in options {
        let mut constraint = |kind, demand: String| {
            table.constraints.push(Constraint {
                kind,
                name: constraint_name.clone(),
                columns: vec![name.to_owned()],
                demand,
            });
        };
        match option {
            ColumnOption::Null => column.not_null = false,
            ColumnOption::NotNull => column.not_null = true,
            ColumnOption::Default(value) => column.default = Some(value.to_string()),
            ColumnOption::PrimaryKey(_) => {
                column.not_null = true;
                constraint(Kind::PrimaryKey, name.to_owned());
            }
            ColumnOption::Unique(_) => constraint(Kind::Unique, name.to_owned()),
            ColumnOption::Check(check) => constraint(Kind::Check, check.expr.to_string()),
            ColumnOption::ForeignKey(key) => {
                let to = target(&key.foreign_table, &key.referred_columns);
                constraint(Kind::ForeignKey, format!("{name} -> {to}"));
            }
            ColumnOption::Generated { generated_as, .. } => {
                column.generated = true;
                column.always = !matches!(generated_as, GeneratedAs::ByDefault);
            }
            ColumnOption::Identity(_) => (column.generated, column.always) = (true, true),
            ColumnOption::Materialized(_) | ColumnOption::Ephemeral(_) | ColumnOption::Alias(_) => {
                (column.generated, column.always) = (true, true);
            }
            ColumnOption::DialectSpecific(tokens) => {
                let words: Vec<String> = tokens.iter().map(|token| token.to_string().to_uppercase()).collect();
                // AUTO_INCREMENT and AUTOINCREMENT.
                column.generated |= words.iter().any(|word| word.starts_with("AUTO"));
            }
            _ => {}
        }
    }
    column
}

pub(super) fn target(table: &ObjectName, columns: &[Ident]) -> String {
    let (table, columns) = (name_of(table), idents(columns).join(", "));
    if columns.is_empty() {
        table
    } else {
        format!("{table}({columns})")
    }
}

pub(super) fn add_constraint(table: &mut Table, constraint: &TableConstraint) {
    let (kind, name, columns, demand) = match constraint {
        TableConstraint::Unique(unique) => {
            let columns = indexed(&unique.columns);
            let demand = columns.join(", ");
            (
                Kind::Unique,
                unique.name.as_ref().or(unique.index_name.as_ref()),
                columns,
                demand,
            )
        }
        TableConstraint::PrimaryKey(key) => {
            let columns = indexed(&key.columns);
            table.set_not_null(&columns);
            let demand = columns.join(", ");
            (Kind::PrimaryKey, key.name.as_ref(), columns, demand)
        }
        TableConstraint::ForeignKey(key) => {
            let columns = idents(&key.columns);
            let demand = format!(
                "{} -> {}",
                columns.join(", "),
                target(&key.foreign_table, &key.referred_columns)
            );
            (Kind::ForeignKey, key.name.as_ref(), columns, demand)
        }
        TableConstraint::Check(check) => (Kind::Check, check.name.as_ref(), Vec::new(), check.expr.to_string()),
        // An index demands nothing.
        _ => return,
    };
    table.constraints.push(Constraint {
        kind,
        name: name.map(ident),
        columns,
        demand,
    });
}

pub(super) fn drop_column(table: &mut Table, name: &str) -> bool {
    table
        .constraints
        .retain(|constraint| !constraint.columns.iter().any(|column| column == name));
    table.columns.remove(name).is_some()
}

pub(super) fn drop_constraint(table: &mut Table, table_name: &str, name: &str) -> bool {
    let before = table.constraints.len();
    table
        .constraints
        .retain(|constraint| !constraint.names(table_name).iter().any(|known| known == name));
    table.constraints.len() < before
}

pub(super) fn alter_column(table: &mut Table, name: &str, operation: &AlterColumnOperation) -> bool {
    let Some(column) = table.columns.get_mut(name) else {
        return false;
    };
    match operation {
        AlterColumnOperation::SetNotNull => column.not_null = true,
        AlterColumnOperation::DropNotNull => column.not_null = false,
        AlterColumnOperation::SetDefault { value } => column.default = Some(value.to_string()),
        AlterColumnOperation::DropDefault => column.default = None,
        AlterColumnOperation::SetDataType { data_type, .. } => column.ty = Type::of(data_type),
        AlterColumnOperation::AddGenerated { generated_as, .. } => {
            column.generated = true;
            column.always = matches!(generated_as, Some(GeneratedAs::Always));
        }
    }
    true
}
