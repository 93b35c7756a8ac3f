mod baseline;
mod comparing;
mod differential;
mod kit;
mod refuted;
mod unreliable;
