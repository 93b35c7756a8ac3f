//! What must hold for every question.
