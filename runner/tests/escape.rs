//! The escape suite: every trick that is known to get out of a sandbox, or to spoil what it reports.
//!
//! Each attack runs twice or three times: with all controls, where it must not work; where other
//! controls stop it too, with those taken away, where it must still not work; and with its own control
//! taken away as well, where it *must* work. So none of these tests can pass because an attack is broken.

#[cfg(test)]
mod escape {
    pub mod attack;
    pub mod backend;
    pub mod bounds;
    pub mod engine;
    pub mod files;
    pub mod group;
    pub mod kernel;
    pub mod markers;
    pub mod outside;
    pub mod report;
    pub mod shared;
    pub mod suite;
    pub mod trees;
}
