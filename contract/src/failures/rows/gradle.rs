//! Gradle: `Execution failed for task ':module:name'.`, below `* What went wrong:`.

use super::Role::{Delegated, Evidence, Reset, Verdict};
use super::{BUILD, FETCH, Line, because, plain};
use crate::failures::Category;
use crate::failures::Category::{Build, Infrastructure, Lint, Lock, Policy, Resolution, Test};

/// Tasks by their names, without the path of the module. The first row that fits counts.
const TASKS: &[(&str, Category)] = &[
    (r"(?:verify|check)\w*Lock(?:s|file|State)?\w*", Lock),
    (
        r"(?:checkstyle|pmd|cpd|spotbugs|findbugs|detekt|ktlint|codenarc|scalafmt|scalastyle)\w*",
        Lint,
    ),
    (
        r"(?:spotless|eslint|prettier|lint|autoLint|verifyGoogleJavaFormat|checkFormat|formatCheck)\w*",
        Lint,
    ),
    (
        r"(?:animalsniffer|animalSniffer|japicmp|revapi|apiCheck|\w*ApiCheck|forbidden(?:Apis|Patterns))\w*",
        Policy,
    ),
    (r"\w*(?:[cC]overageVerification|koverVerify)\w*", Policy),
    (
        r"(?:dependencyCheck|ossIndex|checkLicen[cs]e|licen[cs]e|rat|enforce|dependencyGuard|thirdPartyAudit)\w*",
        Policy,
    ),
    (
        r"(?:dependencyLicenses|buildHealth|analyze\w*Dependencies|check\w*DuplicateClasses|verifyPlugin)\w*",
        Policy,
    ),
    (
        r"(?:compile|kapt|ksp|process|generate|merge|dex|minify|transform|link|package|bundle|desugar)\w*",
        Build,
    ),
    (
        r"(?:jar|bootJar|shadowJar|war|assemble|classes|javadoc|dokka|protoc?|nativeCompile)\w*",
        Build,
    ),
    (r"\w*(?:[tT]est|connectedCheck|pitest)\w*", Test),
];

pub(super) fn rows() -> Vec<Line> {
    let mut rows = plain(&[
        (
            Reset,
            r"^(?:FAILURE: Build (?:failed|completed) with|BUILD SUCCESSFUL in )",
        ),
        (
            because(Infrastructure, FETCH),
            r"^\s*> .*(?:Connection refused|Connection reset|Connect to \S+ .*failed|[Cc]onnect timed out|Read timed out|Connection timed out|Name or service not known|Temporary failure in name resolution|No such host is known|No route to host|Network is unreachable|Received status code (?:401|403|407|429|5\d\d)|PKIX path building failed|Remote host terminated the handshake)",
        ),
        (
            because(Infrastructure, FETCH),
            r"^\s*> [a-z0-9][a-z0-9.-]*\.[a-z]{2,}(?:: .*)?$",
        ),
        (
            because(Lock, &[Build, Resolution]),
            r"^\s*(?:> )?(?:Dependency verification failed for |Locking strict mode: |.*part of the dependency lock state|.*not in the lock ?state)",
        ),
        (
            because(Resolution, BUILD),
            r"^\s*> (?:Could not (?:resolve|find) |No matching (?:variant|configuration) of |Cannot find a version of |Conflict found for |Failed to query the value of .* dependencies)",
        ),
        (
            because(Infrastructure, super::ANY),
            r"^(?:Gradle build daemon (?:disappeared unexpectedly|has been stopped)|The Daemon will expire)|: JVM heap space is exhausted",
        ),
    ]);
    for (name, category) in TASKS {
        rows.push((
            Verdict(*category),
            format!(r"^Execution failed for task '(?:[^']*:)?{name}'"),
        ));
    }
    rows.extend(plain(&[
        (Delegated(Build), "^Execution failed for task '"),
        (Verdict(Lock), "^(?:Dependency verification failed for |Locking strict mode: )"),
        (
            Verdict(Resolution),
            r"^(?:Could not resolve all |Could not determine the dependencies of |Could not resolve \S+:|Plugin \[id: .*\] was not found in any of the following sources|Could not find method implementation|Could not resolve plugin)",
        ),
        (Verdict(Build), "^(?:Could not compile (?:build|settings|init|script)|Script compilation errors?:)"),
        (Delegated(Build), "^A problem occurred (?:configuring|evaluating) "),
        (Evidence(Test), r"^\d+ tests? completed, [1-9]\d* failed"),
        (Evidence(Build), r"^(?:e: |\S+\.(?:java|kt|groovy):\d+: error: )"),
    ]));
    rows
}
