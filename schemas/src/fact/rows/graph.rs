//! `graph.*`: what can be affected, and what reaches it.

use super::{CATALOGUE, FactRow, fact};
use crate::fact::FactType;

pub(super) const ROWS: &[FactRow] = &[
    fact(
        "graph.dependents",
        FactType::Long,
        "How many services and outside parties can be affected if it breaks.",
        CATALOGUE,
    ),
    fact(
        "graph.most_critical_tier",
        FactType::Long,
        "The most critical tier among itself and its dependents; 0 is the most critical.",
        CATALOGUE,
    ),
    fact(
        "graph.reaches_customers",
        FactType::Bool,
        "Whether it or something that depends on it faces customers or an outside party.",
        CATALOGUE,
    ),
    fact(
        "graph.reaches_revenue",
        FactType::Bool,
        "Whether the organisation loses revenue while it or something that depends on it is down.",
        "the services' owners, in the catalogue (`holdpoint.dev/revenue-critical`)",
    ),
    fact(
        "graph.exposed",
        FactType::Bool,
        "Whether requests from the internet reach it, itself or through other services.",
        "the services' owners: `holdpoint.dev/internet-facing`, an Ingress or a published port",
    ),
    fact(
        "graph.single_point_of_failure",
        FactType::Bool,
        "Whether a service that relies on others is cut off from some of them without it.",
        CATALOGUE,
    ),
    fact(
        "graph.in_cycle",
        FactType::Bool,
        "Whether it relies on itself through others.",
        CATALOGUE,
    ),
    fact(
        "graph.compliance_scopes",
        FactType::Set,
        "Standards whose scope it is in or is connected to: its own and those of its neighbours.",
        "whoever keeps the scope, in the catalogue (`holdpoint.dev/compliance-scopes`)",
    ),
];
