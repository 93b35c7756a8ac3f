//! A question to the solver: is there a set of facts for which a formula is true?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cedar_policy::pst::{
    ActionConstraint, Clause, Effect, PrincipalConstraint, ResourceConstraint, StaticPolicy, Template,
};
use cedar_policy::{Context, EntityTypeName, EntityUid, EvalResult, Policy, RequestEnv, Schema};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::solver::SolverError;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, Env, ResetMode};
use holdpoint_schemas::fact::{FactRow, FactType, FactValue};

use crate::cost;
use crate::formula::{Formula, View, all, and, any, get, if_known, is_one_of, known, not, seen, worse};
use crate::process::Process;

/// Most terms that a question may become. The shipped packs' questions become a few thousand, and one of this
/// many takes a second or two.
const MAX_TERMS: u64 = 2_000_000;

/// What a solver is asked, over all sets of the facts `rows`.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    rows: Vec<FactRow>,
    view: View,
    formula: Formula,
    about_errors: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is no example: proved.
    Never,
    /// There is this one.
    Example(Example),
    /// It isn't known, and why.
    Open(String),
}

/// Facts for which the formula is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Example {
    /// Values of what is known.
    pub(crate) facts: BTreeMap<String, FactValue>,
    /// Those of them that [`View::Fewer`] doesn't see.
    pub(crate) hidden: BTreeSet<String>,
    /// The evidence as [`View::Worse`] sees it.
    pub(crate) worse: BTreeMap<String, FactValue>,
}

impl Question {
    /// Whether the formula can be true. `view` is the other view that it is about, if there is one.
    pub(crate) fn is_true<'a>(rows: impl IntoIterator<Item = &'a FactRow>, view: View, formula: Formula) -> Self {
        Self {
            rows: rows.into_iter().copied().collect(),
            view,
            formula,
            about_errors: false,
        }
    }

    /// Whether the formula can fail to be evaluated.
    pub(crate) fn fails<'a>(rows: impl IntoIterator<Item = &'a FactRow>, formula: Formula) -> Self {
        Self {
            about_errors: true,
            ..Self::is_true(rows, View::Whole, formula)
        }
    }

    /// A question of the same form whose answer is known: there is an example, as its formula is the other one's
    /// or that nothing is known.
    pub(crate) fn control(&self) -> Self {
        let nothing = self.rows.iter().map(|row| not(get(&known(row.id)))).collect();
        Self {
            formula: any(vec![self.formula.clone(), all(nothing)]),
            about_errors: false,
            ..self.clone()
        }
    }

    /// Puts it to a solver.
    pub(crate) async fn put_to(self, process: Process) -> Answer {
        match self.try_put_to(process).await {
            Ok(None) => Answer::Never,
            Ok(Some(env)) => match env.request.context().and_then(|context| self.read(context)) {
                Some(example) => Answer::Example(example),
                None => Answer::Open("the solver's example can't be read as facts".to_owned()),
            },
            Err(Error::SolverError(SolverError::Solver(why))) => Answer::Open(why),
            Err(Error::SolverUnknown) => Answer::Open("the solver can't tell".to_owned()),
            Err(error) => Answer::Open(format!("the question couldn't be put: {error}")),
        }
    }

    async fn try_put_to(&self, process: Process) -> Result<Option<Env>, Error> {
        let open = |error: String| Error::SolverError(SolverError::Solver(error));
        if cost::terms(&self.formula) > MAX_TERMS {
            let why = "the condition is nested too deeply to be translated; write it flatter, with less arithmetic";
            return Err(open(why.to_owned()));
        }
        let (schema, env, policy) = self.in_cedar().map_err(open)?;
        let compiled = CompiledPolicy::compile(&policy, &env, &schema)?;
        let mut compiler = CedarSymCompiler::new(process)?.with_reset_mode(ResetMode::Comment);
        if self.about_errors {
            compiler.check_never_errors_with_counterexample_opt(&compiled).await
        } else {
            compiler.check_never_matches_with_counterexample_opt(&compiled).await
        }
    }

    /// As one policy that applies exactly where the formula is true, with a schema for it.
    fn in_cedar(&self) -> Result<(Schema, RequestEnv, Policy), String> {
        let (schema, _) = Schema::from_cedarschema_str(&self.schema()).map_err(|error| error.to_string())?;
        let name = |name: &str| name.parse::<EntityTypeName>().map_err(|error| error.to_string());
        let action = "Action::\"ask\""
            .parse::<EntityUid>()
            .map_err(|error| error.to_string())?;
        let env = RequestEnv::new(name("Remediator")?, action, name("Service")?);
        let template = Template::new(
            "question",
            Effect::Permit,
            PrincipalConstraint::Any,
            ActionConstraint::Any,
            ResourceConstraint::Any,
        )
        .try_with_clauses([Clause::When(and(self.assumptions(), self.formula.clone()))])
        .map_err(|error| error.to_string())?;
        let policy = StaticPolicy::try_from(template).map_err(|error| error.to_string())?;
        let policy = Policy::from_pst(policy.into()).map_err(|error| error.to_string())?;
        Ok((schema, env, policy))
    }

    fn schema(&self) -> String {
        let mut schema = "entity Remediator; entity Service;\n\
            action \"ask\" appliesTo { principal: Remediator, resource: Service, context: {\n"
            .to_owned();
        for row in &self.rows {
            let kind = row.fact_type.cedar();
            let _ = writeln!(schema, "  {:?}: {kind}, {:?}: Bool,", row.id, known(row.id));
            match self.view {
                View::Fewer => drop(writeln!(schema, "  {:?}: Bool,", seen(row.id))),
                View::Worse if is_evidence(row) => drop(writeln!(schema, "  {:?}: {kind},", worse(row.id))),
                _ => {}
            }
        }
        schema.push_str("} };\n");
        schema
    }

    /// What holds of any set of facts: a fact of a few words has one of them, as the engine leaves
    /// others out; and the worse value of evidence isn't better than the other.
    fn assumptions(&self) -> Formula {
        let words = self.rows.iter().filter_map(|row| match row.fact_type {
            FactType::Word(words) => Some(if_known(row, is_one_of(get(row.id), words))),
            _ => None,
        });
        let orders = self
            .rows
            .iter()
            .filter(|row| self.view == View::Worse && is_evidence(row));
        let orders = orders.map(|row| if_known(row, not_better(row)));
        all(words.chain(orders).collect())
    }

    fn read(&self, context: &Context) -> Option<Example> {
        let mut example = Example::default();
        for row in &self.rows {
            if context.get(&known(row.id)) != Some(EvalResult::Bool(true)) {
                continue;
            }
            let value = fact_value(&context.get(row.id)?)?;
            example.facts.insert(row.id.to_owned(), value);
            if self.view == View::Fewer && context.get(&seen(row.id)) != Some(EvalResult::Bool(true)) {
                example.hidden.insert(row.id.to_owned());
            }
            if self.view == View::Worse && is_evidence(row) {
                let worse = fact_value(&context.get(&worse(row.id))?)?;
                example.worse.insert(row.id.to_owned(), worse);
            }
        }
        Some(example)
    }
}

pub(crate) const fn is_evidence(row: &FactRow) -> bool {
    !row.evidence_order.is_empty()
}

/// For each value that the evidence can have, the other is that one or an earlier one of its order.
fn not_better(row: &FactRow) -> Formula {
    let cases = row.evidence_order.iter().enumerate().filter_map(|(place, word)| {
        let up_to = row.evidence_order.get(..=place)?;
        Some(and(
            is_one_of(get(row.id), &[word]),
            is_one_of(get(&worse(row.id)), up_to),
        ))
    });
    any(cases.collect())
}

fn fact_value(value: &EvalResult) -> Option<FactValue> {
    match value {
        EvalResult::Bool(yes) => Some(FactValue::Bool(*yes)),
        EvalResult::Long(number) => Some(FactValue::Long(*number)),
        EvalResult::String(text) => Some(FactValue::String(text.clone())),
        EvalResult::Set(items) => items
            .iter()
            .map(|item| match item {
                EvalResult::String(text) => Some(text.clone()),
                _ => None,
            })
            .collect::<Option<_>>()
            .map(FactValue::Set),
        _ => None,
    }
}
