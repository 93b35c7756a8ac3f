//! The worst that is known of several nodes. Joining is associative, commutative and idempotent, so
//! that it can be done in any order, and along overlapping paths.

use holdpoint_schemas::service::NodeKind;

use super::Node;

/// Answers to one question from several nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Answers {
    yes: bool,
    no: bool,
    unknown: bool,
}

impl Answers {
    fn of(answer: Option<bool>) -> Self {
        Self {
            yes: answer == Some(true),
            no: answer == Some(false),
            unknown: answer.is_none(),
        }
    }

    fn join(&mut self, other: Self) {
        self.yes |= other.yes;
        self.no |= other.no;
        self.unknown |= other.unknown;
    }

    /// Yes if one says so, no if all who were asked say no; nobody asked is unknown.
    const fn any(self) -> Option<bool> {
        match self {
            Self { yes: true, .. } => Some(true),
            Self { unknown: true, .. } | Self { no: false, .. } => None,
            _ => Some(false),
        }
    }
}

/// What is at stake: criticality, customers and revenue.
///
/// - An outside party has no tier and earns the organisation nothing, and it is a customer.
/// - A resource is as critical as those who rely on it: it need not have a tier, or stop revenue, of its
///   own, and where nobody says so this isn't unknown. Whether customers use it directly is (a public
///   bucket).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Worst {
    tier: Option<u8>,
    tier_unknown: bool,
    customers: Answers,
    revenue: Answers,
}

impl Worst {
    pub(super) fn of(node: &Node) -> Self {
        let kind = node.kind();
        let (tier, revenue) = match kind {
            NodeKind::External => (None, None),
            NodeKind::Service | NodeKind::Resource => (node.tier(), node.revenue_critical()),
        };
        let own = kind == NodeKind::Service;
        Self {
            tier,
            tier_unknown: own && tier.is_none(),
            customers: Answers::of(match kind {
                NodeKind::External => Some(true),
                NodeKind::Service | NodeKind::Resource => node.customer_facing(),
            }),
            revenue: if own || revenue.is_some() {
                Answers::of(revenue)
            } else {
                Answers::default()
            },
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.tier = match (self.tier, other.tier) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.tier_unknown |= other.tier_unknown;
        self.customers.join(other.customers);
        self.revenue.join(other.revenue);
    }

    pub(super) fn joined(mut self, other: Self) -> Self {
        self.join(other);
        self
    }

    /// Nothing is more critical than tier 0, so that an unknown one beside it doesn't matter.
    pub(super) const fn most_critical_tier(self) -> Option<u8> {
        match self {
            Self { tier: Some(0), .. } => Some(0),
            Self { tier_unknown: true, .. } => None,
            Self { tier, .. } => tier,
        }
    }

    pub(super) const fn reaches_customers(self) -> Option<bool> {
        self.customers.any()
    }

    pub(super) const fn reaches_revenue(self) -> Option<bool> {
        self.revenue.any()
    }
}
