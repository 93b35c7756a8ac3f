//! Whether the cases notice a mutant.

use std::cell::OnceCell;

use holdpoint_schemas::pack::ResolvedCase;

use super::Mutant;
use crate::cases::{Bench, Change, Row, run};
use crate::policy::{Pack, with_stack};

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate<'a> {
    /// This case fails with it.
    Killed(&'a ResolvedCase),
    /// No pack would compile with it; why.
    Stillborn(String),
    /// Every case is as before.
    Survived,
}

impl<'a> Bench<'a> {
    /// Tries the cases on a mutant, those first that its policy decides. Cases that fail without any
    /// mutant say nothing.
    #[must_use]
    pub fn try_out(&self, mutant: &Mutant, rows: &'a [Row<'a>]) -> Fate<'a> {
        with_stack(|| self.tried(mutant, rows))
    }

    fn tried(&self, mutant: &Mutant, rows: &'a [Row<'a>]) -> Fate<'a> {
        if let Some((policy, _)) = &mutant.cedar
            && let Err(why) = self.pack.accepts(&self.validator, policy)
        {
            return Fate::Stillborn(why);
        }
        let Some(policy) = self.pack.policies().iter().position(|info| info.id == mutant.policy) else {
            return Fate::Stillborn(format!("the pack has no policy `{}`", mutant.policy));
        };
        let change = Change {
            policy,
            instead: mutant.cedar.as_ref().map(|(_, alone)| alone),
        };
        let pack = OnceCell::new();
        let decided = |is_decided: bool| rows.iter().filter(move |row| row.is_met_by(policy) == is_decided);
        decided(true)
            .chain(decided(false))
            .find(|row| self.notices(row, change, || pack.get_or_init(|| mutant.in_pack(self.pack))))
            .map_or(Fate::Survived, |row| Fate::Killed(row.case))
    }

    fn notices<'b>(&self, row: &Row<'_>, change: Change<'_>, pack: impl FnOnce() -> &'b Pack) -> bool {
        if self.says_the_same(row, change) {
            return false;
        }
        let (before, after) = (self.outcome(row, None), self.outcome(row, Some(change)));
        let case = &row.case.case;
        if before == after || !before.satisfies(case) {
            return false;
        }
        // Only the whole pack can tell the words of its reasons.
        !after.satisfies(case) || (!case.reasons.is_empty() && !run(pack(), row.case).passed())
    }
}
