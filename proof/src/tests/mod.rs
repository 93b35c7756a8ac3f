mod baseline;
mod kit;
