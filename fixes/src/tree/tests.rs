use super::*;
use crate::apply::tests::{Fixture, entry};

fn entries(tar: &[u8]) -> Vec<(String, u32, String)> {
    let mut archive = tar::Archive::new(tar);
    archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.uid().unwrap(), 10_001);
            assert_eq!(header.gid().unwrap(), 10_001);
            let link = entry
                .link_name()
                .unwrap()
                .map(|l| l.display().to_string())
                .unwrap_or_default();
            (
                entry.path().unwrap().display().to_string(),
                header.mode().unwrap(),
                link,
            )
        })
        .collect()
}

#[test]
fn a_tree_becomes_a_tar_below_one_folder() {
    let fixture = Fixture::new();
    let tree = fixture.tree(&[
        entry("run.sh", 0o100_755, "#!/bin/sh\r\n"),
        entry("src/deep/a.txt", 0o100_644, "a"),
        entry("src/link", 0o120_000, "../run.sh"),
    ]);
    let tar = export_tar(&fixture.repo, &tree, ExportLimits::default()).unwrap();
    assert_eq!(
        entries(&tar),
        [
            ("run.sh".to_owned(), 0o755, String::new()),
            ("src/deep/a.txt".to_owned(), 0o644, String::new()),
            ("src/link".to_owned(), 0o777, "../run.sh".to_owned()),
        ]
    );
    assert_eq!(tar, export_tar(&fixture.repo, &tree, ExportLimits::default()).unwrap());
}

#[test]
fn attributes_of_the_repo_change_no_byte() {
    let fixture = Fixture::new();
    let tree = fixture.tree(&[
        entry(".gitattributes", 0o100_644, "* text eol=crlf filter=evil ident\n"),
        entry("a.txt", 0o100_644, "$Id$\nx\n"),
    ]);
    let tar = export_tar(&fixture.repo, &tree, ExportLimits::default()).unwrap();
    assert!(tar.windows(7).any(|w| w == b"$Id$\nx\n"));
    assert_eq!(read_blob(&fixture.repo, &tree, "a.txt").unwrap(), b"$Id$\nx\n");
}

#[test]
fn a_link_is_exported_wherever_it_points_and_refused_where_that_is_no_path() {
    for (target, is_path) in [
        ("/etc/passwd", true),
        ("../../x", true),
        ("b/../../../x", true),
        ("gone", true),
        ("", false),
        ("a\0b", false),
        (&"a/".repeat(2049), false),
    ] {
        let fixture = Fixture::new();
        let tree = fixture.tree(&[entry("a/l", 0o120_000, target)]);
        let exported = export_tar(&fixture.repo, &tree, ExportLimits::default());
        let checked = check_exportable(&fixture.repo, &tree, ExportLimits::default());
        assert_eq!(checked.is_ok(), is_path, "{target}");
        match exported {
            Ok(tar) => {
                let mut archive = tar::Archive::new(tar.as_slice());
                let link = archive.entries().unwrap().next().unwrap().unwrap();
                assert!(is_path, "{target}");
                assert_eq!(link.link_name().unwrap().unwrap(), Path::new(target));
            }
            Err(error) => {
                assert!(!is_path, "{target}: {error}");
                assert!(error.to_string().contains("symbolic link"), "{target}: {error}");
            }
        }
    }
}

#[test]
fn a_tree_beyond_the_limits_is_refused() {
    let fixture = Fixture::new();
    let tree = fixture.tree(&[entry("a", 0o100_644, "12345"), entry("b", 0o100_644, "67890")]);
    let small = |max_bytes, max_files| ExportLimits {
        max_bytes,
        max_files,
        mtime: 0,
    };
    assert!(export_tar(&fixture.repo, &tree, small(9, 10)).is_err());
    assert!(export_tar(&fixture.repo, &tree, small(10, 1)).is_err());
    assert!(export_tar(&fixture.repo, &tree, small(10, 2)).is_ok());
}

#[test]
fn a_long_path_survives_the_tar() {
    let fixture = Fixture::new();
    let path = format!("{}/x.txt", ["folder"; 40].join("/"));
    let tree = fixture.tree(&[entry(&path, 0o100_644, "x")]);
    let tar = export_tar(&fixture.repo, &tree, ExportLimits::default()).unwrap();
    assert!(entries(&tar).iter().any(|(name, ..)| *name == path));
}

#[test]
fn files_are_listed_and_read_by_path() {
    let fixture = Fixture::new();
    let tree = fixture.tree(&[
        entry("b/c", 0o100_644, "x"),
        entry("a", 0o100_755, "y"),
        entry("l", 0o120_000, "a"),
    ]);
    assert_eq!(list_files(&fixture.repo, &tree), ["a", "b/c"]);
    assert_eq!(read_blob(&fixture.repo, &tree, "b/c").unwrap(), b"x");
    for absent in ["l", "b", "nope", "../a", ""] {
        assert_eq!(read_blob(&fixture.repo, &tree, absent), None, "{absent}");
    }
}

#[test]
fn a_tree_that_is_not_there_is_said_so() {
    let fixture = Fixture::new();
    for id in ["", "abc", "0000000000000000000000000000000000000000", "zz"] {
        let error = export_tar(&fixture.repo, id, ExportLimits::default()).unwrap_err();
        assert!(error.to_string().starts_with("no tree"), "{error}");
        assert!(list_files(&fixture.repo, id).is_empty());
    }
}
