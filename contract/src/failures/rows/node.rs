//! npm, Yarn and pnpm, and what their scripts run.

use super::Role::{Delegated, Evidence, Verdict};
use super::{ANY, FETCH, Line, because, plain};
use crate::failures::Category;
use crate::failures::Category::{Build, Infrastructure, Lint, Lock, Policy, Resolution, Test};

/// npm before and since version 10.
const NPM: &str = r"^npm (?:ERR!|error) ";

/// npm's codes.
const CODES: &[(&str, Category)] = &[
    (
        "(?:ERESOLVE|ETARGET|ENOVERSIONS|E404|EBADPLATFORM|ENOTSUP|EINVALIDTAGNAME|EUNSUPPORTEDPROTOCOL|EOVERRIDE)",
        Resolution,
    ),
    ("(?:EINTEGRITY|ELOCKVERIFY|ENOLOCK)", Lock),
    ("(?:EBADENGINE|EBADDEVENGINES)", Policy),
    (
        r"(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ECONNABORTED|ENETUNREACH|EHOSTUNREACH|EPIPE|EPROTO|ERR_SOCKET_TIMEOUT|E401|E403|E407|E429|E5\d\d|ENEEDAUTH|EOTP|FETCH_ERROR|CERT_\w+|\w*SELF_SIGNED_CERT\w*|UNABLE_TO_\w+|ERR_SSL_\w+|ENOSPC|EDQUOT|ENOMEM|EROFS|EMFILE|ENOTCACHED)",
        Infrastructure,
    ),
];

/// pnpm's codes, after `ERR_PNPM_`.
const PNPM_CODES: &[(&str, Category)] = &[
    (
        r"(?:OUTDATED_LOCKFILE|FROZEN_LOCKFILE\w*|LOCKFILE_\w+|NO_LOCKFILE|BROKEN_LOCKFILE|TARBALL_INTEGRITY|BAD_TARBALL\w*|MISSING_LOCKFILE\w*)",
        Lock,
    ),
    (
        r"(?:FETCH_40[137]|FETCH_429|FETCH_5\d\d|META_FETCH_FAIL|FETCH_(?:ECONN|ENOT|ETIME)\w*|REQUEST_TIMEOUT|ENOSPC|NO_OFFLINE_\w+)",
        Infrastructure,
    ),
    (
        r"(?:NO_MATCHING_VERSION\w*|NO_VERSIONS|FETCH_404|PEER_DEP_ISSUES|WORKSPACE_PKG_NOT_FOUND|SPEC_NOT_SUPPORTED\w*|UNEXPECTED_PKG\w*|CATALOG_\w+)",
        Resolution,
    ),
    (
        r"(?:UNSUPPORTED_ENGINE|BAD_PM_VERSION|UNSUPPORTED_PLATFORM|AUDIT_\w+|TRUST_\w+|IGNORED_BUILDS)",
        Policy,
    ),
];

/// Yarn's codes since version 2: `➤ YN0028: │ …`.
const YARN_CODES: &[(&str, Category)] = &[
    (
        r"YN00(?:28|18|22|17|71|85): .*(?:lockfile|checksum|immutable|integrity)",
        Lock,
    ),
    (r"YN00(?:09|86): .*(?:couldn't be built|exited with|failed)", Build),
    (
        r"YN00(?:82|16|35|49|02|60): .*(?:[Nn]o candidates|not found|[Nn]o match|couldn't be found|failed to provide)",
        Resolution,
    ),
    (
        r"YN\d{4}: .*(?:getaddrinfo|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|Response code: (?:40[137]|429|5\d\d))",
        Infrastructure,
    ),
];

pub(super) fn rows() -> Vec<Line> {
    let mut rows = Vec::new();
    for (code, category) in CODES {
        rows.push((Verdict(*category), format!("{NPM}code {code}$")));
    }
    for (code, category) in PNPM_CODES {
        rows.push((
            Verdict(*category),
            format!(r"^\s*(?:\[?ERR_PNPM_|ERROR.*ERR_PNPM_){code}\b"),
        ));
    }
    for (code, category) in YARN_CODES {
        rows.push((Verdict(*category), format!("^(?:➤ )?{code}")));
    }
    rows.extend(plain(&[
        // `npm ci`: the code (EUSAGE) only says that it was used wrongly.
        (
            Verdict(Lock),
            r"^npm (?:ERR!|error) (?:`npm ci` can only install packages when your package\.json and package-lock\.json|The `npm ci` command can only install with an existing package-lock\.json|.*lock file's .* does not satisfy)",
        ),
        (Verdict(Resolution), r"^npm (?:ERR!|error) (?:ERESOLVE|notarget |404 )"),
        (
            because(Infrastructure, ANY),
            r"^npm (?:ERR!|error) (?:network |errno (?:-28|ENOSPC|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN)|nospc )",
        ),
        // Yarn 1.
        (Verdict(Lock), r"^error (?:Your lockfile needs to be updated|.*Integrity check failed|Lockfile does not satisfy)"),
        (
            Verdict(Infrastructure),
            r#"^error (?:An unexpected error occurred: )?.*(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ESOCKETTIMEDOUT|Request failed "(?:40[137]|429|5\d\d))"#,
        ),
        (
            Verdict(Resolution),
            r#"^error (?:Couldn't find (?:any versions for|package) |Received invalid response|.*Request failed "404|.*: Not found)"#,
        ),
        (Verdict(Policy), r#"^error .*(?:The engine "\w+" is incompatible with this module|The platform ".*" is incompatible)"#),
        (Verdict(Policy), "^error Found incompatible module"),
        // An audit: `npm install` counts vulnerabilities, too, but reports none.
        (Verdict(Policy), r"^# npm audit report$|^[1-9]\d* vulnerabilities found(?: - Packages audited: \d+)?$"),
        // A script: what it ran says more.
        (Delegated(Test), r"^npm (?:ERR!|error) (?:Test failed\.|Lifecycle script `(?:\w+:)?(?:test|e2e)\S*` failed)"),
        (Delegated(Lint), r"^npm (?:ERR!|error) Lifecycle script `(?:lint|format|prettier|eslint)\S*` failed"),
        (Delegated(Build), r"^npm (?:ERR!|error) (?:code (?:ELIFECYCLE|\d+)$|Lifecycle script |command failed)"),
        (Delegated(Build), r"^error Command failed with exit code \d+\.|^error .*: Command failed\.$"),
        (Delegated(Test), r"^\s*ELIFECYCLE\s+Test failed"),
        (Delegated(Build), r"^\s*(?:ELIFECYCLE\s+Command failed|ERR_PNPM_RECURSIVE_(?:RUN|EXEC)_FIRST_FAIL|\[?ELIFECYCLE\]?)"),
        // Compilers and bundlers.
        (Evidence(Build), r"(?:^|: |- )error TS\d+: "),
        (Evidence(Build), r"^(?:ERROR in |Failed to compile\.?$|error during build:|\[!\] |✘ \[ERROR\] |Type error: |Module not found: |gyp ERR! )"),
        (Evidence(Build), r"^npm (?:ERR!|error) gyp ERR! "),
        // Linters and formatters.
        (Evidence(Lint), r"^✖ \d+ problems? \([1-9]\d* errors?,"),
        (Evidence(Lint), r"^ESLint found too many warnings|^\[warn\] Code style issues |^\d+ problems? \([1-9]\d* errors?,|^Found [1-9]\d* (?:lint )?errors?\.? *(?:\(biome\))?$"),
        // Test runners.
        (Evidence(Test), r"^\s*(?:Tests|Test Suites|Test Files|Snapshots):?\s+(?:\d+ \w+[,|] +)*[1-9]\d* failed\b"),
        (Evidence(Test), r"^\s*[1-9]\d* failing$|^\s*[1-9]\d* tests? failed$|^(?:# |ℹ )fail [1-9]\d*$|^# failed [1-9]\d* of \d+|^\s*[1-9]\d* failed$"),
        (Evidence(Test), r"^not ok \d+ |^(?:FAIL|\s+FAIL) +\S+\.[cm]?[jt]sx?\b|Executed \d+ of \d+ \([1-9]\d* FAILED\)"),
        (because(Infrastructure, FETCH), r"\b(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|connect (?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)) "),
    ]));
    rows
}
