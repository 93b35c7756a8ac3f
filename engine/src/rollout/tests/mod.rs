mod admit;
mod caps;
mod fixtures;
mod simulation;
mod stages;
