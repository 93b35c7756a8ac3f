use super::*;
use proptest::prelude::*;

fn places(list: &[u64]) -> Places {
    let mut places = Places::default();
    for place in list {
        places.add(*place);
    }
    places
}

#[test]
fn neighbours_are_one_row() {
    assert_eq!(places(&[1, 2, 3, 5, 7, 8]).0, [(1, 3), (5, 5), (7, 8)]);
    assert_eq!(places(&[1, 2, 5]).count(), 3);
}

#[test]
fn a_record_of_absurd_places_is_no_trouble() {
    let mut said = Places::default();
    said.extend(&[(5, 2), (0, u64::MAX), (u64::MAX, 0)]);
    assert_eq!(places(&[1, 9]).without(&said), []);
    let mut said = Places::default();
    said.extend(&[(u64::MAX, 0), (7, 3)]);
    assert_eq!(places(&[5]).without(&said), [(5, 5)]);
}

#[test]
fn a_line_that_was_changed_is_refused() {
    let draft = Draft::new("run", Timestamp::UNIX_EPOCH, &serde_json::json!({"n": 1})).unwrap();
    let leaf = draft.row(3).leaf;
    let line = format!(r#"{{"at":"1970-01-01T00:00:00Z","body":{{"n":1}},"kind":"run","leaf":"{leaf}","seq":3}}"#);
    assert_eq!(read_export_line(&line).unwrap(), draft.into_entry(3));
    for (from, to) in [
        ("\"n\":1", "\"n\":2"),
        ("run", "ran"),
        ("\"seq\":3", "\"seq\":4"),
        ("1970", "1971"),
        ("}", ""),
    ] {
        assert!(read_export_line(&line.replacen(from, to, 1)).is_err(), "{to}");
    }
}

proptest! {
    #[test]
    fn what_is_left_is_what_the_others_do_not_hold(
        mine in prop::collection::btree_set(1..40_u64, 0..20),
        others in prop::collection::vec((1..40_u64, 0..6_u64), 0..8),
    ) {
        let list: Vec<u64> = mine.iter().copied().collect();
        let mut said = Places::default();
        said.extend(&others.iter().map(|(first, more)| (*first, first + more)).collect::<Vec<_>>());
        let left: Vec<u64> = places(&list).without(&said).into_iter().flat_map(|(first, last)| first..=last).collect();
        let held = |place: &u64| others.iter().any(|(first, more)| (*first..=first + more).contains(place));
        let expected: Vec<u64> = list.into_iter().filter(|place| !held(place)).collect();
        prop_assert_eq!(left, expected);
    }
}
