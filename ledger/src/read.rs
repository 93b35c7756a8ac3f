//! Reading rows and checkpoints page by page, so that a log of any length fits in memory.

use std::collections::VecDeque;

use crate::entry::Row;
use crate::error::LedgerError;
use crate::store::{Checkpoint, Page, Store};

/// Rows asked for at first. Bodies may be large; how large they are here is not known yet.
const FIRST_PAGE: usize = 64;

/// Rows asked for at most.
const LARGEST_PAGE: usize = 4096;

/// Rows of a reader that asks for one page at a time.
const ONE_PAGE: usize = 256;

/// Bytes of rows that a page should have, about.
const PAGE_BYTES: usize = 4 << 20;

/// Checkpoints asked for at once.
const CHECKPOINTS: usize = 4096;

/// Where a reader of rows is.
pub(crate) struct Rows<'a> {
    after: u64,
    until: u64,
    kind: Option<&'a str>,
    limit: usize,
}

impl<'a> Rows<'a> {
    /// Of the places behind one; with a kind, those of that kind.
    pub(crate) fn after(after: u64, kind: Option<&'a str>) -> Self {
        Self {
            after,
            until: u64::MAX,
            kind,
            limit: FIRST_PAGE,
        }
    }

    /// Of the places behind one, of any kind, in one page.
    pub(crate) fn at_once(after: u64) -> Self {
        Self {
            limit: ONE_PAGE,
            ..Self::after(after, None)
        }
    }

    /// Goes to the places behind `after`, up to `until`.
    pub(crate) fn go_to(&mut self, (after, until): (u64, u64)) {
        (self.after, self.until) = (after, until);
    }

    /// The next page; empty at the end.
    pub(crate) fn page(&mut self, store: &dyn Store) -> Result<Page<Row>, LedgerError> {
        let left = usize::try_from(self.until.saturating_sub(self.after)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Page::new());
        }
        let mut page = store.rows(self.after, self.kind, self.limit.min(left))?;
        growing(self.after, &page, "entries")?;
        // Where places are missing, there were fewer than that.
        page.truncate(page.partition_point(|(seq, _)| *seq <= self.until));
        if let Some((last, _)) = page.last() {
            self.after = *last;
        }
        let bytes: usize = page.iter().map(|(_, row)| row.as_ref().map_or(0, Row::bytes)).sum();
        self.limit = match bytes {
            large if large > 2 * PAGE_BYTES => (self.limit / 2).max(FIRST_PAGE / 4),
            small if small < PAGE_BYTES => (self.limit * 2).min(LARGEST_PAGE),
            _ => self.limit,
        };
        Ok(page)
    }

    /// Hands over each row with its place.
    pub(crate) fn each(
        mut self,
        store: &dyn Store,
        mut visit: impl FnMut(u64, Result<Row, String>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        loop {
            let page = self.page(store)?;
            if page.is_empty() {
                return Ok(());
            }
            for (seq, row) in page {
                visit(seq, row)?;
            }
        }
    }
}

/// Where a reader of checkpoints is.
pub(crate) struct Checkpoints {
    after: u64,
    page: VecDeque<(u64, Result<Checkpoint, String>)>,
}

impl Checkpoints {
    /// Of the sizes above one.
    pub(crate) fn after(after: u64) -> Self {
        Self {
            after,
            page: VecDeque::new(),
        }
    }

    /// The next, which must be readable.
    pub(crate) fn next(&mut self, store: &dyn Store) -> Result<Option<Checkpoint>, LedgerError> {
        if self.page.is_empty() {
            let page = store.checkpoints(self.after, CHECKPOINTS)?;
            growing(self.after, &page, "checkpoints")?;
            self.page = page.into();
        }
        let Some((size, checkpoint)) = self.page.pop_front() else {
            return Ok(None);
        };
        self.after = size;
        checkpoint.map(Some).map_err(LedgerError::altered)
    }
}

/// Refuses a page whose places don't grow: a store that was cut off may answer with the same ones for ever.
pub(crate) fn growing<T>(after: u64, page: &Page<T>, what: &str) -> Result<(), LedgerError> {
    let mut last = after;
    for (place, _) in page {
        if *place <= last {
            return Err(LedgerError::altered(format!(
                "the places of {what} don't grow after {last}"
            )));
        }
        last = *place;
    }
    Ok(())
}
