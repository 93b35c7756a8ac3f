//! Placeholder until the application is wired: compiles the modules that are here.
#[allow(dead_code)]
mod output;
#[allow(dead_code)]
mod pipeline {
    pub mod report;
}

fn main() {}
