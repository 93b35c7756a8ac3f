//! Cargo and rustc, Clippy, rustfmt, nextest and the like.

use super::Role::{Errors, Evidence, Verdict};
use super::{BUILD, FETCH, Line, because, plain};
use crate::failures::Category::{Build, Infrastructure, Lint, Lock, Policy, Resolution, Test};

pub(super) fn rows() -> Vec<Line> {
    plain(&[
        // A number is an error of the language; lints have none.
        (Errors, r"^error\[E\d{4}\]"),
        (
            because(Lint, BUILD),
            r"= note: `-[DF] [\w:-]+` implied by `-[DF] warnings`|= note: requested on the command line with `-[DF] |`#\[deny\([\w:]+\)\]` (?:implied by|on by default)|#!?\[(?:deny|forbid)\(",
        ),
        (
            because(Infrastructure, FETCH),
            r"^\s*(?:\[\d+\] (?:Could(?:n't| not) (?:resolve|connect)|Timeout was reached|SSL |Send failure|Failure when receiving)|warning: spurious network error|.*(?:Could not resolve host|failed to resolve address for|Operation too slow|Connection timed out|Connection refused|failed to connect to ))",
        ),
        (
            because(Infrastructure, FETCH),
            r"^\s*.*failed to get successful HTTP response from .* got (?:40[137]|429|5\d\d)",
        ),
        (
            Verdict(Lock),
            r"^error: (?:the lock file .* needs to be updated but --(?:locked|frozen) was passed|cannot (?:update|create) the lock file .* because --(?:locked|frozen) was passed|checksum for .* (?:changed between lock files|could not be calculated|was not previously calculated)|failed to parse lock file|failed to verify the checksum of|unable to verify that .* is the same as when the lockfile was generated)",
        ),
        (Verdict(Lock), r"^\s*failed to verify the checksum of `"),
        (
            Verdict(Policy),
            r"^error: (?:rustc .* is not supported by|package `.*` cannot be built because it requires rustc)",
        ),
        (
            Verdict(Resolution),
            r"^error: (?:failed to select a version for|no matching package |failed to get `.*` as a dependency|failed to load source for dependency|cyclic package dependency|failed to (?:download|fetch|sync|update)|unable to update |package ID specification|failed to resolve patches|failed to query replaced source|no matching version|the crate `.*` could not be found in registry index)",
        ),
        (Verdict(Lint), r"^error: (?:could not document |.*rustdoc.*broken)"),
        (
            Verdict(Build),
            r"^error: (?:could not compile |failed to run custom build command for|linking with |build failed$|failed to parse manifest|could not execute process .*rustc)",
        ),
        (
            Verdict(Test),
            r"^error: (?:test failed, to rerun pass|doctest failed|\d+ targets? failed|test run failed|bench failed)",
        ),
        (
            Verdict(Policy),
            r"^error: (?:\d+ (?:unaudited|denied) |\d+ vulnerabilit(?:y|ies) found)",
        ),
        (
            Evidence(Policy),
            r"\b(?:advisories|bans|licenses|sources) FAILED\b|^\s*Summary semver requires new (?:major|minor) version",
        ),
        (
            Evidence(Test),
            r"^test result: FAILED\.|^\s*Summary \[.*\] \d+ tests? run: .*[1-9]\d* failed",
        ),
        (Evidence(Lint), r"^Diff in \S+(?: at line \d+|:\d+):$"),
        (Evidence(Build), r"^error\[E\d{4}\]: "),
    ])
}
