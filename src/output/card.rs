//! One item as the HTML report shows it: every text ready, nothing left to decide in the template.

use holdpoint_schemas::Level;
use holdpoint_schemas::decision::Bound;
use holdpoint_schemas::evidence::{Check, CheckResult, Side, StepRun, Verdict};
use holdpoint_schemas::fact::Unknown;

use super::command_line::CommandLine;
use super::progress::{seconds, step_end};
use super::text::{clause, clean, clean_lines, count, list, sentence, shorten};
use super::{explain, phrase, wording};
use crate::pipeline::report::{CiOnly, ReportItem};

/// Lines shown of a diff: a page must stay readable; the pull request has all of it.
const MAX_DIFF_LINES: usize = 400;
/// Characters shown of one line of a diff or of output.
const MAX_LINE: usize = 400;
/// Details shown per check.
const MAX_DETAILS: usize = 20;
/// Paths shown of a blast radius.
const MAX_PATHS: usize = 40;
/// Lines shown of a failed step's output.
const MAX_TAIL_LINES: usize = 40;

/// An item, ready to render.
#[derive(Debug)]
pub struct Card {
    /// Short id; also the element's id.
    pub id: String,
    /// CSS class and name of the level.
    pub level: &'static str,
    /// Repo and branch.
    pub place: String,
    /// Service name.
    pub service: String,
    /// Title of the finding.
    pub title: String,
    /// The demo's scenario, and whether it was met.
    pub scenario: Option<(String, bool)>,
    /// The deciding reason.
    pub reason: String,
    /// What was done, short and long.
    pub outcome: &'static str,
    /// What was done, as a sentence.
    pub outcome_sentence: String,
    /// What a CI-only tool would have done.
    pub ci_only: CiOnlyView,
    /// What was found.
    pub found: String,
    /// What the candidate does.
    pub fix: String,
    /// What withholds higher levels.
    pub bounds: Vec<BoundView>,
    /// Why the level is permitted.
    pub permits: Vec<String>,
    /// What isn't known.
    pub unknowns: Vec<UnknownView>,
    /// Checks in running order.
    pub checks: Vec<CheckView>,
    /// Findings that the candidate brings with it.
    pub new_findings: Vec<String>,
    /// Why there are no checks.
    pub no_checks: &'static str,
    /// Whether a check failed, so that the evidence is worth opening.
    pub any_failed: bool,
    /// Steps on both sides.
    pub steps: Vec<StepView>,
    /// Ends of the output of steps that failed.
    pub tails: Vec<(String, String)>,
    /// Which sandbox ran them.
    pub sandbox: String,
    /// Lines of the diff with their CSS class.
    pub diff: Vec<(&'static str, String)>,
    /// Lines that aren't shown.
    pub diff_more: usize,
    /// `2 files, +3 −1`.
    pub diff_stat: String,
    /// Who can be affected.
    pub blast: String,
    /// How.
    pub paths: Vec<String>,
    /// Picture of the graph with the blast radius; trusted SVG.
    pub graph: Option<String>,
    /// The next level up.
    pub next_level: Option<&'static str>,
    /// What would lift it there.
    pub unlocks: Vec<String>,
    /// What to do.
    pub next_step: String,
    /// Command lines for it.
    pub commands: Vec<String>,
    /// What to do besides.
    pub advice: Vec<String>,
    /// Every known fact: what it says, and where from.
    pub facts: Vec<(String, String)>,
    /// How many.
    pub fact_count: String,
    /// How many bounds.
    pub bound_count: String,
    /// Digest of the decision, short.
    pub decision: String,
}

/// The comparison with a tool that looks only at tests.
#[derive(Debug)]
pub struct CiOnlyView {
    /// CSS class: `same`, `unasked`, `harm` or `none`.
    pub class: &'static str,
    /// In two words.
    pub short: &'static str,
    /// As a sentence.
    pub sentence: String,
}

/// One bound.
#[derive(Debug)]
pub struct BoundView {
    /// Levels that it withholds.
    pub withholds: String,
    /// Kind.
    pub kind: &'static str,
    /// Policy or lane.
    pub id: String,
    /// Why.
    pub reason: String,
    /// Known facts that it read.
    pub facts: Vec<String>,
}

/// One unknown.
#[derive(Debug)]
pub struct UnknownView {
    /// What.
    pub what: String,
    /// Fact id.
    pub id: String,
    /// Why.
    pub why: String,
    /// Who could supply it.
    pub resolver: String,
}

/// One check.
#[derive(Debug)]
pub struct CheckView {
    /// Name.
    pub name: &'static str,
    /// Verdict; also the CSS class.
    pub verdict: &'static str,
    /// Why.
    pub reason: String,
    /// More lines.
    pub details: Vec<String>,
}

/// One step on both sides.
#[derive(Debug)]
pub struct StepView {
    /// Name.
    pub step: String,
    /// Before the fix.
    pub baseline: Option<StepCell>,
    /// With the fix.
    pub candidate: Option<StepCell>,
}

/// How a step ended on one side.
#[derive(Debug)]
pub struct StepCell {
    /// CSS class: `ok` or `bad`.
    pub class: &'static str,
    /// How it ended.
    pub end: String,
    /// How long it took.
    pub time: String,
}

impl Card {
    /// The card of an item; `graph` is the SVG of its blast radius.
    #[must_use]
    pub fn of(item: &ReportItem, graph: Option<String>) -> Self {
        let finding = &item.finding;
        let (next_step, commands) = explain::next_step(item, &CommandLine::default());
        let (diff, diff_more) = diff(item);
        let record = item.evidence.as_ref();
        let checks = checks(item);
        let dependents = item.blast.iter().flat_map(|blast| &blast.dependents);
        let known = item.decision.facts.known();
        Self {
            id: finding.id(),
            level: item.decision.level.as_str(),
            place: clean(&format!("{}@{}", finding.repo, finding.branch)),
            service: clean(&item.service),
            title: clean(&finding.finding.title),
            scenario: item
                .scenario
                .as_ref()
                .map(|scenario| (clean(&scenario.title), scenario.met)),
            reason: sentence(&clean(&phrase::reason(item))),
            outcome: phrase::outcome_short(&item.outcome),
            outcome_sentence: clean(&phrase::outcome_sentence(&item.outcome)),
            ci_only: ci_only(item),
            found: clean(&explain::found_text(item)),
            fix: clean(&explain::fix_text(item)),
            bounds: phrase::merged_bounds(item)
                .into_iter()
                .map(|(bound, levels)| bound_view(item, bound, &levels))
                .collect(),
            permits: item
                .decision
                .permitted_by
                .iter()
                .map(|text| clause(&clean(text)))
                .collect(),
            unknowns: phrase::unknowns(item).into_iter().map(unknown_view).collect(),
            any_failed: checks.iter().any(|check| check.verdict == "failed"),
            checks,
            no_checks: explain::no_checks(item),
            new_findings: phrase::new_findings(item)
                .iter()
                .take(MAX_DETAILS)
                .map(|line| clip(line))
                .collect(),
            steps: record.map(|record| steps(&record.steps)).unwrap_or_default(),
            tails: record.map(|record| tails(&record.steps)).unwrap_or_default(),
            sandbox: record
                .map(|record| clean(&record.evidence.provenance()))
                .unwrap_or_default(),
            diff,
            diff_more,
            diff_stat: diff_stat(item),
            blast: clean(&phrase::blast(item)),
            paths: dependents
                .map(phrase::path)
                .take(MAX_PATHS)
                .map(|path| clean(&path))
                .collect(),
            graph,
            next_level: item.decision.level.next().map(Level::as_str),
            unlocks: explain::unlocks(item).iter().map(|text| clean(text)).collect(),
            next_step: clean(&next_step),
            commands,
            advice: item.advice.iter().map(|text| sentence(&clean(text))).collect(),
            facts: known
                .map(|(id, fact)| {
                    let note = fact
                        .note
                        .as_deref()
                        .map(|note| format!(": {}", clause(note)))
                        .unwrap_or_default();
                    let words = sentence(&format!("{}{note}", wording::known(id, &fact.value)));
                    (clean(&words), clean(&wording::provenance(fact, item.decision.at)))
                })
                .collect(),
            fact_count: count(item.decision.facts.known().count(), "fact", "facts"),
            bound_count: count(phrase::merged_bounds(item).len(), "reason", "reasons"),
            decision: item.decision.id.short().to_owned(),
        }
    }
}

fn ci_only(item: &ReportItem) -> CiOnlyView {
    let class = match item.ci_only {
        CiOnly::Merge if phrase::harm(item).is_some() => "harm",
        CiOnly::Merge if item.decision.level < Level::AutoApply => "unasked",
        CiOnly::Merge => "same",
        CiOnly::Hold | CiOnly::NotRun => "none",
    };
    CiOnlyView {
        class,
        short: phrase::ci_only_short(item.ci_only),
        sentence: clean(&phrase::ci_only_sentence(item)),
    }
}

fn bound_view(item: &ReportItem, bound: &Bound, levels: &[Level]) -> BoundView {
    let known = bound.facts.iter().filter(|reading| reading.fact.is_some());
    BoundView {
        withholds: list(&levels.iter().map(ToString::to_string).collect::<Vec<_>>(), 3),
        kind: phrase::bound_kind(bound.kind),
        id: clean(&bound.id),
        reason: sentence(&clean(&bound.reason)),
        facts: known
            .map(|reading| sentence(&clean(&wording::reading(reading, item.decision.at))))
            .collect(),
    }
}

fn unknown_view(unknown: &Unknown) -> UnknownView {
    UnknownView {
        what: sentence(&clean(&wording::unknown(&unknown.id))),
        id: clean(&unknown.id),
        why: clean(&clause(&unknown.why)),
        resolver: clean(&clause(&unknown.resolver)),
    }
}

fn checks(item: &ReportItem) -> Vec<CheckView> {
    let Some(record) = &item.evidence else {
        return Vec::new();
    };
    let view = |check: Check| match record.evidence.checks.get(&check) {
        Some(CheckResult {
            verdict,
            reason,
            details,
        }) => CheckView {
            name: check.as_str(),
            verdict: Verdict::as_str(*verdict),
            reason: sentence(&clean(reason)),
            details: details.iter().take(MAX_DETAILS).map(|line| clip(line)).collect(),
        },
        None => CheckView {
            name: check.as_str(),
            verdict: "not-run",
            reason: "Not run.".to_owned(),
            details: Vec::new(),
        },
    };
    Check::ALL.into_iter().map(view).collect()
}

fn clip(line: &str) -> String {
    shorten(&clean(line), MAX_LINE)
}

fn steps(runs: &[StepRun]) -> Vec<StepView> {
    let mut views: Vec<StepView> = Vec::new();
    for run in runs {
        let cell = StepCell {
            class: if run.end.is_success() { "ok" } else { "bad" },
            end: clean(&step_end(&run.end)),
            time: seconds(run.millis),
        };
        let name = clean(&run.step);
        let at = views.iter().position(|view| view.step == name).unwrap_or_else(|| {
            views.push(StepView {
                step: name,
                baseline: None,
                candidate: None,
            });
            views.len() - 1
        });
        if let Some(view) = views.get_mut(at) {
            match run.side {
                Side::Baseline => view.baseline = Some(cell),
                Side::Candidate => view.candidate = Some(cell),
            }
        }
    }
    views
}

fn tails(runs: &[StepRun]) -> Vec<(String, String)> {
    let failed = runs
        .iter()
        .filter(|run| !run.end.is_success() && !run.tail.trim().is_empty());
    failed
        .map(|run| {
            let text = clean_lines(&run.tail);
            let lines: Vec<&str> = text.lines().collect();
            let from = lines.len().saturating_sub(MAX_TAIL_LINES);
            let kept: Vec<String> = lines.iter().skip(from).map(|line| shorten(line, MAX_LINE)).collect();
            (format!("{} ({})", clean(&run.step), run.side.as_str()), kept.join("\n"))
        })
        .collect()
}

fn diff(item: &ReportItem) -> (Vec<(&'static str, String)>, usize) {
    let Some(fix) = &item.fix else {
        return (Vec::new(), 0);
    };
    let text = clean_lines(&fix.diff_text);
    let lines = text.lines().take(MAX_DIFF_LINES).map(|line| {
        let class = match line {
            _ if line.starts_with("+++") || line.starts_with("---") || line.starts_with("diff ") => "file",
            _ if line.starts_with("@@") => "hunk",
            _ if line.starts_with('+') => "add",
            _ if line.starts_with('-') => "del",
            _ => "same",
        };
        (class, shorten(line, MAX_LINE))
    });
    (lines.collect(), text.lines().count().saturating_sub(MAX_DIFF_LINES))
}

fn diff_stat(item: &ReportItem) -> String {
    let Some(fix) = &item.fix else {
        return String::new();
    };
    let added: usize = fix.files.iter().map(|file| file.added.len()).sum();
    let removed: usize = fix.files.iter().map(|file| file.removed.len()).sum();
    format!("{}, +{added} −{removed}", count(fix.files.len(), "file", "files"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;
    use holdpoint_schemas::evidence::StepEnd;

    #[test]
    fn both_sides_of_a_step_stand_in_one_row() {
        let card = Card::of(&samples::merged(), None);
        let names: Vec<&str> = card.steps.iter().map(|step| step.step.as_str()).collect();
        assert_eq!(names, ["prepare", "test"]);
        assert!(
            card.steps
                .iter()
                .all(|step| step.baseline.is_some() && step.candidate.is_some())
        );
    }

    #[test]
    fn only_failed_steps_show_their_output_and_only_its_end() {
        let mut item = samples::merged();
        let run = item.evidence.as_mut().unwrap().steps.last_mut().unwrap();
        run.end = StepEnd::Exited { code: 1 };
        run.tail = (0..100).map(|line| format!("line {line}\n")).collect();
        let tails = Card::of(&item, None).tails;
        assert_eq!(tails.len(), 1);
        assert!(tails[0].1.ends_with("line 99") && tails[0].1.lines().count() == MAX_TAIL_LINES);
    }

    #[test]
    fn an_unknown_is_listed_once() {
        let mut item = samples::unknown_service();
        let bound = item.decision.bounds[0].clone();
        item.decision.bounds.push(bound);
        assert_eq!(Card::of(&item, None).unknowns.len(), 2);
    }

    #[test]
    fn a_long_diff_says_how_much_is_left_out() {
        let mut item = samples::merged();
        item.fix.as_mut().unwrap().diff_text = "+x\n".repeat(MAX_DIFF_LINES + 7);
        let card = Card::of(&item, None);
        assert_eq!((card.diff.len(), card.diff_more), (MAX_DIFF_LINES, 7));
    }

    #[test]
    fn the_comparison_is_classed_by_what_would_have_come_of_it() {
        let class = |item| Card::of(&item, None).ci_only.class;
        assert_eq!(class(samples::merged()), "same");
        assert_eq!(class(samples::frozen()), "unasked");
        assert_eq!(class(samples::broken_contract()), "harm");
        assert_eq!(class(samples::unknown_service()), "none");
    }
}
