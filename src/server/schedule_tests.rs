use super::*;
use proptest::prelude::*;

fn config(cron: &str, zone: &str) -> ScheduleConfig {
    ScheduleConfig {
        cron: cron.to_owned(),
        time_zone: zone.to_owned(),
        jitter: None,
        blackout: Vec::new(),
        limit: None,
        catch_up: None,
        listen: None,
    }
}

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule::compile(&config(cron, zone), "fintech").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When the next nights start.
fn starts(schedule: &Schedule, from: &str, number: usize) -> Vec<String> {
    let mut now = at(from);
    let mut found = Vec::new();
    for _ in 0..number {
        let night = schedule.next(now).unwrap();
        found.push(night.starts.to_string());
        now = night.starts;
    }
    found
}

#[test]
fn a_night_is_at_its_local_time_whatever_the_season() {
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(starts(&berlin, "2026-01-15T12:00:00Z", 1), ["2026-01-16T01:30:00Z"]);
    assert_eq!(starts(&berlin, "2026-07-15T12:00:00Z", 1), ["2026-07-16T00:30:00Z"]);
}

#[test]
fn a_local_time_that_the_clocks_skip_is_as_much_later() {
    // On 2026-03-29 in Berlin, 02:00 is followed by 03:00: 02:30 becomes 03:30 summer time.
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(
        starts(&berlin, "2026-03-28T00:00:00Z", 3),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
    );
}

#[test]
fn a_local_time_that_comes_twice_is_run_once_the_first_time() {
    // On 2026-10-25 in Berlin, 02:30 comes at 00:30 and at 01:30 UTC.
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(
        starts(&berlin, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn a_day_that_a_zone_leaves_out_is_run_on_the_next() {
    // Samoa had no 2011-12-30.
    let apia = schedule("30 2 30 12 *", "Pacific/Apia");
    assert_eq!(starts(&apia, "2011-12-01T00:00:00Z", 1), ["2011-12-30T12:30:00Z"]);
}

#[test]
fn several_times_a_night_stay_in_order_where_clocks_change() {
    let berlin = schedule("*/30 1-3 * * *", "Europe/Berlin");
    let found = starts(&berlin, "2026-03-28T23:59:00Z", 4);
    // 02:00 and 03:00 are one moment, and so are 02:30 and 03:30.
    assert_eq!(
        found,
        [
            "2026-03-29T00:00:00Z",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:30:00Z"
        ]
    );
}

#[test]
fn weekdays_months_and_nicknames_are_those_of_crontab() {
    assert_eq!(
        starts(&schedule("0 1 * * MON-FRI", "UTC"), "2026-03-20T02:00:00Z", 1),
        ["2026-03-23T01:00:00Z"]
    );
    assert_eq!(
        starts(&schedule("@daily", "UTC"), "2026-03-20T02:00:00Z", 1),
        ["2026-03-21T00:00:00Z"]
    );
}

#[test]
fn jitter_is_the_same_for_the_same_estate_and_night_and_stays_in_bounds() {
    let with = |estate: &str| {
        let mut config = config("30 2 * * *", "UTC");
        config.jitter = Some("30m".parse().unwrap());
        Schedule::compile(&config, estate).unwrap()
    };
    let now = at("2026-03-16T12:00:00Z");
    let (one, again, other) = (with("fintech"), with("fintech"), with("retail"));
    let night = one.next(now).unwrap();
    assert_eq!(Some(night), again.next(now));
    assert_ne!(Some(night), other.next(now), "estates don't start in one second");
    assert_eq!(night.id, at("2026-03-17T02:30:00Z"));
    let late = night.starts.duration_since(night.id);
    assert!((0..=1_800).contains(&late.as_secs()), "{late}");
    // While it waits for its jitter, the night is still the next one, and it is not the latest yet.
    assert_eq!(one.next(night.id).unwrap(), night);
    assert!(one.latest(night.id).is_none_or(|latest| latest < night));
    assert_eq!(one.latest(night.starts), Some(night));
}

#[test]
fn no_night_starts_in_a_blackout_and_its_end_is_outside() {
    let mut config = config("30 2 * * *", "Europe/Berlin");
    config.blackout = serde_yaml::from_str("[{from: 2026-12-20, to: 2026-12-23T02:30, reason: peak}]").unwrap();
    let schedule = Schedule::compile(&config, "fintech").unwrap();
    assert_eq!(
        starts(&schedule, "2026-12-18T12:00:00Z", 2),
        ["2026-12-19T01:30:00Z", "2026-12-23T01:30:00Z"]
    );
    assert_eq!(
        schedule.latest(at("2026-12-21T02:00:00Z")),
        None,
        "nor is it made up for"
    );
}

#[test]
fn of_several_missed_nights_only_the_last_is_made_up_for_and_only_in_time() {
    let schedule = schedule("30 2 * * *", "UTC");
    let latest = schedule.latest(at("2026-03-17T09:00:00Z")).unwrap();
    assert_eq!(latest.id, at("2026-03-17T02:30:00Z"));
    assert_eq!(
        schedule.latest(at("2026-03-17T14:31:00Z")),
        None,
        "twelve hours are over"
    );
}

#[test]
fn what_cannot_be_used_is_said_with_what_to_write() {
    let mut black = config("30 2 * * *", "UTC");
    black.blackout = serde_yaml::from_str("[{from: 2026-12-23, to: 2026-12-20}]").unwrap();
    let mut jitter = config("30 2 * * *", "UTC");
    jitter.jitter = Some("2d".parse().unwrap());
    for (config, named) in [
        (config("61 2 * * *", "UTC"), "61 2 * * *"),
        (config("* * * * * *", "UTC"), "* * * * * *"),
        (config("30 2 * * *", "Europe/Berlim"), "Europe/Berlim"),
        (black, "2026-12-20"),
        (jitter, "2d"),
    ] {
        let error = Schedule::compile(&config, "fintech").unwrap_err();
        assert!(error.message.contains(named) && error.help.is_some(), "{error}");
    }
}

#[test]
fn a_date_that_never_comes_has_no_next_night() {
    assert_eq!(schedule("0 0 31 2 *", "UTC").next(at("2026-01-01T00:00:00Z")), None);
}

proptest! {
    /// Whenever it is asked, the next night is later than now, and asking at its start gives another one.
    #[test]
    fn the_next_night_is_always_later(second in 1_700_000_000_i64..1_900_000_000, jitter in 0_u64..7_200) {
        let mut config = config("30 2 * * *", "Europe/Berlin");
        config.jitter = Some(Length::of_seconds(jitter));
        let schedule = Schedule::compile(&config, "fintech").unwrap();
        let now = Timestamp::from_second(second).unwrap();
        let night = schedule.next(now).unwrap();
        prop_assert!(night.starts > now);
        prop_assert!(night.starts.duration_since(now).as_hours() <= 27);
        prop_assert_eq!(schedule.latest(night.starts), Some(night));
        prop_assert!(schedule.next(night.starts).unwrap().id > night.id);
    }
}
