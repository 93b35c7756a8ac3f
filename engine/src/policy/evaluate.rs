//! Asking a pack.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet,
    Request, RestrictedExpression,
};
use holdpoint_schemas::actor::Remediator;
use holdpoint_schemas::fact::{Action, FactSet, FactTable, FactValue};
use holdpoint_schemas::service::ServiceId;

use super::{Asker, Effect, Pack, PolicyInfo, shape};

/// What a pack says to one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// These policies permit it, and none forbids.
    Permitted(Vec<&'a PolicyInfo>),
    /// These policies forbid it; none: no policy permits it.
    Denied(Vec<&'a PolicyInfo>),
    /// Some policies couldn't be evaluated, by id, with why: the answer counts for nothing.
    Failed(Vec<(String, String)>),
}

/// What a pack alone says to one action: ids of policies, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// These permit it, and none forbids.
    Permitted(Vec<String>),
    /// These forbid it; none: no policy permits it.
    Denied(Vec<String>),
    /// These couldn't be evaluated, so nothing is permitted.
    Failed(Vec<String>),
}

impl Pack {
    /// Asks one action about facts as they are: none is expired. The entities don't matter, since
    /// policies may not read them.
    #[must_use]
    pub fn says(&self, action: Action, facts: &FactSet) -> Said {
        static REMEDIATOR: LazyLock<Remediator> = LazyLock::new(|| Remediator("case".to_owned()));
        static SERVICE: LazyLock<ServiceId> = LazyLock::new(|| ServiceId::from("case"));
        let asker = Asker {
            remediator: &REMEDIATOR,
            service: &SERVICE,
        };
        let ids = |policies: Vec<&PolicyInfo>| policies.into_iter().map(|policy| policy.id.clone()).collect();
        match self.evaluate(action, &asker, facts) {
            Answer::Permitted(policies) => Said::Permitted(ids(policies)),
            Answer::Denied(policies) => Said::Denied(ids(policies)),
            Answer::Failed(errors) => Said::Failed(errors.into_iter().map(|(id, _)| id).collect()),
        }
    }

    /// Whether a policy applies to these facts, be it a permit or a forbid; `None` if it can't be
    /// evaluated, isn't for that action, or isn't in the pack.
    #[must_use]
    pub fn applies(&self, id: &str, action: Action, facts: &FactSet) -> Option<bool> {
        let policy = self.policy(id).filter(|policy| policy.actions.contains(&action))?;
        match (policy.effect, self.only(id).says(action, facts)) {
            (_, Said::Failed(_)) => None,
            (Effect::Permit, said) => Some(matches!(said, Said::Permitted(_))),
            (Effect::Forbid, said) => Some(said == Said::Denied(vec![policy.id.clone()])),
        }
    }

    /// Asks whether `action` is permitted. Only facts that the action's row lists reach the context.
    pub(crate) fn evaluate(&self, action: Action, asker: &Asker<'_>, facts: &FactSet) -> Answer<'_> {
        let Some(set) = self.sets.get(&action).filter(|set| self.is_whole(action, set)) else {
            return self.failed("its policies couldn't be put together".to_owned());
        };
        let request = match self.request(action, asker, facts) {
            Ok(request) => request,
            Err(why) => return self.failed(why),
        };
        // Cedar refuses to go deep on a small stack, such as a worker thread's, and the policy then counts as
        // failed. What a pack says mustn't rest on which thread asks.
        let response = shape::with_stack(|| Authorizer::new().is_authorized(&request, set, &Entities::empty()));
        let mut errors: Vec<(String, String)> = response
            .diagnostics()
            .errors()
            .map(|AuthorizationError::PolicyEvaluationError(error)| {
                (error.policy_id().to_string(), error.inner().to_string())
            })
            .collect();
        if !errors.is_empty() {
            errors.sort();
            return Answer::Failed(errors);
        }
        // Cedar gives the ids in the order of a hash set; the pack's order makes it the same each time.
        let determining: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        let policies = self
            .policies
            .iter()
            .filter(|policy| determining.contains(&policy.id))
            .collect();
        match response.decision() {
            Decision::Allow => Answer::Permitted(policies),
            Decision::Deny => Answer::Denied(policies),
        }
    }

    fn failed(&self, why: String) -> Answer<'_> {
        Answer::Failed(vec![(self.name.clone(), why)])
    }

    fn is_whole(&self, action: Action, set: &PolicySet) -> bool {
        let expected = self.policies.iter().filter(|policy| policy.actions.contains(&action));
        set.policies().count() == expected.count()
    }

    pub(super) fn request(&self, action: Action, asker: &Asker<'_>, facts: &FactSet) -> Result<Request, String> {
        Request::new(
            entity("Remediator", &asker.remediator.0)?,
            entity("Action", action.as_str())?,
            entity("Service", asker.service.as_str())?,
            context(action, facts, &self.facts)?,
            Some(&self.schema),
        )
        .map_err(|error| format!("the facts don't fit the schema: {error}"))
    }
}

fn entity(type_name: &str, id: &str) -> Result<EntityUid, String> {
    let type_name: EntityTypeName = type_name.parse().map_err(|error| format!("{error}"))?;
    Ok(EntityUid::from_type_name_and_id(type_name, EntityId::new(id)))
}

/// Facts as nested records, by the dots of their ids.
enum Tree {
    Leaf(RestrictedExpression),
    Group(BTreeMap<&'static str, Tree>),
}

/// The context of an action. A fact of the wrong type is left out: unknown.
fn context(action: Action, facts: &FactSet, table: &FactTable) -> Result<Context, String> {
    let mut root = BTreeMap::new();
    for row in table.rows().filter(|row| row.actions.contains(&action)) {
        let value = facts.get(row.id).map(|fact| &fact.value);
        if let Some(value) = value.filter(|value| row.fact_type.accepts(value)) {
            insert(&mut root, row.id, expression(value));
        }
    }
    Context::from_pairs(pairs(root)?).map_err(|error| error.to_string())
}

fn insert(group: &mut BTreeMap<&'static str, Tree>, path: &'static str, value: RestrictedExpression) {
    match path.split_once('.') {
        None => {
            group.insert(path, Tree::Leaf(value));
        }
        Some((head, rest)) => {
            if let Tree::Group(inner) = group.entry(head).or_insert_with(|| Tree::Group(BTreeMap::new())) {
                insert(inner, rest, value);
            }
        }
    }
}

fn pairs(group: BTreeMap<&'static str, Tree>) -> Result<Vec<(String, RestrictedExpression)>, String> {
    group
        .into_iter()
        .map(|(name, node)| {
            let value = match node {
                Tree::Leaf(value) => value,
                Tree::Group(inner) => {
                    RestrictedExpression::new_record(pairs(inner)?).map_err(|error| error.to_string())?
                }
            };
            Ok((name.to_owned(), value))
        })
        .collect()
}

fn expression(value: &FactValue) -> RestrictedExpression {
    match value {
        FactValue::Bool(yes) => RestrictedExpression::new_bool(*yes),
        FactValue::Long(number) => RestrictedExpression::new_long(*number),
        FactValue::String(text) => RestrictedExpression::new_string(text.clone()),
        FactValue::Set(words) => {
            RestrictedExpression::new_set(words.iter().cloned().map(RestrictedExpression::new_string))
        }
    }
}
