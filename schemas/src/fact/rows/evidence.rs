//! `evidence.*`: one verdict per check.

use super::{FactRow, FactType, evidence, fact};

pub(super) const ROWS: &[FactRow] = &[
    evidence(
        "evidence.build.verdict",
        "Whether the candidate still builds, compared with the baseline.",
    ),
    evidence(
        "evidence.test.verdict",
        "Whether the tests still pass, compared with the baseline.",
    ),
    evidence(
        "evidence.contract.verdict",
        "Whether what consumers rely on still holds.",
    ),
    evidence(
        "evidence.rescan.verdict",
        "Whether the finding is gone and nothing new appeared.",
    ),
    evidence(
        "evidence.adequacy.verdict",
        "Whether the passing tests run what the fix changes, and notice when it is undone.",
    ),
    evidence(
        "evidence.surface.verdict",
        "Whether the fix leaves the attack surface as it is: routes, permissions, authentication, network.",
    ),
    evidence(
        "evidence.revert.verdict",
        "Whether the fix can be taken back: its revert applies, and build and tests pass again.",
    ),
    FactRow {
        evidence_order: ISOLATION,
        ..fact(
            "evidence.sandbox.isolation",
            FactType::Word(ISOLATION),
            "How strongly the sandbox that made the evidence kept the fix apart from its host.",
            "a sandbox run (`holdpoint run` or `holdpoint validate`)",
        )
    },
];

/// As in `holdpoint_schemas::evidence::Isolation`.
const ISOLATION: &[&str] = &["unproven", "namespaces", "container", "kernel"];
