//! Tonight's order and budget: which fix comes first, and for which there is no room.

use anyhow::Result;
use holdpoint_engine::decide::{self, Question};
use holdpoint_engine::rollout::{Admitted, Candidate, Urgency, Waiting, admit, caps, lane_for};
use holdpoint_schemas::decision::{Cap, Decision};
use holdpoint_schemas::fact::FactSet;
use holdpoint_schemas::fact::keys::{finding as finding_facts, graph, service};
use holdpoint_schemas::finding::{RepoFinding, Severity};
use holdpoint_schemas::fix::Fix;
use holdpoint_schemas::rollout::{Admission, DEFAULT_LANE};
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Level};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pipeline::facts::without_evidence;
use crate::pipeline::history::History;
use crate::pipeline::plan::Pair;
use crate::pipeline::record::ADMISSION;
use crate::pipeline::session::Session;

/// Steps of a validation that may take up to their bound: both sides' build and tests.
const LONG_STEPS: u64 = 4;

/// Tonight's order, and what the budget withholds.
#[derive(Debug, Clone, Default)]
pub struct Tonight {
    /// Each fix's place in the order in which they are worked on.
    pub order: BTreeMap<Digest, usize>,
    /// What the budget withholds, by fix.
    pub caps: BTreeMap<Digest, Vec<Cap>>,
    /// What is put on record before anything is done with a fix.
    pub admissions: BTreeMap<Digest, Admission>,
}

impl Tonight {
    /// What the budget withholds of a fix.
    #[must_use]
    pub fn caps_of(&self, fix: &Digest) -> &[Cap] {
        self.caps.get(fix).map_or(&[], Vec::as_slice)
    }

    /// Its place in the order; what isn't in it comes last.
    #[must_use]
    pub fn rank(&self, fix: Option<&Digest>) -> usize {
        fix.and_then(|fix| self.order.get(fix)).copied().unwrap_or(usize::MAX)
    }
}

/// A fix with one of the findings that it resolves, and how far it could go.
pub struct Work<'a> {
    /// Finding.
    pub finding: &'a RepoFinding,
    /// Fix.
    pub fix: &'a Fix,
    /// How far, all but the budget counted.
    pub decision: &'a Decision,
    /// Minutes of sandbox time that it still needs.
    pub minutes: u32,
}

impl Session {
    /// Halts, shadow, canary, soak and windows that withhold a level of a fix.
    pub fn caps(&self, finding: &RepoFinding, fix: Option<&Fix>, facts: &FactSet) -> Vec<Cap> {
        let candidate = Candidate {
            finding,
            fix,
            facts,
            table: &self.estate.facts,
        };
        caps(&self.estate.rollout, &self.standing.state, &candidate, self.at)
    }

    /// Tonight's order over what there is to do, and for what of it there is no room. A pull request that is open
    /// already takes no room again.
    pub fn tonight(&self, history: &History, work: &[Work<'_>]) -> Tonight {
        let waiting = self.waiting(work);
        let mut tonight = Tonight::default();
        for Admitted { index, caps, admission } in admit(&self.estate.rollout, &self.standing.state, &waiting, self.at)
        {
            let Some(fix) = waiting.get(index).map(|waiting| waiting.fix.clone()) else {
                continue;
            };
            let is_open = history.proposals.contains_key(&fix);
            let mut caps = caps;
            caps.retain(|cap| !(is_open && cap.withholds == Level::Suggest));
            tonight.order.insert(fix.clone(), tonight.order.len());
            if !caps.is_empty() {
                tonight.caps.insert(fix.clone(), caps);
            }
            if let Some(admission) = admission.filter(|admission| !(is_open && admission.level == Level::Suggest)) {
                tonight.admissions.insert(fix, admission);
            }
        }
        tonight
    }

    /// Lowers what there is no room for tonight, so that it isn't validated either.
    ///
    /// # Errors
    /// When a decision can't be made.
    pub fn within_tonights_budget(&self, history: &History, pairs: &mut [Pair]) -> Result<Tonight> {
        let decisions = pairs.iter().map(|pair| &pair.triage.decision);
        let tonight = self.tonight(history, &work(pairs, decisions, |fix| self.minutes(history, fix)));
        for pair in pairs.iter_mut() {
            let Some(fix) = &pair.fix else { continue };
            let no_room = tonight.caps_of(&fix.id);
            if no_room.is_empty() {
                continue;
            }
            let decided = &pair.triage.decision;
            let facts = without_evidence(&decided.facts);
            let mut caps = self.caps(&pair.finding, Some(fix), &facts);
            caps.extend_from_slice(no_room);
            let question = Question {
                finding: &pair.finding,
                service: &decided.service,
                fix: Some(fix),
                facts: &facts,
                evidence: None,
                rollout: &self.standing.effective,
                caps: &caps,
                now: self.at,
            };
            self.asked.note(&question)?;
            pair.triage = decide::triage(&self.estate.pack, &question)?;
        }
        Ok(tonight)
    }

    /// Minutes of sandbox time that a fix is reckoned to take: none where its very tree was validated before, else what
    /// the newest validation of its repo took, or as long as its steps may take.
    fn minutes(&self, history: &History, fix: &Fix) -> u32 {
        let same = |known: &Fix| known.candidate_tree == fix.candidate_tree;
        if history.validated.contains(&fix.id) && history.fixes.get(&fix.id).is_some_and(same) {
            return 0;
        }
        let bound = self.estate.config.sandbox.step_seconds.saturating_mul(LONG_STEPS);
        let seconds = history
            .durations
            .get(&fix.repo)
            .map_or(bound, |millis| millis.div_ceil(1000));
        u32::try_from(seconds.div_ceil(60)).unwrap_or(u32::MAX)
    }

    /// Puts the sandbox time that is about to be spent on record, where a budget counts it.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn reserve_minutes<'a>(
        &mut self,
        tonight: &Tonight,
        fixes: impl IntoIterator<Item = &'a Digest>,
    ) -> Result<()> {
        let file = &self.estate.rollout;
        let budgets = file
            .lanes
            .iter()
            .filter_map(|lane| lane.budget.as_ref())
            .chain(&file.budget);
        if budgets.filter(|budget| budget.minutes.is_some()).count() == 0 {
            return Ok(());
        }
        let reserved: Vec<Admission> = fixes
            .into_iter()
            .filter_map(|fix| tonight.admissions.get(fix))
            .map(|admission| Admission {
                level: Level::Alert,
                ..admission.clone()
            })
            .collect();
        self.recorder().append_new(ADMISSION, &reserved)
    }

    /// Puts it on record that a person has a fix merged. It takes its room in tonight's budgets, none of which withholds
    /// it: what automation does later that night counts it.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub fn take_room(&mut self, finding: &RepoFinding, fix: &Fix, decision: &Decision) -> Result<()> {
        let work = Work {
            finding,
            fix,
            decision,
            minutes: 0,
        };
        let waiting = self.waiting(&[work]);
        let admissions: Vec<Admission> = waiting
            .iter()
            .map(|waiting| waiting.admitted(Level::AutoApply, self.at))
            .collect();
        self.recorder().append_new(ADMISSION, &admissions)
    }

    /// What withholds a pull request by now, after its admission is on record.
    ///
    /// # Errors
    /// When the ledger can't be read or written.
    pub fn withheld(
        &mut self,
        tonight: &Tonight,
        finding: &RepoFinding,
        fix: &Fix,
        decision: &Decision,
    ) -> Result<Option<Cap>> {
        let mut caps = Vec::new();
        if tonight.admissions.contains_key(&fix.id) {
            caps = self.let_through(tonight, fix)?.1;
        } else {
            let history = self.history()?;
            if history.rollout.halts() != self.standing.halts {
                self.stand(&history);
            }
        }
        caps.extend(self.caps(finding, Some(fix), &without_evidence(&decision.facts)));
        Ok(caps.into_iter().find(|cap| cap.withholds <= Level::Suggest))
    }

    /// One entry for each fix: as far as the lowest of its findings lets it, as urgent as the worst of them.
    fn waiting(&self, work: &[Work<'_>]) -> Vec<Waiting> {
        let mut waiting: BTreeMap<&Digest, Waiting> = BTreeMap::new();
        for one in work {
            let urgency = urgency(one);
            match waiting.get_mut(&one.fix.id) {
                Some(known) => {
                    known.level = known.level.min(one.decision.level);
                    known.minutes = known.minutes.max(one.minutes);
                    known.urgency = worse(&known.urgency, &urgency);
                    known.finding = known.finding.clone().min(one.finding.id());
                }
                None => {
                    waiting.insert(&one.fix.id, self.first(one, urgency));
                }
            }
        }
        // What only people are told of is in nobody's budget.
        waiting
            .into_values()
            .filter(|waiting| waiting.level > Level::Alert)
            .collect()
    }

    fn first(&self, one: &Work<'_>, urgency: Urgency) -> Waiting {
        let facts = &one.decision.facts;
        let lane = lane_for(&self.standing.effective, facts, &one.fix.remediator).lane;
        let services = self.services_of(one.fix, &one.decision.service);
        let catalogue = self.estate.catalogue.known().ok();
        let owner = |id: &ServiceId| {
            catalogue?
                .services
                .iter()
                .find(|service| service.id == *id)?
                .owner
                .clone()
        };
        Waiting {
            finding: one.finding.id(),
            fix: one.fix.id.clone(),
            lane: lane.unwrap_or_else(|| DEFAULT_LANE.to_owned()),
            level: one.decision.level,
            urgency,
            teams: services.iter().map(owner).collect(),
            tier_zero: self.estate.graph.tier_zero_around(&services),
            services,
            minutes: one.minutes,
            first_seen: None,
        }
    }

    /// Puts it on record that a fix was let through, before anything is done with it, and looks again at what the ledger
    /// holds by then: a halt, a revert, another worker's admissions that came first. What withholds it now.
    ///
    /// # Errors
    /// When the ledger can't be read or written.
    pub fn let_through(&mut self, tonight: &Tonight, fix: &Fix) -> Result<(Arc<History>, Vec<Cap>)> {
        let admission = tonight.admissions.get(&fix.id);
        self.recorder().append_new(ADMISSION, admission)?;
        let history = self.history()?;
        self.stand(&history);
        let Some(admission) = admission else {
            return Ok((history, Vec::new()));
        };
        let before = self.standing.before(&self.estate.rollout, admission, self.at);
        let waiting = Waiting {
            finding: String::new(),
            fix: fix.id.clone(),
            lane: admission.lane.clone(),
            level: admission.level,
            urgency: Urgency {
                severity: Severity::Unknown,
                exploited: None,
                epss_bp: None,
                tier: None,
                reaches_customers: None,
                dependents: None,
            },
            services: admission.services.clone(),
            teams: Some(admission.teams.clone()),
            tier_zero: Some(admission.tier_zero.clone()),
            minutes: 0,
            first_seen: None,
        };
        let again = admit(&self.estate.rollout, &before, &[waiting], self.at);
        Ok((history, again.into_iter().flat_map(|admitted| admitted.caps).collect()))
    }
}

/// What makes a fix urgent, by the facts that it was decided on.
fn urgency(work: &Work<'_>) -> Urgency {
    let facts = &work.decision.facts;
    let small = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
    let reaches = [
        facts.value(service::CUSTOMER_FACING),
        facts.value(graph::REACHES_CUSTOMERS),
    ];
    Urgency {
        severity: work.finding.finding.severity,
        exploited: facts.value(finding_facts::KNOWN_EXPLOITED),
        epss_bp: small(facts.value(finding_facts::EPSS_BP)),
        tier: facts.value(service::TIER).and_then(|tier| u8::try_from(tier).ok()),
        reaches_customers: if reaches.contains(&Some(true)) {
            Some(true)
        } else if reaches.contains(&None) {
            None
        } else {
            Some(false)
        },
        dependents: small(facts.value(graph::DEPENDENTS)),
    }
}

/// The worse of two in each respect; what is unknown of one is known of the other.
fn worse(a: &Urgency, b: &Urgency) -> Urgency {
    Urgency {
        severity: a.severity.max(b.severity),
        exploited: a.exploited.max(b.exploited),
        epss_bp: a.epss_bp.max(b.epss_bp),
        tier: match (a.tier, b.tier) {
            (Some(a), Some(b)) => Some(a.min(b)),
            _ => None,
        },
        reaches_customers: a.reaches_customers.max(b.reaches_customers),
        dependents: a.dependents.max(b.dependents),
    }
}

/// The fixes of pairs and how far each may go, by the decisions beside them.
pub fn work<'a>(
    pairs: &'a [Pair],
    decisions: impl IntoIterator<Item = &'a Decision>,
    minutes: impl Fn(&Fix) -> u32,
) -> Vec<Work<'a>> {
    pairs
        .iter()
        .zip(decisions)
        .filter_map(|(pair, decision)| {
            let fix = pair.fix.as_ref()?;
            Some(Work {
                finding: &pair.finding,
                fix,
                decision,
                minutes: minutes(fix),
            })
        })
        .collect()
}
