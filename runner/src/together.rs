//! Fixes of one base validated together, and taken apart when they fail.
//!
//! Most fixes are fine and don't touch each other, so one validation of all of them settles most
//! nights. Where it doesn't, each culprit costs a bisection: with `n` fixes and `k` culprits about
//! `k · (log₂ n + 2)` validations instead of `n`, plus about `log₂ n` for each partner that a
//! culprit clashes with. Nothing here is assumed about how fixes interact: what is reported as
//! passing has passed as exactly that set, also where a fix fails alone and another one repairs it.

use holdpoint_schemas::evidence::Verdict;
use std::future::Future;

/// Partners that are named at most where a fix clashes with others.
const MAX_PARTNERS: usize = 4;

/// What came of validating some fixes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// They were applied in order, and the checks said this.
    Verdict(Verdict),
    /// Their patches don't apply on top of each other.
    Conflict,
}

impl Answer {
    const fn passed(self) -> bool {
        matches!(self, Self::Verdict(Verdict::Passed))
    }
}

/// What was found out about one fix. Fixes are named by their index in the given order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is part of the set that passed as a whole. The set is what was proved: its members are
    /// merged together and in order, or validated alone first.
    Passes,
    /// It passes alone, but not together with these of the set that passed.
    Clashes {
        /// Fixes of the passing set, ascending: with these alone the answer is not "passed". At
        /// most four; where more are needed, those are the first found.
        with: Vec<usize>,
        /// What was answered for it and them.
        answer: Answer,
    },
    /// It doesn't pass alone either.
    Fails {
        /// What was answered for it alone. Inconclusive and conflict are no failure of the fix.
        answer: Answer,
    },
}

/// What was found out about all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// One per fix, in their order.
    pub outcomes: Vec<Outcome>,
    /// Validations that it took.
    pub validations: usize,
}

impl Together {
    /// The fixes that passed as a set, ascending.
    #[must_use]
    pub fn passing(&self) -> Vec<usize> {
        self.outcomes
            .iter()
            .enumerate()
            .filter(|(_, outcome)| **outcome == Outcome::Passes)
            .map(|(index, _)| index)
            .collect()
    }
}

/// Finds a set of fixes that passes as a whole, and what is wrong with each of the others. Earlier
/// fixes win over later ones that they clash with. `validate` gets ascending indexes, never none
/// and never the same ones twice in a row; the base itself must be green, else every fix ends as
/// inconclusive, at the price of validating each.
///
/// # Errors
/// The first error of `validate`; what came before it is lost.
pub async fn validate_together<E, F, Fut>(fixes: usize, validate: F) -> Result<Together, E>
where
    F: FnMut(Vec<usize>) -> Fut,
    Fut: Future<Output = Result<Answer, E>>,
{
    let mut search = Search {
        validate,
        validations: 0,
    };
    let mut outcomes: Vec<Option<Outcome>> = vec![None; fixes];
    // What has passed as a set, in this very form.
    let mut good: Vec<usize> = Vec::new();
    let mut rest: Vec<usize> = (0..fixes).collect();
    while !rest.is_empty() {
        let all = search.ask(&good, &rest).await?;
        if all.passed() {
            good.append(&mut rest);
            break;
        }
        let (passing, answer) = search.split(&good, &rest, all).await?;
        let mut tail = rest.split_off(passing);
        good.append(&mut rest);
        let culprit = tail.remove(0);
        rest = tail;
        let outcome = search.explain(&good, culprit, answer).await?;
        if let Some(slot) = outcomes.get_mut(culprit) {
            *slot = Some(outcome);
        }
    }
    Ok(Together {
        outcomes: outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or(Outcome::Passes))
            .collect(),
        validations: search.validations,
    })
}

struct Search<F> {
    validate: F,
    validations: usize,
}

impl<F> Search<F> {
    async fn ask<E, Fut>(&mut self, some: &[usize], more: &[usize]) -> Result<Answer, E>
    where
        F: FnMut(Vec<usize>) -> Fut,
        Fut: Future<Output = Result<Answer, E>>,
    {
        self.validations += 1;
        let mut set: Vec<usize> = some.iter().chain(more).copied().collect();
        set.sort_unstable();
        (self.validate)(set).await
    }

    /// How many of `rest`, from the front, pass together with `good` such that one more does not,
    /// and what was answered then. `all`: the answer for all of them, which isn't "passed".
    async fn split<E, Fut>(&mut self, good: &[usize], rest: &[usize], all: Answer) -> Result<(usize, Answer), E>
    where
        F: FnMut(Vec<usize>) -> Fut,
        Fut: Future<Output = Result<Answer, E>>,
    {
        // Both ends are known to be what they are, whatever lies between: at the end they are neighbours.
        let (mut passes, mut doesnt, mut answer) = (0, rest.len(), all);
        while doesnt - passes > 1 {
            let middle = passes + (doesnt - passes) / 2;
            let found = self.ask(good, rest.get(..middle).unwrap_or(rest)).await?;
            if found.passed() {
                passes = middle;
            } else {
                (doesnt, answer) = (middle, found);
            }
        }
        Ok((passes, answer))
    }

    /// Why `culprit` can't join `good`, where `answer` was what it got.
    async fn explain<E, Fut>(&mut self, good: &[usize], culprit: usize, answer: Answer) -> Result<Outcome, E>
    where
        F: FnMut(Vec<usize>) -> Fut,
        Fut: Future<Output = Result<Answer, E>>,
    {
        if good.is_empty() {
            return Ok(Outcome::Fails { answer });
        }
        let alone = self.ask(&[], &[culprit]).await?;
        if !alone.passed() {
            return Ok(Outcome::Fails { answer: alone });
        }
        // Each round finds the fix whose joining turns the answer, given those found so far; what
        // comes after it can't be needed for that.
        let (mut known, mut among, mut answer) = (vec![culprit], good.to_vec(), answer);
        loop {
            let (passing, found) = self.split(&known, &among, answer).await?;
            answer = found;
            known.extend(among.get(passing));
            among.truncate(passing);
            if among.is_empty() || known.len() > MAX_PARTNERS {
                break;
            }
            let enough = self.ask(&known, &[]).await?;
            if !enough.passed() {
                answer = enough;
                break;
            }
        }
        let mut with: Vec<usize> = known.into_iter().filter(|fix| *fix != culprit).collect();
        with.sort_unstable();
        Ok(Outcome::Clashes { with, answer })
    }
}

#[cfg(test)]
mod tests;
