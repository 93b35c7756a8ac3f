//! What the lines that say something amount to.

use std::collections::{BTreeMap, VecDeque};

use super::rows::{ROWS, Role, Row, Tool};
use super::{Category, Classification, LogLine};

/// Lines before a verdict in which a tool says why: compilers and resolvers print their errors just before.
const BEFORE: u64 = 200;
/// Lines after a verdict that belong to it.
const AFTER: u64 = 60;
/// Lines that are kept of one category, before the verdict and after it.
const MAX_KEPT: usize = 6;
/// Lines that a classification shows.
const MAX_LINES: usize = 20;
/// Longest text of a line that is shown, in characters.
const MAX_TEXT: usize = 400;

/// The first verdict of a tool, and what lines near it add.
#[derive(Debug)]
struct Track {
    category: Category,
    /// Whether the step that failed only ran another tool.
    delegated: bool,
    said: LogLine,
    /// Line of its latest verdict.
    last: u64,
    /// Rows, by index, that tell more about the first verdict.
    because: Vec<usize>,
}

impl Track {
    fn new(category: Category, delegated: bool, said: LogLine, because: Vec<usize>) -> Self {
        Self {
            category,
            delegated,
            last: said.line,
            said,
            because,
        }
    }

    /// Whether a line belongs to the first verdict: near, and before the next one.
    fn reaches(&self, line: u64) -> bool {
        self.last == self.said.line && line <= self.said.line.saturating_add(AFTER)
    }
}

/// Lines of one category that are kept to be shown.
#[derive(Debug, Default)]
struct Kept {
    before: VecDeque<LogLine>,
    after: Vec<LogLine>,
}

/// Gathers what lines say.
#[derive(Debug, Default)]
pub(super) struct Judge {
    tracks: BTreeMap<Tool, Track>,
    /// What compilers, linters and test runners said last.
    evidence: Option<Track>,
    /// Line at which each row of the role `Because` was last seen.
    seen: BTreeMap<usize, LogLine>,
    /// Whether a compiler printed an error that is no warning.
    errors: bool,
    kept: BTreeMap<Category, Kept>,
}

impl Judge {
    /// Takes the next line.
    pub(super) fn line(&mut self, number: u64, text: &str) {
        // Most lines say nothing, and that is told faster than what a line says.
        if !ROWS.set.is_match(text) {
            return;
        }
        let said = LogLine {
            line: number,
            text: text.chars().take(MAX_TEXT).collect(),
        };
        // Of several rows the first one in the table is the one that says most.
        let (mut verdict_given, mut evidence_given) = (false, false);
        for at in &ROWS.set.matches(text) {
            let Some(row) = ROWS.rows.get(at) else { continue };
            match row.role {
                Role::Reset => self.forget(row.tool),
                Role::Errors => self.errors = true,
                Role::Because { to, .. } => self.because(at, to, &said),
                Role::Evidence(_) if evidence_given => {}
                Role::Evidence(category) => {
                    evidence_given = true;
                    self.evidence(category, &said);
                }
                Role::Verdict(_) | Role::Delegated(_) if verdict_given => {}
                Role::Verdict(category) => {
                    verdict_given = true;
                    self.verdict_of(row, category, false, &said);
                }
                Role::Delegated(category) => {
                    verdict_given = true;
                    self.verdict_of(row, category, true, &said);
                }
            }
        }
    }

    /// A tool's last words begin: what it said before was an inner run of it, by a test.
    fn forget(&mut self, tool: Tool) {
        self.tracks.remove(&tool);
        for kept in self.kept.values_mut() {
            let after = kept.after.drain(..);
            kept.before.extend(after);
            while kept.before.len() > MAX_KEPT {
                kept.before.pop_front();
            }
        }
    }

    fn verdict_of(&mut self, row: &Row, category: Category, delegated: bool, said: &LogLine) {
        if let Some(track) = self.tracks.get_mut(&row.tool) {
            track.last = said.line;
        } else {
            let because = self.recent(said.line);
            self.tracks
                .insert(row.tool, Track::new(category, delegated, said.clone(), because));
        }
        self.keep(category, said);
    }

    fn evidence(&mut self, category: Category, said: &LogLine) {
        match &mut self.evidence {
            Some(track) if track.category == category => track.last = said.line,
            _ => self.evidence = Some(Track::new(category, false, said.clone(), self.recent(said.line))),
        }
        self.keep(category, said);
    }

    fn because(&mut self, at: usize, to: Category, said: &LogLine) {
        for track in self.tracks.values_mut().filter(|track| track.reaches(said.line)) {
            track.because.push(at);
            track.because.dedup();
        }
        if let Some(track) = &mut self.evidence
            && said.line <= track.last.saturating_add(AFTER)
            && !track.because.contains(&at)
        {
            track.because.push(at);
        }
        self.seen.insert(at, said.clone());
        self.keep(to, said);
    }

    /// Rows that were seen shortly before a line, or on it.
    fn recent(&self, line: u64) -> Vec<usize> {
        let near = |said: &LogLine| said.line.saturating_add(BEFORE) >= line;
        self.seen
            .iter()
            .filter(|(_, said)| near(said))
            .map(|(at, _)| *at)
            .collect()
    }

    fn keep(&mut self, category: Category, said: &LogLine) {
        let decided = !self.tracks.is_empty();
        let kept = self.kept.entry(category).or_default();
        let newest = kept.after.last().or(kept.before.back());
        if newest.is_some_and(|newest| newest.line == said.line) {
            return;
        }
        if !decided {
            if kept.before.len() == MAX_KEPT {
                kept.before.pop_front();
            }
            kept.before.push_back(said.clone());
        } else if kept.after.len() < MAX_KEPT {
            kept.after.push(said.clone());
        }
    }

    /// What it all amounts to.
    pub(super) fn verdict(&self) -> Classification {
        let mut path = Vec::new();
        let Some(category) = self.category(&mut path) else {
            return Classification {
                category: Category::Unknown,
                lines: Vec::new(),
            };
        };
        let mut lines: Vec<LogLine> = path.into_iter().cloned().collect();
        if let Some(kept) = self.kept.get(&category) {
            lines.extend(kept.before.iter().chain(&kept.after).cloned());
        }
        lines.sort();
        lines.dedup();
        lines.truncate(MAX_LINES);
        Classification { category, lines }
    }

    /// The category, and the verdicts that led to it.
    fn category<'a>(&'a self, path: &mut Vec<&'a LogLine>) -> Option<Category> {
        // The tool that speaks last is the outermost one.
        let mut tracks: Vec<&Track> = self.tracks.values().collect();
        tracks.sort_by_key(|track| std::cmp::Reverse(track.last));
        let mut fallback = None;
        for track in tracks {
            path.push(&track.said);
            let category = self.refined(track);
            if !track.delegated || category != track.category {
                return Some(category);
            }
            fallback.get_or_insert(category);
        }
        if let Some(track) = &self.evidence {
            path.push(&track.said);
            return Some(self.refined(track));
        }
        fallback.or_else(|| self.alone(path))
    }

    /// A verdict's category with what the lines near it add.
    fn refined(&self, track: &Track) -> Category {
        let rows = |to: Category| {
            let rows = track.because.iter().filter_map(|at| ROWS.rows.get(*at));
            rows.filter_map(move |row| match row.role {
                Role::Because { to: found, of } if found == to => Some(of),
                _ => None,
            })
        };
        // In this order one can lead to the next: a build that fails for want of a dependency that no registry gave.
        let steps = [
            Category::Lint,
            Category::Policy,
            Category::Resolution,
            Category::Lock,
            Category::Infrastructure,
        ];
        steps.into_iter().fold(track.category, |category, to| {
            let applies = rows(to).any(|of| of.contains(&category));
            let only_warnings = to != Category::Lint || !self.errors;
            if applies && only_warnings { to } else { category }
        })
    }

    /// Without any verdict: what the machine said last, as where a build was killed.
    fn alone<'a>(&'a self, path: &mut Vec<&'a LogLine>) -> Option<Category> {
        let (at, said) = self.seen.iter().max_by_key(|(_, said)| said.line)?;
        path.push(said);
        match ROWS.rows.get(*at)?.role {
            Role::Because { to, .. } => Some(to),
            _ => None,
        }
    }
}
