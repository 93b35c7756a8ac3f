//! Columns of a table, and what changes one.

use sqlparser::ast::{
    AlterColumnOperation, ColumnDef, ColumnOption, CreateTableOptions, DataType, GeneratedAs, Ident, ObjectName,
    SqlOption,
};

use super::constraints::{actions, target, timing};
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
        computed: None,
        collation: None,
        was: std::collections::BTreeSet::new(),
    };
    for (constraint_name, option) in options {
        let mut constraint = |kind, demand: String, manner: String| {
            table.constraints.push(Constraint {
                kind,
                name: constraint_name.clone(),
                columns: vec![name.to_owned()],
                demand,
                manner,
            });
        };
        match option {
            ColumnOption::Null => column.not_null = false,
            ColumnOption::NotNull => column.not_null = true,
            ColumnOption::Default(value) => column.default = Some(value.to_string()),
            ColumnOption::PrimaryKey(key) => {
                column.not_null = true;
                constraint(Kind::PrimaryKey, name.to_owned(), timing(key.characteristics));
            }
            ColumnOption::Unique(unique) => {
                constraint(Kind::Unique, name.to_owned(), timing(unique.characteristics));
            }
            ColumnOption::Check(check) if check.enforced == Some(false) => {}
            ColumnOption::Check(check) => constraint(Kind::Check, check.expr.to_string(), String::new()),
            ColumnOption::ForeignKey(key) => {
                let to = target(&key.foreign_table, &key.referred_columns);
                constraint(Kind::ForeignKey, format!("{name} -> {to}"), actions(key));
            }
            ColumnOption::Collation(collation) | ColumnOption::CharacterSet(collation) => {
                let said = column.collation.get_or_insert_default();
                if !said.is_empty() {
                    said.push(' ');
                }
                said.push_str(&collation.to_string().trim_matches('"').to_lowercase());
            }
            ColumnOption::OnUpdate(value) => {
                let value = value.to_string().to_lowercase();
                column.computed = Some(format!("on update {}", value.trim_end_matches("()")));
            }
            ColumnOption::Generated {
                generated_as,
                generation_expr,
                ..
            } => {
                column.generated = true;
                column.computed = generation_expr.as_ref().map(ToString::to_string);
                column.always = !matches!(generated_as, GeneratedAs::ByDefault);
            }
            ColumnOption::Identity(_) => (column.generated, column.always) = (true, true),
            ColumnOption::Materialized(_) | ColumnOption::Ephemeral(_) | ColumnOption::Alias(_) => {
                column.computed = Some(option.to_string());
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

pub(super) fn drop_column(table: &mut Table, name: &str) -> bool {
    table
        .constraints
        .retain(|constraint| !constraint.columns.iter().any(|column| column == name));
    table.columns.remove(name).is_some()
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
        AlterColumnOperation::SetDataType { data_type, .. } => {
            column.ty = Type::of(data_type);
            column.collation = None;
        }
        AlterColumnOperation::AddGenerated { generated_as, .. } => {
            column.generated = true;
            column.always = matches!(generated_as, Some(GeneratedAs::Always));
        }
    }
    true
}

/// What the options of a table say of the text in its columns.
pub(super) fn collation_of(options: &CreateTableOptions) -> Option<String> {
    let CreateTableOptions::Plain(options) = options else {
        return None;
    };
    let said = |option: &SqlOption| {
        let SqlOption::KeyValue { key, value } = option else {
            return None;
        };
        let key = key.value.to_uppercase();
        let of_text = ["CHARSET", "CHARACTER SET", "COLLATE"]
            .iter()
            .any(|word| key.contains(word));
        of_text.then(|| value.to_string().to_lowercase())
    };
    let found: Vec<String> = options.iter().filter_map(said).collect();
    (!found.is_empty()).then(|| found.join(" "))
}
