//! Labelled diffs: no logic change is ever called mechanical, and few mechanical ones are missed.
//!
//! Each file in `diffs/<label>/` is one diff: a line that says what it is, then the files of both
//! sides, as `=== before PATH [MODE]` and `=== after PATH [MODE]`. The label is the kind; what is
//! in `adversarial` is logic dressed up as something else. `\0` in a text stands for a zero byte,
//! `\x0d`, `\x0b` and `\x0c` for line breaks that aren't line feeds.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts tests, but not what they share"
)]

use std::collections::BTreeMap;
use std::path::Path;

use git2::Repository;
use git2::build::TreeUpdateBuilder;
use holdpoint_fixes::apply::from_commit;
use holdpoint_fixes::classify::classify;
use holdpoint_schemas::fix::{Classification, FixClass, FixKind};

/// Path to mode and content.
type Side = BTreeMap<String, (i32, String)>;

struct Case {
    name: String,
    label: String,
    before: Side,
    after: Side,
}

impl Case {
    fn read(label: &str, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (note, sections) = text.split_once("\n=== ").unwrap();
        assert!(!note.trim().is_empty(), "{name} doesn't say what it is");
        let (mut before, mut after) = (Side::new(), Side::new());
        for section in sections.split("\n=== ") {
            let (head, body) = section.split_once('\n').unwrap_or((section, ""));
            let words: Vec<&str> = head.split(' ').collect();
            let mode = words
                .get(2)
                .map_or(0o100_644, |mode| i32::from_str_radix(mode, 8).unwrap());
            // The line feed before the next section belongs to the text.
            let end = if body.is_empty() || body.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            let body = [("\\0", "\0"), ("\\x0d", "\r"), ("\\x0b", "\u{b}"), ("\\x0c", "\u{c}")]
                .iter()
                .fold(body.to_owned(), |body, (mark, byte)| body.replace(mark, byte));
            let body = format!("{body}{end}");
            let side = match words[0] {
                "before" => &mut before,
                "after" => &mut after,
                other => panic!("{name}: `{other}` is no side"),
            };
            side.insert(words[1].to_owned(), (mode, body));
        }
        Self {
            name,
            label: label.to_owned(),
            before,
            after,
        }
    }

    /// What the diff is said to be; a diff that is refused before has none.
    fn classified(&self, repo: &Repository) -> Option<Classification> {
        let commit = |side: &Side| {
            let mut builder = TreeUpdateBuilder::new();
            for (path, (mode, text)) in side {
                let blob = repo.blob(text.as_bytes()).unwrap();
                let mode = match mode {
                    0o120_000 => git2::FileMode::Link,
                    0o100_755 => git2::FileMode::BlobExecutable,
                    _ => git2::FileMode::Blob,
                };
                builder.upsert(path.as_str(), blob, mode);
            }
            let empty = repo
                .find_tree(repo.treebuilder(None).unwrap().write().unwrap())
                .unwrap();
            let tree = repo.find_tree(builder.create_updated(repo, &empty).unwrap()).unwrap();
            let who = git2::Signature::new("t", "t@example.org", &git2::Time::new(0, 0)).unwrap();
            // A commit can say of itself what it likes.
            repo.commit(None, &who, &who, "class: mechanical", &tree, &[])
                .unwrap()
                .to_string()
        };
        let applied = from_commit(repo, &commit(&self.before), &commit(&self.after)).ok()?;
        let read = |side: &Side, path: &str| side.get(path).map(|(_, text)| text.clone());
        Some(classify(&applied.files, &|path| read(&self.before, path), &|path| {
            read(&self.after, path)
        }))
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diffs");
    let mut found = Vec::new();
    for label in std::fs::read_dir(root).unwrap() {
        let label = label.unwrap().path();
        let name = label.file_name().unwrap().to_str().unwrap();
        for file in std::fs::read_dir(&label).unwrap() {
            found.push(Case::read(name, &file.unwrap().path()));
        }
    }
    found.sort_by(|a, b| (&a.label, &a.name).cmp(&(&b.label, &b.name)));
    found
}

const KINDS: [FixKind; 8] = [
    FixKind::DependencyUpgrade,
    FixKind::SecretToReference,
    FixKind::SecurityHeader,
    FixKind::ConfigFlag,
    FixKind::IacAttribute,
    FixKind::Formatting,
    FixKind::GeneratedCode,
    FixKind::Logic,
];

#[test]
fn no_logic_is_called_mechanical_and_nine_in_ten_mechanical_ones_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repository::init_bare(folder.path()).unwrap();
    let cases = cases();
    let mut matrix: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut dangerous, mut missed, mut mechanical) = (Vec::new(), Vec::new(), 0);
    for case in &cases {
        let found = case.classified(&repo);
        let kind = found.as_ref().map_or(FixKind::Logic, |found| found.kind);
        let because = found.map_or_else(|| "refused".to_owned(), |found| found.because);
        *matrix.entry((&case.label, kind.as_str())).or_default() += 1;
        let line = format!("{}/{}: {} ({because})", case.label, case.name, kind.as_str());
        let is_logic = matches!(case.label.as_str(), "logic" | "adversarial");
        mechanical += usize::from(!is_logic);
        if is_logic && kind.class() == FixClass::Mechanical {
            dangerous.push(line);
        } else if !is_logic && kind.as_str() != case.label {
            missed.push(line);
        }
    }
    println!(
        "{:<20}{}",
        "",
        KINDS.map(|kind| format!("{:>20}", kind.as_str())).concat()
    );
    let labels = KINDS.map(FixKind::as_str);
    for label in labels.iter().chain(&["adversarial"]) {
        let cells = KINDS.map(|kind| format!("{:>20}", matrix.get(&(*label, kind.as_str())).copied().unwrap_or(0)));
        println!("{label:<20}{}", cells.concat());
        assert!(
            cases.iter().any(|case| case.label == *label),
            "no diff is labelled {label}"
        );
    }
    assert!(
        cases
            .iter()
            .all(|case| case.label == "adversarial" || labels.contains(&case.label.as_str()))
    );
    let adversarial = cases.iter().filter(|case| case.label == "adversarial").count();
    println!("{} diffs, {adversarial} of them adversarial", cases.len());
    println!("logic called mechanical: {}", dangerous.len());
    println!(
        "mechanical ones recognised: {} of {mechanical}",
        mechanical - missed.len()
    );
    println!("{}", missed.join("\n"));
    assert!(cases.len() >= 120 && adversarial >= 45);
    assert!(dangerous.is_empty(), "{}", dangerous.join("\n"));
    assert!(
        10 * (mechanical - missed.len()) >= 9 * mechanical,
        "{}",
        missed.join("\n")
    );
}
