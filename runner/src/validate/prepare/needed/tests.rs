use super::*;

pub(super) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn writes(paths: &[&str]) -> TreeChange {
    let files: Vec<_> = paths.iter().map(|path| (*path, "x")).collect();
    TreeChange {
        written: archive(&files),
        removed: Vec::new(),
    }
}

fn node() -> Vec<u8> {
    archive(&[
        ("package.json", "{\"dependencies\":{\"a\":\"1\"}}"),
        ("package-lock.json", "{}"),
    ])
}

fn needed_with(base: &[(&str, &str)], command: &str) -> bool {
    needs_prepare(command, false, &writes(&["src/a.py"]), &archive(base))
}

#[test]
fn a_known_install_is_not_repeated_for_sources() {
    let change = writes(&["src/a.js", "lib/deep/b.ts"]);
    for command in [
        "npm ci",
        "npm ci --ignore-scripts --no-audit",
        "yarn install --frozen-lockfile",
        "pnpm install --frozen-lockfile",
        "cargo fetch --locked",
        "go mod download && npm ci",
    ] {
        assert!(!needs_prepare(command, false, &change, &node()), "{command}");
    }
    let pip = "python3 -m pip install --no-index --find-links \"$HOLDPOINT_PACKAGES\" --require-hashes --target .deps -r requirements.txt";
    let pinned = "# from a/b\nflask==3.0 --hash=sha256:00\n    --hash=sha256:11\n";
    assert!(!needed_with(&[("requirements.txt", pinned)], pip));
    assert!(!needs_prepare("npm ci", false, &TreeChange::default(), &node()));
}

#[test]
fn what_more_than_installs_is_repeated() {
    for command in [
        "",
        "make deps",
        "npm ci && npm run build",
        "npm ci; ./setup",
        "npm ci & ./setup",
        "npm ci | tee log",
        "npm ci `./more`",
        "npm ci $(./more)",
        "npm ci > log",
        "npm ci\n./more",
        "PATH=. npm ci",
        "npm ci --ignore-scripts=false",
        "npm ci --prefix sub",
        "npm install ./local",
        "npm run ci",
        "./npm ci",
        "cargo fetch --manifest-path x/Cargo.toml",
        "cargo build",
        "pip install -r requirements.txt .",
        "pip install -e .",
        "pip install flask",
    ] {
        assert!(
            needs_prepare(command, false, &writes(&["src/a.js"]), &node()),
            "{command:?}"
        );
    }
}

#[test]
fn what_touches_more_than_sources_is_repeated() {
    for path in [
        "package.json",
        "package-lock.json",
        "requirements.txt",
        "setup.py",
        "deep/setup.py",
        "build.rs",
        ".npmrc",
        ".pnpmfile.cjs",
        ".yarn/plugins/x.cjs",
        "node_modules/a/index.js",
        "vendor/a/a.go",
        "Makefile",
        "a",
    ] {
        assert!(
            needs_prepare("npm ci", false, &writes(&["src/a.js", path]), &node()),
            "{path}"
        );
    }
    let removes = TreeChange {
        removed: vec!["src/a.js".to_owned()],
        ..TreeChange::default()
    };
    assert!(needs_prepare("npm ci", false, &removes, &node()));
    let torn = TreeChange {
        written: vec![b'x'; 600],
        removed: Vec::new(),
    };
    assert!(needs_prepare("npm ci", false, &torn, &node()));
}

#[test]
fn a_link_is_no_source_file() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "src/a.js", "../package.json").unwrap();
    let change = TreeChange {
        written: builder.into_inner().unwrap(),
        removed: Vec::new(),
    };
    assert!(needs_prepare("npm ci", false, &change, &node()));
}

#[test]
fn allowed_scripts_may_read_anything() {
    assert!(needs_prepare("npm ci", true, &writes(&["src/a.js"]), &node()));
}

#[test]
fn an_install_that_copies_or_runs_sources_is_repeated() {
    for (path, text) in [
        ("package.json", "{\"dependencies\":{\"a\":\"file:./a\"}}"),
        ("package.json", "{\"workspaces\":[\"packages/*\"]}"),
        ("package.json", "{\"dependenciesMeta\":{\"a\":{\"injected\":true}}}"),
        (".npmrc", "install-links=true"),
        (".npmrc", "ignore-scripts=false"),
        (".pnpmfile.cjs", ""),
        (".yarn/releases/yarn.cjs", ""),
        ("pnpm-workspace.yaml", ""),
    ] {
        let base = archive(&[("package.json", "{}"), (path, text)]);
        assert!(
            needs_prepare("npm ci", false, &writes(&["src/a.js"]), &base),
            "{path} {text}"
        );
    }
    for text in [
        "-e .",
        ".",
        "./a",
        "-r more.txt",
        "a @ file:///workspace/repo",
        "sub/dir",
    ] {
        assert!(needed_with(&[("r.txt", text)], "pip install -r r.txt"), "{text}");
    }
    assert!(needed_with(&[], "pip install -r r.txt"));
}
