//! The service's own code, and scripts.

use holdpoint_schemas::fix::FixKind;

use super::{Changed, Needs};

pub(super) fn read(changed: &Changed<'_>) -> Option<Needs> {
    match changed.ending() {
        "py" | "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx" | "go" | "rs" | "java" | "kt" | "kts"
        | "scala" | "rb" | "php" | "cs" | "c" | "h" | "cc" | "cpp" | "hpp" | "swift" | "ex" | "exs" | "erl" | "clj"
        | "vue" | "svelte" | "html" | "css" | "erb" | "jinja" | "j2" => Some(match changed.classification.kind {
            FixKind::Formatting | FixKind::GeneratedCode => Needs::none("is the same program in another layout"),
            _ => Needs::restart("is code that the service loads when it starts"),
        }),
        "sh" | "bash" | "ps1" | "mk" => Some(Needs::unknown("is a script; when it runs can't be told")),
        _ => None,
    }
}
