use super::*;

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn found(files: &[(&str, &str)]) -> Detected {
    detect(&tree(files), &PrepareConfig::default())
}

fn step(command: &Option<String>) -> &str {
    command.as_deref().unwrap_or("nothing")
}

const CARGO: (&str, &str) = ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\n");
const NPM: (&str, &str) = (
    "package.json",
    r#"{"scripts": {"build": "tsc", "test": "node --test test/"}, "dependencies": {"a": "^1"}}"#,
);

#[test]
fn cargo_fetches_what_is_locked_and_builds_offline() {
    let found = found(&[CARGO, ("Cargo.lock", "version = 4\n"), ("src/lib.rs", "")]);
    assert_eq!(found.toolchains, ["cargo"]);
    assert!(step(&found.steps.prepare).ends_with("cargo fetch --locked"));
    assert_eq!(
        step(&found.steps.build),
        "cargo build --locked --offline --workspace && cargo test --locked --offline --workspace --no-run"
    );
    assert_eq!(
        step(&found.steps.test),
        "cargo test --locked --offline --workspace --no-fail-fast"
    );
    assert_eq!(found.tools, ["cargo"]);
    assert_eq!(
        found.why,
        ["prepare: `Cargo.lock`", "build: `Cargo.toml`", "test: `Cargo.toml`"]
    );
}

#[test]
fn without_a_lockfile_nothing_is_fetched_and_the_notes_say_so() {
    for (files, named) in [
        (vec![CARGO], "Cargo.lock"),
        (vec![NPM], "package-lock.json"),
        (vec![("go.mod", "module a\nrequire b v1.0.0\n")], "go.sum"),
        (vec![("requirements.txt", "flask>=2\n")], "requirements.txt"),
        (
            vec![("pyproject.toml", "[project]\ndependencies = [\"flask\"]\n")],
            "uv.lock",
        ),
        (vec![("build.gradle.kts", "")], "gradle.lockfile"),
        (vec![("pom.xml", "<version>[1,2)</version>")], "pom.xml"),
    ] {
        let found = found(&files);
        assert_eq!(found.steps.prepare, None, "{files:?}");
        assert!(found.notes.iter().any(|note| note.contains(named)), "{:?}", found.notes);
    }
}

#[test]
fn a_crate_without_dependencies_needs_no_lockfile() {
    let found = found(&[("Cargo.toml", "[package]\nname = \"a\"\n"), ("src/lib.rs", "")]);
    assert_eq!(
        step(&found.steps.test),
        "cargo test --offline --workspace --no-fail-fast"
    );
    assert_eq!(found.notes, Vec::<String>::new());
}

#[test]
fn npm_installs_by_the_lockfile_without_scripts() {
    let lock = ("package-lock.json", "{}");
    let files = [NPM, lock, ("test/a.test.js", "")];
    let without = found(&files);
    assert!(step(&without.steps.prepare).ends_with("npm ci --ignore-scripts --prefer-offline --no-audit --no-fund"));
    assert_eq!(step(&without.steps.build), "env CI=true npm run build");
    assert_eq!(step(&without.steps.test), "env CI=true npm run test");
    assert_eq!(without.tests.coverage_report.as_deref(), Some(".holdpoint/lcov.info"));
    assert!(step(&without.tests.coverage).ends_with("--test-reporter-destination=.holdpoint/lcov.info test/"));
    let allowed = PrepareConfig {
        scripts: true,
        ..PrepareConfig::default()
    };
    let with = detect(&tree(&files), &allowed);
    assert!(step(&with.steps.prepare).contains("npm ci --prefer-offline"));
}

#[test]
fn install_scripts_that_are_left_out_are_told() {
    let lock = "{\"packages\": {\"node_modules/bcrypt\": {\n\"hasInstallScript\": true}}}";
    let found = found(&[NPM, ("package-lock.json", lock)]);
    assert!(found.notes[0].contains("sandbox.prepare.scripts"), "{:?}", found.notes);
}

#[test]
fn the_placeholder_of_npm_init_is_no_test() {
    let manifest = r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#;
    let found = found(&[("package.json", manifest)]);
    assert_eq!(found.steps, StepsConfig::default());
    assert!(found.notes[0].contains("no script `test`"));
}

#[test]
fn the_lockfile_tells_pnpm_and_both_kinds_of_yarn_from_npm() {
    let pnpm = found(&[NPM, ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n")]);
    assert_eq!(pnpm.toolchains, ["pnpm"]);
    assert!(step(&pnpm.steps.prepare).contains("pnpm install --frozen-lockfile --ignore-scripts"));
    assert_eq!(step(&pnpm.steps.test), "env CI=true pnpm run test");

    let classic = found(&[NPM, ("yarn.lock", "# yarn lockfile v1\n\na@^1:\n")]);
    assert!(step(&classic.steps.prepare).contains("yarn install --frozen-lockfile --ignore-scripts"));

    let modern = found(&[NPM, ("yarn.lock", "__metadata:\n  version: 8\n")]);
    assert!(step(&modern.steps.prepare).contains("yarn install --immutable --mode=skip-build"));
    assert!(step(&modern.steps.test).starts_with("env YARN_ENABLE_NETWORK=0 "));
}

#[test]
fn pip_wants_every_requirement_pinned_and_uses_hashes_where_all_have_them() {
    let hashed =
        "# top\nflask==3.0.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nJinja2==3.1 --hash=sha256:cc # why\n";
    let with = found(&[("requirements.txt", hashed), ("tests/test_a.py", "")]);
    let prepare = step(&with.steps.prepare);
    assert!(prepare.contains("--require-hashes --only-binary :all:"), "{prepare}");
    assert!(
        prepare.contains("${HOLDPOINT_PACKAGES:+--no-index --find-links \"$HOLDPOINT_PACKAGES\"} -r requirements.txt")
    );
    assert_eq!(
        step(&with.steps.test),
        "export PYTHONPATH=. && /workspace/cache/venv/bin/python -m unittest discover -v -s tests"
    );

    let plain = found(&[
        (
            "requirements.txt",
            "flask==3.0.0\npytest[x]==8 ; python_version > '3'\n",
        ),
        ("test_a.py", ""),
    ]);
    assert!(!step(&plain.steps.prepare).contains("--require-hashes"));
    assert!(step(&plain.steps.test).ends_with("-m pytest --junitxml=.holdpoint/junit.xml"));
    assert_eq!(plain.tests.reports, [".holdpoint/junit.xml"]);
    assert!(plain.notes[0].contains("no hashes"), "{:?}", plain.notes);
}

#[test]
fn requirements_that_pin_nothing_are_found_also_where_they_are_included() {
    for loose in [
        "-e .",
        "flask",
        "flask==3.*",
        "flask==1,>2",
        "git+https://example.org/x.git#egg=x",
        "x @ https://example.org/x-1==2.whl",
        "--extra-index-url https://example.org",
        "./folder",
    ] {
        let found = found(&[
            ("setup.py", ""),
            ("requirements-dev.txt", "-r requirements/base.txt\n"),
            ("requirements/base.txt", loose),
        ]);
        assert_eq!(found.steps.prepare, None, "{loose}");
        assert!(found.notes[0].contains("requirements/base.txt"), "{:?}", found.notes);
    }
    // One that includes itself ends.
    found(&[("requirements.txt", "-r requirements.txt\n")]);
}

#[test]
fn python_without_dependencies_runs_on_the_interpreter_itself() {
    let found = found(&[
        ("pyproject.toml", "[project]\nname = \"a\"\n"),
        ("tests/__init__.py", ""),
        ("tests/test_a.py", ""),
    ]);
    assert_eq!(found.steps.prepare, None);
    assert!(step(&found.steps.build).starts_with("export PYTHONPATH=. && python3 -m compileall -q "));
    assert_eq!(
        step(&found.steps.test),
        "export PYTHONPATH=. && python3 -m unittest discover -v -s tests -t ."
    );
}

#[test]
fn poetry_and_uv_go_by_their_own_lockfiles() {
    let lock = "[[package]]\nname = \"pytest\"\n\n[[package]]\nname = \"pytest-cov\"\n";
    let pyproject = ("pyproject.toml", "[project]\nname = \"a\"\n");
    let poetry = found(&[
        pyproject,
        ("poetry.lock", lock),
        ("src/a.py", ""),
        ("requirements.txt", "x\n"),
    ]);
    assert_eq!(poetry.toolchains, ["poetry"]);
    assert!(
        step(&poetry.steps.prepare)
            .ends_with("POETRY_INSTALLER_ONLY_BINARY=:all: poetry install --no-root --sync --no-interaction")
    );
    assert!(step(&poetry.steps.test).contains("PYTHONPATH=src:. "));
    assert_eq!(
        poetry.tests.coverage_report.as_deref(),
        Some(".holdpoint/coverage.json")
    );

    let uv = found(&[pyproject, ("uv.lock", lock), ("poetry.lock", lock)]);
    assert_eq!(uv.toolchains, ["uv"]);
    assert!(step(&uv.steps.prepare).contains("uv sync --frozen "));
    assert!(step(&uv.steps.prepare).ends_with(" --no-build"));
}

#[test]
fn go_uses_the_images_toolchain_and_no_proxy_after_prepare() {
    let go = found(&[("go.mod", "module a\n\nrequire (\n\tb v1.0.0\n)\n"), ("go.sum", "")]);
    assert!(step(&go.steps.prepare).ends_with("go mod download"));
    assert!(step(&go.steps.test).contains("GOFLAGS=-mod=readonly GOPROXY=off go test ./..."));
    let vendored = found(&[("go.mod", "module a\n"), ("go.sum", ""), ("vendor/modules.txt", "")]);
    assert_eq!(vendored.steps.prepare, None);
    assert!(step(&vendored.steps.test).contains("-mod=vendor"));
}

#[test]
fn maven_and_gradle_build_offline_and_leave_junit_reports() {
    let maven = found(&[("pom.xml", "<project/>"), ("mvnw", "")]);
    assert_eq!(
        step(&maven.steps.test),
        "mvn -B -ntp -Dmaven.repo.local=/workspace/cache/maven -o test"
    );
    assert_eq!(maven.tests.reports, ["**/target/surefire-reports/TEST-*.xml"]);
    assert!(maven.notes[0].contains("mvnw"));
    let gradle = found(&[("build.gradle", ""), ("gradlew", ""), ("app/gradle.lockfile", "")]);
    assert!(step(&gradle.steps.prepare).ends_with("sh ./gradlew --no-daemon --console=plain testClasses"));
    assert!(step(&gradle.steps.test).ends_with("--offline test --continue"));
}

#[test]
fn make_is_used_only_where_nothing_else_is_there() {
    let makefile = "CC := gcc\nall: a.o\n\n.PHONY: check\n%.o: %.c\n\tcc $<\ncheck: all\n\t./run-tests\n";
    let alone = found(&[("Makefile", makefile)]);
    assert_eq!(step(&alone.steps.build), "make all");
    assert_eq!(step(&alone.steps.test), "make check");
    let beside = found(&[("Makefile", makefile), CARGO, ("Cargo.lock", "")]);
    assert_eq!(beside.toolchains, ["cargo"]);
    assert_eq!(
        found(&[("Makefile", "X := 1\ntest_dir = a\n")]).steps,
        StepsConfig::default()
    );
}

#[test]
fn several_toolchains_at_the_root_all_have_to_pass() {
    let found = found(&[CARGO, ("Cargo.lock", ""), NPM, ("package-lock.json", "{}")]);
    assert_eq!(found.toolchains, ["cargo", "npm"]);
    assert_eq!(
        step(&found.steps.test),
        "( cargo test --locked --offline --workspace --no-fail-fast ) && ( env CI=true npm run test )"
    );
    assert_eq!(
        found.tests.coverage, None,
        "one report can't tell what two of them cover"
    );
}

#[test]
fn one_folder_with_a_manifest_is_gone_into_and_several_are_only_named() {
    let one = found(&[
        ("README.md", ""),
        ("it's a service/go.mod", "module a\n"),
        ("testdata/package.json", "{}"),
    ]);
    assert!(step(&one.steps.test).starts_with(r"cd 'it'\''s a service' && env GOTOOLCHAIN=local "));
    assert!(one.notes[0].contains("the root has no manifest"));

    let several = found(&[
        ("a/go.mod", "module a\n"),
        ("b/package.json", "{}"),
        ("node_modules/x/package.json", "{}"),
    ]);
    assert_eq!(several.steps, StepsConfig::default());
    assert_eq!(
        several.notes,
        [
            "the root has no manifest, but 2 folders have: `a/go.mod`, `b/package.json`; \
          write the steps into `.holdpoint.yaml`"
        ]
    );
}

#[test]
fn folders_of_another_ecosystem_than_the_roots_are_named() {
    let found = found(&[
        CARGO,
        ("Cargo.lock", ""),
        ("crates/a/Cargo.toml", ""),
        ("web/package.json", "{}"),
    ]);
    assert_eq!(
        found.notes,
        ["`web/package.json` is not part of the detected steps; add it to `.holdpoint.yaml` if fixes touch it"]
    );
}

#[test]
fn an_empty_or_broken_tree_has_no_steps() {
    for files in [
        vec![],
        vec![("package.json", "[]")],
        vec![("Cargo.toml", "[[[")],
        vec![("README.md", "")],
    ] {
        assert_eq!(found(&files).steps, StepsConfig::default(), "{files:?}");
    }
    assert_eq!(
        found(&[]).notes,
        ["no manifest of a known toolchain was found; write the steps into `.holdpoint.yaml`"]
    );
}

#[test]
fn what_is_configured_wins_step_by_step_and_an_empty_one_turns_a_step_off() {
    let mut detected = found(&[CARGO, ("Cargo.lock", "")]);
    detected.tests.reports = vec!["x.xml".to_owned()];
    let (same, tests) = merge(&detected, &StepsConfig::default(), &TestsConfig::default());
    assert_eq!((&same, &tests), (&detected.steps, &detected.tests));

    let configured = StepsConfig {
        prepare: Some(" ".to_owned()),
        build: None,
        test: Some("make check".to_owned()),
    };
    let (steps, tests) = merge(&detected, &configured, &TestsConfig::default());
    assert_eq!(steps.prepare, None);
    assert_eq!(steps.build, detected.steps.build);
    assert_eq!(step(&steps.test), "make check");
    assert_eq!(
        tests,
        TestsConfig::default(),
        "the detected report and coverage belong to the detected test"
    );

    let own = TestsConfig {
        reports: vec!["y.xml".to_owned()],
        coverage: Some(String::new()),
        coverage_report: None,
    };
    let (_, tests) = merge(&detected, &StepsConfig::default(), &own);
    assert_eq!(tests.reports, ["y.xml"]);
    assert_eq!((tests.coverage, tests.coverage_report), (None, None));
}

#[test]
fn every_mark_leads_to_its_own_toolchain() {
    for toolchain in ECOSYSTEMS.iter().flat_map(|ecosystem| ecosystem.iter()) {
        assert!(!toolchain.marks.is_empty(), "{}", toolchain.name);
        let files: Vec<_> = toolchain
            .marks
            .iter()
            .map(|mark| (*mark, if mark.ends_with(".json") { "{}" } else { "all:\n" }))
            .collect();
        // None of them panics on files that hold nothing of use.
        found(&files);
    }
}
