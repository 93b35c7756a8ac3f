use super::*;

fn read(text: &str) -> Result<Rollout, serde_yaml::Error> {
    serde_yaml::from_str(text)
}

#[test]
fn the_small_form_is_still_read() {
    let rollout = read(
        "default_stage: alert\nlanes:\n- {name: a, match: {kinds: [config-flag], tiers: [3]}, stage: auto-apply}\n",
    );
    let lane = Lane::new("a", Level::AutoApply).matching(LaneMatch {
        kinds: Some(vec!["config-flag".to_owned()]),
        tiers: Some(vec![3]),
        ..LaneMatch::default()
    });
    assert_eq!(lane.ceiling(), Level::AutoApply);
    assert_eq!(
        rollout.unwrap(),
        Rollout {
            lanes: vec![lane],
            ..Rollout::up_to(Level::Alert)
        }
    );
    assert_eq!(read("{}").unwrap(), Rollout::default());
}

#[test]
fn it_is_written_as_it_is_read() {
    let text = "
default_stage: alert
rings: [dev, production]
night: {begins: '18:00', zone: Europe/Berlin}
budget: {per_night: 20, per_tier_zero: 2}
breakers: {estate: {failures: 2, hours: 12}}
lanes:
- name: a
  match: {classes: [mechanical], teams: [core]}
  stage: suggest
  ceiling: auto-apply
  shadow: true
  canary: {shares: [10%, 50.5%, 100%]}
  promotion: {success_rate: 99.5%, error: 1%, outcomes: 30, survival_days: 7}
  demotion: {stages: 2, held_by_review: 3, validation_failures: {share: 40%}}
  soak_days: 3
  windows: [{days: [monday], from: '22:00', to: '05:00'}]
";
    let rollout = read(text).unwrap();
    let lane = rollout.lane("a").unwrap();
    assert_eq!(lane.canary.as_ref().unwrap().shares[1], Ratio::of_millionths(505_000));
    assert_eq!(rollout.breakers.remediator, Breakers::default().remediator);
    assert_eq!((lane.demotion.hold_days, lane.demotion.floor), (30, None));
    let json = serde_json::to_string(&rollout).unwrap();
    assert_eq!(serde_json::from_str::<Rollout>(&json).unwrap(), rollout);
    assert_eq!(
        lane.slice(),
        Lane::new("b", Level::Alert).matching(lane.matches.clone()).slice()
    );
    assert_ne!(lane.slice(), Lane::new("a", lane.stage).slice());
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands() {
    for text in [
        "stages: []",
        "lanes: [{name: a, stage: alert, celing: suggest}]",
        "lanes: [{name: a, stage: alert, match: {kind: [x]}}]",
        "lanes: [{name: a, stage: alert, canary: {share: [1%]}}]",
        "lanes: [{name: a, stage: alert, promotion: {success_rate: 95%, alpha: 5%}}]",
        "lanes: [{name: a, stage: alert, demotion: {stage: 1}}]",
        "lanes: [{name: a, stage: alert, windows: [{from: '1:00', to: '2:00', day: []}]}]",
        "budget: {night: 3}",
        "breakers: {all: {failures: 1, hours: 1}}",
        "night: {start: '12:00'}",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_share_is_exact_and_written_as_a_percentage() {
    for (text, millionths) in [
        ("0%", 0),
        ("97%", 970_000),
        ("99.5%", 995_000),
        ("0.0001%", 1),
        ("100%", 1_000_000),
    ] {
        let ratio: Ratio = text.parse().unwrap();
        assert_eq!((ratio.millionths(), ratio.to_string().as_str()), (millionths, text));
    }
    for text in [
        "", "%", "97", "0.97", "101%", "-1%", "1.00001%", "1.%", ".5%", "99999%", "1e1%", "９%",
    ] {
        assert!(text.parse::<Ratio>().is_err(), "{text}");
    }
    assert_eq!(Ratio::percent(4_000_000_000), Ratio::ONE);
}

#[test]
fn records_are_read_back_and_their_kinds_told_apart() {
    let halt = Record::Halt(Halt {
        scope: HaltScope::Remediator(crate::actor::Remediator("bot".to_owned())),
        on: true,
        by: "mara".to_owned(),
        reason: "it broke the shop".to_owned(),
        at: crate::Timestamp::UNIX_EPOCH,
    });
    let json = serde_json::to_value(&halt).unwrap();
    assert_eq!(json["halt"]["scope"]["remediator"], "bot");
    assert_eq!(serde_json::from_value::<Record>(json).unwrap(), halt);
    assert_eq!(serde_json::to_value(HaltScope::Estate).unwrap(), "estate");
}
