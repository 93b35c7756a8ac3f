//! `finding.*`: what the scanners, advisories and observations say.

use super::{FactRow, dated, fact};
use crate::fact::FactType;

pub(super) const ROWS: &[FactRow] = &[
    fact(
        "finding.severity",
        FactType::Word(&["unknown", "info", "low", "medium", "high", "critical"]),
        "Severity as the scanner says it.",
        "the scanner",
    ),
    fact(
        "finding.class",
        FactType::Word(&["dependency", "code", "secret", "iac", "drift", "config", "other"]),
        "What kind of thing was found.",
        "the scanner",
    ),
    fact(
        "finding.cvss_tenths",
        FactType::Long,
        "Highest CVSS base score that its vectors give, in tenths of a point: 98 is 9.8.",
        "the scanner, or an advisory with a CVSS vector",
    ),
    dated(
        7,
        fact(
            "finding.epss_bp",
            FactType::Long,
            "Probability that it is exploited within 30 days (EPSS), in hundredths of a percent.",
            "an EPSS file (`epss:` in `holdpoint.yaml`)",
        ),
    ),
    dated(
        7,
        fact(
            "finding.known_exploited",
            FactType::Bool,
            "Whether CISA's catalogue of known exploited vulnerabilities lists it.",
            "a KEV file (`kev:` in `holdpoint.yaml`)",
        ),
    ),
    fact(
        "finding.severity_conflict",
        FactType::Bool,
        "Whether its scanners, or a scanner and the CVSS vectors, disagree on its severity.",
        "whoever triages: settle it in a VEX statement or at the scanner",
    ),
    fact(
        "finding.vex_status",
        FactType::Word(&["none", "affected", "under_investigation", "fixed", "not_affected"]),
        "What a VEX statement that still holds says of it; `none` where none speaks of it.",
        "the product's security team, in a VEX document (`vex:` in `holdpoint.yaml`)",
    ),
    fact(
        "finding.reachable",
        FactType::Bool,
        "Whether the service's code, or what was observed of it, reaches the vulnerable part.",
        "source in a language that is read, an advisory that names functions, or a runtime observation",
    ),
    fact(
        "finding.dependency_scope",
        FactType::Word(&["none", "dev", "runtime"]),
        "Whether the vulnerable component ships with the service; `none` when it isn't about a component.",
        "a manifest or lockfile that is read",
    ),
    fact(
        "finding.direct_dependency",
        FactType::Bool,
        "Whether the service itself declares the vulnerable component; no when it isn't about one.",
        "a manifest or lockfile that is read",
    ),
    fact(
        "finding.age_days",
        FactType::Long,
        "Whole days since it was first seen, or since it came back if it had gone.",
        "the ledger",
    ),
    fact(
        "finding.sla_breached",
        FactType::Bool,
        "Whether it is open for longer than its severity may be.",
        "the estate: `slas:` in `holdpoint.yaml`",
    ),
    fact(
        "finding.reintroduced",
        FactType::Bool,
        "Whether it was there before, was gone, and came back.",
        "the ledger",
    ),
];
