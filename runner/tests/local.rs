//! The local sandbox with this machine's bubblewrap. Without one these tests fail; they never skip.

#[cfg(test)]
mod local {
    pub mod isolation;
    pub mod lifecycle;
    pub mod outcomes;
    pub mod snapshots;
    pub mod speed;
    pub mod support;
}
