//! Domains: types with demands, which hold for each column of the type.

use sqlparser::ast::{CreateDomain, TableConstraint};
use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::columns::name_of;
use super::schema::{Constraint, Kind, Schema, Table};
use super::split::word;
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

/// What `NOT NULL` of a domain means, as the condition that the parser knows.
const NOT_NULL: &str = "VALUE IS NOT NULL";

/// The words of a `CREATE DOMAIN` with a condition for `NOT NULL`; none where it says nothing of the kind.
pub(super) fn with_condition(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let is = |at: usize, wanted: &str| tokens.get(at).and_then(word).is_some_and(|word| word == wanted);
    let says = |at: &usize| is(*at, "NOT") && is(at + 1, "NULL") && !at.checked_sub(1).is_some_and(|at| is(at, "IS"));
    let at = (0..tokens.len())
        .find(says)
        .filter(|_| is(0, "CREATE") && is(1, "DOMAIN"))?;
    let condition = format!("CHECK ({NOT_NULL})");
    let condition = Tokenizer::new(&GenericDialect {}, &condition)
        .tokenize_with_location()
        .ok()?;
    let mut found = tokens.get(..at)?.to_vec();
    found.extend(
        condition
            .into_iter()
            .filter(|token| !matches!(token.token, Token::Whitespace(_))),
    );
    found.extend_from_slice(tokens.get(at + 2..)?);
    Some(found)
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
        column.not_null |= domain.checks.iter().any(|check| check == NOT_NULL);
        column.default = column.default.take().or_else(|| domain.default.clone());
        column.collation = column.collation.take().or_else(|| domain.collation.clone());
    }
    for check in domain.checks.iter().filter(|check| *check != NOT_NULL) {
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
