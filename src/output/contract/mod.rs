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

/// `GET /pets`; what isn't about an operation has only a path, with the line where the path is a file.
fn place(change: &Change) -> String {
    let line = change.line.filter(|_| change.file.is_none());
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{} {}{line}", change.operation, change.path).trim().to_owned()
}

/// `api.yaml:12`, where the place doesn't say it: the file as it was named, or below the folder that was named.
fn position(compared: &Compared<'_>, change: &Change) -> Option<String> {
    let (file, line) = (change.file.as_deref()?, change.line?);
    let side = if change.in_base {
        compared.base
    } else {
        compared.revision
    };
    Some(format!("{}:{line}", file_of(side, file)))
}

/// A file of a side, which was named by that file or by a folder above it.
fn file_of(side: &str, file: &str) -> String {
    let named = side
        .strip_suffix(file)
        .filter(|front| front.is_empty() || front.ends_with(['/', ':']));
    match named {
        Some(_) => side.to_owned(),
        None => format!("{}/{file}", side.trim_end_matches('/')),
    }
}

/// Places of gaps that say the same, in their order.
fn gaps<'a>(compared: &Compared<'a>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for gap in &compared.judged.diff.gaps {
        match found.iter_mut().find(|(text, _)| *text == gap.text) {
            Some((_, places)) => places.push(&gap.place),
            None => found.push((&gap.text, vec![&gap.place])),
        }
    }
    found
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
