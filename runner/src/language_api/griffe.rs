//! `griffe`: Python. It reads source and stubs, and runs neither.

use super::Adapter;

/// `old.json` and `new.json` are what it dumps of both versions. The package is loaded from the folder it is in.
pub(super) const ADAPTER: Adapter = Adapter {
    language: "python",
    tool: "griffe",
    reports: &["old.json", "new.json"],
    program: None,
    script: r#"griffe=$(command -v holdpoint-griffe || command -v griffe) || exit 127
"$griffe" --version >"$reports/version" || exit 1
for side in old new; do
  at=$side
  for folder in "$side" "$side"/src "$side"/* "$side"/*/src; do
    if [ -e "$folder/$package" ] || [ -e "$folder/$package.py" ]; then at=$folder; break; fi
  done
  "$griffe" dump "$package" --search "$at" --force-inspection=false >"$reports/$side.json" 2>"$reports/error" ||
    "$griffe" dump "$package" --search "$at" >"$reports/$side.json" 2>"$reports/error" || { tail -n 1 "$reports/error"; exit 1; }
done
: "$reports/old.json" "$reports/new.json""#,
};
