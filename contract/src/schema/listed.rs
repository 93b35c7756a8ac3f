//! Values that a schema lists: by `enum`, by `const`, or as a choice among constants that gives each a title.

use super::View;
use super::compare::Comparison;
use crate::tree::{NodeId, Sym, word};

/// How a schema lists its values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Enum,
    Const,
    Choice,
}

/// Keywords that an alternative of a choice among constants may have.
const OF_A_CONSTANT: [Sym; 5] = [word::CONST, word::ENUM, word::TYPE, word::TITLE, word::DEPRECATED];

/// The values of a choice in which each alternative is nothing but its value.
fn constants(view: &View<'_>) -> Option<Vec<NodeId>> {
    let lists = [word::ONE_OF, word::ANY_OF].map(|keyword| view.alternatives(keyword));
    let [only, other] = &lists;
    let list = match (only.is_empty(), other.is_empty()) {
        (false, true) => only,
        (true, false) => other,
        _ => return None,
    };
    let mut found = Vec::new();
    for schema in list {
        let inner = View::one(view.bundle, *schema);
        let mere = inner.keywords().all(|keyword| OF_A_CONSTANT.contains(&keyword));
        match (inner.values(), inner.get(word::CONST)) {
            (Some(values), None) if mere => found.extend(values),
            (None, Some(value)) if mere => found.push(value),
            _ => return None,
        }
    }
    Some(found)
}

fn listed(view: &View<'_>) -> Option<(Way, Vec<NodeId>)> {
    match (view.values(), view.get(word::CONST)) {
        (Some(values), None) => Some((Way::Enum, values)),
        (None, Some(value)) => Some((Way::Const, vec![value])),
        (None, None) => Some((Way::Choice, constants(view)?)),
        _ => None,
    }
}

impl Comparison<'_, '_> {
    /// Compares lists that are written in two ways; says whether they were.
    pub(super) fn relisted(&mut self) -> bool {
        let (Some((was, old)), Some((is, new))) = (listed(&self.old), listed(&self.new)) else {
            return false;
        };
        if was == is {
            return false;
        }
        self.lists("enum-value-removed", "enum-value-added", &old, &new);
        true
    }
}
