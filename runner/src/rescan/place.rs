//! The code that a finding is about.

use holdpoint_schemas::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::rc::Rc;

use super::matching::Side;
use crate::code::{Code, Lang, Span};
use crate::files::Files;

/// Longest line and statement that is looked at, in tokens: what is longer was made by a minifier.
const MAX_SPAN: usize = 2_000;
/// Tokens that code which moved to another file must have in common with where it was, so that two short
/// statements which only look alike aren't taken for one that moved.
const MIN_MOVED: usize = 8;
/// Tokens of the surroundings that are compared, on each side, to tell equal statements apart.
const MAX_CONTEXT: usize = 200;

/// What there is to see at a finding's place.
#[derive(Debug)]
pub(super) enum Place<'a> {
    /// Code.
    Code(Spot<'a>),
    /// A line without any, such as a comment: its text, white space squeezed.
    Line(String),
    /// Nothing: it has no place in the source, or that isn't at hand.
    None,
}

/// Code at a place.
#[derive(Debug)]
pub(super) struct Spot<'a> {
    code: Rc<Code<'a>>,
    span: Span,
}

/// The places of one side's findings.
#[derive(Debug)]
pub(super) struct Places<'a> {
    places: Vec<Place<'a>>,
    words: Vec<Option<u64>>,
}

impl Spot<'_> {
    /// What [`Spot::same`] costs at most, in comparisons of tokens.
    pub(super) fn work(&self, other: &Self) -> usize {
        let (own, others) = (&self.span, &other.span);
        (own.line.len() + others.line.len()) * (own.whole.len() + others.whole.len())
    }

    /// As [`Spot::same`], where the statements start with the same token: nearly always, and cheap.
    pub(super) fn same_start(&self, other: &Self, same_file: bool) -> Option<usize> {
        let shift = other.span.whole.start as i64 - self.span.whole.start as i64;
        let there = |index: usize| usize::try_from(index as i64 + shift).is_ok_and(|at| other.span.line.contains(&at));
        self.span
            .line
            .clone()
            .any(there)
            .then(|| self.same_at(other, shift, same_file))?
    }

    /// Whether this is the same code: some token of one line is one of the other's, and around it the whole
    /// statements of both are equal. Then how many tokens around it are equal, too.
    pub(super) fn same(&self, other: &Self, same_file: bool) -> Option<usize> {
        let (own, others) = (&self.code.parts, &other.code.parts);
        let mut tried = BTreeSet::new();
        let mut best = None;
        for i in self.span.line.clone() {
            for j in other.span.line.clone() {
                let shift = j as i64 - i as i64;
                if own.get(i).zip(others.get(j)).is_some_and(|(one, two)| one.like(two)) && tried.insert(shift) {
                    best = best.max(self.same_at(other, shift, same_file));
                }
            }
        }
        best
    }

    fn same_at(&self, other: &Self, shift: i64, same_file: bool) -> Option<usize> {
        let (own, others) = (&self.code.parts, &other.code.parts);
        let there = |index: usize| usize::try_from(index as i64 + shift).ok();
        let here = |index: usize| usize::try_from(index as i64 - shift).ok();
        let like = |index: usize| {
            let pair = own.get(index).zip(there(index).and_then(|index| others.get(index)));
            pair.is_some_and(|(one, two)| one.like(two))
        };
        let start = self.span.whole.start.min(here(other.span.whole.start)?);
        let mut end = self.span.whole.end.max(here(other.span.whole.end)?);
        let renamed = |range: Range<usize>| {
            range.into_iter().any(|index| {
                let pair = own.get(index).zip(there(index).and_then(|index| others.get(index)));
                pair.is_some_and(|(one, two)| !one.identical(two))
            })
        };
        if !(start..end).all(like) {
            return None;
        }
        // What has another name is the same only if all that it holds is.
        if renamed(start..end) {
            let block = self
                .code
                .block_end(&self.span.whole)
                .max(here(other.code.block_end(&other.span.whole))?);
            if block == end || !(end..block).all(like) {
                return None;
            }
            end = block;
        }
        let left = (start.saturating_sub(MAX_CONTEXT)..start)
            .rev()
            .take_while(|index| like(*index))
            .count();
        let right = (end..end + MAX_CONTEXT).take_while(|index| like(*index)).count();
        let common = left + right + (end - start);
        let all = common == own.len() && common == others.len();
        // An import means the same wherever it stands.
        let imports = own
            .get(start)
            .is_some_and(|part| matches!(part.token.text, "import" | "from" | "using" | "use"));
        (same_file || imports || common >= MIN_MOVED || all).then_some(common)
    }
}

impl<'a> Places<'a> {
    /// The places of a side's findings.
    pub(super) fn of(side: Side<'a>) -> Self {
        let mut codes = BTreeMap::new();
        let places: Vec<_> = side
            .findings
            .iter()
            .map(|finding| place(finding, side.files, &mut codes))
            .collect();
        let words = places.iter().map(words).collect();
        Self { places, words }
    }

    /// The place of a finding, by its index.
    pub(super) fn get(&self, index: usize) -> Option<&Place<'a>> {
        self.places.get(index)
    }

    /// A hash of what is at the place, white space and names of functions aside.
    pub(super) fn words(&self, index: usize) -> Option<u64> {
        self.words.get(index).copied().flatten()
    }

    /// The statements at a finding's place, as texts.
    pub(super) fn statement(&self, index: usize) -> Option<Vec<&'a str>> {
        match self.get(index)? {
            Place::Code(spot) => {
                let parts = spot.code.parts.get(spot.span.whole.clone())?;
                Some(parts.iter().map(|part| part.token.text).collect())
            }
            Place::Line(_) | Place::None => None,
        }
    }
}

fn place<'a>(finding: &Finding, files: &'a dyn Files, codes: &mut BTreeMap<String, Option<Rc<Code<'a>>>>) -> Place<'a> {
    // What is vulnerable in a component is not the line that names it.
    let location = finding.location.as_ref().filter(|_| finding.component.is_none());
    let Some((path, line)) = location.and_then(|location| Some((&location.path, location.line?))) else {
        return Place::None;
    };
    let Some(text) = files.file(path).text() else {
        return Place::None;
    };
    let code = codes
        .entry(path.clone())
        .or_insert_with(|| Code::of(text, Lang::of(path)).map(Rc::new));
    if let Some(code) = code {
        match code.span(line) {
            Some(span) if span.whole.len() <= MAX_SPAN => {
                return Place::Code(Spot {
                    code: Rc::clone(code),
                    span,
                });
            }
            _ => {}
        }
    }
    let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let words = text
        .lines()
        .nth(index)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    words.map_or(Place::None, Place::Line)
}

fn words(place: &Place<'_>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    match place {
        Place::Code(spot) => {
            for part in spot.code.parts.get(spot.span.whole.clone())? {
                (part.token.kind, if part.declared { "" } else { part.token.text }).hash(&mut hasher);
            }
        }
        Place::Line(text) => text.hash(&mut hasher),
        Place::None => return None,
    }
    Some(hasher.finish())
}
