//! Formats about components, each by a small report in the tool's words.

use holdpoint_schemas::finding::{FindingClass, Severity, VexStatus};
use holdpoint_schemas::fix::DependencyScope;

use super::*;

fn read_as(file: &str, text: &str) -> Result<Report, IntakeError> {
    let context = ReportContext {
        repo: "r",
        file,
        source: &NoSource,
        secret_key: None,
    };
    read_report(text.as_bytes(), &context)
}

fn read(text: &str) -> Report {
    read_as("report", text).unwrap_or_else(|error| panic!("{error}"))
}

fn one(text: &str) -> Finding {
    let report = read(text);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    report.findings.into_iter().next().unwrap()
}

fn purl(finding: &Finding) -> &str {
    finding
        .component
        .as_ref()
        .and_then(|c| c.purl.as_deref())
        .unwrap_or_default()
}

const TRIVY: &str = r#"{"SchemaVersion":2,"ArtifactName":"app","ArtifactType":"repository","Results":[
 {"Target":"package-lock.json","Class":"lang-pkgs","Type":"npm",
  "Packages":[{"ID":"a@1.0.0","Relationship":"indirect","Dev":true}],
  "Vulnerabilities":[{"VulnerabilityID":"CVE-2020-1","PkgID":"a@1.0.0","PkgName":"a","InstalledVersion":"1.0.0",
   "FixedVersion":"1.0.1, 2.0.0","Title":"t","Severity":"HIGH","CweIDs":["CWE-79"],
   "CVSS":{"nvd":{"V3Vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","V3Score":9.8}}}]},
 {"Target":"main.tf","Class":"config","Type":"terraform","Misconfigurations":[
  {"ID":"AVD-1","Title":"open bucket","Message":"m","Severity":"LOW","Status":"FAIL",
   "CauseMetadata":{"Resource":"aws_s3_bucket.b","StartLine":3}},
  {"ID":"AVD-2","Status":"PASS"}]},
 {"Target":"a.env","Class":"secret","Secrets":[{"RuleID":"aws","Title":"AWS key","Severity":"CRITICAL","StartLine":2,
   "Match":"key=hunter2"}]}]}"#;

#[test]
fn trivy_is_read_with_misconfigurations_and_secrets() {
    let report = read(TRIVY);
    let [package, bucket, secret] = report.findings.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(
        (package.rule.as_str(), package.severity),
        ("CVE-2020-1", Severity::High)
    );
    assert_eq!(purl(package), "pkg:npm/a@1.0.0");
    assert_eq!(package.fixed_versions, ["1.0.1", "2.0.0"]);
    assert_eq!(
        (package.details.direct, package.details.cvss_tenths),
        (Some(false), Some(98))
    );
    assert_eq!(package.details.scope, Some(DependencyScope::Dev));
    assert_eq!(
        (bucket.class, bucket.iac_address.as_deref()),
        (FindingClass::Iac, Some("aws_s3_bucket.b"))
    );
    assert_eq!((secret.class, secret.title.as_str()), (FindingClass::Secret, "AWS key"));
    assert!(!format!("{report:?}").contains("hunter2"));
}

#[test]
fn trivys_old_list_and_its_clusters_are_read() {
    let old = one(
        r#"[{"Target":"x (debian 10)","Type":"debian","Vulnerabilities":[{"VulnerabilityID":"CVE-1-1","PkgName":"apt",
        "InstalledVersion":"1"}]},{"Target":"y","Vulnerabilities":null}]"#,
    );
    assert_eq!(
        (purl(&old), old.location.as_ref().unwrap().path.as_str()),
        ("pkg:deb/debian/apt@1", "x")
    );
    let cluster = r#"{"ClusterName":"c","Resources":[{"Name":"pod","Error":"no image"},{"Name":"p","Results":[
        {"Target":"t","Type":"pip","Vulnerabilities":[{"VulnerabilityID":"CVE-1-1","PkgName":"a"}]}]}]}"#;
    assert_eq!(read(cluster).skipped, ["pod: no image"]);
    assert_eq!(read(cluster).findings.len(), 1);
}

fn grype(kind: &str) -> String {
    let one = |path: &str| {
        format!(
            r#"{{"vulnerability":{{"id":"GHSA-aaaa-bbbb-cccc","severity":"Medium","cvss":[],"fix":{{"versions":["3"],"state":"fixed"}}}},
            "relatedVulnerabilities":[{{"id":"CVE-2021-1","cvss":[{{"vector":"CVSS:3.1/AV:N","metrics":{{"baseScore":7.3}}}}]}}],
            "artifact":{{"name":"django","version":"2","type":"python","locations":[{{"path":"{path}"}}]}}}}"#
        )
    };
    format!(
        r#"{{"matches":[{},{}],"source":{{"type":"{kind}"}},"descriptor":{{"name":"grype"}}}}"#,
        one("/a/METADATA"),
        one("/b/METADATA")
    )
}

#[test]
fn grype_counts_a_package_of_an_image_once_and_files_of_a_folder_each() {
    let finding = one(&grype("image"));
    assert_eq!(
        (finding.rule.as_str(), purl(&finding)),
        ("GHSA-aaaa-bbbb-cccc", "pkg:pypi/django@2")
    );
    assert_eq!(
        (finding.aliases.as_slice(), finding.details.cvss_tenths),
        (&["CVE-2021-1".to_owned()][..], Some(73))
    );
    assert_eq!(read(&grype("directory")).findings.len(), 2);
}

const NPM_6: &str = r#"{"actions":[],"advisories":{"146":{"id":146,"module_name":"growl","title":"Command Injection",
  "findings":[{"version":"1.9.2","paths":["mocha>growl"],"dev":true}],"cves":["CVE-2017-16042"],"cwe":"CWE-94",
  "patched_versions":">=1.10.2","severity":"critical","url":"https://github.com/advisories/GHSA-qh2h-chj9-jffq"}},
  "metadata":{}}"#;

#[test]
fn npm_6_is_read() {
    let finding = one(NPM_6);
    assert_eq!(
        (finding.rule.as_str(), finding.severity),
        ("GHSA-qh2h-chj9-jffq", Severity::Critical)
    );
    assert_eq!(finding.aliases, ["CVE-2017-16042", "npm:146"]);
    assert_eq!(
        (purl(&finding), finding.fixed_versions[0].as_str()),
        ("pkg:npm/growl@1.9.2", "1.10.2")
    );
    assert_eq!(
        (finding.details.direct, finding.details.scope),
        (Some(false), Some(DependencyScope::Dev))
    );
    assert!(
        read(r#"{"actions":[],"advisories":{},"muted":[],"metadata":{}}"#)
            .findings
            .is_empty()
    );
}

#[test]
fn yarn_1_repeats_an_advisory_and_ends_with_a_summary() {
    let advisory = r#"{"type":"auditAdvisory","data":{"resolution":{"id":5},"advisory":{"id":5,"module_name":"a",
        "title":"t","severity":"low","findings":[{"version":"1.0.0","paths":["a"]}],"cwe":["CWE-1"]}}}"#
        .replace('\n', "");
    let summary = r#"{"type":"auditSummary","data":{"vulnerabilities":{"low":2}}}"#;
    let finding = one(&format!("{advisory}\n{advisory}\n{summary}\n"));
    assert_eq!((finding.rule.as_str(), finding.details.direct), ("npm:5", Some(true)));
    assert!(read(summary).findings.is_empty());
    let error = read_as("r", &format!("{advisory}\n")).unwrap_err();
    assert!(error.to_string().contains("auditSummary"), "{error}");
    let wrong = format!("{}\n{summary}", advisory.replace("\"a\",", "7,"));
    assert_eq!(
        read_as("r", &wrong)
            .unwrap_err()
            .source_error()
            .unwrap()
            .position
            .map(|p| p.0),
        Some(1)
    );
}

#[test]
fn yarn_4_writes_a_line_for_each_advisory() {
    let line = r#"{"value":"lodash","children":{"ID":1106,"Issue":"Prototype Pollution","URL":"https://github.com/advisories/GHSA-p6mc-m468-83gw","Severity":"high","Vulnerable Versions":"<4.17.21","Tree Versions":["4.17.20"],"Dependents":["x@workspace:."]}}"#;
    let old = r#"{"value":"glob","children":{"ID":"glob (deprecation)","Issue":"old","Severity":"moderate"}}"#;
    let report = read(&format!("{line}\n{old}\n"));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(
        (report.findings[0].rule.as_str(), purl(&report.findings[0])),
        ("GHSA-p6mc-m468-83gw", "pkg:npm/lodash@4.17.20")
    );
    assert_eq!(report.skipped, ["glob is deprecated: old"]);
    assert_eq!(read(line).findings.len(), 1);
}

#[test]
fn cargo_audit_gives_functions_and_leaves_warnings_as_notes() {
    let report = read(
        r#"{"database":{},"lockfile":{},"settings":{},"vulnerabilities":{"found":true,"count":1,"list":[{"advisory":
        {"id":"RUSTSEC-2020-0071","title":"segfault","aliases":["CVE-2020-26235"],"cvss":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H"},
        "versions":{"patched":[">=0.2.23","<0.1.0"]},"affected":{"functions":{"time::at":["<0.2.23"]}},
        "package":{"name":"time","version":"0.1.44"}}]},
        "warnings":{"yanked":[{"kind":"yanked","package":{"name":"a","version":"1.0.0"},"advisory":null}]}}"#,
    );
    let finding = &report.findings[0];
    assert_eq!(
        (finding.severity, finding.fixed_versions.as_slice()),
        (Severity::Medium, &["0.2.23".to_owned()][..])
    );
    assert_eq!(
        (finding.details.symbols.as_slice(), purl(finding)),
        (&["time::at".to_owned()][..], "pkg:cargo/time@0.1.44")
    );
    assert!(report.skipped[0].contains("a 1.0.0 is yanked"));
}

const GOVULNCHECK: &str = r#"{"config":{"protocol_version":"v1.0.0","scanner_name":"govulncheck"}}
{"osv":{"id":"GO-2021-0113","aliases":["CVE-2021-38561"],"summary":"panic"}}
{"osv":{"id":"GO-2021-0113","aliases":["CVE-2021-38561"],"summary":"panic"}}
{"osv":{"id":"GO-2024-1","summary":"elsewhere"}}
{"finding":{"osv":"GO-2021-0113","fixed_version":"v0.3.7","trace":[{"module":"golang.org/x/text","version":"v0.3.6"}]}}
{"finding":{"osv":"GO-2021-0113","fixed_version":"v0.3.7","trace":[{"module":"golang.org/x/text","version":"v0.3.6",
 "package":"golang.org/x/text/language","function":"Parse","receiver":"*T"},{"module":"m","package":"m","function":"main"}]}}
"#;

#[test]
fn govulncheck_says_what_is_called() {
    let report = read(GOVULNCHECK);
    assert_eq!(report.findings.len(), 1);
    let finding = &report.findings[0];
    assert_eq!(
        (finding.details.reached, finding.fixed_versions[0].as_str()),
        (Some(true), "v0.3.7")
    );
    assert_eq!(finding.details.symbols, ["golang.org/x/text/language.T.Parse"]);
    assert_eq!(
        (finding.aliases[0].as_str(), purl(finding)),
        ("CVE-2021-38561", "pkg:golang/golang.org/x/text@v0.3.6")
    );
    assert!(report.skipped[0].starts_with("1 advisories"));
    let module_only: String = GOVULNCHECK.lines().take(5).collect();
    assert_eq!(one(&module_only).details.reached, None);
}

#[test]
fn govulnchecks_old_document_is_read() {
    let finding = one(
        r#"{"Calls":{},"Imports":{},"Requires":{},"Vulns":[{"OSV":{"id":"GO-1-1"},"Symbol":"Parse","PkgPath":"m/p","ModPath":"m",
        "CallSink":3}],"Modules":[{"Path":"m","Version":"v1.2.3"}]}"#,
    );
    assert_eq!(
        (finding.details.reached, purl(&finding)),
        (Some(true), "pkg:golang/m@v1.2.3")
    );
    assert!(
        read(r#"{"Calls":{},"Imports":{},"Requires":{},"Vulns":null,"Modules":null}"#)
            .findings
            .is_empty()
    );
}

#[test]
fn dependency_check_is_read_in_xml_and_json() {
    let xml = r#"<?xml version="1.0"?><analysis xmlns="https://jeremylong.github.io/DependencyCheck/dependency-check.4.0.xsd">
      <dependencies><dependency><fileName>a.jar</fileName><filePath>/w/lib/a.jar?x</filePath>
      <identifiers><package confidence="HIGH"><id>pkg:maven/g/a@1.0</id></package></identifiers>
      <vulnerabilities><vulnerability source="NVD"><name>CVE-2020-1</name><severity>HIGH</severity>
       <cvssV3><baseScore>7.5</baseScore><attackVector>NETWORK</attackVector><attackComplexity>L</attackComplexity>
        <privilegesRequired>N</privilegesRequired><userInteraction>N</userInteraction><scope>U</scope>
        <confidentialityImpact>N</confidentialityImpact><integrityImpact>H</integrityImpact>
        <availabilityImpact>N</availabilityImpact></cvssV3><cwes><cwe>CWE-295</cwe></cwes><description>d</description>
      </vulnerability><suppressedVulnerability><name>CVE-2020-2</name><notes>not ours</notes></suppressedVulnerability>
      </vulnerabilities></dependency></dependencies></analysis>"#;
    let json = r#"{"reportSchema":"1.1","scanInfo":{"engineVersion":"8"},"dependencies":[{"fileName":"a.jar","filePath":"/w/lib/a.jar?x",
      "packages":[{"id":"pkg:maven/g/a@1.0"}],"vulnerabilities":[{"source":"NVD","name":"CVE-2020-1","severity":"HIGH",
      "cvssv3":{"baseScore":7.5,"attackVector":"NETWORK","attackComplexity":"LOW","privilegesRequired":"NONE","userInteraction":"NONE",
      "scope":"UNCHANGED","confidentialityImpact":"NONE","integrityImpact":"HIGH","availabilityImpact":"NONE"},"cwes":["CWE-295"],
      "description":"d"}],"suppressedVulnerabilities":[{"name":"CVE-2020-2","notes":"not ours"}]},{"fileName":"b"}]}"#;
    let (xml, json) = (read(xml), read(json));
    assert_eq!(xml.findings, json.findings);
    let [open, suppressed] = xml.findings.as_slice() else {
        panic!("{xml:?}")
    };
    assert_eq!(
        (purl(open), open.component.as_ref().unwrap().name.as_str()),
        ("pkg:maven/g/a@1.0", "g:a")
    );
    assert_eq!(
        open.details.cvss_vectors,
        ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"]
    );
    assert_eq!((open.details.cvss_tenths, &open.details.vex), (Some(75), &None));
    let vex = suppressed.details.vex.as_ref().unwrap();
    assert_eq!(
        (vex.status, vex.justification.as_deref()),
        (VexStatus::NotAffected, Some("suppressed: not ours"))
    );
}

const SNYK: &str = r#"{"ok":false,"packageManager":"npm","displayTargetFile":"ui\\package-lock.json","vulnerabilities":[
  {"id":"SNYK-JS-A-1","title":"ReDoS","severity":"medium","severityWithCritical":"critical","CVSSv3":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
   "cvssScore":"9.8","identifiers":{"CVE":["CVE-2020-1"],"CWE":["CWE-400"]},"packageName":"a","version":"1.0.0",
   "from":["root@1","b@2","a@1.0.0"],"fixedIn":["1.0.1"],"functions":[{"functionId":{"filePath":"x.js","functionName":"parse"}}]},
  {"id":"SNYK-JS-A-1","title":"ReDoS","severity":"medium","packageName":"a","version":"1.0.0","from":["root@1","a@1.0.0"]},
  {"id":"snyk:lic:npm:a:GPL","type":"license","severity":"high","from":[]}]}"#;

#[test]
fn snyk_counts_ways_to_a_package() {
    let report = read(SNYK);
    let [way, direct] = report.findings.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((way.severity, way.details.cvss_tenths), (Severity::Critical, Some(98)));
    assert_eq!((way.details.direct, direct.details.direct), (Some(false), Some(true)));
    assert_eq!(way.details.symbols, ["x.js.parse"]);
    assert_eq!(way.location.as_ref().unwrap().path, "ui/package-lock.json");
    assert!(report.skipped[0].contains("licence"));
    let failed = r#"{"ok":false,"error":"no lockfile","path":"/x"}"#;
    assert_eq!(read(&format!("[{SNYK},{failed}]")).findings.len(), 2);
    assert!(read_as("r", failed).unwrap_err().to_string().contains("no lockfile"));
}

fn dependabot(state: &str) -> String {
    format!(
        r#"{{"number":7,{state},"dependency":{{"package":{{"ecosystem":"pip","name":"django"}},"manifest_path":"req.txt","scope":"development",
        "relationship":"transitive"}},"security_advisory":{{"ghsa_id":"GHSA-aaaa-bbbb-cccc","cve_id":"CVE-2020-1","summary":"s","severity":"high",
        "cvss":{{"vector_string":null,"score":0.0}},"cwes":[{{"cwe_id":"CWE-89"}}]}},
        "security_vulnerability":{{"severity":"critical","first_patched_version":{{"identifier":"2.0.2"}}}}}}"#
    )
}

#[test]
fn dependabot_alerts_are_read_with_what_became_of_them() {
    let open = dependabot(r#""state":"open""#);
    let unused = dependabot(
        r#""state":"dismissed","dismissed_reason":"not_used","dismissed_by":{"login":"kim"},"dismissed_at":"2024-01-01T00:00:00Z""#,
    );
    let tolerated = dependabot(r#""state":"dismissed","dismissed_reason":"tolerable_risk""#);
    let fixed = dependabot(r#""state":"fixed","fixed_at":"2024-01-01T00:00:00Z""#);
    // Two pages, one after another.
    let report = read(&format!("[{open},{unused}]\n[{tolerated},{fixed}]"));
    let status = |finding: &Finding| finding.details.vex.as_ref().map(|vex| vex.status);
    let statuses: Vec<_> = report.findings.iter().map(status).collect();
    let wanted = [
        None,
        Some(VexStatus::NotAffected),
        Some(VexStatus::Affected),
        Some(VexStatus::Fixed),
    ];
    assert_eq!(statuses, wanted);
    let first = &report.findings[0];
    assert_eq!((first.severity, purl(first)), (Severity::Critical, "pkg:pypi/django"));
    assert_eq!(
        (first.details.direct, first.details.scope),
        (Some(false), Some(DependencyScope::Dev))
    );
    assert_eq!(
        (first.details.cvss_tenths, first.fixed_versions[0].as_str()),
        (None, "2.0.2")
    );
    assert_eq!(one(&open).rule, "GHSA-aaaa-bbbb-cccc");
}

#[test]
fn alerts_of_the_graphql_api_are_found_wherever_the_query_puts_them() {
    let alert = r#"{"id":"A1","vulnerableManifestPath":"package.json","vulnerableRequirements":"= 1.5.0","state":"OPEN","dependencyScope":"RUNTIME",
        "securityVulnerability":{"severity":"MODERATE","package":{"name":"a","ecosystem":"NPM"},"firstPatchedVersion":{"identifier":"2"},
        "advisory":{"summary":"s","identifiers":[{"value":"GHSA-aaaa-bbbb-cccc"},{"value":"CVE-2020-1"}],"cwes":{"nodes":[{"cweId":"CWE-1"}]},
        "cvss":{"score":9.8,"vectorString":null}}}}"#;
    let list = format!(r#"{{"nodes":[{alert}],"pageInfo":{{"hasNextPage":true}}}}"#);
    let finding = one(&format!(
        r#"{{"data":{{"repository":{{"vulnerabilityAlerts":{list}}}}}}}"#
    ));
    assert_eq!(
        (finding.severity, purl(&finding)),
        (Severity::Medium, "pkg:npm/a@1.5.0")
    );
    assert_eq!(finding.details.scope, Some(DependencyScope::Runtime));
    let search = read(&format!(
        r#"{{"data":{{"search":{{"edges":[{{"node":{{"vulnerabilityAlerts":{list}}}}}]}}}}}}"#
    ));
    assert_eq!((search.findings.len(), search.skipped.len()), (1, 1));
    assert!(read_as("r", r#"{"data":{"repository":null},"errors":[]}"#).is_err());
    let wrong = r#"{"data":{"repository":{"vulnerabilityAlerts":{"nodes":[
        {"id":"B2","securityVulnerability":7}]}}}}"#;
    assert_eq!(
        read_as("r", wrong)
            .unwrap_err()
            .source_error()
            .unwrap()
            .position
            .map(|p| p.0),
        Some(2)
    );
}

fn gitlab(kind: &str, location: &str) -> String {
    format!(
        r#"{{"version":"15.0.0","vulnerabilities":[{{"id":"i","name":"n","severity":"High","solution":"Upgrade apt from 1 to 2",
        "location":{location},"identifiers":[{{"type":"gemnasium","name":"Gemnasium-1","value":"1"}},{{"type":"cve","name":"CVE-2020-1","value":"CVE-2020-1"}},
        {{"type":"cwe","name":"CWE-79","value":"79"}}],"cvss_vectors":[{{"vendor":"NVD","vector":"CVSS:3.1/AV:N"}}]}}],
        "dependency_files":[{{"path":"go.sum","package_manager":"go","dependencies":[]}}],
        "scan":{{"type":"{kind}","scanner":{{"id":"gemnasium"}},"status":"success"}}}}"#
    )
}

#[test]
fn gitlabs_dependency_and_container_reports_are_read() {
    let go = one(&gitlab(
        "dependency_scanning",
        r#"{"file":"go.sum","dependency":{"package":{"name":"x.org/y"},"version":"v1","direct":true}}"#,
    ));
    assert_eq!(
        (go.rule.as_str(), purl(&go), go.details.direct),
        ("CVE-2020-1", "pkg:golang/x.org/y@v1", Some(true))
    );
    assert_eq!((go.cwes[0].as_str(), go.fixed_versions[0].as_str()), ("CWE-79", "2"));
    let image = gitlab(
        "container_scanning",
        r#"{"image":"app:1","operating_system":"debian:9.4","dependency":{"package":{"name":"apt"},"version":"1"}}"#,
    );
    assert_eq!(purl(&one(&image)), "pkg:deb/debian/apt@1");
    let nameless = one(&gitlab(
        "dependency_scanning",
        r#"{"file":"go.sum","dependency":{"package":{}}}"#,
    ));
    assert_eq!((nameless.class, nameless.component), (FindingClass::Dependency, None));
    let failed = image.replace("success", "failure");
    assert!(
        read_as("r", &failed)
            .unwrap_err()
            .to_string()
            .contains("the scan failed")
    );
}

#[test]
fn dependency_track_is_read_with_its_analysis() {
    let entry = |analysis: &str| {
        format!(
            r#"{{"component":{{"name":"a","version":"1","purl":"pkg:npm/a@1"}},"vulnerability":{{"vulnId":"CVE-2020-1","severity":"UNASSIGNED",
            "cweId":400,"cvssV3BaseScore":9.8,"aliases":[{{"ghsaId":"GHSA-aaaa-bbbb-cccc","id":8}}]}},"analysis":{analysis},"matrix":"m"}}"#
        )
    };
    let list = format!(
        "[{}]",
        entry(r#"{"state":"NOT_AFFECTED","justification":"CODE_NOT_REACHABLE"}"#)
    );
    let finding = one(&list);
    assert_eq!(
        (finding.severity, finding.aliases[0].as_str()),
        (Severity::Critical, "GHSA-aaaa-bbbb-cccc")
    );
    let vex = finding.details.vex.unwrap();
    assert_eq!(
        (vex.status, vex.justification.as_deref()),
        (VexStatus::NotAffected, Some("code_not_reachable"))
    );
    let export = format!(
        r#"{{"meta":{{"application":"Dependency-Track"}},"findings":[{}]}}"#,
        entry(r#"{"isSuppressed":true}"#)
    );
    assert_eq!(one(&export).details.vex.unwrap().status, VexStatus::Affected);
}

const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"tools":{"components":[{"name":"trivy"}]},
  "component":{"bom-ref":"root","name":"app"}},"components":[{"bom-ref":"c1","name":"a","version":"1","purl":"pkg:npm/a@1","scope":"required"}],
  "dependencies":[{"ref":"root","dependsOn":["c1"]}],"vulnerabilities":[{"id":"CVE-2020-1","source":{"name":"ubuntu"},
  "references":[{"id":"GHSA-aaaa-bbbb-cccc"}],"ratings":[{"source":{"name":"nvd"},"score":9.8,"severity":"critical","method":"CVSSv31",
  "vector":"AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},{"source":{"name":"ubuntu"},"severity":"low"}],"cwes":[79],
  "analysis":{"state":"not_affected","justification":"code_not_reachable"},
  "affects":[{"ref":"c1"},{"ref":"urn:cdx:00000000-0000-0000-0000-000000000000/1#pkg:npm/b@2"}]}]}"#;

#[test]
fn cyclonedx_gives_a_finding_for_each_affected_component() {
    let report = read(CYCLONEDX);
    let [a, b] = report.findings.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((report.scanner.as_str(), a.severity), ("trivy", Severity::Low));
    assert_eq!((purl(a), purl(b)), ("pkg:npm/a@1", "pkg:npm/b@2"));
    assert_eq!(a.details.cvss_vectors, ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"]);
    assert_eq!(
        (a.details.direct, a.details.scope),
        (Some(true), Some(DependencyScope::Runtime))
    );
    assert_eq!(a.details.vex.as_ref().unwrap().status, VexStatus::NotAffected);
    let plain = read(r#"{"bomFormat":"CycloneDX","specVersion":"1.4","components":[]}"#);
    assert_eq!((plain.findings.len(), plain.skipped.len()), (0, 1));
}

#[test]
fn cyclonedx_is_read_in_xml_with_the_old_extension_too() {
    let xml = r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.2" xmlns:v="http://cyclonedx.org/schema/ext/vulnerability/1.0">
      <components><component type="library"><name>apt</name><version>1.8</version><v:vulnerabilities>
       <v:vulnerability ref="urn:uuid:1"><v:id>CVE-2011-3374</v:id><v:source name="debian:10"/><v:ratings><v:rating>
        <v:score><v:base>4.3</v:base></v:score><v:severity>Low</v:severity><v:method>CVSSv2</v:method>
        <v:vector>AV:N/AC:M/Au:N/C:N/I:P/A:N</v:vector></v:rating></v:ratings></v:vulnerability></v:vulnerabilities>
      </component></components></bom>"#;
    let old = one(xml);
    assert_eq!(
        (old.rule.as_str(), old.severity, old.details.cvss_tenths),
        ("CVE-2011-3374", Severity::Low, Some(43))
    );
    assert_eq!(old.component.unwrap().name, "apt");
    let new = r#"<bom><components><component bom-ref="c1"><name>a</name><purl>pkg:npm/a@1</purl></component></components>
      <vulnerabilities><vulnerability><id>CVE-2020-1</id><cwes><cwe>79</cwe></cwes><affects><target><ref>c1</ref></target></affects>
      <analysis><state>in_triage</state></analysis></vulnerability></vulnerabilities></bom>"#;
    let new = one(new);
    assert_eq!((purl(&new), new.cwes[0].as_str()), ("pkg:npm/a@1", "CWE-79"));
    assert_eq!(new.details.vex.unwrap().status, VexStatus::UnderInvestigation);
}

#[test]
fn osv_scanner_says_what_is_called_and_for_whom() {
    let finding = one(
        r#"{"results":[{"source":{"path":"/w/go.mod"},"packages":[{"package":{"name":"golang.org/x/text","version":"0.3.6","ecosystem":"Go"},
        "dependency_groups":["dev"],"vulnerabilities":[{"id":"GO-2021-0113","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}],
        "affected":[{"ecosystem_specific":{"imports":[{"path":"golang.org/x/text/language","symbols":["Parse"]}]}}]}],
        "groups":[{"ids":["GO-2021-0113"],"max_severity":"7.5","experimentalAnalysis":{"GO-2021-0113":{"called":false}}}]}]}]}"#,
    );
    assert_eq!(
        (finding.severity, purl(&finding), finding.details.reached),
        (Severity::High, "pkg:golang/golang.org/x/text@0.3.6", Some(false))
    );
    assert_eq!(finding.details.symbols, ["golang.org/x/text/language.Parse"]);
    assert_eq!(
        (finding.details.scope, finding.details.cvss_tenths),
        (Some(DependencyScope::Dev), Some(75))
    );
}

#[test]
fn an_empty_report_is_clean_only_where_its_name_tells_a_silent_tool() {
    for (file, text) in [
        ("osv_scanner/none.json", ""),
        ("out/OSV-Scanner.json", " \n"),
        ("dependabot.json", "[]"),
    ] {
        let report = read_as(file, text).unwrap();
        assert_eq!((report.findings.len(), report.skipped.len()), (0, 1), "{file}");
    }
    for (file, text) in [
        ("report.json", ""),
        ("grype.json", " "),
        ("report.json", "[]"),
        ("grype.json", "[]"),
    ] {
        assert!(read_as(file, text).is_err(), "{file}");
    }
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    assert_eq!(read(&format!("\u{FEFF}{TRIVY}")), read(TRIVY));
    assert_eq!(read(&format!("\u{FEFF}\n {NPM_6}")), read(NPM_6));
}

#[test]
fn every_cut_off_report_is_an_error_with_a_place() {
    for text in [
        TRIVY,
        NPM_6,
        SNYK,
        CYCLONEDX,
        &grype("image"),
        "<bom><components><component>",
        GOVULNCHECK.trim_end(),
    ] {
        for cut in [text.len() / 3, text.len() / 2, text.len() - 1] {
            let error = read_as("r", text.get(..cut).unwrap()).unwrap_err();
            assert!(error.source_error().unwrap().position.is_some(), "{error}");
        }
    }
}

#[test]
fn a_wrong_type_is_an_error_with_a_place() {
    for (text, from, to) in [
        (TRIVY, "\"CVE-2020-1\"", "7"),
        (NPM_6, "\"growl\"", "[]"),
        (SNYK, "\"SNYK-JS-A-1\"", "{}"),
        (CYCLONEDX, "[{\"bom-ref\"", "7,\"x\":[{\"bom-ref\""),
        (GOVULNCHECK, "\"GO-2021-0113\"", "3"),
        (&grype("image"), "\"django\"", "null"),
    ] {
        let error = read_as("r", &text.replacen(from, to, 1)).unwrap_err();
        let error = error.source_error().unwrap();
        assert!(
            error.position.is_some() && error.message.contains("expected"),
            "{}",
            error.message
        );
    }
}
