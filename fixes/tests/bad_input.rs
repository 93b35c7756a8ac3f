//! What bots, models and people hand over by mistake or on purpose: each has an outcome of its own,
//! and says what to do.

#[cfg(test)]
mod bad_input {
    pub mod cases;
}
