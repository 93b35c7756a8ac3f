//! Images that steps run in, made on request.

pub mod bootstrap;
