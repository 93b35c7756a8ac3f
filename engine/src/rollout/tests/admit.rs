//! Tonight's order and budget.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_schemas::Level::{self, Alert, AutoApply, Suggest};
use holdpoint_schemas::decision::BoundKind;
use holdpoint_schemas::finding::Severity;
use holdpoint_schemas::rollout::{Admission, Budget, Lane, Night, Record, Rollout};
use holdpoint_schemas::service::ServiceId;
use holdpoint_schemas::{Digest, Timestamp};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::fixtures::night;
use crate::rollout::{Admitted, RolloutState, Urgency, Waiting, admit};

fn waiting(number: u32, severity: Severity, tier: u8, service: &str) -> Waiting {
    Waiting {
        finding: format!("hp-{number:06}"),
        fix: Digest::of_bytes(&number.to_be_bytes()),
        lane: "upgrades".to_owned(),
        level: AutoApply,
        urgency: Urgency {
            severity,
            exploited: Some(false),
            epss_bp: Some(10),
            tier: Some(tier),
            reaches_customers: Some(tier < 2),
            dependents: Some(u32::from(8_u8.saturating_sub(2 * tier))),
        },
        services: [service.into()].into(),
        teams: Some([format!("team-{}", service.len() % 5)].into()),
        tier_zero: Some(BTreeSet::new()),
        minutes: 5,
        first_seen: Some(night(0)),
    }
}

fn file(budget: Option<Budget>, lane: Option<Budget>) -> Rollout {
    Rollout {
        budget,
        lanes: vec![Lane {
            budget: lane,
            ..Lane::new("upgrades", AutoApply)
        }],
        ..Rollout::default()
    }
}

fn ask(file: &Rollout, records: &[Record], waiting: &[Waiting], now: Timestamp) -> Vec<Admitted> {
    let state = RolloutState::fold(file, records.iter().cloned(), now);
    admit(file, &state, waiting, now)
}

fn admissions(admitted: &[Admitted]) -> impl Iterator<Item = &Admission> {
    admitted.iter().filter_map(|one| one.admission.as_ref())
}

fn count(admitted: &[Admitted], level: Level) -> usize {
    admissions(admitted).filter(|one| one.level == level).count()
}

/// 5,000 findings: one in fifty is a critical one of a payment service, the most are low ones of internal tools.
fn storm() -> Vec<Waiting> {
    (0..5_000)
        .map(|number| {
            let mut one = match number % 50 {
                0 => waiting(number, Severity::Critical, 0, &format!("payments-{}", number % 40)),
                1..=9 => waiting(number, Severity::High, 1, &format!("shop-{}", number % 300)),
                _ => waiting(number, Severity::Low, 3, &format!("internal-{}", number % 700)),
            };
            one.minutes = 1 + number % 30;
            if number % 50 == 0 {
                one.tier_zero = Some([format!("payments-{}", number % 40).as_str().into()].into());
                one.minutes = 30;
            }
            one
        })
        .collect()
}

/// Asserts that nothing of a night exceeds a budget.
fn assert_kept(budget: &Budget, admitted: &[Admission]) {
    let applied: Vec<&Admission> = admitted.iter().filter(|one| one.level == AutoApply).collect();
    let limit = |limit: Option<u32>| limit.map_or(usize::MAX, |limit| limit as usize);
    assert!(applied.len() <= limit(budget.per_night));
    let mut services: BTreeMap<&ServiceId, usize> = BTreeMap::new();
    let mut teams: BTreeMap<&str, usize> = BTreeMap::new();
    let mut around: BTreeMap<&ServiceId, BTreeSet<&ServiceId>> = BTreeMap::new();
    for one in &applied {
        one.services
            .iter()
            .for_each(|service| *services.entry(service).or_default() += 1);
        one.teams.iter().for_each(|team| *teams.entry(team).or_default() += 1);
        for critical in &one.tier_zero {
            around.entry(critical).or_default().extend(&one.services);
        }
    }
    assert!(services.values().all(|count| *count <= limit(budget.per_service)));
    assert!(teams.values().all(|count| *count <= limit(budget.per_team)));
    assert!(
        around
            .values()
            .all(|services| services.len() <= budget.per_tier_zero as usize)
    );
    let suggested = admitted.iter().filter(|one| one.level == Suggest).count();
    assert!(suggested <= limit(budget.suggestions));
    let minutes: u32 = admitted.iter().map(|one| one.minutes).sum();
    assert!(minutes <= budget.minutes.unwrap_or(u32::MAX));
}

#[test]
fn a_storm_stays_within_every_budget_and_critical_payments_come_first() {
    let estate = Budget {
        per_night: Some(150),
        per_service: Some(2),
        per_team: Some(60),
        per_tier_zero: 1,
        suggestions: Some(40),
        minutes: Some(2_400),
    };
    let lane = Budget {
        per_night: Some(120),
        ..Budget::default()
    };
    let file = file(Some(estate.clone()), Some(lane));
    let storm = storm();
    let admitted = ask(&file, &[], &storm, night(0));
    assert_eq!(admitted.len(), 5_000);
    let through: Vec<Admission> = admissions(&admitted).cloned().collect();
    assert_kept(&estate, &through);
    assert!(
        count(&admitted, AutoApply) <= 120 && count(&admitted, AutoApply) > 20,
        "{}",
        count(&admitted, AutoApply)
    );
    let place = |severity| {
        let places = admitted
            .iter()
            .enumerate()
            .filter(|(_, one)| storm[one.index].urgency.severity == severity);
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    assert!(place(Severity::Critical).last() < place(Severity::High).first());
    assert!(place(Severity::High).last() < place(Severity::Low).first());
    for one in &admitted {
        assert_eq!(
            one.caps.is_empty(),
            one.admission.as_ref().is_some_and(|a| a.level == AutoApply)
        );
        assert!(
            one.caps
                .iter()
                .all(|cap| cap.kind == BoundKind::Budget && !cap.reason.is_empty())
        );
    }
    // The same again, in whatever order it is asked for.
    let mut turned = storm.clone();
    turned.reverse();
    let ids = |asked: &[Waiting], admitted: &[Admitted]| {
        let ids = admitted
            .iter()
            .map(|one| (asked[one.index].finding.clone(), one.admission.clone()));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(
        ids(&storm, &admitted),
        ids(&turned, &ask(&file, &[], &turned, night(0)))
    );
    // A second run of the same night gets no more room, and one that was killed takes none twice.
    let records: Vec<Record> = through.iter().cloned().map(Record::Admission).collect();
    let later = night(0) + SignedDuration::from_hours(2);
    let again = ask(&file, &records, &storm, later);
    let mut all = through.clone();
    let known: BTreeSet<&Digest> = through.iter().map(|one| &one.fix).collect();
    all.extend(admissions(&again).filter(|one| !known.contains(&one.fix)).cloned());
    assert_kept(&estate, &all);
    assert!(
        through
            .iter()
            .all(|one| admissions(&again).any(|other| other.fix == one.fix && other.level == one.level))
    );
    let next = ask(&file, &records, &storm, night(1));
    assert_eq!(count(&next, AutoApply), count(&admitted, AutoApply));
}

#[test]
fn without_a_budget_all_get_through() {
    let admitted = ask(&file(None, None), &[], &storm(), night(0));
    assert_eq!(count(&admitted, AutoApply), 5_000);
}

#[test]
fn what_has_no_room_for_a_merge_may_become_a_pull_request() {
    let budget = Budget {
        per_night: Some(1),
        suggestions: Some(1),
        ..Budget::default()
    };
    let three: Vec<Waiting> = (0..3)
        .map(|number| waiting(number, Severity::High, 2, &format!("s{number}")))
        .collect();
    let admitted = ask(&file(Some(budget), None), &[], &three, night(0));
    let levels: Vec<Level> = admitted
        .iter()
        .map(|one| one.admission.as_ref().map_or(Alert, |a| a.level))
        .collect();
    assert_eq!(levels, [AutoApply, Suggest, Alert]);
    assert_eq!(
        admitted[1].caps.iter().map(|cap| cap.withholds).collect::<Vec<_>>(),
        [AutoApply]
    );
    assert_eq!(
        admitted[2].caps.iter().map(|cap| cap.withholds).collect::<Vec<_>>(),
        [AutoApply, Suggest]
    );
    assert!(
        admitted[1].caps[0].reason.contains("all 1 of its budget"),
        "{}",
        admitted[1].caps[0].reason
    );
}

#[test]
fn two_dependents_of_one_tier_zero_service_never_change_in_one_night() {
    let around = |number, service: &str, critical: &[&str]| Waiting {
        tier_zero: Some(critical.iter().map(|id| (*id).into()).collect()),
        ..waiting(number, Severity::High, 1, service)
    };
    let file = file(Some(Budget::default()), None);
    let asked = [
        around(0, "gateway", &["payments"]),
        around(1, "shop", &["payments", "ledger"]),
        around(2, "gateway", &["payments"]),
        around(3, "reports", &["ledger"]),
    ];
    let admitted = ask(&file, &[], &asked, night(0));
    let through: BTreeSet<usize> = admitted
        .iter()
        .filter(|one| one.caps.is_empty())
        .map(|one| one.index)
        .collect();
    assert_eq!(through, [0, 2, 3].into());
    let refused = admitted.iter().find(|one| one.index == 1).unwrap();
    assert_eq!(refused.caps[0].id, "payments");
    let unknown = Waiting {
        tier_zero: None,
        ..asked[0].clone()
    };
    assert!(!ask(&file, &[], &[unknown], night(0))[0].caps.is_empty());
    let both = Waiting {
        services: ["gateway".into(), "shop".into()].into(),
        ..asked[0].clone()
    };
    assert!(!ask(&file, &[], &[both], night(0))[0].caps.is_empty());
}

#[test]
fn what_cannot_be_counted_is_not_let_through() {
    let per_team = Budget {
        per_team: Some(9),
        ..Budget::default()
    };
    let nobody = Waiting {
        teams: None,
        ..waiting(0, Severity::High, 1, "shop")
    };
    assert_eq!(
        ask(
            &file(Some(per_team), None),
            &[],
            std::slice::from_ref(&nobody),
            night(0)
        )[0]
        .caps[0]
            .withholds,
        AutoApply
    );
    let mut no_night = file(Some(Budget::default()), None);
    no_night.night = Night {
        begins: "noon".to_owned(),
        zone: "UTC".to_owned(),
    };
    let refused = &ask(&no_night, &[], &[nobody], night(0))[0];
    assert_eq!((refused.admission.clone(), refused.caps[0].withholds), (None, Suggest));
    // A clock that went back doesn't free what was spent.
    let one = file(
        Some(Budget {
            per_night: Some(1),
            ..Budget::default()
        }),
        None,
    );
    let asked = [waiting(0, Severity::High, 1, "a"), waiting(1, Severity::High, 1, "b")];
    let spent = ask(&one, &[], &asked[..1], night(9));
    let records: Vec<Record> = admissions(&spent).cloned().map(Record::Admission).collect();
    assert_eq!(count(&ask(&one, &records, &asked[1..], night(3)), AutoApply), 0);
}

fn urgency() -> impl Strategy<Value = Urgency> {
    let severities = vec![
        Severity::Unknown,
        Severity::Info,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];
    let optional = proptest::option::of(0..10_001_u32);
    (
        proptest::sample::select(severities),
        any::<Option<bool>>(),
        optional.clone(),
        proptest::option::of(0..5_u8),
        any::<Option<bool>>(),
        optional,
    )
        .prop_map(
            |(severity, exploited, epss_bp, tier, reaches_customers, dependents)| Urgency {
                severity,
                exploited,
                epss_bp,
                tier,
                reaches_customers,
                dependents,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn what_is_worse_is_never_less_urgent(one in urgency()) {
        let critical = Urgency { severity: Severity::Critical, ..one.clone() };
        let exploited = Urgency { exploited: Some(true), ..one.clone() };
        let closer = Urgency { tier: Some(0), ..one.clone() };
        let customers = Urgency { reaches_customers: Some(true), ..one.clone() };
        for worse in [critical, exploited, closer, customers] {
            prop_assert!(worse.risk() >= one.risk());
        }
    }

    #[test]
    fn no_budget_is_ever_exceeded(
        asked in proptest::collection::vec((urgency(), 0..6_u8, 0..4_u8, 0..40_u32, proptest::sample::select(Level::ALL.to_vec())), 0..60),
        limits in proptest::collection::vec(proptest::option::of(0..12_u32), 5),
        per_tier_zero in 1..3_u32,
        runs in 1..4_usize,
    ) {
        let budget = Budget {
            per_night: limits[0],
            per_service: limits[1],
            per_team: limits[2],
            per_tier_zero,
            suggestions: limits[3],
            minutes: limits[4].map(|minutes| minutes * 10),
        };
        let file = file(Some(budget.clone()), None);
        let asked: Vec<Waiting> = (0..).zip(asked).map(|(number, (urgency, service, critical, minutes, level))| Waiting {
            urgency,
            minutes,
            level,
            teams: Some([format!("t{}", service % 2)].into()),
            tier_zero: Some([format!("c{critical}").as_str().into()].into()),
            ..waiting(number, Severity::Low, 3, &format!("s{service}"))
        }).collect();
        // Several runs of one night, each of which sees a part: together they keep the budget.
        let mut records: Vec<Record> = Vec::new();
        let mut through: Vec<Admission> = Vec::new();
        for run in 0..runs {
            let part: Vec<Waiting> = asked.iter().skip(run).step_by(runs).cloned().collect();
            let admitted = ask(&file, &records, &part, night(0));
            for (place, one) in admitted.iter().enumerate() {
                prop_assert!(one.admission.as_ref().is_none_or(|admission| admission.level <= part[one.index].level), "{}", place);
            }
            through.extend(admissions(&admitted).cloned());
            records.extend(admissions(&admitted).cloned().map(Record::Admission));
        }
        assert_kept(&budget, &through);
    }
}
