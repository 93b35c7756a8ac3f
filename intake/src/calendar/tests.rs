use super::*;
use jiff::ToSpan;
use jiff::civil::Weekday;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn no_files(file: &str) -> Result<String, String> {
    Err(format!("there is no `{file}`"))
}

fn read(text: &str) -> Calendar {
    Calendar::read("calendar.yaml", text, &no_files).unwrap()
}

fn fails(text: &str, line: usize, says: &str) {
    let error = Calendar::read("calendar.yaml", text, &no_files).unwrap_err();
    assert!(error.message.contains(says), "{}", error.message);
    assert_eq!(error.position.map(|(line, _)| line), Some(line), "{}", error.message);
    assert!(error.help.is_some());
}

fn is_active(reading: &Reading) -> bool {
    matches!(reading, Reading::Active(_))
}

const OLD: &str = "freezes:\n- name: Quarter close\n  services: [accounts]\n  environments: [production]\n  \
                   from: \"2026-03-16T00:00:00Z\"\n  until: \"2026-04-02T06:00:00Z\"\n";

#[test]
fn a_freeze_of_the_first_form_covers_its_time_service_and_environment() {
    let calendar = read(OLD);
    let freeze = |service, environment, now| calendar.freeze_at(service, environment, at(now));
    let Reading::Active(quarter) = freeze("accounts", Some("production"), "2026-03-16T00:00:00Z") else {
        panic!("no freeze")
    };
    assert_eq!(
        (quarter.name.as_str(), quarter.span.until),
        ("Quarter close", at("2026-04-02T06:00:00Z"))
    );
    let inside = "2026-03-20T00:00:00Z";
    assert!(
        is_active(&freeze("accounts", None, inside)),
        "an unknown environment is covered"
    );
    assert_eq!(freeze("accounts", Some("staging"), inside), Reading::Inactive);
    assert_eq!(freeze("payments", Some("production"), inside), Reading::Inactive);
    for outside in ["2026-03-15T23:59:59Z", "2026-04-02T06:00:00Z", "1990-01-01T00:00:00Z"] {
        assert_eq!(
            freeze("accounts", Some("production"), outside),
            Reading::Inactive,
            "{outside}"
        );
    }
}

#[test]
fn of_freezes_that_overlap_the_one_that_ends_last_is_named() {
    let calendar = read(&format!(
        "{OLD}- name: Audit\n  services: [\"*\"]\n  from: 2026-03-10T00:00[America/New_York]\n  until: 2026-05-01T00:00[America/New_York]\n"
    ));
    let Reading::Active(named) = calendar.freeze_at("accounts", Some("production"), at("2026-03-20T00:00:00Z")) else {
        panic!("no freeze")
    };
    assert_eq!(
        (named.name.as_str(), named.span.until),
        ("Audit", at("2026-05-01T04:00:00Z"))
    );
}

const WINDOWS: &str = "windows:\n- name: Nights\n  services: [payments]\n  environments: [production]\n  \
                       rrule: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH\n  start: \"22:00\"\n  until: \"02:00\"\n  zone: Europe/Berlin\n  \
                       except: [2026-12-24]\n";

#[test]
fn a_window_opens_at_its_local_hours_and_closes_the_service_otherwise() {
    let calendar = read(WINDOWS);
    let window = |environment, now| calendar.window_open_at("payments", environment, at(now));
    let open = |now| matches!(window(Some("production"), now), WindowReading::Open(_));
    // A Thursday in winter, then one in summer.
    assert!(open("2026-01-08T21:00:00Z") && open("2026-01-09T00:59:59Z") && !open("2026-01-09T01:00:00Z"));
    assert!(open("2026-07-09T20:00:00Z") && !open("2026-07-10T00:00:00Z"));
    assert!(!open("2026-01-09T21:00:00Z"), "on Fridays it stays closed");
    assert!(
        !open("2026-12-24T21:30:00Z") && open("2026-12-23T21:30:00Z"),
        "an exception"
    );
    let inside = "2026-01-08T21:00:00Z";
    assert_eq!(
        window(Some("staging"), "2026-01-09T12:00:00Z"),
        WindowReading::Unrestricted
    );
    assert_eq!(
        window(None, inside),
        WindowReading::Closed,
        "an unknown environment may be another one"
    );
    assert_eq!(
        calendar.window_open_at("other", Some("production"), at(inside)),
        WindowReading::Unrestricted
    );
    assert_eq!(calendar.freeze_at("payments", None, at(inside)), Reading::Inactive);
}

#[test]
fn business_hours_follow_the_clock_of_their_zone() {
    let calendar = read(
        "business:\n- name: Trading\n  services: [quotes]\n  rrule: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR\n  \
         start: 2026-01-05T09:30\n  duration: 6h 30m\n  zone: America/New_York\n",
    );
    let trading = |now| is_active(&calendar.business_at("quotes", Some("production"), at(now)));
    assert!(trading("2026-03-06T14:30:00Z") && !trading("2026-03-06T14:29:59Z") && !trading("2026-03-06T21:00:00Z"));
    assert!(
        trading("2026-03-09T13:30:00Z") && !trading("2026-03-09T20:00:00Z"),
        "clocks have changed"
    );
    assert!(!trading("2026-03-07T15:00:00Z") && !trading("2026-01-02T15:00:00Z"));
    assert_eq!(
        calendar.business_at("other", None, at("2026-03-06T15:00:00Z")),
        Reading::Inactive
    );
}

#[test]
fn a_rule_that_can_not_be_followed_makes_the_whole_calendar_unknown() {
    let calendar = read(&format!(
        "{OLD}- name: Flood\n  services: [other]\n  rrule: FREQ=SECONDLY;COUNT=4000000000\n  \
         start: 2026-01-01T00:00\n  duration: 1s\n  zone: UTC\n"
    ));
    let now = at("2026-06-01T00:00:00Z");
    let Reading::Unknown(why) = calendar.freeze_at("accounts", Some("production"), now) else {
        panic!("not unknown")
    };
    assert!(
        why.contains("Flood") && why.contains("calendar.yaml:7") && why.contains("too often"),
        "{why}"
    );
    assert!(matches!(
        calendar.business_at("accounts", None, now),
        Reading::Unknown(_)
    ));
    assert!(matches!(
        calendar.window_open_at("accounts", None, now),
        WindowReading::Unknown(_)
    ));
    assert!(
        calendar
            .next_safe(now, &[("accounts", None)], SignedDuration::from_hours(1))
            .is_err()
    );
    let before = at("2025-12-01T00:00:00Z");
    assert!(
        matches!(calendar.freeze_at("accounts", None, before), Reading::Unknown(_)),
        "it doesn't come and go"
    );
}

#[test]
fn questions_in_any_order_get_the_same_answers() {
    let late = at("2040-01-04T22:00:00Z");
    let early = at("2026-01-08T21:00:00Z");
    let calendar = read(WINDOWS);
    for now in [early, late, early] {
        let fresh = read(WINDOWS).window_open_at("payments", Some("production"), now);
        assert!(matches!(fresh, WindowReading::Open(_)), "{now}");
        assert_eq!(calendar.window_open_at("payments", Some("production"), now), fresh);
    }
}

#[test]
fn entries_that_can_not_be_read_are_refused_at_their_place() {
    let freeze = |more: &str| format!("freezes:\n- name: q\n  services: [a]\n{more}");
    fails(
        &freeze("  from: 2026-03-01T00:00:00Z\n  until: 2026-03-01T00:00:00Z\n"),
        5,
        "before it begins",
    );
    fails(
        &freeze("  from: tomorrow\n  until: 2026-03-01T00:00:00Z\n"),
        4,
        "isn't a moment",
    );
    fails(
        &freeze("  from: 2026-03-01\n  until: 2026-03-02\n  zone: UTC\n"),
        4,
        "isn't a moment",
    );
    fails(&freeze("  from: 2026-03-01T00:00:00Z\n"), 2, "isn't clear");
    fails(
        &freeze("  rrule: FREQ=DAILY\n  start: \"09:00\"\n  duration: 1h\n"),
        2,
        "unknown time zone",
    );
    fails(
        &freeze("  rrule: FREQ=DAILY\n  start: \"09:00\"\n  duration: 1h\n  zone: Mars\n"),
        7,
        "no time zone",
    );
    fails(
        &freeze("  rrule: FREQ=DALY\n  start: \"09:00\"\n  duration: 1h\n  zone: UTC\n"),
        4,
        "`FREQ=DALY`",
    );
    fails(
        &freeze("  rrule: FREQ=DAILY\n  start: nine\n  duration: 1h\n  zone: UTC\n"),
        5,
        "isn't a local time",
    );
    fails(
        &freeze("  rrule: FREQ=WEEKLY\n  start: \"09:00\"\n  duration: 1h\n  zone: UTC\n"),
        5,
        "first date",
    );
    fails(
        &freeze("  rrule: FREQ=DAILY\n  start: \"09:00\"\n  duration: 0h\n  zone: UTC\n"),
        6,
        "isn't a duration",
    );
    fails(
        &freeze("  rrule: FREQ=DAILY\n  start: \"09:00\"\n  zone: UTC\n"),
        2,
        "how long",
    );
    fails(
        &freeze("  rrule: FREQ=DAILY\n  start: \"09:00\"\n  until: 2027-01-01T00:00\n  zone: UTC\n"),
        6,
        "time of day",
    );
    fails(
        &freeze("  from: 2026-03-01T00:00:00Z\n  until: 2026-03-09T00:00:00Z\n  except: [2026-03-02]\n"),
        6,
        "whose day",
    );
    fails(
        "windows:\n- name: w\n  services: []\n  from: x\n  until: y\n",
        2,
        "covers no service",
    );
    fails(
        "ics:\n- {file: ../f.ics, means: freeze, services: [a]}\n",
        2,
        "leads elsewhere",
    );
    fails(
        "ics:\n- {file: f.ics, means: freeze, services: [a]}\n",
        2,
        "there is no `f.ics`",
    );
    for text in [
        "freeze: []\n",
        "freezes:\n- {name: a, servces: [b]}\n",
        "ics:\n- {file: a, means: party, services: [b]}\n",
    ] {
        assert!(Calendar::read("c", text, &no_files).is_err(), "{text}");
    }
    assert_eq!(
        read("{}").freeze_at("a", None, Timestamp::UNIX_EPOCH),
        Reading::Inactive
    );
}

#[test]
fn the_examples_of_the_repo_are_read() {
    let text = include_str!("../../../examples/fintech/estate/calendar.yaml");
    let quarter = read(text).freeze_at("accounts", Some("production"), at("2026-03-17T02:30:00Z"));
    assert!(is_active(&quarter));
}

#[test]
fn days_are_taken_out_of_a_long_freeze() {
    let calendar = read(
        "freezes:\n- name: Winter\n  services: [\"*\"]\n  from: 2026-12-01T00:00\n  until: 2027-01-07T00:00\n  \
         zone: Europe/Berlin\n  except: [2026-12-10]\n",
    );
    let frozen = |now| is_active(&calendar.freeze_at("a", None, at(now)));
    assert!(frozen("2026-12-09T22:59:59Z") && !frozen("2026-12-09T23:00:00Z"));
    assert!(!frozen("2026-12-10T22:59:59Z") && frozen("2026-12-10T23:00:00Z"));
}

#[test]
fn the_next_safe_span_avoids_freezes_and_peak_hours_and_lies_in_a_window() {
    let calendar = read(&format!(
        "{OLD}{WINDOWS}business:\n- name: Peak\n  services: [accounts]\n  rrule: FREQ=DAILY\n  start: \"06:00\"\n  \
         duration: 17h 30m\n  zone: Europe/Berlin\n"
    ));
    let days = SignedDuration::from_hours(24 * 30);
    let scope = [("accounts", Some("production")), ("payments", Some("production"))];
    // The freeze ends on a Thursday at eight in Berlin; peak hours end at 23:30, the window at 02:00.
    let safe = calendar
        .next_safe(at("2026-03-20T00:00:00Z"), &scope, days)
        .unwrap()
        .unwrap();
    assert_eq!(
        (safe.from, safe.until),
        (at("2026-04-02T21:30:00Z"), at("2026-04-03T00:00:00Z"))
    );
    let soon = calendar.next_safe(at("2026-03-20T00:00:00Z"), &scope, SignedDuration::from_hours(48));
    assert_eq!(soon, Ok(None));
    let free = calendar
        .next_safe(at("2026-03-20T00:00:00Z"), &[("web", None)], days)
        .unwrap()
        .unwrap();
    assert_eq!(
        (free.from, free.until),
        (at("2026-03-20T00:00:00Z"), at("2026-04-19T00:00:00Z"))
    );
}

#[test]
fn entries_are_listed_with_when_they_apply_next() {
    let calendar = read(&format!("{OLD}{WINDOWS}"));
    let now = at("2026-03-20T00:00:00Z");
    let listed = calendar.upcoming(now, SignedDuration::from_hours(24 * 7)).unwrap();
    let shown: Vec<_> = listed
        .iter()
        .map(|entry| (entry.kind, entry.name, entry.next.from.to_string()))
        .collect();
    assert_eq!(
        shown,
        [
            (Kind::Freeze, "Quarter close", "2026-03-16T00:00:00Z".to_owned()),
            (Kind::Window, "Nights", "2026-03-19T21:00:00Z".to_owned()),
        ]
    );
    assert_eq!(listed[1].place, "calendar.yaml:8");
    assert_eq!(
        calendar.upcoming(at("2026-05-01T00:00:00Z"), SignedDuration::from_hours(1)),
        Ok(vec![])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn weekly_hours_agree_with_a_look_at_the_clock(
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        month in prop::sample::select(vec![1i8, 3, 4, 10, 11]),
        days in prop::sample::subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 1..7),
        start in 0i8..24,
        length in 1i8..8,
    ) {
        let calendar = read(&format!(
            "business:\n- {{name: b, services: [a], rrule: \"FREQ=WEEKLY;BYDAY={}\", start: \"{start:02}:00\", until: \"{:02}:00\", zone: {zone}}}\n",
            days.join(","), (start + length) % 24,
        ));
        let tz = jiff::tz::TimeZone::get(zone).unwrap();
        let first = jiff::civil::date(2026, month, 1).at(0, 0, 0, 0).to_zoned(tz.clone()).unwrap();
        for quarter in 0..(31 * 96) {
            let now = first.checked_add((quarter * 15).minutes()).unwrap();
            let shown = now.datetime();
            let names = |weekday: Weekday| days.contains(&["MO", "TU", "WE", "TH", "FR", "SA", "SU"][usize::try_from(weekday.to_monday_zero_offset()).unwrap()]);
            let yesterday = names(shown.weekday().previous());
            let end = start + length;
            let expected = (names(shown.weekday()) && shown.hour() >= start && shown.hour() < end)
                || (yesterday && shown.hour() < end - 24);
            // A boundary in a skipped or doubled hour has its own rule; the others must agree.
            let near = |hour: i8| (shown.hour() - hour % 24).abs() <= 1;
            if near(start) || near(end) { continue; }
            prop_assert_eq!(is_active(&calendar.business_at("a", None, now.timestamp())), expected, "{}", now);
        }
    }

    #[test]
    fn the_next_safe_span_agrees_with_asking_each_minute(
        entries in prop::collection::vec((0usize..3, 0usize..3, 0usize..2, 0i64..300, 1i64..90), 0..8),
        service in 0usize..2,
        from in 0i64..200,
    ) {
        let base = at("2026-03-29T00:00:00Z");
        let minute = |m: i64| base.checked_add(m.minutes()).unwrap();
        let (services, environments) = (["a", "b", "*"], ["[]", "[p]"]);
        let mut text = String::new();
        for (kind, name) in ["freezes", "windows", "business"].iter().enumerate() {
            text += &format!("{name}:\n");
            if entries.iter().all(|entry| entry.0 != kind) { text.truncate(text.len() - 1); text += " []\n"; }
            for (_, covered, environment, begin, length) in entries.iter().filter(|entry| entry.0 == kind) {
                text += &format!(
                    "- {{name: n, services: [\"{}\"], environments: {}, from: \"{}\", until: \"{}\"}}\n",
                    services[*covered], environments[*environment], minute(*begin), minute(begin + length)
                );
            }
        }
        let calendar = read(&text);
        let scope = [(services[service], Some("p")), ("b", None)];
        let safe_at = |m: i64| scope.iter().all(|(service, environment)| {
            let now = minute(m);
            calendar.freeze_at(service, *environment, now) == Reading::Inactive
                && calendar.business_at(service, *environment, now) == Reading::Inactive
                && calendar.window_open_at(service, *environment, now) != WindowReading::Closed
        });
        let end = from + 240;
        let first = (from..end).find(|m| safe_at(*m));
        let expected = first.map(|first| {
            let until = (first..end).find(|m| !safe_at(*m)).unwrap_or(end);
            Span { from: minute(first), until: minute(until) }
        });
        prop_assert_eq!(calendar.next_safe(minute(from), &scope, SignedDuration::from_mins(240)), Ok(expected));
    }

    #[test]
    fn no_rule_makes_it_panic(rule in "(FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY|MINUTELY|SECONDLY))(;(INTERVAL=[0-9]{1,6}|BYDAY=-?[0-9]{0,2}(MO|SU)|BYMONTHDAY=-?[0-9]{1,2}|BYMONTH=[0-9]{1,2}|BYWEEKNO=-?[0-9]{1,2}|BYYEARDAY=-?[0-9]{1,3}|BYHOUR=[0-9]{1,2}|BYSETPOS=-?[0-9]{1,3}|COUNT=[0-9]{1,9}|UNTIL=2026[01][0-9][0-3][0-9])){0,4}") {
        let text = format!("freezes:\n- {{name: f, services: [a], rrule: \"{rule}\", start: 2026-01-31T02:30, duration: 1h, zone: Europe/Berlin}}\n");
        if let Ok(calendar) = Calendar::read("c", &text, &no_files) {
            let _ = calendar.freeze_at("a", None, at("2026-06-01T00:00:00Z"));
        }
    }
}

#[test]
fn an_empty_calendar_is_an_error_and_one_without_entries_is_not() {
    let read = |text: &str| Calendar::read("calendar.yaml", text, &|_| Err(String::new()));
    for text in ["", "null\n", "# nothing\n", "---\n"] {
        assert!(read(text).is_err(), "{text:?}");
    }
    assert!(read("freezes: []\n").is_ok());
}

#[test]
fn names_are_compared_without_case_and_patterns_are_refused() {
    let read = |services: &str, environments: &str| {
        let text = format!(
            "freezes:\n- {{name: N, services: {services}, environments: {environments}, \
             from: '2026-03-01T00:00:00Z', until: '2026-04-01T00:00:00Z'}}\n"
        );
        Calendar::read("calendar.yaml", &text, &|_| Err(String::new()))
    };
    let now = "2026-03-17T00:00:00Z".parse().unwrap();
    for (services, environments) in [
        ("[Lab]", "[]"),
        ("['lab ']", "[Staging]"),
        ("['* ']", "['*']"),
        ("[LAB]", "[' staging']"),
    ] {
        let reading = read(services, environments)
            .unwrap()
            .freeze_at("lab", Some("staging"), now);
        assert!(matches!(reading, Reading::Active(_)), "{services} {environments}");
    }
    let error = read("['l*']", "[]").unwrap_err();
    assert!(
        error.message.contains("`l*`") && error.position.map(|(line, _)| line) == Some(2),
        "{error:?}"
    );
    assert!(read("[lab]", "['prod-*']").is_err() && read("['']", "[]").is_err());
}
