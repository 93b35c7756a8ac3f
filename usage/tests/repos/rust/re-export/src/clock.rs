pub use time::at;
