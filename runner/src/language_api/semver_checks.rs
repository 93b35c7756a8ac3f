//! `cargo-semver-checks`: Rust. It reads rustdoc's JSON, so the toolchain must be one that it knows.

use super::Adapter;

/// `output` is what it prints when it takes the step for a patch, `list` says what each of its lints asks for.
///
/// - Every lint is on, whatever the package's own manifest says: its author must not silence what a client wants to
///   know, and the lints that are off by default are those that ask for a minor step.
/// - Features are the default ones: those of a client aren't known here.
/// - It finds no library in a crate of procedural macros, so it gets the JSON of rustdoc for one.
pub(super) const ADAPTER: Adapter = Adapter {
    language: "rust",
    tool: "cargo-semver-checks",
    reports: &["output", "list"],
    program: None,
    script: r#"command -v cargo-semver-checks >/dev/null || exit 127
export CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never CARGO_TARGET_DIR=/workspace/target
cargo-semver-checks --version >"$reports/version" || exit 1
cargo-semver-checks semver-checks --list >"$reports/list" 2>/dev/null || exit 1
awk '/^\[/ { own = $0 ~ /^\[package\.metadata\.cargo-semver-checks/ } !own' new/Cargo.toml >"$reports/manifest" || exit 1
printf '\n[package.metadata.cargo-semver-checks.lints]\n' >>"$reports/manifest"
awk '$2 == "major" || $2 == "minor" { print $1 " = \"deny\"" }' "$reports/list" >>"$reports/manifest"
cp "$reports/manifest" new/Cargo.toml
cargo-semver-checks semver-checks --manifest-path new/Cargo.toml --baseline-root old --release-type patch \
  --default-features --color never >"$reports/output" 2>&1
if grep -q 'no crates with library targets' "$reports/output"; then
  for side in old new; do
    RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=/workspace/target-$side cargo rustdoc --quiet --manifest-path $side/Cargo.toml --lib -- \
      -Zunstable-options --document-hidden-items --cap-lints allow --output-format json || exit 1
  done
  old=$(ls /workspace/target-old/doc/*.json) new=$(ls /workspace/target-new/doc/*.json)
  cargo-semver-checks semver-checks --baseline-rustdoc "$old" --current-rustdoc "$new" --release-type patch \
    --color never >"$reports/output" 2>&1
fi
exit 0"#,
};
