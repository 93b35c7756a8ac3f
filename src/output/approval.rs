//! What somebody said of a fix that waits, as text.

use std::fmt::Write as _;

use holdpoint_schemas::approval::Verb;

use super::text::clean;
use crate::pipeline::approvals::Said;

/// What is on record now, and what it comes to; `promote` is the command that merges.
#[must_use]
pub fn human(said: &Said, promote: &str) -> String {
    let statement = &said.approval.statement;
    let (by, binding) = (clean(&statement.by), &statement.binding);
    if statement.verb == Verb::Decline {
        return format!(
            "Declined by {by}. Nothing will be merged unless they approve it after this, or two other people do."
        );
    }
    let mut out = match said.counts {
        true => format!(
            "Approved by {by} until {}: exactly the tree {} on {}@{}, with these policies and facts. Any change voids it.",
            statement.expires, binding.tree, binding.repo, binding.target_branch
        ),
        false => format!("The go by {by} is on record, and doesn't count."),
    };
    if said.missing.is_empty() && said.counts {
        let _ = write!(out, " To merge it:\n\n    {promote}");
        return out;
    }
    out.push_str(" It can't be merged yet:\n");
    for why in said.missing.iter().chain(&said.refused) {
        let _ = write!(out, "\n  - {}", clean(why));
    }
    out
}
