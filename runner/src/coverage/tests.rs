use super::*;

fn repo(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

fn lines(report: &str, path: &str) -> Vec<(u32, bool)> {
    let coverage = read(report.as_bytes(), &repo(&["src/a.x", "src/b.x", "other/b.x"])).unwrap();
    coverage.file(path).map_or_else(Vec::new, |lines| {
        lines.iter().map(|(line, ran)| (*line, *ran)).collect()
    })
}

#[test]
fn every_format_says_the_same() {
    let lcov = "TN:\nSF:/workspace/repo/src/a.x\nDA:1,3\nDA:2,0,abc\nend_of_record\n";
    let cobertura = r#"<?xml version="1.0" ?><!DOCTYPE coverage SYSTEM "http://cobertura.example/x.dtd"><coverage><packages><package><classes>
        <class filename="a.x"><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>"#;
    let jacoco = r#"<?xml version="1.0"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="x"><package name="src">
        <sourcefile name="a.x"><line nr="1" mi="0" ci="2"/><line nr="2" mi="3" ci="0"/></sourcefile></package></report>"#;
    let python = r#"{"meta": {"version": "6.5.0"}, "files": {"src/a.x": {"executed_lines": [1], "missing_lines": [2], "summary": {}}}}"#;
    let istanbul = r#"{"/workspace/repo/src/a.x": {"path": "/workspace/repo/src/a.x", "statementMap": {"0": {"start": {"line": 1, "column": 0},
        "end": {"line": 1, "column": 9}}, "1": {"start": {"line": 2, "column": 0}, "end": {"line": 2, "column": 9}}}, "s": {"0": 4, "1": 0}}}"#;
    let go = "mode: set\nexample.org/m/src/a.x:1.1,1.9 1 1\nexample.org/m/src/a.x:2.1,2.9 1 0\n";
    for report in [lcov, cobertura, jacoco, python, istanbul, go] {
        assert_eq!(lines(report, "src/a.x"), [(1, true), (2, false)], "{report}");
    }
}

#[test]
fn a_path_that_fits_two_files_fits_none() {
    assert_eq!(place("b.x", &repo(&["src/b.x", "other/b.x"])), None);
    assert_eq!(place("./src/b.x", &repo(&["src/b.x", "other/b.x"])), Some("src/b.x"));
    assert_eq!(place("/usr/lib/python3/b.y", &repo(&["src/b.x"])), None);
}

#[test]
fn other_files_are_refused() {
    assert_eq!(read(b"hello", &repo(&[])), Err(BadCoverage::Unknown));
    assert_eq!(read(b"\xff", &repo(&[])), Err(BadCoverage::Unknown));
    for broken in [
        "{\"meta\": 1}",
        "SF:a\nDA:x,1\n",
        "mode: set\nnonsense\n",
        "<coverage",
        "{\"a\": {}}",
    ] {
        assert!(
            matches!(
                read(broken.as_bytes(), &repo(&[])),
                Err(BadCoverage::Malformed(..) | BadCoverage::Unknown)
            ),
            "{broken}"
        );
    }
}

#[test]
fn v8_ranges_become_lines_and_processes_add_up() {
    let source = "exports.add=(a,b)=>{\n  return a+b;\n};\nexports.sub=(a,b)=>{\n  return a-b;\n};\n";
    let sub = source.find("(a,b)=>{\n  return a-b").unwrap();
    let end = source.rfind('}').unwrap() + 1;
    let report = |count: u32| {
        format!(
            r#"{{"result": [{{"scriptId": "1", "url": "file:///workspace/repo/m.js", "functions": [
            {{"functionName": "", "ranges": [{{"startOffset": 0, "endOffset": {}, "count": 1}}], "isBlockCoverage": true}},
            {{"functionName": "sub", "ranges": [{{"startOffset": {sub}, "endOffset": {end}, "count": {count}}}], "isBlockCoverage": false}}]}},
            {{"scriptId": "2", "url": "node:fs", "functions": []}}]}}"#,
            source.len()
        )
    };
    let sources = BTreeMap::from([("m.js".to_owned(), source)]);
    let mut coverage = Coverage::default();
    read_v8(report(0).as_bytes(), &sources, &mut coverage).unwrap();
    assert!(coverage.file("m.js").unwrap()[&2]);
    assert!(!coverage.file("m.js").unwrap()[&5]);
    read_v8(report(1).as_bytes(), &sources, &mut coverage).unwrap();
    assert!(coverage.file("m.js").unwrap()[&5]);
    assert!(read_v8(b"{}", &sources, &mut coverage).is_err());
}

#[test]
fn a_tool_is_chosen_by_the_files_ending_and_keeps_the_tests_status() {
    let python = adapter("src/a.py").unwrap();
    assert_eq!(python.name, "coverage.py");
    let command = python.command("python3 -m unittest");
    assert!(command.contains("(\npython3 -m unittest\n)\nstatus=$?\n"), "{command}");
    assert!(command.ends_with("exit $status\n"), "{command}");
    assert!(adapter("README.md").is_none());
}

#[test]
fn every_tools_script_is_one_that_a_plain_shell_reads() {
    for path in ["a.py", "a.js", "a.rs", "a.go", "a.java"] {
        let script = adapter(path).unwrap().command("true");
        let checked = std::process::Command::new("sh")
            .args(["-n", "-c", &script])
            .output()
            .unwrap();
        assert!(
            checked.status.success(),
            "{path}: {}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
}
