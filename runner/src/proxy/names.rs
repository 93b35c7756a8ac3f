//! What was reached and what was refused, by name, bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::allow::{Refusal, Target};
use crate::text::one_line;

/// Names of each kind; a step that asks for more has shown enough.
const MAX_NAMES: usize = 256;
/// Longest shown name: that of the longest host name, and a port.
const MAX_NAME_CHARS: usize = 260;

/// What a step asked the proxy for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyReport {
    /// Hosts reached, with their port where it isn't 443 or 80; sorted, at most 256.
    pub reached: Vec<String>,
    /// Hosts refused, and why; sorted, at most 256. Names are the sandbox's words: clean, but untrusted.
    pub refused: BTreeMap<String, String>,
    /// Requests to listed hosts that failed on the way: a later try may do better.
    pub faults: u32,
    /// The last of these, for people.
    pub last_fault: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Names(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    reached: BTreeSet<String>,
    refused: BTreeMap<String, String>,
    faults: u32,
    last_fault: Option<String>,
}

impl Names {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reached(&self, target: &Target) {
        let mut seen = self.seen();
        if seen.reached.len() < MAX_NAMES {
            seen.reached.insert(target.to_string());
        }
    }

    pub(super) fn refused(&self, asked: &str, why: &Refusal) {
        let shown: String = one_line(asked).chars().take(MAX_NAME_CHARS).collect();
        let mut seen = self.seen();
        if seen.refused.len() < MAX_NAMES {
            seen.refused.entry(shown).or_insert_with(|| why.to_string());
        }
    }

    pub(super) fn fault(&self, target: &Target, what: &str) {
        let mut seen = self.seen();
        seen.faults = seen.faults.saturating_add(1);
        seen.last_fault = Some(one_line(&format!("{target}: {what}")));
    }

    pub(super) fn report(&self) -> ProxyReport {
        let seen = self.seen();
        ProxyReport {
            reached: seen.reached.iter().cloned().collect(),
            refused: seen.refused.clone(),
            faults: seen.faults,
            last_fault: seen.last_fault.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_clean_and_bounded() {
        let names = Names::default();
        for number in 0..2 * MAX_NAMES {
            names.refused(
                &format!("\u{1b}[31m{number}\n{}", "x".repeat(1000)),
                &Refusal::NotListed,
            );
        }
        names.refused(&"y".repeat(1000), &Refusal::NotListed);
        let report = names.report();
        assert_eq!(report.refused.len(), MAX_NAMES);
        assert!(
            report
                .refused
                .keys()
                .all(|name| name.len() <= MAX_NAME_CHARS && !name.contains('\u{1b}'))
        );
    }
}
