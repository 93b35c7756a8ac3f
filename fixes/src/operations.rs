//! What has to happen so that a change takes effect: restart, reboot, migration, told from the
//! diff alone. One rule per file here; the first that knows a file speaks for it.
//!
//! Over all files *yes* wins over *can't be told*, and that over *no*.

mod config;
mod dependencies;
mod images;
mod inert;
mod migrations;
mod packages;
mod schema;
mod source;
mod terraform;
mod units;

use holdpoint_schemas::fix::{Classification, FileChange, OperationNeed, Operations};

use crate::classify::Lookup;

/// One changed file, as rules see it.
struct Changed<'a> {
    change: &'a FileChange,
    before: Option<String>,
    after: Option<String>,
    classification: &'a Classification,
}

impl Changed<'_> {
    fn path(&self) -> &str {
        &self.change.path
    }

    fn name(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    fn ending(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    fn folders(&self) -> impl Iterator<Item = &str> {
        self.path().rsplit('/').skip(1)
    }

    /// All lines that come or go.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.change
            .removed
            .iter()
            .chain(&self.change.added)
            .map(|(_, line)| line.as_str())
    }
}

/// An answer with its reason, which continues the sentence "`path` …".
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Yes(String),
    No(&'static str),
    Unknown(&'static str),
}

/// What one file needs.
struct Needs {
    restart: Answer,
    reboot: Answer,
    migration: Answer,
}

impl Needs {
    fn none(why: &'static str) -> Self {
        Self {
            restart: Answer::No(why),
            reboot: Answer::No(why),
            migration: Answer::No(why),
        }
    }

    /// Only a restart: what most of a service's own files need.
    fn restart(why: impl Into<String>) -> Self {
        let nothing = "holds no sign of it";
        Self {
            restart: Answer::Yes(why.into()),
            reboot: Answer::No(nothing),
            migration: Answer::No(nothing),
        }
    }

    fn unknown(why: &'static str) -> Self {
        Self {
            restart: Answer::Unknown(why),
            reboot: Answer::Unknown(why),
            migration: Answer::Unknown(why),
        }
    }
}

/// A rule: what a file needs, or nothing where the file isn't its business.
type Rule = fn(&Changed<'_>) -> Option<Needs>;

/// The more specific ones come first.
const RULES: [Rule; 10] = [
    migrations::read,
    inert::read,
    images::read,
    packages::read,
    dependencies::read,
    units::read,
    terraform::read,
    schema::read,
    source::read,
    config::read,
];

/// What has to happen so that the change takes effect.
#[must_use]
pub fn operations(
    files: &[FileChange],
    classification: &Classification,
    before: Lookup<'_>,
    after: Lookup<'_>,
) -> Operations {
    let mut found = Vec::new();
    for change in files {
        let changed = Changed {
            change,
            before: before(&change.path),
            after: after(&change.path),
            classification,
        };
        let needs = RULES.iter().find_map(|rule| rule(&changed));
        found.push((
            change.path.as_str(),
            needs.unwrap_or_else(|| Needs::unknown("is of no known kind")),
        ));
    }
    let over = |which: fn(&Needs) -> &Answer| combine(found.iter().map(|(path, needs)| (*path, which(needs))));
    Operations {
        restart: over(|needs| &needs.restart),
        reboot: over(|needs| &needs.reboot),
        migration: over(|needs| &needs.migration),
    }
}

fn combine<'a>(answers: impl Iterator<Item = (&'a str, &'a Answer)>) -> OperationNeed {
    let rank = |answer: &Answer| match answer {
        Answer::No(_) => 0,
        Answer::Unknown(_) => 1,
        Answer::Yes(_) => 2,
    };
    // The first of the strongest answers gives its reason.
    let strongest = answers.reduce(|best, next| if rank(next.1) > rank(best.1) { next } else { best });
    let (needed, path, why) = match strongest {
        None => {
            return OperationNeed {
                needed: None,
                because: "no file changes".to_owned(),
            };
        }
        Some((path, Answer::Yes(why))) => (Some(true), path, why.as_str()),
        Some((path, Answer::No(why))) => (Some(false), path, *why),
        Some((path, Answer::Unknown(why))) => (None, path, *why),
    };
    OperationNeed {
        needed,
        because: format!("`{path}` {why}"),
    }
}

#[cfg(test)]
mod tests;
