//! The go command, vet and golangci-lint.

use super::Role::{Evidence, Verdict};
use super::{BUILD, FETCH, Line, because, plain};
use crate::failures::Category::{Build, Infrastructure, Lint, Lock, Policy, Resolution, Test};

pub(super) fn rows() -> Vec<Line> {
    plain(&[
        (
            because(Infrastructure, FETCH),
            r"\bdial tcp\b.*(?:lookup|connection refused|i/o timeout|no route to host|network is unreachable|connect: )|: net/http: TLS handshake timeout|: (?:401 Unauthorized|403 Forbidden|407 Proxy|429 Too Many|5\d\d [A-Z]\w+)|unexpected EOF$|i/o timeout$",
        ),
        (
            Verdict(Lock),
            r"^go: (?:updates to go\.(?:mod|sum) needed|.*missing go\.sum entry|.*verifying .*: checksum mismatch|inconsistent vendoring|.*verifying go\.mod: )|^verifying .*: checksum mismatch|: missing go\.sum entry|^SECURITY ERROR|^go: .*is explicitly required in go\.mod, but not marked as explicit",
        ),
        (
            Verdict(Policy),
            r"^go: (?:.*requires go >= |.*module requires Go |cannot use go)",
        ),
        (
            Verdict(Resolution),
            r"^go: (?:.*: (?:unknown revision|invalid version|reading \S+|module .*: (?:not found|Get|git ls-remote)|parsing go\.mod|no matching versions|version .* invalid)|errors parsing go\.mod|.*module declares its path as|module \S+ found|downloading .*|.*: (?:Get|git ls-remote|git fetch) )",
        ),
        (
            Verdict(Resolution),
            r"no required module provides package|cannot find module providing package|ambiguous import: found package|module .* found, but does not contain package|is not in (?:GOROOT|std)\b",
        ),
        (Verdict(Build), r"^FAIL\s+\S+ \[(?:build|setup) failed\]"),
        (Verdict(Test), r"^FAIL\s+\S+\s+(?:[\d.]+s|\(cached\))"),
        (Evidence(Test), r"^\s*--- FAIL: |^panic: test timed out after"),
        (
            Evidence(Lint),
            r"^(?:\S*vet: |\S+\.go:\d+:\d+: .* \((?:\w+|[A-Z]+\d+)\)$)|^\d+ issues?:$|^level=error msg=.*golangci",
        ),
        // The head of what vet found, where the compiler's has no brackets.
        (because(Lint, BUILD), r"^# \[\S+\]$"),
        (Evidence(Policy), r"^Your code is affected by \d+ vulnerabilit"),
        (Evidence(Build), r"^(?:\./|\.\./|[\w./-]+/)?[\w.-]+\.go:\d+:\d+: "),
    ])
}
