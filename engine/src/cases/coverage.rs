//! What a pack's cases cover: which policies decide some case, which conditions are seen both ways.

use cedar_policy::Request;
use holdpoint_schemas::Level;
use holdpoint_schemas::fact::Action;
use serde::Serialize;

use super::bench::{Bench, Row};
use super::expect::Outcome;
use crate::policy::{Atom, Condition, with_stack};

/// How far the cases cover a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyCoverage {
    /// Its id.
    pub id: String,
    /// How many cases it decided: it permits what they expect, or is among what withholds the rest.
    pub decided: usize,
    /// Its conditions, in the order of its text.
    pub conditions: Vec<AtomCoverage>,
}

/// How often a condition without connectives (a comparison, `has`, a yes-or-no fact) was seen each way,
/// each action of each case by itself. What `&&` and `||` pass over isn't seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtomCoverage {
    /// As Cedar writes it.
    pub text: String,
    /// How often it was true.
    pub yes: usize,
    /// How often it was false.
    pub no: usize,
}

impl AtomCoverage {
    /// What no case shows of it: `never reached`, `never true` or `never false`.
    #[must_use]
    pub const fn gap(&self) -> Option<&'static str> {
        match (self.yes, self.no) {
            (0, 0) => Some("never reached"),
            (0, _) => Some("never true"),
            (_, 0) => Some("never false"),
            _ => None,
        }
    }
}

impl Bench<'_> {
    /// How far the cases cover the policy `id`; `None` without such a policy.
    #[must_use]
    pub fn coverage(&self, id: &str, rows: &[Row<'_>]) -> Option<PolicyCoverage> {
        with_stack(|| self.covered(id, rows))
    }

    fn covered(&self, id: &str, rows: &[Row<'_>]) -> Option<PolicyCoverage> {
        let info = self.pack.policy(id)?;
        let condition = self.pack.condition(id)?;
        let mut tally = Tally::default();
        condition.atoms(&mut |atom| tally.0.push((atom, 0, 0)));
        let mut decided = 0;
        for row in rows {
            let outcome = self.outcome(row, None);
            decided += usize::from(is_decided(id, row, &outcome));
            for action in asked(row, &outcome).filter(|action| info.actions.contains(action)) {
                if let Some(request) = row.request(action) {
                    tally.evaluate(&condition, request);
                }
            }
        }
        let conditions = tally.0.into_iter().map(|(atom, yes, no)| AtomCoverage {
            text: atom.text.clone(),
            yes,
            no,
        });
        Some(PolicyCoverage {
            id: id.to_owned(),
            decided,
            conditions: conditions.collect(),
        })
    }
}

/// Whether the policy is part of what the case sees of the pack's answer.
fn is_decided(id: &str, row: &Row<'_>, outcome: &Outcome<'_>) -> bool {
    let case = &row.case.case;
    let level = outcome.bounds.contains(id) || outcome.permitted_by.contains(id);
    let promotion = outcome.promote_bounds.contains(id) || outcome.promote_permitted_by.contains(id);
    (case.is_about_level() && level) || (case.is_about_promotion() && promotion)
}

/// The actions whose answer the case sees.
fn asked(row: &Row<'_>, outcome: &Outcome<'_>) -> impl Iterator<Item = Action> {
    let case = &row.case.case;
    let (level, promotion) = (case.is_about_level(), case.is_about_promotion());
    let suggest = outcome.level < Level::AutoApply;
    Action::ALL.into_iter().filter(move |action| match action {
        Action::AutoApply => level,
        Action::Suggest => level && suggest,
        Action::Promote => promotion,
    })
}

/// How often each atom was true and false.
#[derive(Default)]
struct Tally<'a>(Vec<(&'a Atom, usize, usize)>);

impl<'a> Tally<'a> {
    /// Evaluates as Cedar does, from left to right and no farther than it must; `None` where an
    /// atom can't be evaluated, which ends it all.
    fn evaluate(&mut self, condition: &'a Condition, request: &Request) -> Option<bool> {
        match condition {
            Condition::All(parts) => self.until(parts, false, request),
            Condition::Any(parts) => self.until(parts, true, request),
            Condition::Not(inner) => self.evaluate(inner, request).map(|yes| !yes),
            Condition::If(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let taken = if self.evaluate(condition, request)? {
                    then
                } else {
                    otherwise
                };
                self.evaluate(taken, request)
            }
            Condition::Atom(atom) => {
                let holds = atom.holds(request)?;
                if let Some((_, yes, no)) = self.0.iter_mut().find(|(other, ..)| std::ptr::eq(*other, atom)) {
                    *(if holds { yes } else { no }) += 1;
                }
                Some(holds)
            }
        }
    }

    /// Goes through the parts until one is `stop`.
    fn until(&mut self, parts: &'a [Condition], stop: bool, request: &Request) -> Option<bool> {
        for part in parts {
            if self.evaluate(part, request)? == stop {
                return Some(stop);
            }
        }
        Some(!stop)
    }
}
