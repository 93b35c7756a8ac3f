//! What of a ledger comes back from outside: lines of exports, heads.

use holdpoint_ledger::{Head, read_export_line};

use crate::oracle::twice;

/// Lines of an export: one that is believed says the same when it is written again.
pub fn export(data: &[u8]) {
    for line in String::from_utf8_lossy(data).lines().take(20) {
        let Ok(entry) = twice(|| read_export_line(line)) else {
            continue;
        };
        let (kind, at, body, leaf, seq) = (&entry.kind, entry.at, &entry.body, entry.leaf, entry.seq);
        assert!(entry.preimage().is_ok(), "what was read can't be hashed");
        let again = serde_json::json!({"at": at, "body": body, "kind": kind, "leaf": leaf, "seq": seq}).to_string();
        // A time may be written in more ways than one, and the leaf is of the one that was used.
        if line.contains(&format!("\"{at}\"")) {
            assert_eq!(read_export_line(&again).as_ref(), Ok(&entry));
        }
    }
}

/// Heads: one spelling each.
pub fn head(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(head) = text.parse::<Head>() {
        assert_eq!(head.to_string(), text);
    }
}
