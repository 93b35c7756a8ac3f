//! The operators, on the syntax tree of a condition.

use std::sync::Arc;

use cedar_policy::pst::{BinaryOp, Expr, Literal, UnaryOp};
use holdpoint_schemas::fact::{FactTable, FactType};

use super::{Operator, shared};
use crate::policy::context_path;

/// Put in the place of a word of which every other one is as good.
pub const OTHER_WORD: &str = "some-other-word";

/// A condition with one thing changed.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    pub(super) operator: Operator,
    /// What is different, in one line.
    pub(super) change: String,
    pub(super) expr: Arc<Expr>,
}

impl Variant {
    fn new(operator: Operator, before: &Expr, after: Expr) -> Self {
        Self {
            operator,
            change: format!("`{before}` → `{after}`"),
            expr: shared(after),
        }
    }

    /// The same inside what `around` builds.
    fn inside(self, around: impl FnOnce(Arc<Expr>) -> Expr) -> Self {
        Self {
            expr: shared(around(self.expr)),
            ..self
        }
    }
}

/// Whether a condition is more than one atom.
pub(super) fn has_connectives(expr: &Expr) -> bool {
    match expr {
        Expr::UnaryOp { op: UnaryOp::Not, expr } => has_connectives(expr),
        Expr::BinaryOp { op, .. } => matches!(op, BinaryOp::And | BinaryOp::Or),
        Expr::IfThenElse { .. } => true,
        _ => false,
    }
}

/// Every single change of a condition.
pub(super) fn variants(expr: &Arc<Expr>, table: &FactTable) -> Vec<Variant> {
    match expr.as_ref() {
        Expr::BinaryOp {
            op: op @ (BinaryOp::And | BinaryOp::Or),
            ..
        } => in_chain(&chain(expr, *op), *op, table),
        Expr::UnaryOp {
            op: UnaryOp::Not,
            expr: inner,
        } => {
            let mut all = vec![Variant::new(Operator::Negate, expr, inner.as_ref().clone())];
            // The contrary of what is negated says the same again.
            let below = variants(inner, table).into_iter();
            all.extend(
                below
                    .filter(|variant| variant.operator != Operator::Negate || has_connectives(inner))
                    .map(|variant| variant.inside(not)),
            );
            all
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => {
            let parts = [cond, then_expr, else_expr];
            let around = |place: usize, other: Arc<Expr>| {
                let [cond, then_expr, else_expr] = std::array::from_fn(|index| match parts.get(index) {
                    Some(part) if index != place => Arc::clone(part),
                    _ => Arc::clone(&other),
                });
                Expr::IfThenElse {
                    cond,
                    then_expr,
                    else_expr,
                }
            };
            let of_part = |(place, part): (usize, &&Arc<Expr>)| {
                let below = variants(part, table).into_iter();
                below
                    .map(|variant| variant.inside(|expr| around(place, expr)))
                    .collect::<Vec<_>>()
            };
            parts.iter().enumerate().flat_map(of_part).collect()
        }
        atom => {
            let mut all = vec![Variant::new(Operator::Negate, atom, negated(expr))];
            all.extend(of_atom(atom, table));
            all
        }
    }
}

/// The links of `a && b && …`, however it is bracketed.
fn chain(expr: &Arc<Expr>, link: BinaryOp) -> Vec<Arc<Expr>> {
    match expr.as_ref() {
        Expr::BinaryOp { op, left, right } if *op == link => {
            let mut links = chain(left, link);
            links.extend(chain(right, link));
            links
        }
        _ => vec![Arc::clone(expr)],
    }
}

/// `links` with `link` between them. There is at least one.
fn joined(links: impl IntoIterator<Item = Arc<Expr>>, link: BinaryOp) -> Option<Arc<Expr>> {
    links
        .into_iter()
        .reduce(|left, right| shared(Expr::BinaryOp { op: link, left, right }))
}

fn in_chain(links: &[Arc<Expr>], op: BinaryOp, table: &FactTable) -> Vec<Variant> {
    let mut all = Vec::new();
    for (place, link) in links.iter().enumerate() {
        let with = |other: Option<Arc<Expr>>| {
            let parts = links.iter().enumerate();
            let parts = parts.filter_map(|(index, part)| match (index == place, &other) {
                (false, _) => Some(Arc::clone(part)),
                (true, other) => other.clone(),
            });
            joined(parts, op)
        };
        if let Some(expr) = with(None) {
            all.push(Variant {
                operator: Operator::DropClause,
                change: format!("without `{link}`"),
                expr,
            });
        }
        let below = variants(link, table).into_iter();
        all.extend(below.filter_map(|variant| {
            let expr = with(Some(Arc::clone(&variant.expr)))?;
            Some(Variant { expr, ..variant })
        }));
    }
    all
}

fn not(expr: Arc<Expr>) -> Expr {
    Expr::UnaryOp { op: UnaryOp::Not, expr }
}

/// The contrary of an atom: another comparison where there is one. Twice gives the atom again.
pub(super) fn negated(atom: &Arc<Expr>) -> Expr {
    let Expr::BinaryOp { op, left, right } = atom.as_ref() else {
        return match atom.as_ref() {
            Expr::UnaryOp { op: UnaryOp::Not, expr } => expr.as_ref().clone(),
            _ => not(Arc::clone(atom)),
        };
    };
    let contrary = match op {
        BinaryOp::Eq => BinaryOp::NotEq,
        BinaryOp::NotEq => BinaryOp::Eq,
        BinaryOp::Less => BinaryOp::GreaterEq,
        BinaryOp::GreaterEq => BinaryOp::Less,
        BinaryOp::LessEq => BinaryOp::Greater,
        BinaryOp::Greater => BinaryOp::LessEq,
        _ => return not(Arc::clone(atom)),
    };
    binary(contrary, left, right)
}

fn binary(op: BinaryOp, left: &Arc<Expr>, right: &Arc<Expr>) -> Expr {
    Expr::BinaryOp {
        op,
        left: Arc::clone(left),
        right: Arc::clone(right),
    }
}

/// Changes of what an atom compares a fact with.
fn of_atom(atom: &Expr, table: &FactTable) -> Vec<Variant> {
    let Expr::BinaryOp { op, left, right } = atom else {
        return Vec::new();
    };
    match op {
        BinaryOp::Less | BinaryOp::LessEq | BinaryOp::Greater | BinaryOp::GreaterEq => {
            let shifted = shifted(atom, *op, left, right);
            // In whole numbers `<` with another bound is `<=`: only where there is no number, it is swapped.
            if shifted.is_empty() {
                vec![Variant::new(
                    Operator::ShiftBound,
                    atom,
                    binary(swapped(*op), left, right),
                )]
            } else {
                shifted
            }
        }
        BinaryOp::Eq | BinaryOp::NotEq => {
            let mut all = shifted(atom, *op, left, right);
            all.extend(other_words(atom, *op, left, right, table));
            all.extend(other_words(atom, *op, right, left, table));
            all
        }
        BinaryOp::Contains => match (left.as_ref(), right.as_ref()) {
            (Expr::Set(words), fact) => sets(atom, words, fact, table, |set| binary(*op, &set, right)),
            (fact, Expr::Literal(Literal::String(_))) if fact_type(fact, table).is_some() => {
                vec![Variant::new(
                    Operator::ChangeWord,
                    atom,
                    binary(*op, left, &word(OTHER_WORD)),
                )]
            }
            _ => Vec::new(),
        },
        BinaryOp::ContainsAll | BinaryOp::ContainsAny => match (left.as_ref(), right.as_ref()) {
            (Expr::Set(words), fact) => sets(atom, words, fact, table, |set| binary(*op, &set, right)),
            (fact, Expr::Set(words)) => sets(atom, words, fact, table, |set| binary(*op, left, &set)),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

const fn swapped(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::LessEq,
        BinaryOp::LessEq => BinaryOp::Less,
        BinaryOp::Greater => BinaryOp::GreaterEq,
        _ => BinaryOp::Greater,
    }
}

/// With the number one smaller, and one larger.
fn shifted(atom: &Expr, op: BinaryOp, left: &Arc<Expr>, right: &Arc<Expr>) -> Vec<Variant> {
    let near = |number: i64| [number.checked_sub(1), number.checked_add(1)].into_iter().flatten();
    let literal = |number| shared(Expr::Literal(Literal::Long(number)));
    let after: Vec<Expr> = match (left.as_ref(), right.as_ref()) {
        (_, Expr::Literal(Literal::Long(number))) => near(*number).map(|n| binary(op, left, &literal(n))).collect(),
        (Expr::Literal(Literal::Long(number)), _) => near(*number).map(|n| binary(op, &literal(n), right)).collect(),
        _ => Vec::new(),
    };
    let of = |after| Variant::new(Operator::ShiftBound, atom, after);
    after.into_iter().map(of).collect()
}

/// With a neighbour of the word instead of it, and beside it.
fn other_words(atom: &Expr, op: BinaryOp, fact: &Arc<Expr>, literal: &Arc<Expr>, table: &FactTable) -> Vec<Variant> {
    let (Some(fact_type), Expr::Literal(Literal::String(was))) = (fact_type(fact, table), literal.as_ref()) else {
        return Vec::new();
    };
    let FactType::Word(words) = fact_type else {
        return vec![Variant::new(
            Operator::ChangeWord,
            atom,
            binary(op, fact, &word(OTHER_WORD)),
        )];
    };
    // Its neighbours only: words often have an order, and one mutant for each word would drown the rest.
    let place = words.iter().position(|word| *word == was.as_str());
    let beside = |place: usize| [place.checked_sub(1), place.checked_add(1)];
    let neighbours = place
        .into_iter()
        .flat_map(beside)
        .flatten()
        .filter_map(|at| words.get(at));
    let link = if op == BinaryOp::Eq {
        BinaryOp::Or
    } else {
        BinaryOp::And
    };
    neighbours
        .flat_map(|near| {
            let other = binary(op, fact, &word(near));
            let beside = binary(link, &shared(atom.clone()), &shared(other.clone()));
            [
                Variant::new(Operator::ChangeWord, atom, other),
                Variant::new(Operator::Widen, atom, beside),
            ]
        })
        .collect()
}

/// With one more word in the set, and without each.
fn sets(
    atom: &Expr,
    words: &[Arc<Expr>],
    fact: &Expr,
    table: &FactTable,
    with: impl Fn(Arc<Expr>) -> Expr,
) -> Vec<Variant> {
    let is_in = |word: &str| {
        words
            .iter()
            .any(|other| matches!(other.as_ref(), Expr::Literal(Literal::String(text)) if text == word))
    };
    let more = match fact_type(fact, table) {
        Some(FactType::Word(known)) => known.iter().copied().find(|word| !is_in(word)),
        Some(FactType::Text | FactType::Set) => Some(OTHER_WORD),
        _ => None,
    };
    let larger = more.map(|more| words.iter().cloned().chain([word(more)]).collect());
    let smaller = (0..words.len()).map(|place| {
        let rest = words.iter().enumerate().filter(|(index, _)| *index != place);
        rest.map(|(_, word)| Arc::clone(word)).collect()
    });
    let of = |words: Vec<Arc<Expr>>| Variant::new(Operator::Widen, atom, with(shared(Expr::Set(words))));
    larger.into_iter().chain(smaller).map(of).collect()
}

fn word(text: &str) -> Arc<Expr> {
    shared(Expr::Literal(Literal::String(text.into())))
}

fn fact_type(expr: &Expr, table: &FactTable) -> Option<FactType> {
    if matches!(expr, Expr::HasAttr { .. }) {
        return None;
    }
    let path = context_path(expr)?;
    table.row(&path.join(".")).map(|row| row.fact_type)
}
