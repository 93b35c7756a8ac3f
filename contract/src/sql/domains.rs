//! Domains: types with demands, which hold for each column of the type.

use sqlparser::ast::{CreateDomain, TableConstraint};

use super::columns::name_of;
use super::schema::{Constraint, Kind, Schema, Table};
use super::types::Type;

/// Most domains that are made of one another.
const MAX_CHAIN: usize = 16;

/// What a domain asks of its columns.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    pub ty: Type,
    pub default: Option<String>,
    /// How its text is compared.
    pub collation: Option<String>,
    /// Conditions on `VALUE`.
    pub checks: Vec<String>,
}

impl Domain {
    /// The domain, or none where it demands what isn't understood.
    pub(super) fn of(create: &CreateDomain) -> Option<Self> {
        let check = |constraint: &TableConstraint| match constraint {
            TableConstraint::Check(check) => Some(check.expr.to_string()),
            _ => None,
        };
        Some(Self {
            ty: Type::of(&create.data_type),
            default: create.default.as_ref().map(ToString::to_string),
            collation: create.collation.as_ref().map(|name| name.value.to_lowercase()),
            checks: create.constraints.iter().map(check).collect::<Option<_>>()?,
        })
    }
}

/// The key under which notes on a domain stand.
pub(super) fn key(create: &CreateDomain) -> String {
    format!("domain {}", name_of(&create.name))
}

/// Gives the columns what their domains say.
pub(super) fn resolve(schema: &mut Schema) {
    let domains = std::mem::take(&mut schema.domains);
    for table in schema.tables.values_mut() {
        let names: Vec<String> = table.columns.keys().cloned().collect();
        for name in names {
            for _ in 0..MAX_CHAIN {
                let named = table.columns.get(&name).and_then(|column| match &column.ty {
                    Type::Named(named) => domains.get(named),
                    _ => None,
                });
                let Some(domain) = named else { break };
                give(table, &name, domain);
            }
            if let Some(column) = table.columns.get_mut(&name)
                && let Type::Named(named) = &mut column.ty
                && let Some(domain) = named.strip_suffix("[]").and_then(|named| domains.get(named))
            {
                // A list of it: alike only where the domain is.
                *named = format!("{named} of {} {}", domain.ty.shown(), domain.checks.join(", "));
            }
        }
    }
    schema.domains = domains;
}

fn give(table: &mut Table, name: &str, domain: &Domain) {
    if let Some(column) = table.columns.get_mut(name) {
        column.ty = domain.ty.clone();
        column.default = column.default.take().or_else(|| domain.default.clone());
        column.collation = column.collation.take().or_else(|| domain.collation.clone());
    }
    for check in &domain.checks {
        table.constraints.push(Constraint {
            kind: Kind::Check,
            name: None,
            columns: vec![name.to_owned()],
            demand: on_column(check, name),
            manner: String::new(),
        });
    }
}

/// A condition on `VALUE` as one on the column.
fn on_column(check: &str, column: &str) -> String {
    let mut found = String::with_capacity(check.len());
    let mut quoted = false;
    for word in check.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let plain = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        if !quoted && plain.eq_ignore_ascii_case("value") {
            found.push_str(column);
            found.push_str(word.get(plain.len()..).unwrap_or_default());
        } else {
            found.push_str(word);
        }
        quoted ^= word.ends_with('\'');
    }
    found
}
