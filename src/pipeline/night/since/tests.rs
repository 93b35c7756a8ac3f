use super::*;
use crate::output::samples;
use crate::pipeline::time::PresenceRecord;
use holdpoint_schemas::Digest;
use holdpoint_schemas::decision::Phase;

fn day(number: u32) -> Timestamp {
    format!("2026-03-{number:02}T02:30:00Z").parse().unwrap()
}

/// A history in which an item was seen and decided on.
fn history(items: &[&ReportItem], at: Timestamp) -> History {
    let mut history = History::default();
    for item in items {
        remember(&mut history, item, at);
    }
    history
}

fn remember(history: &mut History, item: &ReportItem, at: Timestamp) {
    let id = item.finding.id();
    history.times.seen(id.clone(), at);
    history.findings.insert(id.clone(), item.finding.clone());
    history.times.decided(&id, &item.decision, at);
}

fn held(mut item: ReportItem, level: Level) -> ReportItem {
    (item.decision.level, item.decision.phase) = (level, Phase::Release);
    item
}

fn compare(before: &History, after: &History, items: &[ReportItem]) -> Since {
    Before::of(before).compare(items, after).unwrap()
}

fn kinds(since: &Since) -> Vec<ChangeKind> {
    since.changes.iter().map(|change| change.kind).collect()
}

fn presence(gone: &[&ReportItem], returned: &[&ReportItem]) -> PresenceRecord {
    let ids = |items: &[&ReportItem]| items.iter().map(|item| item.finding.id()).collect();
    PresenceRecord {
        gone: ids(gone),
        returned: ids(returned),
    }
}

#[test]
fn a_first_run_has_nothing_to_compare_with() {
    assert_eq!(
        Before::default().compare(&[samples::frozen()], &History::default()),
        None
    );
}

#[test]
fn what_is_new_says_what_it_was_decided_as() {
    let old = held(samples::frozen(), Level::Suggest);
    let new = samples::broken_contract();
    let before = history(&[&old], day(16));
    let after = history(&[&old, &new], day(16));
    let since = compare(&before, &after, &[old, new.clone()]);
    assert_eq!(kinds(&since), [ChangeKind::New]);
    assert_eq!((since.changes[0].to, since.unchanged), (Some(new.decision.level), 1));
}

#[test]
fn a_level_that_fell_names_the_bound_that_came_and_one_that_rose_the_bound_that_went() {
    let low = held(samples::frozen(), Level::Suggest);
    let mut high = held(samples::frozen(), Level::AutoApply);
    high.decision.bounds.clear();
    let reason = &low.decision.bounds[0].reason;
    let fell = compare(
        &history(&[&high], day(16)),
        &history(&[&high], day(16)),
        std::slice::from_ref(&low),
    );
    assert_eq!(kinds(&fell), [ChangeKind::Down]);
    assert_eq!(fell.changes[0].why, format!("now: {reason}"));
    let rose = compare(&history(&[&low], day(16)), &history(&[&low], day(16)), &[high]);
    assert_eq!(kinds(&rose), [ChangeKind::Up]);
    assert_eq!(rose.changes[0].why, format!("no longer: {reason}"));
}

#[test]
fn what_is_gone_was_fixed_by_us_or_only_vanished() {
    let items = [
        held(samples::frozen(), Level::Suggest),
        held(samples::unprovisioned(), Level::Suggest),
    ];
    let both: Vec<&ReportItem> = items.iter().collect();
    let mut before = history(&both, day(14));
    before.times.merged(&items[0].finding.id(), day(15));
    let mut after = history(&both, day(14));
    after.times.merged(&items[0].finding.id(), day(15));
    after.times.presence(&presence(&both, &[]), day(17));
    let since = compare(&before, &after, &[]);
    assert_eq!(kinds(&since), [ChangeKind::Fixed, ChangeKind::Vanished]);
    // It is told once.
    assert!(compare(&after, &after, &[]).changes.is_empty());
}

#[test]
fn what_came_back_and_what_was_reverted_come_first() {
    let returned = held(samples::frozen(), Level::Suggest);
    let reverted = held(samples::unprovisioned(), Level::Suggest);
    let both = [&returned, &reverted];
    let mut before = history(&both, day(10));
    before.times.presence(&presence(&[&returned], &[]), day(12));
    before.times.merged(&reverted.finding.id(), day(12));
    let mut after = history(&both, day(10));
    after.times.presence(&presence(&[&returned], &[]), day(12));
    after.times.merged(&reverted.finding.id(), day(12));
    after.times.presence(&presence(&[], &[&returned]), day(17));
    after.times.reverted(&reverted.finding.id(), day(16));
    let since = compare(&before, &after, &[returned, reverted]);
    assert_eq!(kinds(&since), [ChangeKind::Reverted, ChangeKind::Returned]);
}

#[test]
fn a_merge_is_a_change_and_one_of_an_earlier_run_is_not() {
    let merged = samples::merged();
    let mut earlier = samples::merged();
    earlier.outcome = Outcome::AlreadyMerged {
        commit: Digest::of_bytes(b"x").to_string(),
    };
    let before = history(&[&held(samples::merged(), Level::Suggest)], day(16));
    assert_eq!(kinds(&compare(&before, &before, &[merged])), [ChangeKind::Merged]);
    assert!(compare(&before, &before, &[earlier]).changes.is_empty());
}

#[test]
fn what_waits_is_told_again_from_the_third_night_on() {
    let item = held(samples::frozen(), Level::Suggest);
    for (nights, told) in [(2, false), (3, true), (9, true)] {
        let before = history(&[&item], day(1));
        let mut after = history(&[&item], day(1));
        for night in 2..=nights {
            remember(&mut after, &item, day(night));
        }
        let since = compare(&before, &after, std::slice::from_ref(&item));
        assert_eq!(!since.changes.is_empty(), told, "{nights} nights");
        assert_eq!(
            since.changes.first().and_then(|change| change.nights),
            told.then_some(nights)
        );
    }
}

#[test]
fn what_was_not_reached_says_nothing_of_its_level() {
    let before = history(&[&held(samples::frozen(), Level::Suggest)], day(16));
    let mut item = held(samples::frozen(), Level::AutoApply);
    item.outcome = Outcome::NotDone {
        why: crate::pipeline::window::NOT_REACHED.to_owned(),
    };
    assert!(compare(&before, &before, &[item]).changes.is_empty());
}
