//! Which fix comes first: by the risk that it takes away, then by what it costs.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use holdpoint_schemas::finding::Severity;
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Level, Timestamp};

/// What makes a fix urgent. What is unknown counts as bad: it only decides who comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urgency {
    /// The worst severity among what it resolves.
    pub severity: Severity,
    /// Whether one of them is known to be exploited (CISA's KEV).
    pub exploited: Option<bool>,
    /// The highest EPSS among them, in basis points.
    pub epss_bp: Option<u32>,
    /// Criticality of the service: 0 is the most critical tier.
    pub tier: Option<u8>,
    /// Whether customers are reached, by the service or through what relies on it.
    pub reaches_customers: Option<bool>,
    /// How many services and outside parties can be affected.
    pub dependents: Option<u32>,
}

impl Urgency {
    /// The risk, in points without a unit. Severity weighs most and is tenfold from step to step at the upper end; that it
    /// is exploited, where it is, and whom it reaches multiply it.
    #[must_use]
    pub fn risk(&self) -> u64 {
        let severity: u64 = match self.severity {
            Severity::Critical => 10_000,
            // Nobody said how bad it is, so it isn't taken for harmless.
            Severity::High | Severity::Unknown => 2_500,
            Severity::Medium => 400,
            Severity::Low => 60,
            Severity::Info => 10,
        };
        let exploited = if self.exploited == Some(true) { 8 } else { 1 };
        // From ×1 (nobody will) to ×4 (everybody will), in quarters.
        let likely = 4 + u64::from(self.epss_bp.unwrap_or(0).min(10_000)) * 12 / 10_000;
        let tier: u64 = match self.tier {
            Some(0) | None => 8,
            Some(1) => 4,
            Some(2) => 2,
            Some(_) => 1,
        };
        let customers = if self.reaches_customers == Some(false) { 1 } else { 2 };
        // ×1 for none, one half more with each doubling, ×8 at most.
        let doublings = u64::from(u32::BITS - self.dependents.unwrap_or(15).leading_zeros());
        let blast = 2 + doublings.min(14);
        severity * exploited * likely * tier * customers * blast / 8
    }

    /// Risks within a factor of two are alike, and cost decides among them.
    fn band(&self) -> u32 {
        u64::BITS - self.risk().leading_zeros()
    }
}

/// A fix that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Id of the finding for people: the last tie-break but one.
    pub finding: String,
    /// Fix, by id.
    pub fix: Digest,
    /// Lane that takes it; [`DEFAULT_LANE`](holdpoint_schemas::rollout::DEFAULT_LANE) where none does.
    pub lane: String,
    /// How far it may go at most, by triage or by a decision, all other caps counted.
    pub level: Level,
    /// What makes it urgent.
    pub urgency: Urgency,
    /// Services that it changes.
    pub services: BTreeSet<ServiceId>,
    /// Teams that own them; `None`: for some of them nobody said.
    pub teams: Option<BTreeSet<String>>,
    /// Tier-0 services around them (`ServiceGraph::tier_zero_around`); `None`: it can't be told.
    pub tier_zero: Option<BTreeSet<ServiceId>>,
    /// Sandbox time that it still needs, in minutes; 0 where its evidence is there.
    pub minutes: u32,
    /// When its finding was first seen.
    pub first_seen: Option<Timestamp>,
}

impl Waiting {
    /// Who comes first: more risk, then less time, then more risk within the same factor of two, then what waits longer;
    /// ids make it a total order.
    pub(super) fn before(&self, other: &Self) -> Ordering {
        let key = |one: &Self| {
            (
                Reverse(one.urgency.band()),
                one.minutes,
                Reverse(one.urgency.risk()),
                one.first_seen.unwrap_or(Timestamp::MIN),
            )
        };
        let ids = |one: &Self| (one.finding.clone(), one.fix.clone());
        key(self).cmp(&key(other)).then_with(|| ids(self).cmp(&ids(other)))
    }
}
