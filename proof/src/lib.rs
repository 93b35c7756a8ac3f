//! What holds of a policy pack for every possible finding, proved by an SMT solver.
