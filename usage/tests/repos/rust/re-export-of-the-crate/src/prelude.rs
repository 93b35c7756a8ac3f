pub use time as clock;
