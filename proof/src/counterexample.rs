//! Facts for which something doesn't hold, and the case that says what should.

use std::collections::BTreeMap;

use holdpoint_engine::decide::Assessment;
use holdpoint_engine::policy::{Pack, Said};
use holdpoint_schemas::Level;
use holdpoint_schemas::fact::{Action, FactSet, FactValue};
use holdpoint_schemas::pack::{Answer, Case, CaseFile, NamedFacts};

use crate::situation::Situation;

/// Facts for which something doesn't hold: the smallest that were found. The engine itself has shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    /// What is known.
    pub facts: FactSet,
    /// Those of them whose removal permits more.
    pub without: Vec<String>,
    /// Better values of evidence, with which less is permitted.
    pub better: BTreeMap<String, FactValue>,
    /// Under which action it shows.
    pub action: Action,
    /// Ids of the policies that permit the action where it shouldn't be. Empty when the example is one
    /// of too little being permitted.
    pub let_through_by: Vec<String>,
    /// What should hold, without the facts.
    expects: Case,
}

impl Counterexample {
    /// An action that `pack` permits for these facts and shouldn't.
    pub(crate) fn permitted(situation: &Situation, action: Action, pack: &Pack) -> Self {
        let let_through_by = match pack.says(action, &situation.fewer()) {
            Said::Permitted(policies) => policies,
            Said::Denied(_) | Said::Failed(_) => Vec::new(),
        };
        let expects = match action {
            Action::Suggest => at_most(Level::Alert),
            Action::AutoApply => at_most(Level::Suggest),
            Action::Promote => promote(Answer::Denied),
        };
        Self {
            let_through_by,
            ..Self::new(situation, action, expects)
        }
    }

    /// An action that isn't permitted for these facts, or for those with better evidence, and should be.
    pub(crate) fn withheld(situation: &Situation, action: Action) -> Self {
        let at_least = |level| Case {
            at_least: Some(level),
            ..Case::default()
        };
        let expects = match action {
            Action::Suggest => at_least(Level::Suggest),
            Action::AutoApply => at_least(Level::AutoApply),
            Action::Promote => promote(Answer::Permitted),
        };
        Self::new(situation, action, expects)
    }

    /// Facts of which another pack's answer is the right one, with all that withholds something.
    pub(crate) fn otherwise(situation: &Situation, action: Action, right: &Assessment) -> Self {
        let ids = |bounds: &[holdpoint_schemas::decision::Bound]| {
            let mut ids: Vec<String> = bounds.iter().map(|bound| bound.id.clone()).collect();
            ids.dedup();
            ids
        };
        let expects = match action {
            Action::Promote => Case {
                promote_bounds: Some(ids(&right.promote_bounds)),
                ..Case::default()
            },
            Action::Suggest | Action::AutoApply => Case {
                level: Some(right.level),
                bounds: Some(ids(&right.bounds)),
                ..Case::default()
            },
        };
        Self::new(situation, action, expects)
    }

    fn new(situation: &Situation, action: Action, expects: Case) -> Self {
        Self {
            facts: situation.whole(),
            without: situation.hidden.iter().cloned().collect(),
            better: situation.better.clone(),
            action,
            let_through_by: Vec::new(),
            expects,
        }
    }

    /// The same as a file of cases that states what should hold, so that it fails until the pack is
    /// right. `name` is the case's, and should be unique in the pack.
    #[must_use]
    pub fn case_file(&self, name: &str) -> CaseFile {
        let mut given: BTreeMap<String, FactValue> = self
            .facts
            .known()
            .map(|(id, fact)| (id.to_owned(), fact.value.clone()))
            .collect();
        let case = Case {
            name: name.to_owned(),
            ..self.expects.clone()
        };
        if self.without.is_empty() && self.better.is_empty() {
            let case = Case { given, ..case };
            return CaseFile {
                facts: BTreeMap::new(),
                cases: vec![case],
            };
        }
        // The facts get a name, so that the case shows just what makes the difference.
        let set = format!("facts of: {name}");
        let case = Case {
            from: Some(set.clone()),
            given: self.better.clone(),
            unknown: self.without.clone(),
            ..case
        };
        let facts = NamedFacts {
            from: None,
            given: std::mem::take(&mut given),
        };
        CaseFile {
            facts: BTreeMap::from([(set, facts)]),
            cases: vec![case],
        }
    }
}

fn at_most(level: Level) -> Case {
    Case {
        at_most: Some(level),
        ..Case::default()
    }
}

fn promote(answer: Answer) -> Case {
    Case {
        promote: Some(answer),
        ..Case::default()
    }
}
