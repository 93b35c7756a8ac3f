//! `evidence.*`: one verdict per check.

use super::{FactRow, evidence};

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
];
