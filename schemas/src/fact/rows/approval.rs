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
];
