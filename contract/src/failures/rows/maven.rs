//! Maven 3 and 4: `Failed to execute goal GROUP:PLUGIN:VERSION:GOAL (EXECUTION) on project P: WHY`.

use super::Role::{Delegated, Evidence, Reset, Verdict};
use super::{FETCH, Line, because, plain};
use crate::failures::Category;
use crate::failures::Category::{Build, Infrastructure, Lint, Lock, Policy, Resolution, Test};

/// How the last words begin.
const FAILED: &str = r"^(?:\[ERROR\] +)?Failed to execute goal ";
/// What Maven says where a dependency or a plugin can't be had.
const UNRESOLVED: &str = "(?:Could not resolve dependencies|Failed to collect dependencies|could not be resolved|\
    Could not find artifact|Could not transfer artifact|Failure to (?:find|transfer) |ArtifactResolutionException|\
    DependencyResolutionException|Failed to read artifact descriptor|Error resolving |Unable to resolve artifact|\
    resolve-test-dependencies)";

/// Plugins by what they do: artifact and goal as patterns. The first row that fits counts.
const PLUGINS: &[(&str, &str, Category)] = &[
    ("dependency-lock-maven-plugin|maven-lockfile", ".*", Lock),
    ("maven-dependency-plugin", "(?:analyze.*|.*verify.*)", Policy),
    ("maven-dependency-plugin", ".*", Resolution),
    ("maven-enforcer-plugin|extra-enforcer-rules", ".*", Policy),
    (
        "apache-rat-plugin|license-maven-plugin|licensescan-maven-plugin",
        ".*",
        Policy,
    ),
    (
        "dependency-check-maven|ossindex-maven-plugin|sonar-maven-plugin",
        ".*",
        Policy,
    ),
    (
        "jacoco-maven-plugin|cobertura-maven-plugin",
        "(?:check|.*verify.*)",
        Policy,
    ),
    (
        "japicmp-maven-plugin|revapi-maven-plugin|clirr-maven-plugin",
        ".*",
        Policy,
    ),
    ("bnd-baseline-maven-plugin|maven-bundle-plugin", "(?:baseline)", Policy),
    (
        "animal-sniffer-maven-plugin|forbiddenapis|duplicate-finder-maven-plugin",
        ".*",
        Policy,
    ),
    ("basepom-.*|pgpverify-maven-plugin|byte-buddy-.*-policy", ".*", Policy),
    (
        "banned-dependencies-.*|maven-duplicate-finder-plugin|linkage-checker.*",
        ".*",
        Policy,
    ),
    ("maven-hpi-plugin", "(?:hpi|validate|validate-hpi|enforce.*)", Policy),
    (
        "modernizer-maven-plugin|maven-pmd-plugin|spotbugs-maven-plugin|findbugs-maven-plugin",
        ".*",
        Lint,
    ),
    (
        "maven-checkstyle-plugin|checkstyle-.*|qulice-maven-plugin|tidy-maven-plugin",
        ".*",
        Lint,
    ),
    (
        "spotless-maven-plugin|formatter-maven-plugin|fmt-maven-plugin|impsort-maven-plugin",
        ".*",
        Lint,
    ),
    (
        "ktlint-maven-plugin|detekt-maven-plugin|sortpom-maven-plugin|editorconfig-maven-plugin",
        ".*",
        Lint,
    ),
    (
        "scalastyle-maven-plugin|xml-maven-plugin|git-code-format-maven-plugin",
        ".*",
        Lint,
    ),
    (
        "maven-surefire-plugin|maven-failsafe-plugin|tycho-surefire-plugin|surefire-.*",
        ".*",
        Test,
    ),
    (
        "junit4-maven-plugin|junit-platform-maven-plugin|scalatest-maven-plugin|jasmine-maven-plugin",
        ".*",
        Test,
    ),
    (
        "maven-invoker-plugin|maven-verifier-plugin|pitest-maven|gatling-maven-plugin",
        ".*",
        Test,
    ),
    (
        "cucumber-.*|karate-.*|arquillian-.*|citrus-.*|jmeter-maven-plugin|rest-assured-.*",
        ".*",
        Test,
    ),
    (
        "maven-compiler-plugin|takari-lifecycle-plugin|kotlin-maven-plugin|scala-maven-plugin",
        ".*",
        Build,
    ),
    (
        "gmavenplus-plugin|gmaven-plugin|groovy-eclipse-.*|aspectj-maven-plugin|tycho-compiler-plugin",
        ".*",
        Build,
    ),
    (
        "maven-(?:jar|war|ear|ejb|rar|shade|assembly|source|javadoc|site|plugin|resources|clean|install|deploy)-plugin",
        ".*",
        Build,
    ),
    (
        "maven-bundle-plugin|bnd-maven-plugin|protobuf-maven-plugin|antlr4?-maven-plugin|javacc-maven-plugin",
        ".*",
        Build,
    ),
    (
        "maven-jaxb2-plugin|jaxb2-maven-plugin|jaxws-maven-plugin|openapi-generator-maven-plugin|avro-maven-plugin",
        ".*",
        Build,
    ),
    (
        "spring-boot-maven-plugin|quarkus-maven-plugin|native-maven-plugin|maven-hpi-plugin|build-helper-maven-plugin",
        ".*",
        Build,
    ),
];

pub(super) fn rows() -> Vec<Line> {
    let mut rows = plain(&[
        (Reset, r"^\[(?:INFO|ERROR)\] BUILD (?:FAILURE|SUCCESS|ERROR)"),
        // The machine and the network, in Maven's own error lines; a warning may be about a repository that has it not.
        (
            because(Infrastructure, FETCH),
            r"^\[(?:ERROR|FATAL)\].*(?:Connection refused|Connection reset|[Cc]onnect timed out|Connection timed out|Read timed out|Connect to \S+ .*failed|UnknownHostException|Unknown host |Name or service not known|Temporary failure in name resolution|No route to host|Network is unreachable|status code: (?:401|403|407|429|5\d\d)|Not authorized|Forbidden|Service Unavailable|Bad Gateway|Gateway Time-?out|PKIX path building failed|Remote host terminated the handshake|Premature end of Content-Length)",
        ),
    ]);
    rows.push((Verdict(Resolution), format!("{FAILED}.*{UNRESOLVED}")));
    for (artifact, goal, category) in PLUGINS {
        let pattern = format!(r"{FAILED}[^:\s]+:(?:{artifact}):[^:\s]+:{goal}(?: |$)");
        rows.push((Verdict(*category), pattern));
    }
    rows.extend(plain(&[
        (
            Verdict(Resolution),
            r"^\[(?:ERROR|FATAL)\] +(?:\[(?:ERROR|FATAL)\] +)?.*(?:Non-resolvable (?:parent|import) POM|Unresolveable build extension|'dependenc[\w.()': ]*version' .*(?:is missing|must not be empty))",
        ),
        (
            Verdict(Resolution),
            r"^\[ERROR\] (?:Plugin \S+ or one of its dependencies could not be resolved|Error resolving version for plugin|No plugin found for prefix|Could not (?:find|transfer) artifact|Unresolveable build extension)",
        ),
        (
            Verdict(Build),
            r"^\[(?:ERROR|FATAL)\] +(?:\[(?:ERROR|FATAL)\] +)?.*(?:Non-parseable POM|Malformed POM|Child module \S+ of \S+ does not exist|The projects in the reactor contain a cyclic reference|Unknown lifecycle phase)",
        ),
        (Delegated(Resolution), r"^\[ERROR\] The build could not read \d+ project"),
        // A plugin that isn't listed, or runs others.
        (Delegated(Build), r"^(?:\[ERROR\] +)?Failed to execute goal \S+:\S+:\S+:\S+"),
        (Evidence(Build), r"^\[ERROR\] COMPILATION ERROR"),
        (Evidence(Build), r"^\[ERROR\] .*\.(?:java|kt|scala|groovy):\[\d+[,:]\d+\]"),
        (Evidence(Test), r"^(?:\[(?:ERROR|WARNING)\] )?Tests run: \d+, (?:Failures: [1-9]|Failures: 0, Errors: [1-9])"),
        (Evidence(Test), r"^\[ERROR\] There (?:are|were) test failures"),
        (Evidence(Policy), r"^\[(?:WARNING|ERROR)\] Rule \d+: \S+ failed with message"),
        (Evidence(Lint), r"^\[ERROR\] \S+\.java:\[?\d+(?:[:,]\d+)?\]?:? .* \[[A-Z]\w+\]$"),
        (Evidence(Lock), r"^\[ERROR\] .*(?:[Dd]ependencies differ|[Ll]ock ?file .*(?:differ|not match|out of date))"),
    ]));
    rows
}
