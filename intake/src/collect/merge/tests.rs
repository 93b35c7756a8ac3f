use super::*;
use holdpoint_schemas::Digest;
use holdpoint_schemas::finding::{FindingClass, Fingerprint, Location, Severity};
use proptest::prelude::*;

fn finding(scanner: &str, rule: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint::of([scanner, rule]),
        scanner: scanner.to_owned(),
        rule: rule.to_owned(),
        title: rule.to_owned(),
        severity: Severity::Medium,
        class: FindingClass::Code,
        cwes: Vec::new(),
        aliases: Vec::new(),
        component: None,
        location: None,
        iac_address: None,
        fixed_versions: Vec::new(),
        details: FindingDetails::default(),
    }
}

fn at(mut finding: Finding, path: &str, line: Option<u32>) -> Finding {
    finding.fingerprint = Fingerprint::of([&finding.scanner, &finding.rule, path, &format!("{line:?}")]);
    finding.location = Some(Location {
        path: path.to_owned(),
        line,
    });
    finding
}

fn package(scanner: &str, rule: &str, aliases: &[&str], purl: Option<&str>, version: Option<&str>) -> Finding {
    let mut found = finding(scanner, rule);
    found.class = FindingClass::Dependency;
    found.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    found.component = Some(Component {
        purl: purl.map(str::to_owned),
        name: "urllib3".to_owned(),
        version: version.map(str::to_owned),
    });
    found
}

fn with_cwe(mut finding: Finding, cwe: &str) -> Finding {
    finding.cwes.push(cwe.to_owned());
    finding
}

#[test]
fn scanners_that_share_an_advisory_of_a_component_become_one_finding() {
    let mut osv = package(
        "osv-scanner",
        "PYSEC-1",
        &["CVE-1-1"],
        Some("pkg:pypi/urllib3@1.2"),
        Some("1.2"),
    );
    osv.severity = Severity::High;
    osv.fixed_versions = vec!["1.10".to_owned()];
    let mut trivy = package("trivy", "cve-1-1", &["GHSA-x"], None, None);
    trivy.fixed_versions = vec!["1.10".to_owned(), "2.0".to_owned()];
    let other = package("trivy", "CVE-2-2", &[], None, Some("1.2"));
    let all = merge(vec![trivy, at(osv.clone(), "req.txt", None), other]);
    let [merged, other] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(
        (merged.scanner.as_str(), merged.severity),
        ("osv-scanner", Severity::High)
    );
    assert_eq!(merged.component.as_ref().unwrap().version.as_deref(), Some("1.2"));
    assert_eq!(merged.location.as_ref().unwrap().path, "req.txt");
    assert_eq!(merged.fixed_versions, ["1.10", "2.0"]);
    assert!(merged.aliases.iter().any(|alias| alias == "GHSA-x"));
    let sources: Vec<_> = merged
        .details
        .also
        .iter()
        .map(|s| (s.scanner.as_str(), s.severity))
        .collect();
    assert_eq!(sources, [("osv-scanner", Severity::High), ("trivy", Severity::Medium)]);
    assert_eq!(other.details.also, []);
}

#[test]
fn other_versions_lockfiles_and_ecosystems_stay_apart() {
    let one = |purl, version, path| at(package("a", "CVE-1-1", &[], purl, version), path, None);
    let two = |purl, version, path| at(package("b", "CVE-1-1", &[], purl, version), path, None);
    let count = |a, b| merge(vec![a, b]).len();
    assert_eq!(count(one(None, Some("v1.2"), "x"), two(None, Some("1.2"), "x")), 1);
    assert_eq!(count(one(None, Some("1.2"), "x"), two(None, None, "x")), 1);
    assert_eq!(count(one(None, Some("1.2"), "x"), two(None, Some("1.3"), "x")), 2);
    assert_eq!(count(one(None, None, "x"), two(None, None, "y")), 2);
    let (npm, pypi) = (Some("pkg:npm/urllib3"), Some("pkg:pypi/urllib3"));
    assert_eq!(count(one(npm, None, "x"), two(pypi, None, "x")), 2);
}

#[test]
fn a_finding_without_a_place_joins_the_only_one_and_none_of_several() {
    let placed = |path| at(package("a", "CVE-1-1", &[], None, None), path, None);
    let free = package("b", "CVE-1-1", &[], None, None);
    assert_eq!(merge(vec![placed("x"), free.clone()]).len(), 1);
    assert_eq!(merge(vec![placed("x"), placed("y"), free]).len(), 3);
}

#[test]
fn flaws_on_a_line_merge_by_cwe_or_rule_and_stay_apart_without() {
    let count = |a: Finding, b: Finding| merge(vec![at(a, "a.py", Some(3)), at(b, "a.py", Some(3))]).len();
    let weak = |scanner, rule| with_cwe(finding(scanner, rule), "CWE-327");
    assert_eq!(count(weak("bandit", "B324"), weak("semgrep", "weak-hash")), 1);
    assert_eq!(
        count(finding("bandit", "B324"), finding("semgrep", "gitlab.bandit.B324")),
        1
    );
    assert_eq!(
        count(weak("bandit", "B324"), with_cwe(finding("bandit", "B608"), "CWE-89")),
        2
    );
    assert_eq!(count(finding("bandit", "B1"), finding("bandit", "B2")), 2);
    let mut config = weak("semgrep", "weak-hash");
    config.class = FindingClass::Config;
    assert_eq!(count(weak("bandit", "B324"), config), 2);
}

#[test]
fn different_secrets_on_a_line_stay_apart_where_hashes_tell() {
    let secret = |scanner, hash: Option<&[u8]>| {
        let mut found = with_cwe(finding(scanner, scanner), "CWE-798");
        found.details.secret = hash.map(Digest::of_bytes);
        at(found, "a.py", Some(3))
    };
    assert_eq!(merge(vec![secret("a", Some(b"1")), secret("b", Some(b"1"))]).len(), 1);
    assert_eq!(merge(vec![secret("a", Some(b"1")), secret("b", None)]).len(), 1);
    assert_eq!(merge(vec![secret("a", Some(b"1")), secret("b", Some(b"2"))]).len(), 2);
}

#[test]
fn what_scanners_contradict_each_other_on_is_the_worse_or_unknown() {
    let mut a = package("a", "CVE-1-1", &[], None, None);
    let mut b = package("b", "CVE-1-1", &[], None, None);
    (a.details.reached, b.details.reached) = (Some(false), Some(true));
    (a.details.direct, b.details.direct) = (Some(false), Some(true));
    a.details.cvss_tenths = Some(75);
    let merged = merge(vec![a, b]).remove(0);
    assert_eq!((merged.details.reached, merged.details.direct), (Some(true), None));
    assert_eq!(merged.details.cvss_tenths, Some(75));
}

#[test]
fn a_finding_that_comes_twice_is_one_with_one_source() {
    let twice = vec![finding("a", "x"), finding("a", "x")];
    let all = merge(twice);
    assert_eq!(all, [finding("a", "x")]);
}

prop_compose! {
    /// Findings out of so few words that they meet often.
    fn any_finding()(
        scanner in 0..3u8,
        rule in "(CVE-1-[1-4]|x\\.B[1-3])",
        aliases in prop::collection::btree_set("(cve|CVE)-1-[1-4]", 0..3),
        cwes in prop::collection::btree_set("CWE-[1-3]", 0..2),
        component in prop::option::of((prop::option::of("pkg:(npm|pypi)/a"), prop::option::of("[12]"))),
        location in prop::option::of(("[ab]", prop::option::of(1..3u32))),
        iac_address in prop::option::of("r[12]"),
        severity in prop::sample::select(vec![Severity::Unknown, Severity::Low, Severity::High]),
        secret in prop::option::of("[12]"),
        reached in prop::option::of(any::<bool>()),
        direct in prop::option::of(any::<bool>()),
        fixed_versions in prop::collection::btree_set("[0-9]", 0..2),
        print in 0..40u8,
    ) -> Finding {
        let mut found = finding(&format!("s{scanner}"), &rule);
        found.fingerprint = Fingerprint::of([print.to_string().as_str()]);
        found.aliases = aliases.into_iter().collect();
        found.cwes = cwes.into_iter().collect();
        found.component = component.map(|(purl, version)| Component { purl, name: "a".to_owned(), version });
        found.location = location.map(|(path, line)| Location { path, line });
        found.iac_address = iac_address;
        found.severity = severity;
        found.fixed_versions = fixed_versions.into_iter().collect();
        found.details.secret = secret.map(|text| Digest::of_bytes(text.as_bytes()));
        found.details.reached = reached;
        found.details.direct = direct;
        found
    }
}

proptest! {
    #[test]
    fn merging_again_changes_nothing(findings in prop::collection::vec(any_finding(), 0..12)) {
        let once = merge(findings);
        prop_assert_eq!(merge(once.clone()), once);
    }

    #[test]
    fn the_order_of_the_reports_does_not_matter(
        (findings, shuffled) in prop::collection::vec(any_finding(), 0..12)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        prop_assert_eq!(merge(findings), merge(shuffled));
    }

    #[test]
    fn nothing_that_a_scanner_said_is_lost(findings in prop::collection::vec(any_finding(), 0..12)) {
        let merged = merge(findings.clone());
        for finding in findings {
            let kept = merged.iter().find(|kept| {
                let source = |s: &FindingSource| s.scanner == finding.scanner && s.rule == finding.rule
                    && s.severity == finding.severity && s.fingerprint == finding.fingerprint;
                kept.details.also.iter().any(source) || (kept.details.also.is_empty() && kept.rule == finding.rule
                    && kept.scanner == finding.scanner && kept.fingerprint == finding.fingerprint)
            });
            let kept = kept.unwrap();
            prop_assert!(kept.severity >= finding.severity);
            prop_assert!(finding.cwes.iter().all(|cwe| kept.cwes.contains(cwe)));
            prop_assert!(finding.aliases.iter().all(|alias| kept.aliases.contains(alias) || *alias == kept.rule));
        }
    }

    #[test]
    fn no_finding_is_about_two_versions_or_two_files(findings in prop::collection::vec(any_finding(), 0..12)) {
        for set in same::sets(&findings) {
            let of = |known: fn(&Finding) -> Option<String>| {
                set.iter().filter_map(|index| known(&findings[*index])).collect::<BTreeSet<_>>().len()
            };
            prop_assert!(of(|f| f.location.as_ref().map(|l| l.path.clone())) < 2);
            prop_assert!(of(|f| f.component.as_ref().and_then(|c| c.version.clone())) < 2);
        }
    }
}
