//! `holdpoint serve`: nights by a schedule. [`schedule`] says when, [`plan`] what to do now, [`serve`] does it, and
//! [`health`] tells how it goes.

mod clock;
pub mod health;
mod plan;
pub mod schedule;
mod serve;

pub use clock::SystemClock;
pub use serve::{End, Numbers, Work, serve};
