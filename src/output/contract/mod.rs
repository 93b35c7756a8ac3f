//! A comparison of two contracts as people, pull requests, browsers and editors read it.

mod html;
mod markdown;
mod sarif;
mod text;

use holdpoint_contract::overrides::{Judged, Override};
use holdpoint_contract::{Change, DiffVerdict, Level};

pub use html::html;
pub use markdown::markdown;
pub use sarif::sarif;
pub use text::{explained, human, listed};

use super::text::count;

/// A comparison, and what was compared.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// Name of the version that clients know.
    pub base: &'a str,
    /// Name of the version that is compared with it.
    pub revision: &'a str,
    /// What was found.
    pub judged: &'a Judged,
}

/// The levels, worst first.
const LEVELS: [Level; 3] = [Level::Error, Level::Warning, Level::Info];

impl Compared<'_> {
    /// The changes of a level.
    fn of(&self, level: Level) -> Vec<&Change> {
        self.judged
            .diff
            .changes
            .iter()
            .filter(|change| change.level == level)
            .collect()
    }

    /// The verdict in a word and in words.
    fn verdict(&self) -> (&'static str, &'static str) {
        match self.judged.verdict() {
            DiffVerdict::Breaking => ("breaking", "a client that worked before can fail now"),
            DiffVerdict::Compatible => ("compatible", "no client that worked before can fail"),
            DiffVerdict::Inconclusive => (
                "inconclusive",
                "nothing that breaks was found, but not all could be compared",
            ),
        }
    }

    /// `2 errors, 1 warning`; or that nothing changed.
    fn numbers(&self) -> String {
        let parts: Vec<String> = LEVELS
            .into_iter()
            .map(|level| (level, self.of(level).len()))
            .filter(|(_, number)| *number > 0)
            .map(|(level, number)| match level {
                Level::Info => format!("{number} info"),
                level => count(number, level.as_str(), &format!("{}s", level.as_str())),
            })
            .collect();
        if parts.is_empty() {
            "no changes".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

/// `GET /pets`; what isn't about an operation has only a path.
fn place(change: &Change) -> String {
    let line = change.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{} {}{line}", change.operation, change.path).trim().to_owned()
}

/// What a rule of the configuration did, in one sentence.
fn told(found: &Override) -> String {
    let rule = &found.rule;
    let of = match (&rule.operation, &rule.path) {
        (None, None) => String::new(),
        (operation, path) => {
            let words = [operation.as_deref(), path.as_deref()];
            format!(" on {}", words.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
    };
    let level = Level::from(rule.level).as_str();
    let reason = rule.reason.trim().trim_end_matches('.');
    if found.expired {
        return format!(
            "`{}`{of} was {level} until {} and no longer is: {reason}",
            rule.rule, rule.expires
        );
    }
    let did = match found.changes {
        0 => "no change is concerned".to_owned(),
        number => count(number, "change", "changes"),
    };
    format!(
        "`{}`{of} is {level} until {} ({did}): {reason}",
        rule.rule, rule.expires
    )
}

#[cfg(test)]
mod tests;
