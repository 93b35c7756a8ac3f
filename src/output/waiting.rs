//! What waits for people, as text.

use std::fmt::Write as _;

use super::command_line::CommandLine;
use super::text::{clean, count, sentence};
use crate::pipeline::approvals::{OpenOverride, Queue, WaitingItem};

/// What must be seen first: overrides that nobody else has looked at, one line each.
#[must_use]
pub fn banner(queue: &Queue) -> Vec<String> {
    queue
        .overrides
        .iter()
        .map(|open| sentence(&clean(&open.line())))
        .collect()
}

/// An item in one line, for reports.
#[must_use]
pub fn line(item: &WaitingItem) -> String {
    let told: Vec<&str> = item.escalated.iter().map(|told| told.step.to.as_str()).collect();
    let told = if told.is_empty() {
        String::new()
    } else {
        format!(", escalated to {}", told.join(", "))
    };
    clean(&format!(
        "{}: {} on {}@{}, waiting since {}, until {}{told}",
        item.findings.join(", "),
        item.title,
        item.repo,
        item.branch,
        item.since,
        item.until
    ))
}

/// Everything, with the command for each.
#[must_use]
pub fn human(queue: &Queue, line: &CommandLine) -> String {
    let mut out = String::new();
    for open in &queue.overrides {
        override_of(&mut out, open, line);
    }
    if queue.waiting.is_empty() {
        out.push_str("Nothing waits for a go.\n");
    } else {
        let _ = writeln!(out, "{} for a go:\n", waits(queue.waiting.len()));
        for item in &queue.waiting {
            waiting(&mut out, item, line);
        }
    }
    if !queue.timed_out.is_empty() {
        let ids: Vec<&str> = queue
            .timed_out
            .iter()
            .flat_map(|timed_out| timed_out.findings.iter().map(String::as_str))
            .collect();
        let _ = writeln!(out, "Timed out, and declined by that: {}", ids.join(", "));
    }
    out
}

fn waits(number: usize) -> String {
    match number {
        1 => "1 fix waits".to_owned(),
        _ => format!("{} wait", count(number, "fix", "fixes")),
    }
}

fn override_of(out: &mut String, open: &OpenOverride, line: &CommandLine) {
    let id = open.findings.first().map_or("FINDING", String::as_str);
    let _ = writeln!(
        out,
        "OVERRIDE: {}\n    {} --message 'WHAT YOU FOUND'\n",
        sentence(&clean(&open.line())),
        line.signed("acknowledge", id)
    );
}

fn waiting(out: &mut String, item: &WaitingItem, line: &CommandLine) {
    let id = item.findings.first().map_or("FINDING", String::as_str);
    let _ = writeln!(
        out,
        "{}  {}@{}  {}",
        item.findings.join(", "),
        clean(&item.repo),
        clean(&item.branch),
        clean(&item.title)
    );
    let _ = writeln!(
        out,
        "  waits since {}, until {}: then silence is a no",
        item.since, item.until
    );
    for told in &item.escalated {
        let _ = writeln!(out, "  {} was told on {}", clean(&told.step.to), told.at);
    }
    if !item.approved_by.is_empty() {
        let _ = writeln!(out, "  approved by {}", clean(&item.approved_by.join(", ")));
    }
    for reason in &item.refused {
        let _ = writeln!(out, "  {}", clean(reason));
    }
    let command = if item.missing.is_empty() && !item.approved_by.is_empty() {
        line.of("promote", id)
    } else {
        for reason in &item.missing {
            let _ = writeln!(out, "  missing: {}", clean(reason));
        }
        line.signed("approve", id)
    };
    let _ = writeln!(out, "    {command}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_schemas::Digest;
    use holdpoint_schemas::people::EscalationStep;

    use crate::pipeline::approvals::desk::{Escalated, TimedOut};

    fn at(text: &str) -> holdpoint_schemas::Timestamp {
        text.parse().unwrap()
    }

    fn queue() -> Queue {
        let fix = Digest::of_bytes(b"fix");
        let since = at("2026-03-17T02:30:00Z");
        let item = WaitingItem {
            fix: fix.clone(),
            findings: vec!["hp-1".to_owned(), "hp-2".to_owned()],
            title: "Upgrade requests".to_owned(),
            repo: "payments".to_owned(),
            branch: "main".to_owned(),
            since,
            until: at("2026-03-31T02:30:00Z"),
            escalated: vec![Escalated {
                fix: fix.clone(),
                findings: vec!["hp-1".to_owned()],
                since,
                step: EscalationStep {
                    after: "2d".parse().unwrap(),
                    to: "payments\u{1b}[31m".to_owned(),
                },
                at: at("2026-03-19T02:30:00Z"),
            }],
            approved_by: vec!["ana@x.example".to_owned()],
            missing: vec!["A change on a payment path in production needs two approvers".to_owned()],
            refused: vec!["the approval by bo@x.example doesn't count: it expired at 2026-03-18T00:00:00Z".to_owned()],
        };
        Queue {
            overrides: vec![OpenOverride {
                id: Digest::of_bytes(b"override"),
                findings: vec!["hp-3".to_owned()],
                title: "Close the bucket".to_owned(),
                repo: "infra".to_owned(),
                branch: "main".to_owned(),
                by: "cy@x.example".to_owned(),
                reason: "it is being read from outside".to_owned(),
                at: since,
                expires: at("2026-03-17T04:30:00Z"),
                holds: true,
                merged: None,
                involved: std::collections::BTreeSet::new(),
            }],
            waiting: vec![item],
            timed_out: vec![TimedOut {
                fix,
                findings: vec!["hp-4".to_owned()],
                since,
                deadline: at("2026-03-31T02:30:00Z"),
                questions: vec![Digest::of_bytes(b"question")],
                at: at("2026-03-31T02:30:00Z"),
            }],
        }
    }

    #[test]
    fn each_item_says_what_waits_for_whom_until_when_and_what_to_type() {
        let text = human(&queue(), &CommandLine::default().signing("by", "ME"));
        insta::assert_snapshot!(text);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn nothing_waits_is_said_too() {
        assert_eq!(
            human(&Queue::default(), &CommandLine::default()),
            "Nothing waits for a go.\n"
        );
    }

    #[test]
    fn notices_are_of_this_run_and_an_override_is_told_in_each_until_it_was_looked_at() {
        let mut queue = queue();
        let kinds = |queue: &Queue, moment: &str| -> Vec<String> {
            let notices = queue.notices(at(moment));
            notices
                .iter()
                .map(|notice| format!("{:?} {}", notice.kind, notice.to.as_deref().unwrap_or("all")))
                .collect()
        };
        assert_eq!(kinds(&queue, "2026-03-18T02:30:00Z"), ["Override all"]);
        assert_eq!(
            kinds(&queue, "2026-03-19T02:30:00Z"),
            ["Override all", "Escalation payments\u{1b}[31m"]
        );
        assert_eq!(kinds(&queue, "2026-03-31T02:30:00Z"), ["Override all", "TimeOut all"]);
        queue.overrides.clear();
        assert!(queue.notices(at("2026-03-18T02:30:00Z")).is_empty());
        assert!(!queue.is_empty());
    }
}
