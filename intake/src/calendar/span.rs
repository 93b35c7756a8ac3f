//! Spans of time, and what can be computed with lists of them.

use holdpoint_schemas::Timestamp;

/// A span of time: `from` belongs to it, `until` doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First moment.
    pub from: Timestamp,
    /// First moment after it.
    pub until: Timestamp,
}

impl Span {
    /// The span, unless it would be empty.
    pub(super) fn new(from: Timestamp, until: Timestamp) -> Option<Self> {
        (from < until).then_some(Self { from, until })
    }

    fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.until.min(other.until))
    }
}

/// The same moments as sorted spans that neither overlap nor touch.
pub(super) fn normalised(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => merged.push(span),
        }
    }
    merged
}

/// The one of normalised spans that holds a moment.
pub(super) fn holding(spans: &[Span], at: Timestamp) -> Option<Span> {
    let after = spans.partition_point(|span| span.from <= at);
    let span = spans.get(after.checked_sub(1)?)?;
    (at < span.until).then_some(*span)
}

/// Moments that both normalised lists hold.
pub(super) fn intersection(a: &[Span], b: &[Span]) -> Vec<Span> {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let mut common = Vec::new();
    while let (Some(x), Some(y)) = (left.peek(), right.peek()) {
        common.extend(x.intersection(**y));
        if x.until <= y.until {
            left.next();
        } else {
            right.next();
        }
    }
    common
}

/// Moments of one span that a normalised list doesn't hold.
pub(super) fn gaps(within: Span, spans: &[Span]) -> Vec<Span> {
    let mut from = within.from;
    let mut free = Vec::new();
    for span in spans.iter().filter_map(|span| span.intersection(within)) {
        free.extend(Span::new(from, span.from));
        from = span.until;
    }
    free.extend(Span::new(from, within.until));
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span((from, length): (i64, i64)) -> Span {
        let at = |second| Timestamp::from_second(second).unwrap();
        Span::new(at(from), at(from + length)).unwrap()
    }

    fn holds(spans: &[Span], second: i64) -> bool {
        let at = Timestamp::from_second(second).unwrap();
        spans.iter().any(|span| span.from <= at && at < span.until)
    }

    proptest! {
        #[test]
        fn the_algebra_agrees_with_looking_at_each_second(
            a in prop::collection::vec((0i64..60, 1i64..20), 0..8),
            b in prop::collection::vec((0i64..60, 1i64..20), 0..8),
        ) {
            let raw: Vec<Span> = a.into_iter().map(span).collect();
            let a = normalised(raw.clone());
            let b = normalised(b.into_iter().map(span).collect());
            let within = span((10, 50));
            let (common, free) = (intersection(&a, &b), gaps(within, &a));
            prop_assert!(a.windows(2).all(|pair| pair[0].until < pair[1].from));
            for second in 0..90 {
                let at = Timestamp::from_second(second).unwrap();
                prop_assert_eq!(holds(&a, second), holds(&raw, second));
                prop_assert_eq!(holding(&a, at).is_some(), holds(&a, second));
                prop_assert_eq!(holds(&common, second), holds(&a, second) && holds(&b, second));
                prop_assert_eq!(holds(&free, second), (10..60).contains(&second) && !holds(&a, second));
            }
        }
    }
}
