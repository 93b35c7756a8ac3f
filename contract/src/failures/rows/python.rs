//! pip, Poetry, uv and Pipenv, and what Python projects run.

use super::Role::{Delegated, Evidence, Verdict};
use super::{FETCH, Line, because, plain};
use crate::failures::Category::{Build, Infrastructure, Lint, Lock, Policy, Resolution, Test};

pub(super) fn rows() -> Vec<Line> {
    plain(&[
        // pip. It retries and then says that there is no such version: the warnings say why.
        (
            because(Infrastructure, FETCH),
            r"^\s*(?:WARNING: Retrying \(Retry\(|ERROR: Could not install packages due to an (?:OSError|EnvironmentError): HTTPS?ConnectionPool)|(?:NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|ProxyError|SSLError|MaxRetryError|RemoteDisconnected)\b",
        ),
        (
            because(Infrastructure, FETCH),
            r"(?:HTTP error|Client Error|Server Error|status code|status client error|status server error):? \(?(?:40[137]|429|5\d\d)\b|\b(?:401|403|429|5\d\d) (?:Client|Server) Error",
        ),
        (
            Verdict(Lock),
            r"^(?:ERROR: )?(?:THESE PACKAGES DO NOT MATCH THE HASHES|In --require-hashes mode, all requirements must have|Hashes are required in --require-hashes mode)",
        ),
        (
            Verdict(Infrastructure),
            r"^ERROR: (?:Could not install packages due to an (?:OSError|EnvironmentError): (?:\[Errno (?:28|12|30|122)\]|HTTPS?ConnectionPool)|HTTP error (?:40[137]|429|5\d\d) )",
        ),
        (
            Verdict(Resolution),
            r"^ERROR: (?:Could not find a version that satisfies|No matching distribution found|Cannot install .* because these package versions have conflicting|ResolutionImpossible|Package '.*' requires a different Python|Ignored the following|Invalid requirement)",
        ),
        (
            Verdict(Resolution),
            "^pip(?:\\._internal\\.exceptions)?\\.(?:DistributionNotFound|ResolutionImpossible)|resolution-too-deep",
        ),
        (
            Verdict(Build),
            r"^(?:ERROR: )?(?:Failed building wheel for |Could not build wheels for |Failed to build installable wheels |error: subprocess-exited-with-error|error: metadata-generation-failed|Failed to build '|ERROR: Failed to build )",
        ),
        // Poetry.
        (
            Verdict(Lock),
            r"^(?:Error: )?(?:pyproject\.toml changed significantly since poetry\.lock|poetry\.lock is not up to date|The lock file is not (?:up to date|compatible)|Hash for .* from archive .* not found in known hashes|.*Invalid hashes \()",
        ),
        (
            Verdict(Resolution),
            r"^\s*(?:Because .*)?(?:So, because |And because |because ).* version solving failed\.?$|^\s*.*version solving failed\.$",
        ),
        (
            Verdict(Resolution),
            r"^\s*(?:SolverProblemError|Could not find a matching version of package )",
        ),
        (
            because(Infrastructure, FETCH),
            r"^\s*(?:All attempts to connect to |Unable to connect to |HTTPSConnectionPool\(|ConnectionError$|requests\.exceptions\.(?:ConnectionError|ReadTimeout|ConnectTimeout))",
        ),
        (Verdict(Infrastructure), r"^\s*All attempts to connect to \S+ failed"),
        // uv.
        (
            Verdict(Lock),
            r"^error: (?:The lockfile at `uv\.lock` needs to be updated|Unable to find lockfile at `uv\.lock`|Failed to parse `uv\.lock`|.*[Hh]ash mismatch for )|^\s*(?:×|╰─▶|error:|Caused by:) *.*Hash mismatch for ",
        ),
        (
            Verdict(Resolution),
            r"^\s*× No solution found when resolving|^error: (?:No solution found|Distribution .* not found|Package `.*` was not found)",
        ),
        (
            Verdict(Build),
            r"^\s*× Failed to (?:build|download and build) `|^error: Failed to (?:build|prepare distributions|download and build)",
        ),
        (
            because(Infrastructure, &[Resolution, Lock, Build]),
            r"^\s*(?:×|╰─▶|├─▶|error:|Caused by:) *.*(?:dns error|tcp connect error|operation timed out|error trying to connect|Failed to fetch: |failed to lookup address|Connection refused \(os error 111\)|client error \(Connect\))",
        ),
        (
            Verdict(Resolution),
            r"^error: (?:Failed to fetch|Request failed)|^\s*× Failed to (?:fetch|download) ",
        ),
        // Pipenv.
        (
            Verdict(Lock),
            r"Your Pipfile\.lock \(.*\) is out of date|^Pipfile\.lock .* out of date",
        ),
        (
            Verdict(Resolution),
            r"^(?:\[?ResolutionFailure\]?|✘ Locking Failed!|ERROR:pip\.subprocessor)",
        ),
        // Test runners.
        (
            Evidence(Test),
            r"^=+ .*\b[1-9]\d* (?:failed|errors?)\b.* in [\d.:]+ ?s?.*=+$|^[1-9]\d* failed\b.* in [\d.]+s|^FAILED \S+\.py::|^ERROR \S+\.py\b",
        ),
        (
            Evidence(Test),
            r"^FAILED \((?:failures|errors)=\d+|^=+ no tests ran |^ERROR: file or directory not found|^!+ (?:Interrupted|stopping after)",
        ),
        (
            Delegated(Test),
            r"^ERROR: InvocationError for command .*(?:pytest|unittest)|^\s*\S+: FAIL (?:code \d+|✖)",
        ),
        (
            Evidence(Policy),
            r"^(?:FAIL|ERROR): ?(?:Required test coverage|Coverage failure)|^Coverage failure: total of|^FAIL Required test coverage",
        ),
        (
            Evidence(Policy),
            r"^Found \d+ known vulnerabilit(?:y|ies) in \d+ packages?$",
        ),
        // Linters, formatters, type checkers.
        (
            Evidence(Lint),
            r"^Found \d+ errors? in \d+ files? \(checked \d+ source files?\)|^\d+ errors?, \d+ warnings?, \d+ (?:informations?|notes?)",
        ),
        (
            Evidence(Lint),
            r"^\S+\.pyi?:\d+:(?:\d+:)? (?:[A-Z]{1,4}\d{2,4}|error:) |^would reformat |^\d+ files? would be reformatted|^ERROR: \S+ Imports are incorrectly sorted|^Found \d+ errors?\.$",
        ),
    ])
}
