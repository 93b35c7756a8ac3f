//! What any tool can run into: the machine's bounds; and those that only run others.

use super::Role::{Delegated, Evidence, Verdict};
use super::{ANY, BUILD, FETCH, Line, because, plain};
use crate::failures::Category::{Build, Infrastructure, Lint, Policy, Test};

pub(super) fn rows() -> Vec<Line> {
    plain(&[
        // Disk.
        (
            because(Infrastructure, ANY),
            r"[Nn]o space left on device|\bENOSPC\b|[Dd]isk quota exceeded|There is not enough space on the disk|\bdisk is full\b|\[Errno 28\]",
        ),
        // Memory, and whoever takes it away.
        (
            because(Infrastructure, ANY),
            r"Cannot allocate memory|\bENOMEM\b|insufficient memory for the Java Runtime Environment|error='(?:Cannot allocate memory|Not enough space)'|unable to create (?:new )?native thread|JavaScript heap out of memory",
        ),
        (
            because(Infrastructure, ANY),
            r"^(?:\S+: line \d+: +\d+ )?Killed(?: +.*)?$|: Killed$|\bOOMKilled\b|\boom-kill|Out of memory: Kill|signal: 9, SIGKILL|signal: killed|(?:exit(?:ed)?(?: with)?|finished with non-zero|Process)(?: exit)? (?:code|status|value):? 137\b|Process Exit Code: 137\b|Error 137$|returned a non-zero code: 137",
        ),
        (
            because(Infrastructure, BUILD),
            r"The system is out of resources|OutOfMemoryError|fatal error: .*out of memory",
        ),
        // Processes, files, the sandbox.
        (
            because(Infrastructure, ANY),
            r"\[ERROR\].*Too many open files|error.*\bEMFILE\b|fork: (?:retry: )?Resource temporarily unavailable|Cannot connect to the Docker daemon|Could not find a valid Docker environment|The runner has received a shutdown signal|The hosted runner lost communication|\bEROFS\b|cannot create .*: Read-only file system",
        ),
        // Fetching anything, by any tool.
        (
            because(Infrastructure, FETCH),
            r"^(?:curl: \((?:5|6|7|28|35|52|56)\)|fatal: unable to access '.*': (?:Could not resolve host|Failed to connect|Connection timed out|The requested URL returned error: (?:429|5\d\d))|ssh: (?:connect to host|Could not resolve hostname) )",
        ),
        // Those that only run others.
        (
            Delegated(Test),
            r"^g?make(?:\[\d+\])?: \*\*\* \[(?:[^\]]*[: ])?(?:unit-?|integration-?|e2e-?)?(?:tests?|check)\S*\] Error ",
        ),
        (
            Delegated(Lint),
            r"^g?make(?:\[\d+\])?: \*\*\* \[(?:[^\]]*[: ])?(?:lint|fmt|format|vet|style)\S*\] Error ",
        ),
        (
            Delegated(Build),
            r"^g?make(?:\[\d+\])?: \*\*\* \[.*\] (?:Error |Killed)",
        ),
        (
            Delegated(Build),
            r"^(?:ERROR: failed to solve: process |The command '.*' returned a non-zero code: |ninja: build stopped: )",
        ),
        // Compilers and linters of C, whose warnings are errors under a flag.
        (
            because(Lint, BUILD),
            r"warnings found and -Werror specified|warnings being treated as errors|\[-Werror(?:=[\w+-]+)?\]$",
        ),
        (
            because(Lint, BUILD),
            r"No warnings can be incurred under -(?:Xfatal-warnings|Werror)",
        ),
        (
            Evidence(Build),
            r"^\S+\.(?:c|cc|cpp|cxx|h|hpp):\d+:\d+: (?:fatal )?error: ",
        ),
        (Verdict(Policy), r"^(?:Error: )?Quality [Gg]ate .*(?:failed|FAILED)"),
    ])
}
