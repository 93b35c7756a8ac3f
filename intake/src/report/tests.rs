use super::*;
use holdpoint_schemas::finding::{FindingClass, Severity};
use std::collections::BTreeSet;

fn read(text: &str) -> Result<Report, IntakeError> {
    read_report(
        text.as_bytes(),
        &ReportContext {
            repo: "r",
            file: "report.json",
            source: &NoSource,
            secret_key: None,
        },
    )
}

fn one(text: &str) -> Finding {
    let report = read(text).unwrap();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    report.findings.into_iter().next().unwrap()
}

#[test]
fn bandit_is_read() {
    let report = read(
        r#"{"errors":[{"filename":"./x.py","reason":"syntax error"}],"generated_at":"t","metrics":{},"results":[
        {"code":"8 def f():\n9     x = md5(a)\n","col_offset":8,"filename":"./ledger/a.py","issue_confidence":"HIGH",
         "issue_cwe":{"id":327,"link":"l"},"issue_severity":"HIGH","issue_text":"Use of weak MD5 hash.\nmore",
         "line_number":9,"line_range":[9],"more_info":"m","test_id":"B324","test_name":"hashlib"}]}"#,
    )
    .unwrap();
    assert_eq!(report.scanner, "bandit");
    assert_eq!(report.skipped, ["./x.py: syntax error"]);
    let finding = &report.findings[0];
    assert_eq!(
        (finding.rule.as_str(), finding.title.as_str()),
        ("B324", "Use of weak MD5 hash.")
    );
    assert_eq!((finding.severity, finding.class), (Severity::High, FindingClass::Code));
    assert_eq!(finding.cwes, ["CWE-327"]);
    let location = finding.location.as_ref().unwrap();
    assert_eq!((location.path.as_str(), location.line), ("ledger/a.py", Some(9)));
}

#[test]
fn a_password_that_bandit_quotes_is_not_kept() {
    let report = read(
        r#"{"errors":[],"generated_at":"t","metrics":{},"results":[{"code":"1 pw = 'hunter2'\n","filename":"a.py",
        "issue_severity":"LOW","issue_text":"Possible hardcoded password: 'hunter2'","line_number":1,
        "test_id":"B105","test_name":"hardcoded_password_string"}]}"#,
    );
    let report = report.unwrap();
    assert!(!format!("{report:?}").contains("hunter2"));
    assert_eq!(report.findings[0].class, FindingClass::Secret);
    assert_eq!(report.findings[0].title, "hardcoded password string");
}

fn semgrep(check_id: &str, path: &str, metadata: &str) -> String {
    format!(
        r#"{{"results":[{{"check_id":"{check_id}","path":"{path}","start":{{"line":3,"col":1}},"end":{{"line":3,"col":9}},
        "extra":{{"message":"token abc123 here","severity":"WARNING","metadata":{metadata},"lines":"t = 'abc123'"}}}}],
        "errors":[],"paths":{{}}}}"#
    )
}

#[test]
fn semgrep_is_read_and_its_declared_class_honoured() {
    let finding = one(&semgrep(
        "rules.debug",
        "config/a.json",
        r#"{"cwe":["CWE-489: x"],"holdpoint-class":"config"}"#,
    ));
    assert_eq!(
        (finding.scanner.as_str(), finding.severity),
        ("semgrep", Severity::Medium)
    );
    assert_eq!(
        (finding.class, finding.cwes.as_slice()),
        (FindingClass::Config, &["CWE-489".to_owned()][..])
    );
    let secret = one(&semgrep("rules.smtp", "a.js", r#"{"holdpoint-class":"secret"}"#));
    assert_eq!(secret.class, FindingClass::Secret);
    assert!(!format!("{secret:?}").contains("abc123"));
}

#[test]
fn what_semgrep_could_not_parse_is_noted_without_the_code() {
    let text = r#"{"results":[],"errors":[{"path":"a.py","message":"Syntax error at line a.py:3:\n `pw = 'hunter2'` was",
                  "level":"warn"},{"message":null,"path":null}]}"#;
    let report = read(text).unwrap();
    assert_eq!(report.skipped, ["a.py: Syntax error at line a.py:3:", ":"]);
}

#[test]
fn a_semgrep_rule_is_the_same_wherever_its_file_lies() {
    let here = one(&semgrep("home.me.rules.debug", "a.py", "{}"));
    let there = one(&semgrep("holdpoint.rules.debug", "/workspace/repo/a.py", "null"));
    assert_eq!(here.fingerprint, there.fingerprint);
}

const SARIF: &str = r#"{"$schema":"s","version":"2.1.0","runs":[{"tool":{"driver":{"name":"CodeQL","rules":[
    {"id":"py/sql","shortDescription":{"text":"SQL injection"},"defaultConfiguration":{"level":"error"},
     "properties":{"tags":["security","external/cwe/cwe-089"],"security-severity":"8.8"}},
    {"id":"py/note","defaultConfiguration":{"level":"note"}}]}},
  "artifacts":[{"location":{"uri":"src/b.py"}}],
  "results":[
    {"ruleId":"py/sql","message":{"text":"Query built from input"},"locations":[{"physicalLocation":
      {"artifactLocation":{"uri":"file:///workspace/repo/src/a%20b.py"},"region":{"startLine":4,"startColumn":2}}}]},
    {"ruleIndex":1,"message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"index":0}}}]},
    {"ruleId":"gone","message":{"text":"m"},"baselineState":"absent"},
    {"ruleId":"fine","message":{"text":"m"},"kind":"pass"}]}]}"#;

#[test]
fn sarif_is_read_through_its_rules_and_artifacts() {
    let report = read(SARIF).unwrap();
    assert_eq!(report.scanner, "codeql");
    let [sql, note] = report.findings.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((sql.rule.as_str(), sql.severity), ("py/sql", Severity::High));
    assert_eq!(sql.cwes, ["CWE-89"]);
    assert_eq!(sql.location.as_ref().unwrap().path, "src/a b.py");
    assert_eq!((note.rule.as_str(), note.severity), ("py/note", Severity::Info));
    assert_eq!(note.location.as_ref().unwrap().path, "src/b.py");
}

#[test]
fn terraform_drift_is_read_without_values() {
    let plan = r#"{"format_version":"1.2","resource_changes":[],"resource_drift":[
      {"address":"aws_security_group.edge","mode":"managed","change":{"actions":["update"],
       "before":{"ingress":["hunter2"],"name":"e"},"after":{"ingress":[],"name":"e"}}},
      {"address":"a.b","change":{"actions":["no-op"],"before":null,"after":null}}]}"#;
    let finding = one(plan);
    assert_eq!(
        (finding.scanner.as_str(), finding.rule.as_str()),
        ("terraform", "drift")
    );
    assert_eq!((finding.class, finding.location.as_ref()), (FindingClass::Drift, None));
    assert_eq!(finding.iac_address.as_deref(), Some("aws_security_group.edge"));
    assert_eq!(
        finding.title,
        "live `aws_security_group.edge` differs from its code: ingress"
    );
    assert!(!format!("{finding:?}").contains("hunter2"));
    assert!(
        read(r#"{"format_version":"1.2","planned_values":{}}"#)
            .unwrap()
            .findings
            .is_empty()
    );
}

#[test]
fn osv_scanner_is_read() {
    let finding = one(
        r#"{"results":[{"source":{"path":"/workspace/repo/requirements.txt","type":"lockfile"},"packages":[{
        "package":{"name":"wheel","version":"0.38.0","ecosystem":"PyPI"},"groups":[{"ids":["PYSEC-2022-43017"],"max_severity":"7.5"}],
        "vulnerabilities":[{"id":"PYSEC-2022-43017","aliases":["CVE-2022-40898"],"affected":[{"package":{"name":"wheel",
        "ecosystem":"PyPI"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0.38.1"}]}]}]}]}]}]}"#,
    );
    assert_eq!(
        (finding.scanner.as_str(), finding.severity),
        ("osv-scanner", Severity::High)
    );
    assert_eq!(finding.fixed_versions, ["0.38.1"]);
    assert_eq!(
        finding.component.as_ref().unwrap().purl.as_deref(),
        Some("pkg:pypi/wheel@0.38.0")
    );
    assert_eq!(finding.location.as_ref().unwrap().path, "requirements.txt");
    assert!(
        read(r#"{"results":[],"experimental_config":{}}"#)
            .unwrap()
            .findings
            .is_empty()
    );
}

#[test]
fn pip_audit_is_read_in_both_its_forms() {
    let list = r#"[{"name":"wheel","version":"0.38.0","vulns":[{"id":"PYSEC-1","fix_versions":["0.40","0.38.1"],
                  "aliases":["CVE-2022-40898"],"description":"d"}]}]"#;
    let finding = one(list);
    assert_eq!(finding.fixed_versions, ["0.38.1", "0.40"]);
    assert_eq!(finding.aliases, ["CVE-2022-40898"]);
    let report = read(&format!(r#"{{"dependencies":{list},"fixes":[]}}"#)).unwrap();
    assert_eq!(report.findings[0], finding);
    let skipped = r#"{"dependencies":[{"name":"me","skip_reason":"not found"}],"fixes":[]}"#;
    assert_eq!(read(skipped).unwrap().skipped, ["me: not found"]);
}

#[test]
fn npm_audit_is_read_one_finding_for_each_package() {
    let report = read(
        r#"{"auditReportVersion":2,"metadata":{},"vulnerabilities":{
        "debug":{"name":"debug","severity":"high","via":[
           {"source":1,"title":"ReDoS","url":"https://x/advisories/GHSA-gxpj-cx7g-858c","cwe":["CWE-400"]},"ms"],
           "fixAvailable":{"name":"debug","version":"2.6.9","isSemVerMajor":false}},
        "express":{"name":"express","severity":"low","via":["debug"],"fixAvailable":true}}}"#,
    );
    let findings = report.unwrap().findings;
    assert_eq!(
        (findings[0].rule.as_str(), findings[0].severity),
        ("GHSA-gxpj-cx7g-858c", Severity::High)
    );
    assert_eq!(findings[0].fixed_versions, ["2.6.9"]);
    assert_eq!(
        (findings[1].rule.as_str(), findings[1].class),
        ("depends-on:debug", FindingClass::Dependency)
    );
}

#[test]
fn what_is_no_report_is_refused_with_the_known_formats() {
    for text in ["{}", r#"{"result":null}"#, r#"{"a":1}"#, "{} {}", "<xml/>"] {
        let error = read(text).unwrap_err();
        let error = error.source_error().unwrap();
        assert!(error.help.as_deref().unwrap().contains("sarif"), "{text}");
    }
}

#[test]
fn malformed_reports_are_refused_with_a_place() {
    for (text, line) in [
        ("", 1),
        ("<xml>\n<a", 2),
        ("{\"runs\":[\n{\"tool\"", 2),
        ("{\"version\":\"2.1.0\",\n\"runs\":[{\"tool\":5}]}", 2),
        ("{\"results\":[{\"check_id\":1}],\n\"errors\":[]} x", 2),
        ("5", 1),
    ] {
        let error = read(text).unwrap_err();
        let error = error.source_error().unwrap();
        assert_eq!(error.position.map(|p| p.0), Some(line), "{text}: {}", error.message);
        assert!(error.message.contains("expected"), "{}", error.message);
        assert!(error.help.is_some());
    }
}

#[test]
fn a_package_in_a_sarif_message_makes_a_dependency_finding() {
    let finding = one(
        r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Trivy","rules":[{"id":"CVE-2019-1549",
        "shortDescription":{"text":"openssl: information disclosure"}}]}},"results":[{"ruleId":"CVE-2019-1549",
        "message":{"text":"Package: libssl1.1\nInstalled Version: 1.1.1c-r0\nFixed Version: 1.1.1d-r0"},"locations":[]}]}]}"#,
    );
    assert_eq!(
        (finding.class, finding.title.as_str()),
        (FindingClass::Dependency, "openssl: information disclosure")
    );
    assert_eq!(finding.component.unwrap().version.as_deref(), Some("1.1.1c-r0"));
    assert_eq!(finding.fixed_versions, ["1.1.1d-r0"]);
}

#[test]
fn every_format_has_a_name_of_its_own() {
    for formats in [FORMATS, STREAMS] {
        let ids: BTreeSet<&str> = formats.iter().map(|format| format.id).collect();
        assert_eq!(ids.len(), formats.len());
    }
}
