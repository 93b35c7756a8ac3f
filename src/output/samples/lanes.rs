//! Lanes as a run leaves them: one that has earned its stage, one that was just lowered, one that only a person raises.

use holdpoint_schemas::Level;
use holdpoint_schemas::rollout::{Distance, LaneEvidence, LaneState, Ratio, StageCause, StageChange};

use super::at;
use crate::pipeline::rollout::changes::Changes;
use crate::pipeline::rollout::status::{FORMAT, LaneStatus, RolloutReport, RolloutStatus, Soaking, Spent};

fn lane(name: &str, stage: Level, evidence: LaneEvidence) -> LaneStatus {
    LaneStatus {
        state: LaneState {
            lane: name.to_owned(),
            stage,
            ceiling: Level::AutoApply,
            since: None,
            by: "rollout.yaml".to_owned(),
            evidence,
            distance: None,
            held: None,
            blocked_until: None,
            canary: Ratio::ONE,
            demotions: 0,
        },
        shadow: false,
        earns: true,
        survival_days: Some(14),
        last_change: None,
        last_demotion: None,
        next_counts_at: None,
        soaking: Vec::new(),
        tonight: Spent::default(),
    }
}

fn change(lane: &LaneStatus, from: Level, cause: StageCause, reason: &str) -> StageChange {
    StageChange {
        lane: lane.state.lane.clone(),
        slice: None,
        from,
        to: lane.state.stage,
        cause,
        by: "holdpoint".to_owned(),
        reason: reason.to_owned(),
        evidence: LaneEvidence::default(),
        at: at(),
    }
}

/// The rollout part of a report.
pub fn rollout() -> RolloutReport {
    let evidence = |successes, failures, pending, bound| LaneEvidence {
        successes,
        failures,
        pending,
        lower_bound: Ratio::of_millionths(bound),
    };
    let mut upgrades = lane("upgrades", Level::AutoApply, evidence(4, 0, 2, 478_000));
    upgrades.last_change = Some(change(
        &upgrades,
        Level::Suggest,
        StageCause::Promoted,
        "96 of 96 fixes survived 14 days: its success rate is above 95%, with an error of at most 5%",
    ));
    upgrades.state.canary = Ratio::percent(50);
    upgrades.next_counts_at = Some("2026-03-21T02:30:00Z".parse().unwrap());
    upgrades.soaking = vec![Soaking {
        until: "2026-03-19T02:30:00Z".parse().unwrap(),
        subject: "pkg:pypi/urllib3@1.26.18".to_owned(),
        ring: "staging".to_owned(),
    }];
    upgrades.tonight = Spent {
        merges: 1,
        merges_of: Some(5),
        ..Spent::default()
    };
    let mut secrets = lane("secrets", Level::Suggest, LaneEvidence::default());
    let fall = change(
        &secrets,
        Level::AutoApply,
        StageCause::Demoted,
        "fix 4be81f0c77aa was reverted (9c2f41d0aa)",
    );
    secrets.last_change = Some(fall.clone());
    secrets.last_demotion = Some(fall.clone());
    secrets.state.demotions = 1;
    secrets.state.distance = Some(Distance {
        next: Level::AutoApply,
        target: Ratio::percent(95),
        successes: Some(88),
        waits_for: vec!["after a demotion it stays where it is until 2026-04-16T02:30:00Z".to_owned()],
    });
    let mut settings = lane("settings", Level::Suggest, LaneEvidence::default());
    settings.earns = false;
    RolloutReport {
        status: RolloutStatus {
            format: FORMAT.to_owned(),
            estate: "Example Fintech".to_owned(),
            at: at(),
            halts: Vec::new(),
            lanes: vec![upgrades, secrets, settings],
            default_stage: Level::Suggest,
            tonight: Spent {
                merges: 1,
                merges_of: Some(20),
                suggestions: 3,
                ..Spent::default()
            },
            not_counted: Vec::new(),
        },
        outcomes: Vec::new(),
        changes: Changes {
            stages: vec![fall],
            halts: Vec::new(),
        },
        notes: Vec::new(),
    }
}
