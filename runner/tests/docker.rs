//! The Docker sandbox against the live engine. Without one these tests fail; they never skip.

#[cfg(test)]
mod docker {
    pub mod isolation;
    pub mod lifecycle;
    pub mod outcomes;
    pub mod replay;
    pub mod snapshots;
    pub mod support;
    pub mod tools;
    pub mod validation;
}
