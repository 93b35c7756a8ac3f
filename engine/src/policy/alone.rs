//! Policies one at a time, for who asks each of them very often.

use cedar_policy::{Authorizer, Entities, Policy, PolicySet, Request, ValidationMode, Validator};
use holdpoint_schemas::fact::{Action, FactSet};

use super::{Asker, Pack, reads};

/// Whether a policy applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// It applies.
    Yes,
    /// It doesn't.
    No,
    /// It can't be evaluated.
    Failed,
}

/// A policy in a set of its own, which is what Cedar evaluates.
#[derive(Debug, Clone)]
pub(crate) struct Alone(PolicySet);

impl Alone {
    /// The set; `None` if Cedar refuses to make it.
    pub(crate) fn new(policy: &Policy) -> Option<Self> {
        PolicySet::from_policies([policy.clone()]).ok().map(Self)
    }

    /// Whether it applies; a policy for another action doesn't.
    pub(crate) fn applies(&self, request: &Request) -> Match {
        let response = Authorizer::new().is_authorized(request, &self.0, &Entities::empty());
        let diagnostics = response.diagnostics();
        if diagnostics.errors().next().is_some() {
            Match::Failed
        } else if diagnostics.reason().next().is_some() {
            Match::Yes
        } else {
            Match::No
        }
    }
}

impl Pack {
    /// The request that asks one action about facts.
    pub(crate) fn asked(&self, action: Action, facts: &FactSet) -> Result<Request, String> {
        self.request(action, &Asker::anyone(), facts)
    }

    /// What validates policies as packs do when they are compiled.
    pub(crate) fn validator(&self) -> Validator {
        Validator::new((*self.schema).clone())
    }

    /// Whether a pack with this policy would compile: strict, and without warnings.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn accepts(&self, validator: &Validator, policy: &Policy) -> Result<(), String> {
        let set = PolicySet::from_policies([policy.clone()]).map_err(|error| error.to_string())?;
        let result = validator.validate(&set, ValidationMode::Strict);
        let error = result.validation_errors().map(ToString::to_string).next();
        let why = error.or_else(|| result.validation_warnings().map(ToString::to_string).next());
        match why {
            Some(why) => Err(why),
            None if reads::of_policy(policy, &self.facts).is_none() => Err("it reads what policies may not".to_owned()),
            None => Ok(()),
        }
    }
}
