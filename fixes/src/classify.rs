//! What a diff does, from the diff alone.
