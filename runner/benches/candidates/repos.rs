//! Repos to measure with, made here: each has several parts, and a candidate changes one of them, as a fix
//! does: the code, not the tests.

/// A repo, and how it is built and tested without a network.
pub struct Repo {
    pub name: &'static str,
    pub build: &'static str,
    pub test: &'static str,
    files: fn(usize) -> Vec<(String, String)>,
}

impl Repo {
    /// The files of a candidate; 0 is the base.
    pub fn files(&self, candidate: usize) -> Vec<(String, String)> {
        (self.files)(candidate)
    }

    pub fn tar(&self, candidate: usize) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, text) in self.files(candidate) {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }
}

/// Parts of each repo.
const PARTS: usize = 6;
/// Functions of each part, so that a build has something to do.
const FUNCTIONS: usize = 150;

pub fn rust() -> Repo {
    Repo {
        name: "rust",
        build: "cargo build --offline --quiet",
        test: "cargo test --offline --quiet",
        files: |candidate| {
            let parts: Vec<String> = (0..PARTS)
                .map(|part| format!("part{part} = {{ path = \"part{part}\" }}\n"))
                .collect();
            let package =
                |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
            let used: Vec<String> = (0..PARTS).map(|part| format!("part{part}::f0(x)")).collect();
            let main = format!(
                "pub fn all(x: u64) -> u64 {{ {} }}\npub const FIX: usize = {candidate};\n\
                 #[cfg(test)]\nmod tests {{ #[test] fn all() {{ assert!(crate::all(1) > 0); assert!(crate::FIX < 1000); }} }}\n",
                used.join(" + ")
            );
            let mut files = vec![
                (
                    "Cargo.toml".to_owned(),
                    format!("{}[dependencies]\n{}", package("whole"), parts.concat()),
                ),
                ("src/lib.rs".to_owned(), main),
            ];
            for part in 0..PARTS {
                let functions: String = (0..FUNCTIONS)
                    .map(|n| {
                        format!(
                            "pub fn f{n}(x: u64) -> u64 {{ (0..x).map(|y| y * {n} + 1).sum::<u64>() + {part} + 1 }}\n"
                        )
                    })
                    .collect();
                files.push((format!("part{part}/Cargo.toml"), package(&format!("part{part}"))));
                files.push((format!("part{part}/src/lib.rs"), functions));
            }
            files
        },
    }
}

pub fn node() -> Repo {
    Repo {
        name: "npm",
        build: "for file in src/*.js; do node --check $file || exit 1; done",
        test: "npm test --silent",
        files: |candidate| {
            let package = "{\"name\":\"whole\",\"version\":\"1.0.0\",\"scripts\":{\"test\":\"node --test test/\"}}\n";
            let mut files = vec![("package.json".to_owned(), package.to_owned())];
            for part in 0..PARTS {
                let fix = if part == 0 { candidate } else { 0 };
                let functions: String = (0..FUNCTIONS)
                    .map(|n| format!("exports.f{n} = (x) => x * {n} + 0 * {fix};\n"))
                    .collect();
                let test = format!(
                    "const test = require('node:test');\nconst assert = require('node:assert');\n\
                     const part = require('../src/part{part}.js');\n\
                     test('part {part}', () => assert.equal(part.f2(1), 2));\n"
                );
                files.push((format!("src/part{part}.js"), functions));
                files.push((format!("test/part{part}.test.js"), test));
            }
            files
        },
    }
}

pub fn python() -> Repo {
    Repo {
        name: "python",
        build: "python3 -m compileall -q whole",
        test: "python3 -m unittest discover -q -s tests -t .",
        files: |candidate| {
            let mut files = vec![
                ("whole/__init__.py".to_owned(), String::new()),
                ("tests/__init__.py".to_owned(), String::new()),
            ];
            for part in 0..PARTS {
                let fix = if part == 0 { candidate } else { 0 };
                let functions: String = (0..FUNCTIONS)
                    .map(|n| format!("def f{n}(x):\n    return x * {n} + 0 * {fix}\n\n\n"))
                    .collect();
                let test = format!(
                    "import unittest\nfrom whole import part{part}\n\n\nclass Part{part}(unittest.TestCase):\n    \
                     def test_all(self):\n        self.assertEqual(part{part}.f2(1), 2)\n"
                );
                files.push((format!("whole/part{part}.py"), functions));
                files.push((format!("tests/test_part{part}.py"), test));
            }
            files
        },
    }
}
