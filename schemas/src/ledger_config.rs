//! `ledger` in `holdpoint.yaml`: where the ledger is kept, who signs it, and what it lets go.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the ledger is kept, who signs it, and what it lets go. Without it: a file in the state folder, and nothing is let go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// A PostgreSQL database instead of the file, for several hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresConfig>,
    /// What `holdpoint ledger prune` lets go.
    pub retention: RetentionConfig,
    /// File with the private key that signs what the ledger says of itself, as `holdpoint ledger key --new` makes one;
    /// without it, one is made in the state folder. Several hosts on one database share one.
    pub key: Option<String>,
    /// Public keys (`name+id+base64`) whose checkpoints in the log are believed too: earlier ones, and other hosts'.
    pub trusted_keys: Vec<String>,
}

/// How the database is reached. The connection string may hold a password, so it is never written here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// Environment variable that holds the connection string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
    /// File that holds it, relative to the estate, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_file: Option<String>,
    /// Schema that holds nothing but this estate's ledger.
    #[serde(default = "schema")]
    pub schema: String,
    /// PEM file of the authorities that the server's certificate may be by, relative to the estate; the machine's
    /// without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Seconds after which another host may go on when a run has fallen silent.
    #[serde(default = "lease_seconds")]
    pub lease_seconds: u64,
}

fn schema() -> String {
    "holdpoint".to_owned()
}

const fn lease_seconds() -> u64 {
    120
}

/// What is let go: bodies of entries that no later decision needs. That they were appended, when, and in which order
/// stays proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Days that every body stays; without, nothing is let go but what `kinds` names.
    pub days: Option<u32>,
    /// Days that bodies of one kind stay (`decision`, `evidence` …), instead.
    pub kinds: BTreeMap<String, u32>,
    /// Folder that they are written to before, relative to the state folder.
    pub exports: String,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            days: None,
            kinds: BTreeMap::new(),
            exports: "exports".to_owned(),
        }
    }
}
