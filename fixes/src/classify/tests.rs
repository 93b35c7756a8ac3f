use std::collections::BTreeMap;

use holdpoint_schemas::fix::{DependencyScope, UpgradeStep};

use super::*;
use crate::apply::from_commit;
use crate::apply::tests::Fixture;

/// Classifies the difference of two sets of files, through real trees.
fn classified(before: &[(&str, &str)], after: &[(&str, &str)]) -> Classification {
    let fixture = Fixture::new();
    let commit = |files: &[(&str, &str)]| {
        let entries: Vec<(&str, i32, &[u8])> = files
            .iter()
            .map(|(path, text)| (*path, 0o100_644, text.as_bytes()))
            .collect();
        fixture.commit(&entries)
    };
    let applied = from_commit(&fixture.repo, &commit(before), &commit(after)).unwrap();
    let side = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect()
    };
    let (before, after) = (side(before), side(after));
    classify(&applied.files, &|path| before.get(path).cloned(), &|path| {
        after.get(path).cloned()
    })
}

fn one(path: &str, before: &str, after: &str) -> Classification {
    classified(&[(path, before)], &[(path, after)])
}

#[track_caller]
fn is(kind: FixKind, path: &str, before: &str, after: &str) -> Classification {
    let found = one(path, before, after);
    assert_eq!(found.kind, kind, "{}", found.because);
    assert!(!found.because.is_empty());
    found
}

fn hash(digit: char) -> String {
    format!("--hash=sha256:{}", digit.to_string().repeat(64))
}

#[test]
fn a_pin_that_moves_is_an_upgrade() {
    let found = is(
        FixKind::DependencyUpgrade,
        "requirements-dev.txt",
        "wheel==0.38.0  # tool\nb==1\n",
        "wheel==0.38.1\nb==1\n",
    );
    let upgrade = &found.upgrades[0];
    assert_eq!(
        (upgrade.package.as_str(), upgrade.step, upgrade.scope),
        ("wheel", UpgradeStep::Patch, DependencyScope::Dev)
    );
    let (old, new) = (
        format!("urllib3==1.26.17 \\\n    {} \\\n    {}\n", hash('a'), hash('b')),
        format!("urllib3==1.26.18 \\\n    {} \\\n    {}\n", hash('c'), hash('d')),
    );
    let found = is(FixKind::DependencyUpgrade, "requirements.txt", &old, &new);
    assert_eq!(
        (found.upgrades[0].scope, found.upgrades[0].to.as_deref()),
        (DependencyScope::Runtime, Some("1.26.18"))
    );
}

#[test]
fn what_hides_beside_a_pin_is_logic() {
    let pinned = format!("a==1.0 {}\n", hash('a'));
    for (before, after) in [
        ("a==1.0\n", "a==1.1\n-e .\n"),
        ("a==1.0\n", "a==1.1\n--index-url https://evil.example\n"),
        ("a==1.0\n", "a==1.1 --index-url=https://evil.example\n"),
        ("a==1.0\n", "a==1.1 ; python_version > '3' --config-settings x\n"),
        ("a==1.0\n", "a @ https://evil.example/a.whl\n"),
        ("a==1.0\n", "a==${X}\n"),
        ("a==1.0\n", "a==1.*\n"),
        ("a==1.0\n", "a>=1.0\n"),
        ("a==1.0\n", "b==1.0\n"),
        ("a==1.0\n", "a==1.1\nb==1\n"),
        ("a==1.0\n", "a==1.1 \\\n# x\n-e .\n"),
        ("a==1.0\n", "a==1.1 # x \\\n-e .\n"),
        ("# a \\\nb==1\n", "# a \\\n-e .\n"),
        (pinned.as_str(), "a==1.1\n"),
        (&pinned, &format!("a==1.0 {}\n", hash('b'))),
        ("a==1.0\n", "# only a comment\na==1.0\n"),
    ] {
        is(FixKind::Logic, "requirements.txt", before, after);
    }
}

#[test]
fn npm_manifest_and_lockfile_move_together() {
    let manifest =
        |v: &str| format!(r#"{{"name":"x","version":"1.0.0","scripts":{{"t":"t"}},"devDependencies":{{"a":"^{v}"}}}}"#);
    let lock = |v: &str, h: &str| {
        let h = h.repeat(43);
        format!(
            r#"{{"lockfileVersion":3,"packages":{{"":{{"devDependencies":{{"a":"^{v}"}}}},"node_modules/a":{{"version":"{v}","resolved":"https://r.example/a/-/a-{v}.tgz","integrity":"sha512-{h}==","dev":true}}}}}}"#
        )
    };
    let sides = |v: &str, h: &str| {
        [
            ("package.json".to_owned(), manifest(v)),
            ("package-lock.json".to_owned(), lock(v, h)),
        ]
    };
    let (before, after) = (sides("1.2.3", "aa"), sides("1.3.0", "bb"));
    fn refs(side: &[(String, String); 2]) -> Vec<(&str, &str)> {
        side.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
    }
    let found = classified(&refs(&before), &refs(&after));
    assert_eq!(found.kind, FixKind::DependencyUpgrade, "{}", found.because);
    assert_eq!(found.upgrades.len(), 1);
    assert_eq!(
        (found.upgrades[0].step, found.upgrades[0].scope),
        (UpgradeStep::Minor, DependencyScope::Dev)
    );
    let good = lock("1.2.3", "aa");
    for evil in [
        lock("1.2.3", "bb"),
        lock("1.3.0", "bb").replace("r.example/a/", "evil.example/a/"),
        lock("1.3.0", "bb").replace("\"dev\":true", "\"dev\":true,\"hasInstallScript\":true"),
        lock("1.3.0", "bb").replace("\"dev\":true", "\"dev\":false"),
        lock("1.3.0", "bb").replace("}}}", "},\"node_modules/evil\":{\"version\":\"1.0.0\"}}}"),
        lock("1.3.0", "bb").replace("\"version\":\"1.3.0\"", "\"version\":\"file:../evil\""),
        lock("1.3.0", "bb").replace("\"version\":\"1.3.0\"", "\"version\":\"1.3.0\",\"version\":\"1.3.1\""),
    ] {
        is(FixKind::Logic, "package-lock.json", &good, &evil);
    }
    let good = manifest("1.2.3");
    for evil in [
        manifest("1.2.4").replace("\"t\":\"t\"", "\"t\":\"rm -rf /\""),
        manifest("1.2.4").replace("^1.2.4", "git+https://evil.example/a"),
        manifest("1.2.4").replace("^1.2.4", "npm:evil@1.2.4"),
        manifest("1.2.4").replace("^1.2.4", ">=1.2.4"),
        manifest("1.2.4").replace("\"a\":", "\"b\":"),
    ] {
        is(FixKind::Logic, "package.json", &good, &evil);
    }
}

#[test]
fn cargo_manifest_and_lockfile_move_together() {
    let lock = |v: &str, sum: &str| {
        format!(
            "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"{v}\"\nsource = \"registry+x\"\nchecksum = \"{sum}\"\n\n[[package]]\nname = \"me\"\nversion = \"0.1.0\"\ndependencies = [\"a\"]\n"
        )
    };
    let found = is(
        FixKind::DependencyUpgrade,
        "Cargo.lock",
        &lock("1.0.1", "aa"),
        &lock("1.0.2", "bb"),
    );
    assert_eq!(found.upgrades[0].step, UpgradeStep::Patch);
    let good = lock("1.0.1", "aa");
    for evil in [
        lock("1.0.1", "bb"),
        lock("1.0.2", "aa"),
        lock("1.0.2", "bb").replace("registry+x", "git+https://evil.example"),
        lock("1.0.2", "bb").replace("\"0.1.0\"", "\"0.2.0\""),
        lock("1.0.2", "bb").replace("[\"a\"]", "[\"a\", \"evil\"]"),
    ] {
        is(FixKind::Logic, "Cargo.lock", &good, &evil);
    }
    let manifest = "[dependencies]\na = \"1.0.1\"\nb = { version = \"0.3.1\", features = [\"x\"] }\n";
    let found = is(
        FixKind::DependencyUpgrade,
        "Cargo.toml",
        manifest,
        &manifest.replace("0.3.1", "0.4.0"),
    );
    assert_eq!(found.upgrades[0].step, UpgradeStep::Major);
    for evil in [
        manifest.replace("\"x\"", "\"y\""),
        manifest.replace("\"1.0.1\"", "{ git = \"https://evil.example\" }"),
        format!("{manifest}c = \"1\"\n"),
    ] {
        is(FixKind::Logic, "Cargo.toml", manifest, &evil);
    }
}

#[test]
fn a_secret_becomes_a_reference_and_its_variable_is_listed() {
    let before =
        "const http = require(\"node:http\");\nconst SMTP_TOKEN = \"s3cr3t\";\nsend(process.env.HOST, SMTP_TOKEN);\n";
    let after = before.replace("\"s3cr3t\"", "process.env.SMTP_TOKEN");
    let found = is(FixKind::SecretToReference, "src/worker.js", before, &after);
    assert_eq!(found.new_variables, ["SMTP_TOKEN"]);
    assert!(!found.because.contains("s3cr3t"));
    let found = is(
        FixKind::SecretToReference,
        "a.py",
        "TOKEN = \"x\"\n",
        "import os\n\nTOKEN = os.environ[\"TOKEN\"]\n",
    );
    assert_eq!(found.new_variables, ["TOKEN"]);
    for after in [
        "import os\nTOKEN = os.environ[\"TOKEN\"]\nos.system(TOKEN)\n",
        "import os, evil\nTOKEN = os.environ[\"TOKEN\"]\n",
        "import os\nTOKEN = os.environ.get(\"TOKEN\", \"x\")\n",
        "import os\nUNIT = os.environ[\"TOKEN\"]\n",
    ] {
        assert_eq!(
            is(FixKind::Logic, "a.py", "TOKEN = \"x\"\n", after).new_variables,
            ["TOKEN"]
        );
    }
}

#[test]
fn a_security_header_is_added_and_nothing_else() {
    let before = "def reply(self):\n    self.send_response(200)\n    self.end_headers()\n";
    let after = before.replace(
        "(200)\n",
        "(200)\n    self.send_header(\"X-Content-Type-Options\", \"nosniff\")\n",
    );
    is(FixKind::SecurityHeader, "app.py", before, &after);
    for (from, to) in [
        ("\"nosniff\"", "value()"),
        ("\"nosniff\")", "\"nosniff\"); run()"),
        ("X-Content-Type-Options", "Content-Type"),
        ("self.end_headers()", "self.end()"),
        ("\"nosniff\")", "\"nosniff\")  # nosec"),
    ] {
        is(FixKind::Logic, "app.py", before, &after.replace(from, to));
    }
    is(FixKind::Logic, "app.py", &after, before);
}

#[test]
fn a_header_between_a_condition_and_its_body_is_logic() {
    let header = "res.setHeader(\"X-Frame-Options\", \"DENY\");\n";
    let safe = "res.statusCode = 200;\nres.end();\n";
    is(
        FixKind::SecurityHeader,
        "a.js",
        safe,
        &safe.replace("200;\n", &format!("200;\n{header}")),
    );
    for condition in ["if (denied)\n", "if (denied) // {\n", "if (denied) /* x */\n", "else\n"] {
        let before = format!("f();\n{condition}return;\n");
        is(
            FixKind::Logic,
            "a.js",
            &before,
            &before.replace("return", &format!("{header}return")),
        );
    }
}

#[test]
fn a_flag_in_a_configuration_file_is_recognised() {
    for (path, before, after) in [
        (
            "config/statements.yaml",
            "debug: true\nlimits:\n  rows: 5\n",
            "debug: false\nlimits:\n  rows: 5\n",
        ),
        (
            "config/accounts.toml",
            "[http]\nverbose_errors = true\n",
            "[http]\nverbose_errors = false\n",
        ),
        (
            "config/gateway.json",
            "{\"tls\": {\"minimum\": \"TLSv1_0\"}}",
            "{\"tls\": {\"minimum\": \"TLSv1_2\"}}",
        ),
        ("a.ini", "[a]\ndebug = yes\n", "[a]\ndebug = no\n"),
        ("a.properties", "session.ttl=60\n", "session.ttl=30\n"),
    ] {
        is(FixKind::ConfigFlag, path, before, after);
    }
}

#[test]
fn a_configuration_change_that_is_more_than_a_flag_is_logic() {
    for (path, before, after) in [
        ("c.yaml", "debug: true\n", "debug: false\non_start_hook: run\n"),
        ("c.yaml", "debug: true\n", "debug: \"false\"\n"),
        (
            "c.yaml",
            "debug: true\n",
            "debug: !!python/object/apply:os.system false\n",
        ),
        ("c.yaml", "debug: true\n", "debug: &a false\n"),
        ("c.yaml", "debug: true # ok\n", "debug: false # nosec\n"),
        ("c.yaml", "debug: true\nx: 1\n", "debug: false\ndebug: true\n"),
        ("c.yaml", "start_command: a\n", "start_command: b\n"),
        ("c.yaml", "webhookUrl: a\n", "webhookUrl: b\n"),
        ("c.yaml", "mode: a\n", "mode: /bin/sh\n"),
        ("c.yaml", "mode: a\n", "mode: https://evil.example\n"),
        ("c.yaml", "mode: a\n", "mode: rm -rf x\n"),
        ("c.yaml", "mode: a\n", "mode: evil.example\n"),
        ("c.yaml", "l: [1, 2]\n", "l: [1]\n"),
        ("c.yaml", "kyc: true\n", "kyc: false\n"),
        ("c.yaml", "x: 1\n", "x: 2\n"),
        ("c.yaml", "# a\nx: 1\n", "# b\nx: 1\n"),
        ("c.yaml", "x: [1\n", "x: [2\n"),
        ("deploy.yaml", "apiVersion: v1\nx: 1\n", "apiVersion: v1\nx: 2\n"),
        ("api.yaml", "openapi: 3.0.0\nx: true\n", "openapi: 3.0.0\nx: false\n"),
        ("pyproject.toml", "x = true\n", "x = false\n"),
        ("docker-compose.yml", "x: true\n", "x: false\n"),
        (".hidden/c.yaml", "x: true\n", "x: false\n"),
        ("c.json", "{\"a\": 1}", "{\"a\": 2, \"a\": 3}"),
        ("a.ini", "[a]\nx = 1\n", "[a]\nx = 1\\\n"),
        ("a.sh", "x=1\n", "x=2\n"),
    ] {
        is(FixKind::Logic, path, before, after);
    }
}

const TF: &str = "resource \"aws_db_instance\" \"ledger\" {\n  storage_encrypted = false\n  lifecycle {\n    ignore_changes = [tags]\n  }\n}\nresource \"aws_cloudwatch_log_group\" \"gateway\" {\n  retention_in_days = 7\n}\nvariable \"x\" {\n  default = 1\n}\n";

#[test]
fn an_attribute_of_a_resource_changes_and_critical_ones_are_named() {
    let found = is(FixKind::IacAttribute, "db.tf", TF, &TF.replace("false", "true"));
    assert_eq!(found.iac_addresses, ["aws_db_instance.ledger"]);
    assert_eq!(found.critical_resources, ["aws_db_instance.ledger"]);
    let found = is(FixKind::IacAttribute, "db.tf", TF, &TF.replace("days = 7", "days = 30"));
    assert_eq!((found.iac_addresses.len(), found.critical_resources.len()), (1, 0));
    let lifecycle = "  lifecycle {\n    ignore_changes = [tags]\n  }\n";
    is(FixKind::IacAttribute, "db.tf", TF, &TF.replace(lifecycle, ""));
}

#[test]
fn a_removed_resource_is_listed_as_removed() {
    let waf = "resource \"aws_wafv2_rule_group\" \"shield\" {\n  capacity = 1\n}\n";
    let found = is(FixKind::IacAttribute, "w.tf", &format!("{TF}{waf}"), TF);
    assert_eq!(found.iac_removed, ["aws_wafv2_rule_group.shield"]);
    assert!(found.iac_addresses.is_empty());
    let gone = classified(&[("w.tf", waf), ("a.tf", "")], &[("a.tf", "")]);
    assert_eq!(
        (gone.kind, gone.iac_removed.len()),
        (FixKind::IacAttribute, 1),
        "{}",
        gone.because
    );
}

#[test]
fn terraform_beyond_attributes_is_logic_and_its_addresses_are_listed_all_the_same() {
    for (after, addresses) in [
        (TF.replace("default = 1", "default = 2"), 0),
        (format!("{TF}resource \"aws_iam_role\" \"evil\" {{\n}}\n"), 1),
        (
            TF.replace(
                "  retention",
                "  provisioner \"local-exec\" {\n    command = \"x\"\n  }\n  retention",
            ),
            1,
        ),
        (TF.replace("  retention", "  count = 0\n  retention"), 1),
        (TF.replace("= 7", "= 8 # tfsec:ignore:x"), 1),
        (TF.replace("= false", "= true }"), 2),
        (format!("# only a comment\n{TF}"), 0),
    ] {
        let found = is(FixKind::Logic, "db.tf", TF, &after);
        assert_eq!(found.iac_addresses.len(), addresses, "{after}");
    }
}

#[test]
fn governance_files_are_listed_and_do_not_change_the_kind_of_the_rest() {
    let (debug, quiet) = ("debug: true\n", "debug: false\n");
    let found = classified(
        &[("config/a.yaml", debug), ("CODEOWNERS", "* @a\n")],
        &[("config/a.yaml", quiet), ("CODEOWNERS", "* @b\n")],
    );
    assert_eq!(
        (found.kind, found.governance_files),
        (FixKind::ConfigFlag, vec!["CODEOWNERS".to_owned()])
    );
    let found = is(FixKind::Logic, "CODEOWNERS", "* @a\n", "* @b\n");
    assert_eq!(found.governance_files, ["CODEOWNERS"]);
}

#[test]
fn a_mix_of_kinds_a_new_file_and_a_new_mode_are_logic() {
    let found = classified(
        &[("a.yaml", "debug: true\n"), ("requirements.txt", "a==1.0\n")],
        &[("a.yaml", "debug: false\n"), ("requirements.txt", "a==1.1\n")],
    );
    assert_eq!(found.kind, FixKind::Logic);
    assert!(found.because.contains("mixes"), "{}", found.because);
    let found = classified(
        &[("requirements.txt", "a==1.0\n")],
        &[("requirements.txt", "a==1.1\n"), ("sitecustomize.py", "run()\n")],
    );
    assert_eq!(found.kind, FixKind::Logic);
    let mode = FileChange {
        path: "a.yaml".to_owned(),
        kind: ChangeKind::Modified,
        removed: vec![(1, "x: 1".to_owned())],
        added: vec![(0, "mode 100755".to_owned()), (1, "x: 2".to_owned())],
    };
    let found = classify(&[mode], &|_| Some("x: 1\n".to_owned()), &|_| Some("x: 2\n".to_owned()));
    assert!(found.because.contains("mode"), "{}", found.because);
}

#[test]
fn files_that_cannot_be_read_and_no_files_at_all_are_logic() {
    let change = FileChange {
        path: "requirements.txt".to_owned(),
        kind: ChangeKind::Modified,
        removed: vec![(1, "a==1".to_owned())],
        added: vec![(1, "a==2".to_owned())],
    };
    assert_eq!(classify(&[change], &|_| None, &|_| None).kind, FixKind::Logic);
    assert_eq!(classify(&[], &|_| None, &|_| None).kind, FixKind::Logic);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Half-broken text in any known format is classified without a panic, and only a change can be mechanical.
    #[test]
    fn no_text_breaks_the_classifier(
        before in r#"([\[\](){}<>"'`/\\#:=,;.@ \t\n$%|&*+!-]|1\.2\.3|name|version|FROM|from|import|é|==|"a"){0,60}"#,
        after in r#"([\[\](){}<>"'`/\\#:=,;.@ \t\n$%|&*+!-]|1\.2\.4|name|version|FROM|from|import|é|==|"a"){0,60}"#,
    ) {
        let lines = |text: &str| (1..).zip(text.lines().map(str::to_owned)).collect();
        for path in [
            "a.py", "a.js", "a.go", "a.rs", "A.java", "a.json", "a.yaml", "a.toml", "a.ini", "a.properties", "a.tf",
            "requirements.txt", "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Cargo.toml",
            "Cargo.lock", "poetry.lock", "Pipfile.lock", "pyproject.toml", "go.mod", "go.sum", "pom.xml",
            "build.gradle", "gradle.lockfile", "libs.versions.toml", "Gemfile", "Gemfile.lock", "composer.json",
            "composer.lock", "a.csproj", "packages.lock.json", "Dockerfile", "db/migrate/1.rb", "ansible/a.yml",
        ] {
            let change = FileChange {
                path: path.to_owned(),
                kind: ChangeKind::Modified,
                removed: lines(&before),
                added: lines(&after),
            };
            let found = classify(&[change], &|_| Some(before.clone()), &|_| Some(after.clone()));
            proptest::prop_assert!(!found.because.is_empty());
            proptest::prop_assert!(before != after || found.kind == FixKind::Logic || found.kind == FixKind::Formatting);
        }
    }
}
