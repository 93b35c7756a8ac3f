use holdpoint_schemas::fix::{ChangeKind, FixKind};

use super::*;
use crate::classify::classify;

/// Restart, reboot and migration for one file that changes one line.
fn needs(path: &str, before: &str, after: &str) -> [Option<bool>; 3] {
    let lines = |text: &str| text.lines().map(|line| (1, line.to_owned())).collect();
    let change = FileChange {
        path: path.to_owned(),
        kind: ChangeKind::Modified,
        removed: lines(before),
        added: lines(after),
    };
    let (old, new) = (
        |_: &str| Some(format!("{before}\n")),
        |_: &str| Some(format!("{after}\n")),
    );
    let found = classify(&[change], &old, &new).operations;
    for need in [&found.restart, &found.reboot, &found.migration] {
        assert!(need.because.contains(path), "{}", need.because);
    }
    [found.restart.needed, found.reboot.needed, found.migration.needed]
}

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

#[test]
fn each_kind_of_file_has_its_needs() {
    for (path, before, after, expected) in [
        ("requirements.txt", "a==1.0", "a==1.1", [YES, NO, NO]),
        ("requirements-dev.txt", "a==1.0", "a==1.1", [NO, NO, NO]),
        ("requirements.txt", "django==3.2.1", "django==4.2.1", [YES, NO, None]),
        ("package.json", "{", "}", [None, NO, None]),
        ("src/a.py", "x = 1", "x = 2", [YES, NO, NO]),
        ("src/a.py", "x=1", "x = 1", [NO, NO, NO]),
        ("config/a.yaml", "debug: true", "debug: false", [YES, NO, NO]),
        ("README.md", "a", "b", [NO, NO, NO]),
        ("tests/test_a.py", "x = 1", "x = 2", [NO, NO, NO]),
        (".github/workflows/ci.yml", "a: 1", "a: 2", [NO, NO, NO]),
        ("app/migrations/0002_x.py", "a", "b", [None, NO, YES]),
        ("db/migrate/2020_x.rb", "a", "b", [None, NO, YES]),
        ("src/main/resources/db/migration/V2__x.sql", "a", "b", [None, NO, YES]),
        (
            "shop/models.py",
            "a = models.CharField(1)",
            "a = models.CharField(2)",
            [YES, NO, YES],
        ),
        ("prisma/schema.prisma", "a", "b", [YES, NO, YES]),
        ("api/a.proto", "a", "b", [YES, NO, None]),
        (
            "Dockerfile",
            "FROM python:3.11-slim",
            "FROM python:3.12-slim",
            [YES, NO, NO],
        ),
        (
            "Dockerfile",
            "RUN apt-get install linux-image-amd64=1",
            "RUN apt-get install linux-image-amd64=2",
            [YES, NO, NO],
        ),
        (
            "compose.yaml",
            "    image: postgres:14.1",
            "    image: postgres:15.1",
            [YES, NO, YES],
        ),
        (
            "compose.yaml",
            "    image: postgres:14.1",
            "    image: postgres:14.2",
            [YES, NO, NO],
        ),
        (
            "compose.yaml",
            "    image: postgres:14",
            "    image: postgres:latest",
            [YES, NO, None],
        ),
        (
            "ansible/hosts.yml",
            "  - linux-image-amd64=1",
            "  - linux-image-amd64=2",
            [YES, YES, NO],
        ),
        ("ansible/hosts.yml", "  - openssl=1", "  - openssl=2", [YES, NO, NO]),
        (
            "ansible/hosts.yml",
            "  - postgresql-14",
            "  - postgresql-15",
            [YES, NO, None],
        ),
        ("ansible/hosts.yml", "  x: 1", "  x: 2", [None, None, None]),
        ("deploy/app.service", "Restart=no", "Restart=always", [YES, NO, NO]),
        ("etc/sysctl.d/a.conf", "a=1", "a=2", [None, None, NO]),
        ("etc/default/grub", "a", "b", [YES, YES, NO]),
        ("run.sh", "a", "b", [None, None, None]),
        ("blob.bin", "a", "b", [None, None, None]),
    ] {
        assert_eq!(needs(path, before, after), expected, "{path}: {before} -> {after}");
    }
}

#[test]
fn terraform_says_what_it_knows() {
    let engine = |version| format!("resource \"aws_db_instance\" \"a\" {{\n  engine_version = \"{version}\"\n}}");
    assert_eq!(needs("a.tf", &engine("14.9"), &engine("15.2")), [YES, NO, YES]);
    assert_eq!(needs("a.tf", &engine("14.9"), &engine("14.10")), [YES, NO, NO]);
    let logs = |days| format!("resource \"aws_cloudwatch_log_group\" \"a\" {{\n  retention_in_days = {days}\n}}");
    assert_eq!(needs("a.tf", &logs(7), &logs(30)), [NO, NO, NO]);
    let group = |to| format!("resource \"aws_security_group\" \"a\" {{\n  x = \"{to}\"\n}}");
    assert_eq!(needs("a.tf", &group("a"), &group("b")), [None, None, NO]);
}

#[test]
fn the_strongest_answer_wins_and_no_file_is_unknown() {
    let (yes, no, unknown) = (Answer::Yes("y".to_owned()), Answer::No("n"), Answer::Unknown("u"));
    let over = |answers: &[&Answer]| combine(answers.iter().map(|answer| ("a", *answer))).needed;
    assert_eq!(over(&[&no, &unknown, &yes]), YES);
    assert_eq!(over(&[&no, &unknown]), None);
    assert_eq!(over(&[&no, &no]), NO);
    assert_eq!(over(&[]), None);
    assert_eq!(classify(&[], &|_| None, &|_| None).kind, FixKind::Logic);
}
