//! What the translation of a formula to SMT costs.

use cedar_policy::pst::{BinaryOp, Expr, UnaryOp};

/// Stack that one step needs, and how much more is taken when it isn't there.
const STEP_BYTES: usize = 128 << 10;
const STACK_BYTES: usize = 64 << 20;

/// What a formula becomes: how many terms, written out in full, and whether it may fail to be evaluated.
#[derive(Debug, Clone, Copy)]
struct Cost {
    terms: u64,
    may_fail: bool,
}

/// Roughly how many terms the symbolic compiler makes of a formula, shared ones counted each time: so it
/// compares and sorts them. An operand that may fail is there twice, once to see whether it failed and once
/// for its value, and arithmetic has its operands once more for the overflow. Each level of these therefore
/// doubles or trebles what is below.
pub(crate) fn terms(formula: &Expr) -> u64 {
    cost(formula).terms
}

fn cost(expr: &Expr) -> Cost {
    stacker::maybe_grow(STEP_BYTES, STACK_BYTES, || step(expr))
}

fn step(expr: &Expr) -> Cost {
    match expr {
        Expr::UnaryOp { op, expr } => {
            let arithmetic = !matches!(op, UnaryOp::Not | UnaryOp::IsEmpty);
            of(arithmetic, [cost(expr)], [])
        }
        // The right one is copied nowhere: its failure is the whole's.
        Expr::BinaryOp {
            op: BinaryOp::And | BinaryOp::Or,
            left,
            right,
        } => of(false, [cost(left)], [cost(right)]),
        Expr::BinaryOp { op, left, right } => {
            let arithmetic = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul);
            of(arithmetic, [cost(left), cost(right)], [])
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => of(false, [cost(cond)], [cost(then_expr), cost(else_expr)]),
        Expr::GetAttr { expr, .. } | Expr::HasAttr { expr, .. } | Expr::Like { expr, .. } => {
            of(false, [cost(expr)], [])
        }
        Expr::Set(items) => of(false, items.iter().map(|item| cost(item)), []),
        Expr::Record(fields) => of(false, fields.values().map(|field| cost(field)), []),
        _ => Cost {
            terms: 1,
            may_fail: false,
        },
    }
}

/// A step with the operands that it looks at and those that it only passes on.
fn of(arithmetic: bool, operands: impl IntoIterator<Item = Cost>, passed: impl IntoIterator<Item = Cost>) -> Cost {
    let operands = operands.into_iter().map(|operand| Cost {
        terms: operand
            .terms
            .saturating_mul(1 + u64::from(operand.may_fail) + u64::from(arithmetic)),
        ..operand
    });
    let whole = Cost {
        terms: 1,
        may_fail: arithmetic,
    };
    operands.chain(passed).fold(whole, |whole, part| Cost {
        terms: whole.terms.saturating_add(part.terms),
        may_fail: whole.may_fail || part.may_fail,
    })
}
