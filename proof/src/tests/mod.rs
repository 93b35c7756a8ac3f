mod baseline;
mod comparing;
mod depth;
mod differential;
mod kit;
mod refuted;
mod unreliable;
