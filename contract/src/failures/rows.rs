//! What each line says: one row per message, one file per family of tools.

mod cargo;
mod go;
mod gradle;
mod machine;
mod maven;
mod node;
mod python;

use std::sync::LazyLock;

use regex::{RegexSet, RegexSetBuilder};

use super::Category;

/// Largest compiled set of patterns, in bytes.
const MAX_SET_BYTES: usize = 64 << 20;
/// What the set's lazy automaton may use while it reads, in bytes: enough that it is never rebuilt in practice.
const MAX_CACHE_BYTES: usize = 16 << 20;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    Maven,
    Gradle,
    Node,
    Python,
    Cargo,
    Go,
    /// Make, Docker and the like, which only run others; and the machine itself.
    Other,
}

/// What a line is for the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The tool's own last words: the step that failed.
    Verdict(Category),
    /// The same, on a step that ran another tool: if that one says nothing, it is this.
    Delegated(Category),
    /// What a compiler, a linter or a test runner says before the tool's last words.
    Evidence(Category),
    /// Near a verdict: a failure of one of these categories is one of that category in truth.
    Because { to: Category, of: &'static [Category] },
    /// A compile error that is no warning made an error.
    Errors,
    /// The tool's last words begin here.
    Reset,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) tool: Tool,
    pub(super) role: Role,
}

/// A row as the tables have it: its role and its pattern.
type Line = (Role, String);

/// What any failure can come from.
const ANY: &[Category] = &Category::ALL;
/// What fetches something.
const FETCH: &[Category] = &[Category::Resolution, Category::Lock, Category::Unknown];
/// What compiles.
const BUILD: &[Category] = &[Category::Build];

/// All rows, compiled into one automaton.
pub(super) struct Rows {
    pub(super) set: RegexSet,
    pub(super) rows: Vec<Row>,
}

/// Every table; within one, a row that says more stands before one that says less.
pub(super) static ROWS: LazyLock<Rows> = LazyLock::new(|| {
    let tables = [
        (Tool::Maven, maven::rows()),
        (Tool::Gradle, gradle::rows()),
        (Tool::Node, node::rows()),
        (Tool::Python, python::rows()),
        (Tool::Cargo, cargo::rows()),
        (Tool::Go, go::rows()),
        (Tool::Other, machine::rows()),
    ];
    let all = || {
        let rows = |(tool, rows): &'_ (Tool, Vec<Line>)| {
            let tool = *tool;
            rows.iter()
                .map(move |(role, pattern)| (tool, *role, pattern.clone()))
                .collect::<Vec<_>>()
        };
        tables.iter().flat_map(rows)
    };
    let built = RegexSetBuilder::new(all().map(|(.., pattern)| pattern))
        .size_limit(MAX_SET_BYTES)
        .dfa_size_limit(MAX_CACHE_BYTES)
        .build();
    // A test compiles the patterns: they are ours.
    Rows {
        set: built.unwrap_or_else(|_| RegexSet::empty()),
        rows: all().map(|(tool, role, _)| Row { tool, role }).collect(),
    }
});

/// Rows of patterns that need nothing put in.
fn plain(rows: &[(Role, &str)]) -> Vec<Line> {
    rows.iter()
        .map(|(role, pattern)| (*role, (*pattern).to_owned()))
        .collect()
}

/// A line near a verdict that tells more about one of these categories.
const fn because(to: Category, of: &'static [Category]) -> Role {
    Role::Because { to, of }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_compile_and_none_matches_nothing() {
        assert_eq!(ROWS.set.len(), ROWS.rows.len());
        assert!(ROWS.rows.len() > 150);
        assert!(!ROWS.set.is_match(""));
        assert!(!ROWS.set.is_match("[INFO] all is well"));
    }
}
