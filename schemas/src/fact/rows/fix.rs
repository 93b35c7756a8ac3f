//! `fix.*`: what the diff does.

use super::{DIFF, FactRow, fact};
use crate::fact::FactType;

pub(super) const ROWS: &[FactRow] = &[
    fact(
        "fix.class",
        FactType::Word(&["mechanical", "logic"]),
        "Computed from the diff; what can't be classified is logic.",
        DIFF,
    ),
    fact(
        "fix.kind",
        FactType::Word(&[
            "dependency-upgrade",
            "secret-to-reference",
            "security-header",
            "config-flag",
            "iac-attribute",
            "formatting",
            "generated-code",
            "logic",
        ]),
        "What the diff does.",
        DIFF,
    ),
    fact("fix.files", FactType::Long, "How many files it changes.", DIFF),
    fact(
        "fix.upgrade_step",
        FactType::Word(&["none", "patch", "minor", "major"]),
        "The farthest any dependency moves.",
        "a candidate fix whose versions can be compared",
    ),
    fact(
        "fix.upgrade_scope",
        FactType::Word(&["none", "dev", "runtime"]),
        "Whether a moved dependency ships with the service.",
        DIFF,
    ),
    fact(
        "fix.ecosystems",
        FactType::Set,
        "Ecosystems of the dependencies that it moves, as package URLs name them, for example `npm`.",
        DIFF,
    ),
    fact(
        "fix.governance_files",
        FactType::Bool,
        "Whether it touches policies, controls, rollout, CODEOWNERS or CI.",
        DIFF,
    ),
    fact(
        "fix.critical_resource",
        FactType::Bool,
        "Whether it changes a database, a core IAM role or a network boundary.",
        DIFF,
    ),
    fact(
        "fix.variables_provisioned",
        FactType::Bool,
        "Whether every variable that it newly reads exists where it will run.",
        "whoever provisions the environment, in the estate's `environments.yaml`",
    ),
    fact(
        "fix.versions_skipped",
        FactType::Long,
        "How many steps of the highest changed version number an upgrade jumps over, at most.",
        "a candidate fix whose versions can be compared",
    ),
    fact(
        "fix.minimal",
        FactType::Bool,
        "Whether it touches only what its findings are about.",
        DIFF,
    ),
];
