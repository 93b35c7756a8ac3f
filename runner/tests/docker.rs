//! The Docker sandbox against the live engine. Without one these tests fail; they never skip.

#[cfg(test)]
mod docker {
    pub mod adequacy;
    pub mod bootstrap;
    pub mod disk;
    pub mod isolation;
    pub mod lifecycle;
    pub mod lost;
    pub mod outcomes;
    pub mod prepare;
    pub mod replay;
    pub mod rescan;
    pub mod snapshots;
    pub mod stop;
    pub mod support;
    pub mod toolchains;
    pub mod tools;
    pub mod validation;
    pub mod wire;
}
