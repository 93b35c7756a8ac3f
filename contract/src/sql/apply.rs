//! What a statement does to a schema.

use sqlparser::ast::{
    AlterTableOperation, AlterTypeOperation, CreateTable, DropBehavior, Expr, Ident, Query, RenameTableNameKind,
    SelectItem, SetExpr, Statement, UserDefinedTypeRepresentation,
};

use super::columns::{add_column, alter_column, collation_of, drop_column, ident, idents, name_of, redefine};
use super::constraints::{add_constraint, add_unique_index, drop_constraint};
use super::domains::{self, Domain};
use super::drops::Drop;
use super::notes::Note;
use super::schema::{Kind, Schema, Table, View};
use crate::Gap;

/// Most tables, and most columns and constraints of one: beyond, no person wrote the schema.
const MAX_TABLES: usize = 5_000;

/// Runs one statement. What can't be told of it is a gap at its place.
pub(super) fn apply(schema: &mut Schema, statement: &Statement, place: &str) {
    let mut run = Run { schema, place };
    match statement {
        Statement::CreateTable(table) => run.create_table(table),
        Statement::AlterTable(alter) => {
            let name = name_of(&alter.name);
            for operation in &alter.operations {
                run.alter_table(&name, operation, alter.if_exists);
            }
        }
        Statement::RenameTable(renames) => {
            for rename in renames {
                run.rename_table(&name_of(&rename.old_name), name_of(&rename.new_name));
            }
        }
        Statement::Drop {
            object_type,
            names,
            if_exists,
            cascade,
            ..
        } => {
            for name in names {
                run.drop(&Drop {
                    object: *object_type,
                    name: &name_of(name),
                    if_exists: *if_exists,
                    cascade: *cascade,
                    statement,
                });
            }
        }
        Statement::DropDomain(drop) => {
            let cascade = drop.drop_behavior == Some(DropBehavior::Cascade);
            run.drop_domain(&name_of(&drop.name), drop.if_exists, cascade);
        }
        Statement::CreateDomain(create) => {
            // That it is there is compared by its note, what it demands in the columns that have it.
            match Domain::of(create) {
                Some(domain) => {
                    let name = create.name.to_string();
                    run.note(&domains::key(create), &format!("create domain {name}"), true, None);
                    run.schema.domains.insert(name_of(&create.name), domain);
                }
                None => run.note(&domains::key(create), create, true, None),
            }
        }
        Statement::CreateView(view) => {
            let named: Vec<Ident> = view.columns.iter().map(|column| column.name.clone()).collect();
            run.schema
                .views
                .insert(name_of(&view.name), view_of(&named, &view.query));
        }
        Statement::AlterView {
            name, columns, query, ..
        } => {
            run.schema.views.insert(name_of(name), view_of(columns, query));
        }
        Statement::CreateType {
            name,
            representation: Some(UserDefinedTypeRepresentation::Enum { labels }),
        } => {
            let labels = labels.iter().map(|label| label.value.clone()).collect();
            run.schema.enums.insert(name_of(name), labels);
        }
        Statement::AlterType(alter) => run.alter_type(&name_of(&alter.name), &alter.operation),
        Statement::CreateIndex(index) if index.unique => {
            if let Some(table) = run.table(&name_of(&index.table_name), false) {
                add_unique_index(table, index);
            }
        }
        Statement::CreateType { name, .. } => run.note(&format!("type {}", name_of(name)), statement, true, None),
        // An index that demands nothing, data, and what nobody could use before.
        Statement::CreateIndex(_)
        | Statement::CreateSchema { .. }
        | Statement::CreateDatabase { .. }
        | Statement::AlterIndex { .. }
        | Statement::OptimizeTable { .. }
        | Statement::Msck(_) => {}
        _ => run.note("", statement, false, None),
    }
}

/// A view with the names of its columns, where each is named or is one of a table.
fn view_of(named: &[Ident], query: &Query) -> View {
    let selected = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) | SelectItem::ExprWithAlias { alias: name, .. } => {
            Some(ident(name))
        }
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => path.last().map(ident),
        _ => None,
    };
    let columns = match query.body.as_ref() {
        _ if !named.is_empty() => Some(named.iter().map(ident).collect()),
        SetExpr::Select(select) => select.projection.iter().map(selected).collect(),
        _ => None,
    };
    View {
        query: query.to_string(),
        columns,
    }
}

pub(super) struct Run<'a> {
    pub(super) schema: &'a mut Schema,
    place: &'a str,
}

impl Run<'_> {
    pub(super) fn gap(&mut self, text: String) {
        let place = self.place.to_owned();
        self.schema.gaps.push(Gap { place, text });
    }

    /// Keeps the text of what is done to an object, for comparison.
    pub(super) fn note(&mut self, key: &str, done: &impl ToString, adds: bool, table: Option<&str>) {
        let note = Note {
            text: done.to_string(),
            place: self.place.to_owned(),
            table: table.map(str::to_owned),
            adds,
        };
        self.schema.notes.push(key, note);
    }

    fn table(&mut self, name: &str, may_be_missing: bool) -> Option<&mut Table> {
        if !self.schema.tables.contains_key(name) && !may_be_missing {
            self.gap(format!("table `{name}` is changed and created in no file"));
        }
        self.schema.tables.get_mut(name)
    }

    fn create_table(&mut self, create: &CreateTable) {
        let name = name_of(&create.name);
        if create.temporary || (create.if_not_exists && self.schema.tables.contains_key(&name)) {
            return;
        }
        if create.query.is_some() || create.like.is_some() || create.clone.is_some() || create.inherits.is_some() {
            self.gap(format!("the columns of table `{name}` come from elsewhere"));
        }
        let largest = create.columns.len().max(create.constraints.len());
        if self.schema.tables.len().max(largest) >= MAX_TABLES {
            self.gap(format!(
                "there are more than {MAX_TABLES} tables, or columns of table `{name}`"
            ));
            return;
        }
        let mut table = Table::default();
        for column in &create.columns {
            add_column(&mut table, column);
        }
        for constraint in &create.constraints {
            add_constraint(&mut table, constraint);
        }
        table.collation = collation_of(&create.table_options);
        if let Some(how) = &create.partition_by {
            let note = format!("table {name} partition by {how}");
            self.note(&format!("table {name}"), &note, false, Some(&name));
        }
        self.schema.tables.insert(name, table);
    }

    fn rename_table(&mut self, old: &str, new: String) {
        match self.schema.tables.remove(old) {
            Some(mut table) => {
                table.was.insert(old.to_owned());
                self.schema.tables.insert(new, table);
            }
            None => self.gap(format!("table `{old}` is renamed and created in no file")),
        }
    }

    fn alter_type(&mut self, name: &str, operation: &AlterTypeOperation) {
        if let AlterTypeOperation::Rename(rename) = operation {
            if let Some(values) = self.schema.enums.remove(name) {
                self.schema.enums.insert(ident(&rename.new_name), values);
            } else {
                self.note(&format!("type {name}"), operation, false, None);
            }
            return;
        }
        let Some(values) = self.schema.enums.get_mut(name) else {
            self.gap(format!("type `{name}` is changed and created in no file"));
            return;
        };
        match operation {
            AlterTypeOperation::AddValue(add) => {
                if !values.contains(&add.value.value) {
                    values.push(add.value.value.clone());
                }
            }
            AlterTypeOperation::RenameValue(rename) => {
                for value in values.iter_mut().filter(|value| **value == rename.from.value) {
                    value.clone_from(&rename.to.value);
                }
            }
            AlterTypeOperation::Rename(_) => {}
        }
    }

    fn alter_table(&mut self, name: &str, operation: &AlterTableOperation, may_be_missing: bool) {
        use AlterTableOperation as Op;
        if let Op::RenameTable { table_name } = operation {
            let (RenameTableNameKind::As(new) | RenameTableNameKind::To(new)) = table_name;
            self.rename_table(name, name_of(new));
            return;
        }
        let Some(table) = self.table(name, may_be_missing) else {
            return;
        };
        let understood = match operation {
            Op::AddColumn {
                column_def,
                if_not_exists,
                ..
            } => {
                if !(*if_not_exists && table.columns.contains_key(&ident(&column_def.name))) {
                    add_column(table, column_def);
                }
                true
            }
            Op::DropColumn {
                column_names,
                if_exists,
                ..
            } => idents(column_names)
                .iter()
                .all(|column| drop_column(table, column) || *if_exists),
            Op::RenameColumn {
                old_column_name,
                new_column_name,
            } => table.rename_column(&ident(old_column_name), &ident(new_column_name)),
            Op::ChangeColumn {
                old_name,
                new_name,
                data_type,
                options,
                ..
            } => {
                let (old, new) = (ident(old_name), ident(new_name));
                let renamed = old == new || table.rename_column(&old, &new);
                renamed && redefine(table, &new, data_type, options)
            }
            Op::ModifyColumn {
                col_name,
                data_type,
                options,
                ..
            } => redefine(table, &ident(col_name), data_type, options),
            Op::AlterColumn { column_name, op } => alter_column(table, &ident(column_name), op),
            Op::AddConstraint { constraint, .. } => add_constraint(table, constraint),
            Op::DropConstraint {
                name: constraint,
                if_exists,
                ..
            } => drop_constraint(table, name, &ident(constraint)) || *if_exists,
            Op::DropForeignKey { name: key, .. } => drop_constraint(table, name, &ident(key)),
            Op::DropIndex { name: index } => {
                drop_constraint(table, name, &ident(index));
                true
            }
            Op::DropPrimaryKey { .. } => {
                table
                    .constraints
                    .retain(|constraint| constraint.kind != Kind::PrimaryKey);
                true
            }
            Op::RenameConstraint { old_name, new_name } => {
                let old = ident(old_name);
                for constraint in table.constraints.iter_mut().filter(|c| c.names(name).contains(&old)) {
                    constraint.name = Some(ident(new_name));
                }
                true
            }
            Op::SwapWith { .. } => false,
            // Owners, storage, and how the change itself is run.
            Op::OwnerTo { .. }
            | Op::Algorithm { .. }
            | Op::Lock { .. }
            | Op::AutoIncrement { .. }
            | Op::ClusterBy { .. }
            | Op::DropClusteringKey
            | Op::ReplicaIdentity { .. }
            | Op::SetLogged
            | Op::SetUnlogged
            | Op::SetOptionsParens { .. }
            | Op::SetTblProperties { .. }
            | Op::ValidateConstraint { .. } => true,
            _ => {
                self.note(&format!("table {name}"), operation, false, Some(name));
                true
            }
        };
        if !understood {
            self.gap(format!("`{operation}` changes what table `{name}` hasn't"));
        }
    }
}
