//! What a named person orders of staged rollout: a lane goes on, is held, automation halts or goes on.

use serde::{Deserialize, Serialize};

use crate::approval::Statement;
use crate::rollout::Record;
use crate::{Digest, Timestamp};

/// SSH signature namespace of orders (OpenSSH PROTOCOL.sshsig): an approval is worth nothing as an order, nor the
/// other way round.
pub const ORDER_NAMESPACE: &str = "holdpoint-rollout";

/// What a person signs: its canonical JSON, as an SSH signature in the namespace [`ORDER_NAMESPACE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderStatement {
    /// The record that it makes; its `by` is the signer, its `at` the time.
    pub record: Record,
    /// Until when a hold holds; open-ended without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The last entry of the ledger that it was made for, so that it is worth nothing in another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Anchor>,
}

impl Statement for OrderStatement {
    const NAMESPACE: &'static str = ORDER_NAMESPACE;

    fn by(&self) -> &str {
        match &self.record {
            Record::Stage(change) => &change.by,
            Record::Hold(hold) => &hold.by,
            Record::Halt(halt) => &halt.by,
            // Nobody's name: what can't be ordered is signed by no one.
            Record::Outcome(_) | Record::Admission(_) => "",
        }
    }

    fn at(&self) -> Timestamp {
        self.record.at()
    }

    fn expires(&self) -> Option<Timestamp> {
        None
    }
}

/// An entry of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Its place, from 1.
    pub entry: u64,
    /// Digest over the leaf hashes of all entries up to it, one after the other: of no other ledger.
    pub chain: Digest,
}

/// A statement, signed where a person made it; what a run does of its own isn't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What was ordered.
    pub statement: OrderStatement,
    /// SSH signature, PEM (`-----BEGIN SSH SIGNATURE-----`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl Order {
    /// What a run does of its own.
    #[must_use]
    pub const fn own(record: Record) -> Self {
        Self {
            statement: OrderStatement {
                record,
                until: None,
                after: None,
            },
            signature: None,
        }
    }
}
