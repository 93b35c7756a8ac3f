//! Placeholder until the fixtures stand.
