//! Status codes.

use std::collections::BTreeSet;

use super::{Report, Response};

const SERVER_ERRORS: std::ops::RangeInclusive<u16> = 500..=599;

pub(super) fn compare(before: &[&Response], after: &Response, report: &mut Report) {
    let seen: BTreeSet<u16> = before.iter().map(|response| response.status).collect();
    if seen.contains(&after.status) {
        return;
    }
    let failed = |status: &u16| SERVER_ERRORS.contains(status);
    let rule = match failed(&after.status) && !seen.iter().any(failed) {
        true => "status-server-error",
        false => "status",
    };
    let known: Vec<String> = seen.iter().map(u16::to_string).collect();
    report.add(
        rule,
        "$.status",
        format!("{} instead of {}", after.status, known.join(" or ")),
    );
}
