use super::*;
use proptest::prelude::*;

use Ecosystem::{Apk, CratesIo, Deb, Go, Maven, Npm, NuGet, Packagist, Pub, PyPi, Rpm, RubyGems};

fn order(ecosystem: Ecosystem, line: &str) {
    let (a, rest) = line.split_once(' ').unwrap();
    let (sign, b) = rest.split_once(' ').unwrap();
    let wanted = match sign {
        "<" => Ordering::Less,
        "=" => Ordering::Equal,
        ">" => Ordering::Greater,
        _ => unreachable!("{sign}"),
    };
    assert_eq!(compare(ecosystem, a, b), Some(wanted), "{ecosystem:?}: {line}");
    assert_eq!(
        compare(ecosystem, b, a),
        Some(wanted.reverse()),
        "{ecosystem:?}: {line}, turned"
    );
}

#[test]
fn versions_are_ordered_as_their_ecosystem_says() {
    order(PyPi, "1.0rc1 < 1.0");
    order(PyPi, "1.0.post1 > 1.0");
    order(PyPi, "1!1.0 > 9.0");
    order(Npm, "1.0.0-rc.1 < 1.0.0");
    order(Npm, "1.10.0 > 1.9");
    order(CratesIo, "1.0.0+a = 1.0.0+b");
    order(
        Go,
        "v0.0.0-20191109021931-daa7c04131f5 < v0.0.0-20200622213623-75b288015ac9",
    );
    order(Go, "v2.0.0+incompatible = 2.0.0");
    order(Maven, "2.13.4.2 > 2.13.4");
    order(Maven, "5.3.20.RELEASE = 5.3.20");
    order(Maven, "31.1-jre > 31.1-android");
    order(Maven, "1.0-SNAPSHOT < 1.0");
    order(NuGet, "1.0.0.1 > 1.0");
    order(NuGet, "13.0.1-BETA2 = 13.0.1-beta2");
    order(RubyGems, "6.1.0.rc1 < 6.1");
    order(RubyGems, "1.0.0 = 1");
    order(Packagist, "5.4.0-BETA1 < 5.4.0");
    order(Packagist, "v5.4.10 > 5.4.9");
    order(Pub, "1.0.0+1 < 1.0.0+2");
    order(Ecosystem::Hackage, "1.2 < 1.2.0");
    order(Ecosystem::Cran, "1.2-3 < 1.2.10");
    order(Deb("debian"), "1.1.1n-0+deb11u5 < 1.1.1w-0+deb11u1");
    order(Deb("ubuntu"), "2:1.0 > 1:9.0");
    order(Deb("debian"), "1.0~rc1 < 1.0");
    order(Apk("alpine"), "1.1.1w-r1 > 1.1.1w-r0");
    order(Apk("alpine"), "2.0_rc1 < 2.0");
    order(Rpm("redhat"), "1:1.0-1.el9 > 9.0-1.el9");
    order(Rpm("redhat"), "1.0.2k-19.el7 < 1.0.2k-26.el7_9");
    order(Rpm("redhat"), "1.0~rc1-1 < 1.0-1");
}

#[test]
fn what_is_no_version_has_no_order() {
    let all = [
        PyPi,
        Npm,
        CratesIo,
        Go,
        Maven,
        NuGet,
        RubyGems,
        Packagist,
        Pub,
        Deb("debian"),
        Apk("alpine"),
        Rpm("redhat"),
        Ecosystem::Cran,
    ];
    for ecosystem in all {
        for text in ["", " ", "not a version", &"1.".repeat(2_000)] {
            assert_eq!(compare(ecosystem, text, "1.0"), None, "{ecosystem:?}: `{text}`");
            assert_eq!(compare(ecosystem, "1.0", text), None, "{ecosystem:?}: `{text}`");
        }
    }
    for ecosystem in [PyPi, Npm, Go, NuGet, RubyGems, Deb("debian"), Apk("alpine")] {
        assert_eq!(compare(ecosystem, "latest", "1.0"), None, "{ecosystem:?}");
    }
    assert_eq!(compare(Maven, "[1.0,2.0)", "1.0"), None);
    assert_eq!(compare(Maven, "${project.version}", "1.0"), None);
    assert_eq!(compare(NuGet, "1.2.3.4.5", "1.0"), None);
    assert_eq!(compare(Deb("debian"), "x:1.0", "1.0"), None);
}

#[test]
fn thirty_digits_are_compared_by_value() {
    let (small, large) = ("9".repeat(30), format!("1{}", "0".repeat(30)));
    for ecosystem in [
        PyPi,
        Npm,
        Maven,
        NuGet,
        RubyGems,
        Packagist,
        Deb("debian"),
        Apk("alpine"),
        Rpm("suse"),
        Pub,
    ] {
        assert_eq!(
            compare(ecosystem, &small, &large),
            Some(Ordering::Less),
            "{ecosystem:?}"
        );
        assert_eq!(
            compare(ecosystem, &large, "2"),
            Some(Ordering::Greater),
            "{ecosystem:?}"
        );
        assert_eq!(
            compare(ecosystem, &large, &large),
            Some(Ordering::Equal),
            "{ecosystem:?}"
        );
        let padded = format!("1.{small}.1");
        assert_eq!(
            compare(ecosystem, &padded, "1.2.1"),
            Some(Ordering::Greater),
            "{ecosystem:?}"
        );
    }
}

#[test]
fn versions_are_sorted_and_doubles_go() {
    let versions = ["2.0", "x", "1.10", "1.9", "2.0"].map(str::to_owned).to_vec();
    assert_eq!(sorted_versions(PyPi, versions), ["1.9", "1.10", "2.0", "x"]);
}

#[test]
fn purls_are_normalised() {
    assert_eq!(PyPi.purl("Flask_Login", Some("0.6")), "pkg:pypi/flask-login@0.6");
    assert_eq!(Npm.purl("@babel/core", Some("7.0.0")), "pkg:npm/%40babel/core@7.0.0");
    assert_eq!(Maven.purl("org.a:b", Some("1")), "pkg:maven/org.a/b@1");
    assert_eq!(Deb("ubuntu").purl("bash", Some("5.1-2")), "pkg:deb/ubuntu/bash@5.1-2");
}

#[test]
fn ecosystems_are_known_by_their_names_in_osv_and_in_package_urls() {
    assert_eq!(Ecosystem::from_osv("Debian:12"), Some(Deb("debian")));
    assert_eq!(Ecosystem::from_osv("Red Hat:enterprise_linux:9"), Some(Rpm("redhat")));
    assert_eq!(Ecosystem::from_osv("Bogus"), None);
    assert_eq!(Ecosystem::from_purl("cargo", None), Some(CratesIo));
    assert_eq!(Ecosystem::from_purl("golang", Some("github.com/x")), Some(Go));
    assert_eq!(Ecosystem::from_purl("deb", Some("ubuntu")), Some(Deb("ubuntu")));
    assert_eq!(Ecosystem::from_purl("deb", Some("kali")), Some(Deb("debian")));
    assert_eq!(Ecosystem::from_purl("bogus", None), None);
}

/// Texts near to versions: what the grammars are made of, in any order, so that also odd ones come up.
fn text() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "0",
        "1",
        "2",
        "01",
        "007",
        "10",
        "99999999999999999999",
        ".",
        ".",
        ".",
        "-",
        "-",
        "+",
        "_",
        "~",
        "^",
        ":",
        "a",
        "b",
        "m",
        "rc",
        "alpha",
        "beta",
        "dev",
        "post",
        "pre",
        "p",
        "r",
        "-r",
        "sp",
        "ga",
        "final",
        "SNAPSHOT",
        "x",
        "v",
        "A",
        "!",
        "1.0",
        "1.2.3",
    ]);
    proptest::collection::vec(pieces, 1..7).prop_map(|pieces| pieces.concat())
}

fn ecosystem() -> impl Strategy<Value = Ecosystem> {
    proptest::sample::select(vec![
        PyPi,
        Npm,
        NuGet,
        Pub,
        Maven,
        RubyGems,
        Packagist,
        Ecosystem::Cran,
        Deb("debian"),
        Apk("alpine"),
        Rpm("redhat"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_order_is_total(ecosystem in ecosystem(), texts in proptest::collection::vec(text(), 6)) {
        let versions: Vec<String> = texts.into_iter().filter(|t| compare(ecosystem, t, t).is_some()).collect();
        for a in &versions {
            prop_assert_eq!(compare(ecosystem, a, a), Some(Ordering::Equal));
            for b in &versions {
                let ab = compare(ecosystem, a, b);
                prop_assert!(ab.is_some());
                prop_assert_eq!(ab.map(Ordering::reverse), compare(ecosystem, b, a), "{} and {}", a, b);
                for c in &versions {
                    let bc = compare(ecosystem, b, c);
                    if ab.is_some_and(Ordering::is_le) && bc.is_some_and(Ordering::is_le) {
                        let ac = compare(ecosystem, a, c);
                        prop_assert!(ac.is_some_and(Ordering::is_le), "{} <= {} <= {}", a, b, c);
                        let strict = ab.is_some_and(Ordering::is_lt) || bc.is_some_and(Ordering::is_lt);
                        prop_assert!(!strict || ac.is_some_and(Ordering::is_lt), "{} < {} < {}", a, b, c);
                    }
                }
            }
        }
    }

    #[test]
    fn no_text_panics(ecosystem in ecosystem(), a in ".{0,40}", b in ".{0,40}") {
        prop_assert_eq!(compare(ecosystem, &a, &b).map(Ordering::reverse), compare(ecosystem, &b, &a));
    }
}
