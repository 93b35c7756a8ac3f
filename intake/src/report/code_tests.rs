//! Formats about code, infrastructure and secrets.

use super::*;
use holdpoint_schemas::finding::{FindingClass, Severity};

fn read_with(text: &str, secret_key: Option<&[u8]>) -> Result<Report, IntakeError> {
    read_report(
        text.as_bytes(),
        &ReportContext {
            repo: "r",
            file: "report.json",
            source: &NoSource,
            secret_key,
        },
    )
}

fn read(text: &str) -> Report {
    read_with(text, None).unwrap()
}

fn one(text: &str) -> Finding {
    let report = read(text);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    report.findings.into_iter().next().unwrap()
}

/// Scanner, rule, severity and class.
fn shape(finding: &Finding) -> (&str, &str, Severity, FindingClass) {
    (&finding.scanner, &finding.rule, finding.severity, finding.class)
}

fn place(finding: &Finding) -> (&str, Option<u32>) {
    let location = finding.location.as_ref().unwrap();
    (&location.path, location.line)
}

const GOSEC: &str = r#"{"Golang errors":{"/x/a.go":[{"line":1,"column":2,"error":"no package"}]},"Issues":[
    {"severity":"MEDIUM","confidence":"HIGH","cwe":{"id":"327","url":"u"},"rule_id":"G401","details":"Weak hash",
     "file":"govwa/user.go","code":"7: a\n8: md5.New()\n","line":"8-9","column":"5","nosec":false},
    {"severity":"LOW","cwe":null,"rule_id":"G104","details":"d","file":"a.go","code":"","line":"3","nosec":true}],
    "Stats":{"found":2}}"#;

#[test]
fn gosec_is_read() {
    let report = read(GOSEC);
    assert_eq!(report.skipped.len(), 2, "{report:?}");
    let finding = one(GOSEC);
    assert_eq!(shape(&finding), ("gosec", "G401", Severity::Medium, FindingClass::Code));
    assert_eq!(
        (place(&finding), finding.cwes.as_slice()),
        (("govwa/user.go", Some(8)), &["CWE-327".to_owned()][..])
    );
    assert!(
        read(r#"{"Golang errors":{},"Issues":null,"Stats":{}}"#)
            .findings
            .is_empty()
    );
}

const BRAKEMAN: &str = r#"{"scan_info":{"app_path":"/x"},"warnings":[{"warning_type":"Dynamic Render Path",
    "warning_code":15,"fingerprint":"f","check_name":"Render","message":"Render path","file":"app/a.erb","line":25,
    "code":"render(x)","confidence":"Weak","cwe_id":[22]}],"ignored_warnings":[{}],"errors":[{"error":"cannot parse"}]}"#;

#[test]
fn brakeman_is_read() {
    let finding = one(BRAKEMAN);
    assert_eq!(
        shape(&finding),
        ("brakeman", "BRAKE0015", Severity::Low, FindingClass::Code)
    );
    assert_eq!(
        (place(&finding), finding.cwes.as_slice()),
        (("app/a.erb", Some(25)), &["CWE-22".to_owned()][..])
    );
    assert_eq!(read(BRAKEMAN).skipped, ["cannot parse"]);
}

const CHECKOV: &str = r#"{"check_type":"terraform","results":{"passed_checks":[{}],"failed_checks":[{"check_id":
    "CKV_AWS_20","bc_check_id":null,"check_name":"S3 not public","severity":null,"file_path":"/src/main.tf",
    "repo_file_path":"/../src/main.tf","file_line_range":[3,9],"code_block":[[3,"resource \"aws_s3_bucket\" \"b\" {\n"]],
    "resource":"aws_s3_bucket.b"}],"parsing_errors":["x.tf"]},"summary":{}}"#;

#[test]
fn checkov_is_read_alone_and_in_a_list() {
    let finding = one(CHECKOV);
    assert_eq!(
        shape(&finding),
        ("checkov", "CKV_AWS_20", Severity::Unknown, FindingClass::Iac)
    );
    assert_eq!(finding.iac_address.as_deref(), Some("aws_s3_bucket.b"));
    let secrets = CHECKOV
        .replace("\"terraform\"", "\"secrets\"")
        .replace("aws_s3_bucket.b\"", "25910f981e85\"");
    let list = read(&format!("[{CHECKOV},{secrets}]"));
    assert_eq!(list.findings[0], finding);
    assert_eq!(list.findings[1].class, FindingClass::Secret);
    assert!(!format!("{list:?}").contains("25910f981e85"));
    assert!(
        read(r#"{"passed":0,"failed":0,"skipped":0,"parsing_errors":0,"checkov_version":"3"}"#)
            .findings
            .is_empty()
    );
}

#[test]
fn a_package_that_checkov_scans_is_a_dependency() {
    let finding = one(
        r#"{"check_type":"sca_package","results":{"failed_checks":[{"check_id":"CKV_CVE_2020_1","check_name":"SCA",
        "severity":"HIGH","file_path":"/req.txt","file_line_range":[0,0],"resource":"req.txt.django","vulnerability_details":
        {"id":"CVE-2020-1234","severity":"high","package_name":"django","package_version":"1.2","lowest_fixed_version":"1.11"}}]}}"#,
    );
    assert_eq!(
        shape(&finding),
        ("checkov", "CKV_CVE_2020_1", Severity::High, FindingClass::Dependency)
    );
    assert_eq!(
        (finding.aliases.as_slice(), finding.fixed_versions.as_slice()),
        (&["CVE-2020-1234".to_owned()][..], &["1.11".to_owned()][..])
    );
}

const TFSEC: &str = r#"{"results":[{"rule_id":"AVD-AWS-0088","long_id":"aws-s3-enable-bucket-encryption",
    "rule_description":"Unencrypted bucket","description":"Bucket has no encryption","severity":"HIGH","status":0,
    "resource":"aws_s3_bucket.b","location":{"filename":"/x/main.tf","start_line":4,"end_line":8}},
    {"rule_id":"AWS002","description":"d","severity":"ERROR","passed":true,"location":{"filename":"a.tf","start_line":1}}]}"#;

#[test]
fn tfsec_is_read() {
    let finding = one(TFSEC);
    assert_eq!(
        shape(&finding),
        ("tfsec", "AVD-AWS-0088", Severity::High, FindingClass::Iac)
    );
    assert_eq!(finding.aliases, ["aws-s3-enable-bucket-encryption"]);
    for clean in [r#"{"results":null}"#, r#"{"results":[]}"#] {
        let report = read(clean);
        assert_eq!((report.scanner.as_str(), report.findings.len()), ("tfsec", 0));
    }
}

const KICS: &str = r#"{"files_scanned":2,"files_failed_to_scan":1,"queries":[{"query_name":"S3 Logging","query_id":"q-1",
    "severity":"TRACE","category":"Observability","cwe":"778","files":[{"file_name":"m/main.tf","similarity_id":"s1",
    "line":25,"resource_type":"aws_s3_bucket","resource_name":"logs","search_key":"aws_s3_bucket[logs]"},
    {"file_name":"m/main.tf","similarity_id":"s2","line":30,"search_key":"module.x"}]},{"query_name":"Passwords And Secrets",
    "query_id":"q-2","severity":"HIGH","category":"Secret Management","files":[{"file_name":"a.yaml","line":1,
    "search_key":"pw=hunter2hunter2","similarity_id":"s3","actual_value":"hunter2"}]}],"total_counter":3}"#;

#[test]
fn kics_is_read_a_finding_for_each_file() {
    let report = read(KICS);
    assert_eq!(
        (report.findings.len(), report.skipped.as_slice()),
        (3, &["1 files failed".to_owned()][..])
    );
    assert_eq!(
        shape(&report.findings[0]),
        ("kics", "q-1", Severity::Info, FindingClass::Iac)
    );
    assert_eq!(report.findings[0].iac_address.as_deref(), Some("aws_s3_bucket.logs"));
    assert_eq!(report.findings[2].class, FindingClass::Secret);
    assert!(!format!("{report:?}").contains("hunter2"));
}

const TERRASCAN: &str = r#"{"results":{"scan_errors":[{"iac_type":"helm","errMsg":"no chart"}],"violations":[{"rule_name":
    "s3Versioning","description":"Enable versioning","rule_id":"AC_AWS_0214","severity":"HIGH","resource_name":"b",
    "resource_type":"aws_s3_bucket","file":"main.tf","line":12}],"scan_summary":{"high":1}}}"#;

#[test]
fn terrascan_is_read() {
    let finding = one(TERRASCAN);
    assert_eq!(
        shape(&finding),
        ("terrascan", "AC_AWS_0214", Severity::High, FindingClass::Iac)
    );
    assert_eq!(
        (place(&finding), finding.iac_address.as_deref()),
        (("main.tf", Some(12)), Some("aws_s3_bucket.b"))
    );
    assert_eq!(read(TERRASCAN).skipped, ["no chart"]);
}

const GITHUB: &str = r#"[{"number":35,"state":"open","dismissed_at":null,"rule":{"id":"py/store","severity":"error","description":
    "Clear text","name":"py/store","tags":["external/cwe/cwe-312","security"],"security_severity_level":"critical"},"tool":
    {"name":"CodeQL","guid":null},"most_recent_instance":{"message":{"text":"Stores it"},"location":{"path":"src/f.py",
    "start_line":42,"start_column":17}}},{"number":36,"state":"dismissed","rule":{"id":"x"},"most_recent_instance":null}]"#;

#[test]
fn alerts_of_github_are_read() {
    let finding = one(GITHUB);
    assert_eq!(
        shape(&finding),
        ("codeql", "py/store", Severity::Critical, FindingClass::Code)
    );
    assert_eq!(
        (place(&finding), finding.cwes.as_slice()),
        (("src/f.py", Some(42)), &["CWE-312".to_owned()][..])
    );
    assert_eq!(read(GITHUB).skipped, ["alert 36 is dismissed"]);
    let second = GITHUB.replace("src/f.py", "src/g.py");
    assert_eq!(read(&format!("{GITHUB}\n{second}")).findings.len(), 2);
}

const GITLAB: &str = r#"{"version":"15.0.4","vulnerabilities":[{"id":"i","name":"XSS","description":"d","severity":"High",
    "location":{"file":"a.java","start_line":96},"identifiers":[{"type":"find_sec_bugs_type","name":"FSB-XSS","value":"XSS"},
    {"type":"cwe","name":"CWE-79","value":"XSS"}]}],"scan":{"scanner":{"id":"find_sec_bugs"},"type":"sast",
    "messages":[{"level":"warn","value":"one module failed"}]}}"#;

#[test]
fn gitlabs_sast_is_read() {
    let finding = one(GITLAB);
    assert_eq!(
        shape(&finding),
        ("find_sec_bugs", "XSS", Severity::High, FindingClass::Code)
    );
    assert_eq!(
        (place(&finding), finding.cwes.as_slice()),
        (("a.java", Some(96)), &["CWE-79".to_owned()][..])
    );
    assert_eq!(read(GITLAB).skipped, ["one module failed"]);
    let clean = read(r#"{"version":"2.3","vulnerabilities":[],"remediations":[]}"#);
    assert_eq!((clean.scanner.as_str(), clean.findings.len()), ("gitlab", 0));
    let secret = one(&GITLAB
        .replace("\"sast\"", "\"secret_detection\"")
        .replace("\"severity\"", "\"raw_source_code_extract\":\"hunter2\",\"severity\""));
    assert_eq!(secret.class, FindingClass::Secret);
    assert!(!format!("{secret:?}").contains("hunter2"));
}

const SONARQUBE: &str = r#"{"total":5,"paging":{},"issues":[{"key":"k","rule":"java:S2068","severity":"MAJOR","component":
    "org:proj:src/A.java","project":"org:proj","hash":"aa","textRange":{"startLine":7,"startOffset":4},"status":"OPEN",
    "message":"m","tags":["cwe-89"]},{"key":"l","rule":"x","component":"c","status":"CLOSED"}],"components":[],
    "hotspots":[{"key":"h","component":"org:proj:b.java","vulnerabilityProbability":"HIGH","line":"3","message":"m"}]}"#;

#[test]
fn sonarqube_is_read() {
    let report = read(SONARQUBE);
    let [issue, hotspot] = report.findings.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(
        shape(issue),
        ("sonarqube", "java:S2068", Severity::Medium, FindingClass::Code)
    );
    assert_eq!(
        (place(issue), place(hotspot)),
        (("src/A.java", Some(7)), ("b.java", Some(3)))
    );
    assert_eq!(hotspot.severity, Severity::High);
    assert_eq!(report.skipped, ["one page: 2 of 5 issues", "issue l is closed"]);
}

const GITLEAKS_8: &str = r#"[{"Description":"AWS key","StartLine":3,"StartColumn":9,"Match":"key=AKIAHUNTER2","Secret":
    "AKIAHUNTER2","File":"a.env","Commit":"c1","Message":"add AKIAHUNTER2","RuleID":"aws-access-token","Fingerprint":"f"}]"#;
const GITLEAKS_7: &str = r#"[{"line":"key=AKIAHUNTER2","lineNumber":3,"offender":"AKIAHUNTER2","commit":"c1","rule":"AWS",
    "file":"a.env","tags":"key","commitMessage":"add AKIAHUNTER2"}]"#;
const TRUFFLEHOG_3: &str = r#"{"level":"info","msg":"running"}
    {"SourceMetadata":{"Data":{"Git":{"commit":"c1","file":"a.env","line":3}}},"DetectorName":"AWS","Verified":true,"Raw":"AKIAHUNTER2"}
    {"SourceMetadata":{"Data":{"Filesystem":{"file":"b.env"}}},"DetectorName":"URI","Verified":false,"Raw":"https://a:HUNTER2@x"}"#;
const TRUFFLEHOG_2: &str = r#"{"branch":"b","commit":"add AKIAHUNTER2","commitHash":"c1","diff":"+AKIAHUNTER2","path":"a.env",
    "printDiff":"AKIAHUNTER2","reason":"High Entropy","stringsFound":["AKIAHUNTER2"]}"#;
const DETECT_SECRETS: &str = r#"{"version":"1.4.0","plugins_used":[],"results":{"a.env":[{"type":"AWS Access Key","filename":
    "a.env","hashed_secret":"AKIAHUNTER2","is_verified":false,"line_number":3},{"type":"Hex","hashed_secret":"h",
    "is_secret":false,"line_number":4}]},"generated_at":"t"}"#;

#[test]
fn scanners_for_secrets_are_read_and_the_secret_is_nowhere() {
    for (text, scanner, rule, count) in [
        (GITLEAKS_8, "gitleaks", "aws-access-token", 1),
        (GITLEAKS_7, "gitleaks", "AWS", 1),
        (TRUFFLEHOG_3, "trufflehog", "AWS", 2),
        (TRUFFLEHOG_2, "trufflehog", "High Entropy", 1),
        (DETECT_SECRETS, "detect-secrets", "AWS Access Key", 1),
    ] {
        for key in [None, Some(b"key".as_slice())] {
            let report = read_with(text, key).unwrap();
            assert_eq!(report.findings.len(), count, "{report:?}");
            let finding = &report.findings[0];
            assert_eq!(shape(finding), (scanner, rule, Severity::Unknown, FindingClass::Secret));
            assert_eq!(finding.location.as_ref().unwrap().path, "a.env");
            assert!(!format!("{report:?}").contains("HUNTER2"), "{report:?}");
            assert_eq!(finding.details.secret.is_some(), key.is_some());
        }
    }
}

#[test]
fn a_secret_is_known_again_by_its_hash_only_with_the_same_key() {
    let hash = |text: &str, key: &[u8]| read_with(text, Some(key)).unwrap().findings[0].clone();
    assert_eq!(
        hash(GITLEAKS_8, b"k").details.secret,
        hash(TRUFFLEHOG_3, b"k").details.secret
    );
    assert_ne!(
        hash(GITLEAKS_8, b"k").details.secret,
        hash(GITLEAKS_8, b"l").details.secret
    );
    let other = GITLEAKS_8.replace("HUNTER2", "HUNTER3");
    assert_ne!(hash(&other, b"k").fingerprint, hash(GITLEAKS_8, b"k").fingerprint);
    // Without a key not even the fingerprint depends on the value.
    let without = |text: &str| read(text).findings[0].fingerprint.clone();
    assert_eq!(without(&other), without(GITLEAKS_8));
    assert_eq!(
        read_with(GITLEAKS_8, Some(b"")).unwrap().findings[0].details.secret,
        None
    );
}

#[test]
fn findings_of_semgreps_platform_are_read() {
    let finding = one(
        r#"{"findings":[{"id":1,"syntactic_id":"s","rule_name":"ts.react.no-refs","severity":"medium","status":"open",
        "location":{"file_path":"a.tsx","line":120,"column":8},"rule":{"cwe_names":["CWE-319: x"],"message":"m"}},
        {"id":2,"status":"fixed"}]}"#,
    );
    assert_eq!(
        shape(&finding),
        ("semgrep", "ts.react.no-refs", Severity::Medium, FindingClass::Code)
    );
    assert_eq!((place(&finding), finding.title.as_str()), (("a.tsx", Some(120)), "m"));
}

#[test]
fn a_cut_off_report_of_any_format_is_refused_with_its_place() {
    let all = [
        GOSEC,
        BRAKEMAN,
        CHECKOV,
        TFSEC,
        KICS,
        TERRASCAN,
        GITHUB,
        GITLAB,
        SONARQUBE,
        GITLEAKS_8,
        GITLEAKS_7,
        TRUFFLEHOG_2,
        DETECT_SECRETS,
    ];
    for text in all {
        let cut = &text[..text.len() - 2];
        let error = read_with(cut, None).unwrap_err();
        let error = error.source_error().unwrap();
        assert!(
            error.position.is_some() && error.message.contains("expected"),
            "{}",
            error.message
        );
        assert!(error.help.as_deref().unwrap().contains("cut off"), "{text}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_place() {
    for (text, right, wrong) in [
        (GOSEC, "\"G401\"", "5"),
        (BRAKEMAN, "\"Render path\"", "[1]"),
        (CHECKOV, "\"CKV_AWS_20\"", "{}"),
        (
            TFSEC,
            "{\"filename\":\"/x/main.tf\",\"start_line\":4,\"end_line\":8}",
            "7",
        ),
        (KICS, "\"q-1\"", "true"),
        (TERRASCAN, "\"AC_AWS_0214\"", "1"),
        (GITHUB, "\"Clear text\"", "[]"),
        (GITLAB, "\"XSS\",\"description\"", "{},\"description\""),
        (SONARQUBE, "\"java:S2068\"", "1"),
        (GITLEAKS_8, "\"a.env\"", "1"),
        (GITLEAKS_7, "\"a.env\"", "1"),
        (TRUFFLEHOG_2, "\"a.env\"", "1"),
        (DETECT_SECRETS, "\"AWS Access Key\"", "1"),
    ] {
        assert!(text.contains(right), "{right}");
        let error = read_with(&text.replace(right, wrong), None).unwrap_err();
        let error = error.source_error().unwrap();
        assert!(error.position.is_some(), "{}", error.message);
        assert!(
            error.message.contains("invalid type") && error.message.contains("expected"),
            "{}",
            error.message
        );
        assert!(!error.message.contains("HUNTER2"));
    }
}

#[test]
fn a_package_of_semgrep_supply_chain_is_a_dependency_with_what_is_known_of_its_use() {
    let finding = one(
        r#"{"results":[{"check_id":"ssc-1","path":"src/a.py","start":{"line":"3","col":null},"extra":{"message":"m","severity":"HIGH",
        "metadata":{"cwe":"CWE-400","sca-vuln-database-identifier":"CVE-2023-1","sca-fix-versions":[{"urllib3":"2.0.7"}]},
        "sca_info":{"reachable":true,"dependency_match":{"lockfile":"poetry.lock","found_dependency":{"package":"urllib3",
        "version":"2.0.1","ecosystem":"pypi","transitivity":"transitive"}}}}}],"errors":[]}"#,
    );
    assert_eq!(
        shape(&finding),
        ("semgrep", "ssc-1", Severity::High, FindingClass::Dependency)
    );
    let purl = finding.component.as_ref().unwrap().purl.as_deref();
    assert_eq!(purl, Some("pkg:pypi/urllib3@2.0.1"));
    assert_eq!(
        (finding.details.reached, finding.details.direct),
        (Some(true), Some(false))
    );
    assert_eq!(
        (place(&finding).0, finding.fixed_versions[0].as_str()),
        ("poetry.lock", "2.0.7")
    );
}

#[test]
fn sarif_is_read_as_its_many_writers_write_it() {
    let report = read(
        r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":null,"rules":[{"id":"R1","properties":null,"messageStrings":
        {"default":{"text":"from the rule"}},"defaultConfiguration":null},{"id":"R2","properties":{"security-severity":9.1,
        "cwe":["CWE-1",{}],"tags":"x"}}]}},"originalUriBaseIds":null,"results":[
        {"ruleId":"R1","message":{"id":"default"},"locations":{"physicalLocation":{"artifactLocation":{"uri":"a%2520b.c"},
         "region":{"startLine":"4","startColumn":-1}}},"partialFingerprints":{"a":{"b":"c"}}},
        {"ruleId":"R2","message":null,"locations":[{"physicalLocation":null}],"level":null},
        {"ruleId":"BDSA-1 (CVE-2020-1)","message":{"text":"in lib 1.0"},"level":"warning","properties":{"component":"lib",
         "componentVersion":"1.0"}}]},{"tool":{"driver":{"name":"Empty"}},"results":null}]}"#,
    );
    let [first, second, third] = report.findings.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(
        (first.title.as_str(), place(first)),
        ("from the rule", ("a b.c", Some(4)))
    );
    assert_eq!(
        (second.severity, second.cwes.as_slice()),
        (Severity::Critical, &["CWE-1".to_owned()][..])
    );
    assert_eq!(third.component.as_ref().unwrap().version.as_deref(), Some("1.0"));
    assert_eq!(report.scanner, "empty, unnamed");
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(one(&format!("\u{FEFF}{GOSEC}")).rule, "G401");
}
