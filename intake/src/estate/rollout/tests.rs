use super::*;
use crate::estate::read_rollout;

const WHOLE: &str = "
default_stage: alert
rings: [dev, staging, production]
night: {begins: '18:00', zone: Europe/Berlin}
budget: {per_night: 40, per_service: 2, per_team: 10, per_tier_zero: 1, suggestions: 100, minutes: 600}
breakers:
  estate: {failures: 3, hours: 24}
  remediator: {failures: 2, hours: 72}
lanes:
  - name: core
    match: {tiers: [0], environments: [production]}
    stage: suggest
  - name: upgrades
    match: {classes: [mechanical], kinds: [dependency-upgrade], ecosystems: [npm]}
    stage: suggest
    ceiling: auto-apply
    canary: {shares: [10%, 50%, 100%], outcomes: 10}
    promotion: {success_rate: 97%, error: 5%, outcomes: 30, survival_days: 14}
    demotion: {stages: 1, hold_days: 30, held_by_review: 5, validation_failures: {share: 40%}}
    budget: {per_night: 10, per_service: 1}
    soak_days: 7
    windows: [{days: [monday, tuesday], from: '22:00', to: '05:00', zone: Europe/Berlin}]
";

/// What is wrong after one line is put in the place of another: line, column, message.
fn wrong(line: &str, other: &str) -> (usize, usize, String) {
    assert!(WHOLE.contains(line), "{line}");
    let error = read_rollout("rollout.yaml", &WHOLE.replace(line, other)).unwrap_err();
    assert!(error.help.is_some(), "{error}");
    let (row, column) = error.position.unwrap();
    (row, column, error.message)
}

/// Asserts what is said, and that it points at `mark` in the last changed line.
fn says(line: &str, other: &str, mark: &str, part: &str) {
    let (row, column, message) = wrong(line, other);
    assert!(message.contains(part), "{message}");
    let changed = WHOLE.replace(line, other);
    let text = changed.lines().nth(row - 1).unwrap();
    let rest: String = text.chars().skip(column - 1).collect();
    assert!(rest.starts_with(mark), "{message}: {row}:{column}: {rest}");
}

#[test]
fn a_whole_file_is_read() {
    let rollout = read_rollout("rollout.yaml", WHOLE).unwrap();
    assert_eq!(rollout.lanes.len(), 2);
    assert_eq!(rollout.lane("upgrades").unwrap().ceiling(), Level::AutoApply);
}

#[test]
fn the_example_of_the_guide_is_read() {
    let guide = include_str!("../../../../docs/rollout.md");
    let example = guide
        .split("```yaml")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    assert_eq!(read_rollout("rollout.yaml", example).unwrap().lanes.len(), 3);
}

#[test]
fn a_lane_never_starts_above_its_ceiling() {
    says(
        "    ceiling: auto-apply",
        "    ceiling: alert",
        "suggest",
        "above its ceiling alert",
    );
    says(
        "    stage: suggest\n    ceiling: auto-apply",
        "    stage: suggest",
        "promotion",
        "criteria for a promotion",
    );
}

#[test]
fn a_lane_that_an_earlier_one_empties_is_refused() {
    says(
        "{tiers: [0], environments: [production]}",
        "{classes: [mechanical, logic]}",
        "upgrades",
        "`core` before it takes all",
    );
    says(
        "{tiers: [0], environments: [production]}",
        "{}",
        "upgrades",
        "`core` before it takes all",
    );
    says(
        "kinds: [dependency-upgrade]",
        "kinds: [logic]",
        "logic]",
        "is of class logic",
    );
    says(
        "kinds: [dependency-upgrade]",
        "kinds: [upgrade]",
        "upgrade]",
        "no fix is of kind `upgrade`",
    );
    says("tiers: [0]", "tiers: []", "[]", "list of tiers is empty");
    says("tiers: [0]", "tiers: [4]", "4]", "no tier 4");
    says("name: core", "name: default", "default", "no lane may be called");
}

#[test]
fn what_nobody_can_fulfil_is_refused() {
    says(
        "success_rate: 97%",
        "success_rate: 100%",
        "100%",
        "success rate of 100%",
    );
    says("error: 5%", "error: 0%", "0%", "error of 0%");
    says("survival_days: 14", "survival_days: 0", "0}", "`survival_days` is 0");
    says("[10%, 50%, 100%]", "[0%, 100%]", "0%", "canary of 0%");
    says("[10%, 50%, 100%]", "[50%, 10%]", "10%", "from 50% to 10%");
    says("[10%, 50%, 100%]", "[]", "shares", "no share");
    says("{stages: 1, ", "{stages: 0, ", "0, ", "`stages` is 0");
    says(
        "{stages: 1, ",
        "{floor: auto-apply, ",
        "floor",
        "no revert would ever lower",
    );
    says("{share: 40%}", "{share: 0%}", "0%", "rate of 0%");
    says(
        "rings: [dev, staging, production]",
        "rings: [dev]",
        "soak_days",
        "no rings to soak in",
    );
    says(
        "soak_days: 7",
        "soak_days: 9999999",
        "9999999",
        "`soak_days` is 9999999",
    );
}

#[test]
fn lanes_have_names_that_people_can_tell_apart() {
    for (other, part) in [
        ("  - name: Core", "differs from another one only in capitals"),
        ("  - name: \"up\u{200b}grades\"", "some that aren't seen"),
        ("  - name: \"up\\egrades\"", "some that aren't seen"),
    ] {
        let (.., message) = wrong("  - name: upgrades", other);
        assert!(message.contains(part), "{message}");
    }
    let (.., message) = wrong("  - name: upgrades", &format!("  - name: {}", "u".repeat(81)));
    assert!(message.contains("longer than 80 letters"), "{message}");
}

#[test]
fn budgets_fit_into_each_other() {
    says(
        "{per_night: 10, per_service: 1}",
        "{per_night: 50}",
        "50",
        "the whole estate only 40",
    );
    says(
        "{per_night: 10, per_service: 1}",
        "{per_night: 1, per_service: 2}",
        "2}",
        "2 merges `per_service`",
    );
    says("per_tier_zero: 1", "per_tier_zero: 0", "0,", "`per_tier_zero` is 0");
    says(
        "{failures: 3, hours: 24}",
        "{failures: 0, hours: 24}",
        "0,",
        "`failures` is 0",
    );
}

#[test]
fn times_and_zones_are_told_from_other_words() {
    says("begins: '18:00'", "begins: '6 pm'", "6 pm", "`6 pm` is no time of day");
    says(
        "begins: '18:00', zone: Europe/Berlin",
        "begins: '18:00', zone: Berlin",
        "Berlin}",
        "no time zone is called `Berlin`",
    );
    says("from: '22:00'", "from: '24:00'", "24:00", "`24:00` is no time of day");
    says(
        "days: [monday, tuesday]",
        "days: []",
        "[]",
        "without any day never opens",
    );
    says("to: '05:00'", "to: '22:00'", "22:00',", "ends when it begins");
}

#[test]
fn the_yaml_reader_says_where_a_share_is_none() {
    let (row, _, message) = wrong("success_rate: 97%", "success_rate: 0.97");
    assert_eq!(row, 18);
    assert!(message.contains("`0.97` is no share"), "{message}");
}

#[test]
fn names_are_held_against_the_estate() {
    let rollout = read_rollout("rollout.yaml", WHOLE).unwrap();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut known = KnownNames {
        environments: set(&["dev", "staging", "production"]),
        ..KnownNames::default()
    };
    assert!(check_rollout_names("r", WHOLE, &rollout, &known).is_ok());
    assert!(check_rollout_names("r", WHOLE, &rollout, &KnownNames::default()).is_ok());
    known.environments = set(&["dev", "production"]);
    let error = check_rollout_names("r", WHOLE, &rollout, &known).unwrap_err();
    assert_eq!(
        error.one_line(),
        "r:3:14: no environment of the estate is called `staging`"
    );
}
