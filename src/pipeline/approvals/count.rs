//! Which of the words that people said count, and as what.

use holdpoint_ledger::approval::{Approver, Approvers, bound_to, is_signed, verify_recorded};
use holdpoint_schemas::approval::{Binding, SignedApproval, SignedOverride, Verb};
use holdpoint_schemas::fact::{Fact, FactSet, FactValue, keys::approval};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::people::{ApprovalsConfig, EMERGENCY, SERVICE_OWNER, address, team};
use holdpoint_schemas::service::Service;
use holdpoint_schemas::{Digest, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, OnRecord};

/// All that counting rests on.
pub struct Ballot<'a> {
    /// Who may sign, and who is who.
    pub approvers: &'a Approvers,
    /// How long a word counts.
    pub config: &'a ApprovalsConfig,
    /// What was said.
    pub desk: &'a Desk,
    /// What it is about.
    pub fix: &'a Fix,
    /// What it must have been about.
    pub binding: &'a Binding,
    /// Services that the change touches.
    pub services: &'a [&'a Service],
    /// The moment.
    pub now: Timestamp,
}

/// One person's go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The name that they signed with.
    pub identity: String,
    /// Whether they had no part in the change.
    pub independent: bool,
    roles: BTreeSet<String>,
    teams: BTreeSet<String>,
    owns: BTreeSet<String>,
}

/// A no: when it was said, and in words.
type No = (Timestamp, String);

/// What counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Goes by person.
    pub voices: BTreeMap<String, Voice>,
    /// Whether an emergency override is among them.
    pub emergency: bool,
    /// Noes that stand, for people.
    pub noes: Vec<String>,
    /// Why others don't count, for people; the noes among them.
    pub refused: Vec<String>,
}

impl Counted {
    /// Names of those whose go counts.
    pub fn names(&self) -> Vec<&str> {
        self.voices.values().map(|voice| voice.identity.as_str()).collect()
    }

    fn independent(&self) -> impl Iterator<Item = &Voice> {
        self.voices.values().filter(|voice| voice.independent)
    }

    fn count_independent(&self) -> usize {
        self.independent().count()
    }
}

impl Ballot<'_> {
    /// The goes that count now. A no takes away every go before it, and stands until whoever said it says go, or two
    /// other people who had no part in the change do.
    pub fn count(&self) -> Counted {
        let mut counted = Counted::default();
        let mut noes: BTreeMap<String, No> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let from = self.desk.waits.get(&self.fix.id).map_or(0, |wait| wait.from);
        for said in self.desk.said.get(&self.fix.id).into_iter().flatten() {
            let statement = &said.signed.statement;
            // Whoever can write to the ledger could say again what somebody has taken back since.
            if !seen.insert(Digest::of_json(statement).ok()) {
                let word = statement.verb.as_str();
                let why = format!("a second `{word}` by {} is a copy of the first", statement.by);
                counted.refused.push(why);
                continue;
            }
            match statement.verb {
                // A no takes no more than a signature: it neither expires nor drifts, and stays when the person goes.
                Verb::Decline => match is_signed(&said.signed) {
                    Ok(()) => {
                        counted.voices.clear();
                        let person = self.approvers.person_of(&statement.by);
                        let words = format!("{} declined it on {}", statement.by, statement.at);
                        noes.insert(person, (statement.at, words));
                    }
                    Err(error) => counted
                        .refused
                        .push(format!("the refusal by {} doesn't count: {error}", statement.by)),
                },
                Verb::Approve if said.seq < from => counted
                    .refused
                    .push(format!("the approval by {} is of before it timed out", statement.by)),
                Verb::Approve => match self.approves(said, &statement.binding, &statement.by) {
                    Ok((approver, _)) if noes.get(&approver.person).is_some_and(|no| no.0 > statement.at) => {
                        counted
                            .refused
                            .push(format!("the approval by {} is of before their no", statement.by));
                    }
                    Ok((approver, voice)) => {
                        noes.remove(&approver.person);
                        counted.voices.insert(approver.person, voice);
                    }
                    Err(why) => counted.refused.push(why),
                },
            }
        }
        let outvoted = |voices: &BTreeMap<String, Voice>| {
            let others = voices.iter().filter(|(person, _)| !noes.contains_key(*person));
            others.filter(|(_, voice)| voice.independent).count() >= 2
        };
        if !noes.is_empty() && !outvoted(&counted.voices) {
            counted.voices.clear();
            counted.noes = noes.into_values().map(|(_, words)| words).collect();
            counted.refused.extend(counted.noes.iter().cloned());
        }
        counted
    }

    /// The goes that count if the emergency overrides on record are heard too, unless somebody's no stands.
    pub fn count_emergency(&self, plain: &Counted) -> Counted {
        let mut counted = plain.clone();
        let mut signers: BTreeMap<String, Voice> = BTreeMap::new();
        for said in self.desk.overrides.get(&self.fix.id).into_iter().flatten() {
            let statement = &said.signed.statement;
            if self
                .desk
                .waits
                .get(&self.fix.id)
                .is_some_and(|wait| said.seq < wait.from)
            {
                counted
                    .refused
                    .push(format!("the override by {} is of before it timed out", statement.by));
                continue;
            }
            match self.overrides(said) {
                Ok((approver, voice)) => {
                    signers.insert(approver.person, voice);
                }
                Err(why) => counted.refused.push(why),
            }
        }
        let alone = |voice: &Voice| voice.independent && voice.roles.contains(EMERGENCY);
        let together = signers.values().filter(|voice| voice.independent).count() >= 2;
        if !signers.values().any(alone) && !together {
            counted.refused.extend(signers.values().map(|voice| {
                format!(
                    "the override by {} takes the role `{EMERGENCY}`, or a second person",
                    voice.identity
                )
            }));
            return counted;
        }
        if !plain.noes.is_empty() {
            counted.refused.push("an emergency overrides nobody's no".to_owned());
            return counted;
        }
        counted.emergency = true;
        counted.voices.extend(signers);
        counted
    }

    fn approves(
        &self,
        said: &OnRecord<SignedApproval>,
        binding: &Binding,
        by: &str,
    ) -> Result<(Approver, Voice), String> {
        let approver = verify_recorded(
            &said.signed,
            self.approvers,
            self.now,
            said.recorded,
            self.config.lifetime,
        )
        .map_err(|error| format!("the approval by {by} doesn't count: {error}"))?;
        bound_to(binding, self.binding).map_err(|drifted| void("approval", by, &drifted))?;
        Ok(self.voice(approver))
    }

    fn overrides(&self, said: &OnRecord<SignedOverride>) -> Result<(Approver, Voice), String> {
        let by = &said.signed.statement.by;
        let longest = self.config.override_lifetime;
        let approver = verify_recorded(&said.signed, self.approvers, self.now, said.recorded, longest)
            .map_err(|error| format!("the override by {by} doesn't count: {error}"))?;
        bound_to(&said.signed.statement.binding, self.binding).map_err(|drifted| void("override", by, &drifted))?;
        Ok(self.voice(approver))
    }

    fn voice(&self, approver: Approver) -> (Approver, Voice) {
        let mut voice = Voice {
            identity: approver.identity.clone(),
            independent: !authors(self.approvers, self.fix).contains(&approver.person),
            roles: BTreeSet::new(),
            teams: BTreeSet::new(),
            owns: BTreeSet::new(),
        };
        for entry in self.approvers.entries_of(&approver.person) {
            voice.roles.extend(entry.roles.iter().cloned());
            voice.teams.extend(entry.teams.iter().map(|name| team(name)));
            voice.owns.extend(entry.owns.iter().cloned());
        }
        (approver, voice)
    }

    /// Adds what counts to the facts that `promote` reads.
    pub fn insert(&self, counted: &Counted, facts: &mut FactSet) {
        let names = counted.names().join(", ");
        let fact = |value: FactValue| Fact {
            value,
            source: "verified signatures in the ledger".to_owned(),
            observed_at: self.now,
            note: Some(names.clone()),
        };
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let independent = counted.count_independent();
        let mut roles: BTreeSet<String> = counted.independent().flat_map(|voice| voice.roles.clone()).collect();
        let teams: BTreeSet<String> = counted.independent().flat_map(|voice| voice.teams.clone()).collect();
        if self.is_owned_by(counted) {
            roles.insert(SERVICE_OWNER.to_owned());
        }
        for (id, value) in [
            (approval::VERIFIED.id(), (!counted.voices.is_empty()).into()),
            (approval::INDEPENDENT.id(), (independent > 0).into()),
            (approval::INDEPENDENT_APPROVERS.id(), number(independent).into()),
            (approval::APPROVERS.id(), number(counted.voices.len()).into()),
            (approval::ROLES.id(), roles.into()),
            (approval::TEAMS.id(), teams.into()),
            (approval::EMERGENCY.id(), counted.emergency.into()),
        ] {
            facts.insert(id, fact(value));
        }
    }

    /// Whether each service that is touched is some independent approver's.
    fn is_owned_by(&self, counted: &Counted) -> bool {
        let owns = |voice: &Voice, service: &Service| {
            let by_team = service
                .owner
                .as_deref()
                .is_some_and(|owner| voice.teams.contains(&team(owner)));
            by_team || voice.owns.contains(service.id.as_str())
        };
        !self.services.is_empty()
            && self
                .services
                .iter()
                .all(|service| counted.independent().any(|voice| owns(voice, service)))
    }
}

/// Everyone who had a part in a change: its authors, and who runs its remediator.
pub fn authors(approvers: &Approvers, fix: &Fix) -> BTreeSet<String> {
    let mut authors = approvers.who_run(&fix.remediator.0);
    authors.insert(approvers.person_of(&fix.remediator.0));
    let written = fix.authors.iter().map(|author| approvers.person_of(address(author)));
    authors.extend(written);
    authors
}

fn void(what: &str, by: &str, drifted: &[String]) -> String {
    format!(
        "the {what} by {by} is void, because this has changed since: {}",
        drifted.join(", ")
    )
}

#[cfg(test)]
mod tests;
