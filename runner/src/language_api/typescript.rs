//! The TypeScript compiler: declarations of npm packages.

use super::Adapter;

/// `old.json` and `new.json` are the exported declarations of both versions, as the compiler resolves them.
pub(super) const ADAPTER: Adapter = Adapter {
    language: "typescript",
    tool: "typescript",
    reports: &["old.json", "new.json"],
    program: Some(("declarations.cjs", include_str!("declarations.cjs"))),
    script: r#"command -v node >/dev/null || exit 127
for folder in "${HOLDPOINT_TYPESCRIPT:-}" /usr/local/lib/holdpoint-typescript /usr/local/lib /usr/lib /usr/share/nodejs; do
  for place in "$folder/node_modules/typescript" "$folder/typescript"; do
    if [ -n "$folder" ] && [ -e "$place/lib/typescript.js" ]; then typescript=$place; break 2; fi
  done
done
[ -n "${typescript:-}" ] || exit 127
node -p 'require(process.argv[1]).version' "$typescript" >"$reports/version" || exit 1
for side in old new; do
  at=$side; [ -e "$side/package.json" ] || at=$(ls -d "$side"/*/ | head -n 1)
  node "$reports/declarations.cjs" "$typescript" "$at" >"$reports/$side.json" || exit 1
done
: "$reports/old.json" "$reports/new.json""#,
};
