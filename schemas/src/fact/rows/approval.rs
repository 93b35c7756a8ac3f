//! `approval.*`: a human's go.

use super::{FactRow, approval};
use crate::fact::FactType;

pub(super) const ROWS: &[FactRow] = &[
    approval(
        "approval.verified",
        FactType::Bool,
        "Whether a verified signature approves exactly this change.",
    ),
    approval(
        "approval.independent",
        FactType::Bool,
        "Whether an approver is someone other than the change's author.",
    ),
    approval(
        "approval.independent_approvers",
        FactType::Long,
        "How many different people other than the change's author approved.",
    ),
    approval(
        "approval.approvers",
        FactType::Long,
        "How many different people approved.",
    ),
    approval(
        "approval.roles",
        FactType::Set,
        "Roles of the approvers other than the change's author; `service-owner` when all that it touches is theirs.",
    ),
    approval(
        "approval.teams",
        FactType::Set,
        "Teams of the approvers other than the change's author.",
    ),
    FactRow {
        resolver: "a person with the role `emergency`, or two people (`holdpoint override`)",
        ..approval(
            "approval.emergency",
            FactType::Bool,
            "Whether a verified emergency override of exactly this change holds now.",
        )
    },
];
