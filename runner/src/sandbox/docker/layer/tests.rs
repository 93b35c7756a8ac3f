use super::*;

fn paths(list: &[&str]) -> BTreeSet<PathBuf> {
    list.iter().map(PathBuf::from).collect()
}

fn hides(removed: &[&str], written: &[&str], base: &[&str], expected: &[&str]) {
    let base: Vec<_> = base.iter().map(PathBuf::from).collect();
    assert_eq!(hidden(&paths(removed), &paths(written), &base), paths(expected));
}

#[test]
fn a_removed_file_is_hidden_and_its_neighbours_stay() {
    hides(&["a/x"], &[], &["a", "a/x", "a/y", "b"], &["a/x"]);
}

#[test]
fn a_folder_without_files_goes_as_a_whole_with_what_the_build_left_in_it() {
    hides(
        &["a/b/x", "a/b/c/y"],
        &[],
        &["a", "a/b", "a/b/x", "a/b/c", "a/b/c/y", "a/z"],
        &["a/b"],
    );
    hides(&["a/b/x"], &["a", "a/b", "a/b/new"], &["a", "a/b", "a/b/x"], &["a/b/x"]);
    hides(&["x"], &[], &["x"], &["x"]);
}

#[test]
fn what_is_written_in_its_place_hides_it_already() {
    hides(&["a"], &["a", "a/b"], &["a", "c"], &[]);
    hides(&["a/b"], &["a"], &["a", "a/b", "c"], &[]);
}

#[test]
fn a_removed_path_that_leaves_the_repo_is_refused() {
    for path in ["../x", "/etc/passwd", "", "a/../../b", "a\0b"] {
        let change = TreeChange {
            written: Vec::new(),
            removed: vec![path.to_owned()],
        };
        let made = of_change(&change, &[], SystemTime::now());
        assert!(matches!(made, Err(SandboxError::BadPath(_))), "{path:?}");
    }
}

#[test]
fn a_removed_file_becomes_a_device_that_overlayfs_takes_for_nothing() {
    let change = TreeChange {
        written: Vec::new(),
        removed: vec!["src/old.rs".to_owned()],
    };
    let base = [
        PathBuf::from("src"),
        PathBuf::from("src/old.rs"),
        PathBuf::from("src/new.rs"),
    ];
    let layer = of_change(&change, &base, SystemTime::now()).unwrap();
    let kinds: Vec<_> = Archive::new(layer.as_slice())
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            (
                name,
                entry.header().entry_type(),
                entry.header().device_major().ok().flatten(),
            )
        })
        .collect();
    let whiteout = (
        "store/layer/workspace/repo/src/old.rs".to_owned(),
        EntryType::Char,
        Some(0),
    );
    assert_eq!(kinds.last(), Some(&whiteout));
    let folder = kinds
        .iter()
        .any(|(name, kind, _)| name.ends_with("repo/src") && kind.is_dir());
    assert!(folder, "{kinds:?}");
}

#[test]
fn a_shells_line_numbers_name_the_changed_paths() {
    let tree = [PathBuf::from("a"), PathBuf::from("b\nc"), PathBuf::from("d")];
    assert_eq!(changed_paths(&tree, b"3\n0\n9\nx\n"), paths(&["b\nc", "d"]));
}
