//! How a repo's test command is made to say what it covers, without changing the repo. One entry per tool.

/// Where the report goes: outside of the tree.
const FOLDER: &str = "/workspace/report/coverage";

/// One coverage tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adapter {
    /// Name, for people.
    pub name: &'static str,
    /// Endings of the files that it covers.
    pub endings: &'static [&'static str],
    /// Shell text in front of the test command: exits with 127 when the tool isn't there.
    before: &'static str,
    /// Shell text behind it.
    after: &'static str,
    /// Reports, below `/workspace`; all files in it when it ends with a slash.
    pub report: &'static str,
}

/// Every tool that is known. The test command itself stays as it is; where a tool has to be named in
/// it, a shell function stands in for the program.
const ADAPTERS: [Adapter; 5] = [
    Adapter {
        name: "coverage.py",
        endings: &["py"],
        before: r#"python3 -c 'import coverage' 2>/dev/null || { echo 'coverage.py is not installed'; exit 127; }
export COVERAGE_FILE="$covered/data"
covered_python() {
  real=$1; shift
  case "$1" in
    -m|*.py) command "$real" -m coverage run --parallel-mode --source=. "$@" ;;
    *) command "$real" "$@" ;;
  esac
}
python() { covered_python python "$@"; }
python3() { covered_python python3 "$@"; }
pytest() { covered_python python3 -m pytest "$@"; }"#,
        after: r#"unset -f python3
python3 -m coverage combine -q 2>&1 || :
python3 -m coverage json -q -o "$covered/coverage.json" 2>&1 || :"#,
        report: "report/coverage/coverage.json",
    },
    Adapter {
        name: "node's V8 coverage",
        endings: &["js", "mjs", "cjs"],
        before: r#"command -v node >/dev/null || exit 127
mkdir -p "$covered/v8"
export NODE_V8_COVERAGE="$covered/v8""#,
        after: r#"unset NODE_V8_COVERAGE"#,
        report: "report/coverage/v8/",
    },
    Adapter {
        name: "rustc's instrument-coverage",
        endings: &["rs"],
        before: r#"major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
own=$(rustc --print target-libdir)/../bin
llvm() {
  tool=$1; shift
  if [ -x "$own/$tool" ]; then "$own/$tool" "$@"; else command "$tool-$major" "$@"; fi
}
[ -x "$own/llvm-cov" ] || command -v "llvm-cov-$major" >/dev/null || { echo "no llvm-cov of version $major, which this rustc needs"; exit 127; }
export RUSTFLAGS="${RUSTFLAGS:-} -C instrument-coverage" RUSTDOCFLAGS="${RUSTDOCFLAGS:-}"
export CARGO_TARGET_DIR="$covered/target" LLVM_PROFILE_FILE="$covered/raw/%p-%m.profraw""#,
        after: r#"find "$covered/raw" -name '*.profraw' > "$covered/raw.txt"
llvm llvm-profdata merge -sparse -f "$covered/raw.txt" -o "$covered/all.profdata" 2>&1 || :
set --
for binary in $(find "$covered/target/debug/deps" -type f -perm -u+x ! -name '*.so'); do set -- "$@" -object "$binary"; done
[ $# = 0 ] || shift
llvm llvm-cov export --format=lcov --instr-profile="$covered/all.profdata" "$@" > "$covered/lcov.info" || :"#,
        report: "report/coverage/lcov.info",
    },
    Adapter {
        name: "go test's cover profile",
        endings: &["go"],
        before: r#"command -v go >/dev/null || exit 127
go() {
  if [ "$1" = test ]; then shift; command go test -coverpkg=./... -coverprofile="$covered/cover.out" "$@"; else command go "$@"; fi
}"#,
        after: "unset -f go",
        report: "report/coverage/cover.out",
    },
    Adapter {
        name: "the build's JaCoCo report",
        endings: &["java", "kt"],
        before: "",
        after: r#"find . -type f -path '*/jacoco*.xml' -exec cp {} "$covered/jacoco.xml" \;"#,
        report: "report/coverage/jacoco.xml",
    },
];

impl Adapter {
    /// The test command with this tool around it; it ends as the tests do.
    #[must_use]
    pub fn command(&self, test: &str) -> String {
        let Self { before, after, .. } = self;
        format!(
            "exec 2>&1\ncovered={FOLDER}\nrm -rf \"$covered\"\nmkdir -p \"$covered\" || exit 1\n{before}\n(\n{test}\n)\nstatus=$?\n{after}\nexit $status\n"
        )
    }
}

/// The tool for a file, by its ending.
#[must_use]
pub fn adapter(path: &str) -> Option<&'static Adapter> {
    let (_, ending) = path.rsplit_once('.')?;
    ADAPTERS.iter().find(|adapter| adapter.endings.contains(&ending))
}
