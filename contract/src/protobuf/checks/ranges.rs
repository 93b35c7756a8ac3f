//! Ranges of numbers that were reserved, or left to extensions.

use crate::protobuf::model::Ranges;

/// What of a range isn't covered by others, as ranges.
pub(super) fn missing((start, end): (i64, i64), ranges: &Ranges) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    let mut next = start;
    for &(from, to) in ranges.covered_from(start) {
        if from > end {
            break;
        }
        if from > next {
            found.push((next, from - 1));
        }
        next = next.max(to.saturating_add(1));
    }
    if next <= end {
        found.push((next, end));
    }
    found
}

/// `[1,3]`, `[4]`, `[5,max]`.
pub(super) fn shown((start, end): (i64, i64), max: i64) -> String {
    if start == end {
        format!("[{start}]")
    } else if end == max {
        format!("[{start},max]")
    } else {
        format!("[{start},{end}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_neighbours_cover_together_is_not_missing() {
        for (range, others, expected) in [
            ((1, 5), vec![(1, 3), (4, 9)], vec![]),
            ((1, 5), vec![(4, 4), (2, 2)], vec![(1, 1), (3, 3), (5, 5)]),
            ((1, 5), vec![], vec![(1, 5)]),
            ((1, 5), vec![(6, 9)], vec![(1, 5)]),
            ((4, 5), vec![(1, 4), (2, 3)], vec![(5, 5)]),
            ((-3, -1), vec![(-2, 7)], vec![(-3, -3)]),
        ] {
            let mut ranges = Ranges::default();
            ranges.written.extend(others);
            ranges.settle(i64::MAX, 99);
            assert_eq!(missing(range, &ranges), expected, "{range:?} {ranges:?}");
        }
        assert_eq!(shown((5, 99), 99), "[5,max]");
        assert_eq!(shown((99, 99), 99), "[99]");
        assert_eq!(shown((1, 3), 99), "[1,3]");
    }
}
