//! One value against what always came there.

use super::Context;
use super::format::{Format, NumberFormat};
use super::moment::{self, Against, Moment};
use super::noise::Learnt;

/// What a value is against what always came there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// The same, or another one of the same kind where they always differ.
    Same,
    /// Another value; why, where that is not plain.
    Value(Option<String>),
    /// The same or another value, written another way.
    Format,
}

/// Compares a text. `before` has the number of its run with each value.
pub(super) fn text(context: &Context<'_>, before: &[(usize, &str)], learnt: Option<&Learnt>, after: &str) -> Judged {
    if before.iter().any(|(_, text)| *text == after) {
        return Judged::Same;
    }
    let first = before.first().map(|(_, text)| *text).unwrap_or_default();
    let stable = before.iter().all(|(_, text)| *text == first);
    let moved = || in_time(context, before, after, moment::read_text);
    match learnt.filter(|learnt| learnt.noisy) {
        None if stable => match moved() {
            Against::Same if same_style(first, after) => Judged::Same,
            _ if rewritten(first, after) => Judged::Format,
            _ => Judged::Value(None),
        },
        pooled => {
            let own;
            let format = match pooled {
                Some(learnt) => learnt.format.as_ref(),
                None => {
                    own = Format::of(before.iter().map(|(_, text)| *text));
                    own.as_ref()
                }
            };
            noisy(format.is_none_or(|format| format.accepts(after)), moved())
        }
    }
}

/// What a value is in a place that is never the same.
fn noisy(fits: bool, moved: Against) -> Judged {
    match (fits, moved) {
        (false, _) => Judged::Format,
        (true, Against::Moved(why)) => Judged::Value(Some(why)),
        (true, _) => Judged::Same,
    }
}

/// Compares a number, by its digits.
pub(super) fn number(context: &Context<'_>, before: &[(usize, &str)], learnt: Option<&Learnt>, after: &str) -> Judged {
    if before.iter().any(|(_, text)| *text == after) {
        return Judged::Same;
    }
    let first = before.first().map(|(_, text)| *text).unwrap_or_default();
    let stable = before.iter().all(|(_, text)| *text == first);
    let moved = || in_time(context, before, after, moment::read_number);
    match learnt.filter(|learnt| learnt.noisy) {
        None if stable => {
            let same_number =
                || matches!((first.parse::<f64>(), after.parse::<f64>()), (Ok(one), Ok(other)) if one == other);
            match moved() {
                Against::Same if first.len() == after.len() => Judged::Same,
                _ if same_number() => Judged::Format,
                _ => Judged::Value(None),
            }
        }
        pooled => {
            let own;
            let format = match pooled {
                Some(learnt) => learnt.number_format.as_ref(),
                None => {
                    own = NumberFormat::of(before.iter().map(|(_, text)| *text));
                    own.as_ref()
                }
            };
            noisy(format.is_none_or(|format| format.accepts(after)), moved())
        }
    }
}

fn in_time(
    context: &Context<'_>,
    before: &[(usize, &str)],
    after: &str,
    read: impl Fn(&str) -> Option<Moment>,
) -> Against {
    let clock = |run: &usize| context.clocks.get(*run).copied().flatten();
    let known = before.iter().map(|(run, text)| Some((read(text)?, clock(run))));
    match (known.collect::<Option<Vec<_>>>(), read(after)) {
        (Some(known), Some(now)) => moment::against(&known, (now, context.clock)),
        _ => Against::Unknown,
    }
}

fn same_style(one: &str, other: &str) -> bool {
    Format::of([one]).is_some_and(|format| format.accepts(other))
}

/// Whether two texts say the same, or the same kind of thing, in another way.
fn rewritten(one: &str, other: &str) -> bool {
    let bare = |text: &str| -> String {
        let kept = text.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect()
    };
    let both = |read: fn(&str) -> bool| read(one) && read(other);
    bare(one) == bare(other)
        || both(|text| moment::read_text(text).is_some()) && !same_style(one, other)
        || matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::noise::Noise;

    fn judge(before: &[&str], after: &str) -> Judged {
        let noise = Noise::default();
        let context = Context {
            operation: "GET /",
            noise: &noise,
            clocks: vec![Some(1_767_323_045.0); before.len()],
            clock: Some(1_767_323_100.0),
        };
        let before: Vec<(usize, &str)> = before.iter().copied().enumerate().collect();
        text(&context, &before, None, after)
    }

    #[test]
    fn what_never_changed_must_not_change() {
        assert_eq!(judge(&["open", "open"], "open"), Judged::Same);
        assert_eq!(judge(&["open", "open"], "closed"), Judged::Value(None));
        assert_eq!(judge(&["open", "open"], "OPEN"), Judged::Format);
        assert_eq!(judge(&["10.50", "10.50"], "10.5"), Judged::Format);
        assert_eq!(
            judge(&["2020-01-02", "2020-01-02"], "2020-01-02T00:00:00Z"),
            Judged::Format
        );
        assert_eq!(judge(&["2020-01-02", "2020-01-02"], "2020-01-03"), Judged::Value(None));
    }

    #[test]
    fn a_clock_rounded_to_a_minute_or_a_day_is_a_clock() {
        assert_eq!(judge(&["2026-01-02", "2026-01-02"], "2026-01-02"), Judged::Same);
        assert_eq!(
            judge(
                &["2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z"],
                "2026-01-02T03:05:00Z"
            ),
            Judged::Same
        );
        assert_eq!(
            judge(
                &["2026-01-02T03:04:00Z", "2026-01-02T03:04:00Z"],
                "2026-01-02T09:05:00Z"
            ),
            Judged::Value(None)
        );
    }
}
