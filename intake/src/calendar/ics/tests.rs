use super::super::{Calendar, Reading};
use holdpoint_schemas::Timestamp;

const CALENDAR: &str = "ics:\n- {file: freeze.ics, means: freeze, services: [a]}\n";
const BERLIN: &str = "ics:\n- {file: freeze.ics, means: freeze, services: [a], zone: Europe/Berlin}\n";

fn read(yaml: &str, events: &str) -> Result<Calendar, String> {
    let ics = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}\r\nEND:VCALENDAR\r\n",
        events.replace('\n', "\r\n")
    );
    raw(yaml, &ics)
}

fn raw(yaml: &str, ics: &str) -> Result<Calendar, String> {
    Calendar::read("calendar.yaml", yaml, &|_| Ok(ics.to_owned())).map_err(|error| error.one_line())
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:1\nSUMMARY:Freeze\n{lines}\nEND:VEVENT")
}

fn frozen(calendar: &Calendar, now: &str) -> bool {
    match calendar.freeze_at("a", None, now.parse::<Timestamp>().unwrap()) {
        Reading::Active(_) => true,
        Reading::Inactive => false,
        Reading::Unknown(why) => panic!("{why}"),
    }
}

#[test]
fn a_single_event_in_utc_or_in_a_zone_is_read() {
    let utc = read(CALENDAR, &event("DTSTART:20260316T080000Z\nDTEND:20260316T100000Z")).unwrap();
    assert!(frozen(&utc, "2026-03-16T08:00:00Z") && !frozen(&utc, "2026-03-16T10:00:00Z"));
    let local = "DTSTART;TZID=America/New_York:20260316T080000\nDURATION:PT2H";
    let local = read(CALENDAR, &event(local)).unwrap();
    assert!(frozen(&local, "2026-03-16T12:00:00Z") && !frozen(&local, "2026-03-16T11:59:59Z"));
    let Reading::Active(named) = local.freeze_at("a", None, "2026-03-16T12:00:00Z".parse().unwrap()) else {
        panic!("no freeze")
    };
    assert_eq!(named.name, "Freeze");
}

#[test]
fn whole_days_are_days_of_the_calendars_zone() {
    let days = event("DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330");
    let calendar = read(BERLIN, &days).unwrap();
    assert!(frozen(&calendar, "2026-03-27T23:00:00Z") && !frozen(&calendar, "2026-03-27T22:59:59Z"));
    assert!(frozen(&calendar, "2026-03-29T21:59:59Z") && !frozen(&calendar, "2026-03-29T22:00:00Z"));
    let error = read(CALENDAR, &days).unwrap_err();
    assert!(
        error.contains("freeze.ics:6:1") && error.contains("time zone"),
        "{error}"
    );
    let own = read(CALENDAR, &format!("X-WR-TIMEZONE:Europe/Berlin\n{days}")).unwrap();
    assert!(frozen(&own, "2026-03-27T23:00:00Z"));
    let one = read(BERLIN, &event("DTSTART;VALUE=DATE:20260328")).unwrap();
    assert!(frozen(&one, "2026-03-28T22:59:59Z") && !frozen(&one, "2026-03-28T23:00:00Z"));
}

#[test]
fn a_rule_with_exceptions_and_extra_dates_is_followed() {
    let calendar = read(
        CALENDAR,
        &event(
            "DTSTART;TZID=Europe/Berlin:20260302T090000\nDTEND;TZID=Europe/Berlin:20260302T110000\n\
             RRULE:FREQ=WEEKLY;BYDAY=MO\nEXDATE;TZID=Europe/Berlin:20260309T090000\n\
             RDATE;TZID=Europe/Berlin:20260311T090000,20260312T090000\n\
             RDATE;VALUE=PERIOD:20260313T120000Z/PT30M,20260314T120000Z/20260314T130000Z",
        ),
    )
    .unwrap();
    assert!(frozen(&calendar, "2026-03-02T08:00:00Z") && !frozen(&calendar, "2026-03-09T08:30:00Z"));
    assert!(frozen(&calendar, "2026-03-11T09:59:59Z") && frozen(&calendar, "2026-03-12T08:00:00Z"));
    assert!(frozen(&calendar, "2026-03-13T12:29:59Z") && !frozen(&calendar, "2026-03-13T12:30:00Z"));
    assert!(frozen(&calendar, "2026-03-14T12:59:59Z"));
    assert!(
        frozen(&calendar, "2026-03-30T07:00:00Z"),
        "in summer it begins an hour earlier"
    );
}

#[test]
fn a_moved_occurrence_happens_at_its_new_time_only() {
    let series = event("DTSTART:20260302T090000Z\nDTEND:20260302T110000Z\nRRULE:FREQ=WEEKLY;COUNT=3");
    let moved = event("RECURRENCE-ID:20260309T090000Z\nDTSTART:20260310T090000Z\nDTEND:20260310T110000Z");
    let calendar = read(CALENDAR, &format!("{series}\n{moved}")).unwrap();
    assert!(!frozen(&calendar, "2026-03-09T10:00:00Z") && frozen(&calendar, "2026-03-10T10:00:00Z"));
    assert!(frozen(&calendar, "2026-03-16T10:00:00Z") && !frozen(&calendar, "2026-03-23T10:00:00Z"));
    let gone = event("RECURRENCE-ID:20260309T090000Z\nDTSTART:20260309T090000Z\nSTATUS:CANCELLED");
    let calendar = read(CALENDAR, &format!("{series}\n{gone}")).unwrap();
    assert!(!frozen(&calendar, "2026-03-09T10:00:00Z") && frozen(&calendar, "2026-03-16T10:00:00Z"));
}

const OUTLOOK: &str = "BEGIN:VTIMEZONE\nTZID:W. Europe Standard Time\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
                       TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\n\
                       END:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
                       RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE";

#[test]
fn a_zone_that_only_the_file_knows_is_followed() {
    let lines = "DTSTART;TZID=W. Europe Standard Time:20260327T090000\n\
                 DTEND;TZID=W. Europe Standard Time:20260327T100000\nRRULE:FREQ=DAILY";
    let calendar = read(CALENDAR, &format!("{OUTLOOK}\n{}", event(lines))).unwrap();
    assert!(frozen(&calendar, "2026-03-28T08:00:00Z") && !frozen(&calendar, "2026-03-28T07:59:59Z"));
    assert!(frozen(&calendar, "2026-03-29T07:00:00Z") && !frozen(&calendar, "2026-03-29T08:00:00Z"));
    assert!(frozen(&calendar, "2026-10-25T08:00:00Z") && frozen(&calendar, "2026-10-24T07:00:00Z"));
    let error = read(CALENDAR, &event(lines)).unwrap_err();
    assert!(error.contains("no time zone `W. Europe Standard Time`"), "{error}");
    let path = "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260701T090000\nDURATION:PT1H";
    assert!(frozen(&read(CALENDAR, &event(path)).unwrap(), "2026-07-01T07:00:00Z"));
}

#[test]
fn an_alarm_says_nothing_about_its_event_and_a_cancelled_event_nothing_at_all() {
    let alarm = "DTSTART:20260316T080000Z\nBEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT5H\nEND:VALARM\nDURATION:PT1H";
    let calendar = read(CALENDAR, &event(alarm)).unwrap();
    assert!(frozen(&calendar, "2026-03-16T08:59:59Z") && !frozen(&calendar, "2026-03-16T09:00:00Z"));
    let off = event("DTSTART:20260316T080000Z\nDURATION:PT1H\nSTATUS:CANCELLED");
    assert!(!frozen(&read(CALENDAR, &off).unwrap(), "2026-03-16T08:30:00Z"));
}

#[test]
fn a_first_occurrence_beside_its_rule_freezes_but_opens_no_window() {
    // The first of March 2026 is a Sunday.
    let odd = event("DTSTART:20260301T080000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO");
    assert!(frozen(&read(CALENDAR, &odd).unwrap(), "2026-03-01T08:30:00Z"));
    let window = read(&CALENDAR.replace("freeze,", "window,"), &odd).unwrap();
    let at = |now: &str| window.window_open_at("a", None, now.parse().unwrap());
    assert_eq!(at("2026-03-01T08:30:00Z"), super::super::WindowReading::Closed);
    assert!(matches!(
        at("2026-03-02T08:30:00Z"),
        super::super::WindowReading::Open(_)
    ));
}

#[test]
fn what_can_not_be_read_is_an_error_with_its_line() {
    let start = "DTSTART:20260316T080000Z";
    for (lines, line, says) in [
        ("SUMMARY:x", 3, "no `DTSTART`"),
        ("DTSTART:soon", 6, "isn't a date"),
        ("DTSTART:20261399T080000Z", 6, "isn't a date"),
        (&format!("{start}\nDTEND:20260315T080000Z"), 7, "isn't an end"),
        (&format!("{start}\nDTEND;VALUE=DATE:20260317"), 7, "time zone"),
        (&format!("{start}\nDTEND:20260316T090000Z\nDURATION:PT1H"), 7, "both"),
        (&format!("{start}\nDURATION:-PT1H"), 7, "isn't a duration"),
        (&format!("{start}\nRRULE:FREQ=SOMETIMES"), 7, "FREQ=SOMETIMES"),
        (&format!("{start}\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY"), 8, "`EXRULE`"),
        (
            &format!("{start}\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY"),
            8,
            "second `RRULE`",
        ),
        (&format!("{start}\nRRULE:FREQ=DAILY\nEXDATE:x"), 8, "isn't a date"),
        (
            &format!("RECURRENCE-ID;RANGE=THISANDFUTURE:20260316T080000Z\n{start}"),
            6,
            "`RANGE`",
        ),
        ("no line at all", 6, "`NAME:value`"),
    ] {
        let error = read(CALENDAR, &event(lines)).unwrap_err();
        assert!(error.starts_with(&format!("freeze.ics:{line}:")), "{error}");
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn files_that_are_cut_off_nested_or_something_else_are_refused() {
    let whole = format!(
        "BEGIN:VCALENDAR\n{}\nEND:VCALENDAR\n",
        event("DTSTART:20260316T080000Z")
    );
    assert!(raw(CALENDAR, &whole).is_ok());
    for end in (1..whole.len() - 1).step_by(7) {
        assert!(raw(CALENDAR, &whole[..end]).is_err(), "{}", &whole[..end]);
    }
    for text in [
        String::new(),
        "<html>no calendar</html>".to_owned(),
        "BEGIN:VEVENT\nEND:VEVENT\n".to_owned(),
        "SUMMARY:x\n".to_owned(),
        "BEGIN:VCALENDAR\nEND:VEVENT\n".to_owned(),
        "BEGIN:X\n".repeat(100_000),
        "X".repeat(super::MAX_BYTES + 1),
    ] {
        assert!(raw(CALENDAR, &text).is_err(), "{:.40}", text);
    }
}
