//! Bounds of numbers: what the keywords of a schema allow together.

use std::cmp::Ordering;

use super::View;
use super::compare::Comparison;
use super::what::{BOUNDS, Bound, BoundRow};
use crate::tree::{Sym, word};

/// Share by which a quotient of fractions may miss a whole number: 0.3 / 0.1 isn't 3.
const NEARLY: f64 = 1e-9;

/// The value of a bound; in OpenAPI 3.0 an exclusive bound is the plain one with a mark.
fn bound(view: &View<'_>, row: &BoundRow) -> Option<f64> {
    let tightest: fn(f64, f64) -> f64 = match row.bound {
        Bound::Upper => f64::min,
        Bound::Lower | Bound::Multiple => f64::max,
    };
    let marked = |plain: Sym, mark: Sym| view.number(plain, tightest).filter(|_| view.flag(mark));
    match row.keyword {
        word::EXCLUSIVE_MAXIMUM => view
            .number(row.keyword, tightest)
            .or_else(|| marked(word::MAXIMUM, row.keyword)),
        word::EXCLUSIVE_MINIMUM => view
            .number(row.keyword, tightest)
            .or_else(|| marked(word::MINIMUM, row.keyword)),
        word::MAXIMUM if view.flag(word::EXCLUSIVE_MAXIMUM) => None,
        word::MINIMUM if view.flag(word::EXCLUSIVE_MINIMUM) => None,
        keyword => view.number(keyword, tightest),
    }
}

/// The number as it is written, where it is a whole one that a float may not hold.
fn whole(view: &View<'_>, keyword: Sym) -> Option<i128> {
    match view.distinct(keyword).as_slice() {
        [only] => view.bundle.tree.digits(*only)?.parse().ok(),
        _ => None,
    }
}

/// A bound of values, looked at so that a greater one allows more: for lower bounds both signs are turned.
fn reach(plain: Option<f64>, exclusive: Option<f64>, sign: f64, integer: bool) -> Option<(f64, bool)> {
    let turned = |value: f64, open: bool| {
        let value = value * sign;
        match (integer, open) {
            (true, true) => (value.ceil() - 1.0, false),
            (true, false) => (value.floor(), false),
            (false, _) => (value, open),
        }
    };
    let found = plain.map(|value| turned(value, false));
    let other = exclusive.map(|value| turned(value, true));
    match (found, other) {
        (Some(a), Some(b)) if b.0 < a.0 || b.0 <= a.0 && b.1 => Some(b),
        (a, b) => a.or(b),
    }
}

/// How far a divisor is from another: whether the quotient is a whole number.
fn divides(divisor: f64, number: f64) -> bool {
    let quotient = number / divisor;
    quotient.round() >= 1.0 && (quotient - quotient.round()).abs() <= NEARLY * quotient
}

impl Comparison<'_, '_> {
    pub(super) fn bounds(&mut self) {
        let together = [
            (word::MAXIMUM, word::EXCLUSIVE_MAXIMUM, 1.0),
            (word::MINIMUM, word::EXCLUSIVE_MINIMUM, -1.0),
        ];
        let moved: Vec<Sym> = together
            .into_iter()
            .filter(|(plain, exclusive, sign)| self.moved(*plain, *exclusive, *sign))
            .flat_map(|(plain, exclusive, _)| [plain, exclusive])
            .collect();
        for row in BOUNDS.iter().filter(|row| !moved.contains(&row.keyword)) {
            self.bound(row);
        }
    }

    /// Compares what two keywords allow together, where one took the place of the other or came beside it; says
    /// whether it did.
    fn moved(&mut self, plain: Sym, exclusive: Sym, sign: f64) -> bool {
        let row = |keyword: Sym| BOUNDS.iter().find(|row| row.keyword == keyword);
        let (Some(row), Some(open)) = (row(plain), row(exclusive)) else {
            return false;
        };
        let old = (bound(&self.old, row), bound(&self.old, open));
        let new = (bound(&self.new, row), bound(&self.new, open));
        if old.0.is_some() == new.0.is_some() && old.1.is_some() == new.1.is_some() {
            return false;
        }
        let is_integer = |view: &View<'_>| view.types().into_iter().eq(["integer"]);
        let integer = is_integer(&self.old) && is_integer(&self.new);
        let (Some(before), Some(after)) = (reach(old.0, old.1, sign, integer), reach(new.0, new.1, sign, integer))
        else {
            return false;
        };
        let order = before.0.total_cmp(&after.0).then(after.1.cmp(&before.1));
        let grows = if sign > 0.0 { order } else { order.reverse() };
        let name = self.graph.base.tree.str(plain).to_owned();
        match grows {
            Ordering::Equal => {}
            Ordering::Less => self.row(
                row.increased,
                format!("what `{name}` and its exclusive form allow changed"),
            ),
            Ordering::Greater => self.row(
                row.decreased,
                format!("what `{name}` and its exclusive form allow changed"),
            ),
        }
        true
    }

    /// A bound on both sides. At least one item must be found where nothing else is said (JSON Schema 2020-12
    /// validation §6.4.5); without `contains` there is none to find.
    fn bounded(&self, row: &BoundRow) -> (Option<f64>, Option<f64>) {
        let (old, new) = (bound(&self.old, row), bound(&self.new, row));
        match row.keyword {
            word::MIN_CONTAINS | word::MAX_CONTAINS => {
                let seeks = |view: &View<'_>| view.get(word::CONTAINS).is_some();
                if !seeks(&self.old) || !seeks(&self.new) {
                    return (None, None);
                }
                let default = (row.keyword == word::MIN_CONTAINS).then_some(1.0);
                (old.or(default), new.or(default))
            }
            _ => (old, new),
        }
    }

    fn bound(&mut self, row: &BoundRow) {
        let name = self.graph.base.tree.str(row.keyword).to_owned();
        let (what, text) = match self.bounded(row) {
            (None, Some(new)) => (row.set, format!("`{name}` is new: {new}")),
            (Some(old), None) => (row.unset, format!("`{name}` was {old}, is gone")),
            (Some(old), Some(new)) => {
                let text = format!("`{name}` was {old}, is {new}");
                let order = old.partial_cmp(&new).map(|order| match order {
                    Ordering::Equal => {
                        let both = whole(&self.old, row.keyword).zip(whole(&self.new, row.keyword));
                        both.map_or(Ordering::Equal, |(old, new)| old.cmp(&new))
                    }
                    other => other,
                });
                match (row.bound, order) {
                    (_, Some(Ordering::Equal)) => return,
                    (Bound::Multiple, _) if divides(old, new) => (row.increased, text),
                    (Bound::Multiple, _) if divides(new, old) => (row.decreased, text),
                    // Neither divides the other: what was possible isn't, and the other way round.
                    (Bound::Multiple, _) => {
                        self.row(row.increased, text.clone());
                        (row.decreased, text)
                    }
                    (_, Some(Ordering::Less)) => (row.increased, text),
                    _ => (row.decreased, text),
                }
            }
            (None, None) => return,
        };
        self.row(what, text);
    }
}
