//! Who might approve: whether a suggestion may be merged is replayed in each of these situations.

use holdpoint_engine::policy::Pack;
use holdpoint_schemas::fact::keys::approval;
use holdpoint_schemas::fact::{Action, Fact, FactSet};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// More approvers than packs ask for; those that one asks for by number are tried besides.
const MANY: i64 = 100;
/// What the facts of approval begin with.
const FAMILY: &str = "approval.";

/// Who approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Approvals {
    /// These people, in number; each once.
    By {
        /// Other than the change's author.
        others: i64,
        /// Whether the author did too.
        author: bool,
        /// Roles and teams of the others; none, or all words that a policy on them names.
        standing: BTreeSet<String>,
        /// Whether it is an emergency override.
        emergency: bool,
    },
    /// What the decision's facts say; mostly nothing.
    OnRecord,
}

impl Approvals {
    /// Nobody, the author alone, one, two and many others, each with the author and without; and the
    /// same around every number that a policy on approvals of one of the packs names. Where a policy asks
    /// for roles, teams or an emergency, the same with them too.
    pub(super) fn situations(packs: &[&Pack]) -> Vec<Self> {
        let named = packs.iter().flat_map(|pack| numbers(pack));
        let around = named.flat_map(|number| {
            [
                number.saturating_sub(2),
                number.saturating_sub(1),
                number,
                number.saturating_add(1),
            ]
        });
        let others: BTreeSet<i64> = [0, 1, 2, MANY]
            .into_iter()
            .chain(around)
            .filter(|number| *number >= 0)
            .collect();
        let reads = |id: &str| packs.iter().any(|pack| pack.facts_read(Action::Promote).contains(id));
        let named: BTreeSet<String> = packs.iter().flat_map(|pack| words(pack)).collect();
        let standings: Vec<BTreeSet<String>> = [BTreeSet::new()]
            .into_iter()
            .chain((!named.is_empty()).then_some(named))
            .collect();
        let emergencies: &[bool] = if reads(approval::EMERGENCY.id()) {
            &[false, true]
        } else {
            &[false]
        };
        let mut all = Vec::new();
        for standing in &standings {
            for emergency in emergencies {
                // Without anybody else nobody has a role, and nobody signs an override.
                let plain = standing.is_empty() && !emergency;
                for number in others.iter().filter(|number| plain || **number > 0) {
                    all.extend([false, true].map(|author| Self::By {
                        others: *number,
                        author,
                        standing: standing.clone(),
                        emergency: *emergency,
                    }));
                }
            }
        }
        all.push(Self::OnRecord);
        all
    }

    /// The facts if these people approved.
    pub(super) fn suppose(&self, facts: &FactSet) -> FactSet {
        let mut facts = facts.clone();
        if let Self::By {
            others,
            author,
            standing,
            emergency,
        } = self
        {
            let approvers = others.saturating_add(i64::from(*author));
            facts.set(approval::VERIFIED, supposed(approvers > 0));
            facts.set(approval::APPROVERS, supposed(approvers));
            facts.set(approval::INDEPENDENT, supposed(*others > 0));
            facts.set(approval::INDEPENDENT_APPROVERS, supposed(*others));
            facts.set(approval::ROLES, supposed(standing.clone()));
            facts.set(approval::TEAMS, supposed(standing.clone()));
            facts.set(approval::EMERGENCY, supposed(*emergency));
        }
        facts
    }
}

impl fmt::Display for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::By {
            others,
            author,
            standing,
            emergency,
        } = self
        else {
            return f.write_str("the approvals on record");
        };
        let approvers = match others {
            1 => "one approver".to_owned(),
            several => format!("{several} approvers"),
        };
        match (others, author) {
            (0, false) => f.write_str("no approver")?,
            (0, true) => f.write_str("the author's approval alone")?,
            (_, false) => f.write_str(&approvers)?,
            (_, true) => write!(f, "the author and {approvers}")?,
        }
        if !standing.is_empty() {
            f.write_str(" in the roles and teams that are asked for")?;
        }
        if *emergency {
            f.write_str(" in an emergency")?;
        }
        Ok(())
    }
}

/// The words in a pack's policies on promotion that read roles or teams, names of facts among them.
fn words(pack: &Pack) -> BTreeSet<String> {
    let asks = |id: &String| id == approval::ROLES.id() || id == approval::TEAMS.id();
    let reads = pack
        .cedar()
        .filter(|(policy, _)| policy.actions.contains(&Action::Promote) && policy.facts.iter().any(asks));
    let mut found = BTreeSet::new();
    for (_, policy) in reads {
        collect_words(&policy.to_json().unwrap_or_default(), &mut found);
    }
    found
}

fn collect_words(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::String(word) => {
            found.insert(word.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect_words(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The whole numbers in a pack's policies on promotion that read approvals.
fn numbers(pack: &Pack) -> BTreeSet<i64> {
    let reads_approvals = pack.cedar().filter(|(policy, _)| {
        policy.actions.contains(&Action::Promote) && policy.facts.iter().any(|id| id.starts_with(FAMILY))
    });
    let mut found = BTreeSet::new();
    for (_, policy) in reads_approvals {
        // Every policy of a pack has a JSON form; without, the usual numbers are left.
        collect(&policy.to_json().unwrap_or_default(), &mut found);
    }
    found
}

/// The numbers of a JSON document. It is as deep as its policy, whose depth the engine bounds.
fn collect(json: &Value, found: &mut BTreeSet<i64>) {
    match json {
        Value::Number(number) => found.extend(number.as_i64()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// A fact that nobody collected.
pub(super) fn supposed<T>(value: T) -> Fact<T> {
    Fact {
        value,
        source: "supposed".to_owned(),
        observed_at: holdpoint_schemas::Timestamp::UNIX_EPOCH,
        note: None,
    }
}
