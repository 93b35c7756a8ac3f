//! Triage, the merge gate, promotion, and what a decision records.
