//! Every policy of a pack, asked by itself about every case: what coverage and mutation rest on.
//!
//! When one policy changes, what the pack says is put together again from the others' old answers and
//! the new one's, so that trying thousands of mutants takes seconds.

use std::collections::BTreeSet;

use cedar_policy::{Request, Validator};
use holdpoint_schemas::Level;
use holdpoint_schemas::fact::Action;
use holdpoint_schemas::pack::ResolvedCase;

use super::expect::{NO_PERMIT, Outcome};
use crate::policy::{Alone, Effect, Match, Pack, with_stack};

/// A pack on the bench.
#[derive(Debug)]
pub struct Bench<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) validator: Validator,
    /// In the order of the pack's policies.
    policies: Vec<Option<Alone>>,
}

/// A case on the bench: what each policy by itself says to it.
#[derive(Debug)]
pub struct Row<'a> {
    pub(crate) case: &'a ResolvedCase,
    /// In the order of [`Action::ALL`].
    columns: [Column; 3],
}

#[derive(Debug)]
struct Column {
    action: Action,
    /// `None`: the facts can't be put to Cedar.
    request: Option<Request>,
    /// In the order of the pack's policies; [`Match::No`] for those of other actions.
    matches: Vec<Match>,
}

/// A policy, by its place in the pack, that says something else than the pack's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) policy: usize,
    /// `None`: it is gone.
    pub(crate) instead: Option<&'a Alone>,
}

/// What the pack says to one action: places of policies.
enum Answer {
    Permitted(Vec<usize>),
    Denied(Vec<usize>),
    Failed(Vec<usize>),
}

impl<'a> Bench<'a> {
    /// Puts a pack on the bench.
    #[must_use]
    pub fn new(pack: &'a Pack) -> Self {
        with_stack(|| Self {
            pack,
            validator: pack.validator(),
            policies: pack.cedar().map(|(_, policy)| Alone::new(policy)).collect(),
        })
    }

    /// Asks every policy about a case.
    #[must_use]
    pub fn row(&self, case: &'a ResolvedCase) -> Row<'a> {
        with_stack(|| self.asked(case))
    }

    fn asked(&self, case: &'a ResolvedCase) -> Row<'a> {
        let columns = Action::ALL.map(|action| {
            let request = self.pack.asked(action, &case.facts).ok();
            let infos = self.pack.policies().iter();
            let matches = infos.zip(&self.policies).map(|(info, alone)| match (alone, &request) {
                _ if !info.actions.contains(&action) => Match::No,
                (Some(alone), Some(request)) => alone.applies(request),
                _ => Match::Failed,
            });
            Column {
                action,
                matches: matches.collect(),
                request,
            }
        });
        Row { case, columns }
    }

    /// What the pack says to a case, with one policy changed or as it is. The same as
    /// [`crate::decide::assess`] says of the changed pack.
    pub(crate) fn outcome(&self, row: &Row<'_>, change: Option<Change<'_>>) -> Outcome<'a> {
        let mut outcome = Outcome {
            level: Level::Alert,
            bounds: BTreeSet::new(),
            permitted_by: BTreeSet::new(),
            promote_bounds: BTreeSet::new(),
            promote_permitted_by: BTreeSet::new(),
        };
        for (level, action) in [(Level::AutoApply, Action::AutoApply), (Level::Suggest, Action::Suggest)] {
            match self.answer(row, action, change) {
                Answer::Permitted(policies) => {
                    outcome.level = level;
                    outcome.permitted_by = self.ids(&policies);
                    break;
                }
                Answer::Denied(policies) => outcome.bounds.extend(self.withholding(&policies)),
                Answer::Failed(policies) => {
                    outcome.bounds = self.ids(&policies);
                    break;
                }
            }
        }
        match self.answer(row, Action::Promote, change) {
            Answer::Permitted(policies) => outcome.promote_permitted_by = self.ids(&policies),
            Answer::Denied(policies) => outcome.promote_bounds = self.withholding(&policies),
            Answer::Failed(policies) => outcome.promote_bounds = self.ids(&policies),
        }
        outcome
    }

    fn answer(&self, row: &Row<'_>, action: Action, change: Option<Change<'_>>) -> Answer {
        let Some(column) = row.column(action) else {
            return Answer::Failed(Vec::new());
        };
        let (mut permits, mut forbids, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (info, own)) in self.pack.policies().iter().zip(&column.matches).enumerate() {
            let says = match change {
                Some(change) if change.policy == place => column.changed(change, info.actions.contains(&action)),
                _ => *own,
            };
            match (says, info.effect) {
                (Match::No, _) => {}
                (Match::Failed, _) => failed.push(place),
                (Match::Yes, Effect::Permit) => permits.push(place),
                (Match::Yes, Effect::Forbid) => forbids.push(place),
            }
        }
        if column.request.is_none() || !failed.is_empty() {
            Answer::Failed(failed)
        } else if forbids.is_empty() && !permits.is_empty() {
            Answer::Permitted(permits)
        } else {
            Answer::Denied(forbids)
        }
    }

    /// Whether a changed policy says the same to a case as the pack's own.
    pub(crate) fn says_the_same(&self, row: &Row<'_>, change: Change<'_>) -> bool {
        let info = self.pack.policies().get(change.policy);
        row.columns.iter().all(|column| {
            let is_for = info.is_some_and(|info| info.actions.contains(&column.action));
            Some(&column.changed(change, is_for)) == column.matches.get(change.policy)
        })
    }

    fn withholding(&self, forbids: &[usize]) -> BTreeSet<&'a str> {
        if forbids.is_empty() {
            BTreeSet::from([NO_PERMIT])
        } else {
            self.ids(forbids)
        }
    }

    fn ids(&self, places: &[usize]) -> BTreeSet<&'a str> {
        let infos = places.iter().filter_map(|place| self.pack.policies().get(*place));
        infos.map(|info| info.id.as_str()).collect()
    }
}

impl Row<'_> {
    fn column(&self, action: Action) -> Option<&Column> {
        self.columns.iter().find(|column| column.action == action)
    }

    /// What Cedar is asked for an action.
    pub(crate) fn request(&self, action: Action) -> Option<&Request> {
        self.column(action)?.request.as_ref()
    }

    /// Whether a policy of the pack applies under some action.
    pub(crate) fn is_met_by(&self, policy: usize) -> bool {
        let matches = |column: &Column| column.matches.get(policy) == Some(&Match::Yes);
        self.columns.iter().any(matches)
    }
}

impl Column {
    fn changed(&self, change: Change<'_>, is_for_action: bool) -> Match {
        match (change.instead, &self.request) {
            (Some(alone), Some(request)) if is_for_action => alone.applies(request),
            _ => Match::No,
        }
    }
}
