pub use time::*;
