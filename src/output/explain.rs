//! `holdpoint explain`: one item as a careful colleague would tell it.

use holdpoint_schemas::Level;
use holdpoint_schemas::decision::{Bound, BoundKind, Phase};
use holdpoint_schemas::evidence::{Check, Verdict};
use holdpoint_schemas::fix::FixClass;
use std::collections::BTreeMap;

use super::command_line::CommandLine;
use super::text::{Prose, clause, count, list, sentence};
use super::{phrase, wording};
use crate::pipeline::further::Further;
use crate::pipeline::report::{CiOnly, Outcome, ReportItem};

mod further;

pub use further::{next_step, unlocks};

/// Details shown per check: enough to act on; the rest is in the report.
const MAX_DETAILS: usize = 8;
/// Paths shown of a blast radius.
const MAX_PATHS: usize = 12;
/// Files named of a fix.
const MAX_FILES: usize = 6;

/// The whole story of one item, wrapped for a terminal. `further`: what would take it further, or why
/// that can't be worked out.
#[must_use]
pub fn explain(item: &ReportItem, further: Result<&Further, &str>, line: &CommandLine) -> String {
    let mut prose = Prose::default();
    title(&mut prose, item);
    found(&mut prose, item);
    fix(&mut prose, item);
    decision(&mut prose, item);
    unknowns(&mut prose, item);
    checks(&mut prose, item);
    blast(&mut prose, item);
    further::what_further(&mut prose, item, further);
    further::next_steps(&mut prose, item, line);
    ci_only(&mut prose, item);
    prose.finish()
}

fn title(prose: &mut Prose, item: &ReportItem) {
    let finding = &item.finding;
    prose.paragraph(&format!(
        "{}  {}@{}  {}",
        finding.id(),
        finding.repo,
        finding.branch,
        item.decision.level
    ));
    prose.paragraph(&format!("{} {}", in_short(item), sentence(&phrase::reason(item))));
}

fn in_short(item: &ReportItem) -> &'static str {
    match (&item.outcome, item.decision.level) {
        (Outcome::Merged { .. } | Outcome::AlreadyMerged { .. }, _) => "In short, this is merged.",
        (Outcome::NotDone { .. }, _) => "In short, this was permitted but could not be done.",
        (Outcome::Superseded { .. }, _) => "In short, another fix of the same finding was better.",
        (_, Level::Alert) => "In short, this needs a person; automation must leave it alone.",
        (_, Level::Suggest) => "In short, there is a fix to review, but it must not merge by itself.",
        (_, Level::AutoApply) => "In short, this may merge by itself.",
    }
}

/// What was found, as one or two sentences.
#[must_use]
pub fn found_text(item: &ReportItem) -> String {
    let finding = &item.finding.finding;
    let place = phrase::place(item).map_or_else(String::new, |place| format!(", at {place}"));
    let mut words = format!(
        "{} reports {} in {}, branch {}{place}: {}.",
        finding.scanner,
        finding.rule,
        item.finding.repo,
        item.finding.branch,
        clause(&finding.title)
    );
    if let Some(component) = &finding.component {
        let version = component.version.as_deref().unwrap_or("of unknown version");
        words.push_str(&format!(" The component is {} {version}", component.name));
        words.push_str(&match finding.fixed_versions.as_slice() {
            [] => ", and no fixed version is known.".to_owned(),
            versions => format!("; it is fixed in {}.", list(versions, 3)),
        });
    }
    words.push_str(&format!(" The scanner {}.", severity_words(item)));
    if !finding.aliases.is_empty() {
        words.push_str(&format!(" It is also known as {}.", list(&finding.aliases, 5)));
    }
    if !finding.cwes.is_empty() {
        words.push_str(&format!(" Its class of weakness: {}.", list(&finding.cwes, 5)));
    }
    words
}

fn severity_words(item: &ReportItem) -> String {
    let severity = item.finding.finding.severity.as_str();
    match severity {
        "unknown" => "gives no severity that we know".to_owned(),
        word => format!("calls it {word} severity"),
    }
}

fn found(prose: &mut Prose, item: &ReportItem) {
    prose.heading("What was found");
    prose.paragraph(&found_text(item));
}

/// What the candidate does, as a few sentences.
#[must_use]
pub fn fix_text(item: &ReportItem) -> String {
    let Some(fix) = &item.fix else {
        return "Nobody has handed over a fix for this, so there is nothing to test or to merge.".to_owned();
    };
    let class = &fix.classification;
    let files: Vec<String> = fix.files.iter().map(|file| file.path.clone()).collect();
    let kind = class.kind.as_str().replace('-', " ");
    let mut words = format!(
        "\"{}\", by {}, changes {}: {}. ",
        clause(&fix.title),
        fix.remediator,
        count(files.len(), "file", "files"),
        list(&files, MAX_FILES)
    );
    words.push_str(&match class.kind.class() {
        FixClass::Mechanical => format!(
            "It is a mechanical change ({kind}), because {}.",
            clause(&class.because)
        ),
        FixClass::Logic => format!("It changes logic, because {}.", clause(&class.because)),
    });
    for upgrade in &class.upgrades {
        words.push_str(&format!(
            " {} moves from {} to {}: a {} step of a {} dependency.",
            upgrade.package,
            upgrade.from.as_deref().unwrap_or("nothing"),
            upgrade.to.as_deref().unwrap_or("nothing"),
            upgrade.step.as_str(),
            upgrade.scope.as_str()
        ));
    }
    let named = [
        ("It newly reads", &class.new_variables),
        ("It touches governance files:", &class.governance_files),
        ("It removes", &class.iac_removed),
        ("It changes critical resources:", &class.critical_resources),
    ];
    for (lead, names) in named.iter().filter(|(_, names)| !names.is_empty()) {
        words.push_str(&format!(" {lead} {}.", list(names, MAX_FILES)));
    }
    words
}

fn fix(prose: &mut Prose, item: &ReportItem) {
    prose.heading("What the candidate fix does");
    prose.paragraph(&fix_text(item));
}

fn decision(prose: &mut Prose, item: &ReportItem) {
    let decision = &item.decision;
    prose.heading(&format!("What was decided: {}", decision.level));
    let when = match decision.phase {
        Phase::Triage => "before any test was run",
        Phase::Release => "with the evidence of the sandbox",
        Phase::Merge => "with the evidence of the sandbox, and again at the moment of merge",
    };
    let done = match &item.outcome {
        Outcome::Alerted => String::new(),
        outcome => phrase::outcome_sentence(outcome),
    };
    prose.paragraph(&format!(
        "{} means: {}. It was decided {when}. {done}",
        capital(decision.level),
        phrase::level_means(decision.level),
    ));
    if !decision.permitted_by.is_empty() {
        let reasons: Vec<String> = decision.permitted_by.iter().map(|reason| sentence(reason)).collect();
        prose.paragraph(&format!(
            "{} is permitted. {}",
            capital(decision.level),
            reasons.join(" ")
        ));
    }
    let next = decision.level.next();
    let merged = phrase::merged_bounds(item);
    let (near, far): (Vec<_>, Vec<_>) = merged
        .into_iter()
        .partition(|(_, levels)| levels.iter().any(|level| Some(*level) == next));
    if let Some(next) = next.filter(|_| !near.is_empty()) {
        prose.paragraph(&format!("Why it may not be {next}:"));
        near.iter().for_each(|(bound, _)| bound_item(prose, item, bound));
    }
    if !far.is_empty() {
        let above = far
            .iter()
            .flat_map(|(_, levels)| levels)
            .max()
            .copied()
            .unwrap_or(Level::AutoApply);
        let lead = if near.is_empty() { "Why" } else { "And why, even then," };
        prose.paragraph(&format!("{lead} it may not be {above}:"));
        far.iter().for_each(|(bound, _)| prose.item(&bound_reason(bound)));
    }
}

fn capital(level: Level) -> &'static str {
    match level {
        Level::Alert => "Alert",
        Level::Suggest => "Suggest",
        Level::AutoApply => "Auto-apply",
    }
}

fn bound_reason(bound: &Bound) -> String {
    let origin = match bound.kind {
        BoundKind::Policy | BoundKind::UnknownFact | BoundKind::Evidence => format!(" (policy `{}`)", bound.id),
        BoundKind::EvaluationError => format!(" (policy `{}` couldn't be evaluated)", bound.id),
        BoundKind::NoPermit
        | BoundKind::NoFix
        | BoundKind::RolloutStage
        | BoundKind::Budget
        | BoundKind::CircuitBreaker
        | BoundKind::Canary
        | BoundKind::Soak
        | BoundKind::Shadow
        | BoundKind::Window => String::new(),
    };
    format!("{}{origin}.", sentence(&bound.reason).trim_end_matches('.'))
}

fn bound_item(prose: &mut Prose, item: &ReportItem, bound: &Bound) {
    prose.item(&bound_reason(bound));
    let known = bound.facts.iter().filter(|reading| reading.fact.is_some());
    for reading in known {
        let told = |note: &String| bound.reason.contains(clause(note).as_str());
        let mut reading = reading.clone();
        if let Some(fact) = &mut reading.fact {
            fact.note = fact.note.take().filter(|note| !told(note));
        }
        prose.sub_item(&format!("Known: {}.", wording::reading(&reading, item.decision.at)));
    }
    if let Some(unlock) = &bound.unlock {
        prose.sub_item(&format!("The policy's advice: {}.", clause(unlock)));
    }
}

/// What isn't known, grouped by who could supply it, so that one errand is one paragraph.
fn unknowns(prose: &mut Prose, item: &ReportItem) {
    let mut groups: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for unknown in phrase::unknowns(item) {
        let group = groups.entry((&unknown.resolver, &unknown.why)).or_default();
        group.push(&unknown.id);
    }
    if groups.is_empty() {
        return;
    }
    prose.heading("What isn't known, and who could say");
    for ((resolver, why), ids) in groups {
        let these = if ids.len() == 1 { "This" } else { "These" };
        prose.paragraph(&format!(
            "{these} could come from {}; so far, {}:",
            clause(resolver),
            clause(why)
        ));
        for id in ids {
            prose.item(&format!("{} (`{id}`)", wording::unknown(id)));
        }
    }
}

fn checks(prose: &mut Prose, item: &ReportItem) {
    prose.heading("What the checks found");
    let Some(record) = &item.evidence else {
        prose.paragraph(no_checks(item));
        return;
    };
    for check in Check::ALL {
        let Some(result) = record.evidence.checks.get(&check) else {
            prose.item(&format!("{check}: not run."));
            continue;
        };
        prose.item(&format!("{check}: {}; {}.", result.verdict, clause(&result.reason)));
        let details: Vec<&String> = result.details.iter().filter(|line| **line != result.reason).collect();
        for detail in details.iter().take(MAX_DETAILS) {
            prose.sub_item(detail);
        }
        if details.len() > MAX_DETAILS {
            prose.sub_item(&format!("… and {} more", details.len() - MAX_DETAILS));
        }
    }
    let new = phrase::new_findings(item);
    if !new.is_empty() {
        prose.paragraph("New with this fix, and not there before:");
        new.iter().take(MAX_DETAILS).for_each(|line| prose.item(line));
    }
    let inconclusive = record.evidence.checks.values();
    if inconclusive
        .into_iter()
        .any(|result| result.verdict == Verdict::Inconclusive)
    {
        prose.paragraph("Inconclusive means that it can't be told; that never counts in a fix's favour.");
    }
    if !record.evidence.sandbox.is_empty() {
        prose.paragraph(&format!(
            "They ran in a sandbox: {}.",
            clause(&record.evidence.provenance())
        ));
    }
}

/// Why there is no evidence.
#[must_use]
pub fn no_checks(item: &ReportItem) -> &'static str {
    match (&item.fix, item.decision.level) {
        (None, _) => "Nothing was run: there is no candidate to test.",
        (Some(_), Level::Alert) if item.ci_only != CiOnly::NotRun => {
            "Only its own tests were run, to know what a CI-only tool would have done: even if every check had \
             passed, the level could not have risen above alert."
        }
        (Some(_), Level::Alert) => {
            "Nothing was run: even if every check had passed, the level could not have risen above alert."
        }
        (Some(_), _) => "Nothing was run.",
    }
}

fn blast(prose: &mut Prose, item: &ReportItem) {
    prose.heading("What could break");
    prose.paragraph(&phrase::blast(item));
    let dependents = item.blast.iter().flat_map(|blast| &blast.dependents);
    let paths: Vec<String> = dependents.map(phrase::path).collect();
    if !paths.is_empty() {
        prose.gap();
    }
    paths.iter().take(MAX_PATHS).for_each(|path| prose.item(path));
    if paths.len() > MAX_PATHS {
        prose.item(&format!("… and {} more", paths.len() - MAX_PATHS));
    }
}

fn ci_only(prose: &mut Prose, item: &ReportItem) {
    prose.heading("What a CI-only tool would have done");
    prose.paragraph(&phrase::ci_only_sentence(item));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;
    use crate::output::text::WIDTH;

    use holdpoint_engine::counterfactual::{FactChange, Ways, effort};
    use holdpoint_schemas::fact::{Action, FactTable, FactValue};

    fn way(item: &ReportItem, target: Action, changes: &[(&str, FactValue)]) -> Ways {
        let change = |(id, to): &(&str, FactValue)| {
            let from = item.decision.facts.get(id).map(|fact| fact.value.clone());
            FactChange {
                id: (*id).to_owned(),
                effort: effort(id, from.as_ref()),
                from,
                to: to.clone(),
            }
        };
        Ways {
            target,
            sets: vec![changes.iter().map(change).collect()],
            complete: true,
        }
    }

    fn further(ways: Vec<Ways>) -> Further {
        Further {
            ways,
            same_policies: true,
            table: FactTable::shipped().clone(),
        }
    }

    fn by_approval(item: &ReportItem) -> Ways {
        let changes = [
            ("approval.independent", true.into()),
            ("approval.verified", true.into()),
        ];
        way(item, Action::Promote, &changes)
    }

    fn told(item: &ReportItem, ways: Vec<Ways>) -> String {
        explain(item, Ok(&further(ways)), &CommandLine::default())
    }

    #[test]
    fn a_merged_item_reads_like_an_answer() {
        insta::assert_snapshot!(told(&samples::merged(), vec![]));
    }

    #[test]
    fn a_frozen_item_says_when_the_freeze_ends() {
        let item = samples::frozen();
        let end = way(&item, Action::AutoApply, &[("change.freeze_active", false.into())]);
        insta::assert_snapshot!(told(&item, vec![by_approval(&item), end]));
    }

    #[test]
    fn a_failed_contract_names_the_consumer() {
        let item = samples::broken_contract();
        let another = way(
            &item,
            Action::Suggest,
            &[("evidence.contract.verdict", "passed".into())],
        );
        insta::assert_snapshot!(told(&item, vec![another]));
    }

    #[test]
    fn an_unknown_service_lists_who_can_supply_what() {
        let item = samples::unknown_service();
        let changes = [
            ("evidence.build.verdict", "passed".into()),
            ("evidence.test.verdict", "passed".into()),
            ("service.known", true.into()),
        ];
        insta::assert_snapshot!(told(&item, vec![way(&item, Action::Suggest, &changes)]));
    }

    #[test]
    fn prose_fits_its_width_and_holds_no_control_characters() {
        for mut item in samples::report().items {
            item.finding.finding.title.push_str("\x1b[2J\u{202e} end");
            let text = told(&item, vec![]);
            assert!(!text.contains('\x1b') && !text.contains('\u{202e}'));
            for line in text.lines().filter(|line| line.contains(' ')) {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn a_new_finding_is_shown_with_its_rule() {
        let mut item = samples::broken_contract();
        let new = samples::unknown_service().finding.finding;
        item.evidence.as_mut().unwrap().evidence.new_findings = vec![new];
        assert!(told(&item, vec![]).contains("New with this fix, and not there before:\n  - B306 (bandit"));
    }

    #[test]
    fn a_suggestion_gives_the_commands_with_its_id() {
        let item = samples::frozen();
        let line = CommandLine::default().global("estate", "my estate").signing("key", "K");
        let text = explain(&item, Ok(&further(vec![])), &line);
        let id = item.finding.id();
        for command in [
            format!("approve {id} --key K"),
            format!("promote {id}"),
            format!("decline {id} --key K"),
        ] {
            assert!(
                text.contains(&format!("    holdpoint --estate 'my estate' {command}\n")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_missing_fix_is_said_plainly() {
        let mut item = samples::unknown_service();
        item.fix = None;
        let text = told(&item, vec![]);
        assert!(text.contains("Nobody has handed over a fix"));
        assert!(text.contains("there is no candidate to test"));
    }

    #[test]
    fn ways_that_cannot_be_worked_out_say_why() {
        let text = explain(&samples::frozen(), Err("the pack is gone"), &CommandLine::default());
        assert!(
            text.contains("The ways can't be worked out: the pack is gone."),
            "{text}"
        );
        let changed = Further {
            same_policies: false,
            ..further(vec![by_approval(&samples::frozen())])
        };
        let text = explain(&samples::frozen(), Ok(&changed), &CommandLine::default());
        assert!(text.contains("policies have changed since it was decided"), "{text}");
    }

    #[test]
    fn the_report_shows_the_easiest_way_instead_of_what_policies_advise() {
        let mut item = samples::frozen();
        assert!(unlocks(&item)[0].starts_with("Wait until"));
        item.way = Some(way(&item, Action::AutoApply, &[("change.freeze_active", false.into())]));
        assert_eq!(unlocks(&item), ["Auto-apply if the code freeze ends."]);
    }
}
