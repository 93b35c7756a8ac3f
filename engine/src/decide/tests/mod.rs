//! The baseline pack on the demo's scenarios, and what must hold for every question.

mod assess;
mod baseline;
mod emergency;
pub(crate) mod fixtures;
mod gates;
mod packs;
mod properties;
mod scenarios;
