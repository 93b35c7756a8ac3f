//! Each fact of the moment through the real collectors: a small estate on disk, a real repo, a real patch.

mod calendar;
mod drift;
mod operations;
mod people;
mod vulnerabilities;
mod world;
