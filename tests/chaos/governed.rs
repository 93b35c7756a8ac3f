//! What `holdpoint run` needs beside a repo: a report with one finding, a fix for it, and a small pack that suggests
//! what builds and passes its tests.

use std::fs;
use std::path::Path;

/// The finding is the same whatever the fix does.
const REPORT: &str = r#"{"version":"1.170.1","errors":[],"results":[{"check_id":"old-value","path":"value.txt",
"start":{"line":1,"col":1,"offset":0},"end":{"line":1,"col":5,"offset":4},
"extra":{"message":"The value is old.","metadata":{},"severity":"WARNING"}}]}"#;
const PACK: [(&str, &str); 2] = [
    (
        "pack.yaml",
        "name: chaos\ndescription: Suggests what builds and passes its tests.\n",
    ),
    (
        "suggest.cedar",
        "@id(\"suggest\")\n@reason(\"A person will look at it\")\n\
         permit (principal, action == Action::\"suggest\", resource) when { context has fix.class };\n",
    ),
];

/// Writes it into an estate's folder, whose `holdpoint.yaml` names it. `repo`: the one that the fix is for.
pub fn write(estate: &Path, repo: &str, patch: &str) {
    let write = |path: &str, text: &str| {
        let path = estate.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (name, text) in PACK {
        write(&format!("pack/{name}"), text);
    }
    for check in ["build", "test"] {
        let policy = format!(
            "@id(\"{check}-failed\")\n@reason(\"It must be known to {check}\")\n@unlock(\"a fix that does\")\n\
             forbid (principal, action, resource)\n\
             unless {{ context has evidence.{check}.verdict && context.evidence.{check}.verdict != \"failed\" }};\n"
        );
        write(&format!("pack/{check}.cedar"), &policy);
    }
    write("reports/semgrep.json", REPORT);
    let fix = format!(
        "repo: {repo}\nbase: main\npatch: change.patch\ntitle: Raise the value\n\
         resolves:\n  - {{scanner: semgrep, rule: old-value, path: value.txt}}\n"
    );
    write("fixes/bot/fix/fix.yaml", &fix);
    write("fixes/bot/fix/change.patch", patch);
}
