use holdpoint_schemas::finding::{Component, FindingDetails, Fingerprint, Location, Severity};
use holdpoint_schemas::fix::{ChangeKind, DependencyScope, Operations, Upgrade, UpgradeStep};

use super::*;

fn finding(class: FindingClass) -> Finding {
    Finding {
        fingerprint: Fingerprint::of(["a"]),
        scanner: "s".to_owned(),
        rule: "r".to_owned(),
        title: "t".to_owned(),
        severity: Severity::High,
        class,
        cwes: Vec::new(),
        aliases: Vec::new(),
        component: None,
        location: None,
        iac_address: None,
        fixed_versions: Vec::new(),
        details: FindingDetails::default(),
    }
}

fn about(package: &str, direct: Option<bool>) -> Finding {
    let mut found = finding(FindingClass::Dependency);
    let purl = Some(format!("pkg:pypi/{package}@1"));
    found.component = Some(Component {
        purl,
        name: package.to_owned(),
        version: None,
    });
    found.details.direct = direct;
    found
}

fn at(path: &str, line: Option<u32>) -> Finding {
    let mut found = finding(FindingClass::Code);
    found.location = Some(Location {
        path: path.to_owned(),
        line,
    });
    found
}

fn classified(kind: FixKind, packages: &[(&str, &str)]) -> Classification {
    let upgrade = |(ecosystem, package): &(&str, &str)| Upgrade {
        package: (*package).to_owned(),
        ecosystem: (*ecosystem).to_owned(),
        from: None,
        to: None,
        step: UpgradeStep::Patch,
        scope: DependencyScope::Runtime,
        skipped: None,
    };
    Classification {
        kind,
        because: String::new(),
        upgrades: packages.iter().map(upgrade).collect(),
        new_variables: Vec::new(),
        governance_files: Vec::new(),
        iac_addresses: Vec::new(),
        iac_removed: Vec::new(),
        critical_resources: Vec::new(),
        data_flow: Vec::new(),
        operations: Operations::default(),
    }
}

fn file(path: &str, lines: &[(u32, &str)]) -> FileChange {
    let added = lines
        .iter()
        .map(|(number, line)| (*number, (*line).to_owned()))
        .collect();
    FileChange {
        path: path.to_owned(),
        kind: ChangeKind::Modified,
        removed: Vec::new(),
        added,
    }
}

#[test]
fn an_upgrade_of_the_package_alone_is_minimal() {
    let kind = FixKind::DependencyUpgrade;
    for (packages, finding, expected) in [
        (
            vec![("pypi", "Zope.Interface")],
            about("zope-interface", None),
            Some(true),
        ),
        (vec![("pypi", "a"), ("pypi", "b")], about("a", None), None),
        (vec![("pypi", "a"), ("npm", "b")], about("a", None), Some(false)),
        (vec![("pypi", "b")], about("a", Some(true)), Some(false)),
        (vec![("pypi", "b")], about("a", None), None),
        (vec![("pypi", "a")], finding(FindingClass::Dependency), None),
    ] {
        assert_eq!(
            minimal(&[], &classified(kind, &packages), &[&finding]),
            expected,
            "{packages:?}"
        );
    }
}

#[test]
fn a_change_in_code_is_minimal_near_the_place() {
    let kind = classified(FixKind::Logic, &[]);
    for (files, finding, expected) in [
        (
            vec![file("a.py", &[(12, "x"), (1, "import os")])],
            at("a.py", Some(10)),
            Some(true),
        ),
        (vec![file("a.py", &[(120, "x")])], at("a.py", Some(10)), Some(false)),
        (vec![file("a.py", &[(12, "x")])], at("a.py", None), None),
        (
            vec![file("a.py", &[(12, "x")]), file("b.py", &[(1, "x")])],
            at("a.py", Some(10)),
            Some(false),
        ),
        (vec![file("a.py", &[(12, "x")])], finding(FindingClass::Code), None),
        (vec![file("a.py", &[(12, "x")])], about("a", None), None),
    ] {
        assert_eq!(minimal(&files, &kind, &[&finding]), expected, "{files:?}");
    }
    assert_eq!(minimal(&[], &kind, &[]), None);
}

#[test]
fn terraform_is_minimal_on_the_address_and_layout_never_is() {
    let mut found = classified(FixKind::IacAttribute, &[]);
    found.iac_addresses = vec!["aws_s3_bucket.a".to_owned()];
    let mut finding = finding(FindingClass::Iac);
    assert_eq!(minimal(&[], &found, &[&finding]), None);
    finding.iac_address = Some("module.x.aws_s3_bucket.a[0]".to_owned());
    assert_eq!(minimal(&[], &found, &[&finding]), Some(true));
    found.iac_removed = vec!["aws_s3_bucket.b".to_owned()];
    assert_eq!(minimal(&[], &found, &[&finding]), Some(false));
    assert_eq!(
        minimal(&[], &classified(FixKind::Formatting, &[]), &[&finding]),
        Some(false)
    );
    let mut governed = classified(FixKind::ConfigFlag, &[]);
    governed.governance_files = vec!["CODEOWNERS".to_owned()];
    assert_eq!(minimal(&[], &governed, &[&finding]), Some(false));
}
