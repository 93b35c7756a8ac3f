//! The Kubernetes sandbox against an API server of this process, on the loopback interface. It refuses
//! what the published schema of Kubernetes refuses, really runs the containers (by the Docker engine),
//! and fails as it is told to. Without an engine or without the schema these tests fail; they never skip.

#[cfg(test)]
mod kubernetes {
    pub mod cluster;
    pub mod conformance;
    pub mod faults;
    pub mod lifecycle;
    pub mod outcomes;
    pub mod schema;
    pub mod support;
}
